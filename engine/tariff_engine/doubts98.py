"""Duties of chapter 99 that are charged on goods entered under chapter 98 although the law read does not say clearly that they reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tariff_engine.problems import Problem

if TYPE_CHECKING:
    from tariff_engine.base import LineBase
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.law import Law

_CHARGED = frozenset({"additional", "total"})


def doubts_under_98(law: Law, base: LineBase, evaluated: Evaluated) -> list[Problem]:
    """Return a warning for each program that charges a line entered under chapter 98 without a clear word on it."""
    number = base.base.chapter98
    if not number:
        return []
    found = []
    day = evaluated.line.day.toordinal()
    charging = dict.fromkeys(
        law.compiled.provisions[row.place].program
        for row in evaluated.plan.rows
        if row.kind in _CHARGED and row.top and evaluated.plan.states[row.place].frame is None
    )
    for place in charging:
        program = law.compiled.programs[place]
        rule = next((rule for rule in program.chapter98 if rule.start <= day), None)
        if rule is None:
            why = f"no text read says what {number} leaves to {program.name}: all of the value is charged"
        elif rule.terms == "part" and base.base.freed:
            why = f"the note of {program.name} makes goods subject to the terms of {number}, which frees them; CBP assesses the duty apart from it"
        else:
            continue
        found.append(Problem("chapter98_unsettled", "chapter98", why, "ask for a ruling; without the charge its duty is nothing"))
    return found
