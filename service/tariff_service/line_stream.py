"""Lines out of a file of any size, one after the other: CSV and JSONL as they are read, a workbook of Excel as a whole, in bounds.

The files are those that `assess --jsonl` and `refund` read. What a row says beside the facts of its line (what was paid, windows of
liquidation, numbers of entries) is read and left aside.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TextIO, cast

from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_service.reading import decode, open_file, parse_json
from tariff_service.refund_columns import Columns, Dictionary
from tariff_service.refund_files import Row, read_lines
from tariff_service.refund_rows import OWN, merged_facts, take_claims
from tariff_service.rows import identity, json_rows

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge

_BOOKS: Final = frozenset({".xlsx", ".xlsm", ".xls"})
_START: Final = 1 << 16  # bytes in which the header of a table stands
_HEADER_ROWS: Final = 50
_DELIMITERS: Final = (",", ";", "\t")
_MAX_CELL_LINE: Final = 1_000_000  # characters of a row of CSV
_MAX_ID: Final = 200
_MOST_NUMBERS: Final = 1_000  # of one line; ACE takes far fewer
MOST_LINES: Final = 999  # of one entry, as ACE takes them
_LONG: Final = Problem("wrong_type", "lines", f"an entry of more than {MOST_LINES} lines", "give each entry its own number")


@dataclass(slots=True)
class Sent:
    """One line as it was sent: the number of its row, its id, its facts, or the problem that stands in the way.

    Lines that state one `entry` and follow each other are one entry; a line without it is an entry of its own.
    """

    row: int
    id: str
    facts: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    entry: str | None = None


def stream_lines(name: str, source: BinaryIO, knowledge: Knowledge, sheet: str | None = None) -> Iterator[Sent]:
    """Yield the lines of a file in its order. Raises ProblemError where the file as a whole cannot be read, at once or on the way."""
    suffix = Path(name).suffix.lower()
    dictionary = Dictionary(knowledge.law, "")
    start = source.read(_START)
    again = cast("BinaryIO", io.BufferedReader(_Joined(start, source)))
    if suffix in _BOOKS or start.startswith(b"PK\x03\x04"):
        if name == "-":
            raise refuse("not_text", "file", "standard input is a workbook", "name the file")
        return (_sent([row], knowledge) for row in read_lines(name, dictionary, sheet).rows)
    if not start.strip(b" \t\r\n").removeprefix(b"\xef\xbb\xbf"):
        raise refuse("file_empty", "file", f"{name} is empty", "send one shipment line a row")
    if suffix in {".jsonl", ".ndjson"} or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return (_sent([row], knowledge) for row in _json(again))
    return _table(name, start, again, dictionary, knowledge)


class _Joined(io.RawIOBase):
    """The bytes that were looked at, and then the rest of the source."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = io.BytesIO(start), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._start.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


# ---------------------------------------------------------------- JSONL
def _json(source: BinaryIO) -> Iterator[Row]:
    for number, raw in json_rows(source):
        try:
            if raw is None:
                raise refuse("row_too_large", "row", "the row is larger than 1,000,000 bytes", "send one shipment line a row")
            value = parse_json(decode(raw, f"row {number}"), f"row {number}", "row")
            if not isinstance(value, dict):
                raise refuse("wrong_type", "row", f"a row is a map of facts, not {type(value).__name__}", "send {hts, origin, ...}")
            yield Row(number, value, id=identity(value, raw))
        except ProblemError as error:
            yield Row(number, {}, problem=error.problem, id=identity(None, raw))


# ---------------------------------------------------------------- CSV
def _table(name: str, start: bytes, source: BinaryIO, dictionary: Dictionary, knowledge: Knowledge) -> Iterator[Sent]:
    decode(start[: start.rfind(b"\n") + 1] or start, name)  # tells other encodings by name; a character may end beyond what was read
    if b"\0" in start:
        raise refuse("not_text", "file", f"{name} is a binary file", "send CSV, JSONL or an Excel workbook")
    delimiter = next((one for one in _DELIMITERS if _header(start, one, dictionary)), None)
    if delimiter is None:
        message = f"none of the first {_HEADER_ROWS} rows of {name} names the columns"
        raise refuse("header_missing", "file", message, "name them HTS, Origin, Entry Date, Entered Value ...")
    return _table_lines(name, io.TextIOWrapper(source, "utf-8-sig", newline=""), delimiter, dictionary, knowledge)


def _header(start: bytes, delimiter: str, dictionary: Dictionary) -> bool:
    rows = csv.reader(io.StringIO(start.decode("utf-8-sig", "replace"), newline=""), delimiter=delimiter)
    try:
        return any(dictionary.is_header([cell.strip()[:200] for cell in cells]) for cells in islice(rows, _HEADER_ROWS))
    except csv.Error:
        return False


