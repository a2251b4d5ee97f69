"""The duty of a line over the days of entry as a chart: steps stacked by program, positions in percent, so that it fits any width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from tariff_service.pictures.coloring import colors_of, stack

_FULL = Decimal(100)
_CLOSE = Decimal("2.4")  # percent of the width: marks nearer than this stand on another row
_ROWS = 4
_TICKS = 5
_MONTHS = 18  # spans shorter than this have a tick each quarter, not each year
_DAY, _TAIL = timedelta(days=1), timedelta(days=45)  # what a last step is drawn with
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle: a program during a step, or a step that was announced and withdrawn."""

    x: str
    width: str
    y: str
    height: str
    color: str
    words: str
    program: str = ""  # what it stands for, as the answer names it; empty where it stands for all of a step
    duty: str = ""  # dollars
    first: str = ""  # the days of the step that are drawn, [first, until)
    until: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A number above the chart where a step begins, that the list beside the chart explains."""

    x: str
    row: int
    number: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid with its words."""

    at: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the drawing needs. All positions are percent of the plot."""

    blocks: tuple[Block, ...]
    hatched: tuple[Block, ...]
    marks: tuple[Mark, ...]
    years: tuple[Tick, ...]
    rates: tuple[Tick, ...]
    entry: str  # where the day of entry is; empty outside the chart
    horizon: str  # up to where law was read; empty where the chart ends with it
    legend: tuple[tuple[str, str], ...]  # color, title of the program
    rows: int
    unknown: tuple[Block, ...]  # spans of days whose duty is not known
    first: date
    end: date  # the day after the last that is drawn


def chart(
    found: Mapping[str, Any], titles: Mapping[str, str], value: str, entry_day: date | None, first: date | None = None
) -> Chart | None:
    """Return the chart of a timeline as `timeline` returns it, from a first day on; None where no step can be drawn."""
    steps = [step for step in found["steps"] if "problem" not in step and step["duty"] is not None]
    worth = Decimal(value)
    if not steps or not worth:
        return None
    begin = max(date.fromisoformat(found["from"]), first or date.min)
    end, horizon = _end(found, entry_day), _day(found["rulebook"]["horizon"]) + _DAY
    drawn = [(step, max(_day(step["from"]), begin), min(_until(step, end), end)) for step in steps]
    drawn = [(step, start, stop) for step, start, stop in drawn if start < stop]
    off = [(step, max(_day(step["from"]), begin), _withdrawn_until(step, steps, end)) for step in found["withdrawn"]]
    off = [(step, start, stop) for step, start, stop in off if begin <= start < stop and step.get("duty") is not None]
    if not drawn:
        return None
    colors = colors_of(list(dict.fromkeys(program for step, _, _ in drawn for program, _ in stack(step["headings"]))))
    top = max([Decimal(step["duty"]) / worth * 100 for step, _, _ in [*drawn, *off]], default=Decimal(0))
    top, ticks = scale(max(top, Decimal(1)))
    days = Decimal((end - begin).days)

    def x(day: date) -> Decimal:
        return Decimal((day - begin).days) * _FULL / days

    blocks: list[Block] = []
    for step, start, stop in drawn:
        level = Decimal(0)
        for program, amount in stack(step["headings"]):
            share = amount / worth * 100 * _FULL / top
            words = f"{titles.get(program, program)}: {_percent(amount / worth * 100)} of the value, {start} to {stop - _DAY}"
            place = _text(x(start)), _text(x(stop) - x(start)), _text(_FULL - level - share), _text(share)
            blocks.append(Block(*place, colors[program], words, program, f"{amount:f}", start.isoformat(), stop.isoformat()))
            level += share
    hatched = []
    for step, start, stop in off:
        share = Decimal(step["duty"]) / worth * _FULL / top * 100
        acts = "; ".join(act["cite"] for act in step["withdrawn_by"])
        words = f"Announced for {start} and withdrawn ({acts}): {step['rate']} in all"
        place = _text(x(start)), _text(max(x(stop) - x(start), Decimal("1.1"))), _text(_FULL - share), _text(share)
        hatched.append(Block(*place, "hatch", words, "", step["duty"], start.isoformat(), stop.isoformat()))
    starts = [(number, x(_day(step["from"]))) for number, step in enumerate(found["steps"], 1) if begin <= _day(step["from"]) < end]
    marks = _marks(starts)
    return Chart(
        tuple(blocks),
        tuple(hatched),
        marks,
        _years(begin, end, x),
        tuple(Tick(_text(_FULL - tick * _FULL / top), f"{tick.normalize():f}%") for tick in ticks),
        _text(x(entry_day)) if entry_day and begin <= entry_day <= end else "",
        _text(x(horizon)) if begin < horizon < end else "",
        tuple((color, titles.get(program, program)) for program, color in colors.items()),
        max((mark.row for mark in marks), default=0) + 1,
        tuple(_unknown(found["steps"], begin, end, x)),
        begin,
        end,
    )


def _unknown(steps: Sequence[Mapping[str, Any]], begin: date, end: date, x: Callable[[date], Decimal]) -> Iterator[Block]:
    for step in steps:
        start, stop = max(_day(step["from"]), begin), min(_until(step, end), end)
        if start < stop and ("problem" in step or step["duty"] is None):
            words = f"Not known, {start} to {stop - _DAY}"
            yield Block(_text(x(start)), _text(x(stop) - x(start)), "0.00", "100.00", "unknown", words, "", "", f"{start}", f"{stop}")


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _until(step: Mapping[str, Any], end: date) -> date:
    return _day(step["until"]) if step["until"] else end


def _withdrawn_until(step: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], end: date) -> date:
    """A step that never came has no end of its own: it is drawn as long as the step that came in its place."""
    if step["until"]:
        return min(_day(step["until"]), end)
    start = step["from"]
    return next(
        (min(_until(one, end), end) for one in steps if one["from"] <= start and (one["until"] is None or one["until"] > start)), end
    )


def _end(found: Mapping[str, Any], entry_day: date | None) -> date:
    if found.get("until"):
        return _day(found["until"])
    last = _day(found["rulebook"]["horizon"])
    starts = [_day(step["from"]) for step in (*found["steps"], *found["withdrawn"])]
    return max([last, *(day + _TAIL for day in (*starts, *([entry_day] if entry_day else [])) if day > last - _TAIL)]) + _DAY


def _marks(starts: Sequence[tuple[int, Decimal]]) -> tuple[Mark, ...]:
    """Put each mark on the lowest row where it stands clear of the one before it."""
    last = [Decimal(-100)] * _ROWS
    found = []
    for number, place in starts:
        row = next((row for row in range(_ROWS) if place - last[row] >= _CLOSE), min(range(_ROWS), key=lambda row: last[row]))
        last[row] = place
        found.append(Mark(_text(place), row, number))
    return tuple(found)


def _years(begin: date, end: date, x: Callable[[date], Decimal]) -> tuple[Tick, ...]:
    quarterly = (end - begin).days < _MONTHS * 31
    months = (1, 4, 7, 10) if quarterly or (end - begin).days < 2 * _MONTHS * 31 else (1,)
    days = [date(year, month, 1) for year in range(begin.year, end.year + 1) for month in months]
    shown = [day for day in days if begin <= day < end]
    return tuple(Tick(_text(x(day)), _tick_words(day, place, months=len(months) > 1)) for place, day in enumerate(shown))


def _tick_words(day: date, place: int, *, months: bool) -> str:
    if not months:
        return str(day.year)
    return f"{day:%b %Y}" if day.month == 1 or not place else f"{day:%b}"


def scale(top: Decimal) -> tuple[Decimal, list[Decimal]]:
    """Return a round top of a scale that reaches a number above zero, and its ticks."""
    rough = top / _TICKS
    size = Decimal(10) ** (rough.adjusted())
    step = next((size * one for one in _STEPS if size * one >= rough), size * 10)
    count = int((top / step).to_integral_value(ROUND_CEILING))
    return step * count, [step * number for number in range(count + 1)]


def _percent(share: Decimal) -> str:
    return f"{share.quantize(Decimal('0.01')).normalize():f}%"


def _text(number: Decimal) -> str:
    return f"{number:.2f}"
