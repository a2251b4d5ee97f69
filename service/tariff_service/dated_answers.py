"""What an entry of one line owes on each of many days, and which of those days are the same to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row, problem_of
from tariff_engine.money import approximate_percent
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_service.differing import short_row
from tariff_service.stepping import Plain, Steps

ENTRY_DATE = "entry_date"  # the fact that runs
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The days of entry [first, last) that are looked at; `open` where no end was asked for: what is scheduled last goes on."""

    first: date
    last: date
    open: bool


def answers_on(knowledge: Knowledge, facts: Mapping[str, Any], days: list[date]) -> Steps[dict[date, Data]]:
    """Answer for each of some days, giving way after each."""
    plain, found = Plain(knowledge), dict[date, Data]()
    for day in days:
        found[day] = answer_on(plain, facts, day)
        yield None
    return found


def answer_on(knowledge: Knowledge, facts: Mapping[str, Any], day: date) -> Data:
    """Return what an entry of a line owes on a day, or the problem that stands in the way."""
    try:
        return assess_row(knowledge, {**facts, ENTRY_DATE: day.isoformat()}, "none")
    except (ProblemError, LawConflictError) as error:
        return {"problem": problem_of(error).as_dict()}


def state(answer: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes two days the same step: what is owed, under which headings at which rates; not the acts behind it."""
    if "problem" in answer:
        return "problem", answer["problem"]["code"], answer["problem"]["field"]
    rows = tuple(tuple(row.get(key) for key in ("heading", "program", "kind", "rate", "base_value", "duty")) for row in answer["headings"])
    gate, fees = answer["de_minimis"], answer["fees"]
    released = (gate["result"], "released_by" in answer, answer.get("prohibited", False))
    return rows, answer["duty"], tuple(answer["totals"].values()), fees["mpf"], fees["hmf"], released


def merged(answers: Mapping[date, Mapping[str, Any]], window: Window) -> list[tuple[date, date | None]]:
    """Return the spans of days with one state: the first day, and the first day that is of the next span (none: it goes on)."""
    starts: list[date] = []
    last: tuple[Any, ...] | None = None
    for day in sorted(answers):
        now = state(answers[day])
        if now != last:
            starts.append(day)
        last = now
    return list(zip(starts, [*starts[1:], None if window.open else window.last], strict=True))


def amounts(answer: Mapping[str, Any]) -> Data:
    """Return what an answer owes, with its rate of the value."""
    value, duty = int(answer["value"]), answer["totals"]["duty"]
    found: Data = {
        "rate": None if duty is None else approximate_percent(Fraction(duty) / value, 4) if value else "0%",
        "additional_rate": answer["additional_rate"],
        "duty": duty,
        "fees": answer["totals"]["fees"],
        "total": answer["totals"]["total"],
        "de_minimis": answer["de_minimis"]["result"],
        "headings": [short_row(row) for row in answer["headings"]],
    }
    if answer.get("prohibited"):
        found["prohibited"] = True
    return found
