"""What is at stake on lines that differ in dollars only: the range of the duty, the questions in order, the largest saving, as sums of cents.

The inquiry into one line compares duties. From some value on these comparisons come out alike whatever the value, so that the inquiry into a
single line tells the questions of all of them, and which combination of answers is the lowest and which the highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.bulk.cuts import MOST, amounts_of, least_apart, modulus
from tariff_engine.bulk.sums import NOTHING, VALUE, Amount, Sum, settled, settled_between, sum_of
from tariff_engine.compiled.plan import numbers_of
from tariff_engine.engine import Assessed
from tariff_engine.exclusions import CLAIMS, unclaimed
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from fractions import Fraction

    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.plan import Charge
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.inquiry import Inquiry
    from tariff_engine.inquiry_course import Claims, Course
    from tariff_engine.inquiry_tree import Tree


class Stakes(NamedTuple):
    """What holds for the lines of a form that are worth at least `least` whole dollars, and leave the same remainder by `modulus`.

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


class Tried(NamedTuple):
    """What an inquiry tried besides bits of facts: claims, each with what the base duty became, and the day where days were tried.

    `apart`: nothing more is known of it, so that it holds for the line alone.
    """

    claims: tuple[tuple[Claims, tuple[Any, ...]], ...] = ()
    day: date | None = None
    apart: bool = False


_UNKNOWN = Tried(apart=True)


def stakes_of(knowledge: Knowledge, line: Line) -> tuple[Stakes | None, Tried]:
    """Return what is at stake on a line and on all that differ from it by so many times `modulus` dollars, and what was tried.

    None where more than dollars decides it. Raises ProblemError and LawConflictError as an assessment does.
    """
    book, inquirer = knowledge.law.compiled, knowledge.inquirer
    if line.content or not line.value or "value" in book.fact_bits:
        return None, _UNKNOWN
    step, apart = modulus(inquirer.answers, book), least_apart(inquirer.answers, book)
    values = [value + (line.value - value) % step for value in (apart, 1_000_000, MOST)]
    samples = [knowledge.read({**line.facts, "value": value}) for value in values]
    evaluated, base = knowledge.evaluate(samples[2])
    baseline = _sum(evaluated, base.base.rate)
    if baseline is None or base.open:
        return None, _UNKNOWN
    _, tree, course = inquirer.explore(samples[2], Assessed(evaluated, base))
    found = _staked(knowledge, samples, evaluated, baseline, tree, course)
    return found, _tried(knowledge, tree, course, samples[2])


def _tried(knowledge: Knowledge, tree: Tree, course: Course, line: Line) -> Tried:
    claims = tuple(
        (claims, (base.column, base.unclaimed, base.base.rate, base.base.value == line.value))
        for claims, (_, base) in list(tree.claims.items())[1:]
    )
    facts = {one.fact for one in course.asked} | {node[0] for node in course.nodes if isinstance(node, tuple)}
    days = any(knowledge.law.facts[fact].type == "date" for fact in facts)
    return Tried(claims, line.day if days else None, tree.apart)


def _staked(knowledge: Knowledge, samples: list[Line], evaluated: Evaluated, baseline: Sum, tree: Tree, course: Course) -> Stakes | None:
    """Return what is at stake, given the inquiry into the last of three samples."""
    inquirer, book, line = knowledge.inquirer, knowledge.law.compiled, samples[2]
    step, apart = modulus(inquirer.answers, book), least_apart(inquirer.answers, book)
    sums = _sums(knowledge, samples, evaluated, tree, course)
    exclusions = _exclusions(knowledge, samples[2], evaluated)
    if sums is None or exclusions is None:
        return None
    every = {baseline, *sums, *exclusions}
    least = settled(every)
    if least is None:
        return None

    def at(dollars: int) -> Inquiry:
        amounts = {fact: inquirer.answers.amounts(dollars, fact) for fact in inquirer.answers.shares}
        return course.result([one.cents(dollars) for one in sums], baseline.cents(dollars), amounts)

    if len(course.asked) > 1:
        # which question comes first may hang on a rise here and a fall there: these too must be settled
        for one in (one for one in every if one.rate < baseline.rate):
            for other in (other for other in every if other.rate > baseline.rate):
                between = settled_between(one, other, baseline)
                if between is None:
                    return None
                least = max(least, between)
    least = 1 if len(every) == 1 else max(least, apart)
    dollars = max(least, apart)
    dollars += (line.value - dollars) % step
    inquiry = at(dollars)
    by_cents = {one.cents(dollars): one for one in every}
    saving, saved = _saving(inquiry, [one.cents(dollars) for one in exclusions], baseline.cents(dollars))
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


def _sums(knowledge: Knowledge, samples: list[Line], evaluated: Evaluated, tree: Tree, course: Course) -> list[Sum] | None:
    """Return the duties that the combinations of answers lead to; None where they hang on more than the value and rates."""
    line = samples[2]
    if tree.apart or course.guards:
        return None
    rates = [base.base.rate for _, base in tree.claims.values() if base.base.value == line.value]
    if len(rates) < len(tree.claims):
        return None
    recipes = [tree.cutter.recipe(line, cut, evaluated.plan.situation.relevant) for cut in list(tree.cuts)[1:]]
    made = amounts_of(tree.cutter, knowledge.inquirer.answers, samples, [recipe for recipe in recipes if recipe])
    if made is None or not all(recipes):
        return None
    found = []
    for number, base, charges, _ in course.sums:
        one = _charged(charges, rates[base], made[number - 1] if number else ())
        if one is None:
            return None
        found.append(one)
    return found


def _exclusions(knowledge: Knowledge, line: Line, evaluated: Evaluated) -> list[Sum] | None:
    """Return the duties under the exclusions that could be claimed; None where one hangs on more than the value."""
    found = []
    for heading in unclaimed(knowledge.law.compiled, line, evaluated):
        claims = [*line.facts.get(CLAIMS, ()), heading]
        try:
            other, base = knowledge.evaluate(knowledge.reader.with_facts(line, {CLAIMS: claims}))
        except (ProblemError, LawConflictError):
            continue
        made = _sum(other, base.base.rate) if other.duty is not None else None
        if made is None:
            return None
        found.append(made)
    return found


def _sum(evaluated: Evaluated, rate: Fraction | None) -> Sum | None:
    """Return what a line owes as it is stated."""
    plan, line = evaluated.plan, evaluated.line
    if plan.guards or plan.any_framed or plan.framed or plan.offsets or line.content or evaluated.base.value != line.value:
        return None
    return _charged(plan.charges, rate, ()) if len(plan.charges) == 1 else None


def _charged(charges: tuple[Charge, ...], rate: Fraction | None, cut: Sequence[Amount | None]) -> Sum | None:
    """Return what is owed on the lines of a cut value, with the base rate; None where that is no share of the value."""
    if rate is None:
        return None
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
