"""The table of one edition as it is printed: rates stand once, at the code that bears them; a blank rate is that of the nearest shorter code."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from tariff_engine.dated_table import Row

_LINE = 8


class PlainTable:
    """The rows of an edition by code of eight or ten digits. Built by `schedule_files`."""

    def __init__(self, rows: dict[str, Row]) -> None:
        """Take the rows as printed."""
        self.rows = rows
        self._codes = sorted(rows)

    def __getstate__(self) -> dict[str, Any]:
        """Keep the rows only."""
        return {"rows": self.rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Sort the codes anew."""
        self.__init__(**state)  # type: ignore[misc]

    def __contains__(self, code: str) -> bool:
        """Whether the edition prints the code."""
        return code in self.rows

    @property
    def codes(self) -> list[str]:
        """All codes in order."""
        return self._codes

    def under(self, prefix: str) -> list[str]:
        """Return the codes that begin with a prefix, itself among them, in order."""
        return list(self._from(prefix))

    def below(self, stem: str) -> list[str]:
        """Return the ten-digit numbers of an eight-digit line."""
        return [code for code in self._from(stem) if len(code) > _LINE]

    def holds(self, stem: str) -> bool:
        """Whether the edition prints an eight-digit line or a number below it."""
        return stem in self.rows or next(self._from(stem), None) is not None

    def printed(self, code: str) -> tuple[str, Row]:
        """Return the code that bears the general rate and the row with every blank rate taken from the nearest shorter code above."""
        units, *rates = self.rows[code]
        bearer = code
        above = code
        while len(above) > 1 and not all(rates):
            above = above[:-1]
            upper = self.rows.get(above)
            if upper is not None:
                bearer = bearer if rates[0] else above
                rates = [own or inherited for own, inherited in zip(rates, upper[1:], strict=True)]
        return bearer, (units, rates[0], rates[1], rates[2])

    def one_rate(self, stem: str, children: list[str]) -> bool:
        """Whether an eight-digit line and all its numbers bear the same three rates."""
        codes = [stem, *children] if stem in self.rows else children
        return len({self.printed(code)[1][1:] for code in codes}) == 1

    def _from(self, prefix: str) -> Iterator[str]:
        for place in range(bisect_left(self._codes, prefix), len(self._codes)):
            if not self._codes[place].startswith(prefix):
                return
            yield self._codes[place]
