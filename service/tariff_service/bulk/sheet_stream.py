"""Rows of a sheet, quickly: its XML is read in steps by one pattern, as long as it is as plain as programs write it.

Whatever the pattern does not cover is left to openpyxl from the next row on: formulas, text in several fonts, other orders of attributes. Both
readers say the same of the rows that both can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Any, Final

from tariff_service.refund_files import sheet_rows

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

_STEP: Final = 1 << 20
_LONGEST: Final = 8 << 20  # bytes of a row
_START, _END, _ROW_END = b"<sheetData>", b"</sheetData>", b"</row>"
_CELLS: Final = re.compile(
    rb'<row r="([0-9]{1,7})"[^<>]*>'
    rb'|<c r="([A-Z]{1,3})[0-9]{1,7}"(?: s="([0-9]{1,6})")?(?: t="([a-zA-Z]{1,9})")?'
    rb"(?: ?/>|>(?:<v>([^<>]+)</v>|<is><t(?: xml:space=\"preserve\")?(?:>([^<>]*)</t>| ?/>)</is>)?</c>)"
)
_ENTITY: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_NUMBER: Final = re.compile(rb"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?")
_PLAIN = b""  # a cell that names no type holds a number


class _IrregularError(Exception):
    """The text is not as plain as the pattern needs it."""


def quick_rows(book: Workbook, name: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows of a sheet with their numbers, as `sheet_rows` does; rows that are not there are left out. Raises ProblemError."""
    last = 0
    try:
        for number, cells in _stream(book, name):
            yield number, cells
            last = number
    except (_IrregularError, ValueError, KeyError, IndexError, OverflowError, AttributeError, UnicodeError):
        for number, cells in sheet_rows(book, name):
            if number > last:
                yield number, cells


def _stream(book: Any, name: str) -> Iterator[tuple[int, list[Any]]]:
    sheet = book[name]
    reader = _Cells(book, sheet._shared_strings)  # noqa: SLF001  what openpyxl read of the workbook, which has no public name
    last = 0
    with book._archive.open(sheet._worksheet_path) as file:  # noqa: SLF001
        data = _begun(file)
        while True:
            end = data.find(_END)
            last_step = end >= 0
            cut = end if last_step else data.rfind(_ROW_END) + len(_ROW_END)
            if cut >= len(_ROW_END):
                for number, cells in reader.rows(data[:cut]):
                    if number <= last:
                        raise _IrregularError
                    yield number, cells
                    last = number
                data = data[cut:]
            if last_step:
                return
            step = file.read(_STEP)
            data += step
            if not step or len(data) > _LONGEST:
                raise _IrregularError


def _begun(file: Any) -> bytes:
    """Return what was read behind the start of the rows."""
    data: bytes = file.read(_STEP)
    head, found, rest = data.partition(_START)
    encoding = re.search(rb"<\?xml[^>]*encoding=[\"']([^\"']*)", head)
    if not found or (encoding and encoding.group(1).lower() != b"utf-8") or b"<!" in head:
        raise _IrregularError
    return rest


class _Cells:
    """Reads the cells of one sheet."""

    def __init__(self, book: Any, strings: Any) -> None:
        self._strings = strings
        self._days, self._spans, self._epoch = book._date_formats, book._timedelta_formats, book.epoch  # noqa: SLF001
        self._styles: dict[bytes, bool] = {b"": False}
        self._columns: dict[bytes, int] = {}
        self._known: dict[tuple[bytes, bytes], Any] = {}

    def rows(self, data: bytes) -> Iterator[tuple[int, list[Any]]]:
        """Yield the rows of a text that begins and ends between rows. Raises _IrregularError before the first if it is not all plain."""
        found = _CELLS.findall(data)
        tags = data.count(b"<c ") + data.count(b"<row ")
        if tags != len(found) or data.count(b"<c>") or data.count(b"<row>") or b"\r" in data or b"<!" in data or b"<f" in data:
            raise _IrregularError
        if b"&" in data and _ENTITY.search(data):
            raise _IrregularError
        made: list[tuple[int, list[Any]]] = []
        cells: list[Any] = []
        for row, letters, style, kind, value, text in found:
            if row:
                cells = []
                made.append((int(row), cells))
                continue
            place = self._columns.get(letters)
            if place is None:
                place = self._columns[letters] = _place(letters)
            if place != len(cells):
                if place < len(cells):
                    raise _IrregularError
                cells.extend([None] * (place - len(cells)))
            if kind == b"inlineStr":
                cells.append(unescape(text.decode()) if b"&" in text else text.decode())
            elif not value:
                cells.append(None)
            else:
                cells.append(self._value(value, style, kind))
        yield from made

    def _value(self, value: bytes, style: bytes, kind: bytes) -> Any:
        if kind == b"s":
            return self._strings[int(value)]
        if kind in {_PLAIN, b"n"}:
            day = self._styles.get(style)
            if day is None:
                day = self._styles[style] = int(style) in self._days or int(style) in self._spans
            return self._day(value, style) if day else _number(value)
        if kind == b"b":
            return bool(int(value))
        if kind in {b"str", b"e"}:
            return unescape(value.decode())
        raise _IrregularError

    def _day(self, value: bytes, style: bytes) -> Any:
        from openpyxl.utils.datetime import from_excel  # noqa: PLC0415  an extra

        known = self._known.get((value, style))
        if known is None:
            known = from_excel(_number(value), self._epoch, timedelta=int(style) in self._spans)
            if len(self._known) < _STEP:
                self._known[value, style] = known
        return known


def _number(value: bytes) -> int | float:
    if not _NUMBER.fullmatch(value):
        raise _IrregularError
    return float(value) if b"." in value or b"e" in value or b"E" in value else int(value)


def _place(letters: bytes) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + letter - 64
    return found - 1
