"""Special programs that nobody claimed and that cover the origin on the day: what a claim of each would say of the goods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import ProblemError
from tariff_engine.special_programs import live_grant

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

_SPI = "spi"


@dataclass(frozen=True, slots=True)
class SpecialClaim:
    """A claim by symbol: the facts that it states, the program, and the citation of its grant."""

    symbol: str
    program: str
    facts: dict[str, Any]
    cite: str


def special_claims(knowledge: Knowledge, line: Line) -> Iterator[SpecialClaim]:
    """Yield the claims that a line may make under its origin, if its goods qualify; none where it claims a program already."""
    law = knowledge.law
    if _SPI in line.facts or law.in_column2(line.origin, line.day):
        return
    try:
        tariff = law.schedule.find(line.hts, line.day, law.known_on)
    except ProblemError:
        return
    printed = {symbol for symbols, _ in tariff.special for symbol in symbols}
    denied = frozenset(name for name, value in line.facts.items() if value is False)
    for symbol, program in law.preferences.by_symbol.items():
        if program.rate is None and printed.isdisjoint(program.prints):
            continue
        grant, _ = live_grant(program, line.origin, line.day, law.known_on, denied)
        if grant is None:
            continue
        claimed = (program.claimed_by, program.needs)
        facts = {_SPI: symbol, **{name: True for name in claimed if name and name not in line.facts}}
        yield SpecialClaim(symbol, program.program, facts, grant.by)
