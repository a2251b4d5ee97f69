"""Duties as sums of cents that follow from the value alone, and from which value on one sum is sure to be more than another.

A rate in whole percent of whole dollars is whole cents. Any other rate is rounded to the cent, half a cent upward (19 CFR 159.3), and so lies
at most half a cent away from its exact amount. Two sums whose rates differ are therefore in the order of their rates from some value on.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

Term = tuple[int, int, int]
"""A rate that is no whole percent, as integers: its cents are (first * dollars + second) // third."""


class Sum(NamedTuple):
    """Cents that follow from whole dollars: so many for each dollar, and rates that are rounded, in order."""

    whole: int
    rounded: tuple[Term, ...]

    def cents(self, dollars: int) -> int:
        """Return the cents on a value."""
        return self.whole * dollars + sum([(first * dollars + second) // third for first, second, third in self.rounded])

    @property
    def rate(self) -> Fraction:
        """The cents for each dollar, before any rounding."""
        return self.whole + sum([Fraction(first, third) for first, _, third in self.rounded], Fraction(0))


def sum_of(terms: Iterable[Term]) -> Sum:
    """Return the sum of some rates."""
    whole, rounded = 0, list[Term]()
    for first, second, third in terms:
        if first % third:
            rounded.append((first, second, third))
        else:
            whole += first // third
    return Sum(whole, tuple(sorted(rounded)))


def settled(sums: Iterable[Sum]) -> int | None:
    """Return the least value from which the order of some sums is that of their rates; None where rounding decides at any value."""
    by_rate: dict[Fraction, Sum] = {}
    most = 0
    for one in sums:
        if by_rate.setdefault(one.rate, one) != one:
            return None
        most = max(most, len(one.rounded))
    rates = sorted(by_rate)
    gap = min((after - before for before, after in zip(rates, rates[1:], strict=False)), default=None)
    return 1 if gap is None or not most else int(most / gap) + 1


def settled_between(one: Sum, other: Sum, middle: Sum) -> int | None:
    """Return the least value from which it is sure whether `one` or `other` is farther from `middle`, which lies between them, or neither."""
    rate = one.rate + other.rate - 2 * middle.rate
    doubt = len(one.rounded) + len(other.rounded) + 2 * len(middle.rounded)
    if not doubt:
        return 1
    return int(Fraction(doubt, 2) / abs(rate)) + 1 if rate else None
