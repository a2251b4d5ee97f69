"""From the bytes of a request to the bytes of an answer. The one path that single requests and batches share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast

from tariff_engine.entry import entry_steps
from tariff_engine.problems import LawConflictError, Problem, ProblemError
from tariff_service.api.problems import UNREADABLE, Refusal, allowed_parameters, catalogue, errors_of, refusal_of
from tariff_service.api.state import Served, Service
from tariff_service.folded import encode_folded
from tariff_service.reading import decode, parse_json

Explain = Literal["none", "summary", "full"]
_LEVELS = ("none", "summary", "full")
_TURN = 0.004  # seconds of work on one entry before others get their turn


@dataclass(frozen=True, slots=True)
class Asked:
    """How an assessment is wanted."""

    explain: Explain = "full"
    known_on: date | None = None
    store: bool = True
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: its bytes, and what the audit store and the counters take from it."""

    content: bytes
    answer: dict[str, Any]
    etag: str
    entry_id: str
    entry_date: str | None


def read_asked(query: Mapping[str, str], *, plain: Explain = "full", batch: bool = False) -> Asked:
    """Read the query parameters of an assessment; `plain` is how much is explained where nobody says. Raises Refusal.

    A `batch` takes `aggregate` too.
    """
    if not query:
        return Asked(plain)
    allowed_parameters(query, ("explain", "known_on", "store", *(("aggregate",) if batch else ())))
    explain = query.get("explain", plain)
    if explain not in _LEVELS:
        raise Refusal("bad_parameter", f"explain is none, summary or full, not {explain[:40]!r}")
    return Asked(
        cast("Explain", explain),
        read_day(query.get("known_on"), "known_on"),
        read_flag(query.get("store", "true"), "store"),
        read_flag(query.get("aggregate", "false"), "aggregate"),
    )


def read_day(text: str | None, name: str) -> date | None:
    """Read a day of a query. Raises Refusal."""
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:  # Python reads weeks and basic dates too
        raise Refusal("bad_parameter", f"{name} is a day written YYYY-MM-DD, not {text[:40]!r}")
    return found


def read_flag(text: str, name: str) -> bool:
    """Read true or false of a query. Raises Refusal."""
    if text not in {"true", "false"}:
        raise Refusal("bad_parameter", f"{name} is true or false, not {text[:40]!r}")
    return text == "true"


def read_body(content: bytes, name: str = "the body") -> Any:
    """Parse the JSON of a request. Raises Refusal."""
    try:
        if not content.strip():
            raise Refusal(
                "file_empty", f"{name} is empty", fix='send {"hts": ..., "origin": ..., "value": ..., "entry_date": ...}', pointer=""
            )
        return parse_json(decode(content, name), name, "body")
    except ProblemError as error:
        kind = catalogue().get(error.problem.code)
        raise refusal_of(error.problem, status=None if kind and kind.status == UNREADABLE else UNREADABLE) from None


async def assess(service: Service, served: Served, raw: Any, asked: Asked) -> Answered:
    """Assess an entry. Raises Refusal where no line of it can be assessed, or the time is up.

    Work on many lines gives way to other requests every few milliseconds. Cancelling it leaves nothing behind.
    """
    if asked.known_on is None:
        knowledge = served.latest
    else:
        knowledge = await service.rulebooks.knowledge(served, asked.known_on)
    started = turn = time.perf_counter()
    steps = entry_steps(knowledge, raw, asked.explain, asked_on=asked.known_on, folded=True)
    try:
        while True:
            try:
                next(steps)
            except StopIteration as done:
                answer: dict[str, Any] = done.value
                break
            now = time.perf_counter()
            if now - turn > _TURN:
                if now - started > service.settings.time_limit:
                    raise Refusal(
                        "too_slow", f"the answer was not ready within {service.settings.time_limit:g} s", headers={"Retry-After": "5"}
                    )
                await asyncio.sleep(0)
                turn = time.perf_counter()
    except (ProblemError, LawConflictError) as error:
        problem = error.problem if isinstance(error, ProblemError) else Problem("law_conflict", "entry", str(error))
        raise refusal_of(problem, raw=raw, aliases=served.aliases) from None
    if answer["problems"] and (any(one["line"] is None for one in answer["problems"]) or all("problem" in one for one in answer["lines"])):
        raise _all_refused(answer, raw, served)
    return _answered(answer)


def _all_refused(answer: Mapping[str, Any], raw: Any, served: Served) -> Refusal:
    """Every line has a problem, or the lines do not make one entry: there is no answer that could be filed in part."""
    told: dict[tuple[str, ...], dict[str, Any]] = {}  # a hostile entry has a hundred thousand errors: no comparing each with all
    names = {line["id"]: place for place, line in enumerate(answer["lines"])}
    for found in answer["problems"]:
        problem = _problem(found)
        for error in errors_of(problem, line=names.get(found["line"]), raw=raw, aliases=served.aliases):
            told.setdefault(tuple(error.values()), error)
    errors = list(told.values())
    first = answer["problems"][0]
    if len(answer["problems"]) == 1:
        code = first["code"] if first["code"] in catalogue() else "unprocessable"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return Refusal(code, f"{first['message']}{more}", errors=errors)
    return Refusal("entry_refused", f"no line of the {len(answer['lines'])} could be assessed", errors=errors)


def _problem(found: Mapping[str, Any]) -> Problem:
    return Problem(found["code"], found["field"], found["message"], found["fix"], tuple(_problem(one) for one in found.get("also", ())))


def _answered(answer: dict[str, Any]) -> Answered:
    return Answered(
        content=encode_folded(answer),
        answer=answer,
        etag=etag(answer),
        entry_id=answer["entry"]["id"],
        entry_date=next((line["entry_date"] for line in answer["lines"] if "problem" not in line), None),
    )


def etag(answer: Mapping[str, Any]) -> str:
    """Return the entity tag of an answer: the id names the rulebook and the question, and an engine gives one answer to it."""
    return f'"{answer["id"]}.{answer["engine"].rpartition(" ")[2]}"'
