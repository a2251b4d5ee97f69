"""The duties on Canada, Mexico, China, Brazil and India around every day on which anything of them begins or ends, as known before and after.

Three lines a day: one that the duty covers, those that each exemption frees, and one in transit. What they owe is read from the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.probe import EVER, Prober
from tests.law.rulebook import the_book
from tests.law.test_steps import can_be_met, in_force

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.program import Step

DAY = timedelta(days=1)
MAIN = {
    "ieepa-canada": ("CA", ("9903.01.10",)),
    "ieepa-mexico": ("MX", ("9903.01.01",)),
    "ieepa-china-fentanyl": ("HK", ("9903.01.20", "9903.01.24")),
    "ieepa-brazil": ("BR", ("9903.01.77",)),
    "ieepa-india": ("IN", ("9903.01.84",)),
}
GOODS = {"hts": "6403996000", "value": 10_000}


def nodes(program: str) -> list[Node]:
    """Return the provisions of a program."""
    return [node for node in the_book().nodes.values() if node.program.program == program]


def days(program: str) -> list[date]:
    """Return the days before, on and after everything that begins or ends in a program."""
    edges: set[date | None] = set()
    for node in nodes(program):
        window = node.provision.when.in_transit
        edges |= {edge for step in node.provision.steps for edge in (step.from_, step.until)}
        edges |= {node.program.ended.from_ if node.program.ended else None, window.entered_before if window else None}
    return sorted({edge + shift for edge in edges if edge for shift in (-DAY, 0 * DAY, DAY)})


def known(program: str) -> list[date]:
    """Return the days before and of every act of a program, and the end of time."""
    book = the_book()
    acts = {act for node in nodes(program) for step in node.provision.steps for act in (step.by, step.withdrawn_by) if act}
    return [*sorted({book.published(act) - shift for act in acts for shift in (DAY, 0 * DAY)}), EVER]


def owed(book: Book, program: str, day: date, known_on: date) -> tuple[str, Step] | None:
    """Return the heading and the step that charge ordinary goods on a day, as known."""
    for heading in MAIN[program][1]:
        step = in_force(book, book.nodes[heading], day, known_on)
        if step is not None:
            return heading, step
    return None


def charged(prober: Prober, program: str, line: dict[str, Any], known_on: date) -> list[tuple[str, Fraction]]:
    """Return the headings of a program that charge a line, with their rates; both evaluators agree elsewhere (test_steps.py)."""
    knowledge = prober.at(known_on)
    evaluated, _ = knowledge.evaluate(knowledge.read(line))
    return [(row.heading, row.rate) for row in evaluated.derivation().rows if row.program == program and row.duty]


@pytest.mark.parametrize("program", MAIN)
def test_ordinary_goods_pay_the_rate_of_the_day_as_it_was_known(program: str, book: Book, prober: Prober) -> None:
    for known_on in known(program):
        for day in days(program):
            step = owed(book, program, day, known_on)
            wanted = [(step[0], step[1].add)] if step else []
            line = {**GOODS, "origin": MAIN[program][0], "entry_date": day}
            assert charged(prober, program, line, known_on) == wanted, f"{day} as known on {known_on}"


def freeing() -> Iterator[str]:
    """Yield the exemptions of the programs, but for those that depend on another duty (stacking is told by cases)."""
    for program in MAIN:
        for node in nodes(program):
            subject = any(branch.subject_to for branch in node.provision.when.any or ())
            if node.provision.steps[0].exempt and not subject and not node.provision.when.in_transit:
                yield node.id


@pytest.mark.parametrize("name", list(freeing()))
def test_exempt_goods_pay_nothing_on_the_days_of_the_exemption(name: str, book: Book, prober: Prober) -> None:
    node = book.nodes[name]
    program = node.program.program
    met = 0
    for day in days(program):
        if in_force(book, node, day, EVER) is None or not can_be_met(node, day):
            continue
        line = prober.line_for(node, day)
        if line is None:  # its list begins later than its step
            continue
        met += 1
        assert charged(prober, program, line, EVER) == [], f"{line}"
    assert met


def windows() -> Iterator[str]:
    """Yield the exemptions of goods in transit of the programs."""
    for program in MAIN:
        yield from (node.id for node in nodes(program) if node.provision.when.in_transit)


@pytest.mark.parametrize("name", list(windows()))
def test_goods_in_transit_pay_nothing_in_their_window_and_the_rate_of_the_day_after_it(name: str, book: Book, prober: Prober) -> None:
    node = book.nodes[name]
    program, window = node.program.program, node.provision.when.in_transit
    assert window is not None
    assert window.loaded_before is not None
    loaded = window.loaded_before - DAY
    mode = window.mode[0] if window.mode else "air"
    for known_on in known(program):
        for day in days(program):
            if day < loaded:
                continue
            free = in_force(book, node, day, known_on) is not None and day < window.entered_before
            step = None if free else owed(book, program, day, known_on)
            line = {**GOODS, "origin": MAIN[program][0], "entry_date": day, "loaded_date": loaded, "mode": mode}
            assert charged(prober, program, line, known_on) == ([(step[0], step[1].add)] if step else []), f"{day} as known on {known_on}"
            late = {**line, "loaded_date": window.loaded_before}
            if day >= window.loaded_before:
                step = owed(book, program, day, known_on)
                assert charged(prober, program, late, known_on) == ([(step[0], step[1].add)] if step else []), f"{day}, loaded a day late"


@pytest.mark.parametrize("program", MAIN)
def test_zone_goods_pay_the_rate_of_admission_and_nothing_after_the_end(program: str, book: Book, prober: Prober) -> None:
    """Admitted around every step, entered on the last day and on the first day after the end."""
    ended = nodes(program)[0].program.ended
    assert ended is not None
    assert ended.from_ is not None
    for admitted in (day for day in days(program) if day < ended.from_):
        step = owed(book, program, admitted, EVER)
        line = {**GOODS, "origin": MAIN[program][0], "entry_date": ended.from_ - DAY, "ftz_pf_admission_date": admitted}
        assert charged(prober, program, line, EVER) == ([(step[0], step[1].add)] if step else []), f"admitted on {admitted}"
        assert charged(prober, program, {**line, "entry_date": ended.from_}, EVER) == []
