"""The stakes that were met, as arrays: rows find theirs, and their ranges and savings are computed together."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tariff_engine.base import line_base
from tariff_engine.bulk.cuts import Amounts
from tariff_engine.bulk.dense import distinct, first_places
from tariff_engine.bulk.keys import UNMET as UNKNOWN
from tariff_engine.bulk.keys import Numbering
from tariff_engine.bulk.seen import Sight
from tariff_engine.bulk.stakes import Staking, explored
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from numpy.typing import NDArray

    from tariff_engine.bulk.stakes import Explored, Rates, Stakes
    from tariff_engine.bulk.sums import Amount, Sum
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

    Numbers = NDArray[np.int64]
    Sought = Callable[[int], tuple[dict[str, Any], int]]  # the facts of a row by its place, and the number of what an inquiry sees of it

EACH, UNMET, BY_REMAINDER, ALONE, NOTHING_OPEN = -4, -3, -2, -1, 0  # EACH and below: rounding decides, for each value by itself
_MOST_ROUNDED = 4  # rates of a sum that are rounded; a sum of more is computed alone
_LIMIT = 2**62
_DOLLARS = 10**11  # the most of a line that has a form
_MOST_KEPT = 200_000
_MOST_BY_REMAINDER = 500_000  # numbers by form and remainder: they alone are let go of, and soon found again
_MOST_EVALUATED = 500  # lines that are evaluated for others, until the evaluator lets go of what it remembers of them
_MOST_WEIGHT = 4_000_000  # of all inquiries kept, in objects


class Stake(NamedTuple):
    """The ranges of some rows in cents: the least, the most, what the best answer saves."""

    low: Numbers
    high: Numbers
    saves: Numbers


class Open(NamedTuple):
    """Rows by what is open on them: the number of their stakes (-1: no form), the number of what an inquiry sees, whether anything is open."""

    forms: Numbers
    sights: Numbers
    opened: NDArray[np.bool_]


class Found(NamedTuple):
    """The number of the stakes of a line, and the remainders of the values for which it stands."""

    number: int
    remainders: frozenset[int]


class Ranges:
    """Stakes under one law. Each form finds its own once; an inquiry is shared by all forms of which it sees the same. What is kept is bounded."""

    def __init__(self, knowledge: Knowledge, worth: int) -> None:
        """Begin with none. An inquiry is made once so many rows that would share it were met; until then these are answered alone."""
        self._knowledge, self._worth = knowledge, worth
        self._amounts = Amounts(knowledge.inquirer.answers, knowledge.law.compiled)
        self._sight = Sight(knowledge)
        self._step = self._amounts.step
        self._all = frozenset(range(self._step))
        self.explored = 0  # inquiries that were made
        self.forget()

    def forget(self) -> None:
        """Let go of all."""
        self._sight.forget()
        self._seen: dict[int, tuple[tuple[Any, ...] | None, tuple[Fraction, ...]]] = {}
        self._of_form = np.full(1024, UNMET, dtype=np.int64)
        self._by_remainder = Numbering()
        self._met: dict[tuple[Any, ...], int] = {}
        self._like: dict[tuple[Any, ...], list[tuple[Explored | None, frozenset[int], dict[Rates, int]]]] = {}
        self._kept = self._weight = 0
        self._pool: dict[Any, Any] = {}
        self._numbers: dict[Stakes, int] = {}
        self._each: list[Staking] = []
        self._sums: dict[Sum, int] = {}
        self._terms: list[tuple[int, ...]] = []
        self._rows: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
        self.questions: list[tuple[str, ...]] = [()]
        self.savings: list[str | None] = [None]
        self.complete = [True]
        self._flat: Numbers | None = None

    @property
    def full(self) -> bool:
        """Whether to forget before the next batch."""
        most = max(len(self._met), len(self._rows), len(self._seen), len(self._sight), self._kept)
        return most >= _MOST_KEPT or self._weight >= _MOST_WEIGHT

    def find(self, rows: Open, dollars: Numbers, read: Callable[[int], dict[str, Any]]) -> Numbers:
        """Return the number of the stakes of each row, -1 where it is answered alone; `read` returns the facts of a row by its place."""
        found = np.where(rows.forms < 0, ALONE, NOTHING_OPEN)
        places = np.flatnonzero((rows.forms >= 0) & rows.opened)
        if not len(places):
            return found
        mine, value = rows.forms[places], dollars[places]

        def sought(place: int) -> tuple[dict[str, Any], int]:
            return read(int(places[place])), int(rows.sights[places[place]])

        self._make_room(int(np.max(mine)))
        numbers = self._of_form[mine]
        self._meet(np.flatnonzero(numbers == UNMET), mine, sought)
        numbers = self._of_form[mine]
        apart = np.flatnonzero(numbers == BY_REMAINDER)
        if len(apart):
            numbers[apart] = self._find_by_remainder(apart, mine[apart], value[apart], sought)
        numbers[numbers == UNMET] = ALONE
        each = np.flatnonzero(numbers <= EACH)
        if len(each):
            numbers[each] = self._of_each(numbers[each], value[each])
        least = np.array([row[0] for row in self._rows], dtype=np.int64)
        found[places] = np.where((numbers > 0) & (value >= least[np.maximum(numbers, 0)]), numbers, ALONE)
        return found

    def _make_room(self, most: int) -> None:
        if most >= len(self._of_form):
            more = np.full(max(most + 1, 2 * len(self._of_form)) - len(self._of_form), UNMET, dtype=np.int64)
            self._of_form = np.concatenate([self._of_form, more])

    def _meet(self, unmet: Numbers, forms: Numbers, sought: Sought) -> None:
        """Find the stakes of the forms that were not met."""
        if not len(unmet):
            return
        keys, inverse = distinct(forms[unmet], len(self._of_form))
        counts = np.bincount(inverse, minlength=len(keys)).tolist()
        first = unmet[first_places(inverse, len(keys))]
        made: dict[int, int] = {}
        for form, place, count in zip(keys.tolist(), first.tolist(), counts, strict=True):
            found = self._find(*sought(place), count)
            if found is None:
                continue
            if found.remainders == self._all:
                self._of_form[form] = found.number
                continue
            self._of_form[form] = BY_REMAINDER
            made.update({form * self._step + one: found.number for one in found.remainders})
        self._keep(made)

    def _find_by_remainder(self, places: Numbers, forms: Numbers, value: Numbers, sought: Sought) -> Numbers:
        """Return the number of the stakes of rows whose value is cut in one way or another by its remainder."""
        keys = forms * self._step + value % self._step
        numbers = self._by_remainder.get(keys)
        missing = np.flatnonzero(numbers == UNKNOWN)
        if not len(missing):
            return numbers
        new, first, inverse = np.unique(keys[missing], return_index=True, return_inverse=True)
        counts = np.bincount(inverse, minlength=len(new)).tolist()
        made: dict[int, int] = {}
        found = np.full(len(new), ALONE, dtype=np.int64)
        for number, (key, place, count) in enumerate(zip(new.tolist(), places[missing[first]].tolist(), counts, strict=True)):
            if key not in made:
                stakes, begin = self._find(*sought(place), count), key - key % self._step
                made.update({begin + one: stakes.number for one in stakes.remainders} if stakes else {})
            found[number] = made.get(key, ALONE)
        self._keep(made)
        numbers[missing] = found[inverse]
        return numbers

    def _keep(self, made: dict[int, int]) -> None:
        """Keep the numbers of stakes by form and remainder."""
        if len(self._by_remainder) + len(made) > _MOST_BY_REMAINDER:
            self._by_remainder.forget()
        self._by_remainder.put(np.array(list(made), dtype=np.int64), np.array(list(made.values()), dtype=np.int64))

    def _of_each(self, numbers: Numbers, value: Numbers) -> Numbers:
        """Return the number of the stakes of rows for which no order of the duties holds at every value."""
        pairs, inverse = np.unique(np.stack([numbers, value]), axis=1, return_inverse=True)
        found = []
        for number, dollars in pairs.T.tolist():
            stakes = self._each[EACH - number].of_one(dollars)
            found.append(ALONE if stakes is None else self._add(stakes))
        return np.array(found, dtype=np.int64)[inverse.ravel()]

    def charge(self, numbers: Numbers, dollars: Numbers, duty: Numbers) -> Stake:
        """Return the ranges of rows, given the stakes, the value and the duty of each."""
        low, high, saves = duty.copy(), duty.copy(), np.zeros(len(duty), dtype=np.int64)
        places = np.flatnonzero(numbers > 0)
        if len(places):
            rows = np.array(self._rows, dtype=np.int64)[numbers[places]]
            value = dollars[places]
            remainder = value % self._step
            low[places] = self._cents(rows[:, 1] + remainder, value)
            high[places] = self._cents(rows[:, 2] + remainder, value)
            saving = rows[:, 3] >= 0
            saves[places[saving]] = duty[places[saving]] - self._cents(rows[saving, 3] + remainder[saving], value[saving])
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
        """Return where a sum stands, with a row for each remainder of the value."""
        number = self._sums.get(one)
        if number is None:
            terms = [_terms(one, remainder) for remainder in range(self._step)]
            if any(row is None for row in terms):
                return None
            number = self._sums[one] = len(self._terms)
            self._terms += [row for row in terms if row]
            self._flat = None
        return number

    # ------------------------------------------------------------ stakes
    def _find(self, raw: dict[str, Any], sight: int, count: int) -> Found | None:
        """Return the stakes of a line, like so many others; None where it is answered alone for now."""
        try:
            return self._of(self._knowledge.read(raw), sight, count)
        except (ProblemError, LawConflictError):
            return Found(ALONE, self._all)

    def _of(self, line: Line, sight: int, count: int) -> Found | None:
        knowledge = self._knowledge
        seen = self._seen.get(sight)
        if seen is None:
            evaluated, base = knowledge.evaluate(line)
            situation = evaluated.plan.situation
            key = None if self._sight.divided(line, situation) else self._sight.of(line, evaluated, base)
            seen = self._seen[sight] = key, situation.floors
            self._rest()
        else:
            base = line_base(knowledge.law, line)
        key, floors = seen
        if key is None:
            return Found(ALONE, self._all)
        like = self._like.setdefault(key, [])
        remainder = line.value % self._step
        for one, remainders, by_rates in like:
            if remainder not in remainders:
                continue
            if one is None:
                return Found(ALONE, self._all)
            rates = one.rates(knowledge, line, base, floors)
            if rates is not None:
                return Found(self._staked(one, rates, by_rates), remainders)
        met = self._met[key] = self._met.get(key, 0) + count
        if met < self._worth:
            return None
        self._kept += 1
        self.explored += 1
        made = explored(knowledge, line, self._amounts)
        if made is not None:
            made.course.share(self._pool)
        self._weight += made.course.weight if made else 1
        known: dict[Rates, int] = {}
        like.append((made, made.remainders if made else self._all, known))
        rates = made.rates(knowledge, line, base, floors) if made else None
        if made is None or rates is None:
            return Found(ALONE, self._all)
        return Found(self._staked(made, rates, known), made.remainders)

    def _rest(self) -> None:
        """Let go, now and then, of what the evaluator remembers of lines that were evaluated for others."""
        if len(self._seen) % _MOST_EVALUATED == 0:
            self._knowledge.rest()
            self._sight.rest()

    def _staked(self, found: Explored, rates: Rates, by_rates: dict[Rates, int]) -> int:
        number = by_rates.get(rates)
        if number is None:
            staking = Staking(self._knowledge, found, rates, self._amounts)
            stakes = staking.of_all()
            if stakes is None:
                self._each.append(staking)
                number = EACH + 1 - len(self._each)
            else:
                number = self._add(stakes)
            by_rates[rates] = number
            self._kept += 1
        return number

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
            self.complete.append(stakes.complete)
        return number


def _terms(one: Sum, remainder: int) -> tuple[int, ...] | None:
    """Return a sum as integers, for values that leave a remainder; None where it has too many terms, or does not fit."""
    if len(one.rounded) > _MOST_ROUNDED:
        return None
    found = list(_whole(one.exact, remainder))
    for (first, second, third), amount in one.rounded:
        found += [*_whole(amount, remainder), first, second, third]
        if abs(first) * _DOLLARS + second >= _LIMIT:
            return None
    if any(abs(number) * _DOLLARS >= _LIMIT for number in found[0::3]):
        return None
    found += [0, 0, 1, 0, 0, 1] * (_MOST_ROUNDED - len(one.rounded))
    return tuple(found)


def _whole(amount: Amount, remainder: int) -> tuple[int, int, int]:
    found = amount.top, amount.extra[remainder % len(amount.extra)], amount.bottom
    common = gcd(*found)
    return found[0] // common, found[1] // common, found[2] // common
