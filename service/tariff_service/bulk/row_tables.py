"""Rows of an Excel sheet, of JSONL, of Parquet and Arrow files as tables: each row with its cells, each column as one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson

from tariff_engine.problems import Problem, ProblemError, refuse
from tariff_service.bulk.csv_reader import decoded
from tariff_service.bulk.pieces import Note, Piece, Rejected, Table
from tariff_service.reading import decode, parse_json
from tariff_service.rows import MAX_ROW, identity

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_service.bulk.headers import Layout
    from tariff_service.refund_columns import Dictionary

_MOST_KEYS, _MOST_ODD = 2_000, 100  # keys of a file that are looked up, and unknown ones that are told of a piece
_PLAIN: Final = frozenset({str, int, bool, type(None)})  # of values of a row that a parser without decimals reads exactly
_EXACT = 15  # significant digits: a decimal of so many comes back from a double as it went in (IEEE 754, binary64)


@dataclass
class RowReader:
    """Reads pieces that are lists of rows with their cells, as a workbook has them."""

    layout: Layout

    def table(self, piece: Piece) -> Table:
        """Return the rows of a piece as columns."""
        import numpy as np  # noqa: PLC0415  an extra

        width = len(self.layout.columns.headers)
        rows, numbers, rejected = [], [], []
        for number, cells in piece.data:
            if any(cell is not None and str(cell).strip() for cell in cells[width:]):
                problem = Problem("row_too_wide", "row", "the row has more cells than the header", "give every column a header")
                rejected.append(Rejected(number, problem, cells))
            elif any(cell is not None and str(cell).strip() for cell in cells):
                rows.append(cells)
                numbers.append(number)
        columns = {
            place: Objects([row[place] if place < len(row) else None for row in rows])
            for place, target in enumerate(self.layout.columns.targets)
            if target is not None
        }
        return Table(columns, np.array(numbers, dtype=np.int64), rows, rejected)


@dataclass
class JsonReader:
    """Reads pieces of JSONL: each row a map of facts, by their names or by headers that are known."""

    layout: Layout
    dictionary: Dictionary | None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the dictionary behind, which holds the law: another process has its own."""
        return {"layout": self.layout, "dictionary": None}

    def entry_of(self, line: bytes) -> str | None:
        """Return the entry number of a row; None where it cannot be told, and nothing where the line is blank."""
        place = self.layout.entry
        if not line.strip():
            return ""
        try:
            found = None if place is None else _json_row(line, 0).get(self.layout.columns.headers[place])
        except ProblemError:
            return None
        return None if found is None else str(found)

    def table(self, piece: Piece) -> Table:
        """Return the rows of a piece as columns. A key that stands for nothing is told and not read."""
        import numpy as np  # noqa: PLC0415  an extra

        rows: list[Mapping[str, Any]] = []
        raw: list[list[str]] = []
        numbers: list[int] = []
        table = Table({}, np.empty(0, np.int64), raw)
        for number, line in enumerate(piece.data.split(b"\n"), piece.first):
            if not line.strip().removeprefix(b"\xef\xbb\xbf"):
                continue
            try:
                rows.append(_json_row(line, number))
            except ProblemError as error:
                text = decoded(line[:2_000]).lines
                table.rejected.append(Rejected(number, error.problem, text, identity(None, line[:MAX_ROW])))
                continue
            raw.append([line.decode("utf-8", "replace")])
            numbers.append(number)
        table.numbers = np.array(numbers, dtype=np.int64)
        odd: dict[str, int] = {}
        table.columns = {place: Objects(values) for place, values in sorted(self._columns(rows, odd).items())}
        for key, at in odd.items():
            message = f"{key[:60]} stands for no fact and is not read, here or in later rows"
            table.notes.append(Note(numbers[at], None, Problem("column_not_read", key[:60], message)))
        return table

    def _columns(self, rows: Sequence[Mapping[str, Any]], odd: dict[str, int]) -> dict[int, list[Any]]:
        """Return the values by columns, and take down with its first row each key that stands for nothing."""
        found: dict[int, list[Any]] = {}
        places: dict[str, int | None] = {}
        for at, row in enumerate(rows):
            for key, value in row.items():
                place = places[key] if key in places else self._place(key)
                if len(places) < _MOST_KEYS:
                    places[key] = place
                if place is None:
                    if len(odd) < _MOST_ODD:
                        odd.setdefault(key, at)
                elif value is not None:
                    column = found.get(place)
                    if column is None:
                        column = found[place] = [None] * len(rows)
                    column[at] = value
        return found

    def _place(self, key: str) -> int | None:
        """Return the column of a key; the first row that has it makes one."""
        columns = self.layout.columns
        if key not in columns.headers:
            target = self.dictionary.target(key) if self.dictionary and len(columns.headers) < _MOST_KEYS else None
            if target is None:
                return None
            columns.headers.append(key)
            columns.targets.append(None if target in columns.targets else target)
        place = columns.headers.index(key)
        return None if columns.targets[place] is None else place


