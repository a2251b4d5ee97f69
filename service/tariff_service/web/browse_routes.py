"""`/browse/...`: the law book for readers: programs, the life of a heading, lists, acts, and the rulebooks that were in use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tariff_engine.problems import ProblemError
from tariff_service import law_reading
from tariff_service.api.assessing import read_day
from tariff_service.api.caching import read_query
from tariff_service.api.law_routes import book_of, told
from tariff_service.api.problems import Refusal
from tariff_service.api.state import Served, service_of
from tariff_service.history import history
from tariff_service.web import editions
from tariff_service.web.rendering import heading_address, render
from tariff_service.web.showing import around, page

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.notation.tables import Table

router = APIRouter(include_in_schema=False)
_ROWS = 100  # of a list on one page
_LONGEST = 100  # characters of a name
_T = TypeVar("_T")


def _served(request: Request) -> Served:
    return service_of(request).rulebooks.current


def _cut(text: str | None, items: Sequence[_T]) -> tuple[Sequence[_T], int, int]:
    """Return a page of items, its number, and how many pages there are. Raises Refusal."""
    number = int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0 if text else 1  # noqa: PLR2004
    pages = max(-(-len(items) // _ROWS), 1)
    if not 1 <= number <= pages:
        raise Refusal("bad_parameter", f"page is a number from 1 to {pages}, not {str(text)[:40]!r}")
    return items[(number - 1) * _ROWS : number * _ROWS], number, pages


def _day(query: dict[str, str], served: Served) -> date:
    """Return the day that a page is about: the one asked for, else the last that the law book was read to."""
    return read_day(query.get("on") or None, "on") or served.latest.law.horizon


# ---------------------------------------------------------------- programs
@router.get("/browse")
@page("read")
async def browse(request: Request) -> Response:
    """Lead to the programs."""
    read_query(request, ())
    return RedirectResponse("/browse/programs", 303)


@router.get("/browse/programs")
@page("read")
async def programs(request: Request) -> Response:
    """List the programs, those in force on a day first."""
    query, served = read_query(request, ("on", "q")), _served(request)
    day, text = _day(query, served), query.get("q", "")[:_LONGEST]
    found = law_reading.programs(await book_of(served), day)
    wanted = [one for one in found if all(part in f"{one['program']} {one['title']}".casefold() for part in text.casefold().split())]
    groups = [
        (title, [one for one in wanted if bool(one["in_force"]) is force]) for title, force in (("In force", True), ("Not in force", False))
    ]
    return render(request, "programs.html", groups=groups, day=day.isoformat(), q=text, rulebook=around(request))


@router.get("/browse/programs/{name}")
@page("read")
async def program(request: Request, name: str) -> Response:
    """Show a program with its provisions and its history."""
    read_query(request, ())
    served = _served(request)
    book = await book_of(served)
    with told("the list of programs names every one"):
        found = law_reading.program(book, name[:_LONGEST])
    life = await asyncio.to_thread(history, book, name[:_LONGEST], order="effect")
    return render(request, "program.html", one=found, life=life, rulebook=around(request))


# ---------------------------------------------------------------- headings
@router.get("/browse/headings")
@page("read")
async def headings(request: Request) -> Response:
    """Find a heading: by its number, or by words of its sentence."""
    query, served = read_query(request, ("q", "page")), _served(request)
    book = await book_of(served)
    text = query.get("q", "").strip()[:_LONGEST]
    found, fix = law_reading.provisions(book), ""
    if text:
        parts = text.casefold().split()
        hits = [one for one in found if all(part in f"{one['provision']} {one['says']} {one['title']}".casefold() for part in parts)]
        digits = text.replace(".", "")
        if not hits and digits.isascii() and digits.isdigit():
            hits = [one for one in found if one["provision"].replace(".", "").startswith(digits)]
        if not hits:
            try:
                law_reading.provision(book, text)
            except ProblemError as error:
                fix = error.problem.fix if error.problem.fix.startswith("did you mean") else ""
            else:
                return RedirectResponse(heading_address(text), 303) if "/" not in text else await _life(request, text)
        found = hits
    shown, number, pages = _cut(query.get("page"), found)
    return render(
        request, "headings.html", items=shown, count=len(found), q=text, fix=fix, number=number, pages=pages, rulebook=around(request)
    )


@router.get("/browse/headings/{heading}")
@page("read")
async def heading(request: Request, heading: str) -> Response:
    """Show the life of a heading."""
    read_query(request, ())
    return await _life(request, heading)


async def _life(request: Request, heading: str) -> Response:
    book = await book_of(_served(request))
    with told("search among the headings"):
        found = law_reading.provision(book, heading[:_LONGEST])
        life = await asyncio.to_thread(history, book, heading[:_LONGEST], order="effect")
    return render(request, "heading.html", found=found, life=life, rulebook=around(request))


# ---------------------------------------------------------------- lists
@router.get("/browse/lists")
@page("read")
async def lists(request: Request) -> Response:
    """List the product and country lists; with an HTS number, those that name it."""
    query, served = read_query(request, ("q",)), _served(request)
    book = await book_of(served)
    text = query.get("q", "").strip()[:_LONGEST]
    found = await asyncio.to_thread(_lists, book, text)
    return render(request, "lists.html", items=found, q=text, rulebook=around(request))


def _lists(book: Book, text: str) -> list[dict[str, Any]]:
    """Return the lists that name a number, or whose name has the words."""
    found = law_reading.lists(book)
    digits = text.replace(".", "")
    if digits and digits.isascii() and digits.isdigit():
        return [one for one in found if "hts" in one["columns"] and _names(book, one["list"], digits)]
    return [one for one in found if text.casefold() in one["list"].casefold().replace("_", " ")]


def _names(book: Book, name: str, digits: str) -> bool:
    return any(
        (digits.startswith(row.hts) or row.hts.startswith(digits)) and not digits.startswith(row.excepted or ("-",))
        for row in law_reading.table(book, name).rows
    )


@router.get("/browse/lists/{name}")
@page("read")
async def rows(request: Request, name: str) -> Response:
    """Show the rows of a list, or those that a number or word stands in."""
    query, served = read_query(request, ("q", "page")), _served(request)
    book = await book_of(served)
    text = query.get("q", "").strip()[:_LONGEST]
    with told("the page of lists names every one"):
        table = law_reading.table(book, name[:_LONGEST])
    cells = await asyncio.to_thread(_cells, table, text)
    shown, number, pages = _cut(query.get("page"), cells)
    return render(
        request,
        "rows.html",
        name=name[:_LONGEST],
        columns=list(table.columns),
        items=shown,
        count=len(cells),
        q=text,
        number=number,
        pages=pages,
        rulebook=around(request),
    )


def _cells(table: Table, text: str) -> list[list[str]]:
    """Return the cells of the rows that a number or words stand in; a number also finds the shorter codes above it."""
    cells = [list(law_reading.row_cells(table, row)) for row in table.rows]
    digits = text.replace(".", "")
    if digits.isascii() and digits.isdigit() and "hts" in table.columns:
        place = table.columns.index("hts")
        return [row for row in cells if row[place].startswith(digits) or (row[place] and digits.startswith(row[place]))]
    return [row for row in cells if any(text.casefold() in cell.casefold() for cell in row)] if text else cells


# ---------------------------------------------------------------- acts, rulebooks
@router.get("/browse/acts")
@page("read")
async def acts(request: Request) -> Response:
    """List the acts that the law book was read from, the latest first."""
    query, served = read_query(request, ("q", "page")), _served(request)
    book = await book_of(served)
    text = query.get("q", "").strip()[:_LONGEST]
    found = [one for name in book.instruments if (one := law_reading.act(book, name)) is not None]
    found.sort(key=lambda one: (one["published"], one["id"]), reverse=True)
    if text:
        found = [
            one for one in found if all(part in f"{one['id']} {one['title']} {one['cite']}".casefold() for part in text.casefold().split())
        ]
    shown, number, pages = _cut(query.get("page"), found)
    return render(request, "acts.html", items=shown, count=len(found), q=text, number=number, pages=pages, rulebook=around(request))


@router.get("/browse/rulebooks")
@page("read")
async def rulebooks(request: Request) -> Response:
    """List the rulebooks that were in use, and what changed from one to another."""
    query, service = read_query(request, ("from", "to")), service_of(request)
    kept = await asyncio.to_thread(service.store.rulebooks)
    first, second = query.get("from", ""), query.get("to", "")
    found = None
    if first and second:
        ids = {one.id for one in kept}
        if not {first, second} <= ids:
            raise Refusal("not_found", "no rulebook of this id was ever in use here")
        found = await editions.changes(service, first, second)
    current = service.rulebooks.current.id
    return render(
        request,
        "rulebooks.html",
        items=list(reversed(kept)),
        current=current,
        first=first,
        second=second,
        found=found,
        rulebook=around(request),
    )
