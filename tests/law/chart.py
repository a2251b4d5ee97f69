"""The chart: lines at the boundaries of the law, and what each owed when it was read. A change of the chart is a change of law.

`python -m tests.law.charting` draws it anew, and answers aimed.csv anew: lines that `python -m tests.mutation.aiming` found, each of which tells
a mistake that the others let through. Each row is a shipment line, the day of knowledge (empty: everything known), and
the headings with rate and dollars, then what is left of the base duty. It guards what is there against a change that nobody meant; that it was read right is
the part of the cases, the examples and the printed texts.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.base import line_base
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.law import knowledge_day
from tariff_engine.money import dollars_text, percent_text
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Knowledge
    from tariff_engine.evaluate.derivation import Derivation

CHART = Path(__file__).parent / "chart.csv"
AIMED = Path(__file__).parent / "aimed.csv"
EVER = date.max
_HEADER = ("program", "first", "line", "known_on", "says")


@dataclass(frozen=True, slots=True)
class Point:
    """A line on one side of a boundary of a program, and what it owed; `first`: it fires a piece of law that none before it fired."""

    program: str
    facts: str
    known_on: str
    says: str = ""
    first: str = ""

    @property
    def line(self) -> dict[str, Any]:
        """The facts of the line."""
        return dict(json.loads(self.facts))

    @property
    def known(self) -> date:
        """The day of knowledge."""
        return date.fromisoformat(self.known_on) if self.known_on else EVER


def read_points(*files: Path) -> list[Point]:
    """Return the points as they were written: those that the law draws, and those that are aimed at mistakes."""
    found = []
    for path in files or (CHART, AIMED):
        with path.open(encoding="utf-8", newline="") as file:
            found += [Point(row["program"], row["line"], row["known_on"], row["says"], row["first"]) for row in csv.DictReader(file)]
    return found


def write_points(path: Path, points: Iterable[Point]) -> None:
    """Write points."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows((point.program, point.first, point.facts, point.known_on, point.says) for point in points)


def told(derivation: Derivation) -> str:
    """Return what a line owes in a few words: each heading with its rate and dollars, what is left of the base duty, and a ban."""
    rows = [f"{row.heading or row.provision} {percent_text(row.rate)} {dollars_text(row.duty)}" for row in derivation.rows]
    base = "?" if derivation.base_duty is None else dollars_text(derivation.base_duty)
    return "; ".join([*rows, f"base {base}", *(["prohibited"] if derivation.prohibited else [])])


class Charted:
    """Answers points: what is known today by the compiled evaluator, what was known earlier by the naive one, which needs no compilation."""

    def __init__(self, book: Book, knowledge: Knowledge) -> None:
        """Take a book, and everything known of it."""
        self.book, self.knowledge, self._parts = book, knowledge, Parts(book)

    def says(self, facts: Mapping[str, Any], known_on: date) -> str:
        """Return what a line owes, or the code of the problem."""
        law = self.knowledge.law
        day = EVER if known_on == EVER else knowledge_day(law, known_on)
        try:
            line = self.knowledge.read(facts)
            if day == EVER:
                return told(self.knowledge.evaluate(line)[0].derivation())
            base = line_base(replace(law, known_on=day), line)
            return told(NaiveEvaluation(self.book, line, base.base, base.column, day, self._parts).run())
        except ProblemError as error:
            return f"refused: {error.problem.code}"
        except LawConflictError:
            return "refused: law_conflict"

    def point(self, point: Point) -> Point:
        """Return a point with what it owes now."""
        return replace(point, says=self.says(point.line, point.known))
