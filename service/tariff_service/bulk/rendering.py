"""Rows as text, whole columns at a time: lines of JSON, and the rows of a sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_AT_ONCE: Final = 20_000  # rows whose text is made at a time
_ESCAPED: Final = '["\\\\\\x00-\\x1f]'  # what JSON writes with a backslash
_FORMULA: Final = "=+-@\t\r"  # a text that a spreadsheet would take for a formula begins so
_CONTROL: Final = "[\\x00-\\x08\\x0b-\\x1f\\x{fffe}\\x{ffff}]"  # what XML 1.0 cannot hold, and carriage returns, which it does not keep
_SERIAL: Final = 25_569  # what a sheet calls the day from which Arrow counts (ECMA-376, part 1, 18.17.4.1)
_FIRST_DAY: Final = 61  # of a sheet; those before it have a leap day that never was


def write_json_rows(batch: pa.RecordBatch, file: BinaryIO) -> None:
    """Write each row as a line of JSON: money and days as text, lists as lists, null where nothing is known."""
    words = [f"{',' if place else '{'}{orjson.dumps(name).decode()}:" for place, name in enumerate(batch.schema.names)]
    _write(batch, file, words, "}\n", _json)


def write_sheet_rows(batch: pa.RecordBatch, file: BinaryIO) -> None:
    """Write each row as a row of a sheet (SpreadsheetML): numbers as numbers, days as days, text as text whatever it begins with."""
    _write(batch, file, ["<row>", *[""] * (batch.num_columns - 1)], "</row>\n", sheet_cells)


def _write(batch: pa.RecordBatch, file: BinaryIO, before: Sequence[str], after: str, text: Callable[[pa.Array], pa.Array]) -> None:
    for start in range(0, batch.num_rows, _AT_ONCE):
        some = batch.slice(start, _AT_ONCE)
        parts = [
            part
            for word, column in zip(before, some.columns, strict=True)
            for part in (word, text(column))
            if not isinstance(part, str) or part
        ]
        file.write(_bytes(_joined(*parts, after)))


def _joined(*parts: Any) -> pa.Array:
    """Return texts put together row by row; null where one of them is."""
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    return pc.binary_join_element_wise(*parts, "")


def _bytes(texts: pa.Array) -> memoryview:
    import numpy as np  # noqa: PLC0415  an extra

    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _plain(column: pa.Array) -> pa.Array:
    """Return numbers and days as text."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    return column.cast(pa.string())


def _distinct(column: pa.Array, text: Callable[[str], str]) -> pa.Array:
    """Return what becomes of a column of text, each distinct text looked at once."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    coded = column.dictionary_encode()
    return pa.array([text(one) for one in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


# ---------------------------------------------------------------- JSON
def _json(column: pa.Array) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    types = pa.types
    if types.is_boolean(column.type) or types.is_integer(column.type):
        found = _plain(column)
    elif types.is_list(column.type):
        first, last = column.offsets[0].as_py(), column.offsets[-1].as_py()
        texts = _json_text(column.values.slice(first, last - first))
        lists = pa.ListArray.from_arrays(pc.subtract(column.offsets, pa.scalar(first, pa.int32())), texts)
        found = pc.if_else(column.is_valid(), _joined("[", pc.binary_join(lists, ","), "]"), None)
    else:
        found = _json_text(column) if types.is_string(column.type) else _joined('"', _plain(column), '"')
    return found.fill_null("null")


def _json_text(column: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    if pc.any(pc.match_substring_regex(column, _ESCAPED), min_count=0).as_py():
        return _distinct(column, lambda text: orjson.dumps(text).decode())
    return _joined('"', column, '"')


# ---------------------------------------------------------------- sheets
def sheet_cells(column: pa.Array) -> pa.Array:
    """Return each cell of a column as it stands in a sheet."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    types = pa.types
    if types.is_list(column.type):
        column = pc.binary_join(column, " ")
    days = pc.add(column.cast(pa.int32()), _SERIAL) if types.is_date(column.type) else None
    if days is not None and (pc.min(days).as_py() or _FIRST_DAY) >= _FIRST_DAY:
        found = _joined('<c s="1"><v>', _plain(days), "</v></c>")
    elif types.is_boolean(column.type):
        found = pc.if_else(column, '<c t="b"><v>1</v></c>', '<c t="b"><v>0</v></c>')
    elif types.is_integer(column.type) or types.is_decimal(column.type):
        found = _joined("<c><v>", _plain(column), "</v></c>")
    else:
        found = _sheet_text(column if types.is_string(column.type) else _plain(column))
    return found.fill_null("<c/>")


def _sheet_text(column: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    if pc.any(formula_like(column), min_count=0).as_py():
        column = pc.if_else(formula_like(column), _joined("'", column), column)
    if pc.any(pc.match_substring_regex(column, "[&<>\\x00-\\x1f\\x{fffe}\\x{ffff}]"), min_count=0).as_py():
        column = pc.replace_substring_regex(column, _CONTROL, "\N{REPLACEMENT CHARACTER}")
        for letter, word in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            column = pc.replace_substring(column, letter, word)
    return _joined('<c t="inlineStr"><is><t xml:space="preserve">', column, "</t></is></c>")


def formula_like(column: pa.Array) -> pa.Array:
    """Return which texts a spreadsheet would take for a formula; null where there is no text."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    return pc.is_in(pc.binary_slice(column.cast(pa.binary()), 0, 1), pa.array([letter.encode() for letter in _FORMULA]))


def header_row(names: Sequence[str]) -> bytes:
    """Return the first row of a sheet."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    return b"<row>" + b"".join(bytes(_bytes(sheet_cells(pa.array([name], pa.string())))) for name in names) + b"</row>\n"


# ---------------------------------------------------------------- a workbook
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET_START: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>\n'
).encode()
ROW_END: Final = b"</row>\n"  # stands in no text of a cell, where "<" is escaped
SHEET_END: Final = b"</sheetData></worksheet>"


def workbook_members(titles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the members of a workbook besides its sheets: their names and their text. Titles hold no markup."""
    numbers = range(1, len(titles) + 1)
    kinds = "".join(f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>' for number in numbers)
    yield (
        "[Content_Types].xml",
        (
            f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>{kinds}</Types>'
        ),
    )
    yield (
        "_rels/.rels",
        (
            f'{_XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>"
        ),
    )
    sheets = "".join(
        f'<sheet name="{title}" sheetId="{number}" r:id="rId{number}"/>' for number, title in zip(numbers, titles, strict=True)
    )
    yield "xl/workbook.xml", f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
    targets = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>' for number in numbers
    )
    styles = f'<Relationship Id="rId{len(titles) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    yield "xl/_rels/workbook.xml.rels", f'{_XML}<Relationships xmlns="{_RELATIONS}">{targets}{styles}</Relationships>'
    yield (
        "xl/styles.xml",
        (
            f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
            '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
            '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
            '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
            '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
            '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
            '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
            '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
        ),
    )
