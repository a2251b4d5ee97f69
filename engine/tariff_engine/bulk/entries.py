"""What stands around entries of several lines, for many of them: the engine assesses one entry of each kind, its like are arithmetic.

Law looks at the values of an entry through thresholds, of its lines and of their sum, and at its lines through classes. Entries on days of
one law that state the same, whose sums and lines lie between the same thresholds, and whose lines are of the same classes, differ in
dollars only.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tariff_engine.bulk.classes import Kept
from tariff_engine.bulk.forms import MOST
from tariff_engine.bulk.table import fee_cents
from tariff_engine.deminimis import order_matters
from tariff_engine.entry import MAX_LINES
from tariff_engine.entry_lines import EntryLine, EntryTerms, entry_terms
from tariff_engine.law_days import frame_rows
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tariff_engine.engine import Knowledge

    Numbers = NDArray[np.int64]
    Truths = NDArray[np.bool_]

_EPOCH = 719_163  # the day from which Arrow counts days, as `date.toordinal` counts it
_BITS = 63  # of a word of the set of classes
_MOST_KEPT = 200_000
_NOTHING = EntryTerms((0, 0, 1, 0, 0), (0, 0, 1, 0, 0), "", "")


class Owed(NamedTuple):
    """What entries owe besides duty, in cents. `types` and `results` are numbers of texts; where an entry is not `known` the rest means nothing."""

    known: Truths
    mpf: Numbers
    hmf: Numbers
    types: Numbers
    results: Numbers


class Entries:
    """Entries under one law. Lines are given by number, as `number` gave it."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Find the days and the thresholds of the law."""
        self._knowledge = knowledge
        law, desk = knowledge.law, knowledge.desk
        days = {day.toordinal() - _EPOCH for row in frame_rows(law) for day in (row.from_, row.until) if day is not None}
        self._days = np.array(sorted(days), dtype=np.int64)
        self._steps = np.array(sorted({step for steps in desk.steps() for step in steps}), dtype=np.int64)
        self._line_steps = np.array(desk.line_steps(), dtype=np.int64)
        self._ordered = order_matters(law.de_minimis)
        self.forget()

    def forget(self) -> None:
        """Let go of all that was met; the numbers of lines stand for nothing any more."""
        self._lines: list[EntryLine] = []
        self._numbers: dict[tuple[int, int], int] = {}
        self._kinds, self._stated = Kept(), Kept()
        self._table = np.zeros((64, 3), dtype=np.int64)  # of a line: its class, what it states, and whether it is free of the MPF
        self._types, self._results = Kept(), Kept()
        self.types: list[str] = self._types.contents
        self.results: list[str] = self._results.contents
        self._forget_terms()

    def _forget_terms(self) -> None:
        self._known: dict[bytes, int] = {}
        self._terms: list[tuple[int, ...]] = []
        self._keep(_NOTHING)
        self._array = np.array(self._terms, dtype=np.int64)

    def number(self, line: EntryLine | None) -> int:
        """Return the number of all lines that are the same to their entry; -1 for none."""
        if line is None:
            return -1
        key = self._kinds.number(line.kind), self._stated.number(line.stated)
        found = self._numbers.setdefault(key, len(self._lines))
        if found == len(self._lines):
            if found == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._table[found] = (*key, line.kind.free)
            self._lines.append(line)
        return found

    def assess(self, starts: Numbers, lines: Numbers, dollars: Numbers, days: Numbers) -> Owed:
        """Return what entries owe. `starts` are the places of their first lines; `lines` are numbers, `days` count from 1970.

        An entry is not known where a line has no number, the lines differ in what they state of the entry, the gate releases the goods, or
        more than the values decides: it is to be assessed by itself.
        """
        if len(self._known) >= _MOST_KEPT:
            self._forget_terms()
        if not len(starts):
            empty = np.zeros(0, dtype=np.int64)
            return Owed(np.zeros(0, dtype=np.bool_), empty, empty, empty, empty)
        ends = np.append(starts[1:], len(lines))
        kinds, stated, free = self._table[np.maximum(lines, 0)].T
        totals = np.add.reduceat(dollars, starts)
        good = (np.minimum.reduceat(lines, starts) >= 0) & (ends - starts <= MAX_LINES)
        good &= (np.minimum.reduceat(dollars, starts) > 0) & (np.maximum.reduceat(dollars, starts) <= MOST) & (totals <= MOST)
        for shared in (days, stated):
            good &= np.minimum.reduceat(shared, starts) == np.maximum.reduceat(shared, starts)
        if self._ordered:
            good &= np.minimum.reduceat(kinds, starts) == np.maximum.reduceat(kinds, starts)
        columns = [
            np.searchsorted(self._days, days[starts], side="right"),
            stated[starts],
            kinds[starts],
            np.searchsorted(self._steps, totals, side="left"),
            *self._present(kinds, dollars, starts),
        ]
        places = np.flatnonzero(good)
        matrix = np.ascontiguousarray(np.stack(columns, axis=1)[places])
        keys = [row.tobytes() for row in matrix]
        numbers = np.zeros(len(starts), dtype=np.int64)
        known, found = self._known, []
        for place, key in zip(places.tolist(), keys, strict=True):
            number = known.get(key)
            if number is None:
                mine = slice(int(starts[place]), int(ends[place]))
                number = known[key] = self._make(lines[mine].tolist(), dollars[mine].tolist(), int(days[starts[place]]))
            found.append(number)
        numbers[places] = found
        if len(self._array) < len(self._terms):
            self._array = np.array(self._terms, dtype=np.int64)
        terms = self._array[numbers]
        liable = np.add.reduceat(np.where(free == 1, 0, dollars), starts)
        return Owed(numbers > 0, fee_cents(terms[:, :5], liable), fee_cents(terms[:, 5:10], totals), terms[:, 10], terms[:, 11])

    def _present(self, kinds: Numbers, dollars: Numbers, starts: Numbers) -> list[Numbers]:
        """Return the set of classes present in each entry, each with the thresholds between which its lines lie, as words of bits."""
        bits = kinds * (len(self._line_steps) + 1) + np.searchsorted(self._line_steps, dollars, side="left")
        words, shifted = bits // _BITS, np.left_shift(1, bits % _BITS)
        count = len(self._kinds) * (len(self._line_steps) + 1) // _BITS + 1
        return [np.bitwise_or.reduceat(np.where(words == word, shifted, 0), starts) for word in range(count)]

    def _make(self, lines: list[int], dollars: list[int], day: int) -> int:
        mine = [(self._lines[line], value) for line, value in zip(lines, dollars, strict=True)]
        try:
            terms = entry_terms(self._knowledge, date.fromordinal(day + _EPOCH), mine)
        except ProblemError:
            return 0
        return 0 if terms is None or any(one[0] * MOST + one[1] >= 2**62 for one in (terms.mpf, terms.hmf)) else self._keep(terms)

    def _keep(self, terms: EntryTerms) -> int:
        self._terms.append((*terms.mpf, *terms.hmf, self._types.number(terms.entry_type), self._results.number(terms.de_minimis)))
        return len(self._terms) - 1
