"""What the benchmark of peers gives to other engines is the first step of what this one does."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.evaluate.derivation import Verdict
from tariff_engine.testing import Rulebook

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "bulk" / "peers"
STANDS = {Verdict.APPLIES, Verdict.DISPLACED}
OUT_OF_FORCE = {Verdict.NOT_IN_FORCE, Verdict.NEVER}


@pytest.fixture
def matching(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    found = import_module("matching")
    monkeypatch.delitem(sys.modules, "matching")
    return found


def test_lists_that_a_peer_reads_say_what_it_is_told_otherwise(matching: Any) -> None:
    known, rules, listed = Rulebook.installed().knowledge, matching.Matching(Rulebook.installed().book), 0
    for raw in matching.lines(known, 40, seed=6):
        line = known.read(raw)
        told, day = rules.told(known, line), line.day.toordinal()
        for name, spans in rules.lists().items():
            found = any(span.has(line.hts, day) for span in spans)
            assert told[name] == found, (name, line.hts)
            listed += found
    assert listed > 40


def test_conditions_hold_for_every_provision_that_stands_and_for_none_out_of_force(matching: Any) -> None:
    known, rules, stood = Rulebook.installed().knowledge, matching.Matching(Rulebook.installed().book), 0
    for raw in matching.lines(known, 60, seed=5):
        line = known.read(raw)
        evaluated, _ = known.evaluate(line)
        met = {rules.rules[number].about for number in rules.expected(rules.told(known, line))}
        outcomes = Outcomes(evaluated, known.evaluator.situations)
        found = [one for program in known.law.compiled.programs for one in outcomes.of_program(program.index)]
        assert {one.id for one in found if one.verdict in STANDS} <= met
        assert not {one.id for one in found if one.verdict in OUT_OF_FORCE} & met
        stood += sum(one.verdict in STANDS for one in found)
    assert stood > 60
