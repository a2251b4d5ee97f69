"""Columns of text into columns of facts: whole columns at once where every cell is plain, one distinct text at a time where it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_service.bulk.row_tables import Objects, exact_float
from tariff_service.bulk.whole_columns import DIGITS, NUMBERS, SCALES, clean_text, plain_numbers, typed_column, typed_objects

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_service.refund_columns import Dictionary, Target

_KEPT: Final = 200_000  # distinct texts of a column that are remembered


@dataclass(slots=True)
class Cells:
    """A column of facts, and what was found on the way: problems and notes by the places of their rows."""

    array: pa.Array
    problems: list[tuple[int, Problem]] = field(default_factory=list)
    notes: list[tuple[int, Problem]] = field(default_factory=list)


@dataclass(slots=True)
class _Read:
    value: Any = None
    problem: Problem | None = None
    notes: tuple[Problem, ...] = ()


class Cleaner:
    """Reads the cells of one file. What a text means is remembered, since files repeat themselves."""

    def __init__(self, dictionary: Dictionary, kinds: dict[str, str], dates: str | None = None) -> None:
        """Take the dictionary, the types of facts by their names, and the form of days if the user states one."""
        self._dictionary, self._kinds, self._dates = dictionary, kinds, dates
        self._memory: dict[tuple[str, str], dict[Any, _Read]] = {}

    def kind(self, target: Target) -> str:
        """Return the type of what a column holds."""
        kind, name = target
        if kind == "quantity" or name in {"quantity_1", "quantity_2"}:
            return "number"
        return self._kinds.get(name, "text") if kind == "fact" else "text"

    def read(self, column: pa.Array, target: Target, header: str) -> Cells:
        """Return a column of text as facts; empty cells are null."""
        import pyarrow as pa  # noqa: PLC0415  an extra
        import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  it has no types

        kind = self.kind(target)
        if isinstance(column, Objects):
            alike = typed_objects(column, kind)
            if alike is None:
                return self._objects(column, target, header, kind)
            column = alike
        if not pa.types.is_string(column.type) and not pa.types.is_dictionary(column.type):
            known = typed_column(column, kind)
            if known is not None:
                return Cells(known)
            if pa.types.is_boolean(column.type):
                return self._objects(Objects(column.to_pylist()), target, header, kind)
            column = column.cast(pa.string())
        if pa.types.is_dictionary(column.type) and (kind in NUMBERS or target[0] == "own"):
            column = column.dictionary_decode()
        if pa.types.is_string(column.type):
            if len(column) and pc.min(pc.binary_length(column)).as_py() == 0:
                column = pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.string()), column)
            if kind in NUMBERS:
                plain_ = plain_numbers(column)
                if plain_ is not None:
                    return Cells(plain_)
            elif target[0] == "own" and clean_text(column):
                return Cells(column)
        return self._distinct(column, target, header, kind)

    def _objects(self, column: Objects, target: Target, header: str, kind: str) -> Cells:
        """Read cells of mixed types; what cannot be compared is read each time."""
        values: list[Any] = [None] * len(column)
        found = Cells(None)
        known: dict[Any, _Read] = {}
        for place, value in enumerate(column.values):
            if value is None:
                continue
            if isinstance(value, dict | list):
                read = self.cell(value, target, header)
            else:
                key = (value.__class__, value)
                read = known.get(key) or known.setdefault(key, self.cell(value, target, header))
            values[place] = read.value
            if read.problem is not None:
                found.problems.append((place, read.problem))
            if read.notes:
                found.notes.extend((place, note) for note in read.notes)
        found.array = _array(values, kind)
        return found

    def _distinct(self, column: pa.Array, target: Target, header: str, kind: str) -> Cells:
        import numpy as np  # noqa: PLC0415  an extra
        import pyarrow as pa  # noqa: PLC0415  an extra

        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        memory = self._memory.setdefault(target, {})
        reads = [self._remembered(memory, text, target, header) for text in coded.dictionary.to_pylist()]
        found = Cells(_array([read.value for read in reads], kind).take(coded.indices))
        odd = [read.problem is not None or bool(read.notes) for read in reads]
        if any(odd):
            indices = coded.indices.fill_null(len(reads)).to_numpy(zero_copy_only=False)
            rows = np.flatnonzero(np.array([*odd, False])[indices])
            for row, place in zip(rows.tolist(), indices[rows].tolist(), strict=True):
                read = reads[place]
                if read.problem is not None:
                    found.problems.append((row, read.problem))
                found.notes.extend([(row, note) for note in read.notes])
        return found

    def _remembered(self, memory: dict[Any, _Read], text: Any, target: Target, header: str) -> _Read:
        read = memory.get(text)
        if read is None:
            read = self.cell(text, target, header)
            if len(memory) < _KEPT:
                memory[text] = read
        return read

    def cell(self, value: Any, target: Target, header: str) -> _Read:
        """Read one cell, as the refund view does."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return _Read()
        notes: list[Problem] = []
        kind = self.kind(target)
        try:
            if isinstance(value, float) and (kind in NUMBERS or not isfinite(value)):
                value = exact_float(value, target[1])
            if isinstance(value, dict | list):
                return _Read(_structured(value, kind, target[1]))
            if kind == "date" and self._dates in {"day_first", "digits"} and isinstance(value, str):
                return _Read(_stated_day(value.strip(), self._dates, target[1]))
            found = self._dictionary.read_cell(target, value, header, notes)
            return _Read(_as_kind(found, kind, target[1]), None, tuple(notes))
        except ProblemError as error:
            return _Read(None, error.problem)


