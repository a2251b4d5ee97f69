"""What is at stake on lines that differ in dollars only: the range of the duty, the questions in order, the largest saving, as sums of cents.

The inquiry into one line compares duties. From some value on these comparisons come out alike whatever the value, so that the inquiry into a
single line tells the questions of all of them, and which combination of answers is the lowest and which the highest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.base import line_base
from tariff_engine.bulk.bounds import held_from, straight
from tariff_engine.bulk.cuts import MOST, Amounts
from tariff_engine.bulk.sums import NOTHING, VALUE, Sum, settled, settled_between, sum_of
from tariff_engine.compiled.plan import numbers_of
from tariff_engine.engine import Assessed
from tariff_engine.exclusions import CLAIMS, unclaimed
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from tariff_engine.base import LineBase
    from tariff_engine.bulk.cuts import Parts
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.plan import Charge
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.inquiry import Inquiry
    from tariff_engine.inquiry_course import Claims, Course

    Charges = tuple[Charge, ...]
    Rates = tuple[Fraction, ...]


class Stakes(NamedTuple):
    """What holds for the lines of a form that are worth at least `least` whole dollars.

    `low` and `high` are the least and the most duty that any combination of answers leaves. `saved` is the duty if `saving` were true, the
    fact that would save the most; without one both are None.
    """

    least: int
    low: Sum
    high: Sum
    complete: bool
    questions: tuple[str, ...]
    saving: str | None
    saved: Sum | None


@dataclass(frozen=True, slots=True, eq=False)
class Explored:
    """The inquiry into one line, as far as it holds for others: those that see the same law, whatever their base rates and their value.

    `claims` are those that were tried, each with what was seen of the base duty; `remainders` those of the values that are cut alike.
    `parts` are those of the cuts, `charges` the line as stated, and `exclusions` the charges under each that could be claimed. Where the law
    picked the lowest of several duties, the course says which.
    """

    course: Course
    claims: tuple[tuple[Claims, tuple[Any, ...]], ...]
    remainders: frozenset[int]
    parts: tuple[Parts, ...]
    charges: Charges
    exclusions: tuple[Charges, ...]

    def rates(self, knowledge: Knowledge, line: Line, base: LineBase, floors: tuple[Fraction, ...]) -> Rates | None:
        """Return the rate of the base duty of a line, and of each that the claims lead to; None where the inquiry does not hold for it."""
        if base.base.rate is None or base.base.value != line.value or base.open:
            return None
        found = [base.base.rate]
        for claims, before in self.claims:
            try:
                claimed = line_base(knowledge.law, knowledge.reader.with_facts(line, dict(claims)))
            except ProblemError:
                return None
            if claimed.base.rate is None or _seen(claimed, line, floors) != before:
                return None
            found.append(claimed.base.rate)
        rates = tuple(found)
        return None if self.held_from(rates) is None else rates

    def held_from(self, rates: Rates) -> int | None:
        """Return the least value from which the law picks the same duties as the lowest; None where it does not."""
        return held_from(self.course.guards, rates, self.parts) if self.course.guards else 1


def _seen(base: LineBase, line: Line, floors: tuple[Fraction, ...]) -> tuple[Any, ...]:
    """What the tests of the law, and the questions, take from a base duty that is a share of the value."""
    return base.column, base.unclaimed, base.base.value == line.value, tuple([base.base.ave >= floor for floor in floors])


def explored(knowledge: Knowledge, line: Line, amounts: Amounts) -> Explored | None:
    """Return the inquiry into a line; None where more than dollars and rates decides it.

    Raises ProblemError and LawConflictError as an assessment does.
    """
    book, inquirer = knowledge.law.compiled, knowledge.inquirer
    if line.content or not line.value or "value" in book.fact_bits or book.rate_bits:
        return None
    remainder = line.value % amounts.step
    sample = knowledge.read({**line.facts, "value": MOST + (remainder - MOST) % amounts.step})
    evaluated, base = knowledge.evaluate(sample)
    if base.open or not _plain(evaluated):
        return None
    situation = evaluated.plan.situation
    known = frozenset(situation.plans)
    _, tree, course = inquirer.explore(sample, Assessed(evaluated, base))
    knowledge.evaluator.forget_plans(situation, known)
    if tree.apart:
        return None
    bases = [base for _, base in tree.claims.values()]
    if any(one.base.rate is None or one.base.value != sample.value for one in bases):
        return None
    recipes = [tree.cutter.recipe(sample, cut, situation.relevant) for cut in list(tree.cuts)[1:]]
    made = amounts.of(tree.cutter, sample, [recipe for recipe in recipes if recipe], remainder)
    exclusions = _exclusions(knowledge, sample, evaluated)
    if made is None or exclusions is None or not all(recipes):
        return None
    if not straight(course.guards, made[0]):
        return None
    floors = situation.floors
    claims = tuple((claims, _seen(base, sample, floors)) for claims, (_, base) in list(tree.claims.items())[1:])
    parts, remainders = made
    return Explored(course, claims, remainders, tuple(parts), evaluated.plan.charges, exclusions)


class Staking:
    """Tells what is at stake on lines for which an inquiry holds, given the rates of their base duty."""

    def __init__(self, knowledge: Knowledge, found: Explored, rates: Rates, amounts: Amounts) -> None:
        """Lay out what each combination of answers owes."""
        self._found, self._rates, self._answers, self._amounts = found, rates, knowledge.inquirer.answers, amounts
        self._baseline = _charged(found.charges, rates[0], ())
        exclusions = [_charged(charges, rates[0], ()) for charges in found.exclusions]
        sums = [_charged(charges, rates[base], found.parts[cut - 1] if cut else ()) for cut, base, charges, _ in found.course.sums]
        self._every = tuple(dict.fromkeys((self._baseline, *sums, *exclusions)))
        place = {one: number for number, one in enumerate(self._every)}
        self._sums, self._exclusions = [place[one] for one in sums], [place[one] for one in exclusions]

    def of_all(self) -> Stakes | None:
        """Return what is at stake on all lines that are worth enough; None where rounding decides it."""
        found, amounts, course = self._found, self._amounts, self._found.course
        least, held = settled(self._every), found.held_from(self._rates)
        if least is None or held is None:
            return None
        if len(course.asked) > 1:
            # which question comes first may hang on a rise here and a fall there: these too must be settled
            for one in (one for one in self._every if one.rate < self._baseline.rate):
                for other in (other for other in self._every if other.rate > self._baseline.rate):
                    between = settled_between(one, other, self._baseline)
                    if between is None:
                        return None
                    least = max(least, between)
        # with less, fewer amounts are tried, and an inquiry that was cut short goes farther
        least = held if len(self._every) == 1 and course.complete else max(least, held, amounts.apart)
        dollars = max(least, amounts.apart)
        return self._at(dollars + (min(found.remainders) - dollars) % amounts.step, least)

    def of_one(self, dollars: int) -> Stakes | None:
        """Return what is at stake on a line that is worth so many dollars; None where the inquiry does not hold for it."""
        held = self._found.held_from(self._rates)
        if held is None or dollars < max(held, self._amounts.apart):
            return None
        return self._at(dollars, 0)

    def _at(self, dollars: int, least: int) -> Stakes:
        tried = {fact: self._answers.amounts(dollars, fact) for fact in self._answers.shares}
        cents = [one.cents(dollars) for one in self._every]  # that of the line as stated is the first
        inquiry = self._found.course.result([cents[place] for place in self._sums], cents[0], tried)
        by_cents = dict(zip(cents, self._every, strict=True))
        saving, saved = _saving(inquiry, [cents[place] for place in self._exclusions], cents[0])
        questions = tuple(question.fact for question in inquiry.questions)
        low, high = by_cents[inquiry.low or 0], by_cents[inquiry.high or 0]
        return Stakes(least, low, high, inquiry.complete, questions, saving, by_cents[saved] if saving else None)


def _saving(inquiry: Inquiry, exclusions: list[int], duty: int) -> tuple[str | None, int]:
    """Return the fact that would save the most, the first of several, and the duty if it were true."""
    best: str | None = None
    for question in inquiry.questions:
        for option in question.options:
            if option.duty < duty:
                best, duty = question.fact, option.duty
    for one in exclusions:
        if one < duty:
            best, duty = CLAIMS, one
    return best, duty


def _exclusions(knowledge: Knowledge, line: Line, evaluated: Evaluated) -> tuple[Charges, ...] | None:
    """Return the charges under the exclusions that could be claimed; None where one hangs on more than the value."""
    found = []
    for heading in unclaimed(knowledge.law.compiled, line, evaluated):
        claims = [*line.facts.get(CLAIMS, ()), heading]
        try:
            other, _ = knowledge.evaluate(knowledge.reader.with_facts(line, {CLAIMS: claims}))
        except (ProblemError, LawConflictError):
            continue
        if not _plain(other):
            return None
        found.append(other.plan.charges)
    return tuple(found)


def _plain(evaluated: Evaluated) -> bool:
    """Whether a line owes, as it is stated, rates on its whole value and nothing else."""
    plan, line, base = evaluated.plan, evaluated.line, evaluated.base
    if plan.guards or plan.any_framed or plan.framed or plan.offsets or line.content:
        return False
    return base.value == line.value and base.rate is not None and len(plan.charges) == 1


def _charged(charges: Charges, rate: Fraction, cut: Sequence[Any]) -> Sum:
    """Return what is owed on the lines of a cut value, with the base rate."""
    top, bottom = rate.as_integer_ratio()
    terms = []
    for mask, taken, money in charges:
        dollars = VALUE
        if len(charges) > 1:
            dollars = NOTHING
            for place in numbers_of(mask):
                dollars = dollars.plus(cut[place] or NOTHING)
        terms += [(term, dollars) for term in money]
        if not taken:
            terms.append(((200 * top, bottom, 2 * bottom), dollars))
    return sum_of(terms)
