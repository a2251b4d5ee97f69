"""Rows in and answers out at the same time, in bounded memory: what was sent and is not answered yet, and what is answered and not sent.

Neither side waits for the other until its bound is reached; then the one that is too fast is stopped by the flow control of TCP.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from tariff_service.api.problems import Refusal

READ_AHEAD = 4_194_304  # bytes of a body that are taken before they are needed: a shorter body never has to wait for its reader
WINDOW_ROWS = 256  # answers of a batch that wait for the store or for the client
WINDOW_BYTES = 8_388_608  # the same, for large answers
STORE_ROWS = 256  # rows of all batches that wait for the store, so that single requests find a short queue there
TURN = 0.002  # seconds of work on rows before others get their turn
TICK = 0.25  # seconds between two looks at the clock while nothing happens
_BOM = b"\xef\xbb\xbf"


# ---------------------------------------------------------------- in
@dataclass(frozen=True, slots=True)
class Row:
    """A row as sent: the bytes of its request, or why there are none. `id` is what a row without bytes calls itself."""

    number: int
    content: bytes = b""
    refusal: Refusal | None = None
    id: str | None = None


class Intake:
    """The body of a request, read ahead of its use. `gone` tells that the client has left, also after the end of the body."""

    def __init__(self, receive: Receive, room: int = READ_AHEAD) -> None:
        """Take where messages come from, and how many bytes may wait."""
        self._receive = receive
        self._room = room
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self.gone = False
        self.cut = False
        self._discarding = False
        self.active = time.monotonic()  # when something last arrived
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

    @property
    def at_end(self) -> bool:
        """Whether the whole body was read and used."""
        return self._ended and not self._parts and not self.cut

    async def first(self, limit: float) -> bool:
        """Wait for the first bytes, at most `limit` seconds; False if there are none. Raises Refusal where nothing arrives."""
        try:
            async with asyncio.timeout(limit):
                while not self._parts and not self._ended and not self.gone:
                    self._add(await self._receive())
        except TimeoutError:
            raise Refusal("body_too_slow", f"no part of the body within {limit:g} s", headers={"Connection": "close"}) from None
        if self.gone:
            raise Refusal("body_incomplete", "the connection ended before the body did")
        return bool(self._parts)

    async def run(self) -> None:
        """Read on as far as there is room, then watch for the client's leaving; ends with the task."""
        while not self.gone:
            while self._size >= self._room:
                self._taken.clear()
                await self._taken.wait()
            self._add(await self._receive())

    def _add(self, message: Message) -> None:
        if message["type"] != "http.request":
            self.gone = True
        else:
            self.active = time.monotonic()
            part = message.get("body", b"")
            if part and not self._discarding:
                self._parts.append(part)
                self._size += len(part)
            self._ended = self._ended or not message.get("more_body", False)
        self._arrived.set()

    def discard(self) -> None:
        """Throw away what is not used yet and whatever comes: the client must get its body off before it can hear that it is not read.

        `cut` tells from then on whether anything was, or will be.
        """
        self._discarding = True
        self.cut = not self.at_end
        self._parts.clear()
        self._size = 0
        self._taken.set()
        self._arrived.set()

    def ready(self) -> bool:
        """Whether `part` has something to say at once."""
        return bool(self._parts) or self._ended or self.gone or self.cut

    async def arrival(self) -> None:
        """Wait until something arrives."""
        self._arrived.clear()
        if not self.ready():
            await self._arrived.wait()

    def part(self) -> bytes | None:
        """Return the next part, or None at the end; only when `ready`. Raises ClientDisconnect."""
        if self.gone:
            raise ClientDisconnect
        if not self._parts:
            return None
        part = self._parts.popleft()
        self._size -= len(part)
        self._taken.set()
        return part


class Splitter:
    """Cuts parts of a body into rows. Blank lines count and are left out; of a row that is too large nothing is kept."""

    def __init__(self, most: int) -> None:
        """Take how many bytes a row may have."""
        self._most = most
        self._begun = bytearray()
        self._overlong = False
        self._number = 0

    def feed(self, part: bytes) -> Iterator[Row]:
        """Yield the rows that end in a part."""
        start = 0
        while (end := part.find(b"\n", start)) >= 0:
            piece = part[start:end]
            start = end + 1
            if self._begun or self._overlong:
                self._keep(piece)
                yield from self._row(bytes(self._begun))
            else:
                yield from self._row(piece)
        self._keep(part[start:])

    def end(self) -> Iterator[Row]:
        """Yield the row that has no line end."""
        if self._begun or self._overlong:
            yield from self._row(bytes(self._begun))

    def _keep(self, piece: bytes) -> None:
        if self._overlong:
            return
        self._begun += piece
        if len(self._begun) > self._most + len(_BOM) + 1:  # a mark before it, a carriage return behind it
            self._overlong = True
            self._begun.clear()

    def _row(self, content: bytes) -> Iterator[Row]:
        overlong, self._overlong = self._overlong, False
        self._begun.clear()
        self._number += 1
        if self._number == 1:
            content = content.removeprefix(_BOM)
        content = content.removesuffix(b"\r")
        if overlong or len(content) > self._most:
            yield Row(self._number, refusal=too_large(self._most))
        elif content and not content.isspace():
            yield Row(self._number, content)


def too_large(most: int) -> Refusal:
    """Return the refusal of a row."""
    return Refusal("row_too_large", f"the row is larger than {most:,} bytes", fix="send fewer lines in a row", pointer="")


# ---------------------------------------------------------------- out
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
