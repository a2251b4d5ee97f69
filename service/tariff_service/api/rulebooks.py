"""`/v1/rulebooks`: those that were ever in use, each whole; and the way to take the rules into use as they stand now."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from functools import lru_cache
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_service.api import openapi
from tariff_service.api.caching import unchanged
from tariff_service.api.callers import caller_of
from tariff_service.api.openapi import Told, in_path
from tariff_service.api.problems import Refusal, allowed_parameters
from tariff_service.api.reload import WORKER, last_reload, reload_rules
from tariff_service.api.state import Service, service_of
from tariff_service.output import encode
from tariff_service.store.rulebooks import KeptRulebook

router = APIRouter()
_GZIP: Final = "application/gzip"
_WORDS: Final = {"type": "string"}
_KEPT: Final = {
    "type": "object",
    "required": ["id", "edition", "horizon", "kept_at", "sha256", "current"],
    "properties": {**dict.fromkeys(("id", "edition", "horizon", "kept_at", "sha256"), _WORDS), "current": {"type": "boolean"}},
}
_RESULT: Final = {
    "type": "object",
    "required": ["result", "at", "seconds", "rulebook", "edition", "previous", "problems"],
    "properties": {
        **dict.fromkeys(("at", "rulebook", "edition", "previous"), _WORDS),
        "result": {"enum": ["loaded", "unchanged", "refused", "failed"]},
        "seconds": {"type": "number"},
        "problems": {"type": "array", "items": _WORDS},
    },
}
_LIST: Final = {
    "type": "object",
    "required": ["items", "last_reload"],
    "properties": {"items": {"type": "array", "items": _KEPT}, "last_reload": {"anyOf": [_RESULT, {"type": "null"}]}},
}
_ID = in_path("rulebook_id", {"type": "string", "maxLength": 200}, "The id of a rulebook, as every answer names it.")
_TAG: Final = "service"


_LISTED: dict[str, Any] = openapi.operation(
    "list_rulebooks",
    "List the rulebooks that were ever in use",
    tag=_TAG,
    what="The audit store keeps each of them whole, the first one first. `last_reload` says how the last reload of this process ended.",
    answers={200: Told("The rulebooks.", _LIST)},
    cached=True,
)
_READ: dict[str, Any] = openapi.operation(
    "read_rulebook",
    "Read about a rulebook, or read it whole",
    tag=_TAG,
    what=f"With `Accept: {_GZIP}` the answer is the archive of its files.",
    path=(_ID,),
    answers={200: Told("The rulebook.", _KEPT)},
    problems=(404,),
    cached=True,
)
_WHOLE: dict[str, Any] = openapi.operation(
    "read_rulebook_content",
    "Read a rulebook whole",
    tag=_TAG,
    what="A gzip-compressed tar archive of its files: unpacked, it is a folder for `tariff --rules`.",
    path=(_ID,),
    answers={200: Told("The archive.", {"type": "string", "format": "binary"}, media=(_GZIP,))},
    problems=(404,),
    cached=True,
)
_RELOAD: dict[str, Any] = openapi.operation(
    "reload_rulebook",
    "Take the rules into use as they stand now",
    tag=_TAG,
    what="They are copied and checked first; meanwhile, and where they have defects, the rulebook in use stays in use. "
    "Where several workers serve, SIGHUP to the main process does this for all of them.",
    scope="admin",
    answers={200: Told("The rules are in use.", _RESULT)},
    problems=(409,),
)


def _shown(kept: KeptRulebook, current: str) -> dict[str, Any]:
    return {
        "id": kept.id,
        "edition": kept.edition,
        "horizon": kept.horizon,
        "kept_at": kept.first_kept_at,
        "sha256": kept.sha256,
        "current": kept.id == current,
    }


@router.get("/v1/rulebooks", **_LISTED)
async def rulebooks(request: Request) -> Response:
    """List the rulebooks that are kept."""
    service = _asked(request)
    kept = await asyncio.to_thread(service.store.rulebooks)
    last = last_reload(service)
    current = service.rulebooks.current.id
    body = {"items": [_shown(one, current) for one in kept], "last_reload": last}
    return _cached(request, encode(body), f"{current}.{len(kept)}.{last['at'] if last else ''}")


@router.get("/v1/rulebooks/{rulebook_id}", **_READ)
async def rulebook(request: Request, rulebook_id: str) -> Response:
    """Return what is known of a rulebook, or its files."""
    service = _asked(request)
    if _GZIP in request.headers.get("accept", ""):
        return await _content(request, service, rulebook_id)
    kept = await asyncio.to_thread(service.store.rulebooks)
    current = service.rulebooks.current.id
    found = next((one for one in kept if one.id == rulebook_id), None)
    if found is None:
        raise Refusal("not_found", "no rulebook of this id was ever in use here")
    return _cached(request, encode(_shown(found, current)), f"{found.id}.{found.id == current}")


@router.get("/v1/rulebooks/{rulebook_id}/content", **_WHOLE)
async def content(request: Request, rulebook_id: str) -> Response:
    """Return the files of a rulebook."""
    return await _content(request, _asked(request), rulebook_id)


async def _content(request: Request, service: Service, wanted: str) -> Response:
    kept = await asyncio.to_thread(service.store.rulebook, wanted)
    if kept is None:
        raise Refusal("not_found", "no rulebook of this id was ever in use here")
    packed = await asyncio.to_thread(_packed, kept)
    name = "".join(letter for letter in wanted.rpartition(":")[2] if letter.isalnum())[:12]
    return _cached(request, packed, f"{wanted}.tar", _GZIP, {"Content-Disposition": f'attachment; filename="rulebook-{name}.tar.gz"'})


@lru_cache(maxsize=1)
def _packed(kept: bytes) -> bytes:
    """Return an archive as every system can unpack it."""
    return gzip.compress(zlib.decompress(kept), mtime=0)


def _asked(request: Request) -> Service:
    caller_of(request, "read")
    allowed_parameters(request.query_params, ())
    return service_of(request)


def _cached(request: Request, body: bytes, tag: str, media: str = "application/json", more: dict[str, str] | None = None) -> Response:
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Accept", **(more or {})}
    return unchanged(request, headers) or Response(body, 200, headers, media)


@router.post("/v1/rulebooks:reload", **_RELOAD)
async def reload(request: Request) -> Response:
    """Take the rules into use as they stand now."""
    caller_of(request, "admin")
    allowed_parameters(request.query_params, ())
    service = service_of(request)
    if service.extra.get(WORKER):
        raise Refusal("reload_elsewhere", "several workers serve; one of them cannot reload for all", fix="send SIGHUP to the main process")
    found = await asyncio.shield(asyncio.ensure_future(reload_rules(service)))
    if found.result == "refused":
        errors = [{"code": "rulebook_wrong", "detail": problem} for problem in found.problems]
        raise Refusal("rulebook_wrong", f"the rules have {len(errors)} defects; the rulebook in use stays in use", errors=errors)
    if found.result == "failed":
        raise Refusal(
            "internal_error", f"the reload failed: {'; '.join(found.problems)}", fix="see the log; the rulebook in use stays in use"
        )
    return Response(encode(found.as_dict()), 200, {"Cache-Control": "no-store"}, "application/json")
