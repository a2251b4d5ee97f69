"""The choice of the rate column: general, special by a claimed program, or column 2 (HTS general note 3).

A preference is claimed, never assumed. A claim is granted when the program is in force for the origin on the entry date and its symbol
stands in the special column of the line; a claim that is not granted leaves the general rate and says why in a typed warning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, Literal

from tariff_engine.problems import Problem
from tariff_engine.rates import Rate
from tariff_engine.schedule import TariffLine
from tariff_engine.special_programs import (
    ALL_READ,
    Exclusion,
    Grant,
    Preference,
    Preferences,
    claims_of,
    left_out,
    live_grant,
    note,
    refund_grant,
)

_EIGHT: Final = 8  # digits of the line that a general note names
Column = Literal["general", "special", "column2"]


@dataclass(frozen=True, slots=True)
class Restored:
    """A preference that had lapsed on the entry date and was given back later: its symbol, its rate, the citation."""

    symbol: str
    rate: Rate
    by: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The column that applies, its rate, the symbol that granted it (special only), and warnings about claims.

    `in_force` are the claimed symbols whose program covers the origin on the day, whether or not the line prints them (fees may depend on
    them even where the rate does not). `restored`: a rate that was given back after a lapse, due on request only.
    """

    column: Column
    rate: Rate
    symbol: str | None = None
    warnings: tuple[Problem, ...] = ()
    in_force: tuple[str, ...] = ()
    restored: Restored | None = None


def choose_column(
    line: TariffLine,
    origin: str,
    on: date,
    *,
    spi: str | None,
    usmca: bool | None,
    column2: bool,
    preferences: Preferences,
    known_on: date | None = None,
    denied: Collection[str] = (),
) -> Choice:
    """Return the column of a line for an origin and entry date.

    `spi` is the symbol the filer claims, `usmca` the fact that the goods originate under the USMCA; `column2` says whether the origin is a
    column 2 country on the day, `denied` the facts that the filer states to be false. Of several granted claims the lowest rate is taken
    (general note 3(a)(iii)). Warnings, never silence: `special_column2_origin`, `special_wrong_origin`, `special_denied`,
    `special_product_excluded`, `special_not_in_force`, `special_refund_only`, `special_not_on_line`, `special_needs_heading`,
    `special_not_checked`, `special_not_lower`, `general_already_free`. Raises `ProblemError` `unknown_spi`.
    """
    claims = claims_of(preferences, spi, usmca)
    if column2:
        message = "is claimed, but goods of a column 2 origin bear column 2 rates, which no program lowers"
        return Choice("column2", line.column2, None, tuple(note("special_column2_origin", f"{claim} {message}") for claim in claims))
    best: tuple[Rate, str] | None = None
    warnings: list[Problem] = []
    in_force: list[str] = []
    restored: Restored | None = None
    for claim in claims:
        program = preferences.by_symbol[claim]
        grant, refusal = live_grant(program, origin, on, known_on, denied)
        if grant is None:
            warnings += refusal
            back = refund_grant(preferences, claim, origin, on, known_on, denied)
            given = _granted_rate(line, origin, on, program, back, preferences)[0] if back else None
            if back and given and _lower(given[0], line.general):
                restored = Restored(claim, given[0], back.by)
            continue
        in_force.append(claim)
        granted, notes = _granted_rate(line, origin, on, program, grant, preferences)
        warnings += notes
        if granted is not None and (best is None or _lower(granted[0], best[0])):
            best = granted
    if best is not None and _lower(line.general, best[0]):
        warnings.append(note("special_not_lower", f"the special rate of {best[1]} is above the general rate of {line.hts}, which is taken"))
        best = None
    if best is None:
        return Choice("general", line.general, None, tuple(warnings), tuple(in_force), restored)
    return Choice("special", best[0], best[1], tuple(warnings), tuple(in_force))


def unclaimed_facts(
    preferences: Preferences, line: TariffLine, origin: str, on: date, facts: Mapping[str, object], known_on: date | None = None
) -> tuple[str, ...]:
    """Return the facts that nobody stated and that would claim a special rate on a dutiable line, such as `usmca_qualifying`."""
    if line.general.ad_valorem == (0, 1):
        return ()
    found = []
    for fact, symbols in preferences.by_fact.items():
        if fact in facts or facts.get("spi") in symbols:
            continue
        for symbol in symbols:
            program = preferences.by_symbol[symbol]
            if origin in program.grants and live_grant(program, origin, on, known_on)[0] and any(symbol in s for s, _ in line.special):
                found.append(fact)
                break
    return tuple(found)


