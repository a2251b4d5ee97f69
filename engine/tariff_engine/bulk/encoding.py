"""Rows as numbers: columns coded by dictionaries that outlive a batch, and the key under which the form of a row is kept."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.compute as pc  # type: ignore[import-untyped]

from tariff_engine.bulk.forms import MOST
from tariff_engine.bulk.keys import Numbering
from tariff_engine.law_days import law_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tariff_engine.engine import Knowledge

    Numbers = NDArray[np.int64]

_EPOCH = 719_163  # the day from which Arrow counts days, as `date.toordinal` counts it
_BITS = {"hts": 18, "days": 11, "origin": 10, "other": 18, "step": 6}  # of a key: 63 in all
_APART = frozenset({"usd", "map", "cases", "list", "date"})  # types of facts that differ from line to line, or decide by their amount
_MOST_DECIMALS = 18  # of dollars that are looked at
OWN = frozenset({"hts", "origin", "entry_date", "value"})


class FullError(Exception):
    """There are more different facts than a key can tell apart."""


class Coded(NamedTuple):
    """Rows as numbers: the key of all that a form depends on (-1 where a row has none), its parts, and what is computed with.

    `hts` and `origin` are codes of the texts in `products` and `origins`; `days` number intervals of law, `other` the facts besides,
    `step` the thresholds between which the value lies. `day` counts from 1970.
    """

    keys: Numbers
    hts: Numbers
    days: Numbers
    origin: Numbers
    other: Numbers
    step: Numbers
    dollars: Numbers
    day: Numbers
    products: list[Any]
    origins: list[Any]


class Encoder:
    """Codes the rows of batches under one law."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Find the days and the thresholds of the law."""
        law, desk = knowledge.law, knowledge.desk
        self.days = days = law_days(law)
        self._days = np.array([day.toordinal() - _EPOCH for day in days], dtype=np.int64)
        self._steps = [np.array(steps, dtype=np.int64) for steps in desk.steps()]
        contents = {fact for piece in law.slices.values() for fact in piece.facts}
        ages = {*law.compiled.ages, *law.compiled.ages.values()}
        self._apart = {
            alias
            for name, spec in law.facts.items()
            for alias in (name, *spec.aliases)
            if spec.type in _APART or name in contents or name in ages or spec.personal or name == "chapter98"
        }
        self._names = {alias: name for name, spec in law.facts.items() for alias in (name, *spec.aliases)}
        self._codes: dict[str, dict[Any, int]]
        self._others: dict[tuple[tuple[str, int], ...], int]
        self._stated: list[tuple[tuple[str, int], ...]]
        self._pairs: dict[tuple[str, ...], Numbering]
        self.forget()

    def forget(self) -> None:
        """Let go of every code."""
        self._codes = {"hts": {}, "origin": {}}
        self._others = {(): 0}
        self._stated = [()]
        self._pairs = {}

    def code(self, batch: pa.RecordBatch, facts: Sequence[str]) -> Coded | None:
        """Return the rows of a batch as numbers.

        `facts` are the names of the columns that state facts; None where a fact that every line states has no column, or two have the same.
        Raises FullError.
        """
        by_fact = {self._names.get(name, name): name for name in facts}
        if not by_fact.keys() >= OWN or len(by_fact) < len(facts):
            return None
        count = batch.num_rows
        value, has_value = _dollars(batch.column(by_fact["value"]))
        day, has_day = self._day_of(batch.column(by_fact["entry_date"]))
        good = has_value & has_day & (value > 0) & (value <= MOST)
        hts, origin = (self._code(name, batch.column(by_fact[name])) for name in ("hts", "origin"))
        good &= (hts > 0) & (origin > 0)
        other: dict[str, Numbers] = {}
        for fact, name in by_fact.items():
            if fact in OWN:
                continue
            column = batch.column(name)
            if column.null_count == count:
                continue
            if fact in self._apart or fact not in self._names.values():
                good &= _mask(column.is_null())
            else:
                other[fact] = self._code(fact, column)
        step = np.zeros(count, dtype=np.int64)
        for steps in self._steps:
            step = step * (len(steps) + 1) + np.searchsorted(steps, value, side="left")
        days = np.searchsorted(self._days, day, side="right")
        parts = {"hts": hts, "days": days, "origin": origin, "other": self._together(other, count), "step": step}
        keys = np.zeros(count, dtype=np.int64)
        for name, bits in _BITS.items():
            if count and int(np.max(parts[name])) >> bits:
                raise FullError
            keys = keys << bits | parts[name]
        products, origins = (["", *(value for _, value in self._codes[name])] for name in ("hts", "origin"))
        return Coded(np.where(good, keys, -1), **parts, dollars=value, day=day, products=products, origins=origins)

    def _together(self, columns: Mapping[str, Numbers], count: int) -> Numbers:
        """Return one code for the codes of several facts, the same in every batch, whichever facts it has columns for."""
        found = np.zeros(count, dtype=np.int64)
        names: tuple[str, ...] = ()
        for name, codes in columns.items():
            names = (*names, name)
            pairs = self._pairs.setdefault(names, Numbering())
            found = pairs.numbers(found << 32 | codes, partial(self._with, name, found, codes))
        return found

    def _with(self, name: str, before: Numbers, codes: Numbers, places: Numbers) -> Numbers:
        """Return the numbers of what rows at some places have stated before, and one fact more."""
        made = []
        for place in places.tolist():
            stated = self._stated[int(before[place])]
            content = (*stated, (name, int(codes[place]))) if codes[place] else stated
            number = self._others.setdefault(content, len(self._stated))
            if number == len(self._stated):
                self._stated.append(content)
            made.append(number)
        return np.array(made, dtype=np.int64)

    def _code(self, name: str, column: pa.Array) -> Numbers:
        """Return a number for each different value of a column, the same in every batch; 0 for null."""
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        coded = column.dictionary_encode()
        known = self._codes.setdefault(name, {})
        numbers = [known.setdefault((value.__class__, value), len(known) + 1) for value in coded.dictionary.to_pylist()]
        places = coded.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)
        found: Numbers = np.array([*numbers, 0], dtype=np.int64)[places]
        return found

    def _day_of(self, column: pa.Array) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the days of a column since 1970, and whether each is one that is written in full."""
        if pa.types.is_date32(column.type):
            return column.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), _mask(column.is_valid())
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            return np.zeros(len(column), dtype=np.int64), np.zeros(len(column), dtype=np.bool_)
        coded = column.dictionary_encode()
        days = [_ordinal(text) for text in coded.dictionary.to_pylist()]
        places = coded.indices.fill_null(len(days)).to_numpy(zero_copy_only=False)
        found = np.array([*days, -(10**9)], dtype=np.int64)[places]
        return found, found > -(10**9)


def _ordinal(text: str) -> int:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return -(10**9)
    return found.toordinal() - _EPOCH if found.isoformat() == text else -(10**9)


def _dollars(column: pa.Array) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the values of a column that are whole dollars, and which are."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        plain = pc.fill_null(pc.match_substring_regex(column, r"^[0-9]{1,12}$"), False)  # noqa: FBT003  a value, not a switch
        numbers = pc.if_else(plain, column, pa.scalar("0", kind)).cast(pa.int64())
        return numbers.to_numpy(zero_copy_only=False), _mask(plain)
    if pa.types.is_integer(kind):
        numbers = column.cast(pa.decimal128(20, 0)) if pa.types.is_uint64(kind) else column.cast(pa.int64())
        if pa.types.is_decimal(numbers.type):
            return np.zeros(len(column), dtype=np.int64), np.zeros(len(column), dtype=np.bool_)
        return numbers.fill_null(-1).to_numpy(zero_copy_only=False), _mask(column.is_valid())
    if pa.types.is_decimal128(kind) and 0 <= kind.scale <= _MOST_DECIMALS:
        # as Arrow lays a decimal out: 128 bits, the lower half first; what needs more than the lower half is no value of a line
        halves = np.frombuffer(column.buffers()[1], dtype="<i8").reshape(-1, 2)[column.offset : column.offset + len(column)]
        low, one = halves[:, 0], 10**kind.scale
        whole = low // one
        return whole, (halves[:, 1] == 0) & (low >= 0) & (whole * one == low) & _mask(column.is_valid())
    return np.zeros(len(column), dtype=np.int64), np.zeros(len(column), dtype=np.bool_)


def _mask(column: pa.Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = column.to_numpy(zero_copy_only=False)
    return found
