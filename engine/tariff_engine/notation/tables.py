"""Product and country lists: CSV files whose codes stand exactly at the digits that the law prints."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from tariff_engine.problems import RulebookError

_CODE_LENGTHS = frozenset({2, 4, 6, 8, 10})
_RESERVED = frozenset({"hts", "except", "from", "until", "by", "withdrawn_by"})


@dataclass(frozen=True, slots=True)
class Row:
    """One dated row of a list: a product code (or an origin) and whatever else its columns say."""

    number: int
    hts: str
    excepted: tuple[str, ...]
    from_: date
    until: date
    by: str
    withdrawn_by: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """Return a cell; a column that the list does not have is empty."""
        return self.cells.get(column, "")

    def holds(self, day: date) -> bool:
        """Whether the row stands on the list on a day."""
        return self.from_ <= day < self.until


@dataclass(slots=True)
class Table:
    """A list, looked up by product prefix (exactly the digits printed)."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    _by_code: dict[str, list[Row]] = field(default_factory=dict)

    def match(self, hts: str) -> Iterator[Row]:
        """Yield the rows whose code begins the number, the longest code first; codes cut out of a row do not match it."""
        if not self._by_code:
            for row in self.rows:
                self._by_code.setdefault(row.hts, []).append(row)
        for size in range(len(hts), 1, -1):
            for row in self._by_code.get(hts[:size], ()):
                if not any(hts.startswith(code) for code in row.excepted):
                    yield row

    def select(self, name: str, wanted: list[tuple[str, frozenset[str]]]) -> Table:
        """Return the rows whose cells are among the wanted values, under a new name."""
        rows = [row for row in self.rows if all((row.hts if column == "hts" else row[column]) in values for column, values in wanted)]
        return Table(name, self.columns, rows)


def read_table(path: str, text: str) -> Table:
    """Read one CSV list. Raises RulebookError with `file:line` for a bad code, date, or column count."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = tuple(next(lines, []))
        if not columns or len(set(columns)) != len(columns):
            message = f"{path}:1: the first line must name every column once"
            raise RulebookError(message)
        rows = [_row(path, number, columns, cells) for number, cells in enumerate(lines, start=2) if cells]
    except csv.Error as error:
        message = f"{path}:{lines.line_num}: {error}"
        raise RulebookError(message) from None
    return Table(path.rsplit("/", 1)[-1].removesuffix(".csv"), columns, rows)


def _row(path: str, number: int, columns: tuple[str, ...], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        message = f"{path}:{number}: {len(cells)} cells where the header names {len(columns)} columns"
        raise RulebookError(message)
    raw = dict(zip(columns, cells, strict=True))
    hts, excepted = raw.get("hts", ""), tuple(filter(None, raw.get("except", "").split("|")))
    for code in (hts, *excepted) if "hts" in raw else ():
        if not code.isascii() or not code.isdigit() or len(code) not in _CODE_LENGTHS:
            message = f"{path}:{number}: hts: {code!r} is no code at 2, 4, 6, 8 or 10 digits"
            raise RulebookError(message)
    start, end = _day(path, number, "from", raw, date.min), _day(path, number, "until", raw, date.max)
    if end <= start:
        message = f"{path}:{number}: until: {end} must be after from {start}: intervals are half open"
        raise RulebookError(message)
    rest = {name: cell for name, cell in raw.items() if name not in _RESERVED}
    return Row(number, hts, excepted, start, end, raw.get("by", ""), raw.get("withdrawn_by", ""), rest)


def _day(path: str, number: int, column: str, raw: dict[str, str], default: date) -> date:
    text = raw.get(column, "")
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{path}:{number}: {column}: {text!r} is no day such as 2025-03-04"
        raise RulebookError(message) from None
