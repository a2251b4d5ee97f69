"""Run the examples of every program: the headings of Chapter 99 in filing order, and the duty to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from tariff_engine.adcvd import adcvd_rows
from tariff_engine.base import line_base
from tariff_engine.compiled.evaluate import CompiledEvaluator
from tariff_engine.evaluate.derivation import Derivation
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.facts import FactReader, Line
from tariff_engine.law import Law, knowledge_day
from tariff_engine.money import dollars_text
from tariff_engine.notation.check_places import Places, Trail
from tariff_engine.notation.program import Example
from tariff_engine.problems import TariffError


@dataclass(frozen=True, slots=True)
class Result:
    """What an example came to: the headings of Chapter 99 in filing order, and the duty in dollars and cents (None: not known)."""

    headings: list[str]
    duty: str | None


class Assessor:
    """Assesses examples by one law.

    What is known today goes through the compiled evaluator, which users run; an earlier day of knowledge goes through the naive one, which
    needs no compilation of its own.
    """

    def __init__(self, places: Places, law: Law) -> None:
        """Take the law as known today."""
        self._book, self._law = places.book, law
        self._reader = FactReader(law)
        self._compiled = CompiledEvaluator(law.compiled)
        self._parts = Parts(places.book)

    def assess(self, example: Example) -> Result:
        """Assess an example. Raises TariffError where the line is refused or the law contradicts itself."""
        line = self._reader.read(example.line)
        derivation = self._derive(line, example.known_on)
        _, more, _ = adcvd_rows(line)
        duty = derivation.duty
        return Result([row.heading for row in derivation.rows if row.heading], None if duty is None else dollars_text(duty + more))

    def _derive(self, line: Line, known_on: date | None) -> Derivation:
        day = date.max if known_on is None else knowledge_day(self._law, known_on)
        if day == date.max:
            base = line_base(self._law, line)
            return self._compiled.evaluate(line, base.base, base.column).derivation()
        base = line_base(replace(self._law, known_on=day), line)
        return NaiveEvaluation(self._book, line, base.base, base.column, day, self._parts).run()


def check_examples(places: Places, law: Law) -> Iterator[str]:
    """Yield the examples that do not come out as written."""
    assessor = Assessor(places, law)
    for program in places.book.programs:
        path = places.programs[program.program]
        for place, example in enumerate(program.examples):
            trail: Trail = ("examples", place)
            if "entry_date" in example.line and example.line["entry_date"] is not None and not isinstance(example.line["entry_date"], date):
                yield places.at(path, (*trail, "line", "entry_date"), "write the day without quotes, such as 2025-03-04")
                continue
            try:
                found = assessor.assess(example)
            except TariffError as error:
                yield places.at(path, (*trail, "line"), f"the line cannot be assessed: {error}")
                continue
            if found.headings != example.headings:
                words = f"the example files {_list(example.headings)}, the rules file {_list(found.headings)}; mend the rules, or the example where it is wrong"
                yield places.at(path, (*trail, "headings"), words)
            if found.duty != example.duty:
                words = f"the example owes {example.duty}, the rules say {found.duty or 'nothing, for want of a quantity'}; mend the rules, or the example where it is wrong"
                yield places.at(path, (*trail, "duty"), words)


def _list(headings: list[str]) -> str:
    return ", ".join(headings) if headings else "none"
