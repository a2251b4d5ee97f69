"""What the schedule says of a number, as plain data: its rates on a day, when it stood, what stood in its place, its rates over time."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import ProblemError
from tariff_engine.rates import rate_text
from tariff_engine.tariff_line import dotted

if TYPE_CHECKING:
    from tariff_engine.schedule import Schedule
    from tariff_engine.tariff_line import TariffLine

_DAY = timedelta(days=1)


def tariff_entry(schedule: Schedule, hts: str, on: date, known_on: date | None = None) -> dict[str, Any]:
    """Return what is to be told of a number on an entry date, as published on or before `known_on`.

    Raises ProblemError: no number of the schedule, not in force on the day, or ten digits needed.
    """
    line = schedule.find(hts, on, known_on)
    edition = next(edition for edition in schedule.editions if edition.name == line.edition)
    lives = schedule.lives(line.hts)
    return {
        "hts": dotted(line.hts),
        "on": str(on),
        "known_on": None if known_on is None else str(known_on),
        "edition": {"name": edition.name, "from": str(edition.starts), "published": str(edition.published), "cite": edition.cite},
        "rate_line": dotted(line.rate_line),
        "units": list(line.units),
        "general": rate_text(line.general),
        "special": _special(line),
        "column2": rate_text(line.column2),
        "quantities_needed": sorted(line.general.quantities),
        "special_doubts": sorted(line.special_doubts),
        "in_force": [{"from": str(starts), "until": None if until is None else str(until)} for starts, until in lives],
        "predecessors": _predecessors(schedule, line.hts, on),
        "successors": _successors(schedule, line.hts, on),
        "history": _history(schedule, line.hts, known_on),
        "warnings": [{"code": note.code, "message": note.message, "fix": note.fix} for note in line.warnings],
    }


def _special(line: TariffLine) -> list[dict[str, Any]]:
    return [{"rate": rate_text(rate), "symbols": sorted(symbols)} for symbols, rate in line.special]


def _predecessors(schedule: Schedule, hts: str, on: date) -> dict[str, Any] | None:
    """Return what stood before a number that began after the tables begin."""
    born = next((starts for starts, until in schedule.lives(hts) if starts <= on and (until is None or on < until)), None)
    if born is None or born <= schedule.editions[0].starts:
        return None
    return {"day": str(born), "official": False, "numbers": [dotted(code) for code in schedule.predecessors_of(hts, born - _DAY)]}


def _successors(schedule: Schedule, hts: str, on: date) -> dict[str, Any] | None:
    """Return what took the place of a number that ended, eight digits or its statistical suffix."""
    ended = next((until for starts, until in schedule.lives(hts) if starts <= on and until is not None and on < until), None)
    if ended is None and hts not in schedule.successors:
        return None
    numbers, official = schedule.successors_of(hts, ended or on)
    return {"day": None if ended is None else str(ended), "official": official, "numbers": [dotted(code) for code in numbers]}


def _history(schedule: Schedule, hts: str, known_on: date | None) -> list[dict[str, Any]]:
    """Return the spans in which the general and column 2 rates of a number did not change, with the editions that say so."""
    found: list[tuple[date, str, str, str]] = []
    for day in schedule.days_of(hts):
        try:
            line = schedule.find(hts, day, known_on)
        except ProblemError:
            continue
        found.append((day, line.edition, rate_text(line.general), rate_text(line.column2)))
    spans = []
    for (general, column2), same in groupby(found, key=lambda row: row[2:]):
        rows = list(same)
        names = list(dict.fromkeys(name for _, name, _, _ in rows))
        spans.append({"from": str(rows[0][0]), "general": general, "column2": column2, "editions": names})
    return spans
