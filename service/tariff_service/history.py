"""The history of a provision or of a program: what every act did to it, dated by the day of entry and by the day it became known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from tariff_service.courses import Course, changes, course
from tariff_service.history_events import Event, event_data, from_change, from_list, merged
from tariff_service.lanes import born, lanes
from tariff_service.list_changes import list_changes
from tariff_service.lives import dotted, naming, unknown
from tariff_service.standing_in import standing_in

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_service.courses import Lane

Order = Literal["known", "effect"]
Data = dict[str, Any]
_PROGRAM = "program:"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose history is told: of a program (no heading), or of what is filed under a heading; and by what knowledge."""

    book: Book
    heading: str
    known_on: date
    as_of: date
    first: dict[str, tuple[date, date]]
    made: dict[str, list[Lane]]

    def lanes(self, node: Node) -> list[Lane]:
        """Return the lanes of a provision: of a table those that ever name the heading."""
        if node.id not in self.made:
            found, wanted = lanes(self.book, node, self.first[node.id][0]), self.part(node)
            self.made[node.id] = [lane for lane in found if not wanted or not lane.origin or _names(lane, wanted)]
        return self.made[node.id]

    def part(self, node: Node) -> str:
        """Return the heading where only some of what a provision does is filed under it."""
        return "" if self.heading in {"", node.id, node.heading} else self.heading


def _names(lane: Lane, heading: str) -> bool:
    return any(heading in {one.state.heading, *one.state.also} for one in lane.things if one.state is not None)


def history(book: Book, asked: str, *, known_on: date | None = None, order: Order = "known", every: bool = False) -> Data:
    """Return the history of a heading (dotted or not, a variant, `family:NAME`, or one that rows of a table name) or of a program.

    `order` is that of the events: by the day they became known, or by the day of entry. `every` tells the rows of tables and the numbers
    of lists one by one, and leaves nothing out of the lanes. Raises ProblemError: no such name, with the nearest ones.
    """
    name = dotted(asked).removeprefix(_PROGRAM)
    programs = {one.program: one for one in book.programs}
    horizon = book.horizon.until
    known, as_of = known_on or date.max, min(known_on or horizon, horizon)
    nodes = [book.nodes[one.id] for one in programs[name].provisions] if name in programs else naming(book, name)
    if not nodes and name not in programs:
        raise unknown(book, name, *programs)
    first = {node.id: born(book, node, known) for node in nodes}
    seen = [node for node in nodes if first[node.id][1] <= known]
    if name in programs and seen:  # the order of a program begins with the program
        earliest = min(first[node.id][0] for node in seen), min(first[node.id][1] for node in seen)
        first = dict.fromkeys(first, earliest)
    whose = _Asked(book, "" if name in programs else name, known, as_of, first, {})
    events = [event for node in seen for event in _events(whose, node)]
    together = merged(events, by_program=name in programs and not every)
    courses = {node.id: list(_courses(whose, node)) for node in seen}
    return {
        "name": name,
        "kind": "program" if name in programs else "heading",
        "title": programs[name].title if name in programs else None,
        "known_on": known_on.isoformat() if known_on else None,
        "as_of": as_of.isoformat(),
        "order": order,
        "provisions": [_provision(whose, node, courses.get(node.id)) for node in nodes],
        "lanes": _lanes(one for found in courses.values() for one in found),
        "events": [event_data(book, one, every=every) for one in sorted(together, key=lambda one: one.place(order))],
    }


# ---------------------------------------------------------------- events
def _events(whose: _Asked, node: Node) -> Iterator[Event]:
    book, known_on, as_of = whose.book, whose.known_on, whose.as_of
    over = _over(whose, node)
    end = node.program.ended
    _, first_known = whose.first[node.id]
    for lane in whose.lanes(node):
        own, told = lane.about in {"rate", "in_transit"}, set[date]()
        for one in changes(book, lane, known_on, as_of, date.min if own else first_known):
            with_program = end is not None and one.now is None and (one.effect, one.by) == (end.from_, end.by)
            if not own and (with_program or one.effect >= over or one.by is None):
                continue  # what has ended is in no order any more; what no act made was always so
            if lane.about == "in_transit" and one.now is None and (with_program or one.effect in told):
                continue  # told as the last day of the goods
            told.add(one.until)
            event = from_change(one, whose.part(node))
            if event is not None:
                if event.kind == "retroactive" and lane.about == "rate" and not any(past.state for past in one.filed_before):
                    event.stand_ins = standing_in(book, node, one.effect, one.known)
                yield event
    for change in list_changes(book, node, known_on, as_of):
        if change.effect < over:
            yield from_list(change)


def _over(whose: _Asked, node: Node) -> date:
    """Return the day from which on a provision never holds again; one that never held has none."""
    held = [found for found in _rates(whose, node) if any(one.state is not None for one in found)]
    return max((date.max if found[-1].state is not None else found[-1].start for found in held), default=date.max)


def _rates(whose: _Asked, node: Node) -> list[Course]:
    return [course(whose.book, lane, whose.known_on) for lane in whose.lanes(node) if lane.about == "rate"]


# ---------------------------------------------------------------- provisions, lanes
def _provision(whose: _Asked, node: Node, courses: list[tuple[Lane, list[Data]]] | None) -> Data:
    spans = [span for _, found in courses or () for span in found]
    day = whose.as_of.isoformat()
    if any(span["from"] <= day and (span["until"] is None or span["until"] > day) for span in spans):
        status = "in_force"
    elif any(span["from"] > day for span in spans):
        status = "ahead"
    else:
        status = "ended" if spans else "never_in_force"
    if courses is None:
        status = "not_yet_known"
    return {
        "provision": node.id,
        "program": node.program.program,
        "title": node.program.title,
        "says": node.provision.says,
        "status": status,
        "from": min((span["from"] for span in spans), default=None),
        "until": None if any(span["until"] is None for span in spans) else max((span["until"] for span in spans), default=None),
    }


def _courses(whose: _Asked, node: Node) -> Iterator[tuple[Lane, list[Data]]]:
    """Yield the rate of every lane over the days of entry, as known: only what is filed under the heading that was asked for."""
    heading = whose.part(node)
    for lane in whose.lanes(node):
        if lane.about != "rate":
            continue
        found = course(whose.book, lane, whose.known_on)
        spans: list[Data] = []
        for place, one in enumerate(found):
            state = one.state
            if state is None or (heading and heading not in {state.heading, *state.also}):
                continue
            until = found[place + 1].start if place + 1 < len(found) else None
            spans.append(
                {
                    "from": one.start.isoformat(),
                    "until": until.isoformat() if until else None,
                    "rate": state.rate,
                    "effect": state.effect,
                    "heading": state.heading or None,
                    "by": one.source.by if one.source else None,
                }
            )
        yield lane, spans


def _lanes(courses: Iterable[tuple[Lane, list[Data]]]) -> list[Data]:
    """Return the lanes, those of origins with one course together; provisions that never held have an empty one."""
    found: dict[tuple[Any, ...], Data] = {}
    for lane, spans in courses:
        if lane.origin and not spans:
            continue
        key = (lane.provision, bool(lane.origin), *(tuple(span.values()) for span in spans))
        one = found.setdefault(key, {"provision": lane.provision, "origins": [], "segments": spans})
        if lane.origin and lane.origin not in one["origins"]:
            one["origins"].append(lane.origin)
    return list(found.values())
