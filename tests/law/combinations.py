"""Every combination of what a program depends on, read off its file: days, origins, products and facts, one of each kind that it tells apart.

A new program gets its combinations without a line of code. `every` is the full product; `pairs` a sample in which each value of one dimension
meets each value of every other at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, product
from math import prod
from typing import TYPE_CHECKING, Any

from tests.law.lines import ORIGINS

from tariff_engine.notation.conditions import NotOrigin, Products, Test, When
from tariff_engine.problems import ProblemError
from tariff_engine.testing.needs import VALUE

if TYPE_CHECKING:
    from tests.law.lines import LineMaker

    from tariff_engine.book import Book
    from tariff_engine.notation.program import Program, Provision

DAY = timedelta(days=1)
EVER = date.max
UNLISTED = "6109100012"
CONTENT = (0, VALUE * 2 // 5, VALUE)
Facts = dict[str, Any]
Asks = Callable[[date, str, str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A day, an origin and a product, with the facts that a provision of the program asks for there and the values that it tells apart."""

    day: date
    origin: str
    number: str
    facts: tuple[tuple[str, tuple[Any, ...]], ...]

    def line(self, values: Sequence[Any]) -> Facts:
        """Return the line that states one value of each fact; None leaves a fact out."""
        stated = {name: value for (name, _), value in zip(self.facts, values, strict=True) if value is not None}
        return {"hts": self.number, "origin": self.origin, "entry_date": self.day, "value": VALUE, **stated}

    def every(self) -> Iterator[Facts]:
        """Yield a line for every combination of the values."""
        for values in product(*(values for _, values in self.facts)):
            yield self.line(values)


def whens(program: Program) -> Iterator[tuple[Provision | None, When]]:
    """Yield every condition of a program, the outer ones first, with the provision that it stands in."""
    for provision in program.provisions:
        yield from ((provision, when) for when in _inside(provision.when))
    for outside in program.outside:
        yield from ((None, when) for when in _inside(outside.when))


def _inside(when: When) -> Iterator[When]:
    yield when
    for inner in (*(when.any or ()), *([when.not_] if when.not_ else ())):
        yield from _inside(inner)


