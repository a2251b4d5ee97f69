"""What comes out of a worker: the money of a line, and what became of each provision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tariff_engine.evaluate.derivation import Derivation, Outcome, Taken, Verdict


class Fate(NamedTuple):
    """What became of one provision: what can be held against another engine's word, without the words of the explanation."""

    id: str
    verdict: Verdict
    heading: str
    taken: tuple[Taken, ...]
    transit: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """One line decided: the money, and the fate of every provision of the book by its name."""

    derivation: Derivation
    fates: dict[str, Fate]


def fate(outcome: Outcome) -> Fate:
    """Return the fate that an outcome of any engine tells."""
    return Fate(outcome.id, outcome.verdict, outcome.heading, tuple(outcome.taken), outcome.transit)
