"""What a condition asks of a line: origins, products, facts, windows, claims, and the values of facts that pass its tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from tariff_engine.notation.conditions import InTransit, NotOrigin, Products, Test, When

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node

VALUE = 10000
DAY = timedelta(days=1)


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


class Conditions:
    """Reads the conditions of a book as needs. Nothing of the evaluators is used."""

    def __init__(self, book: Book) -> None:
        """Take the book."""
        self.book = book

    def needs(self, node: Node, depth: int = 2) -> Iterator[Need]:
        """Yield the ways to meet the condition of a provision, with its table."""
        look_up = tuple((name, "+".join(node.provision.look_up or [])) for name in node.provision.table or [])
        for need in self._when(node.provision.when, node.heading, depth):
            yield replace(need, rows=need.rows + look_up) if look_up else need

    def of_condition(self, when: When) -> Iterator[Need]:
        """Yield the ways to meet a condition that belongs to no heading."""
        return self._when(when, "", 1)

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

    def facts(self, need: Need, day: date) -> dict[str, Any] | None:
        """Return the facts that a need asks for on a day; None where they contradict one another, or the day is too late."""
        found: dict[str, Any] = {}
        for name, test in need.facts:
            for fact, value in self.meets(name, test, day):
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

    def meets(self, name: str, test: bool | Test, day: date) -> Iterator[tuple[str, Any]]:
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
    return test.from_
