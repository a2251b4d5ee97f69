"""A table of rates over several years: for each eight-digit number the spans of days in which it bore one set of rates.

Kept as text and read number by number when asked: a process needs few of the thousands of rows, and text pickles small and fast.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

Row: TypeAlias = tuple[str, str, str, str]
"""Units, general, special, column 2, as printed; empty where the row prints nothing."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days [`starts`, `until`) in which a number bore the rates of `row`; `until` None: to the end of the table.

    `doubts` are the symbols, parted by ";", whose rates on these days stand in no table: the special text is that of the days before.
    """

    starts: date
    until: date | None
    row: Row
    doubts: str

    def covers(self, day: date) -> bool:
        """Whether a day lies in the span."""
        return self.starts <= day and (self.until is None or day < self.until)


class DatedTable:
    """The rows of a dated table by code. Built by `schedule_files`."""

    def __init__(self, rows: dict[str, str], specials: dict[str, str]) -> None:
        """Take for each code its spans, a line each, with tabs between the cells; and the special texts by their keys."""
        self._rows = rows
        self._specials = specials
        self._codes = sorted(rows)
        self._read: dict[str, tuple[Span, ...]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was read behind: it is read again on use."""
        return {"rows": self._rows, "specials": self._specials}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Start with nothing read."""
        self.__init__(**state)  # type: ignore[misc]

    def __contains__(self, code: str) -> bool:
        """Whether the number was ever one of the table."""
        return code in self._rows

    def __len__(self) -> int:
        """Return how many numbers the table holds."""
        return len(self._rows)

    @property
    def codes(self) -> list[str]:
        """All numbers in order, those that ended among them."""
        return self._codes

    def spans(self, code: str) -> tuple[Span, ...]:
        """Return the spans of a number in the order of their days; none for a number that the table has not."""
        found = self._read.get(code)
        if found is None:
            found = tuple(self._span(line) for line in self._rows[code].split("\n")) if code in self._rows else ()
            if found:
                self._read[code] = found
        return found

    def at(self, code: str, day: date) -> Span | None:
        """Return the span of a number that covers a day, or None."""
        return next((span for span in self.spans(code) if span.covers(day)), None)

    def under(self, prefix: str) -> list[str]:
        """Return the numbers that begin with a prefix, in order."""
        place = bisect_left(self._codes, prefix)
        found = []
        while place < len(self._codes) and self._codes[place].startswith(prefix):
            found.append(self._codes[place])
            place += 1
        return found

    def _span(self, line: str) -> Span:
        cells = line.split("\t")
        starts, until, units, general, special, column2, doubts = cells
        row = (units, general, self._specials[special] if special else "", column2)
        return Span(date.fromisoformat(starts), date.fromisoformat(until) if until else None, row, doubts)
