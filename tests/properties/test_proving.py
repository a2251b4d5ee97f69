"""`tariff prove`: the same seed makes the same lines, bad lines are refused alike, and a disagreement is found, made small and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tariff_engine.testing import hostile_lines
from tariff_service import proving
from tariff_service.cli import main
from tariff_service.proving import Answer, Found, Prover, Task, plain_line

TASK = Task(None, None, ("compiled", "naive"), 5)


@pytest.fixture(scope="module")
def prover() -> Prover:
    return Prover(TASK)


def test_lines_follow_from_the_seed_and_the_chunk(prover: Prover) -> None:
    once, again, other = ([plain_line(line) for line in prover.lines(chunk, 20)] for chunk in (3, 3, 4))
    assert once == again
    assert once != other


def test_the_engines_agree_and_refuse_alike(prover: Prover) -> None:
    found = prover.chunk(0, 150)
    assert found.difference == ""
    assert found.refused > 0
    assert (found.lines, found.line) == (150, None)


@given(line=hostile_lines())
def test_hostile_and_unknown_facts_meet_the_same_problem_in_both_evaluators(prover: Prover, line: dict[Any, Any]) -> None:
    """Each reads the line for itself, one by the compiled law and one by the rule files."""
    assert prover.difference(line)[0] == ""


def test_a_disagreement_is_told_with_the_smallest_line(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted defect: one engine charges a cent more where the goods come by air."""
    honest = Prover._naive  # noqa: SLF001  the place where the defect is planted

    def wrong(self: Prover, line: Any, base: Any) -> Answer:
        answer = honest(self, line, base)
        if line.facts.get("mode") == "air" and answer.derivation is not None:
            answer.derivation = replace(answer.derivation, base_duty=(answer.derivation.base_duty or 0) + 1)
        return answer

    monkeypatch.setattr(Prover, "_naive", wrong)
    found = prover.chunk(1, 250)
    assert found.difference.startswith("compiled against naive: base duty: ")
    assert found.line is not None
    assert set(found.line) == {"hts", "origin", "entry_date", "value", "mode"}
    assert found.line["mode"] == "air"


def test_the_command_prints_the_line_and_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def chunks(task: Task, lines: int, jobs: int) -> Iterator[Found]:
        assert (task.engines, task.seed, lines, jobs) == (("compiled", "naive"), 9, 500, 1)
        yield Found(1, 250, 3, 0)
        yield Found(0, 17, 1, 0, {"hts": "0101210010", "value": 1}, "compiled against naive: duty: 1 against 2")

    monkeypatch.setattr(proving, "prove", chunks)
    code = main(["prove", "--lines", "500", "--seed", "9", "--jobs", "1", "--engines", "compiled,naive", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 1
    assert (told["lines"], told["refused"], told["disagreements"], told["seed"]) == (267, 4, 1, 9)
    assert told["line"] == {"hts": "0101210010", "value": 1}
    assert told["difference"] == "compiled against naive: duty: 1 against 2"


def test_the_command_proves_in_processes_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["prove", "--lines", "20", "--seed", "2", "--jobs", "1", "--engines", "naive,compiled", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["engines"], told["lines"], told["disagreements"], told["difference"]) == (["naive", "compiled"], 20, 0, "")


@pytest.mark.parametrize("names", ["compiled", "compiled,fast", ""])
def test_an_engine_that_does_not_exist_or_stands_alone_is_refused(names: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "--engines", names, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problem"]["field"] == "--engines"
