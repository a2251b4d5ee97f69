"""Lines that no honest filer sends come back as typed problems, the same from both evaluators, whatever they are."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import HealthCheck, given, settings
from tests.law.naive_knowledge import NaiveKnowledge

from tariff_engine.entry import assess_row, problem_of
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Rulebook, a_refusal_says_what_to_mend, check_line, hostile_lines

RULEBOOK = Rulebook.installed()
NAIVE = NaiveKnowledge(RULEBOOK.knowledge.law, RULEBOOK.book)
SECONDS = 2.0  # of the processor: far more than a line takes


@given(line=hostile_lines())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_hostile_line_is_refused_with_a_problem_or_answered_in_bounded_time(line: dict[Any, Any]) -> None:
    began = time.process_time()
    answer = RULEBOOK.ask(line)
    assert time.process_time() - began < SECONDS
    if "problem" in answer:
        a_refusal_says_what_to_mend(line, answer["problem"])
        assert len(str(answer["problem"])) < 200_000, "a refusal repeats what was sent"
    else:
        check_line({str(key): value for key, value in line.items()}, answer)


@given(line=hostile_lines())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_evaluators_refuse_a_bad_line_with_the_same_problem(line: dict[Any, Any]) -> None:
    try:
        slow = assess_row(NAIVE, line)
    except (ProblemError, LawConflictError) as error:
        slow = {"problem": problem_of(error).as_dict()}
    fast = RULEBOOK.ask(line)
    if "problem" in slow or "problem" in fast:
        assert fast.get("problem") == slow.get("problem")
    else:
        assert (fast["duty"], fast["base"]) == (slow["duty"], slow["base"])


def test_a_line_of_hundreds_of_wrong_names_is_refused_at_once_and_names_them(rulebook: Rulebook) -> None:
    """Found by the test above: a right name was looked up for each of them, which took seconds."""
    line = {"hts": "9403608093", **{f"fact_{number}_of_mine": 1 for number in range(290)}}
    answer = rulebook.ask(line)
    assert answer["problem"]["code"] == "unknown_fact"
    assert len(answer["problem"]["also"]) >= 290
    assert len({problem["fix"] for problem in answer["problem"]["also"]}) < 30


def test_a_fact_without_a_name_is_refused_with_a_field(rulebook: Rulebook) -> None:
    """Found by the test above: the field of the problem was empty too."""
    for name in ("", "  ", "\x00"):
        problem = rulebook.ask({"hts": "9403608093", "origin": "VN", "entry_date": "2025-11-03", "value": 1, name: 1})["problem"]
        assert problem["code"] == "unknown_fact"
        assert problem["field"]
