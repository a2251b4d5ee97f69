"""From which value on the law picks the same duties as the lowest, when what is compared follows from the value.

Where law asks for the lowest of several duties, an inquiry keeps which one it was. Each of them is a rate on an amount, so the difference of two
is a straight line of the value: it tells one and the same winner from some value on.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.bulk.sums import NOTHING, VALUE, Amount
from tariff_engine.compiled.plan import numbers_of, rate_that_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tariff_engine.bulk.cuts import Parts
    from tariff_engine.compiled.plan import Term
    from tariff_engine.inquiry_course import Guard


def straight(guards: Iterable[Guard], parts: Sequence[Parts]) -> bool:
    """Whether what guards compare are shares of the value, but for some dollars."""
    return all(
        frame is None and (not cut or all(parts[cut - 1][place] is not None for place in numbers_of(mask)))
        for cut, _, terms, _ in guards
        for _, _, mask, frame in terms
    )


def held_from(guards: Iterable[Guard], rates: Sequence[Fraction], parts: Sequence[Parts]) -> int | None:
    """Return the least value from which all guards hold, given the rates of the base duties; None where some never does, or not for ever."""
    least = 1
    for cut, base, terms, winner in guards:
        duties = [_amount(term, cut, parts).times(*rate_that_counts(*term[:2], rates[base]).as_integer_ratio()) for term in terms]
        for place, duty in enumerate(duties):
            found = 1 if place == winner else _reached_from(duty.plus(duties[winner], -1), strictly=place < winner)
            if found is None:
                return None
            least = max(least, found)
    return least


def _reached_from(difference: Amount, *, strictly: bool) -> int | None:
    """Return the least value from which a difference is not below zero, or above it; None where it is not so for ever."""
    short = -min(difference.extra)
    if not difference.top:
        return 1 if short < 0 or (short == 0 and not strictly) else None
    return max(1, short // difference.top + 1) if difference.top > 0 else None


def _amount(term: Term, cut: int, parts: Sequence[Parts]) -> Amount:
    """The dollars on which a duty is taken: of the whole value where the line is not cut."""
    places = numbers_of(term[2])
    if not cut:
        return VALUE if places else NOTHING
    found = NOTHING
    for place in places:
        found = found.plus(parts[cut - 1][place] or NOTHING)
    return found
