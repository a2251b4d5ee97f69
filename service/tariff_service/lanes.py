"""What is followed in the history of a provision: its rate, what goods in transit keep, its exceptions, its order towards other duties, offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from tariff_engine.money import percent_text
from tariff_service.condition_words import effect_words
from tariff_service.courses import About, Lane, State, Thing

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.program import Step
    from tariff_engine.notation.tables import Row
    from tariff_engine.notation.terms import Dated

ANY_OTHER = "*"


def lanes(book: Book, node: Node, first: date) -> Iterator[Lane]:
    """Yield the lanes of a provision: one rate, or one for each origin of its table, and what else has dates of its own.

    Exceptions and the order towards others begin on the day `first` at the earliest: before it there is nothing that they could order.
    """
    if node.provision.table:
        yield from _table(book, node)
    else:
        yield Lane("rate", node.id, tuple(_step(one) for one in node.provision.steps), end=_end(node))
    for lane in (*_exceptions(node), *_order(book, node), *_offsets(book, node)):
        yield replace(lane, things=tuple(replace(one, start=max(one.start, first)) for one in lane.things if one.until > first))


def born(book: Book, node: Node, known_on: date = date.max) -> tuple[date, date]:
    """Return the first day of entry that acts gave a provision, as known on a day, and the day on which the first of them became known.

    What was called off counts only where nothing else is known of it.
    """
    steps = [one for one in node.provision.steps if book.published(one.by) <= known_on] or node.provision.steps
    standing = [one for one in steps if book.known(one, known_on)] or steps
    return min(one.from_ for one in standing), min(book.published(one.by) for one in steps)


# ---------------------------------------------------------------- steps
def _thing(what: Dated, state: State | None, cites: Sequence[str]) -> Thing:
    return Thing(what.from_ or date.min, what.until or date.max, what.by, what.withdrawn_by, state, tuple(cites))


def _step(step: Step) -> Thing:
    if step.ended:
        return _thing(step, None, step.cite)
    rate = step.add if step.add is not None else step.up_to
    also = tuple(name for name in (step.at_floor, step.companion.heading if step.companion else None) if name)
    return _thing(step, State(effect_words(step), None if rate is None else percent_text(rate), "", also), step.cite)


def _end(node: Node) -> Thing | None:
    return _step(node.program.ended) if node.program.ended else None


# ---------------------------------------------------------------- tables
def _table(book: Book, node: Node) -> Iterator[Lane]:
    """Yield the lanes of a table: a lane of each origin that is looked up, else one of each heading that its rows name."""
    rows = [row for ref in node.provision.table or () for row in book.tables[ref].rows]
    gate, end = tuple(_step(one) for one in node.provision.steps), _end(node)
    if node.provision.look_up == ["origin"]:
        others = [row for row in rows if row["origin"] == ANY_OTHER]
        for origin in dict.fromkeys(row["origin"] for row in rows):
            mine = [*(row for row in rows if row["origin"] == origin), *(others if origin != ANY_OTHER else [])]
            yield Lane("rate", node.id, tuple(map(_row, mine)), gate, end, first=True, origin=origin)
            if any(row["loaded_before"] for row in mine):
                yield Lane("in_transit", node.id, tuple(map(_moving, mine)), gate, end, first=True, origin=origin)
        return
    together: dict[tuple[str, str, str, str], dict[Thing, None]] = {}
    for row in rows:
        found = _row(row)
        plain = Thing(found.start, found.until, found.by, found.withdrawn_by, found.state)  # its numbers stand apart, not in the history
        together.setdefault((row["origin"], row["heading"], row["effect"], row["rate"]), {})[plain] = None
    for (origin, *_), things in together.items():
        yield Lane("rate", node.id, tuple(things), gate, end, origin=origin)


def _row(row: Row) -> Thing:
    floor = row["at_floor"]
    if row["effect"] == "exempt":
        words = "exempts"
    elif row["effect"] == "up_to":
        words = f"makes the duty up to {row['rate']} in all" + (f" (filed as {floor} where nothing is added)" if floor else "")
    else:
        words = f"adds {row['rate']}"
    state = State(words, row["rate"] or None, row["heading"], (floor,) if floor else ())
    return Thing(row.from_, row.until, row.by or None, row.withdrawn_by or None, state, (row["cite"],) if row["cite"] else ())


def _moving(row: Row) -> Thing:
    """What goods keep that were on the way when a row began."""
    cites = (row["cite"],) if row["cite"] else ()
    if not row["loaded_before"]:
        return Thing(row.from_, row.until, row.by or None, row.withdrawn_by or None, None, cites)
    until = min(row.until, date.fromisoformat(row["entered_before"]))
    words = f"goods loaded before {row['loaded_before']} keep {row['transit_heading']} at {row['transit_rate']}"
    state = State(words, row["transit_rate"], row["transit_heading"], (row["heading"],))
    return Thing(row.from_, max(until, row.from_), row.by or None, row.withdrawn_by or None, state, cites)


# ---------------------------------------------------------------- exceptions and order
def _exceptions(node: Node) -> Iterator[Lane]:
    """Yield the exceptions that have dates: what was always excepted is no event."""
    found: dict[str, list[Thing]] = {}
    dated: set[str] = set()
    for one in node.provision.unless:
        for ref in one.any:
            found.setdefault(ref, []).append(_thing(one, State("is not due where {} applies"), one.cite))
            dated |= {ref} if one.by or one.from_ or one.until or one.withdrawn_by else set()
    yield from (Lane("exception", node.id, tuple(things), end=_end(node), ref=ref) for ref, things in found.items() if ref in dated)


def _order(book: Book, node: Node) -> Iterator[Lane]:
    """Yield the order towards each reference; one lane where it is reversed, two where both ways hold at a time."""
    found: dict[str, dict[bool, list[Thing]]] = {}
    for one in book.relations.relations:
        where = "on the part of the value that it covers" if one.on == "part" else "on the whole article"
        owed = ", where more than nothing is owed" if one.test == "owed" else ""
        for over, mine, others in ((True, one.over, one.excludes), (False, one.excludes, one.over)):
            if node.id in book.expand(mine):
                words = f"{'takes precedence over' if over else 'gives way to'} {{}} {where}{owed}"
                for ref in others:
                    found.setdefault(ref, {}).setdefault(over, []).append(_thing(one, State(words), one.cite))
    about: About = "order"
    for ref, ways in found.items():
        upper, lower = ways.get(True, []), ways.get(False, [])
        both = any(_meet(book, one, other) for one in upper for other in lower)
        together = [upper, lower] if both else [[*upper, *lower]]
        for things in together:
            yield Lane(about, node.id, tuple(things), end=_end(node), ref=ref)


def _offsets(book: Book, node: Node) -> Iterator[Lane]:
    """Yield what the filer may set off against the duty."""
    for program in book.programs:
        for one in program.offsets:
            if node.id in book.expand(one.against):
                words = f"an offset ({one.offset}) may be set off against it"
                yield Lane("offset", node.id, (_thing(one, State(words), one.cite),), end=_end(node))


def _meet(book: Book, one: Thing, other: Thing) -> bool:
    """Whether two things hold on one day, by what is known on some day."""
    if one.start >= other.until or other.start >= one.until:
        return False
    known = max(book.published(one.by), book.published(other.by))
    return book.visible(one.by, one.withdrawn_by, known) and book.visible(other.by, other.withdrawn_by, known)
