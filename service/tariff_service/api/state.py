"""What one running server holds: its settings, the rulebook that it answers from, the audit store, and the counters."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from tariff_engine.engine import Engine, Knowledge
from tariff_engine.schedule_words import Words, load_words
from tariff_service.api.settings import Settings
from tariff_service.rulebook import open_book, open_engine, snapshot
from tariff_service.store.rulebooks import archive

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_service.api.metrics import Metrics
    from tariff_service.store.replay import ReplayEngines
    from tariff_service.store.store import AuditStore
    from tariff_service.store.writer import GroupCommit


@dataclass(eq=False)
class Served:
    """A rulebook in use. An answer that was begun with it ends with it, whatever is loaded meanwhile."""

    engine: Engine
    folder: Path  # the copy of its files
    since: float  # when it was taken into use, seconds since the epoch

    @classmethod
    def open(cls, folder: Path | None, known_days: int) -> Served:
        """Open a copy of a rulebook and load its law. Raises ProblemError and RulebookError."""
        copy = snapshot(folder)
        try:
            engine = open_engine(copy, keep=known_days)
            engine.at()
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise
        return cls(engine, copy, time.time())

    def close(self) -> None:
        """Remove the copy. Whoever still answers from this rulebook has its law in memory."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, store: AuditStore) -> None:
        """Keep the rulebook whole in a store, once: packing it takes a good part of a start. Raises StoreError."""
        if not store.keeps_rulebook(self.id):
            law = self.latest.law
            store.keep_rulebook(self.id, law.edition, law.horizon.isoformat(), archive(self.folder))

    @property
    def latest(self) -> Knowledge:
        """The law with everything that is known."""
        return self.engine.at()

    @cached_property
    def id(self) -> str:
        """The content hash of the rulebook."""
        return self.latest.law.id

    @cached_property
    def book(self) -> Book:
        """The rulebook as written, for readers of law; read when first asked for (about half a second)."""
        return open_book(self.folder)

    @cached_property
    def words(self) -> Words | None:
        """What the numbers of the schedule are called, where the edition says so; read when somebody first searches."""
        return load_words(self.folder / "schedule", self.latest.law.schedule)

    @cached_property
    def aliases(self) -> Mapping[str, tuple[str, ...]]:
        """The other names of each fact."""
        return {name: spec.aliases for name, spec in self.latest.law.facts.items()}

    @cached_property
    def personal(self) -> frozenset[str]:
        """The names of facts that say who somebody is."""
        return self.latest.reader.personal


@dataclass(eq=False)
class Rulebooks:
    """The rulebook in use. It is exchanged in one assignment; whoever works with the old one keeps it."""

    current: Served
    hits: int = 0  # knowledge days that were in memory
    loads: int = 0  # and those that were not
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def knowledge(self, served: Served, known_on: date | None) -> Knowledge:
        """Return the law as known on a day. A day that is new is compiled in a thread, one at a time, while others are answered."""
        if served.engine.has(known_on):
            self.hits += 1
            return served.engine.at(known_on)
        async with self._loading:
            if not served.engine.has(known_on):
                self.loads += 1
                served.engine.take_over(known_on, await asyncio.to_thread(served.engine.load, known_on))
        return served.engine.at(known_on)


@dataclass(eq=False)
class Service:
    """Everything a request needs. One per process."""

    settings: Settings
    rulebooks: Rulebooks
    store: AuditStore
    writer: GroupCommit
    replays: ReplayEngines
    metrics: Metrics
    working: int = 0  # requests in work
    replaying: asyncio.Lock = field(default_factory=asyncio.Lock)
    stopping: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def service_of(request: HTTPConnection) -> Service:
    """Return the service that a request reached."""
    service: Service = request.app.state.service
    return service
