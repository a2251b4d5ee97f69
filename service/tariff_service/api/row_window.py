"""The answers of a batch on their way out: in order, in bounded memory; and whose turn it is to work on the next one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tariff_service.api.problems import Refusal

WINDOW_ROWS = 256  # answers of a batch that wait for the store or for the client
WINDOW_BYTES = 8_388_608  # the same, for large answers
STORE_ROWS = 256  # rows of all batches that wait for the store, so that single requests find a short queue there
TURN = 0.002  # seconds of work on rows before others get their turn


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What became of a row. `record` names the stored assessment, `content` is the answer; a refusal stands in its place.

    `number` is None for the row that tells why a batch ended early. `fault` tells that the store was at fault.
    """

    number: int | None
    id: str | None
    status: int
    record: str | None = None
    content: bytes = b""
    refusal: Refusal | None = None
    fault: bool = False


Work = asyncio.Task[RowAnswer] | RowAnswer


class Window:
    """Answers in their order, some of them waiting for the store. Bounded in rows and in bytes."""

    def __init__(self, rows: int = WINDOW_ROWS, size: int = WINDOW_BYTES) -> None:
        """Take the bounds."""
        self._rows, self._bytes = rows, size
        self._waiting: deque[tuple[Work, int]] = deque()
        self._held = 0
        self._closed = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many answers wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Say that nothing more comes."""
        self._closed = True
        self._changed.set()

    async def put(self, work: Work, size: int) -> None:
        """Add an answer; waits for room."""
        while self._waiting and (len(self._waiting) >= self._rows or self._held + size > self._bytes):
            self._changed.clear()
            await self._changed.wait()
        self._waiting.append((work, size))
        self._held += size
        if not isinstance(work, RowAnswer):
            work.add_done_callback(self._settled)
        self._changed.set()

    def _settled(self, _: object) -> None:
        self._changed.set()

    def _head_ready(self) -> bool:
        return bool(self._waiting) and (isinstance(self._waiting[0][0], RowAnswer) or self._waiting[0][0].done())

    async def take(self, most: int, wait: float) -> list[RowAnswer] | None:
        """Return the answers that are ready, of about `most` bytes; none after `wait` seconds; None at the end."""
        try:
            async with asyncio.timeout(wait):
                while not self._head_ready() and not (self._closed and not self._waiting):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return []
        if not self._waiting:
            return None
        found: list[RowAnswer] = []
        while most > 0 and self._head_ready():
            work, size = self._waiting.popleft()
            found.append(work if isinstance(work, RowAnswer) else work.result())
            self._held -= size
            most -= size
        self._changed.set()
        return found

    async def abandon(self) -> None:
        """Let go of what nobody will read. What waits for the store may be stored all the same."""
        tasks = [work for work, _ in self._waiting if not isinstance(work, RowAnswer)]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# ---------------------------------------------------------------- fairness
class Turns:
    """What the batches of a process share: one works on a row at a time, and all together give way after a few milliseconds.

    However many batches run, a single request waits for at most one turn of one of them each time it comes back to the loop.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Take a clock."""
        self._lock = asyncio.Lock()
        self._clock = clock
        self._since = clock()
        self.to_store = asyncio.Semaphore(STORE_ROWS)

    async def __aenter__(self) -> None:
        """Wait for the turn."""
        await self._lock.acquire()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the turn; others who serve single requests come before the next one."""
        try:
            if self._clock() - self._since > TURN:
                await asyncio.sleep(0)
                self._since = self._clock()
        finally:
            self._lock.release()


def turns_of(shared: dict[str, Any]) -> Turns:
    """Return the turns of a service, from what it holds."""
    found: Turns = shared.setdefault("batch_turns", Turns())
    return found
