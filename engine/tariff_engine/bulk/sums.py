"""Duties as sums of cents that follow from the value alone, and from which value on one sum is sure to be more than another.

A rate in whole percent of whole dollars is whole cents. Any other rate is rounded to the cent, half a cent upward (19 CFR 159.3), and so lies
at most half a cent away from its exact amount. Two sums whose rates differ are therefore in the order of their rates from some value on.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations, pairwise
from typing import NamedTuple

Term = tuple[int, int, int]
"""A rate as integers: its cents on some dollars are (first * dollars + second) // third."""
_HALF = Fraction(1, 2)


class Amount(NamedTuple):
    """A number that follows from a value: a share of it, and so much more, by the remainder of the value when it is divided by their count.

    It is whole at the values for which it holds.
    """

    share: Fraction = Fraction(0)
    more: tuple[Fraction, ...] = (Fraction(0),)

    @classmethod
    def of(cls, share: Fraction, more: tuple[Fraction, ...]) -> Amount:
        """Return an amount; where it is the same at every remainder, it is said once."""
        return cls(share, more[:1] if all(one == more[0] for one in more) else more)

    def at(self, value: int) -> int:
        """Return the amount at a value."""
        return int(self.share * value + self.more[value % len(self.more)])

    def at_remainder(self, remainder: int) -> Fraction:
        """Return what is more than the share at values that leave a remainder."""
        return self.more[remainder % len(self.more)]

    def plus(self, other: Amount, times: int = 1) -> Amount:
        """Return this amount and so many times another."""
        count = max(len(self.more), len(other.more))
        more = tuple([self.at_remainder(one) + times * other.at_remainder(one) for one in range(count)])
        return Amount.of(self.share + times * other.share, more)


NOTHING, VALUE = Amount(), Amount(Fraction(1))


class Sum(NamedTuple):
    """Cents: those that are never rounded, and rates on amounts of dollars that are, in order."""

    exact: Amount
    rounded: tuple[tuple[Term, Amount], ...]

    def cents(self, value: int) -> int:
        """Return the cents on a value in whole dollars."""
        return self.exact.at(value) + sum([(first * amount.at(value) + second) // third for (first, second, third), amount in self.rounded])

    @property
    def rate(self) -> Fraction:
        """The cents for each dollar of the value, before any rounding."""
        return self.exact.share + sum([Fraction(first, third) * amount.share for (first, _, third), amount in self.rounded], Fraction(0))

    @property
    def more(self) -> tuple[Fraction, ...]:
        """The cents beside the rate, before any rounding, by the remainder of the value."""
        found = self.exact
        for (first, _, third), amount in self.rounded:
            rate = Fraction(first, third)
            found = found.plus(Amount(amount.share * rate, tuple([rate * one for one in amount.more])))
        return found.more

    @property
    def doubt(self) -> Fraction:
        """How many cents away from its rate it can lie."""
        return max(abs(one) for one in self.more) + _HALF * len(self.rounded)


def sum_of(terms: Iterable[tuple[Term, Amount]]) -> Sum:
    """Return the sum of some rates on some dollars."""
    exact, rounded = NOTHING, list[tuple[Term, Amount]]()
    for term, amount in terms:
        first, _, third = term
        if first % third:
            rounded.append((term, amount))
        else:
            exact = exact.plus(amount, first // third)
    return Sum(exact, tuple(sorted(rounded)))


def settled(sums: Iterable[Sum]) -> int | None:
    """Return the least value from which the order of different sums is the same at every value; None where rounding decides at any."""
    by_rate: dict[Fraction, list[Sum]] = {}
    for one in dict.fromkeys(sums):
        by_rate.setdefault(one.rate, []).append(one)
    if not all(_apart(one, other) for same in by_rate.values() for one, other in combinations(same, 2)):
        return None
    most = max([one.doubt for same in by_rate.values() for one in same], default=Fraction(0))
    gaps = [higher - rate for rate, higher in pairwise(sorted(by_rate))]
    return int(2 * most / min(gaps)) + 1 if gaps else 1


def _apart(one: Sum, other: Sum) -> bool:
    """Whether two sums of the same rate are always in the same order, and never equal."""
    doubt = 0 if one.rounded == other.rounded else _HALF * (len(one.rounded) + len(other.rounded))
    gaps = Amount(Fraction(0), one.more).plus(Amount(Fraction(0), other.more), -1).more
    return min(gaps) > doubt or max(gaps) < -doubt


def settled_between(one: Sum, other: Sum, middle: Sum) -> int | None:
    """Return the least value from which it is sure which of two sums on both sides of a third is farther from it, or that neither is."""
    rate = one.rate + other.rate - 2 * middle.rate
    doubt = one.doubt + other.doubt + 2 * middle.doubt
    if not doubt:
        return 1
    return int(doubt / abs(rate)) + 1 if rate else None
