"""durable-rules is an extra: where it is not there the command says so and how to install it, and where it is required that is an error."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import pytest
from tests.durable.conftest import ABSENT, REQUIRED

from tariff_engine.durable import worker
from tariff_engine.problems import ProblemError


def test_the_second_engine_is_there_where_it_is_required() -> None:
    assert not (REQUIRED and ABSENT), f"TARIFF_REQUIRE_DURABLE={os.environ['TARIFF_REQUIRE_DURABLE']}, and {ABSENT}: {worker.INSTALL}"


def test_without_it_the_problem_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def blind(name: str, *more: Any) -> Any:
        return None if name.startswith("durable") else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", blind)
    with pytest.raises(ProblemError) as caught:
        worker.require()
    problem = caught.value.problem
    assert (problem.code, problem.field) == ("durable_missing", "--engine")
    assert "pip install 'tariff-engine[durable]'" in problem.fix
    assert "-DPyEval_CallObject=PyObject_CallObject" in problem.fix
