"""What changed from one rulebook to another: acts, programs, provisions and lists that came, went or differ."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tariff_engine.problems import ProblemError, RulebookError
from tariff_service import law_reading
from tariff_service.api.problems import Refusal
from tariff_service.rulebook import open_book
from tariff_service.store.rulebooks import WrongArchiveError, unpack

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_service.api.state import Service

_ONE_AT_A_TIME = asyncio.Lock()  # reading a rulebook takes a second and a good deal of memory


@dataclass(frozen=True, slots=True)
class Change:
    """Something that came, went or differs: its kind (act, program, provision, list), its name, and what is said of it."""

    what: str
    kind: str
    name: str
    says: str


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
            found.append(Change(what, *key, (now or was or ("", ""))[0]))
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


def _told(book: Book) -> dict[tuple[str, str], tuple[str, str]]:
    """Return everything that can differ by kind and name: the words that are shown, and all that decides whether it differs."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for name, act in book.instruments.items():
        found["act", name] = f"{act.title} ({act.cite})", repr(act)
    for program in book.programs:
        found["program", program.program] = program.title, repr(program.model_copy(update={"provisions": ()}))
        for provision in program.provisions:
            found["provision", _name(book, program.program, provision)] = provision.says, repr(provision)
    for one in law_reading.lists(book):
        table = law_reading.table(book, one["list"])
        found["list", one["list"]] = f"{one['rows']:,} rows", repr([list(law_reading.row_cells(table, row)) for row in table.rows])
    return found


def _name(book: Book, program: str, provision: object) -> str:
    return next(node.id for node in book.nodes.values() if node.program.program == program and node.provision is provision)
