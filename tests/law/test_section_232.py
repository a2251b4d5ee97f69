"""What answers on section 232 tell beside the duty: doubts in words, questions that name headings, findings without a duty, unknown contents."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.rulebook import the_book

from tariff_engine.notation.conditions import When
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tariff_engine.book import Book
    from tariff_engine.engine import Engine, Knowledge

SHOES = {"hts": "6403996000", "origin": "ES", "value": 10000}
# facts that other actions ask for too, or that lower a base: their questions name no heading of section 232
SHARED = {"usmca_qualifying", "us_content_value", "ftz_pf_admission_date", "s232_product_exclusion_open"}


def told(knowledge: Knowledge, **line: Any) -> dict[str, Any]:
    """Return the answer on a line of ten thousand dollars, with every verdict."""
    return knowledge.answer(knowledge.read({"value": 10000, **line}), "1", "full")


# ---------------------------------------------------------------- findings without a duty
@pytest.mark.parametrize(
    ("program", "act", "before", "first", "after"),
    [
        ("s232-autos-2019", "proc-9888", "2019-05-16", "2019-05-17", "2025-04-03"),
        ("s232-critical-minerals", "proc-11001", "2026-01-13", "2026-01-14", None),
        ("s232-semiconductors-broad", "proc-11002", "2026-01-13", "2026-01-14", None),
        ("s232-commercial-aircraft", "proc-2026-07-09", "2026-07-08", "2026-07-09", None),
    ],
)
def test_a_finding_that_ordered_no_duty_is_told_as_never_imposed(
    engine: Engine, program: str, act: str, before: str, first: str, after: str | None
) -> None:
    def verdict(day: str) -> dict[str, Any]:
        answer = told(engine.at(), **{**SHOES, "entry_date": day})
        return next(found for found in answer["programs"] if found["program"] == program)

    assert verdict(first)["verdict"] == "never_imposed"
    assert verdict(first)["instruments"] == (act,)
    for day in filter(None, (before, after)):
        assert verdict(day)["verdict"] == "not_in_force"


# ---------------------------------------------------------------- doubts
def test_the_doubt_of_a_provision_stands_beside_its_heading_its_verdict_and_in_a_warning(knowledge: Knowledge) -> None:
    answer = told(knowledge, hts="8806220000", origin="DE", entry_date="2026-09-05", uas_allied_components_certified=True)
    heading = next(row for row in answer["headings"] if row["heading"] == "9903.08.24")
    verdict = next(found for found in answer["programs"] if found["program"] == "s232-unmanned-aircraft")
    assert heading["confidence"] == verdict["confidence"] == "medium"
    assert "certification" in heading["doubt"]
    assert verdict["doubt"] == heading["doubt"]
    assert any(heading["doubt"] in warning["message"] for warning in answer["warnings"] if warning["code"] == "confidence_medium")
    assert not {"confidence", "doubt"} & set(answer["headings"][-1])


def test_a_doubtful_order_among_duties_is_told_where_it_takes_a_duty_away(knowledge: Knowledge) -> None:
    line = {"hts": "7326908688", "origin": "CA", "entry_date": "2025-09-10", "steel_content_value": 4000}
    doubts = [warning["message"] for warning in told(knowledge, **line)["warnings"] if warning["code"] == "confidence_medium"]
    assert any("9903.01.10 gives way" in doubt for doubt in doubts)
    doubts = [warning["message"] for warning in told(knowledge, **{**line, "origin": "VN"})["warnings"]]
    assert not any("gives way" in doubt for doubt in doubts)


# ---------------------------------------------------------------- contents
LISTED_TWICE = {"hts": "8708292100", "origin": "VN", "entry_date": "2025-09-10", "is_auto_part": False}


def test_two_contents_that_nobody_stated_each_count_as_the_whole_and_one_that_is_stated_makes_the_other_none(knowledge: Knowledge) -> None:
    assert duties(knowledge) == {"9903.81.89": "5000.00", "9903.85.04": "5000.00"}
    assert duties(knowledge, steel_content_value=4000) == {"9903.81.89": "5000.00"}
    assert duties(knowledge, aluminum_content_value=4000) == {"9903.85.04": "5000.00"}
    assert duties(knowledge, steel_content_value=4000, aluminum_content_value=1000) == {"9903.81.89": "5000.00", "9903.85.04": "5000.00"}
    with pytest.raises(ProblemError):
        duties(knowledge, steel_content_value=9000, aluminum_content_value=2000)


def duties(knowledge: Knowledge, **facts: Any) -> dict[str, str]:
    """Return the metal duties of a stamping that the lists of steel and of aluminum both name."""
    rows = told(knowledge, **LISTED_TWICE, **facts)["headings"]
    return {row["heading"]: row["duty"] for row in rows if row["program"].startswith("s232-") and row["kind"] == "additional"}


# ---------------------------------------------------------------- exclusions
@pytest.mark.parametrize(
    ("line", "owed"),
    [
        ({"hts": "7208510030", "origin": "JP"}, "0.00"),
        ({"hts": "7604293030", "origin": "IN"}, "260.00"),
        ({"hts": "7326908688", "origin": "JP"}, "2790.00"),  # a derivative of 2025: no exclusion was ever granted for it
    ],
)
def test_a_product_exclusion_of_before_goes_on_and_reaches_what_was_covered_before(
    knowledge: Knowledge, line: dict[str, Any], owed: str
) -> None:
    assert told(knowledge, **line, entry_date="2025-03-20", s232_product_exclusion_open=True)["duty"] == owed


def test_the_claim_of_a_product_exclusion_must_be_made(knowledge: Knowledge) -> None:
    answer = told(knowledge, hts="7208510030", origin="JP", entry_date="2025-03-20")
    assert answer["duty"] == "2500.00"
    assert "s232_product_exclusion_open" not in {question["fact"] for question in answer["questions"]}


# ---------------------------------------------------------------- questions
def facts_in(when: When) -> Iterator[str]:
    """Yield the facts that a condition tests."""
    yield from when.facts or {}
    for inner in (*(when.any or ()), *([when.not_] if when.not_ else ())):
        yield from facts_in(inner)


def asked() -> dict[str, set[str]]:
    """Return the facts of section 232 that a filer is asked for, with the headings whose provisions test them."""
    found: dict[str, set[str]] = {}
    for node in the_book().nodes.values():
        if node.program.program.startswith("s232-"):
            for fact in facts_in(node.provision.when):
                found.setdefault(fact, set()).add(node.heading)
    return {fact: headings for fact, headings in found.items() if the_book().facts[fact].ask and fact not in SHARED}


@pytest.mark.parametrize("fact", sorted(asked()))
def test_the_question_of_a_fact_names_a_heading_that_an_answer_leads_to(fact: str, book: Book) -> None:
    question = book.facts[fact].question
    named = {*re.findall(r"9903\.\d\d\.\d\d", question)}
    if any(asked()[fact]):
        assert named & asked()[fact], question
    assert named <= {node.heading for node in book.nodes.values()} | companions(book), question


def companions(book: Book) -> set[str]:
    """Return the headings that file the other part of a split, and those where the base rate reaches a total."""
    steps = [step for node in book.nodes.values() for step in node.provision.steps]
    rows = {row["heading"] for table in book.tables.values() for row in table.rows}
    return {step.companion.heading for step in steps if step.companion} | {step.at_floor for step in steps if step.at_floor} | rows


def test_no_doubt_is_without_words() -> None:
    for node in the_book().nodes.values():
        if node.program.program.startswith("s232-") and node.provision.confidence:
            assert len(node.provision.confidence.because) > 20, node.id
    assert date(2026, 1, 1) < the_book().horizon.until
