"""What the lists and tables of a book say of a product number, and which rows of its tables are for a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tariff_engine.compiled.form import CompiledBook, FamilyRow

_MAX_REMEMBERED = 50_000  # numbers, and origins on days: more than a book has


class Listed(NamedTuple):
    """All that lists and tables ever say of a product number.

    `marks` are the spans of days in which it stands on lists: from, until, and the static bits that these set. `rows` are those of tables
    by product that name it, by the provision whose table it is.
    """

    marks: tuple[tuple[int, int, int], ...]
    rows: dict[int, tuple[FamilyRow, ...]]


class Tables:
    """Looks up the lists and tables of one book, and remembers what it found."""

    def __init__(self, book: CompiledBook) -> None:
        """Take a compiled book."""
        self._book = book
        self._listed: dict[str, Listed] = {}
        self._for_origin: dict[tuple[int, int, int, str], tuple[FamilyRow, ...]] = {}
        self._spans: dict[tuple[str, str], tuple[tuple[int, int], ...]] = {}
        for name, members in book.group_members.items():
            for who, start, end in members:
                self._spans[f"group:{name}", who] = (*self._spans.get((f"group:{name}", who), ()), (start, end))
        self._by_product: dict[str, list[tuple[int, FamilyRow]]] = {}
        for place, by_key in book.families.items():
            for key, rows in by_key.items() if book.provisions[place].by_hts else ():
                self._by_product.setdefault(key, []).extend((place, row) for row in rows)
        self._group_keys = {place: [key for key in by_key if key.startswith("group:")] for place, by_key in book.families.items()}

    def listed(self, hts: str) -> Listed:
        """Return what lists and tables say of a product number, on any day."""
        found = self._listed.get(hts)
        if found is None:
            if len(self._listed) >= _MAX_REMEMBERED:
                self._listed.clear()
            prefixes = [hts[:size] for size in range(2, len(hts) + 1)]
            marks = tuple(
                (start, end, mask)
                for prefix in prefixes
                for start, end, excepted, mask in self._book.product_rows.get(prefix, ())
                if not (excepted and hts.startswith(excepted))
            )
            rows: dict[int, list[FamilyRow]] = {}
            for prefix in prefixes:
                for place, row in self._by_product.get(prefix, ()):
                    if not (row.excepted and hts.startswith(row.excepted)):
                        rows.setdefault(place, []).append(row)
            best_first = {place: tuple(sorted(some, key=lambda row: row.order)) for place, some in sorted(rows.items())}
            found = self._listed[hts] = Listed(marks, best_first)
        return found

    def rows(
        self, entry: int, admission: int, hts: str, origin: str, families: Iterable[int] | None = None
    ) -> dict[int, tuple[FamilyRow, ...]]:
        """Return for each family, or some, the rows that fit the line, best first, up to the first that needs no claim.

        `entry` and `admission` are days: programs look at their tables on the one or the other.
        """
        book, by_product = self._book, self.listed(hts).rows
        found: dict[int, tuple[FamilyRow, ...]] = {}
        for place in book.families if families is None else families:
            provision = book.provisions[place]
            day = admission if book.programs[provision.program].by_admission else entry
            if not provision.by_hts:
                candidates = list(self._of_origin(place, day, entry, origin))
            else:
                candidates = [row for row in by_product.get(place, ()) if row.start <= day < row.end]
                if provision.by_origin:
                    candidates = [row for row in candidates if self._names(row, origin, entry)]
            many = provision.claim_bit >= 0
            last = next((number for number, row in enumerate(candidates, start=1) if not (many and row.partial)), len(candidates))
            found[place] = tuple(candidates[:last])
        return found

    def in_group(self, name: str, origin: str, day: int) -> bool:
        """Whether a row for a group of origins ("group:" and its name) is for an origin on a day."""
        return any(start <= day < end for start, end in self._spans.get((name, origin), ()))

    def _of_origin(self, place: int, day: int, entry: int, origin: str) -> tuple[FamilyRow, ...]:
        """Return the rows in force of a table by origin that name an origin, its groups, or every country; best first."""
        key = (place, day, entry, origin)
        found = self._for_origin.get(key)
        if found is None:
            if len(self._for_origin) >= _MAX_REMEMBERED:
                self._for_origin.clear()
            by_key = self._book.families[place]
            rows = [row for name in ("*", origin, *self._group_keys[place]) for row in by_key.get(name, ()) if row.start <= day < row.end]
            fitting = (row for row in rows if not self._book.provisions[place].by_origin or self._names(row, origin, entry))
            found = self._for_origin[key] = tuple(sorted(fitting, key=lambda row: row.order))
        return found

    def _names(self, row: FamilyRow, origin: str, day: int) -> bool:
        return row.origin in ("*", origin) or self.in_group(row.origin, origin, day)