def _structured(value: Any, kind: str, name: str) -> Any:
    """Read a map of quantities or a list, as JSON states them; their members are texts, so that numbers stay exact."""
    if kind == "map" and isinstance(value, dict) and all(isinstance(one, int | Decimal | str) for one in value.values()):
        return [(str(key), str(one)) for key, one in value.items()]
    if kind == "list" and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    if kind == "cases" and isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return [[(str(key), str(one)) for key, one in case.items()] for case in value]
    raise refuse("wrong_type", name, f"{name} is {str(value)[:60]}", "see `tariff rules facts` for what it can be")


def _stated_day(text: str, form: str, name: str) -> date:
    """Read a day in the form that the mapping file states."""
    try:
        if form == "digits":
            return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  a day has no zone
        day, month, year = text.replace(".", "/").replace("-", "/").split("/")
        return date(int(year), int(month), int(day))
    except ValueError:
        raise refuse("wrong_type", name, f"{name} is {text[:60]!r}, no day in the form of the mapping file", "send YYYY-MM-DD") from None


def _as_kind(value: Any, kind: str, name: str) -> Any:
    if kind in NUMBERS:
        found = Decimal(value)
        _, digits, exponent = found.as_tuple()
        if not isinstance(exponent, int) or -exponent > SCALES[-1] or len(digits) + exponent > DIGITS - SCALES[-1]:
            raise refuse("out_of_range", name, f"{name} is {str(value)[:60]}, more digits than are read", "send a smaller number")
        return found
    if kind == "date" and isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) == 10 else _no_day(value, name)  # noqa: PLR2004  YYYY-MM-DD
        except ValueError:
            return _no_day(value, name)
    return value


def _no_day(value: str, name: str) -> Any:
    raise refuse("wrong_type", name, f"{name} is {value[:60]!r}, no day", "send YYYY-MM-DD or MM/DD/YYYY")


def _array(values: list[Any], kind: str) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415  an extra

    if kind in NUMBERS:
        scale = max((-value.as_tuple().exponent for value in values if value is not None), default=0)
        return pa.array(values, pa.decimal128(DIGITS, next(one for one in SCALES if one >= scale)))
    if kind == "date":
        return pa.array(values, pa.date32())
    if kind == "bool":
        return pa.array(values, pa.bool_())
    if kind == "list":
        return pa.array(values, pa.list_(pa.string()))
    if kind == "map":
        return pa.array(values, pa.map_(pa.string(), pa.string()))
    if kind == "cases":
        return pa.array(values, pa.list_(pa.map_(pa.string(), pa.string())))
    return pa.array(values, pa.string())
