"""The picture of a comparison: a bar of duty by program for each combination, its difference from the base, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tariff_service.differing import BASE
from tariff_service.pictures import wording
from tariff_service.pictures.coloring import colors_of, stack
from tariff_service.pictures.svg import FILLS, INK, PALE, RULE, SOFT, Sheet, width, wrap
from tariff_service.pictures.timechart import scale
from tariff_service.pictures.timeline_picture import swatch

_WIDE, _EDGE = 1200, 40
_LEFT, _PLOT = 280, 640  # where the bars begin, and how long the longest can be
_RIGHT = 970  # where the dollars stand
_BAR = 26
_REASONS = 4  # told for each combination; the dollars of the others are added up
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OTHER = ""  # a duty that no heading carries, such as one of the postal system
Data = Mapping[str, Any]


def compare_picture(found: Data, titles: Mapping[str, str], countries: Mapping[str, str]) -> str:
    """Return a comparison, as `compare` returns it, as SVG. `titles` names programs, `countries` the places of origin."""
    rows = [("As stated", found["base"]), *((label(cell["varied"], countries), cell) for cell in found["cells"])]
    title = _title(found, countries)
    sheet = Sheet(_WIDE, title, " ".join(_told(name, cell) for name, cell in rows))
    y = sheet.lines(_EDGE, Decimal(30), wrap(title, 26, _WIDE - 2 * _EDGE, bold=True), 26, bold=True)
    y = sheet.lines(_EDGE, y, wrap(_lead(found), 14, _WIDE - 2 * _EDGE), 14, color=SOFT) + 14
    stacks = [_stack(cell) for _, cell in rows]
    programs = list(dict.fromkeys(program for one in stacks for program, _ in one))
    colors, letters = colors_of(programs), dict(zip(programs, _LETTERS, strict=False))
    top, ticks = scale(max([sum((amount for _, amount in one), Decimal(0)) for one in stacks] + [Decimal(1)]))
    y = _legend(sheet, y, programs, colors, letters, titles)
    begin = y + 8
    for tick in ticks:
        sheet.text(_LEFT + tick * _PLOT / top, begin + 12, f"${tick:,.0f}", 12, color=SOFT, anchor="middle")
    sheet.text(_RIGHT, begin + 12, "Duty, and with fees", 12, color=SOFT)
    y = begin + 22
    for (name, cell), parts in zip(rows, stacks, strict=True):
        sheet.line((_EDGE, y), (_WIDE - _EDGE, y), RULE)
        for tick in ticks:
            sheet.line((_LEFT + tick * _PLOT / top, y), (_LEFT + tick * _PLOT / top, y + _BAR + 14))
        foot = sheet.lines(_EDGE, y + 10, wrap(name, 13, _LEFT - _EDGE - 20, bold=True), 13, bold=True)
        x = Decimal(_LEFT)
        for program, amount in parts:
            long = amount * _PLOT / top
            fill, ink = FILLS[colors[program]] if program else (PALE, INK)
            words = f"{name}: {wording.program(program, titles) if program else 'other duty'} {wording.money(f'{amount:f}')}"
            data = {"kind": "part", "program": program, "duty": f"{amount:f}", "row": name}
            sheet.rect(x, y + 10, long, _BAR, fill, words=words, more=' stroke="#fff"', data=data)
            both = f"{letters.get(program, '')} {wording.money(f'{amount:f}')}"
            shown = next((text for text in (both, letters.get(program, "")) if width(text, 12) + 8 <= long), "")
            sheet.text(x + long / 2, y + 27, shown, 12, color=ink, anchor="middle")
            x += long
        foot = max(foot, _owed(sheet, y + 10, cell), y + 10 + _BAR)
        y = max(foot, _reasons(sheet, y + 14 + _BAR, cell, titles)) + 10
    sheet.line((_EDGE, y), (_WIDE - _EDGE, y))
    y = sheet.lines(_EDGE, y + 8, wording.source(found), 11, color=SOFT)
    return sheet.finish(y + 20)


def label(varied: Data, countries: Mapping[str, str]) -> str:
    """Return which combination a cell is, in words."""
    found = ", ".join(f"{_name(name)} {_value(name, value, countries)}".strip() for name, value in varied.items())
    return found[:1].upper() + found[1:]


def _name(name: str) -> str:
    return {"entry_date": "entered", "claims": "claiming"}.get(name, name.replace("_", " "))


def _value(name: str, value: Any, countries: Mapping[str, str]) -> str:
    if name == "origin" and isinstance(value, str):
        return countries.get(value.upper(), value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(key, one, countries)}" for key, one in value.items()) or "nothing"
    if name == "known_on" and value is None:
        return "now"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not stated" if value is None else str(value)


def _title(found: Data, countries: Mapping[str, str]) -> str:
    lines = found["base"]["lines"]
    first = lines[0]
    if "problem" in first:
        return "The duty of an entry, compared"
    more = f" and {len(lines) - 1} more lines" if len(lines) > 1 else ""
    return f"Duty on {wording.goods(first, countries)}{more}, compared"


def _lead(found: Data) -> str:
    lines = [line for line in found["base"]["lines"] if "problem" not in line]
    worth = wording.money(f"{sum((Decimal(line['value']) for line in lines), Decimal(0)):f}")
    entered = ", ".join(sorted({line["entry_date"] for line in lines}))
    known = f" As known on {found['known_on']}." if found["known_on"] else ""
    return f"Entered value {worth}, entered {entered}. What varies: {', '.join(name.replace('_', ' ') for name in found['vary'])}.{known}"


def _stack(cell: Data) -> list[tuple[str, Decimal]]:
    """Return the dollars of each program over all lines; one part without a name where headings do not add up to what is owed."""
    total = (cell.get("totals") or {}).get("duty")
    if total is None or any("problem" in line for line in cell["lines"]):
        return []
    parts = stack([row for line in cell["lines"] for row in line["headings"]])
    if sum(amount for _, amount in parts) == Decimal(total):
        return parts
    return [(_OTHER, Decimal(total))] if Decimal(total) > 0 else []


def _told(name: str, cell: Data) -> str:
    if "problem" in cell:
        return f"{name}: {cell['problem']['message']}."
    return f"{name}: duty {wording.money((cell['totals'] or {}).get('duty'))}."


def _owed(sheet: Sheet, y: Decimal, cell: Data) -> Decimal:
    """Write the duty of a combination, the sum with fees, and the difference from the base."""
    if "problem" in cell:
        return sheet.lines(_LEFT, y, wrap(cell["problem"]["message"], 12, _WIDE - _EDGE - _LEFT), 12)
    totals = cell["totals"] or {}
    wrong = [line["problem"]["message"] for line in cell["lines"] if "problem" in line]
    if wrong:
        sheet.lines(_LEFT + 6, y, wrap(f"{wrong[0]}.", 12, _PLOT - 16), 12)
    y = sheet.lines(_RIGHT, y, [wording.money(totals.get("duty"))], 16, bold=True)
    if totals.get("total") is not None:
        y = sheet.lines(_RIGHT, y, [f"{wording.money(totals['total'])} with fees"], 12, color=SOFT)
    change = cell.get("differences", {}).get("duty")
    if change is not None:
        less = Decimal(change)
        words = f"{wording.money(f'{abs(less):f}')} {'less' if less < 0 else 'more'} than as stated" if less else "The same as stated"
        y = sheet.lines(_RIGHT, y, [words], 12)
    return y


def _reasons(sheet: Sheet, y: Decimal, cell: Data, titles: Mapping[str, str]) -> Decimal:
    for words in _why(cell, titles):
        y = sheet.lines(_LEFT, y, wrap(words, 12, _PLOT - 10), 12)
    return y


def _why(cell: Data, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield what makes the difference, the largest first; programs that move no dollars are left out."""
    moved = [
        one
        for line in cell.get("differences", {}).get("lines", ())
        for one in line["programs"]
        if one["dollars"] is None or Decimal(one["dollars"])
    ]
    moved.sort(key=lambda one: -abs(Decimal(one["dollars"] or 0)))
    for one in moved[:_REASONS]:
        sign = "+" if Decimal(one["dollars"] or 0) > 0 else ""
        amount = f"{sign}{wording.money(one['dollars'])}"
        yield f"{amount}, {wording.program(one['program'], titles)}: {one['because'] or f'no {BASE} duty'}"
    if len(moved) > _REASONS:
        rest = sum((Decimal(one["dollars"] or 0) for one in moved[_REASONS:]), Decimal(0))
        yield f"{len(moved) - _REASONS} further differences make {wording.money(f'{rest:f}')} together."


def _legend(
    sheet: Sheet, y: Decimal, programs: list[str], colors: Mapping[str, str], letters: Mapping[str, str], titles: Mapping[str, str]
) -> Decimal:
    column, feet = (_WIDE - 2 * _EDGE - 30) // 2, [y, y]
    for place, program in enumerate(programs):
        side = place % 2
        x = _EDGE + side * (column + 30)
        if program:
            swatch(sheet, x, feet[side], colors[program], letters.get(program, ""))
        else:
            swatch(sheet, x, feet[side], "unknown", letters.get(program, ""))
        words = wording.program(program, titles) if program else "A duty that no heading carries"
        feet[side] = sheet.lines(x + 30, feet[side] + 1, wrap(words, 13, column - 30), 13) + 4
        if side:
            feet = [max(feet), max(feet)]
    return max(feet)
