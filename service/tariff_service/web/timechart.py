"""The duty of a line over the days of entry as a chart: steps stacked by program, positions in percent, so that it fits any width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from tariff_service.web.waterfall import colors_of

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
    colors = colors_of(list(dict.fromkeys(program for step, _, _ in drawn for program, _ in _stack(step))))
    top = max([Decimal(step["duty"]) / worth * 100 for step, _, _ in [*drawn, *off]], default=Decimal(0))
    top, ticks = _scale(top)
    days = Decimal((end - begin).days)

    def x(day: date) -> Decimal:
        return Decimal((day - begin).days) * _FULL / days

    blocks: list[Block] = []
    for step, start, stop in drawn:
        level = Decimal(0)
        for program, amount in _stack(step):
            share = amount / worth * 100 * _FULL / top
            words = f"{titles.get(program, program)}: {_percent(amount / worth * 100)} of the value, {start} to {stop - _DAY}"
            blocks.append(
                Block(_text(x(start)), _text(x(stop) - x(start)), _text(_FULL - level - share), _text(share), colors[program], words)
            )
            level += share
    hatched = []
    for step, start, stop in off:
        share = Decimal(step["duty"]) / worth * _FULL / top * 100
        acts = "; ".join(act["cite"] for act in step["withdrawn_by"])
        words = f"Announced for {start} and withdrawn ({acts}): {step['rate']} in all"
        hatched.append(
            Block(_text(x(start)), _text(max(x(stop) - x(start), Decimal("1.1"))), _text(_FULL - share), _text(share), "hatch", words)
        )
    starts = [(number, x(_day(step["from"]))) for number, step in enumerate(steps, 1) if begin <= _day(step["from"]) < end]
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
    )


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
    last = _day(found["rulebook"]["horizon"])
    starts = [_day(step["from"]) for step in (*found["steps"], *found["withdrawn"])]
    return max([last, *(day + _TAIL for day in (*starts, *([entry_day] if entry_day else [])) if day > last - _TAIL)]) + _DAY


def _stack(step: Mapping[str, Any]) -> list[tuple[str, Decimal]]:
    """Return the dollars of each program, the base duty first; what a credit takes away is taken from the tallest."""
    sums: dict[str, Decimal] = {}
    for row in reversed(step["headings"]):
        sums[row["program"]] = sums.get(row["program"], Decimal(0)) + Decimal(row["duty"] or 0)
    less = -sum(amount for amount in sums.values() if amount < 0)
    found = {program: amount for program, amount in sums.items() if amount > 0}
    if less and found:
        tallest = max(found, key=lambda program: found[program])
        found[tallest] = max(found[tallest] - less, Decimal(0))
    return list(found.items())


def _marks(starts: Sequence[tuple[int, Decimal]]) -> tuple[Mark, ...]:
    """Put each mark on the lowest row where it stands clear of the one before it."""
    last = [Decimal(-100)] * _ROWS
    found = []
    for number, place in starts:
        row = next((row for row in range(_ROWS) if place - last[row] >= _CLOSE), min(range(_ROWS), key=lambda row: last[row]))
        last[row] = place
        found.append(Mark(_text(place), row, number))
    return tuple(found)


def _years(begin: date, end: date, x: Any) -> tuple[Tick, ...]:
    quarterly = (end - begin).days < _MONTHS * 31
    months = (1, 4, 7, 10) if quarterly or (end - begin).days < 2 * _MONTHS * 31 else (1,)
    days = [date(year, month, 1) for year in range(begin.year, end.year + 1) for month in months]
    return tuple(
        Tick(_text(x(day)), f"{day:%b %Y}" if len(months) > 1 and day.month == 1 else f"{day:%b}" if len(months) > 1 else str(day.year))
        for day in days
        if begin <= day < end
    )


def _scale(top: Decimal) -> tuple[Decimal, list[Decimal]]:
    """Return a round top of the scale in percent, and its ticks."""
    rough = max(top, Decimal(1)) / _TICKS
    size = Decimal(10) ** (rough.adjusted())
    step = next((size * one for one in _STEPS if size * one >= rough), size * 10)
    count = int((max(top, Decimal(1)) / step).to_integral_value(ROUND_CEILING))
    return step * count, [step * number for number in range(count + 1)]


def _percent(share: Decimal) -> str:
    return f"{share.quantize(Decimal('0.01')).normalize():f}%"


def _text(number: Decimal) -> str:
    return f"{number:.2f}"
