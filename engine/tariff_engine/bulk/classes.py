"""What programs see of products, origins and days, as classes: what falls together in one class is the same to every program.

A class is a key and no answer. It tells which lines the engine cannot tell apart; one of them is shown to the engine, for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from numpy.typing import NDArray

    from tariff_engine.compiled.form import CompiledProgram
    from tariff_engine.compiled.situation import Situations

    Numbers = NDArray[np.int64]
    Small = NDArray[np.int32]

_FIRST = 64  # rows of a grid at first


class Kept:
    """Different contents by number."""

    def __init__(self) -> None:
        """Begin with none."""
        self.contents: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.contents)

    def number(self, content: Hashable) -> int:
        """Return the number of a content, a new one where it was not met."""
        found = self._numbers.setdefault(content, len(self.contents))
        if found == len(self.contents):
            self.contents.append(content)
        return found


class Projected:
    """A number for each of some contents, or several, as an array that follows as contents are added. What a content has stays so."""

    def __init__(self, contents: Sequence[Any], number: Callable[[Any], Any]) -> None:
        """Take contents, the first of which may still be to come, and what each has."""
        self._contents, self._number = contents, number
        self._numbers = np.zeros(0, dtype=np.int64)

    def at(self, codes: Numbers) -> Numbers:
        """Return the numbers of the contents at some places."""
        met = len(self._numbers)
        if len(self._contents) > met:
            new = np.array([self._number(content) for content in self._contents[met:]], dtype=np.int64)
            self._numbers = np.concatenate([self._numbers, new]) if met else new
        return self._numbers[codes]


class Grid:
    """Numbers by two small numbers, -1 where there is none yet; it grows as they do."""

    def __init__(self, columns: int = _FIRST) -> None:
        """Begin with nothing in it."""
        self.cells = np.full((_FIRST, columns), -1, dtype=np.int32)

    def fit(self, rows: int, columns: int) -> None:
        """Make room for so many rows and columns."""
        had = self.cells.shape
        if rows > had[0] or columns > had[1]:
            grown = np.full((max(had[0], _room(rows, had[0])), _room(columns, had[1])), -1, dtype=np.int32)
            grown[: had[0], : had[1]] = self.cells
            self.cells = grown

    def find(self, rows: Numbers | Small, columns: Numbers | Small) -> tuple[Numbers, Numbers]:
        """Return the numbers at some places, and which of these places to fill: one for each cell that is empty."""
        found = self.cells[rows, columns].astype(np.int64)
        missing = np.flatnonzero(found < 0)
        if not len(missing):
            return found, missing
        _, first = np.unique(rows[missing].astype(np.int64) * self.cells.shape[1] + columns[missing], return_index=True)
        return found, missing[first]


def _room(wanted: int, had: int) -> int:
    return had if wanted <= had else max(wanted, 2 * had)


class Days:
    """Intervals of days: what the book has in force in each, for every program."""

    def __init__(self, situations: Situations) -> None:
        """Take the situations of a book."""
        book = situations.book
        self._situations, self._book = situations, book
        self._seen: list[Kept] = [Kept() for _ in book.programs]
        # of rows by product a product tells which are in force, of rows by origin an origin: what is left is the window for goods in transit
        self._by_product = [
            [
                row
                for place in program.provisions
                if book.provisions[place].by_hts
                for kept in book.families.get(place, {}).values()
                for row in kept
            ]
            for program in book.programs
        ]
        self._of: dict[int, tuple[tuple[int, ...], int]] = {}

    def of(self, interval: int) -> tuple[tuple[int, ...], int]:
        """Return for each program the number of what is in force in an interval, and the number of the order in which headings are filed."""
        found = self._of.get(interval)
        if found is None:
            day = self._situations.first_day(interval)
            numbers = tuple(
                seen.number(self._program(program, interval)) for program, seen in zip(self._book.programs, self._seen, strict=True)
            )
            filing = sum(start <= day for start, _ in self._book.filing)
            found = self._of[interval] = numbers, filing
        return found

    def _program(self, program: CompiledProgram, interval: int) -> tuple[Any, ...]:
        book, day = self._book, self._situations.first_day(interval)
        provisions = [book.provisions[place] for place in program.provisions]
        steps = tuple(id(self._situations.effect(provision, interval, interval)) for provision in provisions)
        dated = [edge for provision in provisions for edge in (*provision.unless, *provision.relations)]
        return (
            steps,
            tuple(edge.start <= day < edge.end for edge in dated),
            tuple(group.start <= day < group.end for group in program.groups),
            tuple(offset.start <= day < offset.end for offset in program.offsets),
            tuple(day < row.entered_before for row in self._by_product[program.index]),
        )


class Products:
    """Classes of product numbers in intervals of days."""

    def __init__(self, situations: Situations) -> None:
        """Take the situations of a book."""
        self._situations, self._book = situations, situations.book
        self._profiles, self._samples = Kept(), list[str]()
        self._grid = Grid(len(self._book.bounds) + 1)
        self.classes = Kept()
        """By class: the static bits, and for each table of rows by product the rows that a number meets."""

    def profile(self, hts: str) -> int:
        """Return the number of all that the law ever says of a product number."""
        listed = self._situations.tables.listed(hts)
        number = self._profiles.number((listed.marks, tuple(id(row) for rows in listed.rows.values() for row in rows)))
        if number == len(self._samples):
            self._samples.append(hts)
        return number

    def find(self, profiles: Numbers, intervals: Numbers) -> Numbers:
        """Return the class of each product in each interval."""
        self._grid.fit(len(self._samples), 0)
        found, empty = self._grid.find(profiles, intervals)
        for place in empty.tolist():
            profile, interval = int(profiles[place]), int(intervals[place])
            day, bits = self._situations.first_day(interval), self._situations.product_bits_of(interval, self._samples[profile])
            tables = self._situations.tables.listed(self._samples[profile]).rows
            in_force = ((place, tuple(id(row) for row in rows if row.start <= day < row.end)) for place, rows in tables.items())
            met = tuple(one for one in in_force if one[1])
            self._grid.cells[profile, interval] = self.classes.number((bits, met))
        return self._grid.cells[profiles, intervals].astype(np.int64) if len(empty) else found


class Origins:
    """Classes of origins in intervals of days. A class is of one interval."""

    def __init__(self, situations: Situations) -> None:
        """Take the situations of a book."""
        self._situations, self._book = situations, situations.book
        self._tokens = {
            place: frozenset(token for key, kept in rows.items() for token in (key, *(row.origin for row in kept)))
            for place, rows in self._book.families.items()
        }
        self._groups = frozenset(token for tokens in self._tokens.values() for token in tokens if token.startswith("group:"))
        self._grid = Grid(len(self._book.bounds) + 1)
        self.classes = Kept()
        """By class: the interval, the static bits, and for each table of rows what an origin has to do with it."""

    def find(self, codes: Numbers, intervals: Numbers, names: Iterable[str]) -> Numbers:
        """Return the class of each origin, given as a code, in each interval; `names` are the origins by code."""
        known = list(names)
        self._grid.fit(len(known), 0)
        found, empty = self._grid.find(codes, intervals)
        for place in empty.tolist():
            code, interval = int(codes[place]), int(intervals[place])
            self._grid.cells[code, interval] = self.classes.number(self._class(known[code], interval))
        return self._grid.cells[codes, intervals].astype(np.int64) if len(empty) else found

    def _class(self, origin: str, interval: int) -> tuple[Any, ...]:
        situations, day = self._situations, self._situations.first_day(interval)
        groups = frozenset(group for group in self._groups if situations.tables.in_group(group, origin, day))
        fits = {"*", origin, *groups}
        named = {place: self._rows(place, tokens & fits, day) for place, tokens in self._tokens.items()}
        return interval, situations.origin_bits_of(interval, origin), tuple(named.items())

    def _rows(self, place: int, tokens: frozenset[str], day: int) -> Hashable:
        """Return the rows for an origin that are in force; of a table by product, where the product tells them, what an origin is in it."""
        if self._book.provisions[place].by_hts:
            return tokens
        rows = self._book.families[place]
        return tuple(
            (id(row), day < row.entered_before)
            for key in sorted(tokens)
            for row in rows.get(key, ())
            if row.start <= day < row.end and row.origin in tokens
        )
