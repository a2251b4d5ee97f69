"""The duty of a line over all days, made in the background in two stages, so that nobody waits for a page.

A sketch comes first: the steps of the law as known now. Their ranges by facts not stated, and steps that were announced and withdrawn, need
many more answers and the law as it stood on earlier days. A page shows what is ready and asks for the rest. Finished lines are kept for a while: the next look at one costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tariff_service.api.compare_routes import drive
from tariff_service.api.law_routes import book_of
from tariff_service.api.state import Served, Service
from tariff_service.output import encode
from tariff_service.timeline import timeline_steps

Data = dict[str, Any]
_KEPT: Final = 32  # lines
_MOST: Final = 16  # lines in the making; beyond them whoever asks waits for the answer
_AT_ONCE: Final = 2
_PATIENCE: Final = 0.06  # seconds that a page waits for what is nearly ready
_NAME: Final = "web.days"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is ready: a timeline or None, and whether it is whole."""

    time: Data | None
    whole: bool


class Days:
    """The timelines of one server."""

    def __init__(self, service: Service) -> None:
        """Take the service that answers."""
        self._service = service
        self._made: dict[str, tuple[asyncio.Task[Data], asyncio.Task[Data]]] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._warmed: set[tuple[str, bool]] = set()
        self._ahead_of: set[asyncio.Task[None]] = set()  # held, for a loop does not hold its tasks

    async def look(self, served: Served, facts: Mapping[str, Any], known_on: date | None, entry_day: date, have: str) -> Seen:
        """Return what is ready of a timeline; `have` says what the page has ("nothing", "steps") and waits for more, within the time of an answer.

        Raises ProblemError and Refusal, as the timeline does.
        """
        key = encode([served.id, facts, str(known_on), str(entry_day)]).decode()
        if key not in self._made:
            if sum(not whole.done() for _, whole in self._made.values()) >= _MOST:
                steps = timeline_steps(await book_of(served), facts, known_on=known_on)
                return Seen(await drive(self._service, served, steps), whole=True)
            self._begin(key, served, facts, known_on, entry_day)
        first, whole = self._made[key]
        self._made[key] = self._made.pop(key)  # the last one asked for goes last
        if have in {"nothing", "steps"}:
            await asyncio.wait([first if have == "nothing" else whole], timeout=self._service.settings.time_limit)
        await asyncio.wait([whole], timeout=_PATIENCE)
        done = whole if whole.done() else first if first.done() else None
        if done is not None and (done.cancelled() or done.exception()):
            self._made.pop(key, None)
        return Seen(done.result() if done else None, whole.done())

    def warm(self, served: Served, facts: Mapping[str, Any] | None = None) -> None:
        """Read ahead, once for each rulebook: the book as written when somebody opens the form, every day of the first line that is answered."""
        what = served.id, facts is not None
        if what not in self._warmed:
            self._warmed.add(what)
            task = asyncio.create_task(self._ahead(served, facts))
            task.add_done_callback(_forget)
            self._ahead_of.add(task)
            task.add_done_callback(self._ahead_of.discard)

    async def _ahead(self, served: Served, facts: Mapping[str, Any] | None) -> None:
        await book_of(served)
        if facts is not None:
            day = date.fromisoformat(str(facts.get("entry_date")))
            await self.look(served, {name: value for name, value in facts.items() if name != "entry_date"}, None, day, "")

    def _begin(self, key: str, served: Served, facts: Mapping[str, Any], known_on: date | None, entry_day: date) -> None:
        first = asyncio.create_task(self._steps(served, facts, known_on))
        whole = asyncio.create_task(self._whole(first, served, facts, known_on, entry_day))
        for task in (first, whole):
            task.add_done_callback(_forget)
        self._made[key] = first, whole
        for old in [old for old, (_, made) in self._made.items() if made.done()][: max(len(self._made) - _KEPT, 0)]:
            del self._made[old]

    async def _steps(self, served: Served, facts: Mapping[str, Any], known_on: date | None) -> Data:
        async with self._turn:
            return await drive(self._service, served, timeline_steps(await book_of(served), facts, known_on=known_on, sketch=True))

    async def _whole(
        self, first: asyncio.Task[Data], served: Served, facts: Mapping[str, Any], known_on: date | None, entry_day: date
    ) -> Data:
        await first
        async with self._turn:
            found = await drive(self._service, served, timeline_steps(await book_of(served), facts, known_on=known_on))
            await self._service.rulebooks.knowledge(served, entry_day)  # for the comparison of what was known on the day of entry
            return found


def _forget(task: asyncio.Task[Any]) -> None:
    """Whoever asks is told what went wrong; nobody may ask."""
    if not task.cancelled():
        task.exception()


def days_of(service: Service) -> Days:
    """Return the timelines of a server."""
    found: Days = service.extra.setdefault(_NAME, None) or Days(service)
    service.extra[_NAME] = found
    return found
