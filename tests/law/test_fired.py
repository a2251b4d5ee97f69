"""Coverage of law: every piece of it decides something in the suite, or it is written down why it cannot.

The pieces are provisions, steps, exceptions, relations, groups, cases outside a program, offsets and contradictions. A new one that never fires
fails here: give it a case, an example or a point of the chart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest
from tests.law.case_files import read_cases, read_table
from tests.law.census import CENSUS, census, text
from tests.law.chart import EVER, Charted, Point, read_points
from tests.law.fired import Element, Ledger, elements
from tests.law.lines import LineMaker

from tariff_engine.testing import space

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.engine import Knowledge

ALL = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"
CHART = read_points()
QUIET = {tuple(row["law"]): row["because"] for row in read_table("quiet.yaml")}
EVERY = 12  # by default one point in so many besides those that fire something first


def looked_at() -> list[Point]:
    """The points of the chart that this run looks at."""
    return CHART if ALL else [point for place, point in enumerate(CHART) if point.first or place % EVERY == 0]


@pytest.fixture(scope="module")
def ledger(book: Book, knowledge: Knowledge) -> Ledger:
    """What fires: by default on the points that fire something first, in full with the cases and examples."""
    found = Ledger(book, knowledge)
    found.run((point.line, point.known) for point in CHART if ALL or point.first)
    if ALL:
        found.run((case.facts, case.known_on or EVER) for case in read_cases())
        found.run((one.line, one.known_on or EVER) for program in book.programs for one in program.examples)
    return found


def test_every_point_of_the_chart_owes_what_it_owed_when_it_was_read(book: Book, knowledge: Knowledge) -> None:
    charted = Charted(book, knowledge)
    changed = [
        f"{point.facts} {point.known_on}: {point.says} -> {now.says}" for point in looked_at() if (now := charted.point(point)) != point
    ]
    words = "`python -m tests.law.charting` draws it anew; explain in CHANGELOG what changed"
    assert not changed, f"{len(changed)} points differ, {words}: {changed[:10]}"


def test_every_list_reaches_what_it_reached_when_it_was_read(book: Book, knowledge: Knowledge) -> None:
    made = text(census(book, space(knowledge).codes)).splitlines()
    kept = CENSUS.read_text(encoding="utf-8").splitlines()
    assert made == kept, (
        f"`python -m tests.law.census` writes it anew; explain in CHANGELOG what changed: {sorted(set(made) ^ set(kept))[:10]}"
    )


def test_every_piece_of_law_decides_something_in_the_suite_or_cannot(ledger: Ledger, book: Book, knowledge: Knowledge) -> None:
    maker = LineMaker(book, knowledge.law.schedule)
    codes = space(knowledge).codes
    silent = [one for one in elements(book) if one not in ledger.fired and one not in QUIET and not apart(one, book, maker, codes)]
    assert not silent, f"never fires: {silent[:20]}; add a case, an example, or a point of the chart, or say in quiet.yaml why it cannot"


def test_what_is_said_to_be_quiet_exists_and_is_quiet(ledger: Ledger, book: Book) -> None:
    assert set(QUIET) <= set(elements(book))
    assert [one for one in QUIET if one in ledger.fired] == [], "it speaks: take it out of quiet.yaml"
    assert all(len(because) > 20 for because in QUIET.values())


def apart(element: Element, book: Book, maker: LineMaker, codes: tuple[str, ...]) -> bool:
    """Whether an exception or a relation can take nothing, since its two sides never meet, in any of its pairs."""
    if element[0] == "exception":
        return never_meet(book.nodes[element[1]], book.nodes[element[3]], book, maker, codes)
    if element[0] == "relation":
        relation = book.relations.relations[int(element[1])]
        pairs = [(book.nodes[one], book.nodes[two]) for one in book.expand(relation.over) for two in book.expand(relation.excludes)]
        return all(never_meet(one, two, book, maker, codes) for one, two in pairs)
    return False


def never_meet(node: Node, other: Node, book: Book, maker: LineMaker, codes: tuple[str, ...]) -> bool:
    """Whether two provisions are never in force, and known, on one day, cover no origin in common, or no number of the schedule meets both."""
    spans = [(one, two) for one in life(node, book) for two in life(other, book)]
    if not any(max(one[0], two[0]) < min(one[1], two[1]) and max(one[2], two[2]) < min(one[3], two[3]) for one, two in spans):
        return True
    first, second = node.provision.when, other.provision.when
    if (
        isinstance(first.origin, list)
        and isinstance(second.origin, list)
        and not origins(first.origin, book) & origins(second.origin, book)
    ):
        return True
    if first.hts is None or second.hts is None:
        return False
    days = {max(one[0], two[0]) for one, two in spans}
    return not any(maker.on(code, first.hts, day, EVER) and maker.on(code, second.hts, day, EVER) for code in codes for day in days)


def origins(names: list[str], book: Book) -> set[str]:
    """The countries that a condition names, on whatever day they belong to its groups."""
    members = [member for name in names for member in (book.groups[name[6:]] if name.startswith("group:") else [name])]
    return {member if isinstance(member, str) else member.origin for member in members}


def life(node: Node, book: Book) -> Iterator[tuple[date, date, date, date]]:
    """The days on which each step of a provision is in force, and those on which it is known to be."""
    end = node.program.ended.from_ if node.program.ended else date.max
    for step in node.provision.steps:
        called_off = book.published(step.withdrawn_by) if step.withdrawn_by else date.max
        yield step.from_, min(step.until or date.max, end), book.published(step.by), called_off
