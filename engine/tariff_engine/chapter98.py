"""What a number of chapter 98 does to the base duty of a line: which part of the value stays dutiable, and at which rate.

The numbers are data (`chapter98.csv`), a treatment for each column of the schedule. A number whose general column is empty is entered by a
special program only, so the number is itself a claim of that program. A number that cannot be honoured relieves of nothing, neither of the
base duty nor of duties of chapter 99, and says so in a typed warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from tariff_engine.problems import Problem
from tariff_engine.rates import Rate

How = Literal["free", "bond", "work", "less_us", "value", "rate", "retail", "unheld"]
_DIGITS: Final = 8  # of the number that bears the legal rate


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one column of a number charges; `rate` is the number's own, where it has one."""

    how: How
    rate: Rate | None = None

    @property
    def word(self) -> str:
        """The name of the treatment in chapter98.yaml."""
        return "rate" if self.rate is not None and self.how != "retail" else self.how


@dataclass(frozen=True, slots=True)
class Number:
    """A number of chapter 98 as it stands on the days [`starts`, `until`). A column that is None is closed.

    `limit`: the fair retail value in dollars up to which goods may be entered under it.
    """

    number: str
    starts: date
    until: date | None
    general: Treatment | None
    special: tuple[tuple[frozenset[str], Treatment], ...]
    column2: Treatment | None
    limit: int | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that may enter under the number, in order."""
        return tuple(sorted({symbol for symbols, _ in self.special for symbol in symbols} - {_ANY}))

    def printed(self, symbol: str) -> Treatment | None:
        """Return what the special column says to a symbol."""
        return next((treatment for symbols, treatment in self.special if symbol in symbols or _ANY in symbols), None)


_ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a treatment is told as, and the fact that it asks for."""

    says: str
    cite: str
    asks: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Chapter98:
    """All numbers by their digits, in order of their days; what the treatments mean."""

    numbers: dict[str, tuple[Number, ...]]
    meanings: dict[str, Meaning]
    cite: str = ""

    def find(self, claim: str, on: date) -> tuple[Number | None, Problem | None]:
        """Return the number that is claimed, as it stands on a day; or the warning why there is none.

        Fewer than eight digits are enough where every number below has the same treatment.
        """
        digits = claim.replace(".", "")
        known = self.numbers.get(digits[:_DIGITS], ())
        if not known and len(digits) < _DIGITS:
            return self._group(claim, digits, on)
        if not known:
            return None, _warn(
                "chapter98_not_modelled",
                f"{claim} is not in the law book; it relieves of nothing here",
                "check the number, and the duty by hand",
            )
        for number in known:
            if number.starts <= on and (number.until is None or on < number.until):
                return number, None
        spans = ", ".join(f"{number.starts} until {number.until or 'further notice'}" for number in known)
        return None, _warn(
            "chapter98_not_in_force", f"{claim} does not stand on the day of entry; its days are {spans}", "send a number of the entry date"
        )

    def _group(self, claim: str, digits: str, on: date) -> tuple[Number | None, Problem | None]:
        found = [
            number
            for code, numbers in self.numbers.items()
            if code.startswith(digits)
            for number in numbers
            if number.starts <= on and (number.until is None or on < number.until)
        ]
        if not found:
            return None, _warn(
                "chapter98_not_modelled",
                f"{claim} is not in the law book; it relieves of nothing here",
                "check the number, and the duty by hand",
            )
        if len({(number.general, number.special, number.column2) for number in found}) > 1:
            named = ", ".join(number.number for number in found[:4])
            return None, _warn(
                "chapter98_incomplete",
                f"the numbers under {claim} differ in their duty; it relieves of nothing here",
                f"send one of {named} ...",
            )
        first = found[0]
        return Number(claim, first.starts, first.until, first.general, first.special, first.column2), None


@dataclass(frozen=True, slots=True)
class Entered:
    """How a line is entered under a number: the treatment, the symbol that opened it (if one did), and warnings.

    `treatment` is None where the number is not honoured.
    """

    number: str
    treatment: Treatment | None
    symbol: str | None
    warnings: tuple[Problem, ...]


def enter(number: Number, claims: tuple[str, ...], refused: Callable[[str], tuple[Problem, ...]], *, column2: bool) -> Entered:
    """Return how goods are entered under a number.

    `claims` are the symbols that the filer states; `refused` tells why a program does not cover the goods on the day, () where it does.
    """
    if column2:
        if number.column2 is None:
            return _closed(number, "goods of a column 2 origin are not entered under it", ())
        return Entered(number.number, number.column2, None, ())
    notes: list[Problem] = []
    for symbol in claims or (number.symbols if number.general is None else ()):
        printed = number.printed(symbol)
        if printed is None:
            continue
        why = refused(symbol)
        if not why:
            return Entered(number.number, printed, symbol, ())
        notes += why
    if number.general is None:
        need = ", ".join(number.symbols) or "a program that this book does not hold"
        return _closed(number, f"it is entered under {need} only", tuple(notes))
    return Entered(number.number, number.general, None, ())


def _closed(number: Number, why: str, notes: tuple[Problem, ...]) -> Entered:
    warning = _warn(
        "chapter98_not_honored", f"{number.number} relieves of nothing here: {why}", "check the claim; the goods pay as if it were not made"
    )
    return Entered(number.number, None, None, (*notes, warning))


def _warn(code: str, message: str, fix: str) -> Problem:
    return Problem(code, "chapter98", message, fix)


NO_CHAPTER98: Final = Chapter98({}, {})
