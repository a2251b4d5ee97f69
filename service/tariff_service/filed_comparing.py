"""A filed line held against what it owes: each number that differs, the kind of error, and its dollars.

What was filed is right where it is right by the law as known today, or as known when it was filed. The differences of a line add up: what
was paid, less what is owed today, is the sum of its errors (against the law as known then) and of what later law changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.money import cents_of, percent_text
from tariff_service.filed_owed import BASE, Owed, OwedNumber, same

if TYPE_CHECKING:
    from tariff_service.filed_eras import Era, Eras
    from tariff_service.filed_reading import FiledLine, FiledNumber

MISSING, EXTRA, RATE, VALUE, ERA = "missing_heading", "extra_heading", "wrong_rate", "wrong_base", "wrong_era"
SEQUENCE, REFUND, LATER, FACTS = "out_of_sequence", "refund_candidate", "owed_by_later_law", "needs_facts"
_FINEST = 1000  # a rate of law has at most this many parts in a whole: tenths of a percent


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference. `filed` and `owed` in cents (None: not known), of the numbers named; `later`: the law changed after the filing.

    `rate` and `base` are what the filed amount stands for: the rate on the right base, or the base at the right rate. `order` is the right
    order of filing; `numbers` are those that later law changed.
    """

    type: str
    filed_number: str | None
    owed_number: str | None
    filed: int | None
    owed: int | None
    later: bool = False
    rate: str = ""
    base: int | None = None
    era: Era | None = None
    order: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def difference(self) -> int | None:
        """What was paid too much, in cents; what was paid too little where it is negative."""
        return None if self.filed is None or self.owed is None else self.filed - self.owed


@dataclass(frozen=True, slots=True)
class Comparison:
    """A filed line beside the law as known when it was filed (`then`) and as known today (`now`)."""

    filed: FiledLine
    then: Owed
    now: Owed
    eras: Eras
    tolerance: int = 0

    def stated(self, number: str) -> FiledNumber | None:
        """Return what was filed under a number."""
        if number == self.now.goods.number:
            return self.filed.goods
        return next((one for one in self.filed.others if one.number == number), None)

    def fits(self, number: str, due: Owed) -> bool:
        """Whether a number was filed as it is owed by one law: under it, or not at all, and with its duty."""
        filed, one = self.stated(number), due.numbers.get(number)
        if filed is None or one is None:
            return filed is None and one is None
        return same(filed.duty, one.duty, self.tolerance)

    def whole(self, due: Owed) -> bool:
        """Whether the line was filed just as it is owed by one law."""
        numbers = {*due.numbers, *(one.number for one in self.filed.others)}
        return all(self.fits(number, due) for number in numbers)


def findings(compared: Comparison) -> list[Finding]:
    """Return every difference of a line: errors of filing, in the order of the numbers; then what later law changed, then the order."""
    numbers = dict.fromkeys([*compared.then.numbers, *compared.now.numbers, *(one.number for one in compared.filed.others)])
    wrong = [number for number in numbers if not compared.fits(number, compared.now) and not compared.fits(number, compared.then)]
    moved = [number for number in numbers if not compared.fits(number, compared.now) and _changed(compared, number)]
    found = [*_errors(compared, wrong), *_later(compared, moved)]
    order = _sequence(compared)
    return [*found, order] if order else found


# ---------------------------------------------------------------- errors of filing
def _errors(compared: Comparison, wrong: Sequence[str]) -> Iterator[Finding]:
    then = compared.then
    extra = [number for number in wrong if number not in then.numbers]
    missing = [number for number in wrong if compared.stated(number) is None]
    for number in extra:
        filed = compared.stated(number)
        duty = filed.duty if filed else 0
        era = compared.eras.find(number, duty) or compared.eras.find(number)
        if era is None:
            yield Finding(EXTRA, number, None, duty, 0)
            continue
        other = _instead(then, era.owed, number, missing)
        if other is not None:
            missing.remove(other.number)
        yield Finding(ERA, number, other.number if other else None, duty, other.duty if other else 0, era=era)
    for number in missing:
        yield Finding(MISSING, None, number, 0, then.numbers[number].duty)
    for number in wrong:
        filed, one = compared.stated(number), then.numbers.get(number)
        if filed is not None and one is not None:
            yield _amount(compared, filed, one)


