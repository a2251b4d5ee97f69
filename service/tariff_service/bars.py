"""Rates over the days of entry as a line of text: a bar for each lane, marks for what never came, and the axis of years below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

Data = Mapping[str, Any]


def column(day: date, first: date, last: date, width: int) -> int:
    """Return the column of a day on a line that many columns wide."""
    return (day - first).days * (width - 1) // max((last - first).days, 1)


def bar(spans: Sequence[Data], marks: Sequence[str], first: date, last: date, width: int) -> str:
    """Return a lane: its spans with their rates, and an x on the days of `marks` that no span covers."""
    cells = ["."] * width
    for day in marks:
        cells[column(date.fromisoformat(day), first, last, width)] = "x"
    for span in spans:
        start, end = ends(span, first, last, width)
        for place, sign in enumerate(segment(short(span), end - start, goes_on=span["until"] is None)):
            cells[start + place] = sign
    return "".join(cells)


def ends(span: Data, first: date, last: date, width: int) -> tuple[int, int]:
    """Return the columns of a bar: its first, and the one after its last."""
    start = column(date.fromisoformat(span["from"]), first, last, width)
    end = column(date.fromisoformat(span["until"]), first, last, width) if span["until"] else width
    return start, max(min(end, width), start + 1)


def segment(words: str, room: int, *, goes_on: bool) -> str:
    """Return one span so many columns wide, with its words where they fit."""
    if room == 1:
        return "|"
    close = ">" if goes_on else "]"
    inner = words if len(words) <= room - 2 else words.rstrip("%") if len(words.rstrip("%")) <= room - 2 else ""
    return f"[{inner:=<{room - 2}}{close}"


def short(span: Data) -> str:
    """Return what a span says, as short as it can be."""
    if span["rate"]:
        return f"{span['rate']} in all" if span["effect"].startswith("makes") else str(span["rate"])
    return str(span["effect"]).partition(",")[0]


def axis(first: date, last: date, width: int) -> str:
    """Return the line of days: the first, the last, and the years between them where there is room."""
    cells = [" "] * width
    begin, end = first.isoformat(), last.isoformat()
    cells[: len(begin)] = begin
    cells[width - len(end) :] = end
    for year in range(first.year + 1, last.year + 1):
        place, text = column(date(year, 1, 1), first, last, width), f"|{year}"
        around = cells[max(place - 1, 0) : place + len(text) + 1]
        if place + len(text) < width and all(cell == " " for cell in around):
            cells[place : place + len(text)] = text
    return "".join(cells)
