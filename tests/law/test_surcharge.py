"""The surcharge of 2026: its days, lists, claims and windows, and what section 232 takes from it, against U.S. note 2(aa)."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from tests.law import actions
from tests.law.naive_knowledge import NaiveKnowledge

from tariff_engine.evaluate.charge import Base
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Knowledge

DAY = timedelta(days=1)
LOADED, ENTERED = actions.windows(actions.article("9903.03.02"))
BEGIN, END, METALS = LOADED, date(2026, 7, 24), date(2026, 4, 6)
VALUE = 1000
DUTY = [("9903.03.01", 10000)]
NOTHING = {"steel_content_value": 0, "aluminum_content_value": 0, "copper_content_value": 0}
SHIRT, TOYS, MACHINE_PART = "6109100012", "9503000073", "8431499095"
CLAIMS: dict[str, dict[str, Any]] = {
    "9903.03.03": {},
    "9903.03.04": {"particular_article_claim": True},
    "9903.03.05": {"civil_aircraft_gn6": True},
}


def line(hts: str, country: str, day: date, **facts: Any) -> dict[str, Any]:
    """Return a line worth 1,000 dollars."""
    return {"hts": hts, "origin": country, "entry_date": day, "value": VALUE, **facts}


def filed(knowledge: Knowledge, goods: dict[str, Any]) -> list[tuple[str, int]]:
    """Return heading and cents of each row of the surcharge."""
    evaluated, _ = knowledge.evaluate(knowledge.read(goods))
    return [(row.heading, row.duty) for row in evaluated.derivation().rows if row.program == "s122"]


def bare(knowledge: Knowledge, goods: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the same on goods of a free base rate, whatever the schedule says of the number."""
    read = knowledge.read(goods)
    evaluated = knowledge.evaluator.evaluate(read, Base(None, Fraction(0), read.value), "general")
    return [(row.heading, row.duty) for row in evaluated.derivation().rows if row.program == "s122"]


def held(heading: str) -> set[str]:
    """Return the numbers of the list under a heading."""
    text = (ROOT / "lists" / "s122_exempt.csv").read_text(encoding="utf-8")
    return {row["hts"] for row in csv.DictReader(text.splitlines()) if row["heading"] == heading}


def test_the_window_and_the_rate_are_those_of_the_heading() -> None:
    assert (date(2026, 2, 24), date(2026, 2, 28)) == (LOADED, ENTERED)
    rate = next(row for row in actions.rows() if row["heading"] == "9903.03.01")
    assert {actions.percent(rate[column]) for column in ("general", "special", "column_2")} == {Fraction(1, 10)}
    assert actions.headings(rate["article"].partition(", articles")[0]) == tuple(f"9903.03.{number:02}" for number in range(2, 12))


@pytest.mark.parametrize(
    ("heading", "begins", "ends", "read"),
    [
        ("9903.03.03", "(ii) As provided", "(iii) As", actions.listed),
        ("9903.03.04", "(iii) As provided", "(iv) As", actions.described),
        ("9903.03.05", "(iv) As provided", "(v) As", actions.listed),
    ],
)
def test_a_list_has_the_numbers_that_the_note_prints(heading: str, begins: str, ends: str, read: Any) -> None:
    assert held(heading) == read(actions.part("surcharge", begins, ends))


@pytest.mark.parametrize("heading", list(CLAIMS))
def test_every_row_relieves_under_its_claim_only(heading: str, book: Book, knowledge: Knowledge) -> None:
    countries = sorted(book.countries)
    free = tuple(held("9903.03.03"))
    for place, hts in enumerate(sorted(held(heading))):
        if hts.startswith("98"):
            continue
        goods = line(hts.ljust(10, "0"), countries[place % len(countries)], date(2026, 4, 1), **NOTHING)
        found = bare(knowledge, {**goods, **CLAIMS[heading]})
        assert found, hts
        assert not any(duty for _, duty in found), f"{hts}: {found}"
        if CLAIMS[heading] and not hts.startswith(free):
            assert heading not in {one for one, _ in bare(knowledge, goods)}, hts


def test_products_of_every_country_pay_ten_percent_from_the_first_day_to_the_last(
    book: Book, knowledge: Knowledge, naive: NaiveKnowledge
) -> None:
    for place, country in enumerate(sorted(book.countries)):
        for day in (BEGIN - DAY, BEGIN, METALS, END - DAY, END):
            wanted = DUTY if BEGIN <= day < END else []
            assert filed(knowledge, line(TOYS, country, day, **NOTHING)) == wanted, f"{country} on {day}"
            if place % 20 == day.day % 20:
                assert filed(naive, line(TOYS, country, day, **NOTHING)) == wanted, f"{country} on {day}, naive"


