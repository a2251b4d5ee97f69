"""Makes lines that meet the condition of a provision, by reading the condition: an origin, a listed number, facts on the right side of each test.

Nothing of the evaluators is used: what a condition asks for is written into a line as a filer would state it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from tariff_engine.notation.conditions import Products
from tariff_engine.problems import ProblemError
from tariff_engine.testing.needs import VALUE, Conditions, Need

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.tables import Row
    from tariff_engine.schedule import Schedule

_NUMBERS = 12  # numbers of one way to meet a condition
_DIGITS = 10  # of a statistical number


class LineMaker(Conditions):
    """Makes lines for the provisions of a book.

    `origins` and `numbers` are tried where a condition names none; `ways` are facts that move goods out of the reach of other duties, tried
    one after the other.
    """

    def __init__(
        self, book: Book, schedule: Schedule, origins: Sequence[str], numbers: Sequence[str], ways: Sequence[Mapping[str, Any]] = ({},)
    ) -> None:
        """Index the lists of the book by code."""
        super().__init__(book)
        self.schedule, self.origins, self.numbers, self.ways = schedule, tuple(origins), tuple(numbers), tuple(ways)
        self._codes = schedule.numbers()
        self._printed = frozenset(self._codes)
        self._index: dict[str, dict[str, list[Row]]] = {}
        self.listed = cache(self._listed)

    # ------------------------------------------------------------ lines
    def lines(self, node: Node, day: date, known_on: date, most: int = 1300, *, by: str = "") -> Iterator[dict[str, Any]]:
        """Yield lines of a day that meet the condition of a provision in some way (that names the list `by`), around other duties."""
        for way in self.ways:
            for need in self.needs(node):
                if by and not any(by in (*(one.in_ or ()), *(one.not_in or ())) for one in need.products):
                    continue
                made = 0
                for line in self.meeting(need, day, known_on):
                    if not any(name in line and line[name] != value for name, value in way.items()):
                        yield {**way, **line}
                        made += 1
                        if made >= most // len(self.ways):
                            break

    def meeting(self, need: Need, day: date, known_on: date) -> Iterator[dict[str, Any]]:
        """Yield lines of a day that meet one need."""
        facts = self.facts(need, day)
        if facts is None:
            return
        for origin, number in self._goods(need, day, known_on):
            yield {"hts": number, "origin": origin, "entry_date": day, "value": VALUE, **facts}

    # ------------------------------------------------------------ goods
    def _goods(self, need: Need, day: date, known_on: date) -> Iterator[tuple[str, str]]:
        """Yield origins with numbers, every origin with the first number before any with the second."""
        origins = self.origins_of(need, day, known_on)
        both = [name for name, look_up in need.rows if look_up == "origin+hts"]
        if not both:
            yield from ((origin, number) for number in self._numbers(need, day, known_on) for origin in origins)
            return
        for origin in origins:
            codes = [
                row.hts
                for name in both
                for row in self.book.tables[name].rows
                if row["origin"] == origin and self._stands(row, day, known_on)
            ]
            for code in codes[:10]:
                yield from ((origin, number) for number in self.numbers_under(code, day, 1))

    def origins_of(self, need: Need, day: date, known_on: date) -> list[str]:
        """Return some origins that meet a need."""
        named: list[str] = []
        for allowed, names in need.origins:
            if allowed:
                for name in names:
                    named += (
                        [one for one in self.book.countries if self.book.in_group(name[6:], one, day)]
                        if name.startswith("group:")
                        else [name]
                    )
        for name, look_up in need.rows:
            if "origin" in look_up:
                rows = [row["origin"] for row in self.book.tables[name].rows if self._stands(row, day, known_on)]
                named += [origin for origin in dict.fromkeys(rows) if not origin.startswith("group:") and origin != "*"][:8]
        pool = list(dict.fromkeys(named)) or list(self.origins)
        return [origin for origin in pool if self._fits(origin, need, day)][:12]

    def _fits(self, origin: str, need: Need, day: date) -> bool:
        for allowed, names in need.origins:
            inside = any(self.book.in_group(name[6:], origin, day) if name.startswith("group:") else name == origin for name in names)
            if inside != allowed:
                return False
        return True

    def _numbers(self, need: Need, day: date, known_on: date) -> Iterator[str]:
        """Yield numbers of the schedule that meet every product condition; a few of the first list that a condition names."""
        conditions = list(need.products)
        tables = [Products.model_validate({"in": [name]}) for name, look_up in need.rows if look_up == "hts"]
        conditions += tables
        first = next((one for one in conditions if one.in_ or one.starts or one.chapter), None)
        pool: Iterator[str] = iter(self.numbers)
        if first is not None:
            pool = self._pool(first, day, known_on)
        found = 0
        for number in pool:
            if all(self.on(number, one, day, known_on) for one in conditions):
                yield number
                found += 1
                if found >= _NUMBERS:
                    return

    def numbers_of(self, need: Need, codes: Sequence[str], day: date, known_on: date) -> Iterator[str]:
        """Yield the numbers among `codes` that meet every product condition of a need."""
        yield from (
            number for number in codes if all(self.on(number, one, day, known_on) for one in need.products) and self.stands(number, day)
        )

    def _pool(self, wanted: Products, day: date, known_on: date) -> Iterator[str]:
        for code in wanted.starts or ():
            yield from self.numbers_under(code, day, 3)
        for name in wanted.in_ or ():
            rows = [row for row in self.book.tables[name].rows if self._stands(row, day, known_on)]
            stride = max(1, len(rows) // 60)
            for row in [*rows[::stride], *rows]:
                yield from (number for number in self.numbers_under(row.hts, day, 2) if not number.startswith(row.excepted))
        for chapter in wanted.chapter or ():
            yield from self.numbers_under(chapter, day, 40)

    def numbers_under(self, code: str, day: date, most: int) -> list[str]:
        """Return some ten-digit numbers of the schedule of a day that begin with a code."""
        codes, found = self._codes, []
        if len(code) == _DIGITS and code not in self._printed and self.stands(code, day):
            return [code]  # a number that only the law's own lists name
        for place in range(bisect_left(codes, code), len(codes)):
            if not codes[place].startswith(code):
                break
            if len(codes[place]) == _DIGITS and self.stands(codes[place], day):
                found.append(codes[place])
                if len(found) >= most:
                    break
        return found

    def stands(self, number: str, day: date) -> bool:
        """Whether the schedule of a day has a number."""
        try:
            self.schedule.find(number, day)
        except ProblemError:
            return False
        return True

    # ------------------------------------------------------------ lists, read plainly
    def met(self, node: Node, line: dict[str, Any], known_on: date) -> bool:
        """Whether a line, as stated, meets the condition of a provision in one of its ways."""
        day, number, origin = line["entry_date"], line["hts"], line["origin"]
        return any(
            self._fits(origin, need, day)
            and all(self.on(number, wanted, day, known_on) for wanted in need.products)
            and set(need.claims) <= set(line.get("exclusion_claims", ()))
            and all(line.get(fact) == value for name, test in need.facts for fact, value in self.meets(name, test, day))
            for need in self.needs(node, 0)
        )

    def _stands(self, row: Row, day: date, known_on: date) -> bool:
        return row.from_ <= day < row.until and self.book.row_known(row, known_on)

    def _listed(self, name: str, number: str, day: date, known_on: date) -> bool:
        if name not in self._index:
            self._index[name] = {}
            for row in self.book.tables[name].rows:
                self._index[name].setdefault(row.hts, []).append(row)
        rows = [row for size in range(2, len(number) + 1) for row in self._index[name].get(number[:size], ())]
        return any(self._stands(row, day, known_on) and not any(number.startswith(code) for code in row.excepted) for row in rows)

    def on(self, number: str, wanted: Products, day: date, known_on: date) -> bool:
        """Whether a number meets a product condition on a day, by the lists as known."""
        if wanted.in_ is not None or wanted.starts is not None:
            listed = any(self.listed(name, number, day, known_on) for name in wanted.in_ or ())
            if not listed and not number.startswith(tuple(wanted.starts or ())):
                return False
        if any(self.listed(name, number, day, known_on) for name in wanted.not_in or ()):
            return False
        return (not wanted.chapter or number[:2] in wanted.chapter) and number[:2] not in (wanted.not_chapter or ())
