"""The invariants of the kit, held against a server over HTTP."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tariff_engine.testing import (
    ASKING,
    Rulebook,
    a_refusal_says_what_to_mend,
    boundary_lines,
    check_entry,
    check_line,
    entries,
    every_program_has_one_verdict,
)

RULEBOOK = Rulebook.installed()  # the law that lines are drawn from
EXAMPLES = int(os.environ.get("DOWNSTREAM_EXAMPLES", "15"))
FEW = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def test_a_line_at_a_boundary_keeps_every_invariant(server: Any) -> None:
    @FEW
    @given(line=boundary_lines())
    def holds(line: dict[str, Any]) -> None:
        answer = server.ask(line)
        if "problem" in answer:
            a_refusal_says_what_to_mend(line, answer["problem"])
        else:
            check_line(line, answer)
            every_program_has_one_verdict(line, answer, RULEBOOK.programs)

    holds()


@pytest.mark.parametrize("program", ["ieepa-canada", "s232-wood"])
def test_a_program_that_matters_to_us_keeps_them(program: str, server: Any) -> None:
    @FEW
    @given(line=boundary_lines(program=program))
    def holds(line: dict[str, Any]) -> None:
        answer = server.ask(line)
        if "problem" not in answer:
            check_line(line, answer)

    holds()


@pytest.mark.parametrize("invariant", ASKING, ids=[invariant.__name__ for invariant in ASKING])
def test_two_answers_agree(invariant: Any, server: Any) -> None:
    @settings(FEW, max_examples=max(1, EXAMPLES // 5))
    @given(line=boundary_lines())
    def holds(line: dict[str, Any]) -> None:
        invariant(server.ask, line)

    holds()


def test_an_entry_sums_its_lines(server: Any) -> None:
    @FEW
    @given(entry=entries())
    def holds(entry: dict[str, Any]) -> None:
        answer = server.entry(entry)
        if "problem" in answer:
            a_refusal_says_what_to_mend(entry, answer["problem"])
        else:
            check_entry(entry, answer)

    holds()
