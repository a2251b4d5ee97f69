"""The picture of a timeline: the duty stacked by program over the days of entry, and below it every step with its cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tariff_service.differing import BASE
from tariff_service.pictures import wording
from tariff_service.pictures.svg import FILLS, INK, PALE, RULE, SOFT, Sheet, Size, width, wrap
from tariff_service.pictures.timechart import Block, Chart, chart

_WIDE, _EDGE = 1200, 40
_LEFT, _PLOT, _HIGH = 96, 1064, 340  # where the plot begins, how wide and how high it is
_ROW = 24  # of the numbered marks above the plot
_COLUMN, _GAP = 545, 30
_INDENT = 30
_LOWEST = 15  # blocks lower than this have no room for words
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class _Note:
    mark: str
    head: str
    lines: list[str]
    hatched: bool = False

    @property
    def high(self) -> Decimal:
        return Decimal(19) + sum(Decimal("16.2") for _ in self.lines) + 9


def timeline_picture(found: Mapping[str, Any], titles: Mapping[str, str], countries: Mapping[str, str]) -> str:
    """Return a timeline, as `timeline` returns it, as SVG. `titles` names programs, `countries` the places of origin."""
    facts = found["facts"]
    title = f"Duty on {wording.goods(facts, countries)}, by day of entry"
    sheet = Sheet(_WIDE, title, " ".join(wording.summary(found)))
    y = sheet.lines(_EDGE, Decimal(30), wrap(title, 26, _WIDE - 2 * _EDGE, bold=True), 26, bold=True)
    known = f", as known on {found['known_on']}" if found["known_on"] else ""
    said = f"In percent of the value, stacked by program{known}. Entered value {wording.money(str(facts['value']))}"
    more = wording.stated(facts)
    y = sheet.lines(_EDGE, y, wrap(f"{said}{f'; {more}' if more else ''}.", 14, _WIDE - 2 * _EDGE), 14, color=SOFT) + 14
    drawn = chart(found, {**titles, BASE: wording.program(BASE, titles)}, str(facts["value"]), None)
    if drawn:
        y = _plot(sheet, y, drawn, found)
    else:
        y = sheet.lines(_EDGE, y, ["There is no chart: the duty is not known on any of these days, or the value is zero."], 14)
    y = _notes(sheet, y + 12, found)
    for line in wrap(wording.assumed(found), 12, _WIDE - 2 * _EDGE):
        y = sheet.lines(_EDGE, y, [line], 12, color=SOFT)
    sheet.line((_EDGE, y + 8), (_WIDE - _EDGE, y + 8))
    y = sheet.lines(_EDGE, y + 14, wording.source(found), 11, color=SOFT)
    return sheet.finish(y + 20)


# ---------------------------------------------------------------- the plot
def _plot(sheet: Sheet, y: Decimal, drawn: Chart, found: Mapping[str, Any]) -> Decimal:
    top = y + drawn.rows * _ROW + 26  # totals stand above the stacks
    foot = top + _HIGH
    letters = dict(zip(dict.fromkeys(block.program for block in drawn.blocks), _LETTERS, strict=False))
    for tick in drawn.rates:
        at = top + _share(tick.at, _HIGH)
        sheet.line((_LEFT, at), (_LEFT + _PLOT, at))
        sheet.text(_LEFT - 8, at + 4, tick.words, 13, color=SOFT, anchor="end")
    for tick in drawn.years:
        at = _LEFT + _share(tick.at, _PLOT)
        sheet.line((at, foot), (at, foot + 6))
        sheet.text(at, foot + 21, tick.words, 13, color=SOFT)
    for block in drawn.unknown:
        _box(sheet, top, block, PALE)
    for block in drawn.hatched:
        _box(sheet, top, block, "url(#hatch)")
    for block in drawn.blocks:
        _box(sheet, top, block, FILLS[block.color][0], ' stroke="#fff"')
    for block in drawn.hatched:  # its frame stands before what came instead, its hatching behind it: the words stay readable
        sheet.rect(*_place(top, block), "none", more=f' stroke="{INK}" stroke-width="1.2" stroke-dasharray="4 2"')
    for block in drawn.blocks:
        _label(sheet, top, block, letters.get(block.program, ""), found)
    _totals(sheet, top, drawn, found)
    sheet.line((_LEFT, foot), (_LEFT + _PLOT, foot), INK)
    marks = [(_LEFT + _share(mark.x, _PLOT), y + (drawn.rows - 1 - mark.row) * _ROW + 10, mark.number) for mark in drawn.marks]
    for x, at, _ in marks:
        sheet.line((x, at), (x, top - 20), SOFT)
    for x, at, number in marks:
        sheet.mark(x, at, str(number))
    if drawn.horizon:
        at = _LEFT + _share(drawn.horizon, _PLOT)
        sheet.line((at, top - 16), (at, foot), INK, dashes="2 3")
    return _legend(sheet, foot + 38, drawn, letters, found)


def _share(percent: str, whole: int) -> Decimal:
    return Decimal(percent) * whole / 100


def _place(top: Decimal, block: Block) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return _LEFT + _share(block.x, _PLOT), top + _share(block.y, _HIGH), _share(block.width, _PLOT), _share(block.height, _HIGH)


def _box(sheet: Sheet, top: Decimal, block: Block, fill: str, more: str = "") -> None:
    kind = "step" if block.program else block.color
    data = {"kind": kind, "program": block.program, "duty": block.duty, "from": block.first, "until": block.until}
    sheet.rect(*_place(top, block), fill, words=block.words, more=more, data={name: value for name, value in data.items() if value})


def _label(sheet: Sheet, top: Decimal, block: Block, letter: str, found: Mapping[str, Any]) -> None:
    """Write the letter and the rate of a program into its block, as far as there is room."""
    room, high = _share(block.width, _PLOT) - 8, _share(block.height, _HIGH)
    step = next(step for step in found["steps"] if step["from"] <= block.first and (step["until"] or "9") > block.first)
    rates = [row["rate"] for row in step["headings"] if row["program"] == block.program and Decimal(row["duty"] or 0)]
    texts = [f"{letter}  {rates[0]}"] if len(rates) == 1 else []
    words = next((words for words in [*texts, letter] if width(words, 12) <= room), "")
    if words and high >= _LOWEST:
        x, y = _LEFT + _share(block.x, _PLOT) + _share(block.width, _PLOT) / 2, top + _share(block.y, _HIGH) + high / 2 + 4
        sheet.text(x, y, words, 12, color=FILLS[block.color][1], anchor="middle")


def _totals(sheet: Sheet, top: Decimal, drawn: Chart, found: Mapping[str, Any]) -> None:
    """Write the rate in all above each step that is wide enough for it."""
    begin, days = drawn.first, (drawn.end - drawn.first).days
    for step in found["steps"]:
        if "problem" in step or step["duty"] is None:
            continue
        start = max((date.fromisoformat(step["from"]) - begin).days, 0)
        stop = min((date.fromisoformat(step["until"]) - begin).days if step["until"] else days, days)
        wide, words = Decimal((stop - start) * _PLOT) / days, str(step["rate"] or "")
        if width(words, 14, bold=True) + 4 > wide:
            continue
        mine = [block for block in drawn.blocks if block.first <= max(step["from"], begin.isoformat()) < block.until]
        level = min([Decimal(block.y) for block in mine], default=Decimal(100))
        middle = _LEFT + Decimal((start + stop) * _PLOT) / (2 * days)
        sheet.text(middle, top + level * _HIGH / 100 - 6, words, 14, bold=True, anchor="middle", halo=True)


def _legend(sheet: Sheet, y: Decimal, drawn: Chart, letters: Mapping[str, str], found: Mapping[str, Any]) -> Decimal:
    entries = [(color, letter, title) for (color, title), letter in zip(drawn.legend, letters.values(), strict=False)]
    if drawn.hatched:
        entries.append(("hatch", "", "Announced, and withdrawn before it came"))
    if drawn.unknown:
        entries.append(("unknown", "", "The duty is not known"))
    if drawn.horizon:
        entries.append(("", "", f"Dotted line: law read to {found['rulebook']['horizon']}"))
    feet = [y, y]
    for place, (fill, letter, title) in enumerate(entries):
        side = place % 2
        x = _EDGE + side * (_COLUMN + _GAP)
        if fill:
            swatch(sheet, x, feet[side], fill, letter)
        else:
            sheet.line((x + 11, feet[side]), (x + 11, feet[side] + 16), INK, dashes="2 3")
        feet[side] = sheet.lines(x + _INDENT, feet[side] + 1, wrap(title, 13, _COLUMN - _INDENT), 13) + 4
        if side:
            feet = [max(feet), max(feet)]
    return max(feet)


def swatch(sheet: Sheet, x: Size, y: Decimal, color: str, letter: str) -> None:
    """Draw the key of a legend: the color of a program with its letter, which tells it in a gray print."""
    fill, ink = FILLS.get(color, (PALE if color == "unknown" else "url(#hatch)", INK))
    sheet.rect(x, y, 22, 17, fill, more="" if color in FILLS else f' stroke="{SOFT}"')
    if letter:
        sheet.text(Decimal(x) + 11, y + 13, letter, 12, bold=True, color=ink, anchor="middle")


# ---------------------------------------------------------------- the notes
def _notes(sheet: Sheet, y: Decimal, found: Mapping[str, Any]) -> Decimal:
    sheet.line((_EDGE, y), (_WIDE - _EDGE, y), RULE)
    notes = list(_all_notes(found))
    half, first = sum(note.high for note in notes) / 2, Decimal(0)
    x, at, feet = _EDGE, y + 14, [y]
    for place, note in enumerate(notes):
        if x == _EDGE and place and first + note.high / 2 > half:
            feet.append(at)
            x, at = _EDGE + _COLUMN + _GAP, y + 14
        first += note.high
        _note(sheet, x, at, note)
        at += note.high
    return max(*feet, at) + 4


def _note(sheet: Sheet, x: Size, y: Decimal, note: _Note) -> None:
    sheet.mark(x + 10, y + 10, note.mark, hatched=note.hatched)
    sheet.text(x + _INDENT, y + 14, note.head, 13, bold=True)
    sheet.lines(x + _INDENT, y + 19, note.lines, 12)


def _all_notes(found: Mapping[str, Any]) -> Iterator[_Note]:
    room = _COLUMN - _INDENT
    for number, step in enumerate(found["steps"], 1):
        if "problem" in step:
            yield _Note(str(number), f"{wording.days(step)}: not known", wrap(step["problem"]["message"], 12, room))
            continue
        barred = " - may not be imported" if any(row["kind"] == "prohibited" for row in step["headings"]) else ""
        head = f"{wording.days(step)}: {step['rate'] or 'not known'}, {wording.money(step['duty'])}{wording.ranged(step)}{barred}"
        yield _Note(str(number), head, [line for told in wording.causes(step) for line in wrap(told, 12, room)])
    for step in found["withdrawn"]:
        head = f"{step['from']}, announced and withdrawn: {step['rate']}, {wording.money(step['duty'])}"
        yield _Note("", head, [line for told in wording.withdrawn(step) for line in wrap(told, 12, room)], hatched=True)
