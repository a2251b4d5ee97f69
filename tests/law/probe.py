"""What became of one provision on a line, in the law as known on any day: compiled for the days on which knowledge changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.law.lines import LineMaker

from tariff_engine.compiled.compile import compile_book
from tariff_engine.compiled.evaluate import CompiledEvaluator
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.charge import Base
from tariff_engine.evaluate.derivation import Derivation, Outcome, Verdict
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.law import knowledge_day
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node

EVER = date.max
_KEPT = 50  # days, as many as the timelines ask for; the law of a day is some five megabytes
_REMEMBERED = 500  # programs in situations, some kilobytes each


class Prober:
    """Evaluates lines and looks at single provisions."""

    def __init__(self, book: Book, knowledge: Knowledge) -> None:
        """Take the book and everything known of it."""
        self.book, self.maker, self._parts = book, LineMaker(book, knowledge.law.schedule), Parts(book)
        self._known = {EVER: knowledge}
        self._last = EVER
        self._programs = {program.name: program.index for program in knowledge.law.compiled.programs}
        self._lines: dict[str, dict[str, Any]] = {}

    def at(self, known_on: date) -> Knowledge:
        """Return the law as known on a day. What it remembers of many lines is let go of when another earlier day is asked for."""
        latest = self._known[EVER]
        day = knowledge_day(latest.law, known_on)
        if day == EVER:
            return latest
        if day != self._last and self._last in self._known:
            last = self._known[self._last]
            if len(last.evaluator.situations._programs) > _REMEMBERED:  # noqa: SLF001
                last.evaluator = CompiledEvaluator(last.law.compiled)
        found = self._known.pop(day, None)
        if found is None:
            found = Knowledge(replace(latest.law, compiled=compile_book(self.book, day), known_on=day, memory={}))
            while len(self._known) > _KEPT:
                del self._known[next(one for one in self._known if one != EVER)]
        self._known[day] = found  # the last one asked for goes last
        self._last = day
        return found

    def forget(self) -> None:
        """Let go of the law of every earlier day."""
        self._known = {EVER: self._known[EVER]}
        self._last = EVER

    def outcome(self, node: Node, line: Mapping[str, Any], known_on: date = EVER) -> tuple[Outcome, Derivation]:
        """Return what became of a provision, and the whole evaluation. Raises ProblemError and LawConflictError."""
        knowledge = self.at(known_on)
        evaluated, _ = knowledge.evaluate(knowledge.read(line))
        found = Outcomes(evaluated, knowledge.evaluator.situations).of_program(self._programs[node.program.program])
        return next(one for one in found if one.id == node.id), evaluated.derivation()

    def bare(self, node: Node, line: Mapping[str, Any], known_on: date = EVER) -> Outcome:
        """Return what became of a provision on a line of the general column at a free base rate, whatever the schedule says of its number."""
        knowledge = self.at(known_on)
        read = knowledge.read(line)
        evaluated = knowledge.evaluator.evaluate(read, Base(None, Fraction(0), read.value), "general")
        found = Outcomes(evaluated, knowledge.evaluator.situations).of_program(self._programs[node.program.program])
        return next(one for one in found if one.id == node.id)

    def naive(self, node: Node, line: Mapping[str, Any], known_on: date = EVER) -> Outcome:
        """Return what became of a provision by the definition of the notation."""
        knowledge = self.at(known_on)
        read = knowledge.read(line)
        _, base = knowledge.evaluate(read)
        return NaiveEvaluation(self.book, read, base.base, base.column, knowledge.law.known_on, self._parts).decide(node.id)

    def applies(self, node: Node, line: Mapping[str, Any], known_on: date = EVER) -> bool:
        """Whether a provision applies to a line; a line that is refused or that the law does not order is none for it."""
        try:
            return self.outcome(node, line, known_on)[0].applies
        except (ProblemError, LawConflictError):
            return False

    def line_for(self, node: Node, day: date, known_on: date = EVER, most: int = 4000) -> dict[str, Any] | None:
        """Return a line of a day to which a provision applies: the one of another day if it can serve, else a new one."""
        known = self._lines.get(node.id)
        candidates = [{**known, "entry_date": day}] if known else []
        for line in candidates:
            if self.applies(node, line, known_on):
                return line
        for line in islice(self.maker.lines(node, day, known_on), most):
            if self.applies(node, line, known_on):
                self._lines[node.id] = line
                return line
        return None

    def any_line(self, node: Node, day: date) -> dict[str, Any] | None:
        """Return the line made for another day, on this day; None where none was made yet. A number that ended gives way to another of the list."""
        known = self._lines.get(node.id)
        if known and not self.maker.stands(known["hts"], day):
            return next(self.maker.lines(node, day, EVER), None)
        return {**known, "entry_date": day} if known else None


__all__ = ["EVER", "Prober", "Verdict"]
