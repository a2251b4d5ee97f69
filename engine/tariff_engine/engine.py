"""The engine: lines and entries in, answers out. The one door through which the command line, the service and programs ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from tariff_engine.adcvd import adcvd_rows
from tariff_engine.answer import LineParts, line_answer
from tariff_engine.base import LineBase, line_base
from tariff_engine.compiled.evaluate import CompiledEvaluator, Evaluated
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.explain import Explanation, Life, ProgramVerdict
from tariff_engine.facts import FactReader, Line
from tariff_engine.inquiry import Inquirer, Inquiry, representatives, shares
from tariff_engine.law import Law, knowledge_day
from tariff_engine.problems import Problem, refuse

Explain = Literal["none", "summary", "full"]


class Knowledge:
    """The law as known on a day, with everything prepared to answer from it."""

    def __init__(self, law: Law) -> None:
        """Prepare readers, the evaluator and the inquirer."""
        self.law = law
        self.reader = FactReader(law)
        self.evaluator = CompiledEvaluator(law.compiled)
        self.says = {p.id: p.says for p in law.compiled.provisions}
        self.says |= {f"offset:{o.name}": o.says for program in law.compiled.programs for o in program.offsets}
        self.inquirer = Inquirer(
            law.facts,
            self.reader,
            representatives(law.compiled, law.facts, law.countries),
            shares(law.compiled, law.facts),
            frozenset(law.compiled.ages.values()),
            lambda line: self.evaluate(line)[0],
        )
        self._lives: dict[int, Life] = {}

    def read(self, raw: Mapping[str, Any]) -> Line:
        """Read a line and check that the book answers for its day. Raises ProblemError."""
        line = self.reader.read(raw)
        if line.day < self.law.start:
            raise refuse("date_before_book", "entry_date", f"{line.day} is before the law book begins", f"send a day from {self.law.start} on")
        return line

    def evaluate(self, line: Line) -> tuple[Evaluated, LineBase]:
        """Evaluate a line that was read. Raises ProblemError and LawConflictError."""
        base = line_base(self.law, line)
        return self.evaluator.evaluate(line, base.base, base.column), base

    def inquire(self, line: Line, evaluated: Evaluated) -> Inquiry:
        """Return what to ask about a line, and the range of its duty."""
        return self.inquirer.inquire(line, evaluated)

    def verdicts(self, evaluated: Evaluated) -> list[ProgramVerdict]:
        """Return the verdict on every program of the book."""
        outcomes = Outcomes(evaluated, self.evaluator.situations)
        explanation = Explanation(self.law, evaluated.line.day, evaluated.base.ave, self.says)
        return [
            explanation.verdict(program.name, program.title, outcomes.of_program(program.index), self.life(program.index))
            for program in self.law.compiled.programs
        ]

    def life(self, number: int) -> Life:
        """Return when a program begins and ends, by what is known."""
        if number not in self._lives:
            program = self.law.compiled.programs[number]
            provisions = (self.law.compiled.provisions[place] for place in program.provisions)
            starts = sorted({effect.start for p in provisions for effect in p.effects if effect.kind != "ended" and effect.start})
            ended, by = (date.fromordinal(program.ended[0]), program.ended[1]) if program.ended else (None, "")
            self._lives[number] = Life(tuple(date.fromordinal(start) for start in starts), ended, by)
        return self._lives[number]

    def warnings(self, line: Line, base: LineBase, evaluated: Evaluated) -> list[Problem]:
        """Return everything a reader of the answer must know that is no duty."""
        found = list(base.warnings)
        if line.day > self.law.horizon:
            message = f"{line.day} lies beyond the horizon of the law book, {self.law.horizon}: later law is not in it"
            found.append(Problem("beyond_horizon", "entry_date", message, "check for acts published after the horizon"))
        provisions = self.law.compiled.provisions
        for place in dict.fromkeys(row.place for row in evaluated.plan.rows):
            level, because = provisions[place].confidence
            if level != "high":
                message = f"{provisions[place].id}: {because or 'the sources do not settle it'}"
                found.append(Problem(f"confidence_{level}", "headings", message, "read the primary text cited"))
        limit = next((numbers for start, numbers in reversed(self.law.limits) if start <= line.day), None)
        longest = max((len(inside) for _, inside in evaluated.plan.groups), default=0) + 1
        if limit is not None and longest > limit:
            message = f"{longest} HTS numbers on one line, more than the {limit} that ACE takes"
            found.append(Problem("too_many_numbers", "headings", message, "ask the CBP client representative how to file it"))
        return found

    def answer(self, line: Line, identity: str, explain: Explain = "full", *, inquire: bool = True) -> dict[str, Any]:
        """Assess a line that was read, and return its answer."""
        evaluated, base = self.evaluate(line)
        rows, amount = adcvd_rows(line)
        parts = LineParts(
            id=identity,
            line=line,
            base=base,
            derivation=evaluated.derivation(),
            verdicts=self.verdicts(evaluated) if explain == "full" else (),
            inquiry=self.inquire(line, evaluated) if inquire else None,
            warnings=self.warnings(line, base, evaluated),
            says=self.says,
            adcvd=rows,
            adcvd_duty=amount,
        )
        return line_answer(self.law, parts)

    def program_rate(self, evaluated: Evaluated, programs: tuple[str, ...]) -> Fraction:
        """Return the additional rate that some programs charge on a line, as a share of its value."""
        derivation = evaluated.derivation()
        value = evaluated.line.value
        duty = sum((row.rate * row.base for row in derivation.rows if row.program in programs and row.kind in {"additional", "total"}), Fraction(0))
        return duty / value if value else Fraction(0)


class Engine:
    """Answers from one rulebook, as known today or on any earlier day."""

    def __init__(self, load: Callable[[date], Law]) -> None:
        """Take the way to load the law as known on a day; it is loaded when first asked for."""
        self._load = load
        self._known: dict[date, Knowledge] = {}

    def at(self, known_on: date | None = None) -> Knowledge:
        """Return the law as known on a day; no day means everything known."""
        latest = self._get(date.max)
        return latest if known_on is None else self._get(knowledge_day(latest.law.instruments, known_on))

    def _get(self, day: date) -> Knowledge:
        if day not in self._known:
            self._known[day] = Knowledge(self._load(day))
        return self._known[day]
