"""The body of a request, read whole: of a media type that is understood, within size and time."""

from __future__ import annotations

import asyncio

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
    try:
        async with asyncio.timeout(settings.body_timeout):
            return await _joined(request, settings)
    except TimeoutError:
        detail = f"the body was not there within {settings.body_timeout:g} s"
        raise Refusal("body_too_slow", detail, headers={"Connection": "close"}) from None


async def _joined(request: Request, settings: Settings) -> bytes:
    """Return the parts of a body as one."""
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await request.receive()
        parts.append(_part(message, size, settings))
        size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)


def _part(message: Message, before: int, settings: Settings) -> bytes:
    """Return a part of a body, of which so many bytes came before. Raises Refusal."""
    if message["type"] == "http.disconnect":
        raise Refusal("body_incomplete", "the connection ended before the body did")
    part: bytes = message.get("body", b"")
    if before + len(part) > settings.max_body:
        raise _too_large(settings)
    return part


def _too_large(settings: Settings) -> Refusal:
    return Refusal(
        "file_too_large",
        f"the body is larger than {settings.max_body:,} bytes",
        fix="send one entry, or rows to /v1/assessments:batch",
        headers={"Connection": "close"},
    )
