"""What a line owes, number by number, in the form in which it is held against what was filed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

BASE = "base"  # the program of the chapter 1-97 number, as answers name it
_FREE, _PERCENT = "Free", "%"
Data = dict[str, Any]


@dataclass(slots=True)
class OwedNumber:
    """A number that is owed: its program and kind, its duty in cents (None: a quantity is missing), rate as text and as a share, and base."""

    number: str
    program: str
    kind: str
    duty: int | None
    rate: str
    share: Fraction | None
    base: int
    shown: Data


@dataclass(frozen=True, slots=True)
class Owed:
    """What a line owes under one law: its numbers in filing order, the verdicts of all programs, and the answer itself."""

    numbers: dict[str, OwedNumber]
    verdicts: Mapping[str, Data]
    answer: Data = field(default_factory=dict)

    @property
    def goods(self) -> OwedNumber:
        """The chapter 1-97 number, which stands last."""
        return next(reversed(self.numbers.values()))

    @property
    def duty(self) -> int | None:
        """All duties in cents; None where one is not known."""
        duties = [one.duty for one in self.numbers.values()]
        return None if None in duties else sum(duty for duty in duties if duty is not None)


def owed(knowledge: Knowledge, line: Line, *, inquire: bool = False, why: bool = True) -> Owed:
    """Return what a line owes. `why` brings the verdicts of all programs. Raises ProblemError and LawConflictError as an assessment does."""
    answer = knowledge.answer(line, "", "full" if why else "none", inquire=inquire)
    numbers: dict[str, OwedNumber] = {}
    credits_: list[tuple[str, int]] = []
    for row in answer["headings"]:
        duty = cents(row["duty"])
        if not row["heading"]:
            credits_.append((row["program"], duty or 0))
            continue
        known = numbers.get(row["heading"])
        if known is None:
            share = _share(row["rate"])
            numbers[row["heading"]] = OwedNumber(
                row["heading"], row["program"], row["kind"], duty, row["rate"], share, int(row["base_value"]), row
            )
            continue
        known.duty = None if known.duty is None or duty is None else known.duty + duty
        known.base += int(row["base_value"])
    _set_off(numbers, credits_)
    return Owed(numbers, {one["program"]: one for one in answer.get("programs", ())}, answer)


def _set_off(numbers: Mapping[str, OwedNumber], credits_: list[tuple[str, int]]) -> None:
    """Take what is set off from the numbers of its program: no number reports it, so it is paid less under theirs."""
    for program, amount in credits_:
        left = -amount
        for one in numbers.values():
            if one.program == program and one.duty and left > 0:
                taken = min(one.duty, left)
                one.duty, left = one.duty - taken, left - taken


def cents(amount: str | None) -> int | None:
    """Return a decimal string of dollars, always with two decimals, in cents."""
    return None if amount is None else int(amount.replace(".", ""))


def _share(rate: str) -> Fraction | None:
    """Return a rate of percents as a share of the value; None for a rate of another form."""
    if rate == _FREE:
        return Fraction(0)
    if not rate.endswith(_PERCENT):
        return None
    try:
        return Fraction(rate[:-1]) / 100
    except ValueError:
        return None


def same(filed: int | None, due: int | None, tolerance: int) -> bool:
    """Whether a duty as filed is the duty that is owed; what is not stated, or not known, differs from nothing."""
    return filed is None or due is None or abs(filed - due) <= tolerance
