"""The law book over HTTP: programs, provisions, lists, and the dictionary of facts. Everything read here is the rulebook in use."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.problems import ProblemError
from tariff_service import law_reading
from tariff_service.api import law_operations
from tariff_service.api.assessing import read_day
from tariff_service.api.caching import KEEP, etag_of, read_query, unchanged
from tariff_service.api.callers import caller_of
from tariff_service.api.paging import read_limit, read_place, shown_page
from tariff_service.api.problems import Refusal, catalogue
from tariff_service.api.state import Served, service_of
from tariff_service.output import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tariff_engine.book import Book

router = APIRouter()
_JSON, _CSV = "application/json", "text/csv"
_PAGE = ("limit", "cursor")
_DAYS = ("on", "known_on")
_LONGEST = 100  # characters of a name


@contextmanager
def told(otherwise: str) -> Iterator[None]:
    """Answer a name that does not exist; `otherwise` says where the names stand, unless there is a guess at what was meant."""
    try:
        yield
    except ProblemError as error:
        problem = error.problem
        guess = problem.fix if problem.fix.startswith("did you mean") or problem.code == "bad_parameter" else otherwise
        raise Refusal(problem.code if problem.code in catalogue() else "unprocessable", problem.message, fix=guess) from None


async def book_of(served: Served) -> Book:
    """Return the rulebook as written; the first reader waits for it in a thread."""
    return served.book if "book" in vars(served) else await asyncio.to_thread(lambda: served.book)


def _page(request: Request, query: Mapping[str, str], items: Sequence[Any], headers: dict[str, str], **more: Any) -> Response:
    shown, place = cut(query, items)
    return shown_page(request, shown, place, headers=headers, **more)


def cut(query: Mapping[str, str], items: Sequence[Any]) -> tuple[Sequence[Any], int | None]:
    """Return the page that is asked for, and where the next one begins. Raises Refusal."""
    limit, start = read_limit(query), read_place(query) or 0
    return items[start : start + limit], start + limit if start + limit < len(items) else None


def _asked(request: Request, known: Iterable[str], *more: str) -> tuple[Served, dict[str, str], dict[str, str], Response | None]:
    """Return the rulebook, the query, the headers of the answer, and the answer itself where the client has it. Raises Refusal."""
    caller_of(request, "read")
    query = read_query(request, known)
    served = service_of(request).rulebooks.current
    headers = {"ETag": etag_of(served, request, *more), "Cache-Control": KEEP}
    return served, query, headers, unchanged(request, headers)


# ---------------------------------------------------------------- programs
@router.get("/v1/programs", **law_operations.PROGRAMS)
async def programs(request: Request) -> Response:
    """List the programs of the law book."""
    served, query, headers, same = _asked(request, (*_DAYS, *_PAGE))
    on, known_on = (read_day(query.get(name), name) for name in _DAYS)
    return same or _page(request, query, law_reading.programs(await book_of(served), on, known_on), headers)


@router.get("/v1/programs/{name}", **law_operations.PROGRAM)
async def program(request: Request, name: str) -> Response:
    """Read a program with its provisions."""
    served, query, headers, same = _asked(request, _DAYS)
    on, known_on = (read_day(query.get(name), name) for name in _DAYS)
    book = await book_of(served)
    with told("GET /v1/programs names every program"):
        found = law_reading.program(book, name[:_LONGEST], on, known_on)
    return same or Response(encode(found), 200, headers, _JSON)


# ---------------------------------------------------------------- provisions
@router.get("/v1/provisions", **law_operations.PROVISIONS)
async def provisions(request: Request) -> Response:
    """List the provisions of the law book."""
    served, query, headers, same = _asked(request, ("program", *_DAYS, *_PAGE))
    on, known_on = (read_day(query.get(name), name) for name in _DAYS)
    book = await book_of(served)
    with told("GET /v1/programs names every program"):
        found = law_reading.provisions(book, program=query.get("program"), on=on, known_on=known_on)
    return same or _page(request, query, found, headers)


@router.get("/v1/provisions/{heading}", **law_operations.PROVISION)
async def provision(request: Request, heading: str) -> Response:
    """Read the life of a heading."""
    served, query, headers, same = _asked(request, ("variant", *_DAYS))
    on, known_on = (read_day(query.get(name), name) for name in _DAYS)
    wanted = heading[:_LONGEST] + (f"/{query['variant'][:_LONGEST]}" if "variant" in query else "")
    book = await book_of(served)
    with told("GET /v1/provisions names every provision"):
        found = law_reading.provision(book, wanted, on, known_on)
    return same or Response(encode(found), 200, headers, _JSON)


# ---------------------------------------------------------------- lists
@router.get("/v1/lists", **law_operations.LISTS)
async def lists(request: Request) -> Response:
    """List the product and country lists."""
    served, query, headers, same = _asked(request, _PAGE)
    return same or _page(request, query, law_reading.lists(await book_of(served)), headers)


@router.get("/v1/lists/{name}", **law_operations.ROWS)
async def rows(request: Request, name: str) -> Response:
    """Read the rows of a list, as JSON or as CSV."""
    media = _media(request)
    served, query, headers, same = _asked(request, ("prefix", "hts", *_DAYS, *_PAGE), media)
    headers["Vary"] = "Accept"
    on, known_on = (read_day(query.get(name), name) for name in _DAYS)
    digits = {name: _digits(query, name) for name in ("prefix", "hts")}
    book, name = await book_of(served), name[:_LONGEST]
    with told("GET /v1/lists names every list"):
        table = law_reading.table(book, name)
        found = law_reading.list_rows(book, name, law_reading.Chosen(on, known_on, **digits))
    shown, place = cut(query, found)
    if same:
        return same
    page = shown_page(
        request,
        [law_reading.row_data(row) for row in shown],
        place,
        headers=headers,
        list=name,
        columns=list(table.columns),
        instruments=law_reading.acts_of(book, shown),
    )
    if media == _JSON:
        return page
    headers |= {"Link": page.headers["link"]} if place is not None else {}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows(law_reading.row_cells(table, row) for row in shown)
    return Response(text.getvalue().encode(), 200, headers, f"{_CSV}; charset=utf-8; header=present")


def _digits(query: Mapping[str, str], name: str) -> str:
    text = query.get(name)
    if text is None:
        return ""
    digits = text.replace(".", "")
    lengths = {8, 10} if name == "hts" else range(1, 11)
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in lengths:
        wanted = "a number of 8 or 10 digits" if name == "hts" else "1 to 10 digits"
        raise Refusal("bad_parameter", f"{name} is {wanted}, not {text[:40]!r}")
    return digits


def _media(request: Request) -> str:
    """Return which of the two media types the client would rather have. Raises Refusal where it takes neither."""
    accepted = request.headers.get("accept", "*/*")
    best: dict[str, float] = {}
    for one in accepted.split(","):
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        for media in (_JSON, _CSV):
            if kind in {media, "*/*", media.partition("/")[0] + "/*"}:
                best[media] = max(best.get(media, 0.0), _weight(weight) - (0.0001 if kind != media else 0.0))
    if not best or max(best.values()) <= 0:
        raise Refusal("not_acceptable", "a list is read as JSON or as CSV", fix=f"send Accept: {_JSON}, or Accept: {_CSV}")
    return max((_JSON, _CSV), key=lambda media: best.get(media, 0.0))


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


# ---------------------------------------------------------------- facts, countries
@router.get("/v1/facts", **law_operations.FACTS)
async def facts(request: Request) -> Response:
    """List the facts that a line or an entry can state."""
    served, query, headers, same = _asked(request, _PAGE)
    return same or _page(request, query, law_reading.facts(served.latest.law), headers)


@router.get("/v1/countries", **law_operations.COUNTRIES)
async def countries(request: Request) -> Response:
    """List the countries that can be named."""
    served, query, headers, same = _asked(request, _PAGE)
    return same or _page(request, query, law_reading.countries(served.latest.law), headers)
