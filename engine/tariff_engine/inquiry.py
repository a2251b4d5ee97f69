"""What nobody stated, and whether it matters: the questions worth asking, in dollars, and the range of duties that every answer leaves open.

All open facts are explored together, since answers can be linked (metal that was both smelted and cast in one country). The facts that turn
out to change nothing, whatever the others are, are not asked. A line like one met before, but for its dollars, takes the same course again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.base import claim_facts
from tariff_engine.evaluate.charge import Base
from tariff_engine.inquiry_alike import Alike
from tariff_engine.inquiry_course import Course, Inquiry, Option, Question, holds, owed, owed_whole
from tariff_engine.inquiry_cuts import Cutter, Recipe
from tariff_engine.inquiry_tree import Evaluation, Tree
from tariff_engine.money import cents_of
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from tariff_engine.base import LineBase
    from tariff_engine.facts import FactReader, Line
    from tariff_engine.inquiry_answers import Answers
    from tariff_engine.law import Law

__all__ = ["Inquirer", "Inquiry", "Option", "Question"]

_MAX_WEIGHT = 2_000_000  # of all courses kept, in objects
_MAX_COURSES = 64  # of one pattern: more of them are not worth looking through
_MAX_CLAIMED = 1_000  # products of one pattern whose rate under a claim is kept
Claimed = tuple[Fraction, tuple[Any, ...]]
"""The rate that a claim leads to on lines of one pattern and product, and what tests and questions take from it."""


@dataclass(slots=True, eq=False)
class _Known:
    """Courses of one pattern whose cuts are the same: by what tests on dollars see of each cut."""

    lengths: tuple[tuple[str, int], ...]
    recipes: tuple[Recipe, ...]
    courses: dict[tuple[tuple[int, int], ...], list[Course]] = field(default_factory=dict)
    claimed: dict[tuple[Any, ...], Claimed] = field(default_factory=dict)


class Inquirer:
    """Asks about lines of one law. `evaluate` assesses a line, `base` its chapter 1-97 number alone; facts are tried as `answers` says.

    `again` and `anew` count the lines whose course was known, and those that were explored.
    """

    def __init__(
        self,
        answers: Answers,
        reader: FactReader,
        evaluate: Callable[[Line], Evaluation],
        base: Callable[[Line], LineBase],
        law: Law,
    ) -> None:
        """Take what assesses lines of a law; no course is known yet."""
        self.answers, self.reader, self.evaluate, self.base = answers, reader, evaluate, base
        self.again = self.anew = 0
        self._cutter = Cutter(law.compiled, law.slices)
        self._known: dict[tuple[Any, ...], list[_Known]] = {}
        self._weight = 0
        named = {name for rule in law.contradictions for name in (rule.field, *rule.facts, *(rule.after or ()))}
        self._exclusive = frozenset(named - {"entry_date"})
        self._claims = claim_facts(law)
        book = law.compiled
        computed = {*book.derived, *(fact for sources in book.ratios.values() for fact in sources)}
        self._alike = Alike(book, {*answers.shares, *self._cutter.facts, *self._claims, *self._exclusive, *computed})

    def forget(self) -> None:
        """Let go of every course; none serves once its plan was let go of."""
        self._known.clear()
        self._weight = 0

    @property
    def representatives(self) -> dict[str, tuple[Any, ...]]:
        """The values to try for each fact."""
        return self.answers.representatives

    def inquire(self, line: Line, baseline: Evaluation) -> Inquiry:
        """Return what to ask about a line, given its assessment with nothing but assumptions for the open facts."""
        duty = baseline.duty
        if duty is None:
            return Inquiry((), None, None)
        base = baseline.base.base
        if "chapter98" in line.facts or (
            base.rate is None and base.duty is None
        ):  # a base duty that need not be known is no part of a course
            self.anew += 1
            return self.explore(line, baseline)[0]
        facts = line.facts
        key = (
            baseline.evaluated.plan,
            self.evaluate,
            line.origin,
            line.day,
            baseline.base.unclaimed,
            tuple(facts),
            not facts["value"],
            tuple([facts[name] for name in facts if name in self._exclusive]),
        )
        known = self._known.get(key, ())
        for one in known:
            found = self._again(one, line, baseline, duty)
            if found is not None:
                self.again += 1
                return found
        self.anew += 1
        inquiry, tree, course = self.explore(line, baseline)
        self._keep(key, line, baseline, tree, course)
        return inquiry

    def explore(self, line: Line, baseline: Evaluation) -> tuple[Inquiry, Tree, Course]:
        """Return what to ask about a line by trying every combination, whatever is known; with the course, and how it went."""
        tree = Tree(self.answers, self.reader, self._cutter, self.evaluate, line, baseline, self._claims, self._alike)
        course = tree.course()
        amounts = {fact: self.answers.amounts(line.value, fact) for fact in self.answers.shares}
        return course.result(tree.duties, baseline.duty or 0, amounts), tree, course

    # ------------------------------------------------------------ known courses
    def _again(self, known: _Known, line: Line, baseline: Evaluation, duty: int) -> Inquiry | None:
        """Run a course that was kept; None where none of these holds for the line."""
        amounts: dict[str, list[int]] = {}
        for fact, length in known.lengths:
            amounts[fact] = self.answers.amounts(line.value, fact)
            if len(amounts[fact]) != length:
                return None
        seen, parts = self._cutter.cut(line, known.recipes, amounts)
        for course in known.courses.get(seen, ()):
            duties = self._duties(course, line, baseline, [baseline.evaluated.amounts, *parts], known.claimed)
            if duties is not None:
                return course.result(duties, duty, amounts)
        return None

    def _duties(
        self, course: Course, line: Line, baseline: Evaluation, parts: list[list[int]], claimed: dict[tuple[Any, ...], Claimed]
    ) -> list[int] | None:
        """Return the cents of each sum of a course; None where it does not hold for the line."""
        bases = [baseline.base.base]
        for claims, seen in course.claims:
            key = (claims, line.hts, line.facts.get("spi"), line.facts.get("usmca_qualifying"))
            met = claimed.get(key)
            if met is None:
                try:
                    made = self.base(self.reader.with_facts(line, dict(claims)))
                except ProblemError:
                    return None
                found_seen, base = self._seen(made, baseline), made.base
                if base.rate is not None and base.value == line.value:  # a share of the value is the same for every value
                    if len(claimed) >= _MAX_CLAIMED:
                        claimed.clear()
                    claimed[key] = base.rate, found_seen
            else:
                rate, found_seen = met
                base = Base(None, rate, line.value)
            if found_seen != seen:
                return None
            bases.append(base)
        if course.guards and not holds(course.guards, parts, bases):
            return None
        value, groups, found = line.value, dict[int, dict[int, int]](), list[int]()
        wholes = [None if base.rate is None else cents_of(base.rate, value) for base in bases]
        for cut, base_number, charges, totals in course.sums:
            base, amounts, whole = bases[base_number], parts[cut], wholes[base_number]
            if len(charges) == 1 and whole is not None:
                found.append(owed_whole(charges[0], value, whole))
            else:
                found.append(owed(charges, totals, value, groups.setdefault(cut, {}), amounts, base))
        return found

    @staticmethod
    def _seen(base: LineBase, baseline: Evaluation) -> tuple[Any, ...]:
        """What the tests of the law, and the questions, take from a base duty; () where it is not known."""
        if base.base.rate is None and base.base.duty is None:
            return ()
        floors = baseline.evaluated.plan.situation.floors
        return (
            base.column,
            base.unclaimed,
            base.base.value == baseline.evaluated.line.value,
            tuple(base.base.ave >= floor for floor in floors),
        )

    def _keep(self, key: tuple[Any, ...], line: Line, baseline: Evaluation, tree: Tree, course: Course) -> None:
        """Keep a course for lines of the pattern, if dollars alone can tell them apart and it gives this line back."""
        claims = [(claims, self._seen(base, baseline)) for claims, (_, base) in tree.claims.items()]
        if tree.apart or not all(seen for _, seen in claims) or (len(claims) > 1 and self.answers.book.rate_bits):
            return
        relevant = baseline.relevant[0]
        recipes = [self._cutter.recipe(line, cut, relevant) for cut in tree.cuts if cut]
        if not all(recipes):
            return
        course.claims = tuple(claims[1:])
        tried = dict.fromkeys(fact for cut in tree.cuts for fact, answer in cut if isinstance(answer, int))
        lengths = tuple((fact, len(self.answers.amounts(line.value, fact))) for fact in tried)
        made = _Known(lengths, tuple(recipe for recipe in recipes if recipe))
        patterns = self._known.get(key, [])
        made = next((one for one in patterns if (one.lengths, one.recipes) == (made.lengths, made.recipes)), made)
        amounts = {fact: self.answers.amounts(line.value, fact) for fact in tried}
        seen, parts = self._cutter.cut(line, made.recipes, amounts)
        if self._duties(course, line, baseline, [baseline.evaluated.amounts, *parts], made.claimed) != tree.duties:
            return
        if len(made.courses) + len(patterns) >= _MAX_COURSES:
            return
        if self._weight >= _MAX_WEIGHT:
            self.forget()
        patterns = self._known.setdefault(key, [])
        if made not in patterns:
            patterns.append(made)
        made.courses.setdefault(seen, []).append(course)
        self._weight += course.weight + 10 * len(made.recipes)
