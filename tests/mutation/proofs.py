"""What must catch a mistake in the law: the proofs of the suite that state what the law is, run in one process on a book.

They are the examples of the programs, the chart of lines at the boundaries, the census of lists, and the collected cases. Only the parts that
concern the programs which a mistake touches are run, by the naive evaluator: it is the definition, and needs no compilation. Tests that read
what they expect from the rule files themselves (steps, lists) cannot notice that a rule file changed. The grid, the timelines and the tables
read from printed texts are left out because they are slow: what these four let through, they may still catch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.law.case_files import differences, read_cases, read_table
from tests.law.census import CENSUS, Census, groups, text
from tests.law.chart import EVER, read_points, told
from tests.law.naive_knowledge import NaiveKnowledge

from tariff_engine.base import LineBase, line_base
from tariff_engine.build import refit_law
from tariff_engine.entry import assess_row
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.facts import Line
from tariff_engine.law import knowledge_day
from tariff_engine.problems import LawConflictError, ProblemError, TariffError

if TYPE_CHECKING:
    from tests.mutation.mutants import Mutant

    from tariff_engine.book import Book
    from tariff_engine.testing import Rulebook

PROOFS = ("the reader of the law", "examples", "chart", "census", "cases")


@dataclass(frozen=True, slots=True)
class Asked:
    """A line, read once, with what it must say; `brief` where only headings and the sum of its dollars are stated."""

    line: Line
    base: LineBase
    known_on: date
    says: str
    brief: bool


class Proofs:
    """The proofs, read once."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Take the rulebook that is right."""
        self.rulebook = rulebook
        self._examples: dict[str, list[Asked]] = {}
        self._chart: dict[str, list[Asked]] = {}
        right = Parts(rulebook.book)
        for program in rulebook.book.programs:
            for example in program.examples:
                asked = self.read(example.line, example.known_on or EVER, "", brief=True)
                if asked is not None:
                    says = said(rulebook.book, right, asked)
                    self._examples.setdefault(program.program, []).append(replace(asked, says=says))
        for point in read_points():
            asked = self.read(point.line, point.known, point.says, brief=False)
            if asked is not None:
                self._chart.setdefault(point.program, []).append(asked)
        self._cases = read_cases()
        self._known: dict[date, NaiveKnowledge] = {}
        self._disputes = {row["case"]: row["answers"] for row in read_table("disputes.yaml")}
        self._counted = Census(rulebook.space.codes)
        self._census = CENSUS.read_text(encoding="utf-8")
        self._lines = {n: self._counted.of(n, table) for n, table in rulebook.book.tables.items() if not n.startswith("list:")}

    def read(self, facts: dict[str, Any], known_on: date, says: str, *, brief: bool) -> Asked | None:
        """Read a line by the law that is right: no mistake that is made here concerns facts, schedule or preferences."""
        law = self.rulebook.knowledge.law
        day = EVER if known_on == EVER else knowledge_day(law, known_on)
        try:
            line = self.rulebook.knowledge.read(facts)
            return Asked(line, line_base(law if day == EVER else replace(law, known_on=day), line), known_on, says, brief)
        except ProblemError:
            return None

    def caught(self, mutant: Mutant) -> str:
        """Return the first proof that notices a mistake; empty where none does."""
        try:
            book = mutant.make(self.rulebook.book)
            parts = Parts(book)
        except (TariffError, ValueError, KeyError):
            return PROOFS[0]
        near = mutant.programs or tuple(program.program for program in book.programs)
        checks: tuple[tuple[str, Iterator[bool]], ...] = (
            ("examples", self._differ(book, parts, self._examples, near, mutant)),
            ("census", self._lists(book)),
            ("chart", self._differ(book, parts, self._chart, near, mutant)),
            ("cases", self._by_cases(book)),
        )
        return next((name for name, found in checks if any(found)), "")

    def owes_otherwise(self, mutant: Mutant, every: int = 1) -> bool:
        """Whether any line of the examples and the chart, of the programs that a mistake touches, owes something else; one in so many is asked."""
        book = mutant.make(self.rulebook.book)
        near, parts = mutant.programs or tuple(program.program for program in book.programs), Parts(book)
        return any(
            any(self._differ(book, parts, {name: found[::every] for name, found in asked.items()}, near, mutant))
            for asked in (self._examples, self._chart)
        )

    def _differ(self, book: Book, parts: Parts, asked: dict[str, list[Asked]], programs: tuple[str, ...], mutant: Mutant) -> Iterator[bool]:
        found = [one for program in programs for one in asked.get(program, ())]
        if mutant.heading:  # the likeliest first
            found.sort(key=lambda one: mutant.heading not in one.says)
        for one in found:
            try:
                yield said(book, parts, one) != one.says
            except (TariffError, ValueError, KeyError):
                yield True

    def _lists(self, book: Book) -> Iterator[bool]:
        old = self.rulebook.book.tables
        if book.groups is not self.rulebook.book.groups or any(table is not old[name] for name, table in book.tables.items()):
            lines = {
                name: self._counted.of(name, book.tables[name]) if book.tables[name] is not old[name] else self._lines[name]
                for name in self._lines
            }
            yield text(groups(book) + [line for name in sorted(lines) for line in lines[name]]) != self._census

    def _by_cases(self, book: Book) -> Iterator[bool]:
        parts = Parts(book)
        for case in self._cases:
            known = self._knowing(case.known_on)
            known.book, known.parts = book, parts
            try:
                found = differences(case, assess_row(known, dict(case.facts), "none"))
            except ProblemError as error:
                found = [f"refused: {error.problem.code} {error.problem.field}"]
            except (TariffError, ValueError, KeyError) as error:
                found = [str(error)]
            yield found != self._disputes.get(case.id, [])

    def _knowing(self, known_on: date | None) -> NaiveKnowledge:
        """The law as known on a day, made once for each day of publication; the book inside is that of the mistake that is looked at."""
        law = self.rulebook.knowledge.law
        day = EVER if known_on is None else knowledge_day(law, known_on)
        if day not in self._known:
            right = self.rulebook.book
            self._known[day] = NaiveKnowledge(law if day == EVER else refit_law(law, right, day), right)
        return self._known[day]


def said(book: Book, parts: Parts, asked: Asked) -> str:
    """Return what a line owes by a book, in the words of the chart, or those of an example."""
    days = sorted({act.published for act in book.instruments.values()})
    known_on = EVER if asked.known_on >= days[-1] else asked.known_on
    try:
        full = told(NaiveEvaluation(book, asked.line, asked.base.base, asked.base.column, known_on, parts).run())
    except LawConflictError:
        return "refused: law_conflict"
    return brief(full) if asked.brief else full


def brief(says: str) -> str:
    """Return what an example states of a line: its headings, and the sum of its dollars."""
    pieces = says.removesuffix("; prohibited").split("; ")
    amounts = [piece.rpartition(" ")[2] for piece in pieces]
    total = "?" if "?" in amounts else str(sum(map(Decimal, amounts), Decimal(0)))
    return " ".join([*(piece.partition(" ")[0] for piece in pieces if piece.startswith("99")), total])
