"""Rows that have forms as batches of the bulk schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from tariff_engine.bulk.scalar import RANGE_INCOMPLETE
from tariff_engine.bulk.schemas import LONG_SCHEMA, MONEY, SUMMARY_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tariff_engine.bulk.composing import Composer
    from tariff_engine.bulk.entries import Entries, Owed
    from tariff_engine.bulk.ranges import Ranges, Stake
    from tariff_engine.bulk.table import Charged, Formed

    Numbers = NDArray[np.int64]
    Truths = NDArray[np.bool_]

PASSED = "entry_required"  # what the gate says of goods that it does not release: only these have forms
_QUANTITY = ("quantity",)  # what is asked where the base duty cannot be known
_TEXTS = pa.list_(pa.string())


def money(cents: Numbers, known: Truths | None = None) -> pa.Array:
    """Return whole cents as exact dollars, null where they are not known."""
    wide = np.empty((len(cents), 2), dtype="<i8")
    wide[:, 0] = cents
    wide[:, 1] = cents >> 63
    valid = None if known is None or known.all() else pa.array(known).buffers()[1]
    return pa.Array.from_buffers(MONEY, len(cents), [valid, pa.py_buffer(wide)])


class Together(NamedTuple):
    """What entries of several lines owe besides duty, by row: it stands on the first line of each, the others owe nothing besides.

    `mine` are the rows with an entry number; `types` and `results` are numbers in `known`, -1 on other lines than the first.
    """

    mine: Truths
    mpf: Numbers
    hmf: Numbers
    types: Numbers
    results: Numbers
    known: Entries

    @classmethod
    def nothing(cls, mine: Truths, known: Entries) -> Together:
        """Return what is owed before anything is put in."""
        nothing, none = np.zeros(len(mine), dtype=np.int64), np.full(len(mine), -1, dtype=np.int64)
        return cls(mine, nothing, nothing.copy(), none, none.copy(), known)

    def put(self, first: Numbers, owed: Owed) -> None:
        """Put what entries owe on the rows of their first lines."""
        self.mpf[first], self.hmf[first], self.types[first], self.results[first] = owed.mpf, owed.hmf, owed.types, owed.results

    def take(self, places: Numbers) -> Together:
        """Return some of the rows."""
        mine, mpf, hmf, types, results, known = self
        return Together(mine[places], mpf[places], hmf[places], types[places], results[places], known)


class Given(NamedTuple):
    """What rows bring along: their numbers in the input, ids, entry numbers, days since 1970, and what entries of several lines owe."""

    rows: Numbers
    ids: pa.Array
    entries: pa.Array
    days: Numbers
    together: Together | None = None


class Asked(NamedTuple):
    """The ranges of rows, the number of the stakes of each, and what these are."""

    stake: Stake
    numbers: Numbers
    ranges: Ranges

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Whether every combination of answers was tried for a row."""
        return np.array(self.ranges.complete, dtype=np.bool_)[self.numbers]


