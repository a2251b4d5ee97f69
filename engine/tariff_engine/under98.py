"""A line that is entered under a number of chapter 98: the dollars that stay dutiable, the rate, and what nobody stated."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tariff_engine.chapter98 import Treatment, enter
from tariff_engine.money import whole_dollars
from tariff_engine.preferences import Restored
from tariff_engine.problems import Problem
from tariff_engine.rates import Rate, parse_rate
from tariff_engine.special_programs import claims_of, denials, left_out, note, refund_grant, refusals

if TYPE_CHECKING:
    from tariff_engine.chapter98 import Number
    from tariff_engine.facts import Line
    from tariff_engine.law import Law
    from tariff_engine.special_programs import Exclusion

_FREE = parse_rate("Free")


@dataclass(frozen=True, slots=True)
class Open:
    """An amount that nobody stated: the fact, the dollars that were taken, and why."""

    fact: str
    taken: Decimal
    because: str


@dataclass(frozen=True, slots=True)
class Under:
    """How the base of a line is charged under a chapter 98 number; `number` is "" where there is none, or it is not honored.

    `value` is the dutiable part in whole dollars (None: all of it), `rate` the number's own rate (None: that of the chapter 1-97 number),
    `retail` the retail value that it is taken on, `freed` whether the number leaves nothing dutiable,
    `bond` whether it takes a bond in place of duty.
    """

    number: str = ""
    treatment: str = ""
    value: int | None = None
    rate: Rate | None = None
    retail: int | None = None
    symbol: str | None = None
    freed: bool = False
    bond: bool = False
    open: tuple[Open, ...] = ()
    restored: Restored | None = None
    warnings: tuple[Problem, ...] = ()


def enter_under(law: Law, line: Line, *, column2: bool) -> Under:
    """Return how a line is entered under the number that it claims. Raises ProblemError `unknown_spi`."""
    number, warning = law.chapter98.find(str(line.facts["chapter98"]), line.day)
    if number is None:
        return Under(warnings=(warning,) if warning else ())
    retail = line.facts.get("fair_retail_value")
    if number.limit is not None and (line.value if retail is None else retail) > number.limit:
        message = f"goods worth more than ${number.limit} at retail are not entered under {number.number}; it relieves of nothing here"
        fix = "enter what is within the limit on a line of its own"
        return Under(warnings=(Problem("chapter98_over_limit", "chapter98", message, fix),))
    claims = claims_of(law.preferences, line.facts.get("spi"), line.facts.get("usmca_qualifying"))
    denied = denials(law.preferences, line.facts)
    entered = enter(
        number,
        claims,
        lambda symbol: _refused(law, line, number, symbol, denied),
        column2=column2,
    )
    if entered.treatment is None:
        return Under(restored=_restored(law, line, number, claims or number.symbols, denied), warnings=entered.warnings)
    return _charged(law, line, number, entered.treatment, entered.symbol)


def _left_out(law: Law, line: Line, number: Number, symbol: str) -> Exclusion | None:
    """Return the exclusion of the origin from a symbol under a number, or under one of those that a shorter number stands for."""
    below = (code for code in law.chapter98.numbers if code.startswith(number.number.replace(".", "")))
    found = (left_out(law.preferences, symbol, code, line.origin, line.day) for code in below)
    return next(filter(None, found), None)


def _refused(law: Law, line: Line, number: Number, symbol: str, denied: tuple[str, ...]) -> tuple[Problem, ...]:
    """Return why a program does not open the number to the goods; () where it does."""
    why = refusals(law.preferences, symbol, line.origin, line.day, law.known_on, denied)
    barred = _left_out(law, line, number, symbol)
    if barred is None or why:
        return why
    return (note("special_product_excluded", f"{symbol} does not serve goods of {line.origin} under {number.number} ({barred.by})"),)


def _restored(law: Law, line: Line, number: Number, claims: tuple[str, ...], denied: tuple[str, ...]) -> Restored | None:
    """Return the freedom that a program under the number was given back for the day, if it was."""
    for symbol in claims:
        printed = number.printed(symbol)
        back = refund_grant(law.preferences, symbol, line.origin, line.day, law.known_on, denied)
        barred = _left_out(law, line, number, symbol)
        if back and not barred and printed and printed.how == "free":
            return Restored(symbol, _FREE, back.by)
    return None


def _charged(law: Law, line: Line, number: Number, treatment: Treatment, symbol: str | None) -> Under:
    how, word = treatment.how, treatment.word
    if how == "free" and symbol is not None:  # free by a program: what the number leaves to others stays what it is
        general = number.general.how if number.general else "value"
        if general == "bond":
            return Under(number.number, general, 0, symbol=symbol, bond=True)
        part, open_ = _part(law, line, general)
        return Under(number.number, word, part, _FREE, symbol=symbol, open=open_)
    if how in {"free", "bond"}:
        return Under(number.number, word, 0, symbol=symbol, freed=how == "free", bond=how == "bond")
    if how == "retail":
        stated = line.facts.get("fair_retail_value")
        retail = line.value if stated is None else whole_dollars(stated)
        open_ = () if stated is not None else (_open(law, "retail", Decimal(line.value)),)
        return Under(number.number, word, None, treatment.rate, retail, symbol, open=open_)
    part, open_ = _part(law, line, how)
    warnings: tuple[Problem, ...] = ()
    if how == "unheld":
        message = f"{number.number} has a duty that is not in the law book; the base duty is computed on the full value"
        warnings = (Problem("chapter98_not_modelled", "chapter98", message, "check the base duty by hand"),)
    return Under(number.number, word, part, treatment.rate, symbol=symbol, open=open_, warnings=warnings)


def _part(law: Law, line: Line, how: str) -> tuple[int, tuple[Open, ...]]:
    """Return the dutiable dollars of a treatment, and the amount that nobody stated."""
    if how == "work":
        worked = line.facts.get("processing_value")
        if worked is None:
            return line.value, (_open(law, how, Decimal(line.value)),)
        return min(whole_dollars(worked), line.value), ()
    if how == "less_us":
        if "us_content" not in line.content:
            return line.value, (_open(law, how, Decimal(0)),)
        return line.value - line.content["us_content"], ()
    return line.value, ()


def _open(law: Law, how: str, taken: Decimal) -> Open:
    meaning = law.chapter98.meanings[how]
    return Open(meaning.asks, taken, meaning.because)