class Combinations:
    """Reads the dimensions of one program."""

    def __init__(self, book: Book, program: Program, maker: LineMaker, asks: Asks | None = None) -> None:
        """Take a program of a book; `maker` reads its lists, `asks` names further facts to try for an origin and a product."""
        self.book, self.program, self.maker, self._asks = book, program, maker, asks
        self._whens = list(whens(program))
        self._products = self._product_conditions()
        self._values: dict[str, tuple[Any, ...]] = {}
        self.days = self._days()

    # ------------------------------------------------------------ days
    def _days(self) -> list[date]:
        """The first day of every era of the program, with the day before its first and the day after its end."""
        found: set[date] = set()
        dated = [*self.program.groups, *self.program.outside, *([self.program.ended] if self.program.ended else [])]
        for provision in self.program.provisions:
            dated += [*provision.steps, *provision.unless]
        for _, when in self._whens:
            dated += [when.entered] if when.entered else []
        for thing in dated:
            found |= {day for day in (getattr(thing, "from_", None), getattr(thing, "until", None)) if day}
        for _, products in self._products:
            for name in (*(products.in_ or ()), *(products.not_in or ())):
                found |= {day for row in self.book.tables[name].rows for day in (row.from_, row.until)}
        steps = [step for provision in self.program.provisions for step in provision.steps]
        start = min(step.from_ for step in steps)
        last = max((step.until or date.max for step in steps if not step.ended), default=date.max)
        end = min(last, self.program.ended.from_ if self.program.ended else date.max)
        first = self.book.horizon.from_
        kept = {day for day in found if max(start, first) <= day <= end and day not in {date.min, date.max}}
        return sorted(kept | {max(start, first)} | ({start - DAY} if start > first else set()))

    # ------------------------------------------------------------ origins
    def origins(self, day: date) -> list[str]:
        """One country of each kind that the program tells apart on a day."""
        terms: dict[str, None] = {"group:column2": None}
        for _, when in self._whens:
            named = when.origin.not_ if isinstance(when.origin, NotOrigin) else when.origin or ()
            terms.update(dict.fromkeys(named))
        kinds: dict[tuple[bool, ...], str] = {}
        for country in dict.fromkeys((*ORIGINS, *self.book.countries)):
            if country == "US" and "US" not in terms:
                continue
            kind = tuple(self.book.in_group(term[6:], country, day) if term.startswith("group:") else term == country for term in terms)
            kinds.setdefault(kind, country)
        return list(kinds.values())

    # ------------------------------------------------------------ products
    def _product_conditions(self) -> list[tuple[Provision | None, Products]]:
        found: list[tuple[Provision | None, Products]] = [(provision, when.hts) for provision, when in self._whens if when.hts]
        for provision in self.program.provisions:
            if provision.look_up == ["hts"]:
                found.append((provision, Products.model_validate({"in": provision.table})))
            for step in provision.steps:
                found.extend((provision, other.hts) for other in step.base_if)
        return found

    def products(self, day: date) -> list[str]:
        """One number of each kind that the program tells apart on a day, and one that it does not know."""
        distinct = list({str(products): products for _, products in self._products}.values())
        kinds: dict[tuple[bool, ...], str] = {}
        for number in self._pool(distinct, day):
            kind = tuple(self.maker.on(number, products, day, EVER) for products in distinct)
            kinds.setdefault(kind, number)
        return list(kinds.values())

    def _pool(self, distinct: Sequence[Products], day: date) -> Iterator[str]:
        seen: set[str] = set()
        for products in distinct:
            codes = [*(products.starts or ())]
            for name in products.in_ or ():
                codes += [row.hts for row in self.book.tables[name].rows if row.from_ <= day < row.until]
            for code in codes:
                if code not in seen:
                    seen.add(code)
                    yield from self.maker.numbers_under(code, day, 2)
        yield UNLISTED

    # ------------------------------------------------------------ facts
    def values(self, fact: str) -> tuple[Any, ...]:
        """The values of a fact that the tests of the program tell apart; None, which leaves it out, comes first."""
        if fact not in self._values:
            tests = [when.facts[fact] for _, when in self._whens if when.facts and fact in when.facts]
            found: dict[Any, None] = {None: None}
            definition = self.book.facts[fact]
            if definition.type == "bool":
                found.update({True: None, False: None})
            elif definition.type == "usd":
                found.update(dict.fromkeys(CONTENT))
            elif definition.values and definition.type == "text":
                found.update(dict.fromkeys(definition.values))
            kinds: dict[tuple[bool, ...], Any] = {}
            asked = [test for test in tests if isinstance(test, Test)]
            closed = definition.type == "text"  # its values are all there is
            for value in (value for test in asked if not closed for value in _around(test)):
                kinds.setdefault(tuple(_passes(test, value) for test in asked), value)
            self._values[fact] = tuple(found | dict.fromkeys(kinds.values()))
        return self._values[fact]

    def _source(self, fact: str, day: date) -> tuple[str, tuple[Any, ...]]:
        """The fact to state, with its values; a fact that is computed from another is stated through it."""
        definition = self.book.facts[fact]
        if definition.years_before_entry:
            return definition.years_before_entry, tuple(None if age is None else day.year - int(age) for age in self.values(fact))
        return fact, self.values(fact)

    def cell(self, day: date, origin: str, number: str) -> Cell:
        """Return the facts that provisions which can reach an origin and a product ask for."""
        found: dict[str, tuple[Any, ...]] = {}
        for provision in self.program.provisions:
            if not self._may_reach(provision.when, day, origin, number):
                continue
            for when in _inside(provision.when):
                for fact in when.facts or {}:
                    name, values = self._source(fact, day)
                    found[name] = values
                if when.claimed:
                    heading = (provision.heading or "").partition("/")[0]
                    claims = found.get("exclusion_claims", (None,))
                    found["exclusion_claims"] = (*claims, [heading])
            for step in provision.steps:
                for base in (step.base, *(other.base for other in step.base_if)):
                    piece = self.book.slices.get(base if isinstance(base, str) else base.part or base.less or "")
                    if piece and not any(fact in found for fact in piece.facts):
                        found[piece.facts[0]] = (None, *CONTENT)
        for outside in self.program.outside:
            for fact in outside.when.facts or {}:
                found[fact] = self.values(fact)
        for fact in self._asks(day, origin, number) if self._asks else ():
            found.setdefault(fact, self.values(fact))
        return Cell(day, origin, number, tuple(found.items()))

    def _may_reach(self, when: When, day: date, origin: str, number: str) -> bool:
        named = when.origin.not_ if isinstance(when.origin, NotOrigin) else when.origin
        if named is not None:
            inside = any(self.book.in_group(term[6:], origin, day) if term.startswith("group:") else term == origin for term in named)
            if inside == isinstance(when.origin, NotOrigin):
                return False
        if when.hts is not None and not self.maker.on(number, when.hts, day, EVER):
            return False
        return not when.any or any(self._may_reach(inner, day, origin, number) for inner in when.any)

    # ------------------------------------------------------------ lines
    def count(self, day: date) -> int:
        """How many combinations an era has."""
        goods = product(self.origins(day), self.products(day))
        return sum(prod(len(values) for _, values in self.cell(day, origin, number).facts) for origin, number in goods)

    def every(self, day: date) -> Iterator[Facts]:
        """Yield a line for every combination of an era."""
        for origin in self.origins(day):
            for number in self.products(day):
                yield from self.cell(day, origin, number).every()

    def pairs(self) -> Iterator[Facts]:
        """Yield lines in which every two values of any two dimensions meet, days, origins and products among them."""
        for day in self.days:
            goods = product(self.origins(day), self.products(day))
            shapes: dict[tuple[tuple[str, int], ...], list[Cell]] = {}
            for origin, number in goods:
                cell = self.cell(day, origin, number)
                shapes.setdefault(tuple((name, len(values)) for name, values in cell.facts), []).append(cell)
            for shape, alike in shapes.items():
                rows = covering([size for _, size in shape])
                for place in range(max(len(rows), len(alike))):
                    cell, row = alike[place % len(alike)], rows[place % len(rows)]
                    yield cell.line([values[choice] for (_, values), choice in zip(cell.facts, row, strict=True)])


