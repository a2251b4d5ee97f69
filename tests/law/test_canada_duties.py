"""The duties and import bans on products of Canada under section 338: days, lists and the order with section 232, by U.S. note 51."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from tests.law import actions, printed
from tests.law.naive_knowledge import NaiveKnowledge
from tests.law.probe import Prober

from tariff_engine.evaluate.charge import Base
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Knowledge

DAY = timedelta(days=1)
ANNOUNCED, BEGIN, SCOPE, BAN = date(2026, 8, 19), date(2026, 8, 22), date(2026, 9, 15), date(2026, 9, 29)
SUSPENDED, LAPSED = date(2026, 8, 18), date(2026, 8, 21)
HEADINGS = ("9903.03.12", "9903.03.13", "9903.03.14")
BEER, MILK = "2203000060", "0402215000"


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a list as the file holds them."""
    return list(csv.DictReader((ROOT / "lists" / f"{name}.csv").read_text(encoding="utf-8").splitlines()))


def line(hts: str, day: date, country: str = "CA", **facts: Any) -> dict[str, Any]:
    """Return a line worth 1,000 dollars."""
    return {"hts": hts, "origin": country, "entry_date": day, "value": 1000, **facts}


def filed(knowledge: Knowledge, goods: dict[str, Any]) -> list[tuple[str, int]]:
    """Return heading and cents of the program's rows on goods of a free base rate, whatever the schedule says of the number."""
    read = knowledge.read(goods)
    evaluated = knowledge.evaluator.evaluate(read, Base(None, Fraction(0), read.value), "general")
    return [(row.heading, row.duty) for row in evaluated.derivation().rows if row.program == "s338-canada"]


def banned(knowledge: Knowledge, goods: dict[str, Any]) -> bool:
    """Whether the goods may not enter."""
    read = knowledge.read(goods)
    evaluated = knowledge.evaluator.evaluate(read, Base(None, Fraction(0), read.value), "general")
    return bool(evaluated.derivation().prohibited)


