"""The mistakes in the engine that the survey leaves out stand in the source as the table says."""

from __future__ import annotations

from tests.mutation.engine_mutants import slips
from tests.mutation.unchanged import UNCHANGED, reason


def test_each_mistake_that_is_said_to_change_no_answer_is_found_once() -> None:
    modules = sorted({module for module, *_ in UNCHANGED})
    found = [slip for module in modules for slip in slips(f"tariff_engine.{module}") if reason(slip)]
    assert len(found) == len(UNCHANGED)
    assert {(slip.module.removeprefix("tariff_engine."), slip.function, slip.what) for slip in found} == {
        (module, function, what) for module, function, _, what in UNCHANGED
    }
