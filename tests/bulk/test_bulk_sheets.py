"""The quick reader of sheets says what openpyxl says, and leaves to it what it does not cover."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tariff_service.bulk import sheet_stream
from tariff_service.bulk.sheet_stream import quick_rows
from tariff_service.refund_files import open_workbook, sheet_rows

_ROWS: list[list[Any]] = [
    ["id", "hts", None, "value", "day"],
    ["a&b <c> \"d\" 'e'", 7318152061, None, 1000.1, date(2025, 9, 10)],
    [None, None, None, None, None],
    ["é\n x ", 1e-7, True, -5, datetime(2025, 9, 10, 13, 30)],  # noqa: DTZ001  a sheet has no zones
    ["", 0, False, 1e20, time(13, 30), timedelta(hours=30)],
    ["=not one", "#N/A", "x" * 5_000],
]


def sheet(tmp_path: Path, rows: list[list[Any]], change: Callable[[str], str] | None = None) -> Path:
    book, path = openpyxl.Workbook(), tmp_path / "sheet.xlsx"
    made: Any = book.active
    for row in rows:
        made.append(row)
    for cells in made.iter_rows():
        for cell in cells:
            if cell.value == "=not one":
                cell.data_type = "s"
    book.save(path)
    if change is not None:
        changed = tmp_path / "changed.xlsx"
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
            for member in source.namelist():
                data = source.read(member)
                target.writestr(member, change(data.decode()).encode() if "sheet1" in member else data)
        path = changed
    return path


def both(path: Path) -> tuple[list[Any], list[Any]]:
    with open_workbook("sheet", path) as book:
        quick = list(quick_rows(book, book.sheetnames[0]))
    with open_workbook("sheet", path) as book:
        slow = list(sheet_rows(book, book.sheetnames[0]))

    def plain(rows: list[tuple[int, list[Any]]]) -> list[Any]:
        filled = [(number, [cell or None if isinstance(cell, str) else cell for cell in cells]) for number, cells in rows]
        for _, cells in filled:
            while cells and cells[-1] is None:
                cells.pop()
        return [(number, [(type(cell), cell) for cell in cells]) for number, cells in filled if cells]

    return plain(quick), plain(slow)


@pytest.mark.parametrize("step", [64, 1 << 20])
def test_plain_sheets_are_read_alike_and_without_openpyxl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(sheet_stream, "_STEP", max(step, 600))
    path = sheet(tmp_path, _ROWS * 40)
    quick, slow = both(path)
    assert quick == slow
    assert len(quick) == 5 * 40
    monkeypatch.setattr(sheet_stream, "sheet_rows", lambda *_: [])
    assert both(path)[0] == slow


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: re.sub(r'<c r="(B3[0-9]+)" t="n"', r'<c t="n" r="\1"', xml),
        lambda xml: xml.replace("<row ", "<row spans='1:3' ", 7),
        lambda xml: xml.replace("</c>", "</c>\r\n"),
        lambda xml: xml.replace("<sheetData>", '<sheetData xml:space="default">'),
        lambda xml: xml.replace("a&amp;b", "a&#38;b"),
        lambda xml: xml.replace("7318152061", " 7318152061 "),
        lambda xml: xml.replace("<v>1000.1</v>", "<!-- <v>5</v> --><v>1000.1</v>"),
        lambda xml: xml.replace("<v>-5</v>", "<f>SUM(A1:A2)</f><v>-5</v>"),
        lambda xml: xml.replace("<is><t>id</t></is>", "<is><r><t>i</t></r><r><t>d</t></r></is>"),
    ],
    ids=["attributes", "rows", "line ends", "start", "entities", "blanks", "comments", "formulas", "fonts"],
)
def test_what_the_quick_reader_does_not_cover_is_left_to_the_other(tmp_path: Path, change: Callable[[str], str]) -> None:
    quick, slow = both(sheet(tmp_path, _ROWS * 60, change))
    assert quick == slow
