"""Product and country lists: CSV files whose codes stand exactly at the digits that the law prints."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from tariff_engine.problems import RulebookError

_CODE_LENGTHS = frozenset({2, 4, 6, 8, 10})
_RESERVED = frozenset({"hts", "except", "from", "until", "by", "withdrawn_by"})
_COLUMN = re.compile(r"[a-z][a-z0-9_]*\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """One dated row of a list: a product code (or an origin) and whatever else its columns say. `number` is its line in the file."""

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
        rows = self.rows
        for column, values in wanted:
            rows = [row for row in rows if (row.hts if column == "hts" else row.cells.get(column, "")) in values]
        return Table(name, self.columns, rows)


def read_table(path: str, text: str) -> Table:
    """Read one CSV list. Raises RulebookError: a line `file:line: column: what to write instead` for each bad code, date or row."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = tuple(next(lines, []))
        unnamed = next((name for name in columns if not _COLUMN.match(name)), None)
        if not columns or unnamed is not None or len(set(columns)) != len(columns):
            found = f"; {unnamed!r} is no name" if unnamed is not None else ""
            message = f"{path}:1: header: name every column once, in small letters, digits and _{found}"
            raise RulebookError(message)
        reader = _Reader(path, columns)
        rows = [reader.row(lines.line_num, cells) for cells in lines if cells]
    except csv.Error as error:
        message = f"{path}:{lines.line_num}: row: not CSV: {error}; a cell with a comma or a quote in it stands in quotes"
        raise RulebookError(message) from None
    if reader.problems:
        raise RulebookError("\n".join(reader.problems))
    return Table(path.rsplit("/", 1)[-1].removesuffix(".csv"), columns, rows)


class _Reader:
    """Reads the rows of one list and collects what is wrong with them."""

    def __init__(self, path: str, columns: tuple[str, ...]) -> None:
        self.path, self.width, self.problems = path, len(columns), list[str]()
        self.place = {name: columns.index(name) if name in columns else -1 for name in _RESERVED}
        self.rest = [(name, place) for place, name in enumerate(columns) if name not in _RESERVED]
        self.days: dict[str, date | None] = {"": None}

    def row(self, number: int, cells: list[str]) -> Row:
        if len(cells) != self.width:
            words = f"{len(cells)} cells where the header names {self.width} columns; a cell with a comma in it stands in quotes"
            self._report(number, "row", words)
            cells = (cells + [""] * self.width)[: self.width]
        cells.append("")  # what a list without the column says
        place = self.place
        hts, cut = cells[place["hts"]], cells[place["except"]]
        excepted = tuple(cut.split("|")) if cut else ()
        if place["hts"] >= 0:
            for code in (hts, *excepted):
                if len(code) not in _CODE_LENGTHS or not code.isdigit() or not code.isascii():
                    self._report(number, "hts", f"{code!r} is no code; write 2, 4, 6, 8 or 10 digits without dots, leading zeros too")
        start = self._day(number, "from", cells[place["from"]]) or date.min
        end = self._day(number, "until", cells[place["until"]]) or date.max
        if end <= start:
            self._report(
                number, "until", f"{end} must be after from {start}: the row stands from its first day up to the day before `until`"
            )
        rest = {name: cells[column] for name, column in self.rest}
        return Row(number, hts, excepted, start, end, cells[place["by"]], cells[place["withdrawn_by"]], rest)

    def _day(self, number: int, column: str, text: str) -> date | None:
        if text in self.days:
            return self.days[text]
        try:
            found = date.fromisoformat(text) if _DAY.match(text) else None
        except ValueError:
            found = None
        if found is None:
            self._report(number, column, f"{text!r} is no day such as 2025-03-04")
            return None
        self.days[text] = found
        return found

    def _report(self, number: int, column: str, words: str) -> None:
        self.problems.append(f"{self.path}:{number}: {column}: {words}")
