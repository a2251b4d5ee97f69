"""The boundaries of lists: the numbers at both ends of each code and beside them, what is cut out, and the days and acts of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.boundaries.boundary import DAY, Boundary, Side, two_days

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.boundaries.numbers import Numbers
    from tariff_engine.notation.tables import Row, Table


def list_boundaries(book: Book, numbers: Numbers) -> Iterator[Boundary]:
    """Yield the boundaries of every list that a program names."""
    programs = used_by(book)
    for name, table in book.tables.items():
        if not name.startswith("list:") and programs.get(name):
            yield from _edges(name, table, programs[name], numbers)
            yield from _days(book, name, table, programs[name], numbers)


def used_by(book: Book) -> dict[str, tuple[str, ...]]:
    """Return the programs that name each list."""
    found: dict[str, set[str]] = {}
    for program in book.programs:
        for ref in _refs(program.model_dump(exclude={"examples"})):
            found.setdefault(ref.removeprefix("list:").partition(" ")[0], set()).add(program.program)
    return {name: tuple(sorted(programs)) for name, programs in found.items()}


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("list:"):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _refs(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _refs(inner)


def _edges(name: str, table: Table, programs: tuple[str, ...], numbers: Numbers) -> Iterator[Boundary]:
    for code in sorted({row.hts for row in table.rows if row.hts}):
        yield Boundary("code", "hts", numbers.edge(code), programs, f"list:{name}", f"{code} is on the list")
    for code, cut in sorted({(row.hts, cut) for row in table.rows for cut in row.excepted}):
        yield Boundary("cut", "hts", numbers.edge(cut), programs, f"list:{name}", f"{cut} is cut out of {code}")
    origins = tuple(dict.fromkeys(row["origin"] for row in table.rows if row["origin"] and row["origin"] != "*"))
    plain = tuple(origin for origin in origins if not origin.startswith("group:"))
    if plain:
        yield Boundary("origin", "origin", plain, programs, f"list:{name}", "the list has rows of their own for these origins")


def _days(book: Book, name: str, table: Table, programs: tuple[str, ...], numbers: Numbers) -> Iterator[Boundary]:
    """Yield each day and act of a list once, with the first row that it touches."""
    owner, seen = f"list:{name}", set[tuple[str, object]]()

    def new(kind: str, what: object) -> bool:
        fresh = (kind, what) not in seen
        seen.add((kind, what))
        return fresh

    for row in table.rows:
        given = _goods(row, numbers)
        for day, edge in ((row.from_, "is put on"), (row.until, "is taken off")):
            if date.min < day < date.max and new(edge, day):
                yield Boundary("entry_day", "entry_date", two_days(day), programs, owner, f"a row {edge} the list", row.by, given)
        for act, edge in ((row.by, "became known"), (row.withdrawn_by, "was called off")):
            if act and new(edge, act):
                first = max(row.from_, book.horizon.from_).isoformat()
                days = two_days(book.instruments[act].published)
                yield Boundary("known_day", "known_on", days, programs, owner, f"a row {edge}", act, {**given, "entry_date": first})
        if row["loaded_before"] and new("loaded", (row["loaded_before"], row["entered_before"])):
            loaded, entered = date.fromisoformat(row["loaded_before"]), date.fromisoformat(row["entered_before"])
            mode: dict[str, Side] = {"mode": row["transit_mode"].partition("|")[0]} if row["transit_mode"] else {}
            words = f"goods loaded before {loaded} and entered before {entered} keep an earlier rate"
            last = {**given, **mode, "entry_date": (entered - DAY).isoformat()}
            yield Boundary("transit", "loaded_date", (None, *two_days(loaded)), programs, owner, words, row.by, last)
            early = {**given, **mode, "loaded_date": (loaded - DAY).isoformat()}
            yield Boundary("transit", "entry_date", two_days(entered), programs, owner, words, row.by, early)


def _goods(row: Row, numbers: Numbers) -> dict[str, Side]:
    found: dict[str, Side] = {}
    if row.hts and len(inside := numbers.edge(row.hts)) > 1:
        found["hts"] = next((number for number in inside if number.startswith(row.hts)), inside[0])
    if len(row["origin"]) == 2:  # noqa: PLR2004  a country, not `*` nor a group
        found["origin"] = row["origin"]
    return found
