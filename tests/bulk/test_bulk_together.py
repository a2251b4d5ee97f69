"""Entries of several lines say in bulk what each says when it is assessed by itself."""

from __future__ import annotations

import os
import random
from functools import cache
from itertools import groupby
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.bulk.test_bulk_equality import anywhere, plain_lines, stated_in_full
from tests.profile import many

from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, BulkAssessor
from tariff_engine.bulk.scalar import Rows, Stated, answer_alone, answer_together
from tariff_engine.engine import Knowledge
from tariff_engine.testing import space
from tariff_engine.testing.drawing import Space
from tariff_service.rulebook import open_engine

ENTRIES = int(os.environ.get("TARIFF_BULK_ENTRIES") or many(70, 120))
SCHEMAS = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}


def book(where: Space, rng: random.Random, entries: int) -> list[dict[str, Any]]:
    """Entries of one line and of several, some of whose lines differ in day or mode, or are not plain; lines without an entry number between."""
    found: list[dict[str, Any]] = []
    lines = iter([line for _ in range(entries) for line in plain_lines(where, rng, 8)][:1] + plain_lines(where, rng, entries * 6))
    for number in range(entries):
        first = next(lines)
        shared = {name: first[name] for name in ("entry_date", "mode")}
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            line = {**next(lines), **(shared if rng.random() < 0.97 else {})}
            kind = rng.random()
            if kind < 0.03:
                line = {**rng.choice((anywhere, stated_in_full))(where, rng, 1)[0], **shared}
            elif kind < 0.3:
                line["value"] = str(rng.choice((1, 90, 250, 251, 799, 800, 801, 2499, 2500, 2501, 100_000)))
            if rng.random() < 0.95 or found:
                line["entry_number"] = f"E{number}" if number % 11 else None
            found.append(line)
    return found


def batch_of(lines: list[dict[str, Any]]) -> pa.RecordBatch:
    names = sorted({name for line in lines for name in line})
    flags = {name for line in lines for name, value in line.items() if isinstance(value, bool)}
    kinds = [(name, pa.bool_() if name in flags else pa.string()) for name in names]
    return pa.RecordBatch.from_pylist([{name: line.get(name) for name in names} for line in lines], pa.schema(kinds))


def by_itself(known: Knowledge, lines: list[dict[str, Any]], *, ranges: bool) -> Rows:
    """Assess entry by entry; a line without a number is an entry alone."""
    into = Rows([], [], [])
    numbered = [
        Stated(
            row,
            None,
            line.get("entry_number"),
            {name: value for name, value in sorted(line.items()) if value is not None and name != "entry_number"},
        )
        for row, line in enumerate(lines, start=1)
    ]
    for number, group in groupby(numbered, key=lambda line: line.entry_number or line.row):
        mine = list(group)
        if isinstance(number, int):
            answer_alone(known, mine[0], into, ranges=ranges)
        else:
            answer_together(known, mine, into, ranges=ranges)
    return into


@cache
def drawn(*, ranges: bool) -> tuple[list[dict[str, Any]], Rows]:
    """Draw lines, and assess them entry by entry: once for all sizes of batches."""
    known = open_engine(None).at()
    rng = random.Random(int(os.environ.get("TARIFF_BULK_SEED", "5")))
    lines = book(space(known), rng, ENTRIES // 4 if ranges else ENTRIES)
    return lines, by_itself(known, lines, ranges=ranges)


@pytest.mark.parametrize(("ranges", "size"), [(False, 10_000), (False, 37), (True, 100)])
def test_entries_in_bulk_are_those_assessed_by_themselves(*, ranges: bool, size: int) -> None:
    lines, alone = drawn(ranges=ranges)
    assessor = BulkAssessor(open_engine(None).at(), ranges=ranges)
    done = [assessor.assess(batch_of(lines[start : start + size])) for start in range(0, len(lines), size)]
    done.append(assessor.finish())
    for name, rows in zip(SCHEMAS, alone, strict=True):
        expected = pa.Table.from_pylist(rows, SCHEMAS[name])
        found = pa.Table.from_batches([getattr(one, name) for one in done], SCHEMAS[name]).sort_by(
            [("row", "ascending"), *((("place", "ascending"),) if name == "long" else ())]
        )
        for one, two in zip(found.to_pylist(), expected.to_pylist(), strict=True):
            assert one == two, lines[two["row"] - 1]
    if size > len(lines) and not ranges:
        assert assessor.alone < len(lines) * 4 / 5
