"""The newest law, heading by heading as the official text of July to September 2026 prints it, and the end of what was read."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.engine import Engine, Knowledge
from tariff_engine.evaluate.charge import Base

if TYPE_CHECKING:
    from tariff_engine.book import Book

DAY = timedelta(days=1)


def ask(knowledge: Knowledge, hts: str, origin: str, day: date, **facts: Any) -> dict[str, Any]:
    """Return the answer on a line worth 10,000 dollars."""
    return knowledge.answer(knowledge.read({"hts": hts, "origin": origin, "entry_date": day, "value": 10000, **facts}), "x", "summary")


def duties(answer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return heading -> rate and duty of the headings of chapter 99."""
    return {row["heading"]: (row["rate"], row["duty"]) for row in answer["headings"] if row["heading"].startswith("9903")}


def test_the_acts_of_the_summer_are_cited_by_the_federal_register(book: Book) -> None:
    cites = {name: str(act.cite) for name, act in book.instruments.items()}
    assert "91 FR 9339" in cites["proc-11012"]
    assert "91 FR 9437" in cites["eo-14389"]
    assert "91 FR 47318" in cites["fr-note52"]
    assert "91 FR 47717" in cites["fr-note52"]
    assert "91 FR 56538" in cites["fr-91-56538"]
    assert "91 FR 60360" in cites["fr-91-60360"]


def test_more_beef_in_the_quota_bears_no_duty_of_its_own(knowledge: Knowledge) -> None:
    for day in (date(2026, 9, 1), date(2026, 11, 30)):
        found = duties(ask(knowledge, "0201305091", "AU", day, quantity={"kg": 1000}))
        assert not {heading for heading in found if heading.startswith("9903.54")}


def test_the_exclusions_of_pump_parts_moved_to_the_number_of_july(knowledge: Knowledge) -> None:
    """The table of base rates is of an edition before July, so the number is looked at by itself."""
    for day, held in ((date(2026, 7, 1), True), (date(2026, 11, 9), True), (date(2026, 6, 30), False)):
        goods = {"hts": "8413919039", "origin": "CN", "entry_date": day, "value": 10000, "exclusion_claims": ["9903.88.69"]}
        read = knowledge.read(goods)
        evaluated = knowledge.evaluator.evaluate(read, Base(None, Fraction(0), read.value), "general")
        assert ("9903.88.69" in evaluated.headings) == held, day


MEDICINE = {"is_pharma_article": True, "patented_pharma": True}
PHARMA: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("IN", {}, "9903.04.60", "100%"),
    ("JP", {}, "9903.04.62", "15%"),
    ("GB", {}, "9903.04.63", "0%"),
    ("IN", {"pharma_onshoring_plan": True}, "9903.04.64", "20%"),
)


@pytest.mark.parametrize(("origin", "facts", "heading", "rate"), PHARMA)
def test_patented_medicine_pays_under_the_heading_of_its_partner(
    origin: str, facts: dict[str, Any], heading: str, rate: str, knowledge: Knowledge
) -> None:
    for day in (date(2026, 7, 31), date(2026, 9, 28)):
        found = duties(ask(knowledge, "3004909206", origin, day, company_in_annex_iii=True, **MEDICINE, **facts))
        assert found[heading][0] == rate
        assert found.get("9903.05.90", ("", "0.00"))[1] == "0.00"


def test_medicine_of_a_column_2_country_pays_no_addition(knowledge: Knowledge) -> None:
    found = duties(ask(knowledge, "3004909206", "RU", date(2026, 8, 10), company_in_annex_iii=True, **MEDICINE))
    assert found["9903.04.60"][1] == "0.00"


def test_unmanned_aircraft_of_column_2_pay_the_full_rate(knowledge: Knowledge) -> None:
    general = duties(ask(knowledge, "8806220000", "CN", date(2026, 9, 3)))
    column_2 = duties(ask(knowledge, "8806220000", "RU", date(2026, 9, 3)))
    mine = {heading for heading in general if heading.startswith("9903.08.2")}
    assert mine
    assert mine == {heading for heading in column_2 if heading.startswith("9903.08.2")}
    assert {general[heading] for heading in mine} == {column_2[heading] for heading in mine}
    assert "9903.05.31" in general  # the action on 60 economies adds: note 52(f) does not list these headings


def test_quartz_pays_in_column_2_too_and_partners_are_outside(knowledge: Knowledge) -> None:
    for origin in ("VN", "RU", "CN"):
        for within, heading, rate in ((True, "9903.45.30", "25%"), (False, "9903.45.31", "50%")):
            found = duties(ask(knowledge, "6810990020", origin, date(2026, 8, 15), in_quota=within))
            assert found[heading][0] == rate, origin
    for partner in ("KR", "SG", "AU", "IL"):
        assert not duties(ask(knowledge, "6810990020", partner, date(2026, 8, 15))).keys() & {"9903.45.30", "9903.45.31"}
    assert not duties(ask(knowledge, "6810990020", "VN", date(2026, 8, 15) - DAY)).keys() & {"9903.45.30", "9903.45.31"}


BEYOND = (
    ("6109100012", "VN"),
    ("7208510030", "CN"),
    ("2203000060", "CA"),
    ("8703230190", "JP"),
    ("4901990070", "GB"),
    ("0201305091", "KE"),
)


@pytest.mark.parametrize(("hts", "origin"), BEYOND)
def test_an_answer_for_a_day_after_the_last_one_read_says_so(hts: str, origin: str, book: Book, knowledge: Knowledge) -> None:
    last = book.horizon.until
    assert last == date(2026, 9, 28)
    quantity = {"liters": 100, "kg": 1000}
    for day, told in ((last, False), (last + DAY, True), (date(2026, 11, 22), True), (date(2030, 1, 1), True)):
        answer = ask(knowledge, hts, origin, day, quantity=quantity)
        codes = [one["code"] for one in answer["warnings"]]
        assert codes.count("beyond_horizon") == told, f"{hts} of {origin} on {day}"


def test_it_is_said_whatever_is_claimed_asked_or_known(engine: Engine) -> None:
    for known in (engine.at(), engine.at(date(2026, 8, 1)), engine.at(date(2025, 1, 1))):
        for facts in ({}, {"exclusion_claims": ["9903.88.69"]}, {"usmca_qualifying": True}):
            for inquire in (True, False):
                line = known.read({"hts": "6403996015", "origin": "CA", "entry_date": date(2026, 10, 1), "value": 10000, **facts})
                answer = known.answer(line, "x", "none", inquire=inquire)
                assert "beyond_horizon" in [one["code"] for one in answer["warnings"]]
