"""The forms that were met, as arrays: the cents of many rows are computed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tariff_engine.bulk.around import Around
    from tariff_engine.bulk.bases import BaseForm
    from tariff_engine.bulk.forms import Filed

    Numbers = NDArray[np.int64]
    Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Formed:
    """Rows that have forms, by the numbers of what they share: what they file, base, surroundings, warnings, open facts, product, origin."""

    filed: Numbers
    base: Numbers
    around: Numbers
    codes: Numbers
    asked: Numbers
    hts: Numbers
    origin: Numbers

    def take(self, places: Numbers) -> Formed:
        """Return some of the rows."""
        return Formed(*(getattr(self, name)[places] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Charged:
    """Rows with their cents: by row its dollars, number of headings and sums, and by heading of each row its cents, one after another.

    The last heading of a row is that of the base duty. Where that is not `known`, neither is the duty.
    """

    dollars: Numbers
    lengths: Numbers
    places: Numbers  # of each heading among those of all that is filed
    cents: Numbers
    known: Truths
    base_duty: Numbers
    duty: Numbers
    additional: Numbers
    mpf: Numbers
    hmf: Numbers


class Table:
    """Terms of what is filed, of bases and of surroundings, by number."""

    def __init__(self, filed: Sequence[Filed], bases: Sequence[BaseForm], around: Sequence[Around]) -> None:
        """Take the lists that grow as lines are met."""
        self.filed, self.bases, self.around = filed, bases, around
        self._arrays: dict[str, tuple[int, Any]] = {}

    def array(self, name: str, source: Sequence[Any], make: Callable[[Sequence[Any]], Any]) -> Any:
        """Return what is made of a list, made anew where the list has grown."""
        length, found = self._arrays.get(name, (-1, None))
        if length != len(source):
            found = make(source)
            self._arrays[name] = len(source), found
        return found

    def charge(self, rows: Formed, dollars: Numbers) -> Charged:
        """Return the cents of rows, given the value of each."""
        terms, spans = self.array("filed", self.filed, _terms_of)
        bases = self.array("bases", self.bases, _bases_of)
        fees = self.array("fees", self.around, _fees_of)
        starts, lengths, taken, replaced = (spans[number][rows.filed] for number in range(4))
        ends = np.cumsum(lengths)
        places = np.repeat(starts - (ends - lengths), lengths) + np.arange(int(ends[-1]) if len(ends) else 0)
        value = np.repeat(dollars, lengths)
        cents = (terms[0][places] * value + terms[1][places]) // terms[2][places]
        top, half, under, rated = (bases[number][rows.base] for number in range(4))
        full = (top * dollars + half) // under
        left = np.where((taken == 1) | (rated == 0), 0, full)
        sums = np.add.reduceat(cents, ends - lengths) if len(ends) else full
        cents[ends - 1] = left
        mine = fees[rows.around]  # what stands around a line of an entry of several is put in its place later
        return Charged(
            dollars,
            lengths,
            places,
            cents,
            (rated == 1) | (replaced == 1),
            left,
            sums + left,
            sums - np.where(rated == 1, full - left, 0),
            fee_cents(mine[:, :5], dollars),
            fee_cents(mine[:, 5:], dollars),
        )


def _terms_of(filed: Sequence[Filed]) -> tuple[list[Numbers], list[Numbers]]:
    """Return the terms of all rows, a base row of nothing after those of each; and where each begins, its length, and what it says of the base."""
    rows, spans = list[tuple[int, int, int]](), list[tuple[int, int, bool, bool]]()
    for one in filed:
        spans.append((len(rows), len(one.terms) + 1, one.taken, one.replaced))
        rows += [*one.terms, (0, 0, 1)]
    return _columns(rows, 3), _columns(spans, 4)


def _bases_of(bases: Sequence[BaseForm]) -> list[Numbers]:
    rates = [None if one.rate is None else one.rate.as_integer_ratio() for one in bases]
    return _columns([(0, 0, 1, 0) if rate is None else (200 * rate[0], rate[1], 2 * rate[1], 1) for rate in rates], 4)


def _fees_of(around: Sequence[Around]) -> Numbers:
    found: Numbers = np.array([*((*one.mpf, *one.hmf) for one in around), (0, 0, 1, 0, 0) * 2], dtype=np.int64)
    return found


def _columns(rows: Sequence[Sequence[int]], width: int) -> list[Numbers]:
    return list(np.ascontiguousarray(np.array(rows, dtype=np.int64).reshape(len(rows), width).T))


def fee_cents(terms: Numbers, dollars: Numbers) -> Numbers:
    """Return fees on some dollars, each by the five columns of its terms."""
    top, more, under, least, most = terms.T
    found: Numbers = np.minimum(np.maximum((top * dollars + more) // under, least), most)
    return found
