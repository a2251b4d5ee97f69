"""The reference: what the notation means, as a program. Another name for the naive evaluator, and one that stays.

It is the executable definition of the rule files (docs/notation.md): it reads them aloud, one provision after the other, and remembers nothing between
lines. Where another engine, of ours or of anybody else, says something different, that one is wrong, or the definition is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tariff_engine.base import line_base
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.facts import FactReader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tariff_engine.book import Book
    from tariff_engine.evaluate.derivation import Derivation
    from tariff_engine.facts import Line
    from tariff_engine.law import Law


def evaluation(book: Book, law: Law, line: Line) -> NaiveEvaluation:
    """Return the evaluation of a line that was read, by the law as known and the book that it was made from; `run` decides it.

    Raises ProblemError: unknown or ambiguous number, unknown special program symbol.
    """
    base = line_base(law, line)
    return NaiveEvaluation(book, line, base.base, base.column, law.known_on)


def evaluate(book: Book, law: Law, facts: Mapping[str, Any]) -> Derivation:
    """Read a line and return what it files and owes. Raises ProblemError and LawConflictError."""
    return evaluation(book, law, FactReader(book).read(facts)).run()


__all__ = ["NaiveEvaluation", "evaluate", "evaluation"]
