"""Talk to the application as a server would: parts of a body go in when the test says so, and answers are taken when it says so."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

BATCH = "/v1/assessments:batch"
SINGLE = "/v1/assessments"
NDJSON = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
GOOD = {"hts": "7326.90.86.88", "origin": "CN", "value": "10000", "entry_date": "2025-11-15", "mode": "ocean"}
LIMIT = 60.0


@dataclass
class Talk:
    """One request. `listening` false stops the client from taking answers."""

    app: ASGIApp
    path: str = BATCH
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)
    row_count: int = 0
    ended: bool = False

    def __post_init__(self) -> None:
        """Begin the request."""
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.listening = asyncio.Event()
        self.listening.set()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        headers = {"host": "127.0.0.1:8000", "content-type": NDJSON, **self.headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": urlencode(self.query).encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self.ended:
            return {"type": "http.disconnect"}
        return await self.inbox.get()

    async def _send(self, message: Message) -> None:
        await self.listening.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answered = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            self.content += message.get("body", b"")
            self.row_count += message.get("body", b"").count(b"\n")
            if not message.get("more_body", False):
                self.ended = True
                self.inbox.put_nowait({"type": "http.disconnect"})

    def say(self, part: bytes, *, last: bool = False) -> None:
        """Send a part of the body."""
        self.inbox.put_nowait({"type": "http.request", "body": part, "more_body": not last})

    def leave(self) -> None:
        """Close the connection."""
        self.inbox.put_nowait({"type": "http.disconnect"})

    async def end(self) -> Talk:
        """Wait for the end of the answer."""
        await asyncio.wait_for(self.task, LIMIT)
        return self

    async def until(self, rows: int) -> list[dict[str, Any]]:
        """Wait until so many rows were answered."""
        await eventually(lambda: self.row_count >= rows)
        return self.rows()

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows that are complete."""
        whole = self.content[: self.content.rfind(b"\n") + 1]
        return [json.loads(row) for row in whole.splitlines()]


async def eventually(happened: Callable[[], bool]) -> None:
    """Wait until something has happened elsewhere."""
    async with asyncio.timeout(LIMIT):
        while not happened():  # noqa: ASYNC110  what happens is counted by code that knows nothing of tests
            await asyncio.sleep(0.005)


async def send(
    app: ASGIApp, content: bytes | Iterable[bytes], path: str = BATCH, headers: Mapping[str, str] | None = None, **query: str
) -> Talk:
    """Send a whole request, and wait for the whole answer."""
    talk = Talk(app, path, headers or {}, query)
    parts = [content] if isinstance(content, bytes) else list(content)
    for part in parts:
        talk.say(part)
    talk.say(b"", last=True)
    return await talk.end()


async def single(app: ASGIApp, content: bytes, **query: str) -> Talk:
    """Send one entry to the endpoint for single requests."""
    return await send(app, content, SINGLE, {"content-type": "application/json"}, **query)


def lines(rows: Iterable[Any]) -> bytes:
    """Return rows as NDJSON."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def answer_bytes(row: bytes) -> bytes:
    """Return the bytes of the answer, or of the problem, inside a row that was answered."""
    for mark in (b',"answer":', b',"problem":'):
        _, found, rest = row.partition(mark)
        if found:
            return rest.rstrip(b"\n")[:-1]
    raise AssertionError(row)


logging.getLogger("tariff_service").addHandler(logging.NullHandler())
