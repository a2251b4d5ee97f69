"""The CSV files of the frame, which other readers turn into fees and rates: whole rows, and days that are days, before anyone reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date

from tariff_engine.adcvd_order_rules import COLUMNS as ORDER_COLUMNS
from tariff_engine.adcvd_order_rules import FILE as ORDERS

_COLUMNS = {  # what the readers need; they refuse what they do not know
    ORDERS: ORDER_COLUMNS,
    "chapter98.csv": ("number", "from", "until", "general", "special", "column2", "limit"),
    "chapter99.csv": ("heading", "printed_in"),
    "countries.csv": ("iso2", "name"),
    "mpf.csv": ("fiscal_year", "from", "until", "derived", "cite"),
    "schedule/discontinued.csv": ("hts", "successors"),
    "schedule/preference_exclusions.csv": ("symbol", "hts", "origin", "from", "until", "by", "confidence"),
    "schedule/preferences.csv": ("symbol", "origin", "from", "until", "known_from"),
}
_DAYS = ("from", "until", "known_from")
_NEEDED = frozenset({("chapter98.csv", "from"), ("mpf.csv", "from"), ("mpf.csv", "until")})


def check_sheets(files: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the form of the sheets that are there."""
    for path, needed in _COLUMNS.items():
        if path in files:
            yield from _sheet(path, needed, files[path])


def _sheet(path: str, needed: tuple[str, ...], text: str) -> Iterator[str]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, [])
        missing = [name for name in needed if name not in header]
        if missing or len(set(header)) != len(header):
            found = f"missing: {', '.join(missing)}" if missing else "one stands twice"
            yield f"{path}:1: header: name every column of the sheet once; {found}"
            return
        for cells in lines:
            if len(cells) != len(header):
                words = f"{len(cells)} cells where the header names {len(header)} columns; a cell with a comma in it stands in quotes"
                yield f"{path}:{lines.line_num}: row: {words}"
                continue
            for column in _DAYS:
                cell = cells[header.index(column)] if column in header else ""
                if (cell or (path, column) in _NEEDED) and not _is_day(cell):
                    yield f"{path}:{lines.line_num}: {column}: {cell!r} is no day such as 2025-03-04"
    except csv.Error as error:
        yield f"{path}:{lines.line_num}: row: not CSV: {error}; a cell with a comma or a quote in it stands in quotes"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
