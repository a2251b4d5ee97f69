"""The head of an answer and the first of its body, sent together.

Uvicorn writes them one by one, and each write goes to the system at once: an answer of some kilobytes would cost its sender and its reader two
turns. ASGI asks servers to keep the head until there is some body, or the end.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Cycle(Protocol):
    """What is needed of uvicorn's own object for a request: whether its answer has begun."""

    response_started: bool


class JoiningTransport:
    """The way out of one answer. Not for an answer to HEAD, whose body is never written, not even as nothing."""

    __slots__ = ("_begun", "_cycle", "_head", "_transport", "is_closing")

    def __init__(self, cycle: Cycle, transport: asyncio.Transport) -> None:
        """Take the request and the transport of its connection."""
        self._cycle = cycle
        self._transport = transport
        self._begun = False
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write, but keep the head until more comes. What stands before an answer, such as an interim one, goes at once."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif self._begun or not self._cycle.response_started:
            self._transport.write(data)
        else:
            self._begun, self._head = True, data

    def close(self) -> None:
        """Send what was kept, and close."""
        if self._head:
            self.write(b"")
        self._transport.close()
