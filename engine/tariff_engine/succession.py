"""When the numbers of the schedule were in force, and which numbers took their place.

The book holds official successors only for the numbers that ended in the latest edition. For all others what stands here are candidates: numbers
of the same heading that began on the day the old one ended, the likeliest first. They are always called possible, for goods may also have
moved to another heading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from tariff_engine.dated_table import DatedTable, Row
from tariff_engine.plain_table import PlainTable

_HEADING, _SUBHEADING, _LINE = 4, 6, 8
_MOST: Final = 8
Table: TypeAlias = PlainTable | DatedTable


@dataclass(frozen=True, slots=True)
class Period:
    """The days [`starts`, `until`) of one edition; the last has no end."""

    starts: date
    until: date | None


Life: TypeAlias = tuple[date, date | None]
"""Days [from, until) in which an eight-digit number stood in the schedule without a break."""


def lives(tables: Sequence[Table], periods: Sequence[Period], stem: str) -> tuple[Life, ...]:
    """Return the lives of an eight-digit number, as far back and forth as the tables go."""
    found: list[Life] = []
    for table, period in zip(tables, periods, strict=True):
        for starts, until in _pieces(table, period, stem):
            if found and found[-1][1] == starts:
                found[-1] = (found[-1][0], until)
            else:
                found.append((starts, until))
    return tuple(found)


def _pieces(table: Table, period: Period, stem: str) -> Iterable[Life]:
    if isinstance(table, PlainTable):
        if table.holds(stem):
            yield period.starts, period.until
        return
    for span in table.spans(stem):
        starts = max(span.starts, period.starts)
        ends = [day for day in (span.until, period.until) if day is not None]
        until = min(ends) if ends else None
        if until is None or starts < until:
            yield starts, until


def heirs(tables: Sequence[Table], periods: Sequence[Period], stem: str, day: date) -> tuple[str, ...]:
    """Return possible successors of a number that had ended on the day: those of its heading that began when it ended and stand on the day."""
    ended = [until for _, until in lives(tables, periods, stem) if until is not None and until <= day]
    if not ended:
        return ()
    met = [
        code for code, spans in _relatives(tables, periods, stem) if any(starts == ended[-1] for starts, _ in spans) and stands(spans, day)
    ]
    return _likeliest(tables, stem, met)


def forebears(tables: Sequence[Table], periods: Sequence[Period], stem: str, day: date) -> tuple[str, ...]:
    """Return possible predecessors of a number that had not begun on the day: those of its heading that ended when it began and stood then."""
    born = [starts for starts, _ in lives(tables, periods, stem) if starts > day]
    if not born:
        return ()
    met = [code for code, spans in _relatives(tables, periods, stem) if any(until == born[0] for _, until in spans) and stands(spans, day)]
    return _likeliest(tables, stem, met)


def stands(found: Sequence[Life], day: date) -> bool:
    """Whether a day lies in one of the lives."""
    return any(starts <= day and (until is None or day < until) for starts, until in found)


def _relatives(tables: Sequence[Table], periods: Sequence[Period], stem: str) -> Iterable[tuple[str, tuple[Life, ...]]]:
    """Yield the other numbers of the heading with their lives."""
    codes = {code[:_LINE] for table in dict.fromkeys(tables) for code in table.under(stem[:_HEADING])}
    for code in sorted(codes - {stem}):
        yield code, lives(tables, periods, code)


def _likeliest(tables: Sequence[Table], stem: str, found: list[str]) -> tuple[str, ...]:
    """Put first the numbers of the same subheading, then those of the same general and column 2 rates, then the nearest."""
    own = _rates(tables, stem)
    found.sort(key=lambda code: (code[:_SUBHEADING] != stem[:_SUBHEADING], _rates(tables, code) != own, abs(int(code) - int(stem))))
    return tuple(found[:_MOST])


def _rates(tables: Sequence[Table], stem: str) -> tuple[str, str]:
    """Return the general and column 2 rates of a number in the first table that has it."""
    for table in dict.fromkeys(tables):
        row: Row | None = None
        if isinstance(table, PlainTable):
            if table.holds(stem):
                row = table.printed(stem if stem in table else table.below(stem)[0])[1]
        elif stem in table:
            row = table.spans(stem)[-1].row
        if row is not None:
            return row[1], row[3]
    return "", ""
