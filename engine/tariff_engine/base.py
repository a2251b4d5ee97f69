"""The duty of the chapter 1-97 number: the column that applies, its rate, what chapter 98 leaves dutiable, and what is missing to compute it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from tariff_engine.evaluate.charge import Base
from tariff_engine.money import whole_dollars
from tariff_engine.preferences import Choice, Restored, choose_column, unclaimed_facts
from tariff_engine.problems import Problem, ProblemError
from tariff_engine.rates import Missing, Rate, duty
from tariff_engine.special_programs import USMCA, denials
from tariff_engine.tariff_line import special_gap
from tariff_engine.under98 import Open, Under, enter_under

if TYPE_CHECKING:
    from tariff_engine.facts import Line
    from tariff_engine.law import Law
    from tariff_engine.schedule import TariffLine


@dataclass(slots=True)
class LineBase:
    """A line's base: its schedule line, the column chosen, the rate, the exact duty, and warnings.

    `missing` names quantities to send, `unclaimed` the facts that nobody stated and that would claim a special rate, `open` the amounts that
    nobody stated and that chapter 98 asks for. `treatment` is how the chapter 98 number charges, "" without one that is honored.
    `restored`: a rate that is due on request, because its program was given back after a lapse.
    """

    tariff: TariffLine
    column: str
    rate: Rate
    symbol: str | None
    in_force: tuple[str, ...]
    base: Base
    missing: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    unclaimed: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()
    treatment: str = ""
    restored: Restored | None = None


CLAIMS = frozenset({"spi", "usmca_qualifying", "quantity", "part_values", "processing_value", "fair_retail_value"})
"""The facts besides the product, origin, day, value and chapter 98 claim (with its U.S. content) on which `line_base` depends under any law."""


def claim_facts(law: Law) -> frozenset[str]:
    """Return the facts on which `line_base` depends under a law: those of `CLAIMS`, and what its special programs need of the goods."""
    return CLAIMS | frozenset(law.preferences.needs)


_NOTHING = Under()


@lru_cache(maxsize=4096)
def _share(pair: tuple[int, int]) -> Fraction:
    return Fraction(*pair)


def line_base(law: Law, line: Line) -> LineBase:
    """Return the base of a line. Raises ProblemError: unknown or ambiguous number, unknown special program symbol."""
    facts = line.facts
    tariff = law.schedule.find(line.hts, line.day, law.known_on)
    plain = tariff.general.ad_valorem
    claims = "spi" in facts or "chapter98" in facts or facts.get("usmca_qualifying")
    if plain is not None and not claims and line.origin not in law.special_origins:
        # the plain case: no column 2, no preference claimed or within reach
        return LineBase(tariff, "general", tariff.general, None, (), Base(None, _share(plain), line.value), (), tariff.warnings)
    column2 = law.in_column2(line.origin, line.day)
    under = enter_under(law, line, column2=column2) if "chapter98" in facts else _NOTHING
    choice = _choose(law, line, tariff, under, column2=column2)
    rate = choice.rate if under.rate is None else under.rate
    needed = (Problem("fact_needed", one.fact, one.because, f"send {one.fact}") for one in under.open)
    gaps: tuple[Problem, ...] = ()
    if tariff.special_doubts:
        gaps = special_gap(tariff, _symbols(law, facts.get("spi") or under.symbol, facts.get("usmca_qualifying")))
    warnings = (*tariff.warnings, *gaps, *choice.warnings, *under.warnings, *needed)
    dutiable = line.value if under.value is None else under.value
    unclaimed: tuple[str, ...] = ()
    if not column2 and dutiable and under.rate is None:
        unclaimed = unclaimed_facts(law.preferences, tariff, line.origin, line.day, facts, law.known_on)

    def made(owed: Fraction | None, share: Fraction | None, missing: tuple[str, ...] = ()) -> LineBase:
        base = Base(owed, share, dutiable, under.number, under.freed, under.bond)
        return LineBase(
            tariff,
            choice.column,
            rate,
            choice.symbol,
            choice.in_force,
            base,
            missing,
            warnings,
            unclaimed,
            under.open,
            under.treatment,
            under.restored or choice.restored,
        )

    if under.retail is not None and rate.ad_valorem is not None:
        return made(_share(rate.ad_valorem) * under.retail, None)
    if rate.ad_valorem is not None:
        return made(None, _share(rate.ad_valorem))
    try:
        owed = duty(rate, line.value, facts.get("quantity", {}), _parts(facts))
    except ProblemError as error:
        if error.problem.code != "rate_by_reference":
            raise
        owed, warnings = Missing(), (*warnings, error.problem)
    if isinstance(owed, Missing):
        return made(None, None, tuple(sorted(owed.names)))
    # on a part of the value, the duty is that part of the duty on all of it (chapter 98, subchapter II, notes 3 and 4)
    return made(owed if dutiable == line.value else owed * Fraction(dutiable, line.value), None)


def _choose(law: Law, line: Line, tariff: TariffLine, under: Under, *, column2: bool) -> Choice:
    """Return the column: that of the program which opened the chapter 98 number, or that of the claims of the line."""
    if under.symbol is not None and under.rate is not None:
        return Choice("special", under.rate, under.symbol, (), (under.symbol,))
    spi, usmca = line.facts.get("spi") or under.symbol, line.facts.get("usmca_qualifying")
    if spi is None and not usmca and not column2:
        return Choice("general", tariff.general)
    return choose_column(
        tariff,
        line.origin,
        line.day,
        spi=spi,
        usmca=usmca,
        column2=column2,
        preferences=law.preferences,
        known_on=law.known_on,
        denied=denials(law.preferences, line.facts),
    )


def _symbols(law: Law, spi: object, usmca: object) -> set[str]:
    """Return the symbols of the special column that the claims of a line may use."""
    claims = [str(spi).strip().upper()] if spi else []
    claims += law.preferences.by_fact[USMCA] if usmca else ()
    known = law.preferences.by_symbol
    return {printed for claim in claims if claim in known for printed in known[claim].prints}


def _parts(facts: dict[str, object]) -> dict[str, int]:
    stated = facts.get("part_values")
    return {name: whole_dollars(amount) for name, amount in stated.items()} if isinstance(stated, dict) else {}
