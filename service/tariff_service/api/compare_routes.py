"""`/v1/compare`, `/v1/what-if` and `/v1/timeline`: the same goods under other facts, and over the days of entry."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.engine import Knowledge
from tariff_engine.entry import impersonal
from tariff_engine.law import FactSpec
from tariff_engine.problems import ProblemError, refuse
from tariff_service.api import law_operations
from tariff_service.api.assessing import read_body, read_day
from tariff_service.api.bodies import read_whole
from tariff_service.api.caching import KEEP, etag_of, read_query, unchanged
from tariff_service.api.callers import caller_of
from tariff_service.api.law_routes import book_of
from tariff_service.api.problems import Refusal, catalogue, pointer_of
from tariff_service.api.state import Served, Service, service_of
from tariff_service.comparing import compare_steps
from tariff_service.output import encode
from tariff_service.reading import parse_json
from tariff_service.stepping import Steps, engine_of
from tariff_service.timeline import timeline_steps
from tariff_service.what_if import DAYS, MOST_DAYS, what_if_steps

router = APIRouter()
_JSON = "application/json"
_TURN = 0.004  # seconds of work before others get their turn
_SPAN = ("from", "until", "known_on")
_MEMBERS = ("entry", "vary", "known_on", "days")  # of a comparison and of a what-if
_STRUCTURED = frozenset({"map", "list", "cases"})
_T = TypeVar("_T")


async def drive(service: Service, served: Served, steps: Steps[_T]) -> _T:
    """Do long work without holding up others: it gives way every few milliseconds, and the law of other days is loaded in a thread.

    Raises what the steps raise, and Refusal `too_slow`.
    """
    started = turn = time.perf_counter()
    found: Knowledge | None = None
    while True:
        try:
            wanted = steps.send(found)
        except StopIteration as done:
            result: _T = done.value
            return result
        found = None
        if wanted is not None:
            engine_of(wanted, served.engine)
            found = served.latest if wanted.known_on is None else await service.rulebooks.knowledge(served, wanted.known_on)
        now = time.perf_counter()
        if now - started > service.settings.time_limit:
            message = f"the answer was not ready within {service.settings.time_limit:g} s"
            raise Refusal("too_slow", message, fix="ask for fewer cells or days", headers={"Retry-After": "5"})
        if now - turn > _TURN:
            await asyncio.sleep(0)
            turn = time.perf_counter()


# ---------------------------------------------------------------- compare
@router.post("/v1/compare", **law_operations.COMPARE)
async def compare(request: Request) -> Response:
    """Compare an entry with itself under other facts."""
    caller_of(request, "assess")
    read_query(request, ())
    service = service_of(request)
    served = service.rulebooks.current
    content = await read_whole(request, service.settings)
    body = read_body(content)
    try:
        entry, vary, known_on = _read_compare(body)
        found = await drive(service, served, compare_steps(entry, vary, known_on=known_on))
    except ProblemError as error:
        raise _pointed(error, body, served) from None
    asked = encode({**body, "entry": impersonal(entry, served.personal)})
    etag = etag_of(served, request, hashlib.sha256(asked).hexdigest())
    return Response(encode(found), 200, {"ETag": etag}, _JSON)


def _read_compare(body: Any) -> tuple[Any, Any, Any]:
    if not isinstance(body, Mapping):
        raise refuse("wrong_type", "body", "the body is an object", 'send {"entry": {...}, "vary": {"origin": [...]}}')
    _refuse_members(body, "a comparison", ("entry", "vary", "known_on"))
    for name in ("entry", "vary"):
        if name not in body:
            raise refuse("wrong_type", name, f"{name} is missing", 'send {"entry": {...}, "vary": {"origin": [...]}}')
    return body["entry"], body["vary"], _known_on(body)


def _refuse_members(body: Mapping[str, Any], what: str, known: tuple[str, ...]) -> None:
    for name in body:
        if name not in known:
            raise refuse("wrong_type", str(name)[:60], f"{what} has no member {str(name)[:60]!r}", f"known here: {', '.join(known)}")


def _known_on(body: Mapping[str, Any]) -> date | None:
    day = body.get("known_on")
    if day is not None and not isinstance(day, str):
        raise refuse("wrong_type", "known_on", "known_on is a day", "send it as YYYY-MM-DD, or leave it out")
    return read_day(day, "known_on")


def _pointed(error: ProblemError, body: Any, served: Served) -> Refusal:
    """Return a problem with where in the body it is: below `vary`, a member of the body, or below `entry`."""
    problem = error.problem
    errors = [
        {"pointer": _pointer(one.field, body, served), "code": one.code, "detail": one.message, "fix": one.fix}
        for one in (problem, *problem.also)
    ]
    return Refusal(problem.code if problem.code in catalogue() else "unprocessable", problem.message, errors=errors)


def _pointer(field: str, body: Any, served: Served) -> str:
    if field == "body" or not isinstance(body, Mapping):
        return ""
    if field in {"entry", "line"}:
        return "/entry"
    if field in {*_MEMBERS, *body} or field.startswith("vary."):
        return pointer_of(field)
    return f"/entry{pointer_of(field, raw=body.get('entry'), aliases=served.aliases)}"


# ---------------------------------------------------------------- what if
@router.post("/v1/what-if", **law_operations.WHAT_IF)
async def what_if(request: Request) -> Response:
    """Tell what would lower, or raise, the duty of each line of an entry, if true."""
    caller_of(request, "assess")
    read_query(request, ())
    service = service_of(request)
    served = service.rulebooks.current
    content = await read_whole(request, service.settings)
    body = read_body(content)
    try:
        entry, days, known_on = _read_what_if(body)
        found = await drive(service, served, what_if_steps(entry, known_on=known_on, days=days))
    except ProblemError as error:
        raise _pointed(error, body, served) from None
    asked = encode({**body, "entry": impersonal(entry, served.personal)})
    etag = etag_of(served, request, hashlib.sha256(asked).hexdigest())
    return Response(encode(found), 200, {"ETag": etag}, _JSON)


def _read_what_if(body: Any) -> tuple[Any, int, date | None]:
    if not isinstance(body, Mapping):
        raise refuse("wrong_type", "body", "the body is an object", 'send {"entry": {...}}')
    _refuse_members(body, "a what-if", ("entry", "days", "known_on"))
    if "entry" not in body:
        raise refuse("wrong_type", "entry", "entry is missing", 'send {"entry": {...}}')
    days = body.get("days", DAYS)
    if not isinstance(days, int) or isinstance(days, bool):
        raise refuse("wrong_type", "days", "days is a whole number", f"send 0 to {MOST_DAYS}, or leave it out")
    return body["entry"], days, _known_on(body)


# ---------------------------------------------------------------- timeline
@router.get("/v1/timeline", **law_operations.TIMELINE)
async def timeline(request: Request) -> Response:
    """Follow the duty of a line over the days of entry."""
    caller_of(request, "assess")
    service = service_of(request)
    served = service.rulebooks.current
    # an address can end up in the logs of others: facts that say who somebody is have no place in it
    open_ = (spec for spec in served.latest.law.facts.values() if not spec.personal)
    specs = {name: spec for spec in open_ for name in (spec.name, *spec.aliases)}
    query = read_query(request, (*_SPAN, *specs))
    first, until, known_on = (read_day(query.pop(name, None), name) for name in _SPAN)
    headers = {"ETag": etag_of(served, request), "Cache-Control": KEEP}
    same = unchanged(request, headers)
    if same:
        return same
    facts = {name: _fact(specs[name], name, text) for name, text in query.items()}
    try:
        steps = timeline_steps(await book_of(served), facts, first=first, until=until, known_on=known_on)
        found = await drive(service, served, steps)
    except ProblemError as error:
        problem = error.problem
        errors = [{"code": one.code, "detail": f"{one.field}: {one.message}", "fix": one.fix} for one in (problem, *problem.also)]
        raise Refusal(problem.code if problem.code in catalogue() else "unprocessable", problem.message, errors=errors) from None
    return Response(encode(found), 200, headers, _JSON)


def _fact(spec: FactSpec, name: str, text: str) -> Any:
    """Return a fact as a query says it: true and false as words, maps and lists as JSON, all else as its text. Raises Refusal."""
    if text in {"true", "false"} and spec.type in {"bool", "cases"}:
        return text == "true"
    if spec.type in _STRUCTURED:
        try:
            return parse_json(text, name, name)
        except ProblemError as error:
            raise Refusal("bad_parameter", f"{name} is JSON: {error.problem.message}", fix='send it as JSON, such as {"kg": 120}') from None
    return text
