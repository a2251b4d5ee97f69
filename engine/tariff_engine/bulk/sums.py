"""Duties as sums of cents that follow from the value alone, and from which value on one sum is sure to be more than another.

A rate in whole percent of whole dollars is whole cents. Any other rate is rounded to the cent, half a cent upward (19 CFR 159.3), and so lies
at most half a cent away from its exact amount. Two sums whose rates differ are therefore in the order of their rates from some value on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise
from math import gcd, lcm
from typing import NamedTuple

Term = tuple[int, int, int]
"""A rate as integers: its cents on some dollars are (first * dollars + second) // third."""
_HALF = Fraction(1, 2)


class Amount(NamedTuple):
    """A number that follows from a value: a share of it, and so much more, by the remainder of the value when it is divided by their count.

    All are integers over one number: `top * value + extra[remainder]` of `bottom`. It is whole at the values for which it holds.
    """

    top: int
    bottom: int
    extra: tuple[int, ...]

    @classmethod
    def of(cls, share: Fraction | int, more: Sequence[Fraction | int] = (0,)) -> Amount:
        """Return an amount of a share of the value, and so much more at each remainder."""
        parts = [Fraction(one) for one in (share, *more)]
        bottom = lcm(*(one.denominator for one in parts))
        return cls.reduced(int(parts[0] * bottom), bottom, tuple([int(one * bottom) for one in parts[1:]]))

    @classmethod
    def reduced(cls, top: int, bottom: int, extra: tuple[int, ...]) -> Amount:
        """Return an amount in the least numbers; where it is the same at every remainder, it is said once."""
        extra = extra[:1] if extra.count(extra[0]) == len(extra) else extra
        common = gcd(top, bottom, *extra)
        return cls(top, bottom, extra) if common == 1 else cls(top // common, bottom // common, tuple([one // common for one in extra]))

    @property
    def share(self) -> Fraction:
        """The share of the value."""
        return Fraction(self.top, self.bottom)

    @property
    def more(self) -> tuple[Fraction, ...]:
        """What is more than the share, by remainder."""
        return tuple([Fraction(one, self.bottom) for one in self.extra])

    def at(self, value: int) -> int:
        """Return the amount at a value."""
        return (self.top * value + self.extra[value % len(self.extra)]) // self.bottom

    def plus(self, other: Amount, times: int = 1) -> Amount:
        """Return this amount and so many times another."""
        bottom = lcm(self.bottom, other.bottom)
        mine, its = bottom // self.bottom, times * (bottom // other.bottom)
        first, second = self.extra, other.extra
        if len(first) != len(second):
            count = max(len(first), len(second))
            first, second = (one * (count // len(one)) for one in (first, second))
        extra = tuple([mine * one + its * more for one, more in zip(first, second, strict=True)])
        return Amount.reduced(mine * self.top + its * other.top, bottom, extra)

    def times(self, top: int, bottom: int) -> Amount:
        """Return a fraction of the amount, which need not be whole."""
        return Amount.reduced(self.top * top, self.bottom * bottom, tuple([one * top for one in self.extra]))


NOTHING, VALUE = Amount(0, 1, (0,)), Amount(1, 1, (0,))


@dataclass(frozen=True, slots=True)
class Sum:
    """Cents: those that are never rounded, and rates on amounts of dollars that are, in order. `unrounded` are all, before any rounding."""

    exact: Amount
    rounded: tuple[tuple[Term, Amount], ...]
    unrounded: Amount = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Add up."""
        found = self.exact
        for (first, _, third), amount in self.rounded:
            found = found.plus(amount.times(first, third))
        object.__setattr__(self, "unrounded", found)

    def cents(self, value: int) -> int:
        """Return the cents on a value in whole dollars."""
        return self.exact.at(value) + sum([(first * amount.at(value) + second) // third for (first, second, third), amount in self.rounded])

    @property
    def rate(self) -> Fraction:
        """The cents for each dollar of the value, before any rounding."""
        return self.unrounded.share

    @property
    def more(self) -> tuple[Fraction, ...]:
        """The cents beside the rate, before any rounding, by the remainder of the value."""
        return self.unrounded.more

    @property
    def doubt(self) -> Fraction:
        """How many cents away from its rate it can lie."""
        extra = self.unrounded.extra
        return Fraction(max(*extra, -min(extra)), self.unrounded.bottom) + _HALF * len(self.rounded)


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
    gaps = one.unrounded.plus(other.unrounded, -1).more  # their rates are the same
    return min(gaps) > doubt or max(gaps) < -doubt


def settled_between(one: Sum, other: Sum, middle: Sum) -> int | None:
    """Return the least value from which it is sure which of two sums on both sides of a third is farther from it, or that neither is."""
    rate = one.rate + other.rate - 2 * middle.rate
    doubt = one.doubt + other.doubt + 2 * middle.doubt
    if not doubt:
        return 1
    return int(doubt / abs(rate)) + 1 if rate else None
