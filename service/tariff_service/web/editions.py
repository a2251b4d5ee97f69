"""What changed from one rulebook to another: acts, programs, provisions and lists that came, went or differ."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tariff_engine.problems import ProblemError, RulebookError
from tariff_service import law_reading
from tariff_service.api.problems import Refusal
from tariff_service.condition_words import effect_words
from tariff_service.paper import plural
from tariff_service.rulebook import open_book
from tariff_service.store.rulebooks import WrongArchiveError, unpack

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tariff_engine.book import Book
    from tariff_service.api.state import Service

_STEPS: Final = "effects in words"
_ROWS: Final = 8  # of a list that are named
_CELLS: Final = 3  # of a row that are named
_ONE_AT_A_TIME = asyncio.Lock()  # reading a rulebook takes a second and a good deal of memory


@dataclass(frozen=True, slots=True)
class Change:
    """Something that came, went or differs: its kind (act, program, provision, list), its name, what is said of it, and what differs."""

    what: str
    kind: str
    name: str
    says: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """Something of a rulebook: the words that are shown, its parts as words, and all that decides whether it differs."""

    says: str
    parts: dict[str, str]
    rows: tuple[tuple[str, ...], ...] = ()


async def changes(service: Service, first: str, second: str) -> list[Change]:
    """Return what changed between two rulebooks that the store keeps. Raises Refusal."""
    if first == second:
        return []
    async with _ONE_AT_A_TIME:
        return await asyncio.to_thread(_changes, service, first, second)


def _changes(service: Service, first: str, second: str) -> list[Change]:
    try:
        old, new = (_told(_open(service, wanted)) for wanted in (first, second))
    except (WrongArchiveError, ProblemError, RulebookError):
        raise Refusal(
            "not_found", "a rulebook of that time cannot be read by this release", fix="compare it with the release of its time"
        ) from None
    found = []
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was != now:
            what = "new" if was is None else "gone" if now is None else "changed"
            shown = now or was
            found.append(Change(what, *key, shown.says if shown else "", tuple(_differences(was, now)) if was and now else ()))
    order = {"act": 0, "program": 1, "provision": 2, "list": 3}
    return sorted(found, key=lambda one: (order[one.kind], one.name))


def _open(service: Service, wanted: str) -> Book:
    with tempfile.TemporaryDirectory(prefix="tariff-rulebook-") as name:
        folder = Path(name)
        content = service.store.rulebook(wanted)
        if content is None:
            raise Refusal("not_found", "no rulebook of this id was ever in use here")
        unpack(content, folder)
        return open_book(folder)


def _told(book: Book) -> dict[tuple[str, str], _Told]:
    """Return everything that can differ, by kind and name."""
    found: dict[tuple[str, str], _Told] = {}
    for name, act in book.instruments.items():
        found["act", name] = _Told(f"{act.title} ({act.cite})", _parts(act))
    for program in book.programs:
        found["program", program.program] = _Told(program.title, _parts(program, without={"provisions"}))
        for provision in program.provisions:
            steps = "; ".join(f"{step.from_}: {effect_words(step)}" for step in provision.steps)
            parts = _parts(provision, without={"says"}) | {"says": provision.says}
            found["provision", _name(book, program.program, provision)] = _Told(provision.says, parts | {_STEPS: steps})
    for one in law_reading.lists(book):
        table = law_reading.table(book, one["list"])
        rows = tuple(tuple(law_reading.row_cells(table, row)) for row in table.rows)
        found["list", one["list"]] = _Told(f"{one['rows']:,} rows", {}, rows)
    return found


def _parts(what: BaseModel, without: Collection[str] = ()) -> dict[str, str]:
    return {name: repr(getattr(what, name)) for name in type(what).model_fields if name not in without}


def _differences(was: _Told, now: _Told) -> Iterator[str]:
    """Yield what differs: sentences and effects as they were and are, rows that came and went, and the names of all other parts."""
    for name, words in (("says", "sentence"), (_STEPS, "effect")):
        if was.parts.get(name) != now.parts.get(name):
            yield f"{words}: was “{was.parts.get(name, '')}”, is “{now.parts.get(name, '')}”"
    for words, more, less in (("gone", was.rows, now.rows), ("new", now.rows, was.rows)):
        rest = set(less)
        if rows := [row for row in more if row not in rest]:
            names = ", ".join(" ".join(filter(None, row[:_CELLS])) for row in rows[:_ROWS])
            yield f"{plural(len(rows), 'row')} {words}: {names}{' and others' if len(rows) > _ROWS else ''}"
    also = [name for name in was.parts if name not in {"says", _STEPS} and was.parts[name] != now.parts.get(name)]
    if was.parts.get(_STEPS) != now.parts.get(_STEPS):
        also = [name for name in also if name != "steps"]
    if also:
        yield f"{', '.join(name.rstrip('_').replace('_', ' ') for name in also)}"


def _name(book: Book, program: str, provision: object) -> str:
    return next(node.id for node in book.nodes.values() if node.program.program == program and node.provision is provision)
