"""Files whose rows are no lines of text: workbooks, Parquet and Arrow, cut into pieces of so many rows at the ends of entries."""

from __future__ import annotations

import io
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_service.bulk.headers import Layout, find_header
from tariff_service.bulk.pieces import Piece, piece_rows
from tariff_service.bulk.row_tables import ArrowReader, RowReader
from tariff_service.bulk.sheet_stream import quick_rows
from tariff_service.refund_files import open_workbook, sheet_rows

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_service.bulk.mapping import Mapped
    from tariff_service.refund_columns import Dictionary

_LOOK = 51  # rows of a sheet in which the header is looked for
_LONGEST_ENTRY = 20_000  # rows of one entry that are kept in one piece


@dataclass(slots=True)
class SheetSource:
    """A sheet of a workbook with a header."""

    name: str
    path: Path
    sheet: str
    reader: RowReader
    size: int | None = None
    unit: str = "rows"
    piece: int = field(default_factory=piece_rows)

    @property
    def layout(self) -> Layout:
        """What the columns stand for."""
        return self.reader.layout

    @property
    def headers(self) -> list[str]:
        """The headers of the sheet."""
        return self.layout.columns.headers

    def described(self) -> dict[str, Any]:
        """Return what was understood of the file."""
        return {"format": "xlsx", "sheet": self.sheet, **self.layout.described()}

    def pieces(self, begin: int = 0, first: int = 0, index: int = 0) -> Generator[Piece, None, None]:
        """Yield the pieces from a row on."""
        del first
        start = max(begin, self.layout.row)
        place = self.layout.entry
        with open_workbook(self.name, self.path) as book:
            kept: list[tuple[int, list[Any]]] = []
            for number, cells in quick_rows(book, self.sheet):
                if number <= start:
                    continue
                kept.append((number, cells))
                if len(kept) > self.piece:
                    cut = _entry_start([row[1][place] if place is not None and place < len(row[1]) else None for row in kept], self.piece)
                    yield _rows_piece(index, kept[:cut], last=False)
                    index, kept = index + 1, kept[cut:]
            if kept:
                yield _rows_piece(index, kept, last=True)


def _rows_piece(index: int, rows: list[tuple[int, list[Any]]], *, last: bool) -> Piece:
    return Piece(index, rows[0][0], rows[0][0] - 1, rows[-1][0], rows, zlib.crc32(repr(rows).encode("utf-8", "replace")), last=last)


def _entry_start(entries: list[Any], end: int) -> int:
    """Return where to cut before `end` so that the rows of one entry stay together; `end` where they fill everything."""
    cut = end
    while cut > 0 and end - cut < _LONGEST_ENTRY and entries[cut - 1] is not None and entries[cut - 1] == entries[end]:
        cut -= 1
    return cut if cut > 0 and end - cut < _LONGEST_ENTRY else end


def open_sheet(name: str, path: Path, dictionary: Dictionary, mapped: Mapped) -> SheetSource:
    """Find the one sheet of a workbook that has lines. Raises ProblemError: none, several, or one that is not there."""
    found: list[tuple[str, Layout]] = []
    wrong: ProblemError | None = None
    with open_workbook(name, path) as book:
        names = [one for one in book.sheetnames if mapped.sheet in {None, one}]
        if not names:
            message = f"{name} has no sheet {mapped.sheet}"
            raise refuse("unknown_sheet", "--sheet", message, f"name one of {', '.join(book.sheetnames)[:300]}")
        for one in names:
            head = [row for row, _ in zip(sheet_rows(book, one), range(_LOOK), strict=False)]
            try:
                layout = find_header(head, dictionary, mapped)
            except ProblemError as error:
                wrong = wrong or error
                continue
            if layout is not None:
                found.append((one, layout[0]))
    if len(found) > 1:
        several = ", ".join(one for one, _ in found)
        raise refuse("which_sheet", "--sheet", f"several sheets hold lines: {several[:300]}", "name one with --sheet")
    if not found:
        raise wrong or refuse(
            "header_missing",
            "file",
            f"none of the first rows of {name} names the columns",
            "name them HTS, Origin, Entry Date, Entered Value ..., or say with --map what they stand for",
        )
    return SheetSource(name, path, found[0][0], RowReader(found[0][1]))


