"""The law book under durable-rules in this process: what a worker holds. It must be a process of its own (see `worker`)."""

from __future__ import annotations

import warnings
from datetime import date
from typing import TYPE_CHECKING

from tariff_engine.durable.charging import derivation
from tariff_engine.durable.compile import compile_rulesets
from tariff_engine.durable.decide import Decision
from tariff_engine.durable.fates import Decided, fate
from tariff_engine.durable.rules import Rules

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.evaluate.charge import Base
    from tariff_engine.facts import Line


class Decider:
    """Decides lines by the law as known on a day."""

    def __init__(self, book: Book, known_on: date = date.max) -> None:
        """Compile the book and register it. durable-rules asks the clock by a call that Python 3.12 warns of: the process is told to bear it."""
        warnings.filterwarnings("ignore", message=r"datetime\.datetime\.utcfromtimestamp", category=DeprecationWarning)
        self._rules = Rules(compile_rulesets(book, known_on))
        self._order = tuple(book.nodes)

    def decide(self, line: Line, base: Base, column: str) -> Decided:
        """Decide a line that was read. Raises LawConflictError and DurableError."""
        decision = Decision(self._rules, line, base, column)
        return Decided(derivation(decision), {name: fate(decision.outcomes[name]) for name in self._order})