def _json_row(line: bytes, number: int) -> Mapping[str, Any]:
    if len(line) > MAX_ROW:
        raise refuse("row_too_large", "row", f"the row is larger than {MAX_ROW:,} bytes", "send one shipment line a row")
    plain = _plain_row(line)
    if plain is not None:
        return plain
    value = parse_json(decode(line, f"row {number}"), f"row {number}", "row")
    if not isinstance(value, dict):
        raise refuse("wrong_type", "row", f"a row is a map of facts, not {type(value).__name__}", "send {hts, origin, ...}")
    return value


def _plain_row(line: bytes) -> dict[str, Any] | None:
    """Return a row whose values are texts, whole numbers and yes or no, as the strict reader would; None for any other, which that one reads.

    The quick parser takes the last of two keys that are alike: a row has one colon for each of its keys, or it is not read here.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if isinstance(row, dict) and line.count(b":") == len(row) and _PLAIN.issuperset(map(type, row.values())):
        return row
    return None


@dataclass
class ArrowReader:
    """Reads pieces of Parquet and Arrow files."""

    layout: Layout

    def table(self, piece: Piece) -> Table:
        """Return the rows of a piece as columns: typed where the file has types, exact in any case."""
        import numpy as np  # noqa: PLC0415  an extra
        import pyarrow as pa  # noqa: PLC0415  an extra

        with pa.ipc.open_stream(piece.data) as stream:
            batch = pa.Table.from_batches(list(stream), stream.schema).combine_chunks()
        numbers = np.arange(piece.first, piece.first + batch.num_rows, dtype=np.int64)
        table = Table({}, numbers, _Cells(batch))
        for place, target in enumerate(self.layout.columns.targets):
            if target is not None:
                column = batch.column(place)
                array = column.chunk(0) if column.num_chunks else pa.array([], column.type)
                table.columns[place] = plain_array(array)
        return table


class _Cells(Sequence[list[Any]]):
    """The cells of the rows of a table, taken out only when somebody asks for one."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, place: Any) -> Any:
        return [column[place].as_py() for column in self._table.columns]


def plain_array(array: pa.Array) -> Any:
    """Return an array in a form that cells are read from: text, whole numbers, decimals, yes or no, days; doubles and all others as objects."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    types, kind = pa.types, array.type
    if types.is_dictionary(kind):
        return array if types.is_string(kind.value_type) else plain_array(array.dictionary_decode())
    if types.is_large_string(kind) or types.is_string_view(kind):
        return array.cast(pa.string())
    if types.is_timestamp(kind):
        return array.cast(pa.timestamp("us")).cast(pa.date32())
    if types.is_date(kind):
        return array.cast(pa.date32())
    typed = types.is_string(kind) or types.is_integer(kind) or types.is_boolean(kind) or (types.is_decimal(kind) and kind.scale >= 0)
    return array if typed else Objects(array.to_pylist())


@dataclass(slots=True)
class Objects:
    """Cells of mixed types: what a workbook or JSON has."""

    values: list[Any]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.values)

    def __getitem__(self, place: int) -> Any:
        """Return a cell, as an array would."""
        return _Cell(self.values[place])

    def kinds(self) -> set[type]:
        """Return the types of the cells; those that say nothing have none."""
        return set(map(type, self.values)) - {type(None)}


@dataclass(slots=True)
class _Cell:
    value: Any

    def as_py(self) -> Any:
        return self.value


def exact_float(value: float, name: str) -> Decimal:
    """Return the decimal that a double prints as. Raises ProblemError `inexact_number`: it needs more digits than a double is sure of."""
    found = Decimal(repr(value))
    if not found.is_finite():
        raise refuse("not_a_number", name, f"{name} is {value}", "send a decimal number, or leave the cell empty")
    if len(found.as_tuple().digits) > _EXACT:
        message = f"{name} is a binary float that prints as {value!r}, which cannot be told from its neighbors"
        raise refuse("inexact_number", name, message, "store it as a decimal or as text")
    return found
