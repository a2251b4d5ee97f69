"""What changed from one rulebook to another: acts, programs, provisions and lists that came, went or differ, as `tariff rules diff` tells it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tariff_engine.problems import ProblemError, RulebookError
from tariff_service.api.problems import Refusal
from tariff_service.law_diff import LawChange, law_changes
from tariff_service.rulebook import open_book
from tariff_service.store.rulebooks import WrongArchiveError, unpack

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_service.api.state import Service

_SHOWN = frozenset({"act", "program", "provision", "list"})
_WORDS = {"added": "new", "removed": "gone", "ended": "ended"}
_MOST: Final = 8  # sentences of one aspect that are shown
_ONE_AT_A_TIME = asyncio.Lock()  # reading a rulebook takes a second and a good deal of memory


@dataclass(frozen=True, slots=True)
class Change:
    """Something that came, went or differs: its kind (act, program, provision, list), its name, what is said of it, and what differs."""

    what: str
    kind: str
    name: str
    says: str
    differs: tuple[str, ...] = ()


async def changes(service: Service, first: str, second: str) -> list[Change]:
    """Return what changed between two rulebooks that the store keeps. Raises Refusal."""
    if first == second:
        return []
    async with _ONE_AT_A_TIME:
        return await asyncio.to_thread(_changes, service, first, second)


def _changes(service: Service, first: str, second: str) -> list[Change]:
    try:
        old, new = (_open(service, wanted) for wanted in (first, second))
    except (WrongArchiveError, ProblemError, RulebookError):
        raise Refusal(
            "not_found", "a rulebook of that time cannot be read by this release", fix="compare it with the release of its time"
        ) from None
    shown = [change for change in law_changes(old, new) if change.kind in _SHOWN]
    return [Change(_WORDS.get(one.what, "changed"), one.kind, one.name, one.says, tuple(_differs(one))) for one in shown]


def _differs(change: LawChange) -> Iterator[str]:
    """Yield the sentences that differ in a thing that stays: as they were and are, that came and that went, the first of each aspect."""
    if change.what != "changed":
        return
    told: dict[str, int] = {}
    for detail in change.details:
        told[detail.aspect] = told.get(detail.aspect, 0) + 1
        if told[detail.aspect] > _MOST:
            continue
        if detail.before is not None and detail.after is not None:
            yield f"{detail.aspect}: was “{detail.before}”, is “{detail.after}”"
        else:
            yield f"{detail.aspect}, {'new' if detail.before is None else 'gone'}: “{detail.after or detail.before}”"
    for aspect, count in told.items():
        if count > _MOST:
            yield f"{aspect}: {count - _MOST:,} more"


def _open(service: Service, wanted: str) -> Book:
    with tempfile.TemporaryDirectory(prefix="tariff-rulebook-") as name:
        folder = Path(name)
        content = service.store.rulebook(wanted)
        if content is None:
            raise Refusal("not_found", "no rulebook of this id was ever in use here")
        unpack(content, folder)
        return open_book(folder)
