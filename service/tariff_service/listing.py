"""Which act put a number on a list that a heading goes by, or took it off, on a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.notation.conditions import When

Listed = dict[tuple[str, str], list[str]]


def listed_on(book: Book, known_on: date, hts: str, day: date) -> Listed:
    """Return by program and heading the acts through which a number of ten digits joined or left a list of the heading on a day.

    A row that ends was made by an older act: the act of its end is the one that called off its twin without an end.
    """
    found: Listed = {}
    acts: dict[str, list[str]] = {}
    for node in book.nodes.values():
        for name in _lists(node.provision.when):
            if name not in acts:
                acts[name] = list(_acts(book, name, known_on, hts, day))
            if acts[name]:
                found.setdefault((node.program.program, node.heading), []).extend(acts[name])
    return found


def _lists(when: When) -> Iterator[str]:
    if when.hts:
        yield from when.hts.in_ or ()
        yield from when.hts.not_in or ()
    for inner in (*(when.any or ()), *((when.not_,) if when.not_ else ())):
        yield from _lists(inner)


def _acts(book: Book, name: str, known_on: date, hts: str, day: date) -> Iterator[str]:
    rows = list(book.tables[name].match(hts))
    for row in rows:
        if not book.row_known(row, known_on):
            continue
        if row.from_ == day and row.by:
            yield row.by
        elif row.until == day:
            yield from (twin.withdrawn_by for twin in rows if twin.hts == row.hts and twin.withdrawn_by)
