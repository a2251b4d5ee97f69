"""The body of a request, read whole: of a media type that is understood, within size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from tariff_service.api.problems import Refusal
from tariff_service.api.settings import Settings

JSON_TYPES = frozenset({"application/json"})


def media_type(request: Request) -> str:
    """Return the media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def refuse_media(request: Request, known: frozenset[str]) -> None:
    """Refuse a body of a type that the endpoint does not read, or of another character set. Raises Refusal."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal("unsupported_media", "a compressed body is not read", fix="send it uncompressed")
    text = request.headers.get("content-type", "")
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
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > settings.max_body:
        raise _too_large(settings)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_timeout):
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise Refusal("body_incomplete", "the connection ended before the body did")
                part = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(part)
                if size > settings.max_body:
                    raise _too_large(settings)
                parts.append(part)
    except TimeoutError:
        detail = f"the body was not there within {settings.body_timeout:g} s"
        raise Refusal("body_too_slow", detail, headers={"Connection": "close"}) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(settings: Settings) -> Refusal:
    return Refusal(
        "file_too_large",
        f"the body is larger than {settings.max_body:,} bytes",
        fix="send one entry, or rows to /v1/assessments:batch",
        headers={"Connection": "close"},
    )
