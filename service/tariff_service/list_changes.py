"""How the lists of a provision changed: which numbers joined and left, by which act, from which day of entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from tariff_engine.notation.link import mentions
from tariff_service.courses import Change, Lane, State, Thing, changes
from tariff_service.lanes import born

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.tables import Row

_LIST = "list:"


@dataclass(slots=True)
class ListChange:
    """What an act did to a list from a day of entry on. Without an act a number took the place of another in the schedule itself."""

    ref: str
    known: date
    effect: date
    by: str | None
    outcome: str
    provisions: list[str] = field(default_factory=list)
    joins: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    recut: set[str] = field(default_factory=set)
    called_off: set[str] = field(default_factory=set)
    cites: dict[str, None] = field(default_factory=dict)


def list_changes(book: Book, node: Node, known_on: date, as_of: date) -> list[ListChange]:
    """Return the changes of every list that a provision names, one for each act and day; with what it began with nothing changed."""
    first_day, first_known = born(book, node, known_on)
    found: dict[tuple[str, date, date, str | None, str], ListChange] = {}
    if first_known > known_on:
        return []
    for ref in refs(book, node):
        for code, lane in _numbers(book, node, ref):
            for one in changes(book, lane, known_on, as_of):
                if one.effect <= first_day and one.known <= first_known:
                    continue
                key = (ref, one.known, one.effect, one.by, one.outcome)
                told = found.setdefault(key, ListChange(ref, one.known, one.effect, one.by, one.outcome, [node.id]))
                _kind(told, one).add(code)
                told.cites |= dict.fromkeys(one.cites)
    return list(found.values())


def refs(book: Book, node: Node) -> list[str]:
    """Return the lists of products that a provision names, with what they select."""
    named = (value for _, _, value in mentions(node.provision, ()) if value.startswith(_LIST))
    return [ref for ref in dict.fromkeys(named) if "hts" in book.tables[ref].columns]


def _kind(told: ListChange, one: Change) -> set[str]:
    if one.kind in {"paused", "withdrawn", "replaced", "extended"}:
        return told.called_off
    if one.was is not None and one.now is not None:
        return told.recut
    return told.leaves if one.now is None else told.joins


def _numbers(book: Book, node: Node, ref: str) -> Iterator[tuple[str, Lane]]:
    """Yield the numbers of a list that were not always on it."""
    rows: dict[str, list[Row]] = {}
    for row in book.tables[ref].rows:
        rows.setdefault(row.hts, []).append(row)
    for code, mine in rows.items():
        if any(row.by or row.withdrawn_by or row.from_ > date.min or row.until < date.max for row in mine):
            yield code, Lane("list", node.id, tuple(map(_thing, mine)), ref=ref)


def _thing(row: Row) -> Thing:
    words = "is on the list" + (f", without {', '.join(row.excepted)}" if row.excepted else "")
    cites = (row["cite"],) if row["cite"] else ()
    return Thing(row.from_, row.until, row.by or None, row.withdrawn_by or None, State(words), cites)
