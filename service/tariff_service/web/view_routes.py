"""`/line/.../when` and `/line/.../else`: the same line on every day, as it was known on two days, and under other facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.problems import ProblemError
from tariff_service.api.assessing import Answered, Asked, assess, read_day
from tariff_service.api.compare_routes import drive
from tariff_service.api.problems import Refusal
from tariff_service.api.state import Served, service_of
from tariff_service.comparing import compare_steps
from tariff_service.pictures.timechart import chart
from tariff_service.web.answering import entry_view
from tariff_service.web.asking import Ask
from tariff_service.web.days import days_of
from tariff_service.web.line_routes import asked_of, form, line_of, sure
from tariff_service.web.matrix import proofs, read_wanted, rows
from tariff_service.web.rendering import render
from tariff_service.web.showing import page

router = APIRouter(include_in_schema=False)
_WHEN = ("line", "left", "right", "have")
_ELSE = ("line", "origins", "dates", "claims", "claim")
_CLOSE_YEARS = 2  # years of the closer chart
_ENOUGH = 3  # steps in it that make it worth drawing


def _titles(served: Served) -> dict[str, str]:
    return {"base": "Column 1 or 2 duty", **{one.name: one.title for one in served.latest.law.compiled.programs}}


# ---------------------------------------------------------------- when
@router.get("/line/{number}/when")
@page("assess")
async def when(request: Request, number: str) -> Response:
    """Show how the duty changes with the day of entry, and what was known of it on two days."""
    served, ask = asked_of(request, number, _WHEN)
    found = await sure(request, served, ask)
    place, line = line_of(found.answer, ask)
    facts = {key: value for key, value in ask.flat(place).items() if key != "entry_date"}
    known_on = read_day(ask.known_on or None, "known_on")
    entry_day, titles, value = date.fromisoformat(line["entry_date"]), _titles(served), line["value"]
    seen = await days_of(service_of(request)).look(served, facts, known_on, entry_day, ask.options.get("have", ""))
    time = seen.time
    whole = chart(time, titles, value, entry_day) if time else None
    near = _near(time, served) if time else None
    close = chart(time, titles, value, entry_day, near) if time and near else None
    sides = [await _side(request, served, ask, name, line["entry_date"], late=not seen.whole) for name in ("left", "right")]
    return render(
        request,
        "when.html",
        view=entry_view(served.latest.law, ask, found.answer),
        tab="when",
        place=place,
        line=line,
        time=time,
        titles=titles,
        whole=whole,
        close=close,
        now=_now(time["steps"], line["entry_date"]) if time else 0,
        more="" if seen.whole else f"{ask.address('when')}&{urlencode({**_kept(ask), 'have': 'steps' if time else 'nothing'})}",
        sides=sides,
        only=_only(sides, place),
        **form(served, ask, found),
    )


def _near(time: Mapping[str, Any], served: Served) -> date | None:
    """Return where the closer chart begins; None where little happens in it."""
    horizon = served.latest.law.horizon
    first = horizon.replace(year=horizon.year - _CLOSE_YEARS, day=1)
    later = sum(date.fromisoformat(step["from"]) >= first for step in time["steps"])
    return first if later >= _ENOUGH else None


def _now(steps: Sequence[Mapping[str, Any]], day: str) -> int:
    """Return the number of the step in which a day stands."""
    return next((number for number, step in reversed(list(enumerate(steps, 1))) if step["from"] <= day), 0)


def _kept(ask: Ask) -> dict[str, str]:
    """Return what this view was told, for a link back to it."""
    return {name: text for name, text in ask.options.items() if name in _WHEN and name != "have"}


async def _side(request: Request, served: Served, ask: Ask, name: str, entry_day: str, *, late: bool) -> dict[str, Any]:
    """Return the answer by the law as known on a day: on the left the day of entry, on the right everything known, unless asked.

    `late`: the law of a day that nobody asked for is not waited for.
    """
    text = ask.options.get(name, entry_day if name == "left" else "")
    side: dict[str, Any] = {"name": name, "day": text, "answer": None, "trouble": "", "late": False}
    try:
        if late and name not in ask.options and text and not served.engine.has(date.fromisoformat(text)):
            return {**side, "late": True}
        answer: Answered = await assess(service_of(request), served, ask.entry, Asked("none", read_day(text or None, name), store=False))
        side["answer"] = answer.answer
    except (Refusal, ProblemError) as error:
        side["trouble"] = getattr(error, "detail", str(error))
    return side


def _only(sides: Sequence[Mapping[str, Any]], place: int) -> list[set[tuple[str, str]]]:
    """Return for each side the headings and rates that the other has not."""
    filed = []
    for side in sides:
        line = side["answer"]["lines"][place - 1] if side["answer"] else {}
        filed.append({(row["heading"], row["rate"]) for row in line.get("headings", ())})
    return [filed[0] - filed[1], filed[1] - filed[0]]


# ---------------------------------------------------------------- what else
@router.get("/line/{number}/else")
@page("assess")
async def what_else(request: Request, number: str) -> Response:
    """Compare the line with itself from other origins, on other days, under other claims."""
    pairs = request.query_params.multi_items()
    served, ask = asked_of(request, number, _ELSE)
    picked = "|".join(text for name, text in pairs if name == "claim")
    ask.options["claims"] = picked or ask.options.get("claims", "")
    found = await sure(request, served, ask)
    place, line = line_of(found.answer, ask)
    law = served.latest.law
    wanted = read_wanted(law, ask, line, line["savings"])
    compared, trouble = None, ""
    if wanted.vary:
        known_on = read_day(ask.known_on or None, "known_on")
        try:
            compared = await drive(service_of(request), served, compare_steps(ask.flat(place), wanted.vary, known_on=known_on))
        except (Refusal, ProblemError) as error:
            trouble = error.problem.message if isinstance(error, ProblemError) else error.detail
    columns, matrix = rows(law, wanted, compared["cells"]) if compared else ([], [])
    return render(
        request,
        "else.html",
        view=entry_view(law, ask, found.answer),
        tab="else",
        place=place,
        line=line,
        wanted=wanted,
        trouble=trouble,
        columns=columns,
        matrix=matrix,
        proofs=proofs(law, served.latest.says, line),
        **form(served, ask, found),
    )
