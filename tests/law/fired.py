"""Coverage of law: which provisions, steps, exceptions, relations, groups and cases outside a program decided something on a line.

Everything is read from the outcomes of the naive evaluator, which is the definition of the notation (docs/what-is-proved.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.base import line_base
from tariff_engine.evaluate.derivation import Outcome, Taken, Verdict
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.law import knowledge_day
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.engine import Knowledge
    from tariff_engine.notation.program import Step

Element = tuple[str, ...]
"""A piece of law by its kind and place: ("step", heading, number), ("exception", heading, number, by), ("relation", number), ..."""
Question = tuple[Mapping[str, Any], date]
"""The facts of a line, and the day of knowledge."""
EVER = date.max


def elements(book: Book) -> list[Element]:
    """Return every piece of law that can decide something, in the order of the files."""
    found: list[Element] = []
    for node in book.nodes.values():
        found.append(("provision", node.id))
        found += [("step", node.id, str(place)) for place in range(len(node.provision.steps))]
        for place, unless in enumerate(node.provision.unless):
            found += [("exception", node.id, str(place), name) for name in book.expand(unless.any)]
    for program in book.programs:
        found += [("group", program.program, str(place)) for place in range(len(program.groups))]
        found += [("outside", program.program, str(place)) for place in range(len(program.outside))]
        found += [("offset", program.program, offset.offset) for offset in program.offsets]
        if program.ended:
            found.append(("end", program.program))
    found += [("relation", str(place)) for place in range(len(book.relations.relations))]
    found += [("contradiction", rule.field, str(place)) for place, rule in enumerate(book.contradictions)]
    return found


@dataclass(eq=False)
class Ledger:
    """Counts how often each piece of law decided something."""

    book: Book
    knowledge: Knowledge
    fired: Counter[Element] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Cut the value as the book does, once."""
        self._parts = Parts(self.book)

    def run(self, questions: Iterable[Question]) -> None:
        """Evaluate lines; those that are refused fire the contradiction that refused them, or nothing."""
        for facts, known_on in questions:
            self.fired.update(set(self.of(facts, known_on)))

    def of(self, facts: Mapping[str, Any], known_on: date = EVER) -> Iterator[Element]:
        """Yield the pieces of law that decided something on a line."""
        law = self.knowledge.law
        day = EVER if known_on == EVER else knowledge_day(law, known_on)
        try:
            line = self.knowledge.read(facts)
            base = line_base(law if day == EVER else replace(law, known_on=day), line)
        except ProblemError as error:
            for place, rule in enumerate(self.book.contradictions):
                if rule.says == error.problem.message:
                    yield "contradiction", rule.field, str(place)
            return
        found = NaiveEvaluation(self.book, line, base.base, base.column, day, self._parts)
        try:
            rows = found.run().rows
        except LawConflictError:
            return
        for outcome in found.outcomes():
            yield from self._outcome(outcome, line.day, day)
        yield from (("offset", row.program, row.provision.partition(":")[2]) for row in rows if row.kind == "credit")

    def _outcome(self, outcome: Outcome, day: date, known_on: date) -> Iterator[Element]:
        node, step = self.book.nodes[outcome.id], outcome.step
        if outcome.applies:
            yield "provision", node.id
        if step is not None:
            if step is node.program.ended:
                yield "end", node.program.program
            elif outcome.applies or step.ended or step.authorized:
                yield from self._step(node, step)
        if outcome.verdict is Verdict.NEVER:
            yield "provision", node.id
        if outcome.verdict is Verdict.OUTSIDE:
            for place, outside in enumerate(node.program.outside):
                if outside.says == outcome.reason.wanted:
                    yield "outside", node.program.program, str(place)
        for taken in outcome.taken:
            yield from self._taken(node, taken, day, known_on)

    def _step(self, node: Node, step: Step) -> Iterator[Element]:
        for place, one in enumerate(node.provision.steps):
            if one is step:
                yield "step", node.id, str(place)

    def _taken(self, node: Node, taken: Taken, day: date, known_on: date) -> Iterator[Element]:
        book = self.book
        if taken.how == "exception":
            for place, unless in enumerate(node.provision.unless):
                if book.live(unless, day, known_on) and taken.by in book.expand(unless.any):
                    yield "exception", node.id, str(place), taken.by
        elif taken.how == "relation":
            for place, relation in enumerate(book.relations.relations):
                if (
                    book.live(relation, day, known_on)
                    and taken.by in book.expand(relation.over)
                    and node.id in book.expand(relation.excludes)
                ):
                    yield "relation", str(place)
        else:
            for place, group in enumerate(node.program.groups):
                if book.live(group, day, known_on) and node.id in {name for rank in group.order for name in book.expand(rank)}:
                    yield "group", node.program.program, str(place)
