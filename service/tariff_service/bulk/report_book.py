"""The report of a book as a workbook: a sheet for each view, with its chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_service.bulk.formats import without_clock
from tariff_service.bulk.reporting import Names, bars, columns, stakes
from tariff_service.refund_columns import safe_cell

if TYPE_CHECKING:
    from openpyxl import Workbook

_MONEY, _WIDE, _NARROW = "#,##0.00", 46, 16
Data = Mapping[str, Any]


def report_book(path: Path, report: Data, names: Names) -> None:
    """Write the workbook; the same report makes the same bytes."""
    from openpyxl import Workbook  # noqa: PLC0415  an extra

    book = Workbook(write_only=True)
    totals = report["totals"]
    figures = [
        ("Lines answered", report["answered"]),
        ("Rows rejected", report["rejected"]),
        ("Entered value", Decimal(totals["value"])),
        ("Duty", Decimal(totals["duty"])),
        ("Merchandise processing fee", Decimal(totals["mpf"])),
        ("Harbor maintenance fee", Decimal(totals["hmf"])),
        ("Duty, fees and postal duty", Decimal(totals["total"])),
        ("Lines whose duty is not known", totals["unknown"]),
        ("Lines whose fees are not known", totals["fees_unknown"]),
        ("Lines that depend on a fact not stated", totals["open"]),
        ("Law book", report["rulebook"]["edition"]),
        ("Law book, hash", report["rulebook"]["id"]),
        ("As known on", report["known_on"] or "all that is known"),
    ]
    _sheet(book, "Book", ("Figure", "Amount"), figures)
    for by, title in (("program", "Program"), ("origin", "Origin"), ("chapter", "Chapter")):
        found = bars(report, by, names)
        rows: list[Sequence[Any]] = [(bar.name, bar.amount, bar.lines, *(() if by == "program" else (bar.value,))) for bar in found]
        _sheet(book, title, (title, "Duty", "Lines", *(() if by == "program" else ("Entered value",))), rows, chart="bar")
    months = columns(report)
    _sheet(
        book,
        "Month",
        ("Month", "Duty", "Lines", "Entered value"),
        [(one.month, one.duty, one.lines, one.value) for one in months],
        chart="col",
    )
    asked = [(bar.name, bar.amount, bar.lines, bar.code, *(bar.reach or (None, None))) for bar in stakes(report, "questions", names)]
    counted = (
        "Question",
        "Dollars, each line under its first question",
        "Lines",
        "Fact",
        "Lines that ask it",
        "Dollars of their ranges, which overlap",
    )
    _sheet(book, "Questions", counted, asked)
    saved = [(bar.name, bar.amount, bar.lines, bar.code) for bar in stakes(report, "savings", names)]
    _sheet(book, "Unclaimed", ("Question", "Dollars", "Lines", "Fact"), saved)
    for name, title in (("open_lines", "Lines that depend"), ("saving_lines", "Lines with savings")):
        header = ("Row", "Id", "HTS", "Origin", "Entry date", "Value", "Duty", "Low", "High", "Fact", "Dollars")
        keys = ("row", "id", "hts", "origin", "entry_date", "value", "duty", "low", "high", "fact", "stake")
        _sheet(book, title, header, [[_cell(key, line[key]) for key in keys] for line in totals[name]])
    book.save(path)
    without_clock(path)


def _cell(key: str, value: Any) -> Any:
    return Decimal(value) if key in {"value", "duty", "low", "high", "stake"} and value is not None else value


def _sheet(book: Workbook, title: str, header: Sequence[str], rows: Sequence[Sequence[Any]], chart: str = "") -> None:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  an extra
    from openpyxl.styles import Font  # noqa: PLC0415

    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place in range(len(header)):
        sheet.column_dimensions["ABCDEFGHIJKLM"[place]].width = _WIDE if place == 0 and len(header) < 8 else _NARROW  # noqa: PLR2004
    heads = [WriteOnlyCell(sheet, name) for name in header]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    for row in rows:
        cells = [WriteOnlyCell(sheet, safe_cell(value) if isinstance(value, str) else value) for value in row]
        for cell in cells:
            if isinstance(cell.value, Decimal):
                cell.number_format = _MONEY
            elif isinstance(cell.value, str):
                cell.data_type = "s"
        sheet.append(cells)
    if chart and rows:
        _chart(sheet, title, len(rows), chart)


def _chart(sheet: Any, title: str, count: int, kind: str) -> None:
    from openpyxl.chart import BarChart, Reference  # noqa: PLC0415  an extra

    chart = BarChart()
    chart.type, chart.title, chart.legend = kind, f"Duty by {title.lower()}", None
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=count + 1), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=count + 1))
    chart.height, chart.width = max(8, count * 0.6), 24
    if kind == "bar":
        chart.y_axis.delete, chart.x_axis.delete, chart.x_axis.scaling.orientation = False, False, "maxMin"
    else:
        chart.y_axis.delete, chart.x_axis.delete = False, False
    chart.y_axis.number_format = "$#,##0"
    sheet.add_chart(chart, "G2")
