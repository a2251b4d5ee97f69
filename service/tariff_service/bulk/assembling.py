"""The whole of an output, put together from its parts as they are made: the same parts make the same bytes, whenever they come."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from tariff_service.bulk.rendering import ROW_END, SHEET_END, SHEET_START, header_row, workbook_members

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_STEP: Final = 1 << 20
_SHEET: Final = 1_000_000  # rows of a sheet, whose most is 1,048,576 (ECMA-376)
_GROUP: Final = 60_000  # rows of a row group of Parquet, at the least
_OWN: Final = frozenset({"row", "id"})  # what is another in every row is not worth a dictionary
_QUICK: Final = 1  # of the nine levels of Deflate: a fifth of the time for some more bytes


class Whole(Protocol):
    """A file that takes parts in their order."""

    def add(self, part: Path) -> None:
        """Take the next part."""

    def close(self) -> None:
        """Write what is left. Without this the file is none."""


def open_whole(form: str, schema: pa.Schema, target: Path) -> Whole:
    """Begin a file of a format."""
    if form in {"csv", "jsonl"}:
        return _Text(target, ",".join(f'"{name}"' for name in schema.names).encode() + b"\n" if form == "csv" else b"")
    if form == "xlsx":
        return _Workbook(target, schema)
    return _Parquet(target, schema) if form == "parquet" else _Arrow(target, schema)


class _Text:
    def __init__(self, target: Path, header: bytes) -> None:
        self._file = target.open("wb")
        self._file.write(header)

    def add(self, part: Path) -> None:
        with part.open("rb") as source:
            shutil.copyfileobj(source, self._file, _STEP)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, target: Path, schema: pa.Schema) -> None:
        from pyarrow import parquet  # noqa: PLC0415  an extra

        coded = [field.name for field in schema if field.name not in _OWN]
        self._writer = parquet.ParquetWriter(target, schema, compression="zstd", use_dictionary=coded, store_decimal_as_integer=True)
        self._schema = schema
        self._kept: list[pa.RecordBatch] = []

    def add(self, part: Path) -> None:
        self._kept += _batches(part)
        if sum(one.num_rows for one in self._kept) >= _GROUP:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa  # noqa: PLC0415  an extra

        self._writer.write_table(pa.Table.from_batches(self._kept, self._schema))
        self._kept = []

    def close(self) -> None:
        if self._kept:
            self._write()
        self._writer.close()


class _Arrow:
    def __init__(self, target: Path, schema: pa.Schema) -> None:
        import pyarrow as pa  # noqa: PLC0415  an extra

        self._file = pa.OSFile(str(target), "wb")
        self._writer = pa.ipc.new_file(self._file, schema)

    def add(self, part: Path) -> None:
        for batch in _batches(part):
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def _batches(part: Path) -> list[Any]:
    import pyarrow as pa  # noqa: PLC0415  an extra

    with pa.memory_map(str(part)) as mapped, pa.ipc.open_stream(mapped) as stream:
        return list(stream)


class _Workbook:
    """Sheets of up to a million rows; text is text, whatever it begins with."""

    def __init__(self, target: Path, schema: pa.Schema) -> None:
        self._file = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICK)
        self._header = header_row(schema.names)
        self._titles: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._titles.append("Lines" if not self._titles else f"Lines {len(self._titles) + 1}")
        self._sheet = self._file.open(f"xl/worksheets/sheet{len(self._titles)}.xml", "w", force_zip64=True)
        self._sheet.write(SHEET_START + self._header)
        self._room = _SHEET

    def _end(self) -> None:
        self._sheet.write(SHEET_END)
        self._sheet.close()

    def add(self, part: Path) -> None:
        left = b""
        with part.open("rb") as source:
            while step := source.read(_STEP):
                data = left + step
                end = data.rfind(ROW_END) + len(ROW_END)
                if end >= len(ROW_END):
                    self._rows(data[:end])
                    left = data[end:]
                else:
                    left = data

    def _rows(self, data: bytes) -> None:
        while data:
            if not self._room:
                self._end()
                self._begin()
            count = data.count(ROW_END)
            if count <= self._room:
                self._sheet.write(data)
                self._room -= count
                return
            rows = data.split(ROW_END, self._room)
            self._sheet.write(ROW_END.join([*rows[: self._room], b""]))
            self._room, data = 0, rows[-1]

    def close(self) -> None:
        self._end()
        for name, text in workbook_members(self._titles):
            with self._file.open(name, "w") as member:
                member.write(text.encode())
        self._file.close()
