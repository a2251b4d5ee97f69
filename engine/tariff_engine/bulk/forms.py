"""Forms: what lines come to that differ in what law does not look at. The engine answers one line of a form; its like are arithmetic.

Forms are made for lines on whose whole value duties are rates. Whatever else can make lines differ, such as contents, quantities, chapter 98,
or a choice of the lowest duty, has no form: such a line is answered alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.money import percent_text
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

_LARGEST = 2**62
MOST = 10**11  # dollars of a line that a form may charge; a larger one is answered alone
Terms = tuple[int, int, int]
"""Cents of a value: (first * dollars + second) // third."""
_CHARGES = frozenset({"additional", "total"})


class Filed(NamedTuple):
    """What a plan files besides the base duty: the terms of its rows, and everything that is not money.

    `taken`: a total stands in place of the base duty. `replaced`: the base duty need not be known. `whole` says of each row whether it is
    charged on the whole value, or on nothing. `owes`: some row charges. `codes` are those of warnings, `assumed` the facts taken for granted.
    """

    terms: tuple[Terms, ...]
    taken: bool
    replaced: bool
    whole: tuple[bool, ...]
    rows: tuple[tuple[Any, ...], ...]  # heading, program, kind, rate, instrument, since
    owes: bool
    prohibited: bool
    codes: tuple[str, ...]
    assumed: tuple[str, ...]


def filed_of(knowledge: Knowledge, line: Line) -> Filed | None:
    """Return what a line files; None where more than its value decides the cents, or where it cannot be answered."""
    try:
        evaluated, base = knowledge.evaluate(line)
        if not _plain(evaluated):
            return None
        derivation = evaluated.derivation()
    except (ProblemError, LawConflictError):
        return None
    plan, value, rows = evaluated.plan, line.value, derivation.rows
    if len(rows) != len(plan.rows) or base.base.duty is not None or any(row.base not in {0, value} for row in rows):
        return None
    if any(first * MOST + second >= _LARGEST for first, second, _ in plan.money):
        return None
    taken = bool(plan.total_groups and plan.total_groups[0])
    if [row.duty for row in rows] != [(first * value + second) // third for first, second, third in plan.money]:
        return None
    if derivation.base_duty != _left(evaluated, taken=taken):
        return None
    return Filed(
        plan.money,
        taken,
        plan.replaced,
        tuple(row.base != 0 for row in rows),
        tuple((row.heading, row.program, row.kind, percent_text(row.rate), row.by or None, row.since) for row in rows),
        any(row.kind in _CHARGES for row in rows),
        derivation.prohibited,
        tuple(dict.fromkeys(one.code for one in knowledge.remarks_on_plan(evaluated))),
        tuple(dict.fromkeys(one.fact for one in evaluated.assumed)),
    )


def _left(evaluated: Evaluated, *, taken: bool) -> int | None:
    """Return the base duty that a line is left with, in cents, by the terms of its rate."""
    rate = evaluated.base.rate
    if rate is None:
        return 0 if evaluated.plan.replaced else None
    return 0 if taken else (200 * rate.numerator * evaluated.line.value + rate.denominator) // (2 * rate.denominator)


def open_facts(evaluated: Evaluated, base: Any) -> tuple[str, ...]:
    """Return the facts that were taken for granted, whether or not they matter."""
    return tuple(dict.fromkeys([*(one.fact for one in base.open), *(one.fact for one in evaluated.assumed), *base.unclaimed]))


def _plain(evaluated: Evaluated) -> bool:
    """Whether dollars of the whole value alone decide the cents: one split line, no choice by amount, no frame, no amount set off."""
    plan = evaluated.plan
    return len(plan.groups) == 1 and not (plan.guards or plan.any_framed or plan.framed or plan.offsets)