def test_the_days_are_those_of_the_proclamations() -> None:
    words = printed.text("canada_proclamations.txt")
    parts = {part[:5]: part for part in re.split(r"## Proclamation ", words) if part}
    for ban in ("11061", "11062", "11063"):
        assert printed.days(parts[ban])[0] == BAN
        assert "imported, but not yet entered for consumption" in parts[ban]
    for scope in ("11064", "11065"):
        assert SCOPE in printed.days(parts[scope])
        assert "in addition to duties imposed pursuant to section 232" in parts[scope]
    for heading in HEADINGS:
        row = next(one for one in actions.rows() if one["heading"] == heading)
        assert actions.percent(row["general"]) == actions.percent(row["special"]) == Fraction(1, 2)
        assert row["column_2"] == "No change"


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_row_of_a_list_pays_half_its_value(heading: str, knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    """Once collected; of Canada alone; a number that pays section 232 only from the day on which that relief ended, and dairy never."""
    mine = [row for row in rows("s338_canada_list") if row["heading"] == heading]
    for place, row in enumerate(mine):
        if row["withdrawn_by"]:  # the same number again, as it was known before the change of scope
            continue
        hts = row["hts"].ljust(10, "0")
        first = max(BEGIN, date.fromisoformat(row["from"])) if row.get("from") else BEGIN
        last = min(BAN, date.fromisoformat(row["until"])) - DAY if row.get("until") else BAN - DAY
        for day in {first, last}:
            found = filed(knowledge, line(hts, day))
            assert found in ([(heading, 50000)], [("9903.03.15", 0)]), f"{hts} on {day}: {found}"
            if found == [("9903.03.15", 0)]:
                assert day < SCOPE or heading == "9903.03.13", f"{hts} on {day}"
        assert filed(knowledge, line(hts, first, "MX")) == []
        assert filed(knowledge, line(hts, BEGIN - DAY)) == []
        if place % 25 == 0:
            read = naive.read(line(hts, last))
            slow = NaiveEvaluation(naive.book, read, Base(None, Fraction(0), read.value), "general", naive.law.known_on, naive.parts).run()
            assert [(one.heading, one.duty) for one in slow.rows if one.program == "s338-canada"] == found, hts


def test_the_lists_have_as_many_numbers_as_the_note(book: Book) -> None:
    counts = [int(found) for found in re.findall(r"\[list of (\d+) numbers", actions.note("canada"))]
    assert counts == [63, 52, 439]
    for heading, count in zip(HEADINGS, counts, strict=True):
        table = book.tables["s338_canada_list"].rows
        first = {row.hts for row in table if row["heading"] == heading and row.from_ <= BEGIN < row.until}
        assert len(first) == count, heading


def test_three_days_were_announced_and_never_collected(prober: Prober, knowledge: Knowledge) -> None:
    for day in (ANNOUNCED, BEGIN - DAY):
        assert filed(knowledge, line(BEER, day)) == []
        assert filed(prober.at(SUSPENDED - DAY), line(BEER, day)) == [("9903.03.12", 50000)]
        assert filed(prober.at(SUSPENDED), line(BEER, day)) == []
    for known_on in (SUSPENDED - DAY, SUSPENDED, LAPSED, BEGIN):
        assert filed(prober.at(known_on), line(BEER, BEGIN)) == [("9903.03.12", 50000)], known_on
    assert filed(prober.at(date(2026, 7, 19)), line(BEER, BEGIN)) == []


def test_the_usmca_does_not_relieve(knowledge: Knowledge) -> None:
    assert filed(knowledge, line(BEER, BEGIN, usmca_qualifying=True)) == [("9903.03.12", 50000)]


SECTION_232 = ("8703230190", "8708295160", "7604291010", "8704225120")


def test_section_232_relieved_until_the_scope_was_changed(knowledge: Knowledge, prober: Prober) -> None:
    """From 15 September the 50% add to the duties of section 232 for the motor-vehicle and alcohol lists; dairy keeps its relief."""
    mine = [row for row in rows("s338_canada_list") if row["heading"] in {"9903.03.12", "9903.03.14"}]
    lists = {row["hts"] for row in mine} - {row["hts"] for row in mine if row["until"]}
    seen = 0
    for code in sorted(lists):
        hts = code.ljust(10, "0")
        before = filed(knowledge, line(hts, SCOPE - DAY))
        if before != [("9903.03.15", 0)]:
            continue
        after = filed(knowledge, line(hts, SCOPE))
        assert after in ([("9903.03.12", 50000)], [("9903.03.14", 50000)]), f"{hts}: {after}"
        assert filed(prober.at(date(2026, 9, 7)), line(hts, SCOPE)) == [("9903.03.15", 0)]
        seen += 1
    assert seen > 0


def test_civil_aircraft_articles_are_outside_and_unmanned_ones_are_not(knowledge: Knowledge) -> None:
    listed = {row["hts"] for row in rows("civil_aircraft_35b")}
    both = sorted(row["hts"] for row in rows("s338_canada_list") if row["hts"] in listed)
    assert both
    for code in both:
        goods = line(code.ljust(10, "0"), BAN - DAY, civil_aircraft_gn6=True, unmanned_aircraft=False)
        assert filed(knowledge, goods) == [("9903.03.16", 0)], code
        assert filed(knowledge, {**goods, "unmanned_aircraft": True}) != [("9903.03.16", 0)], code


def test_every_banned_number_is_an_answer_of_its_own_and_no_duty_of_zero(knowledge: Knowledge, prober: Prober) -> None:
    for row in rows("s338_bans"):
        hts = row["hts"].ljust(10, "0")
        partial = row.get("partial") == "yes"
        assert not banned(knowledge, line(hts, BAN - DAY))
        assert banned(knowledge, line(hts, BAN)), hts
        assert not banned(knowledge, line(hts, BAN, "MX"))
        assert not banned(knowledge, line(hts, BAN, imported_before_ban=True))
        assert banned(knowledge, line(hts, BAN, bulk=True)) != partial
        assert not banned(prober.at(date(2026, 9, 7)), line(hts, BAN))
        for fact in ("imported_before_ban", "bulk") if partial else ("imported_before_ban",):
            assert [duty for _, duty in filed(knowledge, {**line(hts, BAN), fact: True})] == [50000], f"{hts} {fact}"


def test_a_prohibition_has_no_duty_in_the_answer(knowledge: Knowledge) -> None:
    number = next(row["hts"] for row in rows("s338_bans") if len(row["hts"]) == 10 or row["hts"].startswith("2203"))
    answer = knowledge.answer(knowledge.read(line(number.ljust(10, "0"), BAN, quantity={"liter": 10})), "x", "summary")
    assert answer["prohibited"] is True
    bans = [row for row in answer["headings"] if row["kind"] == "prohibited"]
    assert bans
    assert all(row["program"] == "s338-canada" for row in bans)
    assert not [row for row in answer["headings"] if row["heading"] in HEADINGS]
