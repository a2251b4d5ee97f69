"""The duty of the chapter 1-97 number: the column that applies, its rate, what chapter 98 leaves dutiable, and what is missing to compute it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from tariff_engine.evaluate.charge import Base
from tariff_engine.money import whole_dollars
from tariff_engine.preferences import USMCA, Choice, choose_column, unclaimed_facts
from tariff_engine.problems import Problem, ProblemError
from tariff_engine.rates import Missing, Rate, duty
from tariff_engine.tariff_line import special_gap

if TYPE_CHECKING:
    from tariff_engine.facts import Line
    from tariff_engine.law import Law
    from tariff_engine.schedule import TariffLine


@dataclass(slots=True)
class LineBase:
    """A line's base: its schedule line, the column chosen, the rate, the exact duty, and warnings.

    `missing` names quantities to send, `unclaimed` the facts that nobody stated and that would claim a special rate.
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


CLAIMS = frozenset({"spi", "usmca_qualifying", "quantity", "part_values", "processing_value"})
"""The facts besides the product, origin, day, value and chapter 98 claim (with its U.S. content) on which `line_base` depends."""


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
    spi, usmca = facts.get("spi"), facts.get("usmca_qualifying")
    if spi is None and not usmca and not column2:
        choice = Choice("general", tariff.general)
    else:
        choice = choose_column(
            tariff, line.origin, line.day, spi=spi, usmca=usmca, column2=column2, preferences=law.preferences, known_on=law.known_on
        )
    warnings = (*tariff.warnings, *(special_gap(tariff, _symbols(law, spi, usmca)) if tariff.special_doubts else ()), *choice.warnings)
    dutiable = line.value
    if "chapter98" in facts:
        dutiable, notes = _chapter98(law, line)
        warnings += notes
    unclaimed = () if column2 else unclaimed_facts(law.preferences, tariff, line.origin, line.day, facts, law.known_on)

    def made(base: Base, missing: tuple[str, ...] = ()) -> LineBase:
        return LineBase(tariff, choice.column, choice.rate, choice.symbol, choice.in_force, base, missing, warnings, unclaimed)

    plain = choice.rate.ad_valorem
    if plain is not None:
        return made(Base(None, _share(plain), dutiable))
    try:
        owed = duty(choice.rate, dutiable, facts.get("quantity", {}), _parts(facts))
    except ProblemError as error:
        if error.problem.code != "rate_by_reference":
            raise
        owed, warnings = Missing(), (*warnings, error.problem)
    if isinstance(owed, Missing):
        return made(Base(None, None, dutiable), tuple(sorted(owed.names)))
    return made(Base(owed, None, dutiable))


def _symbols(law: Law, spi: object, usmca: object) -> set[str]:
    """Return the symbols of the special column that the claims of a line may use."""
    claims = [str(spi).strip().upper()] if spi else []
    claims += law.preferences.by_fact[USMCA] if usmca else ()
    known = law.preferences.by_symbol
    return {printed for claim in claims if claim in known for printed in known[claim].prints}


def _parts(facts: dict[str, object]) -> dict[str, int]:
    stated = facts.get("part_values")
    return {name: whole_dollars(amount) for name, amount in stated.items()} if isinstance(stated, dict) else {}


def _chapter98(law: Law, line: Line) -> tuple[int, tuple[Problem, ...]]:
    """Return the dollars that stay dutiable under the chapter 98 number claimed, with warnings."""
    claim = str(line.facts["chapter98"])
    row = next((row for row in law.chapter98 if claim.startswith(row.prefix)), None)
    if row is None:
        message = f"{claim} is not in the law book yet; the base duty is computed on the full value"
        return line.value, (Problem("chapter98_not_modelled", "chapter98", message, "check the base duty by hand"),)
    if row.how == "none":
        return 0, ()
    if row.how == "value_less_us_content":
        if "us_content_value" in line.facts:
            return line.value - line.content.get("us_content", 0), ()
        return line.value, (
            Problem("fact_needed", "us_content_value", f"under {claim} the U.S. components are not dutiable", "send us_content_value"),
        )
    worked = line.facts.get("processing_value")
    if worked is None:
        return line.value, (
            Problem("fact_needed", "processing_value", f"under {claim} only the work abroad is dutiable", "send processing_value"),
        )
    return min(whole_dollars(worked), line.value), ()
