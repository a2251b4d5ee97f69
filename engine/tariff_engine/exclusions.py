"""Exclusions that nobody claimed and that the goods may be described in: what a claim of each would save.

An exclusion is claimed, never assumed, and its description is not read here. But where a number stands on the list of one, the filer is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.facts import FactReader, Line

CLAIMS = "exclusion_claims"


class Claimable(NamedTuple):
    """An exclusion heading that the line may claim: the cents it would save, the duty then, and the headings filed."""

    heading: str
    saves: int
    duty: int
    headings: tuple[str, ...]


def claimable(
    book: CompiledBook, reader: FactReader, evaluate: Callable[[Line], Evaluated], line: Line, evaluated: Evaluated
) -> tuple[Claimable, ...]:
    """Return the exclusions that would lower the duty of a line if the goods are those described, the largest saving first."""
    duty = evaluated.duty
    if duty is None:
        return ()
    found = []
    for heading in unclaimed(book, line, evaluated):
        try:
            other = evaluate(reader.with_facts(line, {CLAIMS: [*line.facts.get(CLAIMS, ()), heading]}))
        except (ProblemError, LawConflictError):
            continue
        if other.duty is not None and other.duty < duty:
            found.append(Claimable(heading, duty - other.duty, other.duty, other.headings))
    return tuple(sorted(found, key=lambda one: (-one.saves, one.heading)))


def unclaimed(book: CompiledBook, line: Line, evaluated: Evaluated) -> Iterator[str]:
    """Yield the headings whose claim the law asks for on the line, by its number, origin and day, and that it does not make."""
    if not evaluated.plan.situation.relevant & book.all_claims:
        return
    made = line.facts.get(CLAIMS, ())
    for heading, bit in book.claim_bits.items():
        if evaluated.plan.situation.relevant & bit and heading not in made:
            yield heading


__all__ = ["CLAIMS", "Claimable", "claimable", "unclaimed"]