# ---------------------------------------------------------------- Parquet and Arrow
@dataclass(slots=True)
class ArrowSource:
    """A Parquet or Arrow file."""

    name: str
    path: Path
    form: str
    reader: ArrowReader
    size: int | None = None
    unit: str = "rows"
    piece: int = field(default_factory=piece_rows)

    @property
    def layout(self) -> Layout:
        """What the columns stand for."""
        return self.reader.layout

    @property
    def headers(self) -> list[str]:
        """The names of the columns."""
        return self.layout.columns.headers

    def described(self) -> dict[str, Any]:
        """Return what was understood of the file."""
        return {"format": self.form, **self.layout.described()}

    def pieces(self, begin: int = 0, first: int = 0, index: int = 0) -> Generator[Piece, None, None]:
        """Yield the pieces from a row on."""
        import pyarrow as pa  # noqa: PLC0415  an extra

        del first
        at, kept = 0, list[pa.RecordBatch]()
        count = 0
        for whole in _batches(self.path, self.form, self.name, self.piece):
            batch = whole
            if at + batch.num_rows <= begin:
                at += batch.num_rows
                continue
            if at < begin:
                batch, at = batch.slice(begin - at), begin
            kept.append(batch)
            count += batch.num_rows
            while count > self.piece:
                table = pa.Table.from_batches(kept)
                cut = self._cut(table)
                yield self._piece(index, at, table.slice(0, cut), last=False)
                index, at, count = index + 1, at + cut, count - cut
                kept = table.slice(cut).to_batches()
        if count:
            yield self._piece(index, at, pa.Table.from_batches(kept), last=True)

    def _cut(self, table: pa.Table) -> int:
        place, end = self.layout.entry, self.piece
        if place is None:
            return end
        start = max(0, end - _LONGEST_ENTRY)
        near = table.column(place).slice(start, end - start + 1).to_pylist()
        return start + _entry_start(near, len(near) - 1)

    @staticmethod
    def _piece(index: int, at: int, table: pa.Table, *, last: bool) -> Piece:
        import pyarrow as pa  # noqa: PLC0415  an extra

        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        data = sink.getvalue()
        return Piece(index, at + 1, at, at + table.num_rows, data, zlib.crc32(data), last=last)


def _batches(path: Path, form: str, name: str, most: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415  an extra

    try:
        if form == "parquet":
            from pyarrow import parquet  # noqa: PLC0415  an extra

            with parquet.ParquetFile(path, pre_buffer=False) as file:
                yield from file.iter_batches(batch_size=most, use_threads=False)
        else:
            with pa.memory_map(str(path)) as mapped:
                magic = mapped.read(6)
                mapped.seek(0)
                if magic == b"ARROW1":
                    reader = pa.ipc.open_file(mapped)
                    for place in range(reader.num_record_batches):
                        yield reader.get_batch(place)
                else:
                    yield from pa.ipc.open_stream(mapped)
    except (pa.ArrowException, OSError) as error:
        words = " ".join(str(error).split())[:200]
        raise refuse(f"malformed_{form}", "file", f"{name} cannot be read as {form}: {words}", "write the file again") from None


def open_arrow(name: str, path: Path, form: str, dictionary: Dictionary, mapped: Mapped) -> ArrowSource:
    """Read the columns of a Parquet or Arrow file. Raises ProblemError: damaged, a column missing, or of a type that states no fact."""
    schema, size = _schema(path, form, name)
    given = frozenset(mapped.constants)
    columns = dictionary.read(list(schema.names), given)
    wrong = [
        Problem("wrong_type", field.name[:60], f"the column {field.name[:60]} is of the type {str(field.type)[:100]}", _TYPES)
        for field, target in zip(schema, columns.targets, strict=True)
        if target is not None and not _can_state(field.type)
    ]
    if wrong:
        first, *also = wrong
        raise ProblemError(Problem(first.code, first.field, first.message, first.fix, tuple(also)))
    layout = Layout(columns, 0, dict(mapped.constants))
    return ArrowSource(name, path, form, ArrowReader(layout), size)


_TYPES = "columns are text, whole numbers, decimals, doubles, booleans, days, lists of text, maps and dictionaries of these"


def _can_state(kind: pa.DataType) -> bool:
    import pyarrow as pa  # noqa: PLC0415  an extra

    types = pa.types
    if types.is_dictionary(kind):
        return _can_state(kind.value_type)
    simple = (types.is_string, types.is_large_string, types.is_string_view, types.is_integer, types.is_decimal, types.is_float64)
    others = (types.is_boolean, types.is_date, types.is_timestamp, types.is_null, types.is_map, types.is_list, types.is_large_list)
    return any(test(kind) for test in (*simple, *others))


def _schema(path: Path, form: str, name: str) -> tuple[pa.Schema, int | None]:
    import pyarrow as pa  # noqa: PLC0415  an extra

    try:
        if form == "parquet":
            from pyarrow import parquet  # noqa: PLC0415  an extra

            with parquet.ParquetFile(path) as file:
                return file.schema_arrow, file.metadata.num_rows
        with pa.memory_map(str(path)) as mapped:
            magic = mapped.read(6)
            mapped.seek(0)
            reader = pa.ipc.open_file(mapped) if magic == b"ARROW1" else pa.ipc.open_stream(mapped)
            return reader.schema, None
    except (pa.ArrowException, OSError) as error:
        words = " ".join(str(error).split())[:200]
        raise refuse(f"malformed_{form}", "file", f"{name} cannot be read as {form}: {words}", "write the file again") from None