def _table_lines(name: str, text: TextIO, delimiter: str, dictionary: Dictionary, knowledge: Knowledge) -> Iterator[Sent]:
    rows = _cells(name, text, delimiter)
    for _, cells in rows:
        headers = [cell.strip()[:200] for cell in cells]
        if dictionary.is_header(headers):
            break
    while headers and not headers[-1]:
        headers.pop()
    columns = dictionary.read(headers)
    read = (_row(number, cells, columns, dictionary) for number, cells in rows if any(cell.strip() for cell in cells))
    for _, group in groupby(read, _of_one_line):
        yield _grouped(list(islice(group, _MOST_NUMBERS + 1)), knowledge)


def _cells(name: str, text: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_bounded(text), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        message = f"line {reader.line_num} of {name} is no CSV: {error}"
        raise refuse("malformed_csv", "file", message, "mend the quotes there") from None
    except UnicodeDecodeError:
        message = f"{name} is not UTF-8 text after line {reader.line_num}"
        raise refuse("not_utf8", "file", message, "save it as UTF-8") from None


def _bounded(text: TextIO) -> Iterator[str]:
    while line := text.readline(_MAX_CELL_LINE + 1):
        if len(line) > _MAX_CELL_LINE:
            raise refuse("row_too_large", "row", f"a row of more than {_MAX_CELL_LINE:,} characters", "send one shipment line a row")
        yield line


def _row(number: int, cells: list[Any], columns: Columns, dictionary: Dictionary) -> Row:
    try:
        facts, notes = dictionary.facts(columns, cells)
        return Row(number, facts, tuple(notes), id=facts.get("id"))
    except ProblemError as error:
        return Row(number, dictionary.place(columns, cells), problem=error.problem)


def _of_one_line(row: Row) -> object:
    """Rows that stand together and state one entry and one line number are the numbers of one line."""
    number, line = row.facts.get("entry_number"), row.facts.get("line")
    return (number, line) if number and line else row.number


def _grouped(group: list[Row], knowledge: Knowledge) -> Sent:
    if len(group) > _MOST_NUMBERS:
        problem = Problem("line_numbers", "row", f"more than {_MOST_NUMBERS:,} rows state one line", "give each line its own line number")
        return Sent(group[0].number, str(group[0].number), problem=problem, entry=_entry(group[0]))
    return _sent(group, knowledge)


# ---------------------------------------------------------------- lines
def _sent(group: list[Row], knowledge: Knowledge) -> Sent:
    """Return the line of one row, or of the rows of its numbers: its facts alone."""
    first = group[0]
    found = Sent(first.number, _id(first), entry=_entry(first))
    found.problem = next((row.problem for row in group if row.problem is not None), None)
    if found.problem is not None:
        return found
    try:
        several = len(group) > 1 or str(first.facts.get("hts"))[:2] in {"98", "99"}
        facts = merged_facts(group) if several else dict(first.facts)
    except ProblemError as error:
        found.problem = error.problem
        return found
    aside = {*OWN, *knowledge.law.refunds.facts} - {"quantity"}
    aside |= {f"paid_{action.action.replace('-', '_')}" for action in knowledge.law.refunds.actions}
    found.facts = {str(key): value for key, value in facts.items() if key not in aside}
    if isinstance(found.facts.get("spi"), str):
        take_claims(found.facts, knowledge)
    return found


def _entry(row: Row) -> str | None:
    """Return the entry that a row states, as text."""
    stated = row.facts.get("entry_number")
    return str(stated) if isinstance(stated, str | int) and not isinstance(stated, bool) and 0 < len(str(stated)) <= _MAX_ID else None


def _id(row: Row) -> str:
    stated = row.id if row.id is not None else row.facts.get("id")
    if isinstance(stated, str | int) and not isinstance(stated, bool) and 0 < len(str(stated)) <= _MAX_ID:
        return str(stated)
    number, line = row.facts.get("entry_number"), row.facts.get("line")
    if isinstance(number, str) and isinstance(line, str) and len(number) + len(line) < _MAX_ID:
        return f"{number}/{line}"
    return str(row.number)


def opened_lines(name: str) -> BinaryIO:
    """Open a file of lines, or standard input for `-`."""
    import sys  # noqa: PLC0415

    return sys.stdin.buffer if name == "-" else open_file(name)


def entries(found: Iterable[Sent]) -> Iterator[list[Sent]]:
    """Yield the lines that are one entry together. What an entry has beyond the most lines is refused, and so is all of it."""
    together: list[Sent] = []
    for line in found:
        if together and (line.entry is None or line.entry != together[-1].entry):
            yield together
            together = []
        if len(together) > MOST_LINES:
            yield together
            together = []
            line.problem = line.problem or _LONG
        elif together and together[0].problem is _LONG:
            line.problem = line.problem or _LONG
        together.append(line)
    if together:
        yield together


def batches(found: Iterable[list[Sent]], size: int) -> Iterator[list[list[Sent]]]:
    """Yield entries in batches of at least so many lines."""
    batch: list[list[Sent]] = []
    lines = 0
    for entry in found:
        batch.append(entry)
        lines += len(entry)
        if lines >= size:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch
