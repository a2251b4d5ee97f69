"""The history of a provision or a program over HTTP, by the rulebook in use."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_service.api import history_operations
from tariff_service.api.assessing import read_day, read_flag
from tariff_service.api.caching import KEEP, etag_of, read_query, unchanged
from tariff_service.api.callers import caller_of
from tariff_service.api.law_routes import book_of, told
from tariff_service.api.problems import Refusal
from tariff_service.api.state import service_of
from tariff_service.history import history
from tariff_service.output import encode

router = APIRouter()
_LONGEST = 100  # characters of a name


@router.get("/v1/history/{name}", **history_operations.HISTORY)
async def read_history(request: Request, name: str) -> Response:
    """Read the history of a heading or a program."""
    caller_of(request, "read")
    query = read_query(request, ("variant", "by", "all", "known_on"))
    served = service_of(request).rulebooks.current
    headers = {"ETag": etag_of(served, request), "Cache-Control": KEEP}
    known_on, every, order = (
        read_day(query.get("known_on"), "known_on"),
        read_flag(query.get("all", "false"), "all"),
        _order(query.get("by")),
    )
    same = unchanged(request, headers)
    if same is not None:
        return same
    wanted = name[:_LONGEST] + (f"/{query['variant'][:_LONGEST]}" if "variant" in query else "")
    book = await book_of(served)
    with told("GET /v1/provisions and GET /v1/programs name everything that has a history"):
        found = await asyncio.to_thread(history, book, wanted, known_on=known_on, order=order, every=every)
    return Response(encode(found), 200, headers, "application/json")


def _order(text: str | None) -> Literal["known", "effect"]:
    if text in {None, "known"}:
        return "known"
    if text == "effect":
        return "effect"
    raise Refusal("bad_parameter", f"by is known or effect, not {str(text)[:40]!r}")
