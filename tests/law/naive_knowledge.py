"""The whole engine with the naive evaluator inside: the same door, the definition instead of the compiled masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tariff_engine.base import LineBase, line_base
from tariff_engine.engine import Explain, Knowledge
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.evaluate.derivation import Derivation
    from tariff_engine.facts import Line
    from tariff_engine.law import Law


@dataclass(slots=True, eq=False)
class _Plan:
    """What an answer reads of a compiled plan; one of its own for each line, so nothing is remembered."""

    rows: tuple[()] = ()
    groups: tuple[()] = ()
    doubts: tuple[()] = ()
    headings: tuple[dict[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True)
class NaiveResult:
    """What the frame of an answer asks of an evaluation."""

    line: Line
    result: Derivation
    plan: _Plan = field(default_factory=_Plan)

    def derivation(self) -> Derivation:
        """Return the evaluation of the line."""
        return self.result


class NaiveKnowledge(Knowledge):
    """Answers as `Knowledge` does, from the naive evaluator. It asks no questions and explains nothing: that is not its part."""

    def __init__(self, law: Law, book: Book, parts: Parts | None = None) -> None:
        """Take the law and the book that it was compiled from, with the parts of a value that it cuts, where they are known."""
        super().__init__(law)
        self.book = book
        self.parts = parts or Parts(book)

    def evaluate(self, line: Line) -> tuple[Any, LineBase]:
        """Evaluate a line by the definition of the notation."""
        base = line_base(self.law, line)
        naive = NaiveEvaluation(self.book, line, base.base, base.column, self.law.known_on, self.parts)
        return NaiveResult(line, naive.run()), base

    def answer(
        self, line: Line, identity: str, explain: Explain = "none", *, inquire: bool = False, folded: bool = False
    ) -> dict[str, Any]:
        """Assess a line that was read, without questions and explanation."""
        del explain, inquire, folded
        return super().answer(line, identity, "none", inquire=False)
