"""Rows out, in the format that the name of the file asks for: parts as they are made, and the whole when the last is there."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tariff_engine.problems import refuse
from tariff_service.output import encode
from tariff_service.refund_columns import safe_cell

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

FORMATS: Final = {
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_SHEET: Final = 1_000_000  # rows of a sheet, whose most is 1,048,576 (ECMA-376)
_GROUP: Final = 500_000  # rows of a row group of Parquet
_FORMULA: Final = "^[=+\\-@\t\r]"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a ZIP file knows no earlier time


def format_of(path: Path, option: str) -> str:
    """Return the format that a name asks for. Raises ProblemError `unknown_format`."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise refuse("unknown_format", option, f"{path.name[:100]} names no format", f"end it in one of {', '.join(FORMATS)}")
    if found == "xlsx":
        try:
            import openpyxl  # noqa: F401, PLC0415  an extra
        except ImportError:
            raise refuse("excel_missing", option, "writing Excel needs the package openpyxl", "install the extra `excel`") from None
    return found


# ---------------------------------------------------------------- parts
def write_part(form: str, batch: pa.RecordBatch, file: BinaryIO) -> None:
    """Write the rows of one part."""
    if form == "csv":
        _csv_part(batch, file)
    elif form == "jsonl":
        file.writelines(encode(row) for row in batch.to_pylist())
    else:
        import pyarrow as pa  # noqa: PLC0415  an extra

        with pa.ipc.new_stream(file, batch.schema) as writer:
            writer.write_batch(batch)


def _csv_part(batch: pa.RecordBatch, file: BinaryIO) -> None:
    import pyarrow as pa  # noqa: PLC0415  an extra
    from pyarrow import csv as arrow_csv  # noqa: PLC0415  an extra

    table = pa.Table.from_arrays([_flat(column) for column in batch.columns], names=batch.schema.names)
    arrow_csv.write_csv(table, file, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))


def _flat(column: pa.Array) -> pa.Array:
    """Return a column as CSV can hold it: lists as words with blanks between, and no text that a spreadsheet takes for a formula."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    if pa.types.is_list(column.type):
        column = pc.binary_join(column, " ")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        odd = pc.match_substring_regex(column, _FORMULA)
        if pc.any(odd, min_count=0).as_py():
            column = pc.if_else(odd, pc.binary_join_element_wise("'", column, ""), column)
    return column


# ---------------------------------------------------------------- the whole
def assemble(form: str, parts: Sequence[Path], schema: pa.Schema, target: Path) -> None:
    """Write a file of all parts in their order."""
    if form in {"csv", "jsonl"}:
        with target.open("wb") as file:
            if form == "csv":
                file.write(",".join(f'"{name}"' for name in schema.names).encode() + b"\n")
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
    elif form == "xlsx":
        _workbook(parts, schema, target)
    elif form == "parquet":
        from pyarrow import parquet  # noqa: PLC0415  an extra

        with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
            for table in _grouped(parts, schema):
                writer.write_table(table)
    else:
        import pyarrow as pa  # noqa: PLC0415  an extra

        with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in _stored(parts):
                writer.write_batch(batch)


def _stored(parts: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415  an extra

    for part in parts:
        with pa.memory_map(str(part)) as mapped, pa.ipc.open_stream(mapped) as stream:
            yield from stream


def _grouped(parts: Sequence[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    import pyarrow as pa  # noqa: PLC0415  an extra

    kept: list[pa.RecordBatch] = []
    for batch in _stored(parts):
        kept.append(batch)
        if sum(one.num_rows for one in kept) >= _GROUP:
            yield pa.Table.from_batches(kept, schema)
            kept = []
    if kept:
        yield pa.Table.from_batches(kept, schema)


def _workbook(parts: Sequence[Path], schema: pa.Schema, target: Path) -> None:
    """Write sheets of up to a million rows; text is text, whatever it begins with."""

    def rows() -> Iterator[list[Any]]:
        for batch in _stored(parts):
            yield from (list(row.values()) for row in batch.to_pylist())

    write_workbook(target, [("Lines", list(schema.names), rows())])


def write_workbook(target: Path, sheets: Sequence[tuple[str, Sequence[str], Iterator[Sequence[Any]]]]) -> None:
    """Write sheets, each with its header; the same rows make the same bytes."""
    import openpyxl  # noqa: PLC0415  an extra
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = openpyxl.Workbook(write_only=True)

    def cell(sheet: Any, value: Any) -> Any:
        if isinstance(value, list):
            value = " ".join(map(str, value))
        if not isinstance(value, str):
            return value
        found = WriteOnlyCell(
            sheet, "".join(letter if letter >= " " or letter in "\t\n" else "\N{REPLACEMENT CHARACTER}" for letter in safe_cell(value))
        )
        found.data_type = "s"
        return found

    for title, header, rows in sheets:
        sheet: Any = None
        for count, row in enumerate(rows):
            if count % _SHEET == 0:
                part = count // _SHEET
                sheet = book.create_sheet(title if part == 0 else f"{title} {part + 1}")
                sheet.freeze_panes = "A2"
                sheet.append(list(header))
            sheet.append([cell(sheet, value) for value in row])
        if sheet is None:
            book.create_sheet(title).append(list(header))
    book.save(target)
    without_clock(target)


def without_clock(path: Path) -> None:
    """Take the clock out of a workbook: the times of its members, and those in its properties."""
    still = path.with_name(f"{path.name}.still")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(still, "w", zipfile.ZIP_DEFLATED) as file:
        for member in source.infolist():
            data = source.open(member)
            plain = zipfile.ZipInfo(member.filename, _EPOCH)
            plain.compress_type = zipfile.ZIP_DEFLATED
            with file.open(plain, "w", force_zip64=True) as out:
                if member.filename == "docProps/core.xml":
                    out.write(_TIMES)
                else:
                    shutil.copyfileobj(data, out, 1 << 20)
    still.replace(path)


_TIMES: Final = b'<?xml version="1.0" encoding="UTF-8"?><cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'


# ---------------------------------------------------------------- rows that are told
def cells_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return rows as CSV without a header; no cell is a formula."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[_shown(cell) for cell in row] for row in rows])
    return text.getvalue().encode("utf-8", "replace")


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | float):
        return str(value)
    return safe_cell(value)
