"""Batches of lines in, batches of duties out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from tariff_engine.arrow_columns import Column, columns_of, row_of
from tariff_engine.bulk.scalar import Rows, Stated, answer_alone, answer_together, reject
from tariff_engine.bulk.schemas import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA
from tariff_engine.engine import Knowledge
from tariff_engine.problems import ProblemError, refuse

_MAX_ROW = 1_000_000  # bytes of the facts of one row
Output = Literal["summary", "long", "rejected"]


@dataclass(frozen=True, slots=True)
class Assessed:
    """What a batch came to. Each line that was read stands in `summary` or in `rejected`, in the order of the rows."""

    summary: pa.RecordBatch
    long: pa.RecordBatch
    rejected: pa.RecordBatch


class BulkAssessor:
    """Assesses batches of lines by one law, as `assess_row` and `assess_entry` do. Not for sharing between threads.

    A batch has the facts of a line as columns, by their names; null says nothing about a fact. Two columns are no facts: `id` names a line in
    what comes out, and `entry_number` says which lines make one entry. Lines of one entry follow each other, across batches too, so the lines
    of an entry that may go on are held back until another begins or `finish` is called. A line without an entry number is an entry alone.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        """Take the law as known on a day."""
        self.knowledge = knowledge
        self._read = 0
        self._open: list[Stated] = []

    def assess(self, batch: pa.RecordBatch) -> Assessed:
        """Assess the lines of a batch. Raises ProblemError where a column can state no fact: its type, or the same name twice."""
        columns, identity, entry = self._columns(batch)
        into = Rows([], [], [])
        arrays = [batch.column(place) for place, _ in columns]
        readers = [column for _, column in columns]
        for place in range(batch.num_rows):
            self._read += 1
            name = _text_of(batch, identity, place)
            number = _text_of(batch, entry, place)
            if self._open and self._open[-1].entry_number != number:
                self._close(into)
            line = Stated(self._read, name, number, {})
            try:
                facts = row_of(place, readers, arrays, _MAX_ROW)
                if facts is None:
                    raise refuse("row_too_large", "line", f"row {self._read} states more than {_MAX_ROW:,} bytes", "send fewer facts")
            except ProblemError as error:
                reject(line, error.problem.as_dict(), into)
                continue
            line = line._replace(facts=facts)
            if number is None:
                answer_alone(self.knowledge, line, into)
            else:
                self._open.append(line)
        return _assessed(into)

    def finish(self) -> Assessed:
        """Assess the lines of the last entry, after which nothing follows."""
        into = Rows([], [], [])
        self._close(into)
        return _assessed(into)

    def reader(self, batches: Iterable[pa.RecordBatch], output: Output = "summary") -> pa.RecordBatchReader:
        """Return one of the outputs as a stream that reads `batches` as it is read."""
        schema = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}[output]

        def stream() -> Iterator[pa.RecordBatch]:
            for batch in batches:
                yield getattr(self.assess(batch), output)
            yield getattr(self.finish(), output)

        return pa.RecordBatchReader.from_batches(schema, stream())

    def _close(self, into: Rows) -> None:
        lines, self._open = self._open, []
        if lines:
            answer_together(self.knowledge, lines, into)

    @staticmethod
    def _columns(batch: pa.RecordBatch) -> tuple[list[tuple[int, Column]], int | None, int | None]:
        """Return the columns of facts with their places, and the places of `id` and `entry_number`."""
        names: Sequence[str] = batch.schema.names
        for name in names:
            if names.count(name) > 1:
                raise refuse("duplicate_key", name[:60], f"two columns are named {name[:60]}", "name each column once")
        found = [(place, column) for place, column in enumerate(columns_of(batch.schema)) if column.name not in {"id", "entry_number"}]
        for _, column in found:
            if column.code:
                raise refuse(column.code, column.name[:60], column.detail, column.fix)
        places = [names.index(name) if name in names else None for name in ("id", "entry_number")]
        return found, places[0], places[1]


def _text_of(batch: pa.RecordBatch, column: int | None, place: int) -> str | None:
    value = None if column is None else batch.column(column)[place].as_py()
    return None if value is None else str(value)


def _assessed(rows: Rows) -> Assessed:
    made = [
        pa.RecordBatch.from_pylist(sorted(found, key=lambda row: row["row"]), schema)
        for found, schema in zip(rows, (SUMMARY_SCHEMA, LONG_SCHEMA, REJECTED_SCHEMA), strict=True)
    ]
    return Assessed(*made)
