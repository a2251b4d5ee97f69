"""Makes mistakes in the core of the engine, one at a time, each in a process of its own, and tells which the tests of that part let through.

python -m tests.mutation.engine_survey [COUNT] [SEED] [MODULE,MODULE...]      COUNT of each module; writes docs/mutation.md

What is asked is a fast part of the suite: for the evaluators the lines of tests/properties/test_differential.py and the chart, answered by the one
that has the mistake and held against what the other says, then the tests on invented law; for money, rates, fees and de minimis the test files
named here.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.chart import EVER, read_points
from tests.mutation.engine_mutants import Slip, slips
from tests.mutation.unchanged import reason
from tests.properties.siblings import siblings
from tests.properties.test_differential import LINES

from tariff_engine.agreement import compare, compare_outcomes
from tariff_engine.base import LineBase, line_base
from tariff_engine.build import build_law
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.notation.load import load_book
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Rulebook, random_line
from tariff_rules import ROOT as RULES

if TYPE_CHECKING:
    from tariff_engine.evaluate.derivation import Derivation, Outcome
    from tariff_engine.facts import Line

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutation.md"
BEGIN, END = "<!-- engine: begin -->\n", "<!-- engine: end -->\n"
COUNT, SEED = 30, 20261122
LIMIT = 120  # seconds of processor time after which a mistake that does not end counts as caught
_GENERATED = 100  # lines of each chunk of the differential test
_CHUNKS = 8
_REMEMBERED, _SIBLINGS = 60, 8
CAUGHT, SURVIVED, UNMADE = 1, 0, 2


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked about a module: the evaluator on whose lines it shows, in a process that reads law and lines anew, and test files."""

    engine: str = ""
    anew: bool = False
    files: tuple[str, ...] = field(default=())


INVENTED = (
    "tests/properties/test_invented_law.py",
    "tests/properties/test_base_rates.py",
    "tests/properties/test_offsets.py",
    "tests/properties/test_differential.py::test_both_evaluators_agree_on_goods_with_contents_partly_under_chapter_98",
)
"""Asked where the law of today lets a mistake through: law that has what today's leaves out, and goods that lines drawn at large seldom are."""

PARTS: dict[str, Part] = {
    "tariff_engine.compiled.resolve": Part("compiled", files=INVENTED),
    "tariff_engine.compiled.evaluate": Part("compiled", files=INVENTED),
    "tariff_engine.compiled.situation": Part("compiled", files=INVENTED),
    "tariff_engine.compiled.conditions": Part("compiled", anew=True, files=INVENTED),
    "tariff_engine.compiled.compile": Part("compiled", anew=True, files=INVENTED),
    "tariff_engine.compiled.logic": Part("compiled", anew=True, files=INVENTED),
    "tariff_engine.compiled.outcomes": Part("compiled", files=INVENTED),
    "tariff_engine.evaluate.naive": Part("naive", files=INVENTED),
    "tariff_engine.evaluate.conditions": Part("naive", files=INVENTED),
    "tariff_engine.evaluate.charge": Part("naive", files=INVENTED),
    "tariff_engine.base": Part(
        "compiled",
        anew=True,
        files=("tests/schedule/test_preferences.py", "tests/schedule/test_special_programs.py", "tests/law/test_chapter98.py"),
    ),
    "tariff_engine.money": Part("compiled", files=("engine/tariff_engine/money.py",)),
    "tariff_engine.rates": Part(files=("tests/schedule/test_rates.py",)),
    "tariff_engine.fees": Part(files=("tests/frame/test_fees.py", "tests/frame/test_fiscal_years.py")),
    "tariff_engine.deminimis": Part(files=("tests/frame/test_de_minimis.py",)),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line, with what the evaluator that is right says of it."""

    raw: dict[str, Any]
    line: Line
    base: LineBase
    derivation: Derivation | None
    outcomes: Sequence[Outcome]


class Lines:
    """Lines with what one evaluator says of them, to hold the other against."""

    def __init__(self, by: str) -> None:
        """Answer the lines by the evaluator that is not looked at."""
        self.rulebook = Rulebook.installed()
        self.book, self.law = self.rulebook.book, self.rulebook.knowledge.law
        self.parts = Parts(self.book)
        raw = [point.line for point in read_points() if point.known == EVER and (point.first or not point.says)]
        for chunk in range(_CHUNKS):
            rng = random.Random(chunk)
            raw += [random_line(self.rulebook.space, rng) for _ in range(min(_GENERATED, LINES // _CHUNKS))]
        raw += self.remembered()
        known = Knowledge(self.law)
        self.told: list[Told] = []
        for one in raw:
            try:
                line = known.read(one)
                base = line_base(self.law, line)
            except ProblemError:
                continue
            self.told.append(Told(one, line, base, *self.answer("naive" if by == "compiled" else "compiled", known, line, base)))

    def remembered(self) -> list[dict[str, Any]]:
        """Lines that what another line left behind in the memory of the compiled evaluator might answer."""
        rng, contents = random.Random(_CHUNKS), sorted({piece.fact for piece in self.law.compiled.slices})
        points = [point for point in read_points() if point.known == EVER]
        return [one for point in rng.sample(points, _REMEMBERED) for one in siblings(point.line, contents, rng, _SIBLINGS)]

    def answer(self, engine: str, known: Knowledge, line: Line, base: LineBase) -> tuple[Derivation | None, Sequence[Outcome]]:
        """Return what an evaluator says; None for a conflict of law."""
        try:
            if engine == "naive":
                slow = NaiveEvaluation(self.book, line, base.base, base.column, self.law.known_on, self.parts)
                return slow.run(), slow.outcomes()
            fast = known.evaluator.evaluate(line, base.base, base.column)
            outcomes = Outcomes(fast, known.evaluator.situations)
            return fast.derivation(), [one for program in known.law.compiled.programs for one in outcomes.of_program(program.index)]
        except LawConflictError:
            return None, ()

    def differ(self, engine: str, *, anew: bool) -> bool:
        """Whether an evaluator now says something else of any line."""
        law = build_law(load_book(RULES), RULES) if anew else self.law
        known = Knowledge(law)
        for one in self.told:
            line, base = one.line, one.base
            if anew:
                line = known.read(one.raw)
                base = line_base(law, line)
            derivation, outcomes = self.answer(engine, known, line, base)
            if derivation is None or one.derivation is None:
                if derivation is not one.derivation:
                    return True
            elif compare(one.derivation, derivation) or compare_outcomes(one.outcomes, outcomes):
                return True
        return False


def caught(slip: Slip, part: Part, lines: Lines | None) -> int:
    """Make a mistake in a process of its own, and say whether the proofs notice."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else CAUGHT
    code = CAUGHT
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        code = _ask(slip, part, lines)
    finally:
        os._exit(code)


def _ask(slip: Slip, part: Part, lines: Lines | None) -> int:
    try:
        slip.make()
    except ValueError:
        return UNMADE
    if lines is not None and part.engine and lines.differ(part.engine, anew=part.anew):
        return CAUGHT
    if part.files:
        found = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *(str(ROOT / name) for name in part.files)])
        return CAUGHT if found else SURVIVED
    return SURVIVED


