"""A CSV file of any size: its header found below titles, its text cut into pieces at the ends of records and of entries."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tariff_engine.problems import ProblemError, refuse
from tariff_service.bulk.csv_reader import TOO_LONG, CsvReader, decoded, line_ends
from tariff_service.bulk.csv_records import MOST_LETTERS, MOST_LINES, records
from tariff_service.bulk.headers import Layout, find_header
from tariff_service.bulk.pieces import Piece, piece_bytes
from tariff_service.bulk.row_tables import JsonReader
from tariff_service.reading import open_file

if TYPE_CHECKING:
    from tariff_service.bulk.mapping import Mapped
    from tariff_service.refund_columns import Dictionary

_BOM: Final = b"\xef\xbb\xbf"
_HEAD: Final = 1_000_000  # bytes in which the header is looked for
_DELIMITERS = (",", ";", "\t", "|")
_STEP: Final = 1 << 20
_LONGEST_ENTRY = 20_000  # lines of one entry that are kept in one piece
_KEPT = 2_000  # bytes of a line that is too long to be read


@dataclass(slots=True)
class TextSource:
    """A file of text, CSV or JSONL. The size is that of when it was opened: what is written behind it meanwhile is not read."""

    name: str
    path: Path
    size: int
    reader: CsvReader | JsonReader
    start: int
    first: int
    unit: str = "bytes"
    piece: int = field(default_factory=piece_bytes)

    @property
    def headers(self) -> list[str]:
        """The headers of the cells of a rejected row."""
        return self.reader.layout.columns.headers if isinstance(self.reader, CsvReader) else ["rejected_as_sent"]

    @property
    def layout(self) -> Layout:
        """What the columns stand for."""
        return self.reader.layout

    def described(self) -> dict[str, Any]:
        """Return what was understood of the file."""
        form = {"format": "csv", "delimiter": self.reader.delimiter} if isinstance(self.reader, CsvReader) else {"format": "jsonl"}
        return {**form, **self.layout.described()}

    def pieces(self, begin: int = 0, first: int = 0, index: int = 0) -> Generator[Piece, None, None]:
        """Yield the pieces from a byte on."""
        at, number = (begin, first) if index else (self.start, self.first)
        with open_file(str(self.path)) as file:
            while at < self.size:
                file.seek(at)
                data = file.read(min(self.piece, self.size - at))
                if not data:
                    return  # it became shorter; the end of the run tells
                end = at + len(data)
                last = end >= self.size
                cut = len(data) if last else self._cut(data)
                if cut == 0:
                    data, end = _skip_line(file, data, end, self.size)
                    last, cut = end >= self.size, len(data)
                else:
                    end = at + cut
                piece = data[:cut]
                yield Piece(index, number, at, end, piece, zlib.crc32(piece), last=last)
                number += piece.count(b"\n")
                at, index = end, index + 1

    def _cut(self, data: bytes) -> int:
        """Return where the last record ends that is whole, and with it the entry before the last; 0 where no line ends."""
        end = data.rfind(b"\n") + 1
        if end and isinstance(self.reader, CsvReader) and b'"' in data:
            end = self._whole(data, end, self.reader)
        return self._entry(data, end) if self.layout.entry is not None and end else end

    @staticmethod
    def _whole(data: bytes, end: int, reader: CsvReader) -> int:
        """Return the end of the last record, where cells may hold line ends."""
        if not line_ends(data[:end]).inside.any():
            return end
        lines = decoded(data[:end]).lines
        sizes = [len(line) + 1 for line in data[:end].split(b"\n")]
        offset, most = 0, len(lines)
        for record in records(lines, reader.delimiter, reader.width):
            left = most - record.line
            open_ = record.problem is not None and record.problem.code == "unclosed_quote"
            if open_ and left < MOST_LINES and sum(map(len, lines[record.line :])) < MOST_LETTERS and offset:
                return offset  # it may be closed behind the end of what was read
            offset += sum(sizes[record.line : record.line + record.lines])
        return end

    def _entry(self, data: bytes, end: int) -> int:
        """Return where the last entry begins, so that its lines stay together; `end` where it is the only one."""
        last: str | None = None
        at = end
        for _ in range(_LONGEST_ENTRY):
            before = data.rfind(b"\n", 0, at - 1) + 1 if at > 0 else 0
            if before == 0 or at == 0:
                return end
            cell = self.reader.entry_of(data[before:at])
            if cell is None:
                return at if last is not None else end
            if cell == "":
                at = before
                continue
            if last is None:
                last = cell
            elif cell != last:
                return at
            at = before
        return end


def _skip_line(file: BinaryIO, data: bytes, end: int, size: int) -> tuple[bytes, int]:
    """Leave out a line that is longer than a piece: return what stands for it, and where the next one begins."""
    file.seek(end)
    while end < size:
        step = file.read(min(_STEP, size - end))
        if not step:
            break
        stop = step.find(b"\n")
        if stop >= 0:
            end += stop + 1
            break
        end += len(step)
    return data[:_KEPT] + TOO_LONG, end


def open_csv(name: str, path: Path, size: int, dictionary: Dictionary, mapped: Mapped) -> TextSource:
    """Find the header of a CSV file. Raises ProblemError: no row names the columns, or a needed one is missing."""
    with open_file(str(path)) as file:
        head = file.read(_HEAD)
    start = len(_BOM) if head.startswith(_BOM) else 0
    if head[start:].strip() == b"":
        raise refuse("file_empty", "file", f"{name} is empty", "send a table with a header")
    if b"\0" in head:
        raise refuse("not_text", "file", f"{name} is no text: it holds NUL bytes", "send CSV as UTF-8, .xlsx, JSONL, Parquet or Arrow")
    lines = decoded(head[start:]).lines
    if len(lines) == 1 and "\r" in lines[0].rstrip("\r\n"):
        raise refuse("malformed_csv", "file", f"the lines of {name} end in carriage returns alone", "save it with line feeds")
    sizes = [len(line) + 1 for line in head[start:].split(b"\n")]
    wrong: ProblemError | None = None
    for delimiter in [mapped.delimiter] if mapped.delimiter else _DELIMITERS:
        rows, ends = [], []
        offset, line = start, 0
        for record in records(lines[:500], delimiter):
            offset += sum(sizes[line : line + record.lines])
            line += record.lines
            rows.append((record.line + 1, list(record.cells)))
            ends.append((offset, line))
        try:
            found = find_header(rows, dictionary, mapped)
        except ProblemError as error:
            wrong = wrong or error
            continue
        if found is not None:
            layout, place = found
            begin, line = ends[place]
            if begin >= size:
                raise refuse("no_rows", "file", f"{name} has a header and no rows", "send the rows below the header")
            return TextSource(name, path, size, CsvReader(layout, delimiter), begin, line + 1)
    raise wrong or refuse(
        "header_missing",
        "file",
        f"none of the first rows of {name} names the columns",
        "name them HTS, Origin, Entry Date, Entered Value ..., or say with --map what they stand for",
    )
