"""Exact money. Every rounding of the engine stands here, once, with its legal source.

- Value: ad valorem rates apply to whole dollars; less than 50 cents is dropped, 50 cents or more is the next dollar (19 CFR 159.3(a)).
- Duty: each heading's duty is stated to the cent, half a cent upward (CBP Form 7501 instructions, block 34).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

CENTS = 100


def whole_dollars(amount: Decimal | Fraction | int) -> int:
    """Return a value in whole dollars, half a dollar upward (19 CFR 159.3(a)). The amount must not be negative."""
    if isinstance(amount, Decimal):
        return int(amount.to_integral_value(ROUND_HALF_UP))
    if isinstance(amount, int):
        return amount
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def cents(amount: Fraction | int) -> int:
    """Return an exact amount of dollars as whole cents, half a cent away from zero."""
    if isinstance(amount, int):
        return amount * CENTS
    top, bottom = amount.numerator * CENTS, amount.denominator
    return (2 * top + bottom) // (2 * bottom) if top >= 0 else -((2 * -top + bottom) // (2 * bottom))


def cents_of(rate: Fraction, dollars: int) -> int:
    """Return a rate on whole dollars as whole cents, half a cent away from zero. Neither may be negative."""
    top, bottom = rate.as_integer_ratio()
    return (2 * CENTS * top * dollars + bottom) // (2 * bottom)


def dollars_text(amount: int) -> str:
    """Return whole cents as a decimal string of dollars: 123456 is "1234.56"."""
    if amount >= CENTS:
        digits = str(amount)
        return f"{digits[:-2]}.{digits[-2:]}"
    if not amount:
        return "0.00"
    sign, size = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{size // CENTS}.{size % CENTS:02d}"


def percent_text(rate: Fraction) -> str:
    """Return a rate as the field writes it: 1/4 is "25%", 3/40 is "7.5%"; a rate without a short decimal form keeps its fraction."""
    return _percent(rate.numerator, rate.denominator)


@lru_cache(maxsize=4096)
def _percent(top: int, whole: int) -> str:
    number = Fraction(top, whole) * 100
    if number.denominator == 1:
        return f"{number.numerator}%"
    bottom, twos, fives = number.denominator, 0, 0
    while bottom % 2 == 0:
        bottom, twos = bottom // 2, twos + 1
    while bottom % 5 == 0:
        bottom, fives = bottom // 5, fives + 1
    if bottom != 1:
        return f"{number.numerator}/{number.denominator}%"
    places = max(twos, fives)
    digits = str(number.numerator * 10**places // number.denominator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}%"


def approximate_percent(rate: Fraction, places: int = 2) -> str:
    """Return a rate rounded for reading only, such as an ad valorem equivalent: "10.53%". Never used in arithmetic."""
    return _approximate(*rate.as_integer_ratio(), places)


def approximate_ratio(top: int, bottom: int, places: int = 2) -> str:
    """Return top / bottom as `approximate_percent` does."""
    scale = 10**places
    number = (200 * scale * top + bottom) // (2 * bottom)
    whole, rest = divmod(number, scale)
    if not rest:
        return f"{whole}%"
    tail = f"{rest:0{places}d}".rstrip("0")
    return f"{whole}.{tail}%"


_approximate = lru_cache(maxsize=4096)(approximate_ratio)
