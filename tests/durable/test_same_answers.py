"""durable-rules decides the same law the same way: every case, and lines drawn where the law changes its mind."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from tests.law.case_files import Case, read_cases

from tariff_engine.agreement import compare_decided
from tariff_engine.base import line_base
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.durable.knowledge import DurableKnowledge
from tariff_engine.durable.worker import Worker
from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row, problem_of
from tariff_engine.notation.load import load_book
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, hostile_lines, random_line
from tariff_rules import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tariff_engine.engine import Engine

LINES = int(os.environ.get("TARIFF_DURABLE_LINES", "1000"))
CHUNKS = 8
CASES = read_cases()
FILES = sorted({case.file for case in CASES})


def difference(known: Knowledge, worker: Worker, facts: Mapping[str, Any]) -> str:
    """Return on what durable-rules differs from the compiled engine; nothing where they agree, also on a conflict of law."""
    try:
        line = known.read(facts)
        base = line_base(known.law, line)
    except ProblemError:
        return ""  # read before any engine is asked
    evaluated = decided = None
    conflicts = []
    try:
        evaluated = known.evaluator.evaluate(line, base.base, base.column)
    except LawConflictError as error:
        conflicts.append(str(error))
    try:
        decided = worker.decide(line, base.base, base.column, known.law.known_on)
    except LawConflictError as error:
        conflicts.append(str(error))
    if evaluated is None or decided is None:
        return "" if len(conflicts) == 2 and len(set(conflicts)) == 1 else f"{facts}: only one meets a conflict: {conflicts}"
    outcomes = Outcomes(evaluated, known.evaluator.situations)
    mine = [outcome for program in known.law.compiled.programs for outcome in outcomes.of_program(program.index)]
    found = compare_decided(evaluated.derivation(), mine, decided)
    return f"{facts}: {found}" if found else ""


@pytest.mark.parametrize("file", FILES)
def test_both_engines_decide_every_case_alike(file: str, engine: Engine, worker: Worker) -> None:
    cases = [case for case in CASES if case.file == file]
    found = [f"{case.id}: {told}" for case in cases if (told := difference(engine.at(case.known_on), worker, case.facts))]
    assert found == []


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_both_engines_decide_generated_lines_alike(seed: int, engine: Engine, worker: Worker, where: Space) -> None:
    rng = random.Random(f"durable {seed}")
    for _ in range(LINES // CHUNKS):
        found = difference(engine.at(), worker, random_line(where, rng))
        assert not found, found


@pytest.mark.parametrize("part", range(2))
def test_both_engines_decide_alike_whatever_was_known(part: int, engine: Engine, worker: Worker, where: Space) -> None:
    """Knowledge time: steps, rows, exceptions and relations that nobody knew yet, or that were not called off yet."""
    rng = random.Random(f"known {part}")
    days = sorted({case.known_on for case in CASES if case.known_on})
    known = engine.at(rng.choice(days))
    for _ in range(25):
        found = difference(known, worker, random_line(where, rng))
        assert not found, found


def test_the_whole_answer_is_the_same_down_to_questions_and_explanation(engine: Engine, worker: Worker) -> None:
    known = engine.at()
    durable = DurableKnowledge(known.law, worker)
    chosen: list[Case] = [case for case in CASES if case.known_on is None][::25]
    for case in chosen:
        assert answer(durable, case.facts) == answer(known, case.facts), case.id


def test_a_law_that_is_changed_by_one_day_is_noticed(engine: Engine, tmp_path: Path) -> None:
    """durable-rules reads the rule files for itself: an exemption that begins a day later there makes the engines differ on that day."""
    changed = tmp_path / "rules"
    shutil.copytree(str(ROOT), changed)
    file = changed / "programs" / "ieepa" / "canada.yaml"
    text = file.read_text(encoding="utf-8")
    assert "2025-03-07" in text
    file.write_text(text.replace("2025-03-07", "2025-03-08"), encoding="utf-8")
    line = {"hts": "6403996015", "origin": "CA", "value": 10000, "mode": "truck", "usmca_qualifying": True}
    with Worker(changed, load_book(changed).id) as other:
        assert not difference(engine.at(), other, {**line, "entry_date": "2025-03-06"})
        assert "headings" in difference(engine.at(), other, {**line, "entry_date": "2025-03-07"})


@pytest.mark.parametrize("kit", [True, False, None])
def test_both_engines_set_off_what_commerce_allotted_alike(kit: bool | None, engine: Engine, worker: Worker) -> None:
    line = {
        "hts": "8708305020",
        "origin": "BR",
        "entry_date": "2025-11-10",
        "value": 10000,
        "is_auto_part": True,
        "import_adjustment_offset": 100,
    }
    assert difference(engine.at(), worker, line if kit is None else {**line, "knock_down_kit": kit}) == ""


BAD = [
    {},
    {"hts": "8703230190", "origin": "CA", "entry_date": "2025-03-05"},
    {"hts": "87", "origin": "CA", "entry_date": "2025-03-05", "value": 1},
    {"hts": "9999999999", "origin": "CA", "entry_date": "2025-03-05", "value": 1},
    {"hts": "8703230190", "origin": "Canada", "entry_date": "2025-02-30", "value": -1},
    {"hts": "8703230190", "origin": "CA", "entry_date": "1999-01-01", "value": 1},
    {"hts": "8703230190", "origin": "CA", "entry_date": "2025-03-05", "value": 1.5},
    {"hts": "8703230190", "origin": "CA", "entry_date": "2025-03-05", "value": 1, "steel_content_value": 2},
    {"hts": "8703230190", "origin": "CA", "entry_date": "2025-03-05", "value": 1, "no_such_fact": True},
    {"hts": "8703230190", "origin": "CA", "entry_date": "2025-03-05", "value": 1, "usmca_qualifying": "yes"},
    {"hts": "8703230190", "origin": "CA", "entry_date": "2025-03-05", "value": 1, "spi": "??"},
]


@pytest.mark.parametrize("facts", BAD, ids=range(len(BAD)))
def test_a_bad_line_meets_the_same_problem(facts: dict[str, Any], engine: Engine, worker: Worker) -> None:
    known = engine.at()
    told = answer(known, facts)
    assert "code" in told or facts.get("spi") == "??"
    assert answer(DurableKnowledge(known.law, worker), facts) == told


@given(line=hostile_lines())
def test_hostile_and_unknown_facts_meet_the_same_problem(line: dict[Any, Any], engine: Engine, worker: Worker) -> None:
    known = engine.at()
    assert answer(DurableKnowledge(known.law, worker), line) == answer(known, line)


def answer(known: Knowledge, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer on a line, or the problem that it meets."""
    try:
        return assess_row(known, dict(facts))
    except (ProblemError, LawConflictError) as error:
        return problem_of(error).as_dict()
