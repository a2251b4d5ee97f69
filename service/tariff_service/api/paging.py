"""Pages of a list: a limit, and a cursor that the caller hands back unchanged."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tariff_service.api.problems import Refusal
from tariff_service.output import encode

DEFAULT, MOST = 50, 500


def read_limit(query: Mapping[str, str]) -> int:
    """Return how many items a page may have. Raises Refusal."""
    text = query.get("limit", str(DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST):  # noqa: PLR2004  digits of MOST and some
        raise Refusal("bad_parameter", f"limit is a number from 1 to {MOST}, not {text[:40]!r}")
    return int(text)


def read_place(query: Mapping[str, str]) -> int | None:
    """Return the place that a cursor names. Raises Refusal."""
    text = query.get("cursor")
    if text is None:
        return None
    try:
        found = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        mark, place = found[:1], int(found[1:])
    except (binascii.Error, UnicodeEncodeError, ValueError):
        mark, place = b"", 0
    if mark != b"p" or not 0 <= place < 2**63 or cursor(place) != text:
        raise Refusal("bad_cursor", "this is no cursor of ours", fix="take `next` of the page before, unchanged")
    return place


def cursor(place: int) -> str:
    """Return the cursor of a place."""
    return base64.urlsafe_b64encode(f"p{place}".encode()).decode()


def shown_page(
    request: Request, items: Sequence[Any], place: int | None, *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """Return a page; `place` is where the next one begins, None is the end."""
    found: dict[str, Any] = {**more, "items": list(items), "next": None}
    shown = dict(headers or {})
    if place is not None:
        found["next"] = cursor(place)
        query = {**request.query_params, "cursor": found["next"]}
        shown["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    return Response(encode(found), 200, shown, "application/json")