def covering(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Return rows of choices in which every two choices of any two dimensions meet (a covering array, made greedily)."""
    if not sizes:
        return [()]
    if len(sizes) == 1:
        return [(choice,) for choice in range(sizes[0])]
    open_pairs = {
        (one, first, two, second)
        for one, two in combinations(range(len(sizes)), 2)
        for first in range(sizes[one])
        for second in range(sizes[two])
    }
    rows: list[tuple[int, ...]] = []
    while open_pairs:
        one, first, two, second = min(open_pairs)
        row: dict[int, int] = {one: first, two: second}
        for place in range(len(sizes)):
            if place in row:
                continue
            gains = [sum(_pair(place, choice, other, row[other]) in open_pairs for other in row) for choice in range(sizes[place])]
            row[place] = gains.index(max(gains))
        made = tuple(row[place] for place in range(len(sizes)))
        open_pairs -= {(i, made[i], j, made[j]) for i, j in combinations(range(len(sizes)), 2)}
        rows.append(made)
    return rows


def _pair(one: int, first: int, two: int, second: int) -> tuple[int, int, int, int]:
    return (one, first, two, second) if one < two else (two, second, one, first)


def _around(test: Test) -> Iterator[Any]:
    """Yield values on either side of a test."""
    yield from (*([test.is_] if test.is_ else ()), *(test.in_ or ()))
    if test.is_ or test.in_:
        yield "VN"  # elsewhere
    for bound, step in ((test.at_least, -1), (test.below, -1), (test.above, 1)):
        if bound is not None:
            yield Decimal(bound)
            yield Decimal(bound) + step
    for day in (test.before, test.from_):
        if day is not None:
            yield day - DAY
            yield day


def _passes(test: Test, value: Any) -> bool:
    """Whether a value passes a test, said plainly."""
    said = [
        test.is_ is None or value == test.is_,
        test.in_ is None or value in test.in_,
        test.above is None or value > Decimal(test.above),
        test.at_least is None or value >= Decimal(test.at_least),
        test.below is None or value < Decimal(test.below),
        test.before is None or value < test.before,
        test.from_ is None or value >= test.from_,
    ]
    return all(said)


def refused(error: ProblemError) -> bool:
    """Whether a line states what cannot be so together: contents worth more than the line, or a day after its entry."""
    return error.problem.code in {"contents_above_value", "contradictory_facts"}


__all__ = ["Cell", "Combinations", "covering", "refused"]