class Layout:
    """Rows of a batch that have forms, with their cents."""

    def __init__(self, composer: Composer, rows: Formed, charged: Charged, given: Given) -> None:
        """Take the rows; `composer` knows what their numbers stand for."""
        self._composer, self._table, self._rows, self._charged, self._given = composer, composer.table, rows, charged, given

    def summary(self, asked: Asked | None) -> pa.RecordBatch:
        """Return a row of the summary for each row; `asked` where ranges are wanted."""
        rows, charged, table, count = self._rows, self._charged, self._table, len(self._given.rows)
        known, together = charged.known, self._given.together
        mpf, hmf = charged.mpf, charged.hmf
        if together is not None:
            mpf, hmf = np.where(together.mine, together.mpf, mpf), np.where(together.mine, together.hmf, hmf)
        prohibited = table.array("prohibited", table.filed, lambda filed: pa.array([one.prohibited for one in filed], pa.bool_()))
        types = table.array("types", table.around, lambda around: pa.array([one.entry_type for one in around], pa.string()))
        columns = {
            "row": pa.array(self._given.rows),
            "id": self._given.ids,
            "entry_number": self._given.entries,
            "hts": _texts(self._names("hts"), rows.hts),
            "origin": _texts(self._names("origins"), rows.origin),
            "entry_date": pa.array(self._given.days.astype(np.int32)).cast(pa.date32()),
            "value": pa.array(charged.dollars),
            "duty": money(charged.duty, known),
            "base_duty": money(charged.base_duty, known),
            "additional_duty": money(charged.additional),
            "mpf": money(mpf),
            "hmf": money(hmf),
            "postal_duty": money(np.zeros(count, dtype=np.int64)),
            "total": money(charged.duty + mpf + hmf, known),
            "low": money(asked.stake.low) if asked else pa.nulls(count, MONEY),
            "high": money(asked.stake.high, known) if asked else pa.nulls(count, MONEY),
            "complete": pa.array(known & asked.complete if asked else np.zeros(count, dtype=np.bool_)),
            "prohibited": prohibited.take(pa.array(rows.filed)),
            "headings": self._headings(),
            "questions": self._questions(asked),
            "warnings": self._warnings(asked),
            "saving": pa.array(asked.ranges.savings, pa.string()).take(pa.array(asked.numbers)) if asked else pa.nulls(count, pa.string()),
            "saves": money(asked.stake.saves) if asked else pa.nulls(count, MONEY),
            "de_minimis": self._either(pa.array([PASSED], pa.string()), np.zeros(count, dtype=np.int64), "results"),
            "entry_type": self._either(types, rows.around, "types"),
        }
        return pa.RecordBatch.from_arrays([columns[field.name] for field in SUMMARY_SCHEMA], schema=SUMMARY_SCHEMA)

    def long(self) -> pa.RecordBatch:
        """Return a row for each heading of each row."""
        rows, charged, table = self._rows, self._charged, self._table
        lengths = charged.lengths
        ends = np.cumsum(lengths)
        repeated = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(len(repeated)) - np.repeat(ends - lengths, lengths)
        last = ends - 1
        whole = table.array(
            "whole", table.filed, lambda filed: np.array([flag for one in filed for flag in (*one.whole, True)], dtype=np.bool_)
        )
        known = np.ones(len(repeated), dtype=np.bool_)
        known[last] = charged.known
        flat = len(whole)

        def shared(number: int, kind: pa.DataType, base: Any = None) -> pa.Array:
            values = table.array(
                f"rows {number}", table.filed, lambda filed: pa.array([row[number] for one in filed for row in (*one.rows, _BASE)], kind)
            )
            if base is None:
                return values.take(pa.array(charged.places))
            places = charged.places.copy()
            places[last] = flat + base[1]
            return pa.concat_arrays([values, base[0]]).take(pa.array(places))

        texts = table.array("rates", table.bases, lambda bases: pa.array([one.text for one in bases], pa.string()))
        since = table.array(
            "since",
            table.filed,
            lambda filed: pa.array([row[5] for one in filed for row in (*one.rows, _BASE)], pa.date32()),
        )
        columns = {
            "row": pa.array(np.repeat(self._given.rows, lengths)),
            "id": self._given.ids.take(pa.array(repeated)),
            "place": pa.array((within + 1).astype(np.int16)),
            "heading": shared(0, pa.string(), (self._names("hts"), rows.hts)),
            "program": shared(1, pa.string()),
            "kind": shared(2, pa.string()),
            "rate": shared(3, pa.string(), (texts, rows.base)),
            "base_value": pa.array(np.where(whole[charged.places], charged.dollars[repeated], 0)),
            "duty": money(charged.cents, known),
            "instrument": shared(4, pa.string()),
            "since": since.take(pa.array(charged.places)),
        }
        return pa.RecordBatch.from_arrays([columns[field.name] for field in LONG_SCHEMA], schema=LONG_SCHEMA)

    # ------------------------------------------------------------ columns
    def _names(self, what: str) -> pa.Array:
        source: Sequence[str] = getattr(self._composer, what)
        return self._table.array(what, source, lambda names: pa.array(names, pa.string()))

    def _either(self, values: pa.Array, numbers: Numbers, what: str) -> pa.Array:
        """Return texts by number; on rows with an entry number those of the entry, null on others than its first line."""
        together = self._given.together
        if together is None:
            return _texts(values, numbers)
        texts = pa.concat_arrays([values, pa.array([*getattr(together.known, what), None], pa.string())])
        mine: Numbers = getattr(together, what)
        there = np.where(mine < 0, len(texts) - 1, len(values) + mine)
        return _texts(texts, np.where(together.mine, there, numbers))

    def _headings(self) -> pa.Array:
        """Return the headings of each row, the number of chapters 1 to 97 last."""
        charged = self._charged
        values = self._table.array(
            "rows 0", self._table.filed, lambda filed: pa.array([row[0] for one in filed for row in (*one.rows, _BASE)], pa.string())
        )
        places = charged.places.copy()
        ends = np.cumsum(charged.lengths)
        places[ends - 1] = len(values) + self._rows.hts
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        texts = pa.concat_arrays([values, self._names("hts")]).take(pa.array(places))
        return pa.ListArray.from_arrays(pa.array(offsets), texts)

    def _lists(self, what: str, source: Sequence[tuple[str, ...]], numbers: Numbers) -> pa.Array:
        lists: Any = self._table.array(what, source, lambda lists: pa.array(list(lists), _TEXTS))
        return lists.take(pa.array(numbers))

    def _warnings(self, asked: Asked | None) -> pa.Array:
        codes = self._composer.codes
        if asked is None or asked.complete.all():
            return self._lists("codes", codes, self._rows.codes)
        both = self._table.array(
            "codes and one", codes, lambda lists: pa.array([*lists, *((*one, RANGE_INCOMPLETE) for one in lists)], _TEXTS)
        )
        return both.take(pa.array(np.where(asked.complete, self._rows.codes, self._rows.codes + len(codes))))

    def _questions(self, asked: Asked | None) -> pa.Array:
        if asked is None:
            return self._lists("asked", self._composer.asked, self._rows.asked)
        lists = pa.array([*asked.ranges.questions, _QUANTITY, ()], _TEXTS)
        missing = self._table.array("missing", self._table.bases, lambda bases: np.array([one.missing for one in bases], dtype=np.bool_))
        unknown = len(asked.ranges.questions) + np.where(missing[self._rows.base], 0, 1)
        return lists.take(pa.array(np.where(self._charged.known, asked.numbers, unknown)))


_BASE = ("", "base", "base", "", None, None)


def _texts(values: pa.Array, numbers: Numbers) -> pa.Array:
    return values.take(pa.array(numbers))
