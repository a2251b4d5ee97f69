"""The audit of filed entries as an Excel workbook: a summary, findings, lines, windows, and what was not read. Cells are values, no formulas."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import refuse
from tariff_service.filed_out import FINDING_COLUMNS, LINE_COLUMNS, WINDOW_COLUMNS, finding_rows, line_rows, window_rows
from tariff_service.refund_columns import safe_cell
from tariff_service.show_filed import refund_words, words

if TYPE_CHECKING:
    from openpyxl import Workbook

_MONEY = "#,##0.00;[Red]-#,##0.00"
_DOLLARS = frozenset(
    {"Value", "Filed", "Owed", "Difference", "At Stake", "Refund Low", "Refund High", "Paid", "Owed When Filed", "Owed Today"}
    | {"Overpaid", "Underpaid"}
)
_DAYS = frozenset({"Entry Date", "Filed On", "Last Day"})
_WIDE = {"What": 60, "Why": 60, "Acts and Citations": 50, "What to Do": 44, "Filed Numbers": 44, "Owed Numbers": 44, "Legal Basis": 40}
_WIDTH, _LONGEST = 15, 32_000
Data = Mapping[str, Any]


def need_openpyxl() -> None:
    """Raise ProblemError `excel_missing` where the package that writes workbooks is not installed."""
    try:
        import openpyxl  # noqa: F401, PLC0415  an extra
    except ImportError:
        message = "writing Excel needs the package openpyxl"
        raise refuse("excel_missing", "--out", message, "install the extra `excel`, or write .html or .csv") from None


def workbook(report: Data) -> bytes:
    """Return the audit as a workbook. Raises ProblemError `excel_missing`."""
    need_openpyxl()
    from openpyxl import Workbook  # noqa: PLC0415  an extra

    book = Workbook()
    _sheet(book, "Summary", ("", "Dollars"), _summary(report), widths=(46, 24))
    _sheet(book, "Findings", FINDING_COLUMNS, finding_rows(report, matches=False))
    _sheet(book, "Lines", LINE_COLUMNS, line_rows(report))
    _sheet(book, "Windows", WINDOW_COLUMNS, window_rows(report))
    del book["Sheet"]
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def _summary(report: Data) -> Iterable[Sequence[Any]]:
    totals = report["totals"]
    yield "File", report["file"]
    yield "Windows as of", date.fromisoformat(report["on"])
    yield "Law book", f"{report['rulebook']['edition']}, read to {report['rulebook']['horizon']}"
    yield "Lines", totals["lines"]
    yield "Lines that match", totals["matched"]
    yield "Lines that could not be read", totals["refused"]
    for name, title in (
        ("paid", "Paid as filed"),
        ("owed_then", "Owed by the law known at filing"),
        ("owed_today", "Owed by the law known today"),
        ("overpaid", "Overpaid"),
        ("underpaid", "Underpaid"),
        ("net", "Net overpaid"),
    ):
        yield title, Decimal(totals[name])
    yield "Refund by an action, without interest", refund_words(totals["refund_by_action"])
    for kind in report["kinds"]:
        yield f"{words(kind['type'])}: {kind['says']}", kind["count"]


def _sheet(book: Workbook, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[int] = ()) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill  # noqa: PLC0415  an extra
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    sheet = book.create_sheet(title)
    sheet.append(list(columns))
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F3A5F")
    for row in rows:
        sheet.append([_cell(name, value) for name, value in zip(columns, row, strict=True)])
    for place, name in enumerate(columns):
        letter = get_column_letter(place + 1)
        sheet.column_dimensions[letter].width = widths[place] if widths else _WIDE.get(name, _WIDTH)
        for cell in sheet[letter][1:]:
            cell.alignment = Alignment(vertical="top", wrap_text=name in _WIDE)
            if isinstance(cell.value, Decimal | float):
                cell.number_format = _MONEY
    sheet.freeze_panes = "A2"
    if columns[0] and sheet.max_row > 1:
        sheet.auto_filter.ref = sheet.dimensions


def _cell(name: str, value: Any) -> Any:
    """Return a value as the sheet keeps it: dollars as numbers, days as days, all other text as text that is no formula."""
    if not isinstance(value, str):
        return value
    if not value:
        return None
    if name in _DOLLARS and value.replace("-", "", 1).replace(".", "", 1).isdigit():
        return Decimal(value)
    if name in _DAYS:
        return date.fromisoformat(value)
    return safe_cell(value)[:_LONGEST]
