"""A piece of CSV into columns of text: by Arrow where the piece is regular, record by record where it is not. Both read alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.problems import Problem
from tariff_service.bulk.csv_records import Record, records
from tariff_service.bulk.pieces import Note, Piece, Rejected, Table

if TYPE_CHECKING:
    import numpy as np

    from tariff_service.bulk.headers import Layout

_QUOTE, _LINE, _RETURN = 34, 10, 13
TOO_LONG = b"\0\n"  # ends what stands for a line that is longer than a piece


class Decoded(NamedTuple):
    """Lines as text with their ends, and the places of those that were no UTF-8."""

    lines: list[str]
    foreign: list[int]


def decoded(data: bytes) -> Decoded:
    """Return the lines of bytes as text; a line that is no UTF-8 is read as Windows-1252, as spreadsheets write it."""
    try:
        return Decoded(_split(data.decode("utf-8")), [])
    except UnicodeDecodeError:
        pass
    lines, foreign = [], []
    for place, line in enumerate(data.split(b"\n")):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            foreign.append(place)
            lines.append(line.decode("cp1252", "surrogateescape"))
    ended = [f"{line}\n" for line in lines[:-1]]
    return Decoded([*ended, lines[-1]] if lines[-1] else ended, foreign)


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


class LineEnds(NamedTuple):
    """Where quotes and line ends stand, and which line ends stand inside quotes."""

    quotes: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]
    inside: np.ndarray[Any, Any]


def line_ends(data: bytes) -> LineEnds:
    """Return where the line ends of a text stand, and whether an odd number of quotes comes before each."""
    import numpy as np  # noqa: PLC0415  an extra

    letters = np.frombuffer(data, np.uint8)
    quotes, ends = np.flatnonzero(letters == _QUOTE), np.flatnonzero(letters == _LINE)
    return LineEnds(quotes, ends, np.searchsorted(quotes, ends) % 2 == 1)


@dataclass
class CsvReader:
    """How to read a piece of one file; it crosses process borders."""

    layout: Layout
    delimiter: str

    @property
    def width(self) -> int:
        """How many columns the file has."""
        return len(self.layout.columns.headers)

    @cached_property
    def _names(self) -> list[str]:
        return [str(place) for place in range(self.width)]

    def table(self, piece: Piece) -> Table:
        """Return the rows of a piece as columns of text."""
        if self._regular(piece.data):
            found = self._by_arrow(piece)
            if found is not None:
                return found
        return self._by_record(piece)

    def entry_of(self, line: bytes) -> str | None:
        """Return the entry number of a line; None where it cannot be told, and nothing where the line is blank."""
        text, place = line.decode("utf-8", "replace"), self.layout.entry
        if not text.strip():
            return ""
        if place is None or text.count('"') % 2:
            return None
        cells = next(records([text], self.delimiter)).cells
        return (cells[place].strip() or None) if place < len(cells) else None

    # ------------------------------------------------------------ regular pieces
    def _regular(self, data: bytes) -> bool:
        """Whether every line is a record, and every quote begins or ends a cell."""
        if b"\0" in data:
            return False
        if b'"' not in data:
            return True
        import numpy as np  # noqa: PLC0415  an extra

        found = line_ends(data)
        if found.inside.any() or len(found.quotes) % 2:
            return False
        letters = np.frombuffer(data, np.uint8)
        before, after = letters[np.maximum(found.quotes[::2] - 1, 0)], letters[np.minimum(found.quotes[1::2] + 1, len(letters) - 1)]
        begins = np.isin(before, np.frombuffer(f'{self.delimiter}\n"'.encode(), np.uint8)) | (found.quotes[::2] == 0)
        ends = np.isin(after, np.frombuffer(f'{self.delimiter}\r\n"'.encode(), np.uint8)) | (found.quotes[1::2] == len(letters) - 1)
        return bool(begins.all() and ends.all())

    def _by_arrow(self, piece: Piece) -> Table | None:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  an extra
        from pyarrow import csv  # noqa: PLC0415

        used = [place for place, target in enumerate(self.layout.columns.targets) if target is not None]
        try:
            read = csv.read_csv(
                pa.py_buffer(piece.data),
                read_options=csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(piece.data) + 1),
                parse_options=csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=False),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(self._names, pa.string()),
                    include_columns=[str(place) for place in used],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None  # another number of cells, another encoding: row by row
        lines = piece.data.count(b"\n") + (not piece.data.endswith(b"\n"))
        if read.num_rows != lines:
            return None
        import numpy as np  # noqa: PLC0415  an extra

        columns = {place: read.column(at).combine_chunks() for at, place in enumerate(used)}
        return Table(columns, np.arange(piece.first, piece.first + lines, dtype=np.int64), _Lines(piece.data, self.delimiter))

    # ------------------------------------------------------------ any piece
    def _by_record(self, piece: Piece) -> Table:
        import numpy as np  # noqa: PLC0415  an extra
        import pyarrow as pa  # noqa: PLC0415  an extra

        if piece.data.endswith(TOO_LONG) and piece.data.count(b"\n") == 1:
            problem = Problem("row_too_large", "row", "the line is longer than can be read", "send one shipment line a row")
            cells = [piece.data.removesuffix(TOO_LONG).decode("utf-8", "replace")]
            return Table({}, np.empty(0, np.int64), [], [Rejected(piece.first, problem, cells)])
        text = decoded(piece.data)
        foreign = set(text.foreign)
        rows: list[list[str]] = []
        numbers: list[int] = []
        table = Table({}, np.empty(0, np.int64), rows)
        for record in records(text.lines, self.delimiter, self.width):
            wrong = record.problem or self._problem(record)
            number = piece.first + record.line
            if wrong is not None:
                table.rejected.append(Rejected(number, wrong, record.cells))
                continue
            if not any(cell.strip() for cell in record.cells):
                continue
            if foreign and not foreign.isdisjoint(range(record.line, record.line + record.lines)):
                message = "the line is no UTF-8 and is read as Windows-1252"
                table.notes.append(Note(number, None, Problem("read_as_cp1252", "row", message, "save the file as UTF-8")))
            rows.append(record.cells)
            numbers.append(number)
        table.numbers = np.array(numbers, dtype=np.int64)
        for place, target in enumerate(self.layout.columns.targets):
            if target is not None:
                table.columns[place] = pa.array([row[place] if place < len(row) else "" for row in rows], pa.string())
        return table

    def _problem(self, record: Record) -> Problem | None:
        if any("\0" in cell or _surrogate(cell) for cell in record.cells):
            return Problem("not_text", "row", "the line holds bytes that are no text", "save the file as UTF-8")
        if any(cell.strip() for cell in record.cells[self.width :]):
            return Problem("row_too_wide", "row", "the row has more cells than the header", "quote cells that hold a comma")
        return None


def _surrogate(cell: str) -> bool:
    return not cell.isascii() and any("\ud800" <= letter <= "\udfff" for letter in cell)


class _Lines(Sequence[list[str]]):
    """The cells of the rows of a regular piece, split only when somebody asks for one."""

    def __init__(self, data: bytes, delimiter: str) -> None:
        self._data, self._delimiter = data, delimiter

    @cached_property
    def _all(self) -> list[bytes]:
        return self._data.split(b"\n")

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, place: Any) -> Any:
        line = self._all[place].decode("utf-8", "replace")
        return next(records([line], self._delimiter)).cells
