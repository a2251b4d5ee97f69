"""What was asked before changes nothing: an evaluator that remembers says of a line what one that has met nothing says."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from tests.law.chart import EVER, read_points
from tests.properties.siblings import siblings

from tariff_engine.agreement import compare
from tariff_engine.base import line_base
from tariff_engine.compiled import remembered
from tariff_engine.compiled.evaluate import CompiledEvaluator
from tariff_engine.compiled.evaluated import Evaluated
from tariff_engine.compiled.form import FOREVER
from tariff_engine.compiled.plan import Plan, State
from tariff_engine.compiled.remembered import DECIDED, FLOOR, LOWEST, RELIEVED, Met, Remembered
from tariff_engine.compiled.resolve import Resolver
from tariff_engine.compiled.situation import Live
from tariff_engine.engine import Knowledge
from tariff_engine.problems import LawConflictError, ProblemError

OF_A_STATE = tuple(one.name for one in fields(State) if one.name != "live")
FEW = 80
LINES = FEW if os.environ.get("HYPOTHESIS_PROFILE", "default") == "default" else 1500
EACH = 8


def test_what_was_asked_before_changes_no_answer(knowledge: Knowledge) -> None:
    law, rng = knowledge.law, random.Random(1)
    contents = sorted({piece.fact for piece in law.compiled.slices})
    points = [point for point in read_points() if point.known == EVER]
    remembering, forgetful, compared = CompiledEvaluator(law.compiled), CompiledEvaluator(law.compiled), 0
    for point in rng.sample(points, LINES):
        for raw in siblings(point.line, contents, rng, EACH):
            try:
                line = knowledge.read(raw)
                base = line_base(law, line)
            except ProblemError:
                continue
            found: list[Evaluated | None] = []
            forgetful.situations.forget()
            forgetful.remembered.forget()
            for evaluator in (remembering, forgetful):
                try:
                    found.append(evaluator.evaluate(line, base.base, base.column))
                except LawConflictError:
                    found.append(None)
            one, two = found
            assert (one is None) == (two is None), raw
            if one is not None and two is not None:
                apart = compare(two.derivation(), one.derivation())
                assert not apart, f"{raw}: {apart}"
                assert told(one.plan) == told(two.plan), raw
            compared += 1
    assert compared > LINES * EACH // 2


def told(plan: Plan) -> tuple[Any, ...]:
    """All that a plan says, and what became of each provision: more than an answer shows."""
    states = {place: tuple(getattr(state, name) for name in OF_A_STATE) for place, state in plan.states.items()}
    return plan.rows, plan.groups, plan.total_groups, plan.replaced, plan.offsets, plan.assumed, plan.guards, plan.doubts, states


def test_decisions_of_other_days_stand_only_where_the_same_relations_do(knowledge: Knowledge) -> None:
    """Lines on both sides of each day on which an exception, a relation or a choice of one of their provisions begins or ends."""
    law, rng = knowledge.law, random.Random(2)
    book = law.compiled
    first, last = (date.fromordinal(day) for day in (book.horizon[0], book.horizon[1] - 1))
    points = [point for point in read_points() if point.known == EVER]
    remembering, forgetful, compared = CompiledEvaluator(book), CompiledEvaluator(book), 0
    for point in rng.sample(points, min(4 * LINES, len(points))):
        try:
            line = knowledge.read(point.line)
            base = line_base(law, line)
        except ProblemError:
            continue
        live = remembering.evaluate(line, base.base, base.column).plan.situation.live.values()
        edges = [edge for item in live for edge in (*item.provision.unless, *item.provision.relations)]
        spans = [(one.start, one.end) for one in edges] + [(one.start, one.end) for item in live for one in item.program.groups]
        days = {day for span in spans for day in span if 0 < day < FOREVER}
        for day in sorted(days | {day - 1 for day in days}):
            entered = date.fromordinal(day)
            if not first <= entered <= last:
                continue
            try:
                other = knowledge.read({**point.line, "entry_date": entered})
                base = line_base(law, other)
            except ProblemError:
                continue
            forgetful.situations.forget()
            forgetful.remembered.forget()
            try:
                plans = [one.evaluate(other, base.base, base.column).plan for one in (remembering, forgetful)]
            except LawConflictError:
                continue
            assert told(plans[0]) == told(plans[1]), (point.line, entered)
            compared += 1
    assert compared > LINES


def test_what_was_noted_of_dollars_and_rates_is_looked_at_again(knowledge: Knowledge) -> None:
    """Whether a base rate reaches a floor, and which of several duties is the lowest, is another matter on another line."""
    raw = {"hts": "8703230190", "origin": "JP", "entry_date": "2025-10-02", "mode": "ocean", "value": 50_000}
    line = knowledge.read(raw)
    evaluated, _ = knowledge.evaluate(line)
    plan = evaluated.plan
    floor = plan.situation.floors[0]
    reached = plan.pattern.floors[0]
    resolver = Resolver(knowledge.law.compiled, plan.situation, plan.pattern, Remembered(knowledge.law.compiled))
    state = next(iter(plan.states.values()))
    recalled: Callable[[Resolver, Met], State | None] = vars(Resolver)["_recalled"]

    def met(kind: int, what: Any, found: Any) -> State | None:
        decisions = Met()
        decisions.add([(kind, what, found)], state)
        return recalled(resolver, decisions)

    assert met(FLOOR, floor, reached) is state
    assert met(FLOOR, floor, not reached) is None
    terms = (("add", Fraction(1, 4), plan.pattern.present, None), ("add", Fraction(1, 5), plan.pattern.present, None))
    assert met(LOWEST, terms, 1) is state
    assert list(resolver.guards) == [(terms, 1)]
    assert met(LOWEST, terms, 0) is None


def test_decisions_that_found_the_same_look_on_at_the_same(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each decision is found by what it found; one that strays is a defect that is told, not remembered; there are not too many of them."""
    raw = {"hts": "8703230190", "origin": "JP", "entry_date": "2025-10-02", "mode": "ocean", "value": 50_000}
    plan = knowledge.evaluate(knowledge.read(raw))[0].plan
    resolver = Resolver(knowledge.law.compiled, plan.situation, plan.pattern, Remembered(knowledge.law.compiled))
    recalled: Callable[[Resolver, Met], State | None] = vars(Resolver)["_recalled"]
    first, second, third = list(plan.states.values())[:3]
    place = first.live.provision.index
    ours = resolver.decide(place)
    decisions = Met()
    decisions.add([(DECIDED, place, second), (RELIEVED, -1, None)], second)
    assert recalled(resolver, decisions) is None
    assert -1 not in resolver.relieved
    decisions.add([(DECIDED, place, ours), (RELIEVED, -2, None)], third)
    assert recalled(resolver, decisions) is third
    assert -2 in resolver.relieved
    with pytest.raises(RuntimeError, match=third.live.provision.id):
        decisions.add([(DECIDED, place, ours), (RELIEVED, -3, None)], third)
    monkeypatch.setattr(remembered, "_MOST_ALIKE", decisions.count)
    decisions.add([(DECIDED, place, first), (RELIEVED, -2, None)], first)
    assert recalled(resolver, decisions) is None, "too many were met: they were let go of"


