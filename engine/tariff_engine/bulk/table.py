"""The forms that were met, as arrays: rows find theirs by key, and their cents are computed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tariff_engine.bulk.forms import Form, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

MOST_FORMS = 1_000_000
_FEE = 5


class Table:
    """Forms by key, kinds by number. What is kept is bounded: a full table is emptied, and filled again as lines come."""

    def __init__(self) -> None:
        """Begin with no form."""
        self.forget()

    def forget(self) -> None:
        """Let go of every form."""
        self._by_key: dict[int, int] = {}
        self._kinds: dict[Kind, int] = {}
        self.kinds: list[Kind] = []
        self.hts: list[str] = []
        self.origins: list[str] = []
        self.opened: list[bool] = []
        self._numbers = np.zeros((1024, 1 + 2 * _FEE), dtype=np.int64)  # of a form: its kind, the terms of its fees
        self._rows: list[tuple[int, int, int]] = []
        self._spans: list[tuple[int, int, bool, bool]] = []
        self._flat: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def __len__(self) -> int:
        """Return how many forms there are."""
        return len(self.hts)

    def find(self, keys: Iterable[int], make: Callable[[int], Form | None]) -> Numbers:
        """Return the number of the form of each key, -1 where it has none; `make` makes one that was not met, given its place."""
        by_key = self._by_key
        found = []
        for place, key in enumerate(keys):
            number = by_key.get(key)
            if number is None:
                form = make(place)
                number = by_key[key] = -1 if form is None else self._add(form)
            found.append(number)
        return np.array(found, dtype=np.int64)

    @property
    def full(self) -> bool:
        """Whether to forget before the next batch."""
        return len(self._by_key) >= MOST_FORMS

    def _add(self, form: Form) -> int:
        kind = self._kinds.get(form.kind)
        if kind is None:
            kind = self._kinds[form.kind] = len(self.kinds)
            self.kinds.append(form.kind)
            self._spans.append((len(self._rows), len(form.kind.terms), form.kind.taken, form.kind.known))
            self._rows += form.kind.terms
            self._flat = None
        number = len(self.hts)
        if number == len(self._numbers):
            self._numbers = np.concatenate([self._numbers, np.zeros_like(self._numbers)])
        self._numbers[number] = (kind, *form.mpf, *form.hmf)
        self.hts.append(form.hts)
        self.origins.append(form.origin)
        self.opened.append(form.opened)
        return number

    def charge(self, forms: Numbers, dollars: Numbers) -> Charged:
        """Return the cents of rows, given the form and the value of each."""
        if self._flat is None:
            self._flat = np.array(self._rows, dtype=np.int64), np.array(self._spans, dtype=np.int64)
        terms, spans = self._flat
        numbers = self._numbers[forms]
        kinds = numbers[:, 0]
        starts, lengths, taken, known = spans[kinds].T
        ends = np.cumsum(lengths)
        begins = ends - lengths
        places = np.repeat(starts - begins, lengths) + np.arange(int(ends[-1]) if len(ends) else 0)
        first, second, third = terms[places].T
        cents = (first * np.repeat(dollars, lengths) + second) // third
        last = ends - 1
        full = cents[last]
        left = np.where((taken == 1) | (known == 0), 0, full)
        rows = np.add.reduceat(cents, begins) - full if len(begins) else full
        cents[last] = left
        return Charged(
            kinds,
            dollars,
            lengths,
            cents,
            left,
            rows + left,
            rows - np.where(known == 1, full - left, 0),
            _fee(numbers[:, 1 : 1 + _FEE], dollars),
            _fee(numbers[:, 1 + _FEE :], dollars),
        )


@dataclass(frozen=True, slots=True)
class Charged:
    """Rows with their cents: by row its kind, dollars, number of headings and sums, and by heading of each row its cents, one after another."""

    kinds: Numbers
    dollars: Numbers
    lengths: Numbers
    cents: Numbers
    base_duty: Numbers
    duty: Numbers
    additional: Numbers
    mpf: Numbers
    hmf: Numbers


def _fee(terms: Numbers, dollars: Numbers) -> Numbers:
    top, more, under, least, most = terms.T
    found: Numbers = np.minimum(np.maximum((top * dollars + more) // under, least), most)
    return found
