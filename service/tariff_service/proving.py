"""Hold the engines against one another on generated lines: many processes, lines that anyone can make again from the seed."""

from __future__ import annotations

import multiprocessing
import random
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.agreement import compare, compare_decided, compare_outcomes
from tariff_engine.base import line_base
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.facts import FactReader
from tariff_engine.problems import LawConflictError, ProblemError, refuse
from tariff_engine.testing import random_line, space
from tariff_service.collector import settle
from tariff_service.rulebook import open_book, open_engine

if TYPE_CHECKING:
    from tariff_engine.base import LineBase
    from tariff_engine.durable.fates import Decided
    from tariff_engine.evaluate.derivation import Derivation, Outcome
    from tariff_engine.facts import Line

ENGINES = ("compiled", "naive", "durable")
CHUNK = 250  # lines that one process takes at a time
_SPOILT = 0.03  # of the lines are spoilt on purpose: every engine must refuse them alike
_FRESH = 40  # chunks after which what an engine remembers of lines is forgotten
_REQUIRED = ("hts", "origin", "entry_date", "value")


@dataclass(frozen=True, slots=True)
class Task:
    """What to prove: by which law, which engines, and the seed from which every line follows."""

    folder: Path | None
    known_on: date | None
    engines: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a chunk of lines came to. `line` is the smallest line found on which the engines differ, and `difference` says how."""

    chunk: int
    lines: int
    refused: int
    conflicts: int
    line: dict[str, Any] | None = None
    difference: str = ""


@dataclass(slots=True)
class Answer:
    """What one engine says of a line: a refusal, a conflict of law, or an evaluation with what became of each provision."""

    refusal: str = ""
    conflict: str = ""
    derivation: Derivation | None = None
    outcomes: Sequence[Outcome] = ()
    decided: Decided | None = None


class Prover:
    """The engines in one process."""

    def __init__(self, task: Task) -> None:
        """Read the law book. Raises ProblemError, RulebookError, and ImportError where durable-rules is asked for and is not there."""
        self.task = task
        self.law = open_engine(task.folder).at(task.known_on).law
        self.book = open_book(task.folder)
        self.parts = Parts(self.book)
        self.known = Knowledge(self.law)
        self.space = space(self.known)
        self._by_book = FactReader(self.book)
        self._done = 0
        if "durable" in task.engines:
            from tariff_engine.durable.decider import Decider  # noqa: PLC0415  an extra

            self.decider = Decider(self.book, self.law.known_on)

    # ------------------------------------------------------------ lines
    def lines(self, chunk: int, count: int) -> Iterator[dict[str, Any]]:
        """Yield the lines of a chunk: the same for the same seed, whatever the number of processes."""
        rng = random.Random(f"{self.task.seed}:{chunk}")  # noqa: S311  nothing is secret
        for _ in range(count):
            line = random_line(self.space, rng)
            yield spoil(line, rng) if rng.random() < _SPOILT else line

    def chunk(self, chunk: int, count: int) -> Found:
        """Hold the engines against one another on a chunk of lines, up to the first on which they differ."""
        self._done += 1
        if self._done % _FRESH == 0:
            self.known = Knowledge(self.law)
        refused = conflicts = 0
        for done, line in enumerate(self.lines(chunk, count), start=1):
            difference, kind = self.difference(line)
            refused, conflicts = refused + (kind == "refused"), conflicts + (kind == "conflict")
            if difference:
                small, difference = self.smallest(line, difference)
                return Found(chunk, done, refused, conflicts, plain_line(small), difference)
        return Found(chunk, count, refused, conflicts)

    def smallest(self, line: dict[str, Any], difference: str) -> tuple[dict[str, Any], str]:
        """Leave out every fact without which the engines still differ."""
        for name in [name for name in line if name not in _REQUIRED]:
            fewer = {key: value for key, value in line.items() if key != name}
            still, _ = self.difference(fewer)
            if still:
                line, difference = fewer, still
        return line, difference

    # ------------------------------------------------------------ engines
    def difference(self, line: dict[str, Any]) -> tuple[str, str]:
        """Return in words on what the engines differ, nothing where they agree, and whether the line was refused or met a conflict of law."""
        names = self.task.engines
        answers = [self._answer(name, line) for name in names]
        first = answers[0]
        for name, other in zip(names[1:], answers[1:], strict=True):
            found = _differ(first, other)
            if found:
                return f"{names[0]} against {name}: {found}", ""
        return "", "refused" if first.refusal else "conflict" if first.conflict else ""

    def _answer(self, engine: str, raw: dict[str, Any]) -> Answer:
        try:
            line = self._read(engine, raw)
            base = line_base(self.law, line)
        except ProblemError as error:
            return Answer(refusal=str(error.problem.as_dict()))
        try:
            return {"compiled": self._compiled, "naive": self._naive, "durable": self._durable}[engine](line, base)
        except LawConflictError as error:
            return Answer(conflict=str(error))

    def _read(self, engine: str, raw: dict[str, Any]) -> Line:
        """Read a line: for the compiled engine by the compiled law, for the others by the rule files."""
        if engine == "compiled":
            return self.known.read(raw)
        line = self._by_book.read(raw)
        first = self.book.horizon.from_
        if line.day < first:
            raise refuse("date_before_book", "entry_date", f"{line.day} is before the law book begins", f"send a day from {first} on")
        return line

    def _compiled(self, line: Line, base: LineBase) -> Answer:
        evaluated = self.known.evaluator.evaluate(line, base.base, base.column)
        outcomes = Outcomes(evaluated, self.known.evaluator.situations)
        told = [outcome for program in self.law.compiled.programs for outcome in outcomes.of_program(program.index)]
        return Answer(derivation=evaluated.derivation(), outcomes=told)

    def _naive(self, line: Line, base: LineBase) -> Answer:
        evaluation = NaiveEvaluation(self.book, line, base.base, base.column, self.law.known_on, self.parts)
        derivation = evaluation.run()
        return Answer(derivation=derivation, outcomes=evaluation.outcomes())

    def _durable(self, line: Line, base: LineBase) -> Answer:
        decided = self.decider.decide(line, base.base, base.column)
        return Answer(derivation=decided.derivation, decided=decided)


def _differ(one: Answer, two: Answer) -> str:
    if one.decided is not None and two.decided is None:
        one, two = two, one
    if one.derivation is None or two.derivation is None:
        left, right = ((a.refusal or a.conflict or "an answer") for a in (one, two))
        return "" if left == right else f"{left} against {right}"
    if two.decided is not None:
        return compare_decided(one.derivation, one.outcomes, two.decided)
    return compare(one.derivation, two.derivation) or compare_outcomes(one.outcomes, two.outcomes)


def spoil(line: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return a line as no filer should send it: a fact that does not exist, or that is missing, of a wrong type, or out of range."""
    name = rng.choice([*line, "no_such_fact"])
    wrong: Any = rng.choice((None, "", "no", -1, 0.5, True, [], {}, "yesterday", date.min, Decimal("NaN"), 10**40, "\0"))
    return {**line, name: wrong}


def plain_line(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line as JSON can say it."""
    return {
        name: value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
        for name, value in line.items()
    }


# ---------------------------------------------------------------- processes
_here: list[Prover] = []


def _begin(task: Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started it ends it
    _here.append(Prover(task))
    settle()


def _chunk(chunk: int, count: int) -> Found:
    return _here[0].chunk(chunk, count)


def prove(task: Task, lines: int, jobs: int) -> Iterator[Found]:
    """Yield what each chunk comes to, as it is done; the caller stops at the first difference. durable-rules runs in these processes only."""
    sizes = [min(CHUNK, lines - start) for start in range(0, lines, CHUNK)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(task,)) as pool:
        waiting: list[Future[Found]] = [pool.submit(_chunk, number, size) for number, size in enumerate(sizes)]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
