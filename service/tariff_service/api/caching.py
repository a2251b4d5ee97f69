"""Reading with conditions: an answer is named by rulebook, engine, address and query, so a client that has it is told so without work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.entry import ENGINE
from tariff_service.api.problems import allowed_parameters
from tariff_service.api.state import Served
from tariff_service.output import encode

KEEP = "private, no-cache"  # may be kept, and is asked for again each time: a new rulebook changes it


def read_query(request: Request, known: Iterable[str]) -> dict[str, str]:
    """Return the query parameters of a request. Raises Refusal: one that the endpoint does not have, or one that stands twice."""
    allowed_parameters(request.query_params, known)
    return dict(request.query_params)


def etag_of(served: Served, request: Request, *more: str) -> str:
    """Return the ETag of an answer: the same for the same question on the same rulebook and engine; `more` is what else decides."""
    asked = [served.id, ENGINE, request.url.path, sorted(request.query_params.multi_items()), *more]
    return f'"{hashlib.sha256(encode(asked)).hexdigest()[:32]}"'


def unchanged(request: Request, headers: dict[str, str]) -> Response | None:
    """Return the answer to a client that has what `headers` names by its ETag, else None."""
    sent = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    return Response(None, 304, headers) if headers["ETag"] in sent else None