def survey(count: int, seed: int, modules: Sequence[str], say: Callable[[str], Any]) -> dict[str, list[tuple[Slip, int]]]:
    """Return mistakes of each module with what became of them."""
    lines: dict[str, Lines] = {}
    found: dict[str, list[tuple[Slip, int]]] = {}
    for name in modules:
        part = PARTS[name]
        if part.engine and part.engine not in lines:
            lines[part.engine] = Lines(part.engine)
        mine = [slip for slip in slips(name) if not reason(slip)]
        random.Random(seed).shuffle(mine)
        found[name] = []
        for slip in mine:
            if len(found[name]) >= count:
                break
            what = caught(slip, part, lines.get(part.engine))
            if what == UNMADE:
                continue
            found[name].append((slip, what))
            if what == SURVIVED:
                say(f"{slip.where}\n")
        say(f"{name}: {sum(what == CAUGHT for _, what in found[name])} of {len(found[name])} caught, of {len(mine)} possible\n")
    return found


def page(found: dict[str, list[tuple[Slip, int]]], seed: int) -> str:
    """Return the made part of docs/mutation.md that tells of the engine."""
    every = [what for mine in found.values() for _, what in mine]
    killed = sum(what == CAUGHT for what in every)
    lines = [f"{len(every)} mistakes (seed {seed}): {killed} caught, {killed / len(every):.1%}.", ""]
    lines += ["| module | possible | made | caught |", "| --- | --- | --- | --- |"]
    for name, mine in found.items():
        caught_here = sum(what == CAUGHT for _, what in mine)
        lines.append(f"| `{name.removeprefix('tariff_engine.')}` | {sum(1 for _ in slips(name)):,} | {len(mine)} | {caught_here} |")
    left = [f"- `{slip.where}`" for mine in found.values() for slip, what in mine if what == SURVIVED]
    lines += ["", "Survivors:", "", *(left or ["- none"])]
    return BEGIN + "\n".join(lines) + "\n" + END


def main() -> None:
    """Make mistakes and tell of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    modules = [f"tariff_engine.{name}" for name in sys.argv[3].split(",")] if len(sys.argv) > 3 else list(PARTS)

    def say(words: str) -> None:
        sys.stdout.write(words)
        sys.stdout.flush()

    made = page(survey(count, seed, modules, say), seed)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + made + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
