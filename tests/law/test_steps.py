"""Every dated step of every provision: the day before it, on it and after it, and as the law was known before and after each act.

What must be in force is read from the steps by `in_force`, ten lines that know nothing of the evaluators. The line is made from the
provision's own condition (`lines.py`).

Every step is looked at on every side of its days. As the law was known it is looked at by default before and after every third day on which
something was published, since the law of each such day is compiled for it; with `HYPOTHESIS_PROFILE=ci` before and after every act.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.law.probe import EVER, Prober
from tests.law.rulebook import the_book
from tests.profile import share

from tariff_engine.evaluate.derivation import Derivation, Outcome, Verdict

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.program import Step

DAY = timedelta(days=1)

# Provisions that no line can meet on some days of their steps: the days on which one can, and why. A test asserts that it is so.
EMPTY: dict[str, tuple[date, date, str]] = {
    "9903.01.90": (date(2025, 11, 13), date.max, "its list begins later than its step"),
    "9903.03.06/content": (date(2026, 2, 24), date(2026, 4, 6), "from 6 April 2026 the metal duties cover whole articles"),
}


def steps() -> list[tuple[str, int]]:
    """Return every step of every provision by its place, -1 for the end of the whole program; those of one day of publication together."""
    book, found = the_book(), list[tuple[date, str, int]]()
    for node in book.nodes.values():
        ended = [(-1, node.program.ended)] if node.program.ended else []
        for place, step in [*enumerate(node.provision.steps), *ended]:
            found.append((book.instruments[step.by].published if step.by else date.min, node.id, place))
    return [(name, place) for _, name, place in sorted(found)]


def in_force(book: Book, node: Node, day: date, known_on: date) -> Step | None:
    """Return the step that governs a day, as known: begun, not over, by an act published and not called off; the latest of them."""

    def published(act: str | None) -> date:
        return book.instruments[act].published if act else date.min

    best: Step | None = None
    for step in (*node.provision.steps, node.program.ended):
        if step is None or day < step.from_ or (step.until and day >= step.until) or published(step.by) > known_on:
            continue
        if step.withdrawn_by and published(step.withdrawn_by) <= known_on:
            continue
        if best is None or (step.from_, published(step.by)) >= (best.from_, published(best.by)):
            best = step
    return None if best is None or best.ended else best


def moments(book: Book, step: Step) -> Iterator[tuple[date, date]]:
    """Yield the days around both ends of a step, and its first day as known before and after each of its acts."""
    for edge in (step.from_, step.until):
        if edge:
            yield from ((day, EVER) for day in (edge - DAY, edge, edge + DAY))
    for act in (step.by, step.withdrawn_by):
        if act and book.instruments[act].published in publications():
            known = book.instruments[act].published
            yield from ((step.from_, day) for day in (known - DAY, known))


@cache
def publications() -> frozenset[date]:
    """Return the days of publication before and after which this run looks at the law as it was known."""
    return frozenset(share(sorted({act.published for act in the_book().instruments.values()}), 3))


@pytest.mark.parametrize(("name", "place"), steps(), ids=str)
def test_a_step_rules_exactly_its_days_and_only_once_its_act_is_known(name: str, place: int, book: Book, prober: Prober) -> None:
    node = book.nodes[name]
    step = node.program.ended if place < 0 else node.provision.steps[place]
    assert step is not None
    for day, known_on in moments(book, step):
        if day < book.horizon.from_:
            continue
        wanted = in_force(book, node, day, known_on)
        if wanted is None:
            absent(prober, node, day, known_on)
        elif wanted.authorized:
            never_imposed(prober, node, wanted, day, known_on)
        elif not can_be_met(node, day):
            assert prober.line_for(node, day, known_on, most=300) is None
        else:
            present(prober, node, wanted, day, known_on)


def can_be_met(node: Node, day: date) -> bool:
    """Whether a line can meet a provision on a day of its steps: goods in transit cannot once their window is closed."""
    first, end, _ = EMPTY.get(node.id, (date.min, date.max, ""))
    window = node.provision.when.in_transit
    return first <= day < end and (window is None or day < window.entered_before)


ANY_LINE = {"hts": "6403996000", "origin": "ES", "value": 10_000}


def never_imposed(prober: Prober, node: Node, wanted: Step, day: date, known_on: date) -> None:
    """Assert that an authority that nobody used is told as such, and charges nothing."""
    line = {**ANY_LINE, "entry_date": day}
    outcome, derivation = prober.outcome(node, line, known_on)
    assert (outcome.verdict, outcome.by) == (Verdict.NEVER, wanted.by)
    assert prober.naive(node, line, known_on).verdict is Verdict.NEVER
    assert node.id not in {row.provision for row in derivation.rows}


def absent(prober: Prober, node: Node, day: date, known_on: date) -> None:
    """Assert that a provision is not in force: on the line made for another of its days."""
    if all(step.authorized for step in node.provision.steps):
        line: dict[str, object] = {**ANY_LINE, "entry_date": day}
    else:
        line = prober.any_line(node, day) or made_on_any_day(prober, node, day)
    outcome, derivation = prober.outcome(node, line, known_on)
    assert outcome.verdict is Verdict.NOT_IN_FORCE, f"{node.id} on {day} as known on {known_on}: {outcome.verdict}"
    assert node.id not in {row.provision for row in derivation.rows}


def made_on_any_day(prober: Prober, node: Node, day: date) -> dict[str, object]:
    """Make a line on the first day of the provision's steps on which it can be made, and move it to another day."""
    for step in node.provision.steps:
        for known_on in (EVER, prober.book.published(step.by)):
            if prober.line_for(node, max(step.from_, EMPTY.get(node.id, (step.from_,))[0]), known_on):
                line = prober.any_line(node, day)
                assert line is not None
                return line
    message = f"no line meets {node.id} on the first day of any of its steps"
    raise AssertionError(message)


