"""Columns of an Arrow stream as facts: which types can state a fact exactly, and one row of them as the JSON of a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import refuse

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_WIDEST = 76  # digits of the widest decimal
_DEEPEST = 4  # lists and maps inside each other; a list of cases has two


class TooLarge(Exception):  # noqa: N818  it ends the reading of a row
    """A row has more than may be read."""


class Room:
    """How much more may be read of a row: what a few bytes stand for is bounded by what a row of JSON could have stated."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        """Take the bytes."""
        self.left = left

    def take(self, count: int) -> None:
        """Use room. Raises TooLarge."""
        self.left -= count
        if self.left < 0:
            raise TooLarge


Read = Callable[[Any, Room], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: how to read a value of it, or why none can be."""

    name: str
    read: Read | None = None
    code: str = ""
    detail: str = ""
    fix: str = ""


def columns_of(schema: pa.Schema) -> list[Column]:
    """Return the columns of a schema."""
    return [_column(field) for field in schema]


def row_of(place: int, columns: Sequence[Column], arrays: Sequence[pa.Array], most: int) -> dict[str, Any] | None:
    """Return what a row states, as plain JSON values; None if it is too large. Nulls are not stated. Raises ProblemError."""
    found: dict[str, Any] = {}
    room = Room(most)
    for column, array in zip(columns, arrays, strict=True):
        value = array[place]
        if column.read is None or not value.is_valid:
            continue
        try:
            found[column.name] = column.read(value, room)
        except TooLarge:
            return None
        except (ValueError, ArithmeticError):  # days beyond the year 9999, numbers that do not fit their type
            message = f"{column.name} holds a value that cannot be written"
            raise refuse("out_of_range", column.name, message, "send a day of the common calendar, or a number of its type") from None
    return found


def _column(field: pa.Field) -> Column:
    import pyarrow as pa  # noqa: PLC0415  an optional extra

    name = field.name
    if pa.types.is_null(field.type):
        return Column(name)
    if _has_float(field.type):
        message = f"the column {name[:60]} is of binary floats, which cannot state money exactly"
        return Column(name, code="inexact_number", detail=message, fix="cast it to decimal128(18, 2), or to text")
    read = _reader(field.type, 0)
    if read is None:
        fix = "columns are text, integers, decimals, booleans, days (date32), dictionaries of these, lists, structs and maps"
        return Column(name, code="wrong_type", detail=f"the column {name[:60]} is of the type {str(field.type)[:100]}", fix=fix)
    return Column(name, read)


def _has_float(kind: pa.DataType) -> bool:
    import pyarrow as pa  # noqa: PLC0415  an optional extra

    if pa.types.is_dictionary(kind):
        return _has_float(kind.value_type)
    return pa.types.is_floating(kind) or any(_has_float(kind.field(place).type) for place in range(kind.num_fields))


def _reader(kind: pa.DataType, depth: int) -> Read | None:
    """Return how to read a value of a type that is not null; None for a type that states no fact."""
    import pyarrow as pa  # noqa: PLC0415  an optional extra

    types = pa.types
    if depth > _DEEPEST:
        return None
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _text
    if types.is_integer(kind) or types.is_boolean(kind):
        return _small
    if types.is_decimal(kind):
        return _decimal if abs(kind.scale) <= _WIDEST else None  # written out, another would have more zeros than memory holds
    if types.is_date(kind):
        return _day
    if types.is_dictionary(kind) and depth == 0:
        return _through(_reader(kind.value_type, _DEEPEST), lambda value, room, read: _inside(value.value, room, read))  # plain values only
    if types.is_list(kind) or types.is_large_list(kind):
        return _through(_reader(kind.value_type, depth + 1), _list)
    if types.is_map(kind):
        return _through(_reader(kind.item_type, depth + 1), _map) if _reader(kind.key_type, _DEEPEST) is _text else None
    if types.is_struct(kind) and kind.num_fields:
        fields = [(one.name, _reader(one.type, depth + 1)) for one in kind]
        known = {name: read for name, read in fields if read is not None}
        return None if len(known) < len(fields) else lambda value, room: _struct(value, room, known)
    return None


def _through(inner: Read | None, read: Callable[[Any, Room, Read], Any]) -> Read | None:
    """Return how to read a value around values of another type, if those can be read."""
    return None if inner is None else lambda value, room: read(value, room, inner)


def _inside(value: Any, room: Room, read: Read) -> Any:
    return read(value, room) if value.is_valid else None


def _text(value: Any, room: Room) -> str:
    room.take(value.as_buffer().size + 2)
    found: str = value.as_py()
    return found


def _small(value: Any, room: Room) -> Any:
    room.take(1)
    return value.as_py()


def _decimal(value: Any, room: Room) -> str:
    room.take(1)
    return f"{value.as_py():f}"


def _day(value: Any, room: Room) -> str:
    room.take(10)
    found: str = value.as_py().isoformat()
    return found


def _list(value: Any, room: Room, read: Read) -> list[Any]:
    items = value.values
    room.take(2 * len(items))
    return [_inside(item, room, read) for item in items]


def _map(value: Any, room: Room, read: Read) -> dict[str, Any]:
    pairs = value.values
    room.take(5 * len(pairs))
    found: dict[str, Any] = {}
    for pair in pairs:
        name = _text(pair[0], room)
        if name in found:
            raise refuse("duplicate_key", name[:60], f"the key {name[:60]} stands twice in one map", "state it once")
        if pair[1].is_valid:
            found[name] = read(pair[1], room)
    return found


def _struct(value: Any, room: Room, fields: dict[str, Read]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, read in fields.items():
        room.take(len(name) + 4)
        inner = value[name]
        if inner.is_valid:
            found[name] = read(inner, room)
    return found
