"""What is at stake on lines that differ in dollars only: the range of the duty, the questions in order, the largest saving, as sums of cents.

The inquiry into one line compares duties. From some value on these comparisons come out alike whatever the value, so that the inquiry into a
single line tells the questions of all of them, and which combination of answers is the lowest and which the highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tariff_engine.bulk.sums import Sum, settled, settled_between, sum_of
from tariff_engine.engine import Assessed
from tariff_engine.exclusions import CLAIMS, unclaimed
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from fractions import Fraction

    from tariff_engine.base import LineBase
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.plan import Charge
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.inquiry import Inquiry
    from tariff_engine.inquiry_course import Course
    from tariff_engine.inquiry_tree import Tree


class Stakes(NamedTuple):
    """What holds for every line of a form that is worth at least `least` whole dollars.

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


def stakes_of(knowledge: Knowledge, line: Line, evaluated: Evaluated, base: LineBase) -> Stakes | None:
    """Return what is at stake on a line and on all that differ from it in dollars only; None where more than the value decides it."""
    baseline = _sum(evaluated, base.base.rate)
    if baseline is None or not line.value or base.open or "value" in knowledge.law.compiled.fact_bits:
        return None
    _, tree, course = knowledge.inquirer.explore(line, Assessed(evaluated, base))
    sums = _sums(knowledge, line, tree, course)
    exclusions = _exclusions(knowledge, line, evaluated)
    if sums is None or exclusions is None:
        return None
    every = {baseline, *sums, *exclusions}
    least = settled(every)
    if least is None:
        return None
    inquiry, sums_by_cents, found = _at(course, sums, baseline, every, least)
    if len({question.fact for question in inquiry.questions}) > 1:
        # which question comes first may hang on a rise here and a fall there: these too must be settled
        far = [(one, other) for one in every for other in every if one.rate < baseline.rate < other.rate]
        for one, other in far:
            between = settled_between(one, other, baseline)
            if between is None:
                return None
            least = max(least, between)
        inquiry, sums_by_cents, found = _at(course, sums, baseline, every, least)
    low, high = sums_by_cents[inquiry.low or 0], sums_by_cents[inquiry.high or 0]
    saving, saved = _saving(inquiry, exclusions, found, least)
    questions = tuple(question.fact for question in inquiry.questions)
    return Stakes(
        least, low, high, inquiry.complete, questions, saving, None if saved is None else sums_by_cents[saved]
    )


def _at(
    course: Course, sums: list[Sum], baseline: Sum, every: set[Sum], dollars: int
) -> tuple[Inquiry, dict[int, Sum], int]:
    """Run the inquiry at a value; return it, the sums by their cents, and the duty as assumed."""
    duty = baseline.cents(dollars)
    inquiry = course.result([one.cents(dollars) for one in sums], duty, {})
    return inquiry, {one.cents(dollars): one for one in every}, duty


def _saving(inquiry: Inquiry, exclusions: list[Sum], duty: int, dollars: int) -> tuple[str | None, int | None]:
    """Return the fact that would save the most, the first of several, and the duty if it were true."""
    best, saved = None, duty
    for question in inquiry.questions:
        for option in question.options:
            if option.duty < saved:
                best, saved = question.fact, option.duty
    for one in exclusions:
        if one.cents(dollars) < saved:
            best, saved = CLAIMS, one.cents(dollars)
    return best, saved if best else None


def _sums(knowledge: Knowledge, line: Line, tree: Tree, course: Course) -> list[Sum] | None:
    """Return the duties that the combinations of answers lead to; None where they hang on more than dollars and rates."""
    shares = knowledge.inquirer.answers.shares
    tried = {one.fact for one in course.asked} | {node[0] for node in course.nodes if isinstance(node, tuple)}
    if tree.apart or course.guards or len(tree.cuts) > 1 or not tried.isdisjoint(shares):
        return None
    rates = [base.base.rate for _, base in tree.claims.values() if base.base.value == line.value]
    if len(rates) < len(tree.claims):
        return None
    found = []
    for _, number, charges, _ in course.sums:
        made = _charged(charges, rates[number])
        if made is None:
            return None
        found.append(made)
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
    plan, line = evaluated.plan, evaluated.line
    if plan.guards or plan.any_framed or plan.framed or plan.offsets or line.content or evaluated.base.value != line.value:
        return None
    return _charged(plan.charges, rate)


def _charged(charges: tuple[Charge, ...], rate: Fraction | None) -> Sum | None:
    """Return what a line that is not split owes, with its base rate; None where that is no share of the value."""
    if len(charges) != 1 or rate is None:
        return None
    _, taken, money = charges[0]
    top, bottom = rate.as_integer_ratio()
    return sum_of([*money, *(() if taken else ((200 * top, bottom, 2 * bottom),))])
