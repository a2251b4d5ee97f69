"""Special programs: who may claim which symbol, and on which days; what was given back after a lapse."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from tariff_engine.problems import Problem, refuse
from tariff_engine.rates import Rate

_ANY: Final = "*"
ALL_READ: Final = ""  # in place of digits: the exclusions of every line that prints the symbol were read
USMCA: Final = "usmca_qualifying"  # the fact, by its name in the dictionary of facts


@dataclass(frozen=True, slots=True)
class Grant:
    """A span [`starts`, `until`) in which an origin ("*": any of column 1) may claim a symbol.

    `refund`: the rate is general at entry and the preference is a refund on request. `known_from`: the day the act behind it was published,
    if the span is retroactive or was once not law. `by`: the citation. `unchecked`: a condition of the span that this book does not hold;
    a grant warns of it.
    """

    origin: str
    starts: date
    until: date | None
    refund: bool
    known_from: date | None
    by: str
    unchecked: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A country that a general note excludes from a symbol for one eight-digit line, on [`starts`, `until`); `by`: the citation.

    A row without digits says that the lines of its symbol were all read: one that is missing leaves out nobody that is known.
    `sure` is whether the days were read, and not only the editions between which the exclusion came or went.
    """

    origin: str
    starts: date
    until: date | None
    by: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Preference:
    """A program that a filer claims by a symbol (special program indicator).

    `prints` are the symbols of a special column that the claim may use, in order; `rate` the rate where a general note, not the column,
    grants it; `claimed_by` the fact of a line that claims it without a symbol; `needs` the fact that a claim says of the goods, so that a
    line which denies it is not granted; `grants` the spans by origin.
    """

    symbol: str
    program: str
    prints: tuple[str, ...]
    rate: Rate | None
    claimed_by: str
    needs: str
    grants: dict[str, tuple[Grant, ...]]


@dataclass(frozen=True, slots=True)
class Preferences:
    """All programs by symbol; `by_fact` are the symbols that a fact of the line claims, such as `usmca_qualifying`, the plainest first.

    `excluded`: by printed symbol and eight digits, the countries that the symbol does not serve on the line. `needs` are
    the facts that some claim says of the goods.
    """

    by_symbol: dict[str, Preference]
    by_fact: dict[str, tuple[str, ...]]
    excluded: dict[str, dict[str, tuple[Exclusion, ...]]]
    needs: tuple[str, ...]


def claims_of(preferences: Preferences, spi: str | None, usmca: bool | None) -> tuple[str, ...]:
    """Return the symbols that a line claims. Raises `ProblemError` `unknown_spi`."""
    claims: tuple[str, ...] = (spi.strip().upper(),) if spi and spi.strip() else ()
    if claims and claims[0] not in preferences.by_symbol:
        known = ", ".join(sorted(preferences.by_symbol))
        raise refuse("unknown_spi", "spi", f"{spi!r} is no special program indicator of this book", f"send one of {known}")
    if usmca:
        symbols = preferences.by_fact[USMCA]
        claims += () if claims and claims[0] in symbols else symbols[:1]
    return claims


def refusals(
    preferences: Preferences, symbol: str, origin: str, on: date, known_on: date | None = None, denied: Collection[str] = ()
) -> tuple[Problem, ...]:
    """Return why a program does not cover goods of an origin on a day; () where it does."""
    return tuple(live_grant(preferences.by_symbol[symbol], origin, on, known_on, denied)[1])


def refund_grant(
    preferences: Preferences, symbol: str, origin: str, on: date, known_on: date | None = None, denied: Collection[str] = ()
) -> Grant | None:
    """Return the span that was given back after a lapse, as far as that was known; None where there is none."""
    claim = preferences.by_symbol[symbol]
    if claim.needs in denied:
        return None
    ours = claim.grants.get(origin, ()) or claim.grants.get(_ANY, ())
    spans = (grant for grant in ours if grant.refund and grant.starts <= on and (grant.until is None or on < grant.until))
    return next((grant for grant in spans if known_on is None or grant.known_from is None or grant.known_from <= known_on), None)


def left_out(preferences: Preferences, symbol: str, digits: str, origin: str, on: date) -> Exclusion | None:
    """Return the exclusion of an origin from a symbol on a number of eight digits, on a day."""
    rows = preferences.excluded.get(symbol, {}).get(digits, ())
    return next((r for r in rows if r.origin == origin and r.starts <= on and (r.until is None or on < r.until)), None)


def denials(preferences: Preferences, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the facts that a claim says of the goods and that a line states to be false."""
    return tuple([fact for fact in preferences.needs if facts.get(fact) is False])


def live_grant(
    claim: Preference, origin: str, on: date, known_on: date | None, denied: Collection[str] = ()
) -> tuple[Grant | None, list[Problem]]:
    """Return the grant under which a claim is good for an origin and day, or why there is none."""
    name = f"{claim.symbol} ({claim.program})"
    if claim.needs in denied:
        return None, [note("special_denied", f"{name} is claimed, and {claim.needs} is stated to be false")]
    ours = claim.grants.get(origin, ()) or claim.grants.get(_ANY, ())
    if not ours:
        return None, [note("special_wrong_origin", f"{name} does not cover goods of {origin}")]
    visible = [grant for grant in ours if known_on is None or grant.known_from is None or grant.known_from <= known_on]
    live = [grant for grant in visible if grant.starts <= on and (grant.until is None or on < grant.until)]
    if not live:
        spans = ", ".join(f"{grant.starts} until {grant.until or 'further notice'}" for grant in visible if not grant.refund)
        return None, [
            note("special_not_in_force", f"{name} is not in force for {origin} on {on}; its days are {spans or 'not yet published'}")
        ]
    for grant in live:
        if not grant.refund:
            return grant, []
    return None, [
        note("special_refund_only", f"{name} had lapsed on {on}: the general rate is due at entry, refunded on request ({live[0].by})")
    ]


def note(code: str, message: str) -> Problem:
    """Return a warning about a claim."""
    return Problem(code, "spi", message)
