"""Read the lines of a refund: CSV, JSONL or an Excel sheet, as rows with their numbers. Nothing in a file is ever executed."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_service.reading import Source, decode, parse_json, read_source
from tariff_service.refund_columns import Columns, Dictionary
from tariff_service.rows import MAX_ROW, identity

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

MAX_FILE: Final = 200_000_000
MAX_ROWS: Final = 250_000
_MAX_UNPACKED = 1_000_000_000
_LOOK_FOR_HEADER = 50  # rows: title rows stand above it
_ZIP = b"PK\x03\x04"
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read: its number in the file, its facts by name, notes on what was mended, or the problem that it has."""

    number: int
    facts: dict[str, Any]
    notes: tuple[Problem, ...] = ()
    problem: Problem | None = None
    id: str | None = None


@dataclass(slots=True)
class Lines:
    """The rows of a file; `columns` is None where rows name their own facts (JSONL)."""

    name: str
    rows: list[Row] = field(default_factory=list)
    columns: Columns | None = None


def read_lines(name: str, dictionary: Dictionary, sheet: str | None = None) -> Lines:
    """Read a file, or standard input for `-`. Raises ProblemError where the file as a whole cannot be read."""
    source = read_source(name, MAX_FILE)
    suffix = Path(name).suffix.lower()
    if source.data.startswith(_ZIP):
        return _excel(source, dictionary, sheet)
    if suffix in {".xls", ".xlsx", ".xlsm"}:
        raise refuse("not_excel", "file", f"{source.name} is no Excel workbook of 2007 or later", "save it as .xlsx, or as CSV")
    if suffix in {".jsonl", ".ndjson"} or source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _jsonl(source)
    return _csv(source, dictionary)


