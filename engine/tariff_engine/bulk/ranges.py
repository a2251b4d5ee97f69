"""The stakes that were met, as arrays: rows find theirs, and their ranges and savings are computed together."""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tariff_engine.base import line_base
from tariff_engine.bulk.cuts import modulus
from tariff_engine.bulk.dense import distinct, first_places
from tariff_engine.bulk.stakes import Stakes, Tried, stakes_of
from tariff_engine.bulk.sums import Sum
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

    Numbers = NDArray[np.int64]

ALONE, NOTHING_OPEN = -1, 0
_MOST_ROUNDED = 4  # rates of a sum that are rounded; a sum of more is computed alone
_LIMIT = 2**62
_DOLLARS = 10**11  # the most of a line that has a form
_MOST_KEPT = 200_000
_OWN = frozenset({"hts", "origin", "entry_date", "value"})


class Stake(NamedTuple):
    """The ranges of some rows in cents: the least, the most, what the best answer saves."""

    low: Numbers
    high: Numbers
    saves: Numbers


class Ranges:
    """Stakes under one law by form and remainder. What is kept is bounded."""

    def __init__(self, knowledge: Knowledge, worth: int) -> None:
        """Begin with none. Stakes are looked into once so many rows that have them were met; until then these are answered alone."""
        self._knowledge, self._worth = knowledge, worth
        self.step = modulus(knowledge.inquirer.answers, knowledge.law.compiled)
        self.forget()

    def forget(self) -> None:
        """Let go of all."""
        self._by_key: dict[int, int] = {}
        self._met: dict[int, int] = {}
        self._like: dict[tuple[Any, ...], list[tuple[Tried, int]]] = {}
        self._numbers: dict[Stakes, int] = {}
        self._sums: dict[Sum, int] = {}
        self._terms: list[tuple[int, ...]] = []
        self._rows: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
        self.questions: list[tuple[str, ...]] = [()]
        self.savings: list[str | None] = [None]
        self._flat: Numbers | None = None

    @property
    def full(self) -> bool:
        """Whether to forget before the next batch."""
        return (
            len(self._by_key) + len(self._met) >= _MOST_KEPT * self.step or len(self._like) >= _MOST_KEPT or len(self._rows) >= _MOST_KEPT
        )

    def find(self, forms: Numbers, dollars: Numbers, opened: NDArray[np.bool_], read: Callable[[int], dict[str, Any]]) -> Numbers:
        """Return the number of the stakes of each row, -1 where it is answered alone; `read` returns the facts of a row by its place."""
        found = np.where(forms < 0, ALONE, NOTHING_OPEN)
        places = np.flatnonzero((forms >= 0) & opened)
        if not len(places):
            return found
        wanted = forms[places] * self.step + dollars[places] % self.step
        keys, inverse = distinct(wanted, (int(np.max(forms)) + 1) * self.step)
        first = first_places(inverse, len(keys))
        numbers = []
        counts = np.bincount(inverse, minlength=len(keys)).tolist()
        for key, place, count in zip(keys.tolist(), places[first].tolist(), counts, strict=True):
            number = self._by_key.get(key)
            if number is None:
                met = self._met[key] = self._met.get(key, 0) + count
                if met < self._worth:
                    numbers.append(ALONE)
                    continue
                number = self._by_key[key] = self._find(read(place))
                del self._met[key]
            numbers.append(number)
        of_row = np.array(numbers, dtype=np.int64)[inverse]
        least = np.array([row[0] for row in self._rows], dtype=np.int64)
        found[places] = np.where((of_row > 0) & (dollars[places] >= least[np.maximum(of_row, 0)]), of_row, ALONE)
        return found

    def charge(self, numbers: Numbers, dollars: Numbers, duty: Numbers) -> Stake:
        """Return the ranges of rows, given the stakes, the value and the duty of each."""
        low, high, saves = duty.copy(), duty.copy(), np.zeros(len(duty), dtype=np.int64)
        places = np.flatnonzero(numbers > 0)
        if len(places):
            rows = np.array(self._rows, dtype=np.int64)[numbers[places]]
            value = dollars[places]
            low[places] = self._cents(rows[:, 1], value)
            high[places] = self._cents(rows[:, 2], value)
            saving = rows[:, 3] >= 0
            saves[places[saving]] = duty[places[saving]] - self._cents(rows[saving, 3], value[saving])
        return Stake(low, high, saves)

    # ------------------------------------------------------------ sums
    def _cents(self, sums: Numbers, value: Numbers) -> Numbers:
        if self._flat is None:
            self._flat = np.array(self._terms, dtype=np.int64)
        terms = self._flat[sums]
        found = (terms[:, 0] * value + terms[:, 1]) // terms[:, 2]
        for number in range(_MOST_ROUNDED):
            part = terms[:, 3 + 6 * number : 9 + 6 * number]
            places = np.flatnonzero(part[:, 3])
            if not len(places):
                break
            times, more, under, first, second, third = part[places].T
            found[places] += (first * ((times * value[places] + more) // under) + second) // third
        return found

    def _sum(self, one: Sum) -> int | None:
        number = self._sums.get(one)
        if number is None:
            terms = _terms(one)
            if terms is None:
                return None
            number = self._sums[one] = len(self._terms)
            self._terms.append(terms)
            self._flat = None
        return number

    # ------------------------------------------------------------ stakes
    def _find(self, raw: dict[str, Any]) -> int:
        try:
            line = self._knowledge.read(raw)
            return self._of(line)
        except (ProblemError, LawConflictError):
            return ALONE

    def _of(self, line: Line) -> int:
        evaluated, base = self._knowledge.evaluate(line)
        others = tuple((name, value) for name, value in sorted(line.facts.items()) if name not in _OWN)
        key = (evaluated.plan, line.origin, line.day.year, base.unclaimed, base.base.rate, line.value % self.step, others)
        for tried, number in self._like.get(key, ()):
            if self._holds(tried, line):
                return number
        stakes, tried = stakes_of(self._knowledge, line)
        number = ALONE if stakes is None or not stakes.complete else self._add(stakes)
        self._like.setdefault(key, []).append((tried, number))
        return number

    def _holds(self, tried: Tried, line: Line) -> bool:
        """Whether the claims that were tried on another line lead to the same base duties on this one, and days do not matter."""
        if tried.apart or (tried.day is not None and tried.day != line.day):
            return False
        knowledge = self._knowledge
        for claims, before in tried.claims:
            try:
                base = line_base(knowledge.law, knowledge.reader.with_facts(line, dict(claims)))
            except ProblemError:
                return False
            if (base.column, base.unclaimed, base.base.rate, base.base.value == line.value) != before:
                return False
        return True

    def _add(self, stakes: Stakes) -> int:
        number = self._numbers.get(stakes)
        if number is None:
            low, high = self._sum(stakes.low), self._sum(stakes.high)
            saved = -1 if stakes.saved is None else self._sum(stakes.saved)
            if low is None or high is None or saved is None:
                return ALONE
            number = self._numbers[stakes] = len(self._rows)
            self._rows.append((stakes.least, low, high, saved))
            self.questions.append(stakes.questions)
            self.savings.append(stakes.saving)
        return number


def _terms(one: Sum) -> tuple[int, ...] | None:
    """Return a sum as integers; None where it has too many terms, or does not fit."""
    if len(one.rounded) > _MOST_ROUNDED:
        return None
    found = list(_whole(one.exact.share, one.exact.more))
    for (first, second, third), amount in one.rounded:
        found += [*_whole(amount.share, amount.more), first, second, third]
        if abs(first) * _DOLLARS + second >= _LIMIT:
            return None
    if any(abs(number) * _DOLLARS >= _LIMIT for number in found[0::3]):
        return None
    found += [0, 0, 1, 0, 0, 1] * (_MOST_ROUNDED - len(one.rounded))
    return tuple(found)


def _whole(share: Any, more: Any) -> tuple[int, int, int]:
    under = lcm(share.denominator, more.denominator)
    return int(share * under), int(more * under), under
