"""A book with one thing changed: the parsed notation is immutable, so a change is a copy down to the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tariff_engine.book import Book, Node
from tariff_engine.notation.tables import Row, Table
from tariff_engine.notation.terms import Strict

if TYPE_CHECKING:
    from tariff_engine.notation.program import Program

Trail = tuple[str | int, ...]


def parts(model: Any, trail: Trail = ()) -> Iterator[tuple[Trail, Strict]]:
    """Yield every part of a parsed rule file with the way to it."""
    if isinstance(model, Strict):
        yield trail, model
        for name in type(model).model_fields:
            yield from parts(getattr(model, name), (*trail, name))
    elif isinstance(model, list | tuple):
        for place, item in enumerate(model):
            yield from parts(item, (*trail, place))
    elif isinstance(model, dict):
        for key, item in model.items():
            yield from parts(item, (*trail, key))


def changed(model: Any, trail: Trail, **fields: Any) -> Any:
    """Return a part of a rule file in which the part at the end of a trail has other fields."""
    if not trail:
        return model.model_copy(update=fields)
    step, rest = trail[0], trail[1:]
    if isinstance(model, Strict):
        return model.model_copy(update={str(step): changed(getattr(model, str(step)), rest, **fields)})
    if isinstance(model, list):
        return [changed(item, rest, **fields) if place == step else item for place, item in enumerate(model)]
    return {key: changed(item, rest, **fields) if key == step else item for key, item in model.items()}


def with_program(book: Book, place: int, program: Program) -> Book:
    """Return the book with one of its programs in another form."""
    programs = [program if number == place else one for number, one in enumerate(book.programs)]
    nodes = {provision.id: Node(provision, one) for one in programs for provision in one.provisions}
    return replace(book, programs=programs, nodes={name: nodes[name] for name in book.nodes})


def with_row(book: Book, name: str, row: Row, new: Row | None) -> Book:
    """Return the book with another row in a list, and in every selection from it; None: without the row."""
    tables = dict(book.tables)
    for ref, table in book.tables.items():
        if ref.removeprefix("list:").partition(" ")[0] == name and any(one is row for one in table.rows):
            rows = [new if one is row else one for one in table.rows]
            tables[ref] = Table(table.name, table.columns, [one for one in rows if one is not None])
    return replace(book, tables=tables)
