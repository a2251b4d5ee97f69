"""The census of lists: how many numbers of the schedule the rows of each list reach, by span of days, with a fingerprint of which and to what effect.

`python -m tests.law.census` writes census.csv anew. Lists have tens of thousands of rows, too many to stand in the chart one by one; a row that
is widened, moved or lost changes the count or the fingerprint here, and the name of the list says where to look.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from bisect import bisect_left
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.notation.tables import Row, Table

CENSUS = Path(__file__).parent / "census.csv"
_HEADER = ("list", "from", "until", "rows", "numbers", "fingerprint")


class Census:
    """Counts what lists reach in one schedule."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        """Take the ten-digit numbers of the schedule, in order."""
        self._codes = codes
        self._under: dict[str, tuple[str, ...]] = {}

    def under(self, code: str) -> tuple[str, ...]:
        """Return the numbers that begin with a code."""
        if code not in self._under:
            self._under[code] = self._codes[bisect_left(self._codes, code) : bisect_left(self._codes, code + ":")]
        return self._under[code]

    def of(self, name: str, table: Table) -> list[tuple[str, ...]]:
        """Return the lines of one list."""
        spans: dict[tuple[str, str], list[Row]] = {}
        for row in table.rows:
            spans.setdefault((row.from_.isoformat(), row.until.isoformat()), []).append(row)
        return [(name, *span, *self._count(rows)) for span, rows in sorted(spans.items())]

    def _count(self, rows: list[Row]) -> tuple[str, str, str]:
        reached, numbers = set[str](), set[str]()
        for row in rows:
            found = [number for number in self.under(row.hts) if not number.startswith(row.excepted)] if row.hts else [row["origin"]]
            numbers.update(found)
            effect = "|".join((row.by, row.withdrawn_by, *(f"{key}={cell}" for key, cell in sorted(row.cells.items()) if key != "cite")))
            digest = hashlib.sha256(" ".join(found).encode()).hexdigest() if found else row.hts
            reached.add(f"{digest} {effect}")
        return str(len(rows)), str(len(numbers)), hashlib.sha256("\n".join(sorted(reached)).encode()).hexdigest()[:16]


def census(book: Book, codes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the census of a book."""
    counted = Census(codes)
    return groups(book) + [
        line for name in sorted(book.tables) if not name.startswith("list:") for line in counted.of(name, book.tables[name])
    ]


def groups(book: Book) -> list[tuple[str, ...]]:
    """Return the members of the groups of origins, one line for each span of days on which members belong to a group."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name, members in sorted(book.groups.items()):
        for member in members:
            code, first, end = (member, None, None) if isinstance(member, str) else (member.origin, member.from_, member.until)
            found.setdefault((f"group:{name}", str(first or date.min), str(end or date.max)), []).append(code)
    return [(*span, str(len(codes)), str(len(set(codes))), " ".join(sorted(codes))) for span, codes in found.items()]


def text(lines: list[tuple[str, ...]]) -> str:
    """Return the census as the file holds it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(lines)
    return out.getvalue()


def main() -> None:
    """Write the census."""
    from tariff_engine.testing import Rulebook  # noqa: PLC0415  who imports this module has a book

    rulebook = Rulebook.installed()
    CENSUS.write_text(text(census(rulebook.book, rulebook.space.codes)), encoding="utf-8")
    sys.stdout.write(f"{CENSUS.name} written\n")


if __name__ == "__main__":
    main()
