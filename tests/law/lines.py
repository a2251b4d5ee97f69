"""Makes lines that meet the condition of a provision, by reading the condition: an origin, a listed number, facts on the right side of each test.

Nothing of the evaluators is used: what a condition asks for is written into a line as a filer would state it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from tariff_engine.notation.conditions import InTransit, NotOrigin, Products, Test, When
from tariff_engine.problems import ProblemError
from tariff_engine.testing import numbers

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.tables import Row
    from tariff_engine.schedule import Schedule

VALUE = 10000
DAY = timedelta(days=1)
ORIGINS = ("VN", "DE", "CN", "GB", "JP", "KR", "CH", "CA", "MX", "BR", "IN", "TW", "RU", "AU")
NUMBERS = ("9403608093", "6109100012", "0901110015", "7206900000", "8703230190", "8708305090", "8431499095", "8504409550")
# Facts that move goods out of the reach of other duties; tried one after the other where a provision is displaced.
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"steel_content_value": 0, "aluminum_content_value": 0, "copper_content_value": 0},
    {"is_auto_part": False, "is_mhdv_part": False},
    {"is_passenger_vehicle": False, "is_mhdv": False},
    {"is_cabinet_or_vanity_or_part": False},
    {"contains_listed_metal": False},
    {"usmca_qualifying": True},
    {"meets_semiconductor_parameters": True},
    {"steel_content_value": 5000},
    {"aluminum_content_value": 5000},
    {"copper_content_value": 5000},
    {"is_mhdv_part": True, "is_auto_part": False},
    {"metal_weight_pct": 10},
)


@dataclass(frozen=True, slots=True)
class Need:
    """One way to meet a condition: what origin, number and facts must be, all at once."""

    origins: tuple[tuple[bool, tuple[str, ...]], ...] = ()  # (allowed or forbidden, names)
    products: tuple[Products, ...] = ()
    facts: tuple[tuple[str, bool | Test], ...] = ()
    windows: tuple[InTransit, ...] = ()
    claims: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = field(default=())  # (list, column looked up by)

    def both(self, other: Need) -> Need:
        """Return what meets both."""
        return Need(
            self.origins + other.origins,
            self.products + other.products,
            self.facts + other.facts,
            self.windows + other.windows,
            self.claims + other.claims,
            self.rows + other.rows,
        )


class LineMaker:
    """Makes lines for the provisions of a book."""

    def __init__(self, book: Book, schedule: Schedule) -> None:
        """Index the lists of the book by code."""
        self.book, self.schedule = book, schedule
        self._codes = numbers(schedule)
        self._printed = frozenset(self._codes)
        self._index: dict[str, dict[str, list[Row]]] = {}
        self.listed = cache(self._listed)

    # ------------------------------------------------------------ conditions
    def needs(self, node: Node, depth: int = 2) -> Iterator[Need]:
        """Yield the ways to meet the condition of a provision, with its table."""
        look_up = tuple((name, "+".join(node.provision.look_up or [])) for name in node.provision.table or [])
        for need in self._when(node.provision.when, node.heading, depth):
            yield replace(need, rows=need.rows + look_up) if look_up else need

    def _when(self, when: When, heading: str, depth: int) -> Iterator[Need]:
        need = Need()
        if isinstance(when.origin, NotOrigin):
            need = replace(need, origins=((False, tuple(when.origin.not_)),))
        elif when.origin is not None:
            need = replace(need, origins=((True, tuple(when.origin)),))
        if when.hts is not None:
            need = replace(need, products=(when.hts,))
        need = replace(
            need,
            facts=tuple((when.facts or {}).items()),
            windows=(when.in_transit,) if when.in_transit else (),
            claims=(heading,) if when.claimed else (),
        )
        branches: list[list[Need]] = [[need]]
        if when.any is not None:
            branches.append([one for inner in when.any for one in self._when(inner, heading, depth)])
        if when.subject_to is not None and depth:
            others = [self.book.nodes[name] for name in self.book.expand(when.subject_to.any)]
            branches.append([one for other in others for one in self.needs(other, depth - 1)])
        for chosen in product(*branches):
            whole = chosen[0]
            for more in chosen[1:]:
                whole = whole.both(more)
            yield whole

    # ------------------------------------------------------------ lines
    def lines(self, node: Node, day: date, known_on: date, most: int = 1300, *, by: str = "") -> Iterator[dict[str, Any]]:
        """Yield lines of a day that meet the condition of a provision in some way (that names the list `by`), around other duties."""
        for way in WAYS:
            for need in self.needs(node):
                if by and not any(by in (*(one.in_ or ()), *(one.not_in or ())) for one in need.products):
                    continue
                made = 0
                for line in self._lines(need, day, known_on):
                    if not any(name in line and line[name] != value for name, value in way.items()):
                        yield {**way, **line}
                        made += 1
                        if made >= most // len(WAYS):
                            break

    def _lines(self, need: Need, day: date, known_on: date) -> Iterator[dict[str, Any]]:
        facts = self._facts(need, day)
        if facts is None:
            return
        for origin, number in self._goods(need, day, known_on):
            yield {"hts": number, "origin": origin, "entry_date": day, "value": VALUE, **facts}

    def _facts(self, need: Need, day: date) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for name, test in need.facts:
            for fact, value in self._meets(name, test, day):
                if fact in found and found[fact] != value:
                    return None
                found[fact] = value
        for window in need.windows:
            if day >= window.entered_before:
                return None
            if window.loaded_before:
                found["loaded_date"] = min(window.loaded_before - DAY, found.get("loaded_date", date.max))
            if window.exported_before:
                found["export_date"] = min(window.exported_before - DAY, found.get("export_date", date.max))
            if window.mode:
                found["mode"] = window.mode[0]
        if need.claims:
            found["exclusion_claims"] = list(need.claims)
        return found

    def _meets(self, name: str, test: bool | Test, day: date) -> Iterator[tuple[str, Any]]:
        """Yield the facts to state so that a test holds; for a derived fact, those that it is derived from."""
        definition = self.book.facts[name]
        if isinstance(test, bool):
            yield name, test
            return
        value = _value(test)
        if definition.ratio:
            yield definition.ratio[0], Decimal(value) * VALUE / 100
        elif definition.years_before_entry:
            yield definition.years_before_entry, day.year - int(value)
        elif definition.type == "usd" and value == 1:
            yield name, 1000
        else:
            yield name, value

    # ------------------------------------------------------------ goods
    def _goods(self, need: Need, day: date, known_on: date) -> Iterator[tuple[str, str]]:
        """Yield origins with numbers, every origin with the first number before any with the second."""
        origins = self._origins(need, day, known_on)
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

    def _origins(self, need: Need, day: date, known_on: date) -> list[str]:
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
        pool = list(dict.fromkeys(named)) or list(ORIGINS)
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
        pool: Iterator[str] = iter(NUMBERS)
        if first is not None:
            pool = self._pool(first, day, known_on)
        found = 0
        for number in pool:
            if all(self.on(number, one, day, known_on) for one in conditions):
                yield number
                found += 1
                if found >= 12:
                    return

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
        if len(code) == 10 and code not in self._printed and self.stands(code, day):
            return [code]  # a number that only the law's own lists name
        for place in range(bisect_left(codes, code), len(codes)):
            if not codes[place].startswith(code):
                break
            if len(codes[place]) == 10 and self.stands(codes[place], day):
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
            and all(line.get(fact) == value for name, test in need.facts for fact, value in self._meets(name, test, day))
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


def _value(test: Test) -> Any:
    """Return a value that passes a test, as near to its bound as possible."""
    if test.is_ is not None:
        return test.is_
    if test.in_ is not None:
        return test.in_[0]
    if test.at_least is not None:
        return Decimal(test.at_least)
    if test.above is not None:
        return Decimal(test.above) + 1
    if test.below is not None:
        return Decimal(test.below) - 1
    if test.before is not None:
        return test.before - DAY
    assert test.from_ is not None
    return test.from_
