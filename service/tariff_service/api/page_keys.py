"""Keys in a browser. A browser shows no key of its own accord: it asks the person, by HTTP Basic, and the key is what is typed as password.

A browser then sends it with every request to this server, as it would a cookie. It therefore counts on the pages alone, which are read and
change nothing; the API takes keys in headers that no page of another site can make a browser send.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from html import escape
from typing import Final

from starlette.responses import Response

from tariff_service.api.problems import Refusal, catalogue

CHALLENGE: Final = 'Basic realm="tariff engine: any name, and your key as password", charset="UTF-8"'
_PAGES: Final = ("/line", "/browse")  # with everything below them
_BASIC: Final = b"basic "
_UNAUTHORIZED: Final = 401
_LONGEST: Final = 400  # characters of a header that can hold a key


def is_page(path: str) -> bool:
    """Whether an address is one of the pages that people read.

    >>> is_page("/"), is_page("/line/8544.42.90"), is_page("/lines"), is_page("/v1/assessments")
    (True, True, False, False)
    """
    return path == "/" or any(path == one or path.startswith(f"{one}/") for one in _PAGES)


def typed_key(authorization: bytes) -> bytes:
    """Return the key that a person typed as password; nothing where the header is no such thing.

    >>> typed_key(b"Basic YnJva2VyOnRrX2Ff")
    b'tk_a_'
    """
    if authorization[: len(_BASIC)].lower() != _BASIC or len(authorization) > _LONGEST:
        return b""
    try:
        return b64decode(authorization[len(_BASIC) :].strip(), validate=True).partition(b":")[2].strip()
    except (binascii.Error, ValueError):
        return b""


def refused_page(refusal: Refusal) -> Response:
    """Return a refusal of the guard as a page: what a person sees who leaves the browser's question for a key."""
    title = escape(catalogue()[refusal.code].title)
    advice = "Reload the page, and type your key as password." if refusal.status == _UNAUTHORIZED else ""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/page.css"></head><body><main class="wrap"><h1>{title}</h1>'
        f'<p class="callout bad">{escape(refusal.detail)}. {advice}</p></main></body></html>'
    )
    return Response(text, refusal.status, refusal.headers, "text/html; charset=utf-8")