def present(prober: Prober, node: Node, wanted: Step, day: date, known_on: date) -> None:
    """Assert that a provision applies at the rate of a step."""
    line = prober.line_for(node, day, known_on)
    assert line is not None, f"no line meets {node.id} on {day} as known on {known_on}"
    outcome, derivation = prober.outcome(node, line, known_on)
    if wanted.table is None:  # the rows of a table have rates and acts of their own: test_lists.py
        got = (outcome.add, outcome.up_to, outcome.in_lieu, outcome.forbids)
        assert got == (wanted.add, wanted.up_to, wanted.in_lieu, bool(wanted.prohibited)), f"{day} {known_on}"
        assert outcome.by == (wanted.by or ""), f"{day} {known_on}"
    if known_on == EVER:
        filed(node, outcome, derivation)
        naive = prober.naive(node, line)
        assert (naive.verdict, naive.rate, naive.in_lieu) == (outcome.verdict, outcome.rate, outcome.in_lieu), "the naive evaluator"


def filed(node: Node, outcome: Outcome, derivation: Derivation) -> None:
    """Assert that a duty that applies is filed at its rate, or as an exemption where the base rate reaches its floor."""
    if outcome.is_duty:
        rows = [row for row in derivation.rows if row.provision == node.id]
        assert rows, f"{node.id} applies and is not filed"
        rate = outcome.rate
        assert rows[0].kind in {"exemption", "prohibited"} or rows[0].rate == rate


def in_transit() -> list[str]:
    """Return the provisions that keep goods in transit under their earlier treatment."""
    return [node.id for node in the_book().nodes.values() if node.provision.when.in_transit]


@pytest.mark.parametrize("name", in_transit())
def test_goods_in_transit_must_be_loaded_and_entered_in_time(name: str, book: Book, prober: Prober) -> None:
    node = book.nodes[name]
    window = node.provision.when.in_transit
    assert window is not None
    fact, bound = ("loaded_date", window.loaded_before) if window.loaded_before else ("export_date", window.exported_before)
    assert bound is not None
    last = window.entered_before - DAY
    known_on = EVER if in_force(book, node, last, EVER) else book.published(node.provision.steps[0].by)
    line = prober.line_for(node, last, known_on)
    assert line is not None, f"no line meets {name} on {last}"
    assert line[fact] == bound - DAY
    assert not prober.applies(node, {**line, fact: bound}, known_on), "loaded on the day itself"
    assert not prober.applies(node, {**line, "entry_date": window.entered_before}, known_on), "entered a day late"
    assert not prober.applies(node, {key: value for key, value in line.items() if key != fact}, known_on), "the day was not stated"
    if window.loaded_before:
        changed = prober.applies(node, {**line, "final_mode_differs": True}, known_on)
        assert changed == bool(window.or_final_mode), "not loaded on the final mode of transit"
    if window.mode:
        assert not prober.applies(node, {**line, "mode": "truck"}, known_on), "another mode"


def test_every_provision_that_is_said_to_have_empty_days_is_in_the_book(book: Book) -> None:
    assert set(EMPTY) <= set(book.nodes)
