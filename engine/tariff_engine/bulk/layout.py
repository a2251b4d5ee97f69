"""Rows of a table of forms as batches of the bulk schemas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from tariff_engine.bulk.dense import distinct
from tariff_engine.bulk.schemas import LONG_SCHEMA, MONEY, SUMMARY_SCHEMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tariff_engine.bulk.forms import Kind
    from tariff_engine.bulk.ranges import Stake
    from tariff_engine.bulk.table import Charged, Table

    Numbers = NDArray[np.int64]

PASSED = "entry_required"  # what the gate says of goods that it does not release: only these have forms


def money(cents: Numbers) -> pa.Array:
    """Return whole cents as exact dollars."""
    wide = np.empty((len(cents), 2), dtype="<i8")
    wide[:, 0] = cents
    wide[:, 1] = cents >> 63
    return pa.Array.from_buffers(MONEY, len(cents), [None, pa.py_buffer(wide)])


class Asked(NamedTuple):
    """The ranges of rows, the number of the stakes of each, and by number the questions and the saving."""

    stake: Stake
    numbers: Numbers
    questions: Sequence[tuple[str, ...]]
    savings: Sequence[str | None]


def summary(
    table: Table, forms: Numbers, charged: Charged, rows: Numbers, ids: pa.Array, days: Numbers, asked: Asked | None
) -> pa.RecordBatch:
    """Return a row of the summary for each row of a batch that has a form. `days` count from 1970; `asked` where ranges are wanted."""
    count = len(forms)
    met, inverse = distinct(forms, len(table))
    numbers = met.tolist()
    kinds, of_kind = distinct(charged.kinds, len(table.kinds))
    each = [table.kinds[kind] for kind in kinds.tolist()]

    def shared(pick: Callable[[Kind], Any], kind: pa.DataType) -> pa.Array:
        return pa.array([pick(one) for one in each], kind).take(pa.array(of_kind))

    texts = pa.list_(pa.string())

    def staked(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        if asked is None:
            return pa.nulls(count, kind)
        some, of_row = distinct(asked.numbers, len(asked.savings))
        return pa.array([values[number] for number in some.tolist()], kind).take(pa.array(of_row))

    zero = money(np.zeros(count, dtype=np.int64))
    columns = {
        "row": pa.array(rows),
        "id": ids,
        "entry_number": pa.nulls(count, pa.string()),
        "hts": pa.array([table.hts[number] for number in numbers], pa.string()).take(pa.array(inverse)),
        "origin": pa.array([table.origins[number] for number in numbers], pa.string()).take(pa.array(inverse)),
        "entry_date": pa.array(days.astype(np.int32)).cast(pa.date32()),
        "value": pa.array(charged.dollars),
        "duty": money(charged.duty),
        "base_duty": money(charged.base_duty),
        "additional_duty": money(charged.additional),
        "mpf": money(charged.mpf),
        "hmf": money(charged.hmf),
        "postal_duty": zero,
        "total": money(charged.duty + charged.mpf + charged.hmf),
        "low": money(asked.stake.low) if asked else pa.nulls(count, MONEY),
        "high": money(asked.stake.high) if asked else pa.nulls(count, MONEY),
        "complete": pa.array(np.full(count, asked is not None)),
        "prohibited": shared(lambda kind: kind.prohibited, pa.bool_()),
        "headings": shared(lambda kind: kind.headings, texts),
        "questions": staked(asked.questions, texts) if asked else shared(lambda kind: kind.questions, texts),
        "warnings": shared(lambda kind: kind.warnings, texts),
        "saving": staked(asked.savings if asked else (), pa.string()),
        "saves": money(asked.stake.saves) if asked else pa.nulls(count, MONEY),
        "de_minimis": pa.array([PASSED], pa.string()).take(pa.array(np.zeros(count, dtype=np.int64))),
        "entry_type": shared(lambda kind: kind.entry_type, pa.string()),
    }
    return pa.RecordBatch.from_arrays([columns[field.name] for field in SUMMARY_SCHEMA], schema=SUMMARY_SCHEMA)


def long(known: Sequence[Kind], charged: Charged, rows: Numbers, ids: pa.Array) -> pa.RecordBatch:
    """Return a row for each heading of each row of a batch that has a form; `known` are the kinds."""
    kinds, of_kind = distinct(charged.kinds, len(known))
    each = [known[kind] for kind in kinds.tolist()]
    lengths = charged.lengths
    starts = np.cumsum([0, *(len(kind.rows) for kind in each)])[:-1] if each else np.zeros(0, dtype=np.int64)
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    places = pa.array(np.repeat(starts[of_kind], lengths) + within)
    whole = np.array([flag for kind in each for flag in kind.whole], dtype=np.bool_)[places.to_numpy()]

    def shared(number: int, kind: pa.DataType, read: Callable[[Any], Any] = lambda value: value) -> pa.Array:
        flat: Sequence[Any] = [read(row[number]) for one in each for row in one.rows]
        return pa.array(flat, kind).take(places)

    repeated = pa.array(np.repeat(np.arange(len(lengths)), lengths))
    columns = {
        "row": pa.array(np.repeat(rows, lengths)),
        "id": ids.take(repeated),
        "place": pa.array((within + 1).astype(np.int16)),
        "heading": shared(0, pa.string()),
        "program": shared(1, pa.string()),
        "kind": shared(2, pa.string()),
        "rate": shared(3, pa.string()),
        "base_value": pa.array(np.where(whole, np.repeat(charged.dollars, lengths), 0)),
        "duty": money(charged.cents),
        "instrument": shared(4, pa.string()),
        "since": shared(5, pa.date32(), lambda text: date.fromisoformat(text) if text else None),
    }
    return pa.RecordBatch.from_arrays([columns[field.name] for field in LONG_SCHEMA], schema=LONG_SCHEMA)
