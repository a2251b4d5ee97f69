"""Every collected case, on both evaluators: what its source states is what we answer, or the departure is written down by name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.case_files import Case, differences, read_cases, read_table
from tests.law.naive_knowledge import NaiveKnowledge

from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import assess_row
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from tariff_engine.law import Law

CASES = sorted(read_cases(), key=lambda case: str(case.known_on or ""))  # a law as known on a day is made once, and not kept for all days
DISPUTES = {row["case"]: row for row in read_table("disputes.yaml")}
NOT_COVERED = read_table("not_covered.yaml")


def departures(knowledge: Knowledge, case: Case) -> list[str]:
    """Return where our answer departs from a case; a refusal is one departure."""
    try:
        return differences(case, assess_row(knowledge, dict(case.facts), "none"))
    except ProblemError as error:
        return [f"refused: {error.problem.code} {error.problem.field}"]


def expected(case: Case) -> list[str]:
    """Return the departures that were decided on: none but for a disputed case."""
    return DISPUTES[case.id]["answers"] if case.id in DISPUTES else []


@lru_cache(maxsize=2)
def by_definition(law: Law, naive: NaiveKnowledge) -> NaiveKnowledge:
    """Return the naive evaluator of a law, which neighbouring cases share: it remembers no line."""
    return NaiveKnowledge(law, naive.book, naive.parts)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_answer_is_what_the_source_of_the_case_states(case: Case, engine: Engine, naive: NaiveKnowledge) -> None:
    knowledge = engine.at(case.known_on)
    assert departures(knowledge, case) == expected(case), case.says
    assert departures(by_definition(knowledge.law, naive), case) == expected(case), "the naive evaluator"


def test_every_collected_case_is_covered_or_left_out_with_a_reason() -> None:
    left_out = [name for reason in NOT_COVERED["reasons"] for name in reason["cases"]]
    covered = [case.id for case in CASES if not case.own]
    assert len({case.id for case in CASES}) == len(CASES)
    assert not set(left_out) & set(covered)
    assert len(set(left_out)) == len(left_out)
    assert len(covered) + len(left_out) == NOT_COVERED["total"]


@pytest.mark.parametrize("row", DISPUTES.values(), ids=list(DISPUTES))
def test_a_disputed_case_exists_and_quotes_little_text_with_its_place(row: dict[str, Any]) -> None:
    assert row["case"] in {case.id for case in CASES}
    assert row["kind"] in {"gap", "law", "refusal"}
    assert row["answers"], "a case that agrees is not disputed"
    assert len(row["text"].split()) <= 25
    assert row["where"]
    assert row["decision"]


def test_the_cases_reach_every_program_of_the_book(knowledge: Knowledge) -> None:
    reached: set[str] = set()
    for case in CASES:
        try:
            reached |= {row["program"] for row in assess_row(knowledge, dict(case.facts), "none")["headings"]}
        except ProblemError:
            continue
    provisions = knowledge.law.compiled.provisions
    charging = {
        program.name
        for program in knowledge.law.compiled.programs
        if any(effect.kind != "authorized" for place in program.provisions for effect in provisions[place].effects)
    }
    assert charging <= reached
