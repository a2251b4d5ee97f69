"""Where the header of a table stands, and what its columns stand for: below titles, in one row or in two with merged cells above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tariff_service.bulk.mapping import Mapped
    from tariff_service.refund_columns import Columns, Dictionary

_LOOK = 50  # rows: titles stand above the header
_WIDEST = 200  # letters of a header


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table, the row of its header, and what every row states besides."""

    columns: Columns
    row: int
    constants: dict[str, Any]

    def place(self, name: str) -> int | None:
        """Return the column that holds something of a row itself, such as its id."""
        return self.columns.targets.index(("own", name)) if ("own", name) in self.columns.targets else None

    @property
    def entry(self) -> int | None:
        """The column of entry numbers."""
        return self.place("entry_number")

    def described(self) -> dict[str, Any]:
        """Return what was understood, as it stands in the report of a run."""
        return {"header_row": self.row, "read": self.columns.used(), "not_read": self.columns.unknown, "constants": self.constants}


def find_header(rows: Sequence[tuple[int, Sequence[Any]]], dictionary: Dictionary, mapped: Mapped) -> tuple[Layout, int] | None:
    """Return the layout and the place of the header row among the first rows; None where none of them names the columns.

    A row whose names make sense only under the row above it is read together with that one: merged cells reach over the columns to their
    right. Raises ProblemError: two columns for one thing, or a needed column is missing.
    """
    above: list[str] = []
    given = frozenset(mapped.constants)
    for place, (number, cells) in enumerate(rows[:_LOOK]):
        names = ["" if cell is None else " ".join(str(cell).split())[:_WIDEST] for cell in cells]
        found = [headers for headers in (names, _joined(above, names, dictionary)) if headers and dictionary.is_header(headers, given)]
        if found:
            headers = max(found, key=lambda headers: len({dictionary.target(one) for one in headers if one} - {None}))
            while headers and not headers[-1]:
                headers.pop()
            return Layout(dictionary.read(headers, given), number, dict(mapped.constants)), place
        above = names
    return None


def _joined(above: Sequence[str], names: Sequence[str], dictionary: Dictionary) -> list[str]:
    """Return the names of two rows as one: of `Entry` over `Number`, `Entry Number`, unless one of them alone is what is known."""
    if not any(above):
        return []
    found, over = [], ""
    for place in range(max(len(above), len(names))):
        top = above[place] if place < len(above) else ""
        name = names[place] if place < len(names) else ""
        over = top or (over if name else "")
        both = f"{over} {name}".strip()
        found.append(next((one for one in (both, name, top) if one and dictionary.target(one)), both))
    return found
