"""What the schedule says of one number, the special column read into rates, and the warnings about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tariff_engine.problems import Problem
from tariff_engine.rates import Rate, parse_rate

_DEGREES: Final = "(and fractions of a degree in proportion)"  # the one bracket of a rate text that holds no symbols
_DEGREES_MARK: Final = "\0"

SpecialRates = tuple[tuple[frozenset[str], Rate], ...]


@dataclass(frozen=True, slots=True)
class TariffLine:
    """What the schedule says of a number: `hts` as asked (digits), the code that prints its rate, the rates, and what to know about it.

    `units` are the units of quantity as printed. Warnings are `Problem`s that do not hinder the answer: `schedule_gap`,
    `statistical_suffix_unknown`. `special_doubts` names symbols whose rate on the day stands in no table, and is carried over or left out.
    """

    hts: str
    rate_line: str
    units: tuple[str, ...]
    general: Rate
    special: SpecialRates
    column2: Rate
    edition: str
    warnings: tuple[Problem, ...] = ()
    special_doubts: frozenset[str] = frozenset()


def parse_special(text: str) -> SpecialRates:
    """Return the rates of a special column with the symbols that may claim each, in the order printed.

    A bracket that follows another without a rate between them adds to its symbols. Raises `ProblemError` `rate_not_understood`.

    >>> [(sorted(symbols), len(rate.terms)) for symbols, rate in parse_special("Free (AU,S) 2.5% (KR)")]
    [(['AU', 'S'], 0), (['KR'], 1)]
    """
    groups: list[tuple[frozenset[str], Rate]] = []
    *closed, tail = text.replace(_DEGREES, _DEGREES_MARK).split(")")
    for piece in closed:
        head, _, inner = piece.partition("(")
        head = head.replace(_DEGREES_MARK, _DEGREES)
        symbols = frozenset(inner.replace("(", " ").replace(",", " ").replace(".", " ").split())
        if head.strip() and symbols:
            groups.append((symbols, parse_rate(head.strip(" ,\n"))))
        elif groups and symbols:
            groups[-1] = (groups[-1][0] | symbols, groups[-1][1])
        else:
            parse_rate(f"({text}")  # neither rate nor symbols: refused by the language of rates
    if tail.strip(" /\n"):
        parse_rate(f"({tail}")
    return tuple(groups)


def special_gap(line: TariffLine, symbols: Iterable[str]) -> tuple[Problem, ...]:
    """Return a warning where a claim may use symbols whose rates on the entry date stand in no table."""
    doubted = sorted(line.special_doubts.intersection(symbols))
    if not doubted:
        return ()
    return (
        gap(
            f"no table gives the special rates of the entry date for {', '.join(doubted)} on {line.hts}: what the table before says is used"
        ),
    )


def gap(message: str) -> Problem:
    """Return the warning that a rate or a number was taken from another table than that of the entry date."""
    return Problem("schedule_gap", "hts", message, "check the number and its rate in the edition of the entry date")


def dotted(code: str) -> str:
    """Print a code as the schedule does: 8471.30.01.00 without the last dot, "8471.30.0100"."""
    return ".".join(part for part in (code[:4], code[4:6], code[6:]) if part)
