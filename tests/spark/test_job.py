"""What an executor runs, in this process: by the bytes that it was sent, by the engine of the driver, and without what another task left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest

from tariff_engine.bulk import SUMMARY_SCHEMA, BulkAssessor
from tariff_engine.notation.load import load_book
from tariff_engine.packed import archive
from tariff_engine.problems import ProblemError
from tariff_engine.spark import assess, missing
from tariff_engine.spark.job import Task, engine_code, engine_of, read_book, run
from tariff_rules import ROOT

LINE = {"hts": "7318.15.20.10", "origin": "CN", "entry_date": "2025-08-15", "value": "10000", "mode": "ocean"}


@pytest.fixture(scope="module")
def rules() -> bytes:
    return archive(ROOT)


@pytest.fixture(scope="module")
def task() -> Task:
    return Task(load_book(ROOT).id, engine_code(), None, "summary", ranges=True, schema=SUMMARY_SCHEMA.remove(0))


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{**LINE, **row} for row in rows])


def answers(task: Task, rules: bytes, *batches: pa.RecordBatch) -> list[dict[str, Any]]:
    return [row for found in run(task, lambda: rules, iter(batches)) for row in found.to_pylist()]


def test_the_law_is_built_from_the_bytes_once_for_all_partitions(task: Task, rules: bytes) -> None:
    sent = list[int]()

    def send() -> bytes:
        sent.append(1)
        return rules

    fresh = replace(task, known_on=date(2026, 1, 2))
    first, second = ([row for found in run(fresh, send, iter([batch({"id": "a"})])) for row in found.to_pylist()] for _ in range(2))
    assert first == second
    assert sent == [1]
    book, root = read_book(rules)
    alone = BulkAssessor(engine_of(book, root).at(date(2026, 1, 2))).reader([batch({"id": "a"})]).read_all().drop_columns(["row"])
    assert first == alone.to_pylist()


def test_a_partition_without_lines_has_no_answers_and_builds_no_law(task: Task) -> None:
    def never() -> bytes:
        raise AssertionError

    assert list(run(replace(task, rulebook="none"), never, iter([]))) == []


def test_another_rulebook_than_the_drivers_is_refused(task: Task, rules: bytes) -> None:
    with pytest.raises(ProblemError) as raised:
        answers(replace(task, rulebook="sha256:another"), rules, batch({"id": "a"}))
    assert raised.value.problem.code == "rulebook_differs"
    assert load_book(ROOT).id in str(raised.value)


def test_another_engine_than_the_drivers_is_refused(task: Task, rules: bytes) -> None:
    with pytest.raises(ProblemError) as raised:
        answers(replace(task, engine="tariff-engine 0.0.1"), rules, batch({"id": "a"}))
    assert raised.value.problem.code == "engine_differs"
    assert engine_code() in str(raised.value)


def test_lines_that_a_broken_off_task_held_back_are_not_in_the_next_one(task: Task, rules: bytes) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield batch({"id": "a", "entry_number": "E1"})
        message = "the executor lost its input"
        raise OSError(message)

    with pytest.raises(OSError, match="lost its input"):
        list(run(task, lambda: rules, broken()))
    assert [row["id"] for row in answers(task, rules, batch({"id": "b", "entry_number": "E2"}))] == ["b"]


def test_without_the_extra_the_engine_is_imported_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; sys.modules['pyspark'] = None; import tariff_engine.spark, tariff_engine.spark.job; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pyspark" else object())
    assert missing() == "pyspark is not installed"
    nothing: Any = None
    with pytest.raises(ProblemError) as raised:
        assess(nothing)
    assert raised.value.problem.code == "spark_missing"
    assert "tariff-engine[spark]" in raised.value.problem.fix
