"""`/` and `/line/...`: ask about a line or a small entry, read the answer, and hand it on. Everything is in the address; nothing is stored."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tariff_service.api.assessing import Answered, Asked, assess, read_day
from tariff_service.api.caching import read_query
from tariff_service.api.problems import Refusal
from tariff_service.api.state import Served, service_of
from tariff_service.output import encode
from tariff_service.web import downloads
from tariff_service.web.answering import entry_view
from tariff_service.web.asking import MAX_LINES, MAX_PERMALINK, Ask, Trouble, placed, read_ask, settle
from tariff_service.web.days import days_of
from tariff_service.web.fields import claim_fields, main_fields, more_fields, questions, told
from tariff_service.web.numbers import find_numbers
from tariff_service.web.rendering import render, static_file
from tariff_service.web.showing import book_words, page

router = APIRouter(include_in_schema=False)
_PLAIN = re.compile(r"[0-9.]{1,20}\Z", re.ASCII)
_UNPROCESSABLE = 422
_FOUND = 100  # numbers that a search shows
_KNOWN_ON = "known_on"


def asked_of(request: Request, number: str = "", options: tuple[str, ...] = ()) -> tuple[Served, Ask]:
    """Return the rulebook in use and what the address asks; `number` is the HTS number in its path."""
    served = service_of(request).rulebooks.current
    pairs = request.query_params.multi_items()
    found = read_ask(served.latest.law, [("hts", number), *pairs] if number else pairs, options=options)
    if len(str(request.url)) > MAX_PERMALINK:
        found.troubles.append(Trouble("", "address_too_long", "the address is too long to be handed on", "send larger entries to the API"))
    return served, found


async def answered(request: Request, served: Served, ask: Ask) -> Answered | None:
    """Return the answer that the API gives to the question, or None: then the question says what is wrong with it."""
    if ask.troubles:
        return None
    try:
        known_on = read_day(ask.known_on or None, _KNOWN_ON)
        return await assess(service_of(request), served, ask.entry, Asked("full", known_on, store=False))
    except Refusal as refusal:
        errors = refusal.errors or [{"code": refusal.code, "detail": refusal.detail}]
        about_day = refusal.code == "bad_parameter"
        ask.troubles += [Trouble(_KNOWN_ON if about_day else one.field, one.code, one.message, one.fix) for one in placed(errors)]
        return None


async def sure(request: Request, served: Served, ask: Ask) -> Answered:
    """Return the answer. Raises Refusal where there is none."""
    found = await answered(request, served, ask)
    if found is None:
        first = ask.troubles[0]
        errors = [{"detail": one.message, "fix": one.fix, "code": one.code} for one in ask.troubles]
        raise Refusal("unprocessable", f"The line cannot be answered: {first.message}", errors=errors)
    return found


def form(served: Served, ask: Ask, found: Answered | None = None) -> dict[str, Any]:
    """Return what the form needs."""
    law = served.latest.law
    asked = list(questions(law, ask, found.answer)) if found else []
    by_field: dict[str, list[Trouble]] = {}
    for trouble in ask.troubles:
        by_field.setdefault(trouble.field, []).append(trouble)
    lines = [
        {
            "number": number,
            "main": main_fields(law, ask, number),
            "more": [
                *more_fields(law, ask, number, [one for one in asked if one.number == number]),
                *(field for field in claim_fields(law, ask, number) if field.text),
            ],
            "claims": [field for field in claim_fields(law, ask, number) if not field.text],
        }
        for number in range(1, ask.lines + 1)
    ]
    labels = {field.name: field.label for line in lines for part in ("main", "more", "claims") for field in line[part]}  # type: ignore[attr-defined]
    shown = set(labels)
    shown |= {field.name for one in asked for field in one.fields} | {_KNOWN_ON}
    return {
        "ask": ask,
        "lines": lines,
        "asked": asked,
        "labels": labels,
        "by_field": by_field,
        "loose": [trouble for trouble in ask.troubles if trouble.field not in shown],
        "countries": sorted(law.countries.items(), key=lambda one: one[1]),
        "names": law.countries,
        "told": partial(told, law),
        "can_add": ask.lines < MAX_LINES,
        "rulebook": book_words(served),
    }


# ---------------------------------------------------------------- ask
@router.get("/")
@page("assess")
async def start(request: Request) -> Response:
    """Show the form, with what the address says in it."""
    served, ask = asked_of(request)
    days_of(service_of(request)).warm(served)
    return render(request, "ask.html", _UNPROCESSABLE if ask.troubles else 200, **form(served, ask))


@router.get("/line")
@page("assess")
async def asked_form(request: Request) -> Response:
    """Answer a form: with its permalink, or with the form and what is wrong in it."""
    served, ask = asked_of(request)
    if ask.empty and not ask.troubles:
        return RedirectResponse("/", 303)
    found = await answered(request, served, ask)
    if found is None or not _PLAIN.match(ask.texts.get("hts", "")):
        return render(request, "ask.html", _UNPROCESSABLE, **form(served, ask, found))
    settle(ask)
    return RedirectResponse(ask.address(), 303)


@router.get("/line/find")
@page("assess")
async def find(request: Request) -> Response:
    """Find a number of the schedule without a script."""
    query, served = read_query(request, ("q",)), service_of(request).rulebooks.current
    text = query.get("q", "").strip()[:100]
    hits = await asyncio.to_thread(find_numbers, served, text, _FOUND)
    called = served.words.edition if served.words else ""
    return render(request, "find.html", q=text, items=hits, most=_FOUND, called=called, rulebook=book_words(served))


@router.get("/line/numbers")
@page("assess")
async def numbers(request: Request) -> Response:
    """Suggest numbers of the schedule for what was typed so far."""
    served = service_of(request).rulebooks.current
    hits = await asyncio.to_thread(find_numbers, served, request.query_params.get("q", ""))
    return Response(encode([{"hts": number, "says": says} for number, says in hits]), 200, media_type="application/json")


# ---------------------------------------------------------------- answers
@router.get("/line/{number}")
@page("assess")
async def line(request: Request, number: str) -> Response:
    """Show the answer: the total, the headings, why and why not."""
    served, ask = asked_of(request, number)
    found = await answered(request, served, ask)
    if found is None:
        return render(request, "ask.html", _UNPROCESSABLE, **form(served, ask))
    days_of(service_of(request)).warm(served, ask.flat(1))
    return render(request, "answer.html", view=entry_view(served.latest.law, ask, found.answer), tab="answer", **form(served, ask, found))


@router.get("/line/{number}/memo")
@page("assess")
async def memo(request: Request, number: str) -> Response:
    """Show the answer as an audit memo, for the printer."""
    served, ask = asked_of(request, number)
    found = await sure(request, served, ask)
    replay = encode(ask.entry, indent=2).decode()
    view = entry_view(served.latest.law, ask, found.answer)
    return render(request, "memo.html", view=view, tab="memo", replay=replay, link=_absolute(request, ask), **form(served, ask, found))


def _absolute(request: Request, ask: Ask) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{ask.address()}"


@router.get("/line/{number}/answer.json")
@page("assess")
async def as_json(request: Request, number: str) -> Response:
    """Give the answer as the API gives it."""
    served, ask = asked_of(request, number)
    return downloads.as_json(await sure(request, served, ask))


@router.get("/line/{number}/answer.csv")
@page("assess")
async def as_csv(request: Request, number: str) -> Response:
    """Give the headings as CSV."""
    served, ask = asked_of(request, number)
    return downloads.as_csv(await sure(request, served, ask))


# ---------------------------------------------------------------- files
@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """Give a file that pages ask for."""
    return static_file(request, name)


def line_of(answer: Mapping[str, Any], ask: Ask) -> tuple[int, Mapping[str, Any]]:
    """Return the line that a view is about, with its number. Raises Refusal."""
    text = ask.options.get("line", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0  # noqa: PLR2004
    if not 1 <= number <= len(answer["lines"]):
        raise Refusal("bad_parameter", f"there is no line {text[:40]!r}", fix=f"the entry has {len(answer['lines'])}")
    found: Mapping[str, Any] = answer["lines"][number - 1]
    if "problem" in found:
        raise Refusal("unprocessable", f"line {number} cannot be answered: {found['problem']['message']}")
    return number, found
