"""Which answers to try for a fact that nobody stated: one for each way in which the law can read it on a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.evaluate import test_bits

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.evaluate.derivation import Assumed
    from tariff_engine.facts import Line
    from tariff_engine.law import FactSpec

Relevant = tuple[int, tuple[int, ...]]
"""The bits of tests that can matter on a line, and the loading days of its in-transit windows."""


_LOADED = "loaded_date"


@dataclass(slots=True)
class Answers:
    """The answers to try on lines of one law. `representatives` and `shares` are made by the functions of these names."""

    book: CompiledBook
    facts: dict[str, FactSpec]
    representatives: dict[str, tuple[Any, ...]]
    shares: dict[str, tuple[Fraction, ...]]
    _patterns: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict, init=False)
    _masks: dict[str, int] = field(default_factory=dict, init=False)
    _edges: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict, init=False)
    _order: dict[str, int] = field(default_factory=dict, init=False)
    _ages: frozenset[str] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        """Number the facts as the dictionary orders them, and collect the bits of the tests on each."""
        self._order = {name: place for place, name in enumerate(self.facts)}
        self._edges = {fact: tuple(share.as_integer_ratio() for share in found) for fact, found in self.shares.items()}
        self._ages = frozenset(self.book.ages.values())
        self._masks = {fact: self._bits(fact) for fact in self.facts}

    def open(self, line: Line, assumed: Iterable[Assumed], relevant: Relevant) -> list[str]:
        """Return the facts that were taken, not stated, and that a filer can be asked for, in the order of the dictionary."""
        taken = {self.source(one.fact) for one in assumed}
        found = [name for name in taken if self.facts[name].ask and name not in line.facts and len(self.of(line, name, relevant)) > 1]
        return sorted(found, key=self._order.__getitem__) if len(found) > 1 else found

    def source(self, fact: str) -> str:
        """Return the fact to ask for: a derived fact is asked for through the one that it is computed from."""
        spec = self.facts[fact]
        return spec.ratio[0] if spec.ratio else spec.years_before_entry or fact

    def of(self, line: Line, fact: str, relevant: Relevant) -> tuple[Any, ...]:
        """Return the answers to try: one for each way in which the law can read the fact; fewer than two: it cannot matter."""
        if fact in self.shares:
            return tuple(map(Decimal, self.amounts(line.value, fact)))
        bits, windows = relevant
        year = line.day.year if fact in self._ages else 0
        key = (fact, bits & self._masks[fact], windows if fact == _LOADED else (), year)
        found = self._patterns.get(key)
        if found is None:
            found = self._patterns[key] = self._distinct(fact, *key[1:])
        return found

    def amounts(self, value: int, fact: str) -> list[int]:
        """Return the whole dollars of a content at which law can change its mind, from nothing to the whole value."""
        found = {0, value}
        for top, bottom in self._edges[fact]:  # the first whole dollar that reaches the share, and the last that does not
            edge = -(-top * value // bottom)
            found.add(edge)
            found.add(edge - 1)
        return sorted([amount for amount in found if 0 <= amount <= value])

    def _names(self, fact: str) -> list[str]:
        """The fact, and the facts that are computed from it."""
        return [fact, *(name for name, source in self.book.ages.items() if source == fact)]

    def _bits(self, fact: str) -> int:
        return sum(self.book.fact_bits[name].all_bits for name in self._names(fact) if name in self.book.fact_bits)

    def _distinct(self, fact: str, relevant: int, windows: tuple[int, ...], year: int) -> tuple[Any, ...]:
        """Keep one value of each pattern of tests; a flag that claims a preference is tested outside the provisions, so both stay."""
        values = self.representatives.get(fact, ())
        if self.facts[fact].type == "bool":
            return values
        found: dict[tuple[Any, ...], Any] = {}
        for value in values:
            bits = 0
            for name in self._names(fact):
                if name in self.book.fact_bits:
                    bits |= test_bits(self.book.fact_bits[name], value)[0]
            pattern = (bits & relevant, tuple(value.toordinal() < window for window in windows))
            found.setdefault(pattern, Decimal(year) - value if year else value)
        return tuple(found.values())


def representatives(book: CompiledBook, facts: dict[str, FactSpec], countries: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Return for each fact a value for every way in which a test of the law can read it."""
    found: dict[str, tuple[Any, ...]] = {}
    for name, spec in facts.items():
        tests = [test for _, test in book.fact_bits[name].tests] if name in book.fact_bits else []
        if spec.type == "bool":
            found[name] = (True, False)
        elif spec.type == "date":
            found[name] = tuple(sorted(_days(book, name, tests)))
        elif spec.type in {"pct", "number"}:
            found[name] = tuple(sorted(_numbers(tests, spec)))
        elif tests:
            found[name] = _words(tests, spec, countries)
    for name, source in book.ages.items():
        tests = [test for _, test in book.fact_bits[name].tests] if name in book.fact_bits else []
        found[source] = tuple(sorted(_numbers(tests, facts[name])))
    return {name: values for name, values in found.items() if values}


def shares(book: CompiledBook, facts: dict[str, FactSpec], amounts: Iterable[str] = ()) -> dict[str, tuple[Fraction, ...]]:
    """Return for each fact that states a slice in dollars the shares of the value at which law changes; `amounts` are other such facts."""
    found: dict[str, set[Fraction]] = {piece.fact: {cap for _, cap in piece.tiers if cap is not None} for piece in book.slices}
    for name in amounts:
        found.setdefault(name, set())
    for name, (over, _) in book.ratios.items():
        for _, test in book.fact_bits[name].tests if name in book.fact_bits else ():
            for kind, operand in test if not isinstance(test, bool) else ():
                if over in found and kind in {"above", "at_least", "below"}:
                    found[over].add(Fraction(operand) / 100)
    return {name: tuple(sorted(values)) for name, values in found.items() if name in facts}


def _days(book: CompiledBook, name: str, tests: list[Any]) -> set[date]:
    days = {operand for test in tests if not isinstance(test, bool) for kind, operand in test if kind in {"before", "from"}}
    if name == _LOADED:
        rows = [row for rows in book.families.values() for found in rows.values() for row in found]
        days |= {date.fromordinal(row.loaded_before) for row in rows if row.loaded_before}
    return days | {day - timedelta(days=1) for day in days}


def _numbers(tests: list[Any], spec: FactSpec) -> set[Decimal]:
    edges = {
        Fraction(operand)
        for test in tests
        if not isinstance(test, bool)
        for kind, operand in test
        if kind in {"above", "at_least", "below"}
    }
    if not edges:
        return set()
    found = {Decimal(edge.numerator) / Decimal(edge.denominator) for edge in edges}
    top = Decimal(100) if spec.type == "pct" else max(found) + 1
    step = Decimal(1)
    return (
        {Decimal(0), top} | found | {edge - step for edge in found if edge >= step} | {edge + step for edge in found if edge + step <= top}
    )


def _words(tests: list[Any], spec: FactSpec, countries: Iterable[str]) -> tuple[Any, ...]:
    """Every word that a test names, and one that none names."""
    if spec.values and spec.type != "country":
        return spec.values
    named = sorted({word for test in tests if not isinstance(test, bool) for kind, words in test if kind == "in" for word in words})
    other = next((country for country in countries if country not in named), None) if spec.type == "country" else None
    return (*named, other) if other else tuple(named)
