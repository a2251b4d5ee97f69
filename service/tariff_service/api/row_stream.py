"""The rows of a batch as they come in: read ahead in bounded memory, and cut at the line ends.

Nothing here waits for the answers. When the bound is reached, the flow control of TCP stops a client that is too fast.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from tariff_service.api.problems import Refusal

READ_AHEAD = 4_194_304  # bytes of a body that are taken before they are needed: a shorter body never has to wait for its reader
_BOM = b"\xef\xbb\xbf"


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
