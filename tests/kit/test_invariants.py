"""The published invariants hold for every line that the kit draws: at large, at the boundaries of every program, and in knowledge time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tariff_engine.testing import (
    ASKING,
    Rulebook,
    a_claim_never_raises_the_duty,
    a_refusal_says_what_to_mend,
    before_publication_nobody_knew,
    boundary_lines,
    check_entry,
    check_line,
    entries,
    every_program_has_one_verdict,
    known_lines,
    lines,
    more_value_is_never_less_duty,
    nothing_was_announced_later,
)

RULEBOOK = Rulebook.installed()


def aimed(share: int = 1) -> settings:
    """Settings for lines that are searched for, with a share of the usual number of them."""
    most = max(1, settings().max_examples // share)
    return settings(max_examples=most, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def held(line: dict[str, Any]) -> None:
    """Hold the invariants of one answer, or of a refusal."""
    answer = RULEBOOK.ask(line)
    if "problem" in answer:
        a_refusal_says_what_to_mend(line, answer["problem"])
    else:
        check_line(line, answer)
        every_program_has_one_verdict(line, answer, RULEBOOK.programs)


@given(line=lines())
@aimed(2)
def test_every_line_of_the_schedule_keeps_them(line: dict[str, Any]) -> None:
    held(line)


@given(line=boundary_lines())
@aimed(2)
def test_every_line_at_a_boundary_keeps_them(line: dict[str, Any]) -> None:
    held(line)


@pytest.mark.parametrize("program", RULEBOOK.programs)
def test_the_lines_at_the_boundaries_of_each_program_keep_them(program: str) -> None:
    @given(line=boundary_lines(program=program))
    @aimed(20)
    def holds(line: dict[str, Any]) -> None:
        held(line)

    holds()


@pytest.mark.parametrize("invariant", ASKING, ids=lambda invariant: invariant.__name__)
def test_two_answers_agree_as_published(invariant: Any) -> None:
    @given(line=boundary_lines())
    @aimed(20 if invariant is before_publication_nobody_knew else 5)
    def holds(line: dict[str, Any]) -> None:
        invariant(RULEBOOK.ask, line)

    holds()


@given(line=boundary_lines())
@aimed(2)
def test_more_value_is_never_less_duty(line: dict[str, Any]) -> None:
    more_value_is_never_less_duty(RULEBOOK.ask, line, RULEBOOK.dollars)


@given(line=lines())
@aimed(2)
def test_a_claim_never_raises_the_duty(line: dict[str, Any]) -> None:
    a_claim_never_raises_the_duty(RULEBOOK.ask, line, RULEBOOK.claims)


@given(pair=known_lines())
@aimed(15)
def test_as_of_a_day_nothing_rests_on_a_later_act(pair: tuple[dict[str, Any], str]) -> None:
    line, known_on = pair
    answer = RULEBOOK.ask(line, known_on=known_on)
    if "problem" not in answer:
        check_line(line, answer)
        nothing_was_announced_later(line, answer, known_on)


@given(entry=entries())
@aimed(2)
def test_entries_sum_their_lines(entry: dict[str, Any]) -> None:
    from tariff_engine.entry import assess_entry  # noqa: PLC0415
    from tariff_engine.problems import ProblemError  # noqa: PLC0415

    try:
        answer = assess_entry(RULEBOOK.knowledge, entry)
    except ProblemError as error:
        a_refusal_says_what_to_mend(entry, error.problem.as_dict())
        return
    check_entry(entry, answer)