def _instead(then: Owed, era: Owed, number: str, missing: Sequence[str]) -> OwedNumber | None:
    """Return the number that stands on the day of entry where the other era has one: of the same program if there is one."""
    open_ = [then.numbers[one] for one in missing if one not in era.numbers]
    program = era.numbers[number].program
    return next((one for one in open_ if one.program == program), open_[0] if open_ else None)


def _amount(compared: Comparison, filed: FiledNumber, one: OwedNumber) -> Finding:
    """Tell why the amount under the right number is wrong: the value, the rate of another day, or another rate."""
    paid = filed.duty or 0
    base = _other_base(compared, filed, one, paid)
    if base is not None and filed.value == base:
        return Finding(VALUE, one.number, one.number, paid, one.duty, base=base)
    era = compared.eras.find(one.number, paid)
    if era is not None:
        return Finding(ERA, one.number, one.number, paid, one.duty, era=era)
    if base is not None:
        return Finding(VALUE, one.number, one.number, paid, one.duty, base=base)
    rate = _plain_rate(paid, one.base)
    if rate is None and one.share and not paid % 1:
        base = _whole_base(paid, one.share)
        if base is not None:
            return Finding(VALUE, one.number, one.number, paid, one.duty, base=base)
    return Finding(RATE, one.number, one.number, paid, one.duty, rate="" if rate is None else percent_text(rate))


def _other_base(compared: Comparison, filed: FiledNumber, one: OwedNumber, paid: int) -> int | None:
    """Return the value at which the right rate gives what was paid: that stated beside the number, or another base of the line."""
    if not one.share or not paid:
        return None
    known = [number.base for number in compared.then.numbers.values()]
    line = compared.filed.line.value
    others = [filed.value or 0, line, *known, *(line - base for base in known)]
    return next((base for base in others if base and base != one.base and cents_of(one.share, base) == paid), None)


def _plain_rate(paid: int, base: int) -> Fraction | None:
    """Return the rate, in tenths of a percent, that gives what was paid on a base; None where no such rate does."""
    if not base:
        return None
    rate = Fraction(round(Fraction(paid * _FINEST, base * 100)), _FINEST)
    return rate if cents_of(rate, base) == paid else None


def _whole_base(paid: int, share: Fraction) -> int | None:
    """Return the whole dollars on which a rate gives what was paid, if there are such."""
    base = round(Fraction(paid, 100) / share)
    return base if cents_of(share, base) == paid else None


# ---------------------------------------------------------------- later law
def _changed(compared: Comparison, number: str) -> bool:
    then, now = compared.then.numbers.get(number), compared.now.numbers.get(number)
    return (then.duty if then else None) != (now.duty if now else None) or (then is None) != (now is None)


def _later(compared: Comparison, moved: Sequence[str]) -> Iterator[Finding]:
    """Yield what the law that came after the filing changed, as one finding: each of its numbers by itself says nothing."""
    before = [one.duty for number in moved if (one := compared.then.numbers.get(number))]
    after = [one.duty for number in moved if (one := compared.now.numbers.get(number))]
    if not moved or None in before or None in after:
        return
    was, is_ = (sum(duty for duty in duties if duty is not None) for duties in (before, after))
    if was != is_:
        yield Finding(REFUND if was > is_ else LATER, None, None, was, is_, later=True, numbers=tuple(moved))


# ---------------------------------------------------------------- the order of filing
def _sequence(compared: Comparison) -> Finding | None:
    """Return the finding on the order, if the file says one and it is not that of either law, among the numbers that are owed."""
    if not compared.filed.in_order:
        return None
    filed = [one.number for one in compared.filed.others]
    orders = []
    for law in (compared.now, compared.then):
        right = [number for number, one in law.numbers.items() if one.program != BASE and number in filed]
        if [number for number in filed if number in right] == right:
            return None
        orders.append(right)
    return Finding(SEQUENCE, None, None, 0, 0, order=tuple(orders[0]))
