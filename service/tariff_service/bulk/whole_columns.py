"""Columns whose cells are all plain, read at once: typed ones as they are, text as exact numbers or as it is. None where a cell is not plain."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from tariff_service.bulk.row_tables import Objects

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

SCALES: Final = (2, 6, 12)  # decimals of a number; the first that holds all of a column is taken
DIGITS: Final = 38
NUMBERS: Final = frozenset({"usd", "number", "pct"})
_EPOCH: Final = 719_163  # the day from which Arrow counts days, as `date.toordinal` counts it
_CENTS: Final = 10**15  # beyond these a double is not sure of its cents (IEEE 754, binary64: 15 digits)


# ---------------------------------------------------------------- columns with a type
def typed_column(column: pa.Array, kind: str) -> pa.Array | None:
    """Return a column of whole numbers, decimals, days or booleans as what it stands for; None where its cells must be looked at."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    types = pa.types
    if types.is_boolean(column.type):
        return column if kind == "bool" else None
    if types.is_date(column.type):
        days = pc.min_max(column.cast(pa.int32())).as_py()
        first, last = (day.toordinal() - _EPOCH for day in (date.min, date.max))
        common = days["min"] is None or (first <= days["min"] and days["max"] <= last)
        return column if kind == "date" and common else None
    if kind not in NUMBERS or (pc.min(column).as_py() or 0) < 0:
        return None
    return _decimals(column)


def _decimals(column: pa.Array) -> pa.Array | None:
    import pyarrow as pa  # noqa: PLC0415  an extra

    for scale in SCALES:
        try:
            return column.cast(pa.decimal128(DIGITS, scale))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return None


def typed_objects(cells: Objects, kind: str) -> pa.Array | None:
    """Return cells of a workbook or of JSON as a column, where they are all alike; None where they are not."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    kinds = cells.kinds()
    if kinds == {str}:
        return pa.array(cells.values, pa.string())
    if kind in NUMBERS and kinds and kinds <= {int, float}:
        return _cents(cells.values)
    if kind == "date" and kinds and kinds <= {date, datetime}:
        return pa.array([None if value is None else date(value.year, value.month, value.day) for value in cells.values], pa.date32())
    return pa.array(cells.values, pa.bool_()) if kind == "bool" and kinds == {bool} else None


def _cents(values: list[Any]) -> pa.Array | None:
    """Return doubles and whole numbers as dollars and cents, where that is what each prints as; else None.

    The double that is nearest to so many hundredths is theirs alone up to 15 digits, so that it prints as them.
    """
    import numpy as np  # noqa: PLC0415  an extra
    import pyarrow as pa  # noqa: PLC0415  an extra

    try:
        found = np.array([0.0 if value is None else value for value in values], np.float64)
    except OverflowError:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        cents = np.rint(found * 100)
        if np.signbit(found).any() or not ((cents < _CENTS) & (cents / 100 == found)).all():
            return None
    wide = np.zeros((len(found), 2), "<i8")
    wide[:, 0] = cents
    valid = pa.array([value is not None for value in values]).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(DIGITS, SCALES[0]), len(found), [valid, pa.py_buffer(wide)])


# ---------------------------------------------------------------- columns of text
def _letters(column: pa.Array) -> np.ndarray[Any, Any]:
    """Return every byte of a column of text."""
    import numpy as np  # noqa: PLC0415  an extra

    _, offsets, data = column.buffers()
    if data is None:
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def _only(letters: np.ndarray[Any, Any], allowed: bytes) -> bool:
    import numpy as np  # noqa: PLC0415  an extra

    table = np.zeros(256, bool)
    table[np.frombuffer(allowed, np.uint8)] = True
    return bool(table[letters].all())


def plain_numbers(column: pa.Array) -> pa.Array | None:
    """Return a column of plain numbers as decimals: digits with a point, or with dollar signs and commas between thousands; else None."""
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    letters = _letters(column)
    if not _only(letters, b"0123456789."):
        if not _only(letters, b"0123456789.,$"):
            return None
        if not pc.all(pc.match_substring_regex(column, r"^\$?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?$"), min_count=0).as_py():
            return None
        column = pc.replace_substring_regex(column, r"[$,]", "")
    return _decimals(column)


def clean_text(column: pa.Array) -> bool:
    """Whether no cell begins or ends with a blank, is a formula, or is too long."""
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    if not len(column) or column.null_count == len(column):
        return True
    letters = _letters(column)
    if letters.min() <= 32 or letters.max() >= 127 or (letters == 61).any():  # noqa: PLR2004  a blank, what may be one, an equals sign
        return False
    return bool(pc.max(pc.binary_length(column)).as_py() <= 200)  # noqa: PLR2004  letters of an id