def test_decisions_are_taken_over_and_let_go_of(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few provisions are decided anew where facts of a line change one by one; what is remembered is bounded, and none of it is needed."""
    raw = {"hts": "8302423015", "origin": "TW", "entry_date": "2025-10-28", "mode": "ocean", "value": 100_000}
    metals = [{"smelt_country": smelt, "cast_country": cast} for smelt in ("BY", "RU", "UN", "US") for cast in ("BY", "RU", "UN", "US")]
    lines = [knowledge.read({**raw, "steel_content_value": 40_000, "aluminum_content_value": 9_000, **metal}) for metal in metals]
    decided: list[Live] = []
    decide: Callable[[Resolver, Live], State] = vars(Resolver)["_candidate"]

    def noted(resolver: Resolver, live: Live) -> State:
        decided.append(live)
        return decide(resolver, live)

    monkeypatch.setattr(Resolver, "_candidate", noted)

    def plans(evaluator: CompiledEvaluator) -> tuple[int, list[Any]]:
        decided.clear()
        bases = [(line, line_base(knowledge.law, line)) for line in lines]
        made = [evaluator.evaluate(line, base.base, base.column).plan for line, base in bases]
        return len(decided), [told(plan) for plan in made]

    few, found = plans(CompiledEvaluator(knowledge.law.compiled))
    forgetful = CompiledEvaluator(knowledge.law.compiled)
    with monkeypatch.context() as patched:
        patched.setattr(remembered, "_MOST", 1)
        many, again = plans(forgetful)
    assert found == again
    assert 2 * few < many