def test_goods_on_a_vessel_before_the_first_day_are_outside_for_four_days(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for engine in (knowledge, naive):
        for day in (BEGIN, ENTERED - DAY, ENTERED):
            for loaded in (LOADED - DAY, LOADED):
                if loaded > day:
                    continue
                wanted = [("9903.03.02", 0)] if loaded < LOADED and day < ENTERED else DUTY
                assert filed(engine, line(SHIRT, "VN", day, loaded_date=loaded, mode="ocean")) == wanted
                for other in ({"mode": "air"}, {"mode": "rail"}, {"mode": "ocean", "final_mode_differs": True}, {}):
                    assert filed(engine, line(SHIRT, "VN", day, loaded_date=loaded, **other)) == DUTY


AGREEMENTS = (
    ("CA", "usmca_qualifying", "9903.03.07"),
    ("MX", "usmca_qualifying", "9903.03.08"),
    *((country, "cafta_dr_originating", "9903.03.09") for country in ("CR", "DO", "GT", "HN", "NI", "SV")),
)


def test_agreements_relieve_their_countries_alone(book: Book, knowledge: Knowledge) -> None:
    for country in sorted(book.countries):
        for fact in ("usmca_qualifying", "cafta_dr_originating"):
            heading = next((one for code, name, one in AGREEMENTS if code == country and name == fact), "")
            try:
                found = filed(knowledge, line(SHIRT, country, date(2026, 5, 1), **{fact: True}))
            except ProblemError:
                assert not heading
                continue  # a claim that the origin cannot make
            assert found == ([(heading, 0)] if heading else DUTY), f"{country} {fact}"
    assert filed(knowledge, line(TOYS, "GT", date(2026, 5, 1), cafta_dr_originating=True)) == DUTY  # no textile or apparel good


def test_donations_informational_materials_and_baggage(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for engine in (knowledge, naive):
        assert filed(engine, line(TOYS, "VN", BEGIN, donation_relief=True)) == [("9903.03.10", 0)]
        assert filed(engine, line(TOYS, "VN", BEGIN, informational_materials=True)) == [("9903.03.11", 0)]
        assert filed(engine, line(TOYS, "VN", BEGIN, personal_use_accompanied_baggage=True)) == []


def test_before_april_the_metal_alone_is_outside_and_after_it_the_article(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    """A part of a machine with 400 dollars of steel."""
    goods = {"aluminum_content_value": 0, "steel_content_value": 400, "copper_content_value": 0}
    for engine in (knowledge, naive):
        before = filed(engine, line(MACHINE_PART, "VN", METALS - DAY, **goods))
        assert sum(duty for _, duty in before) == 6000
        assert {heading for heading, _ in before} == {"9903.03.01", "9903.03.06"}
    for hts in ("7604291010", "7326908688", "8703230190"):
        for engine in (knowledge, naive):
            for day in (METALS - DAY, METALS):
                assert filed(engine, line(hts, "VN", day)) == [("9903.03.06", 0)], f"{hts} on {day}"


def test_what_section_232_takes_is_what_the_note_lists(knowledge: Knowledge) -> None:
    """Each article that pays a duty of section 232 in May 2026 pays the surcharge only where the note does not list its heading."""
    named = set(actions.headings(" ".join(actions.part("surcharge", "(v) As", "(vi) As").split())))
    seen = set[str]()
    for hts in ("7208510030", "7601103000", "7408116000", "8703230190", "4407110001", "9403409060", "8708295160", "8704225120", SHIRT):
        evaluated, _ = knowledge.evaluate(knowledge.read(line(hts, "VN", date(2026, 5, 4))))
        rows = evaluated.derivation().rows
        listed = {row.heading for row in rows if row.program.startswith("s232") and row.kind != "exemption"} & named
        seen |= listed
        paid = [row.duty for row in rows if row.heading == "9903.03.01"]
        assert bool(listed) != bool(paid and paid[0]), f"{hts}: {listed}, {paid}"
    assert len(seen) >= 4


def test_the_pharmaceutical_duty_came_after_the_surcharge_so_medicine_is_free_by_its_list(knowledge: Knowledge) -> None:
    assert filed(knowledge, line("3004909290", "IN", date(2026, 5, 4))) == [("9903.03.03", 0)]
