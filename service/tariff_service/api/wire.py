"""HTTP/1.1 on the wire, within limits that uvicorn with httptools does not have: size and time of a head, requests ahead of answers.

Without them a client could send headers without end, which are kept in memory, or thousands of requests at a time, or hold connections
open with half a request, or by not reading what it asked for. The parser itself is strict: two lengths, a length beside chunks, and a bare line end are refused.

`uvicorn.Config(app, http=BoundedProtocol, ws="none", server_header=False, access_log=False)`.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from tariff_service.api.headers import secured
from tariff_service.api.joining import JoiningTransport
from tariff_service.api.problems import MEDIA, Refusal
from tariff_service.output import encode

MAX_HEAD = 64 * 1024  # bytes of the address and the headers of a request, besides the part of it that was read last
MAX_HEADERS = 100
HEAD_TIME = 10.0  # seconds for a head, also for the first one of a connection that says nothing
READ_TIME = 60.0  # seconds in which a client must read some of what it is sent
MAX_WAITING = 64  # requests sent on one connection before the answers to those before them; each waits in memory
MAX_CONNECTIONS = 10_000  # of a process; keep it below its limit of open files


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin as uvicorn does."""
        super().__init__(*args, **kwargs)
        self._head = 0  # bytes of an unfinished head that came with earlier reads
        self._in_head = True
        self._head_end: asyncio.TimerHandle | None = None
        self._read_end: asyncio.TimerHandle | None = None
        self._unread = 0  # bytes that waited when the timer was set

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, while there is room."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
            return
        self._head_end = self.loop.call_later(HEAD_TIME, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        for timer in (self._head_end, self._read_end):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    # ------------------------------------------------------------ the head of a request
    def data_received(self, data: bytes) -> None:
        """Take what came. A head that is not finished by then counts against its size and its time."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._in_head:
            if self._head_end is not None:
                self._head_end.cancel()
                self._head_end = None
            return
        if self._head_end is None:
            self._head_end = self.loop.call_later(HEAD_TIME, self._too_slow)
        elif self._head > MAX_HEAD:
            self._refuse(Refusal("headers_too_large", f"the headers are larger than {MAX_HEAD:,} bytes"))
        self._head += len(data)

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head."""
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD or len(self.headers) > MAX_HEADERS:
            detail = f"the headers are larger than {MAX_HEAD:,} bytes, or more than {MAX_HEADERS}"
            self._refuse(Refusal("headers_too_large", detail))
            raise _RefusedError
        if len(self.pipeline) >= MAX_WAITING:
            raise _RefusedError
        super().on_headers_complete()
        cycle = self._last
        if cycle is not None and self.scope["method"] != "HEAD":
            cycle.transport = cast("asyncio.Transport", JoiningTransport(cycle, self.transport))

    @property
    def _last(self) -> RequestResponseCycle | None:
        """The request whose head was complete last."""
        return cast("RequestResponseCycle | None", self.cycle)

    def _too_slow(self) -> None:
        self._head_end = None
        if self._head or self._last is not None:
            self._refuse(Refusal("headers_too_slow", f"the headers did not arrive within {HEAD_TIME:g} s"))
        elif not self.transport.is_closing():
            self.transport.close()

    # ------------------------------------------------------------ a client that does not read
    def pause_writing(self) -> None:
        """The client reads more slowly than is written: see that it reads at all."""
        super().pause_writing()
        if self._read_end is None:
            self._unread = self.transport.get_write_buffer_size()
            self._read_end = self.loop.call_later(READ_TIME, self._see_progress)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._read_end is not None:
            self._read_end.cancel()
            self._read_end = None

    def _see_progress(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread >= self._unread:
            self._read_end = None
            self.transport.abort()
            return
        self._unread = unread
        self._read_end = self.loop.call_later(READ_TIME, self._see_progress)

    # ------------------------------------------------------------ refusals
    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless it was refused for something else before."""
        self._refuse(Refusal("malformed_http", msg))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and end the connection. Where the answer to an earlier request is still to come there is no place for this one."""
        if self.transport.is_closing():
            return
        cycle = self._last
        own = cycle is not None and not self._in_head and cycle.more_body and not cycle.response_started and not self.pipeline
        if cycle is None or cycle.response_complete or own:
            if cycle is not None and own:
                cycle.disconnected = True  # whoever reads the body learns that there is no more of it
                cycle.message_event.set()
            body = encode(refusal.body())
            headers = secured(
                [
                    (b"content-type", MEDIA.encode()),
                    (b"content-length", b"%d" % len(body)),
                    (b"connection", b"close"),
                    *self.server_state.default_headers,
                ]
            )
            head = b"".join(b"%b: %b\r\n" % header for header in headers)
            self.transport.write(b"".join((STATUS_LINE[refusal.status], head, b"\r\n", body)))
        self.transport.close()


class _RefusedError(Exception):
    """Stops the parser."""
