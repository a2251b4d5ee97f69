"""Rows out, in the format that the name of the file asks for: parts as they are made."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tariff_engine.problems import refuse
from tariff_service.bulk.rendering import formula_like, write_json_rows, write_sheet_rows
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
_FORMULA: Final = frozenset("=+-@\t\r")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a ZIP file knows no earlier time


def format_of(path: Path, option: str) -> str:
    """Return the format that a name asks for. Raises ProblemError `unknown_format`."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise refuse("unknown_format", option, f"{path.name[:100]} names no format", f"end it in one of {', '.join(FORMATS)}")
    return found


# ---------------------------------------------------------------- parts
def write_part(form: str, batch: pa.RecordBatch, file: BinaryIO) -> None:
    """Write the rows of one part."""
    if form == "csv":
        _csv_part(batch, file)
    elif form == "jsonl":
        write_json_rows(batch, file)
    elif form == "xlsx":
        write_sheet_rows(batch, file)
    else:
        import pyarrow as pa  # noqa: PLC0415  an extra

        packed = pa.ipc.IpcWriteOptions(compression="lz4" if pa.Codec.is_available("lz4") else None, use_threads=False)
        with pa.ipc.new_stream(file, batch.schema, options=packed) as writer:
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
        odd = formula_like(column)
        if pc.any(odd, min_count=0).as_py():
            column = pc.if_else(odd, pc.binary_join_element_wise("'", column, ""), column)
    return column


# ---------------------------------------------------------------- workbooks
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
    if value.__class__ is str:
        return f"'{value}" if value[:1] in _FORMULA and value else value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | float):
        return str(value)
    return safe_cell(value)
