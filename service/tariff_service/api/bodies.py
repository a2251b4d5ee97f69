"""The body of a request, read whole: of a media type that is understood, within size and time."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.types import Message

from tariff_service.api.headers import stated
from tariff_service.api.problems import Refusal
from tariff_service.api.settings import Settings

JSON_TYPES = frozenset({"application/json"})


def media_type(request: Request) -> str:
    """Return the media type of the body, without its parameters."""
    return stated(request, b"content-type").partition(";")[0].strip().lower()


def refuse_media(request: Request, known: frozenset[str]) -> None:
    """Refuse a body of a type that the endpoint does not read, or of another character set. Raises Refusal."""
    if stated(request, b"content-encoding", b"identity") != "identity":
        raise Refusal("unsupported_media", "a compressed body is not read", fix="send it uncompressed")
    text = stated(request, b"content-type")
    if text in known:
        return
    kind, _, parameters = text.partition(";")
    charset = parameters.strip().lower()
    if kind.strip().lower() not in known or (charset.startswith("charset=") and charset[8:].strip('"') not in {"utf-8", "utf8"}):
        shown = " or ".join(sorted(known))
        raise Refusal("unsupported_media", f"the body is {text[:80] or 'of no stated type'!r}", fix=f"send {shown}, in UTF-8")


async def read_whole(request: Request, settings: Settings, known: frozenset[str] = JSON_TYPES) -> bytes:
    """Read a JSON body. Raises Refusal: media type, size, a sender that stops."""
    refuse_media(request, known)
    size = stated(request, b"content-length")
    if size.isdigit() and int(size) > settings.max_body:
        raise _too_large(settings)
    first, waiting = _begun(request.receive())  # most bodies came with their head
    if waiting is None and not first.get("more_body", False):
        return _part(first, 0, settings)
    try:
        async with asyncio.timeout(settings.body_timeout):
            return await _joined(request, first if waiting is None else await waiting, settings)
    except TimeoutError:
        detail = f"the body was not there within {settings.body_timeout:g} s"
        raise Refusal("body_too_slow", detail, headers={"Connection": "close"}) from None


async def _joined(request: Request, message: Message, settings: Settings) -> bytes:
    """Return the whole of a body whose first part was read."""
    parts = [_part(message, 0, settings)]
    size = len(parts[0])
    while message.get("more_body", False):
        message = await request.receive()
        parts.append(_part(message, size, settings))
        size += len(parts[-1])
    return b"".join(parts)


def _part(message: Message, before: int, settings: Settings) -> bytes:
    """Return a part of a body, of which so many bytes came before. Raises Refusal."""
    if message["type"] == "http.disconnect":
        raise Refusal("body_incomplete", "the connection ended before the body did")
    part: bytes = message.get("body", b"")
    if before + len(part) > settings.max_body:
        raise _too_large(settings)
    return part


def _begun(reading: Awaitable[Message]) -> tuple[Message, Awaitable[Message] | None]:
    """Begin to read. Return what was there already, else what waits for it: a timer is set only for those who must wait."""
    steps = reading.__await__()
    try:
        pending = next(steps)
    except StopIteration as done:
        return done.value, None
    return {}, _going_on(steps, pending)


@types.coroutine
def _going_on(steps: Generator[Any, Any, Message], pending: Any) -> Generator[Any, Any, Message]:
    """Go on with what has begun and waits for `pending`, as `await` would."""
    while True:
        step: Callable[[], Any]
        try:
            step = partial(steps.send, (yield pending))
        except BaseException as error:  # noqa: BLE001  a cancellation above all: it is for whoever waits inside
            step = partial(steps.throw, error)
        try:
            pending = step()
        except StopIteration as done:
            found: Message = done.value
            return found


def _too_large(settings: Settings) -> Refusal:
    return Refusal(
        "file_too_large",
        f"the body is larger than {settings.max_body:,} bytes",
        fix="send one entry, or rows to /v1/assessments:batch",
        headers={"Connection": "close"},
    )