def live_grant_of_any(preferences: Preferences, origin: str, on: date, known_on: date | None) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return, for each fact that claims a program, the symbols by which goods of an origin may claim it on a day."""
    found = []
    for fact, symbols in preferences.by_fact.items():
        programs = [preferences.by_symbol[symbol] for symbol in symbols]
        live = (one.symbol for one in programs if origin in one.grants and live_grant(one, origin, on, known_on)[0])
        found.append((fact, frozenset(live)))
    return tuple(found)


def granted_of_all(
    preferences: Preferences, origin: str, on: date, known_on: date | None
) -> tuple[tuple[str, Grant | None, tuple[str, ...], Grant | None], ...]:
    """Return, for each program, the grant that goods of an origin have on a day, or why there is none, and the one that is refunded."""
    found = []
    for symbol, program in preferences.by_symbol.items():
        grant, refusal = live_grant(program, origin, on, known_on)
        back = refund_grant(preferences, symbol, origin, on, known_on)
        found.append((symbol, grant, tuple([one.code for one in refusal]), back))
    return tuple(found)


def _granted_rate(
    line: TariffLine, origin: str, on: date, claim: Preference, grant: Grant, preferences: Preferences
) -> tuple[tuple[Rate, str] | None, list[Problem]]:
    """Return the special rate and symbol that a claim in force obtains on a line, or None; and what to tell about it."""
    name = f"{claim.symbol} ({claim.program})"
    if claim.rate is not None:
        return (claim.rate, claim.symbol), []
    if line.general.ad_valorem == (0, 1):
        return None, [note("general_already_free", f"{name} is not needed for the rate: the general rate of {line.hts} is free")]
    notes: list[Problem] = []
    for printed in claim.prints:
        rate = next((rate for symbols, rate in line.special if printed in symbols), None)
        if rate is None:
            continue
        if rate.reference is not None and rate.reference.kind == "see_heading":
            notes.append(
                note("special_needs_heading", f"{name} on {line.hts}: {rate.reference.text}; without that heading the general rate is due")
            )
            continue
        found, unlisted = _excluded(line, origin, on, printed, preferences)
        if found is not None:
            doubt = "" if found.sure else "; the day was not read, only the editions before and after it"
            notes.append(
                note("special_product_excluded", f"{name}: {printed} does not serve goods of {origin} on {line.hts} ({found.by}{doubt})")
            )
            continue
        if unlisted:
            notes.append(
                note("special_not_checked", f"{name}: this book does not hold the countries that {printed} leaves out on {line.hts}")
            )
        column = preferences.by_symbol.get(printed)
        unchecked = {other.unchecked for other in (column.grants.get(origin, ()) if column else ())} | {grant.unchecked}
        notes += [note("special_not_checked", f"{name}: this book does not hold {condition}") for condition in sorted(unchecked - {""})]
        return (rate, printed), notes
    if not notes:
        offered = ", ".join(sorted({symbol for symbols, _ in line.special for symbol in symbols})) or "no symbol"
        notes.append(note("special_not_on_line", f"{name} does not stand in the special column of {line.hts}, which prints {offered}"))
    return None, notes


def _excluded(line: TariffLine, origin: str, on: date, printed: str, preferences: Preferences) -> tuple[Exclusion | None, bool]:
    """Return the exclusion of an origin from a printed symbol on a line; and whether the book has none for a line that must have some."""
    listed = preferences.excluded.get(printed, {})
    digits = line.hts[:_EIGHT]
    return left_out(preferences, printed, digits, origin, on), ALL_READ in listed and digits not in listed


def _lower(one: Rate, other: Rate) -> bool:
    """Whether a rate is lower than another, where both are percentages of the value; rates in other terms are not compared."""
    if one.ad_valorem is None or other.ad_valorem is None:
        return False
    return Fraction(*one.ad_valorem) < Fraction(*other.ad_valorem)
