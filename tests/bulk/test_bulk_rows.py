"""Every row of bulk work says what single assessment says."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest

from tariff_engine.bulk import SUMMARY_SCHEMA, BulkAssessor
from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry, assess_row
from tariff_engine.problems import ProblemError
from tariff_engine.testing import random_line, space
from tariff_service.rulebook import open_engine


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return open_engine(None).at()


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    names = dict.fromkeys(name for row in rows for name in row)
    text = [{name: None if row.get(name) is None else str(row[name]) for name in names} for row in rows]
    return pa.RecordBatch.from_pylist(text, pa.schema([(name, pa.string()) for name in names]))


LINE = {"hts": "7318.15.20.10", "origin": "CN", "entry_date": "2025-08-15", "value": "10000", "mode": "ocean"}


def test_a_row_says_what_single_assessment_says(known: Knowledge) -> None:
    done = BulkAssessor(known).assess(batch_of([{"id": "a", **LINE}]))
    (row,) = done.summary.to_pylist()
    answer = assess_row(known, LINE, "none")
    assert (row["id"], str(row["duty"]), str(row["mpf"])) == ("a", answer["duty"], answer["fees"]["mpf"])
    assert row["headings"] == [heading["heading"] for heading in answer["headings"]]
    assert [str(one["duty"]) for one in done.long.to_pylist()] == [heading["duty"] for heading in answer["headings"]]


def test_a_row_that_cannot_be_read_is_kept_with_the_same_problem(known: Knowledge) -> None:
    wrong = {**LINE, "origin": "Atlantis"}
    with pytest.raises(ProblemError) as raised:
        assess_row(known, wrong)
    done = BulkAssessor(known).assess(batch_of([LINE, wrong, LINE]))
    (row,) = done.rejected.to_pylist()
    assert (row["row"], row["code"], row["message"]) == (2, raised.value.problem.code, raised.value.problem.message)
    assert done.summary.column("row").to_pylist() == [1, 3]


def test_the_fees_of_an_entry_stand_on_its_first_line_though_batches_cut_it(known: Knowledge) -> None:
    rows = [{"entry_number": "E1", **LINE}, {"entry_number": "E1", **LINE, "origin": "VN"}, {"entry_number": "E2", **LINE}]
    assessor = BulkAssessor(known)
    parts = [assessor.assess(batch_of([row])).summary for row in rows] + [assessor.finish().summary]
    found = pa.Table.from_batches(parts, SUMMARY_SCHEMA).to_pylist()
    entry = assess_entry(known, {"lines": [{k: v for k, v in row.items() if k != "entry_number"} for row in rows[:2]]}, "none")
    assert [row["row"] for row in found] == [1, 2, 3]
    assert [str(row["mpf"]) for row in found[:2]] == [entry["fees"]["mpf"], "0.00"]
    assert sum(row["total"] for row in found[:2]) == Decimal(entry["totals"]["total"])


def test_what_stands_around_an_entry_with_a_rejected_line_is_not_known_and_not_zero(known: Knowledge) -> None:
    rows = [{"entry_number": "E1", **LINE}, {"entry_number": "E1", **LINE, "hts": "0000.00.00.00"}]
    assessor = BulkAssessor(known)
    done = [assessor.assess(batch_of(rows)), assessor.finish()]
    (row,) = [row for part in done for row in part.summary.to_pylist()]
    assert sum(part.rejected.num_rows for part in done) == 1
    assert row["duty"] is not None
    assert [row[name] for name in ("mpf", "hmf", "postal_duty", "total")] == [None] * 4


def test_columns_of_binary_floats_are_refused(known: Knowledge) -> None:
    batch = pa.RecordBatch.from_pylist([{**LINE, "value": 10000.5}])
    with pytest.raises(ProblemError, match="binary floats"):
        BulkAssessor(known).assess(batch)


def test_lines_by_chance_come_out_as_single_ones_do(known: Knowledge) -> None:
    rng, where = random.Random(11), space(known)
    rows: list[dict[str, Any]] = []
    while len(rows) < 150:
        line = random_line(where, rng)
        if all(isinstance(value, str | int | Decimal | bool) or hasattr(value, "isoformat") for value in line.values()):
            rows.append({k: (str(v).lower() if isinstance(v, bool) else str(v)) for k, v in line.items()})
    done = BulkAssessor(known).assess(batch_of(rows))
    assert done.summary.num_rows + done.rejected.num_rows == len(rows)
    by_row = {row["row"]: row for row in done.summary.to_pylist()}
    for number, raw in enumerate(rows, start=1):
        try:
            answer = assess_row(known, raw, "none")
        except ProblemError:
            assert number not in by_row
            continue
        found = by_row[number]
        assert (str(found["duty"]) if found["duty"] is not None else None, str(found["low"])) == (answer["duty"], answer["range"]["low"])