def _bounded(rows: Iterable[Row]) -> list[Row]:
    found = list(islice(rows, MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise refuse("too_many_rows", "file", f"more than {MAX_ROWS:,} rows", "send the entries in several files")
    return found


# ---------------------------------------------------------------- JSONL
def _jsonl(source: Source) -> Lines:
    return Lines(source.name, _bounded(_json_rows(source.data)))


def _json_rows(data: bytes) -> Iterator[Row]:
    for number, raw in enumerate(io.BytesIO(data), 1):
        if not raw.strip().removeprefix(b"\xef\xbb\xbf" if number == 1 else b""):
            continue
        try:
            if len(raw) > MAX_ROW:
                raise refuse("row_too_large", "row", f"the row is larger than {MAX_ROW:,} bytes", "send one shipment line a row")
            value = parse_json(decode(raw, f"row {number}"), f"row {number}", "row")
            if not isinstance(value, dict):
                raise refuse("wrong_type", "row", f"a row is a map of facts, not {type(value).__name__}", "send {hts, origin, ...}")
            yield Row(number, value, id=identity(value, raw))
        except ProblemError as error:
            yield Row(number, {}, problem=error.problem, id=identity(None, raw))


# ---------------------------------------------------------------- tables
def _table(name: str, rows: Iterable[tuple[int, list[Any]]], dictionary: Dictionary) -> Lines | None:
    """Read a table whose header stands in one of its first rows; None where none of them names the columns."""
    found = iter(rows)
    for _, cells in islice(found, _LOOK_FOR_HEADER):
        headers = ["" if cell is None else str(cell).strip()[:200] for cell in cells]
        if dictionary.is_header(headers):
            while headers and not headers[-1]:
                headers.pop()
            columns = dictionary.read(headers)
            return Lines(name, _bounded(_table_rows(found, columns, dictionary)), columns)
    return None


def _table_rows(rows: Iterator[tuple[int, list[Any]]], columns: Columns, dictionary: Dictionary) -> Iterator[Row]:
    for number, cells in rows:
        if all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells):
            continue
        try:
            facts, notes = dictionary.facts(columns, cells)
            yield Row(number, facts, tuple(notes), id=facts.get("id"))
        except ProblemError as error:
            yield Row(number, dictionary.place(columns, cells), problem=error.problem, id=_own_id(columns, cells))


def _own_id(columns: Columns, cells: list[Any]) -> str | None:
    for target in (("own", "id"), ("own", "entry_number")):
        if target in columns.targets:
            place = columns.targets.index(target)
            if place < len(cells) and cells[place] is not None:
                return str(cells[place])[:200]
    return None


def _no_header(name: str) -> ProblemError:
    message = f"none of the first {_LOOK_FOR_HEADER} rows of {name} names the columns"
    return refuse("header_missing", "file", message, "name them HTS, Origin, Entry Date, Entered Value, Entry Number ...")


def _csv(source: Source, dictionary: Dictionary) -> Lines:
    text = decode(source.data, source.name)
    wrong: ProblemError | None = None
    for delimiter in _DELIMITERS:
        try:
            found = _table(source.name, _csv_rows(text, source.name, delimiter), dictionary)
        except ProblemError as error:
            if error.problem.code != "malformed_csv":
                raise
            wrong = wrong or error
            continue
        if found is not None:
            return found
    raise wrong or _no_header(source.name)


def _csv_rows(text: str, name: str, delimiter: str) -> Iterator[tuple[int, list[Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, list(cells)
    except csv.Error as error:
        message = f"line {reader.line_num} of {name} is no CSV: {error}"
        raise refuse("malformed_csv", "file", message, "mend the quotes there") from None


# ---------------------------------------------------------------- Excel
def _excel(source: Source, dictionary: Dictionary, sheet: str | None) -> Lines:
    with open_workbook(source.name, io.BytesIO(source.data)) as book:
        names = [name for name in book.sheetnames if sheet in {None, name}]
        if not names:
            raise refuse(
                "unknown_sheet", "--sheet", f"{source.name} has no sheet {sheet}", f"name one of {', '.join(book.sheetnames)[:300]}"
            )
        found = [(name, lines) for name in names if (lines := _table(source.name, sheet_rows(book, name), dictionary)) is not None]
    if len(found) > 1:
        several = ", ".join(name for name, _ in found)
        raise refuse("which_sheet", "--sheet", f"several sheets hold lines: {several[:300]}", "name one with --sheet")
    if not found:
        raise _no_header(source.name)
    return found[0][1]


@contextmanager
def open_workbook(name: str, file: BinaryIO | Path) -> Iterator[Workbook]:
    """Open a workbook to be read row by row. Raises ProblemError: openpyxl is not installed, it is none, or it unpacks to too much."""
    try:
        import openpyxl  # noqa: PLC0415  an extra
    except ImportError:
        message = "reading Excel needs the package openpyxl"
        raise refuse("excel_missing", "file", message, "install the extra `excel`, or save the sheet as CSV") from None
    try:
        _refuse_bomb(name, file)
        # formulas are read as their text, so that they are seen and refused; links to other files are never followed
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
    except ProblemError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a damaged or hostile workbook does to the reader
        kind = type(error).__name__
        raise refuse("not_excel", "file", f"{name} cannot be read as a workbook ({kind})", "save it as .xlsx, or as CSV") from None
    try:
        yield book
    finally:
        book.close()


def _refuse_bomb(name: str, file: BinaryIO | Path) -> None:
    with zipfile.ZipFile(file) as packed:
        unpacked = sum(entry.file_size for entry in packed.infolist())
    if unpacked > _MAX_UNPACKED:
        raise refuse("file_too_large", "file", f"{name} unpacks to {unpacked:,} bytes", "send the entries in several files")


def sheet_rows(book: Workbook, name: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of a sheet with their numbers; a formula of several cells stands as the text of one. Raises ProblemError."""
    sheet: Any = book[name]
    if not hasattr(sheet, "iter_rows"):
        return  # a chart
    try:
        sheet.reset_dimensions()  # what the file claims of its size is not to be trusted
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, [f"={type(cell).__name__}" if type(cell).__name__.endswith("Formula") else cell for cell in cells]
    except ProblemError:
        raise
    except Exception as error:  # noqa: BLE001  as above
        kind = type(error).__name__
        raise refuse("not_excel", "file", f"the sheet {name} cannot be read ({kind})", "save it as CSV") from None
