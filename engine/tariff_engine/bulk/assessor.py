"""Batches of lines in, batches of duties out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from tariff_engine.arrow_columns import Column, columns_of, row_of
from tariff_engine.bulk.composing import Composer, Found
from tariff_engine.bulk.encoding import Coded, Encoder, FullError
from tariff_engine.bulk.layout import Asked, Given, Layout, Together
from tariff_engine.bulk.ranges import Open, Ranges
from tariff_engine.bulk.scalar import Rows, Stated, answer_alone, answer_together, reject
from tariff_engine.bulk.schemas import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA
from tariff_engine.bulk.table import Formed
from tariff_engine.engine import Knowledge
from tariff_engine.problems import ProblemError, refuse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_MAX_ROW = 1_000_000  # bytes of the facts of one row
_MOST_PLANS = 5_000  # kept for lines that are answered alone, some 40 MB; an inquiry makes up to a thousand
Output = Literal["summary", "long", "rejected"]


class Assessed:
    """What a batch came to. Each line that was read stands in `summary` or in `rejected`, in the order of the rows."""

    def __init__(self, summary: pa.RecordBatch, rejected: pa.RecordBatch, make_long: Callable[[], pa.RecordBatch]) -> None:
        """Take the outputs; the long one is made when it is asked for."""
        self.summary = summary
        self.rejected = rejected
        self._make_long = make_long

    @cached_property
    def long(self) -> pa.RecordBatch:
        """A row per line and heading."""
        return self._make_long()


class BulkAssessor:
    """Assesses batches of lines by one law, as `assess_row` and `assess_entry` do. Not for sharing between threads.

    A batch has the facts of a line as columns, by their names; null says nothing about a fact. Two columns are no facts: `id` names a line in
    what comes out, and `entry_number` says which lines make one entry. Lines of one entry follow each other, across batches too, so the lines
    of an entry that may go on are held back until another begins or `finish` is called. A line without an entry number is an entry alone.

    Without `ranges` the facts that nobody stated are named, but not tried: `low`, `high` and `saves` stay null, and `questions` names whatever
    was taken for granted, whether or not it matters. That is many times faster where facts are open.

    What is open is tried once for all lines of which an inquiry sees the same; until `worth` of them were met each is answered alone.
    """

    def __init__(self, knowledge: Knowledge, *, ranges: bool = True, worth: int = 1) -> None:
        """Take the law as known on a day."""
        self.knowledge = knowledge
        self.ranges = ranges
        self.alone = 0  # lines that were answered one at a time
        self._read = 0
        self._open: list[Stated] = []
        self._last = 0  # the last row of the entry that is open
        self._encoder = Encoder(knowledge)
        self._composer = Composer(knowledge, self._encoder.days, ranges=ranges)
        self._ranges = Ranges(knowledge, worth)

    def assess(self, batch: pa.RecordBatch) -> Assessed:
        """Assess the lines of a batch. Raises ProblemError where a column can state no fact: its type, or the same name twice."""
        pa.default_memory_pool().release_unused()  # what earlier batches left: the pool would keep it, and the process would grow
        columns, identity, entry = self._columns(batch)
        ids, entries = (_texts(batch, place) for place in (identity, entry))
        before, self._read = self._read, self._read + batch.num_rows
        arrays = [batch.column(place) for place, _ in columns]
        readers = [column for _, column in columns]

        def stated(place: int) -> dict[str, Any]:
            facts = row_of(place, readers, arrays, _MAX_ROW)
            if facts is None:
                raise refuse("row_too_large", "line", f"row {before + place + 1} states more than {_MAX_ROW:,} bytes", "send fewer facts")
            return facts

        coded = self._coded(batch, [column.name for column in readers])
        if coded is None:
            found, together, numbers = None, None, np.full(batch.num_rows, -1, dtype=np.int64)
        else:
            found = self._composer.find(coded, stated)
            numbers = self._staked(found, coded.dollars, stated) if self.ranges else found.forms
            numbers, together = self._together(found, numbers, coded, entries, before)
        into = Rows([], [], [])
        for place in np.flatnonzero(numbers < 0).tolist():
            self._alone(Stated(before + place + 1, ids[place].as_py(), entries[place].as_py(), {}), place, stated, into)
        if self._open and self._last != self._read:
            self._close(into)
        if found is None or coded is None:
            self.alone += batch.num_rows
            return _whole(into, None, None)
        kept = np.flatnonzero(numbers >= 0)
        self.alone += batch.num_rows - len(kept)
        if not len(kept):
            return _whole(into, None, None)
        of_form = np.cumsum(found.forms >= 0) - 1
        rows = found.rows if len(kept) == len(found.rows.filed) else found.rows.take(of_form[kept])
        given = Given(before + 1 + kept, ids.take(pa.array(kept)), entries.take(pa.array(kept)), coded.day[kept])
        given = given._replace(together=together and together.take(kept))
        return self._assessed(into, rows, coded.dollars[kept], given, numbers[kept])

    @property
    def inquiries(self) -> int:
        """How often what is open was tried, for all lines of which an inquiry sees the same."""
        return self._ranges.explored

    def finish(self) -> Assessed:
        """Assess the lines of the last entry, after which nothing follows."""
        into = Rows([], [], [])
        self._close(into)
        return _whole(into, None, None)

    def reader(self, batches: Iterable[pa.RecordBatch], output: Output = "summary") -> pa.RecordBatchReader:
        """Return one of the outputs as a stream that reads `batches` as it is read."""
        schema = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}[output]

        def stream() -> Iterator[pa.RecordBatch]:
            for batch in batches:
                yield getattr(self.assess(batch), output)
            yield getattr(self.finish(), output)

        return pa.RecordBatchReader.from_batches(schema, stream())

    # ------------------------------------------------------------ rows alike
    def _coded(self, batch: pa.RecordBatch, facts: Sequence[str]) -> Coded | None:
        """Return the rows as numbers; None where there are too many different ones."""
        if self._composer.full or self._ranges.full:
            self._forget()
        elif self._composer.crowded:
            self._composer.forget_forms()
        try:
            return self._encoder.code(batch, facts)
        except FullError:
            self._forget()
        try:
            return self._encoder.code(batch, facts)
        except FullError:
            return None

    def _forget(self) -> None:
        self._composer.forget()
        self._encoder.forget()
        self._ranges.forget()

    def _together(self, found: Found, numbers: Numbers, coded: Coded, entries: pa.Array, before: int) -> tuple[Numbers, Together | None]:
        """Return which rows are answered alone (-1) once their entries are looked at, and what entries of several lines owe besides duty."""
        places = np.flatnonzero(found.forms >= 0)
        single = np.zeros(len(numbers), dtype=np.bool_)
        single[places] = found.single
        named = entries.is_valid().to_numpy(zero_copy_only=False)
        numbers = np.where(single | named, numbers, -1)
        if not named.any():
            return numbers, None
        codes = entries.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        changes = np.append(True, (codes[1:] != codes[:-1]) | ~named[1:])
        groups = np.cumsum(changes) - 1
        apart = np.zeros(int(groups[-1]) + 1, dtype=np.bool_)
        apart[groups[-1]] = True  # it may go on in the next batch
        if self._open and self._last == before and self._open[-1].entry_number == entries[0].as_py():
            apart[0] = True  # it began in the last one
        mine = np.flatnonzero(named & ~apart[groups])
        together = Together.nothing(named, self._composer.entries)
        lines = np.full(len(numbers), -1, dtype=np.int64)
        lines[places] = found.entries
        lines[numbers < 0] = -1
        starts = np.flatnonzero(changes[mine])
        owed = self._composer.entries.assess(starts, lines[mine], coded.dollars[mine], coded.day[mine])
        known = np.repeat(owed.known, np.diff(np.append(starts, len(mine))))
        together.put(mine[starts], owed)
        good = ~named
        good[mine] = known
        return np.where(good, numbers, -1), together

    def _staked(self, found: Found, dollars: Numbers, stated: Callable[[int], dict[str, Any]]) -> Numbers:
        """Return the number of the stakes of each row, -1 where it is answered alone."""
        places = np.flatnonzero(found.forms >= 0)
        stakes, opened = np.full(len(dollars), -1, dtype=np.int64), np.zeros(len(dollars), dtype=np.bool_)
        sights = stakes.copy()
        stakes[places], opened[places], sights[places] = found.stakes, found.opened, found.sights
        rated, replaced = self._composer.known(found.rows)
        opened[places[~rated & ~replaced]] = False  # without a base duty there is no range but the least that is owed
        stakes[places[~rated & replaced & found.opened]] = -1
        return self._ranges.find(Open(stakes, sights, opened), dollars, stated)

    # ------------------------------------------------------------ rows alone
    def _alone(self, line: Stated, place: int, stated: Callable[[int], dict[str, Any]], into: Rows) -> None:
        if self._open and (self._open[-1].entry_number != line.entry_number or line.row != self._last + 1):
            self._close(into)
        if line.entry_number is not None:
            self._last = line.row
        try:
            facts = stated(place)
        except ProblemError as error:
            reject(line, error.problem.as_dict(), into)
            return
        line = line._replace(facts=facts)
        if line.entry_number is None:
            self.knowledge.rest(_MOST_PLANS)
            answer_alone(self.knowledge, line, into, ranges=self.ranges)
        else:
            self._open.append(line)

    def _close(self, into: Rows) -> None:
        lines, self._open = self._open, []
        if lines:
            self.knowledge.rest(_MOST_PLANS)
            answer_together(self.knowledge, lines, into, ranges=self.ranges)

    # ------------------------------------------------------------ out
    def _assessed(self, into: Rows, rows: Formed, dollars: Numbers, given: Given, stakes: Numbers) -> Assessed:
        composer, ranges = self._composer, self._ranges
        charged, asked = composer.table.charge(rows, dollars), None
        if self.ranges:
            asked = Asked(ranges.charge(stakes, dollars, charged.duty), stakes, ranges)
        layout = Layout(composer, rows, charged, given)
        return _whole(into, layout.summary(asked), layout.long)

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


def _texts(batch: pa.RecordBatch, column: int | None) -> pa.Array:
    """Return a column as text; nulls where there is none."""
    if column is None:
        return pa.nulls(batch.num_rows, pa.string())
    found = batch.column(column)
    if pa.types.is_dictionary(found.type):
        found = found.dictionary_decode()
    return found.cast(pa.string())


def _whole(rows: Rows, made: pa.RecordBatch | None, make_long: Callable[[], pa.RecordBatch] | None) -> Assessed:
    """Put the rows that were answered alone among the others."""

    def batch(found: list[dict[str, Any]], schema: pa.Schema, more: pa.RecordBatch | None) -> pa.RecordBatch:
        if not found and more is not None:
            return more
        alone = pa.RecordBatch.from_pylist(sorted(found, key=lambda row: row["row"]), schema)
        if more is None or not more.num_rows:
            return alone
        both = pa.Table.from_batches([alone, more], schema).combine_chunks()
        order = np.argsort(both.column("row").to_numpy(), kind="stable")
        return both.take(pa.array(order)).combine_chunks().to_batches()[0]

    return Assessed(
        batch(rows.summary, SUMMARY_SCHEMA, made),
        batch(rows.rejected, REJECTED_SCHEMA, None),
        lambda: batch(rows.long, LONG_SCHEMA, make_long() if make_long else None),
    )
