"""Templates into pages. Every value is escaped; a page runs the script of this package and nothing else, and asks nobody else for anything."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from tariff_service.api.caching import KEEP, unchanged
from tariff_service.api.problems import Refusal
from tariff_service.paper import money, plural
from tariff_service.web.fields import label_of, list_name, plain_words, provision_words

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_MEDIA: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_NAME: Final = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")  # of a fact, as the API calls it
_HEADING: Final = re.compile(r"(\b99\d\d\.\d\d\.\d\d\b)")
_KEPT: Final = "public, max-age=31536000, immutable"  # the address of a file names its content


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  a server that nobody reads needs no templates

    found = Environment(
        loader=PackageLoader("tariff_service.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters.update(
        money=money,
        change=change,
        words=plain_words,
        label=label_of,
        sentence=_sentence,
        plain=_plain,
        provision=provision_words,
        pieces=_pieces,
        list_name=list_name,
    )
    found.globals.update(
        static=static_address, heading_address=heading_address, program_address=program_address, plural=plural, query=_query
    )
    return found


def render(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    values.setdefault("here", request.url.path)
    text = _templates().get_template(template).render(values)
    return Response(text, status, {"Content-Security-Policy": POLICY}, "text/html; charset=utf-8")


def change(amount: str | None) -> str:
    """Return a difference in dollars with its sign in words that a screen reader reads: $5.00 more."""
    if amount is None:
        return "not known"
    if not amount.strip("-0."):
        return "no change"
    return f"{money(amount.removeprefix('-'))} {'less' if amount.startswith('-') else 'more'}"


def _plain(text: str) -> str:
    """Return a message of the engine with the names of facts as words."""
    return _NAME.sub(lambda found: plain_words(found[0]), text)


def _pieces(text: str) -> list[dict[str, Any]]:
    """Return a text in pieces, the headings of chapter 99 that it names apart."""
    return [{"text": one, "heading": bool(_HEADING.fullmatch(one))} for one in _HEADING.split(text) if one]


def _sentence(text: str) -> str:
    """Return a message of the engine as a sentence."""
    text = _plain(text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}" if text else ""


def heading_address(heading: str) -> str:
    """Return the address of the life of a heading."""
    return f"/browse/headings/{quote(heading, safe='')}" if "/" not in heading else f"/browse/headings?{urlencode({'q': heading})}"


def program_address(name: str) -> str:
    """Return the address of a program."""
    return f"/browse/programs/{quote(name, safe='')}"


def _query(**pairs: object) -> str:
    return urlencode({name: str(value) for name, value in pairs.items() if value not in {None, ""}})


# ---------------------------------------------------------------- files
@cache
def _static() -> dict[str, tuple[bytes, str]]:
    """Return the files that pages ask for, with the digest of each."""
    folder = files("tariff_service.web").joinpath("static")
    content = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in _MEDIA}
    return {name: (data, hashlib.sha256(data).hexdigest()[:16]) for name, data in content.items()}


def static_address(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"/static/{name}?v={_static()[name][1]}"


def static_file(request: Request, name: str) -> Response:
    """Return a file. Raises Refusal `not_found`: only names of this package are looked up, never a path."""
    found = _static().get(name)
    if found is None:
        raise Refusal("not_found", "there is no such file")
    kept = _KEPT if request.query_params.get("v") == found[1] else KEEP
    headers = {"ETag": f'"{found[1]}"', "Cache-Control": kept}
    return unchanged(request, headers) or Response(found[0], 200, headers, _MEDIA[name.rpartition(".")[2]])
