"""The boundaries inside conditions: facts, thresholds, windows of goods in transit, origins, claims, base rates.

They are found by walking the parsed notation, so a condition that stands anywhere in a rule file is found, however deep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.boundaries.boundary import DAY, Boundary, Side, around, two_days
from tariff_engine.notation.conditions import BaseRate, InTransit, NotOrigin, Products, Test, When
from tariff_engine.notation.terms import Strict

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.boundaries.numbers import Numbers
    from tariff_engine.notation.model import Fact

Make = Callable[..., Boundary]
"""Makes a boundary of one owner: kind, fact, sides, what it says, and more by name."""

_FINEST = {"usd": "0.01", "pct": "0.01", "number": "1"}
_NUMBERS = (("above", "more than"), ("at_least", "at least"), ("below", "less than"))


def walk(model: Any) -> Iterator[Strict]:
    """Yield every part of a parsed rule file, from the top down."""
    if isinstance(model, list | tuple):
        for item in model:
            yield from walk(item)
    elif isinstance(model, dict):
        for item in model.values():
            yield from walk(item)
    elif isinstance(model, Strict):
        yield model
        for name in type(model).model_fields:
            yield from walk(getattr(model, name))


def condition(book: Book, whole: Any, heading: str, make: Make, numbers: Numbers) -> Iterator[Boundary]:
    """Yield the boundaries of every condition in a part of a rule file."""
    for part in walk(whole):
        if isinstance(part, When):
            yield from _when(book, part, heading, make)
        elif isinstance(part, InTransit):
            yield from _transit(part, make)
        elif isinstance(part, BaseRate):
            for rate in (part.below, part.at_least):
                if rate is not None:
                    yield from (
                        make("base_rate", "hts", sides, says)
                        for sides, says in numbers.around_rate(rate, "the condition asks for the base rate")
                    )
        elif isinstance(part, Products):
            for code in dict.fromkeys((*(part.starts or ()), *(part.chapter or ()), *(part.not_chapter or ()))):
                yield make("code", "hts", numbers.edge(code), f"{code} is named by a condition")


def _when(book: Book, when: When, heading: str, make: Make) -> Iterator[Boundary]:
    for name, test in (when.facts or {}).items():
        yield from fact_test(book, name, test, make)
    if when.origin is not None:
        names = when.origin.not_ if isinstance(when.origin, NotOrigin) else when.origin
        yield from _origins(book, names, make)
    if when.claimed is not None and heading:
        yield make("claim", "exclusion_claims", (None, [heading]), "the heading is claimed or not")


def fact_test(book: Book, name: str, test: bool | Test, make: Make) -> Iterator[Boundary]:
    """Yield the boundaries of one test on a fact."""
    fact = book.facts[name]
    if isinstance(test, bool):
        yield make("answer", name, (None, False, True) if fact.type == "bool" else _amounts(fact), f"{name} decides")
        return
    wanted = [test.is_] if test.is_ is not None else test.in_ or []
    if wanted:
        others = _others(book, fact, wanted)
        yield make("answer", name, (None, *wanted, *others), f"{name} is {' or '.join(wanted)}")
    for key, words in _NUMBERS:
        bound = getattr(test, key)
        if bound is not None:
            yield make("threshold", name, around(Decimal(bound), _FINEST.get(fact.type, "1")), f"{name} is {words} {bound}")
    for day, words in ((test.before, "before"), (test.from_, "on or after")):
        if day is not None:
            yield make("fact_day", name, two_days(day), f"{name} is {words} {day}")


def _amounts(fact: Fact) -> tuple[Side, ...]:
    return (None, "0", "100" if fact.type == "pct" else "1")


def _others(book: Book, fact: Fact, wanted: list[str]) -> list[str]:
    """One value beside those that a test names, where there is any."""
    pool = sorted(book.countries) if fact.type == "country" else fact.values
    return [value for value in pool if value not in wanted][:1]


def _origins(book: Book, names: list[str], make: Make) -> Iterator[Boundary]:
    plain = [name for name in names if not name.startswith("group:")]
    inside = {
        member if isinstance(member, str) else member.origin for name in names if name not in plain for member in book.groups[name[6:]]
    }
    outside = next((code for code in sorted(book.countries) if code not in inside and code not in plain), None)
    if plain:
        yield make("origin", "origin", (*plain, *([outside] if outside else ())), f"the origin is {', '.join(plain)} or not")
    for name in names:
        if name in plain:
            continue
        members = book.groups[name[6:]]
        codes = [member if isinstance(member, str) else member.origin for member in members]
        yield make("origin", "origin", (*dict.fromkeys(codes), *([outside] if outside else ())), f"the origin is in {name} or not")
        for member in members:
            if isinstance(member, str):
                continue
            for day, words in ((member.from_, "joins"), (member.until, "leaves")):
                if day is not None:
                    says = f"{member.origin} {words} {name}"
                    yield make("entry_day", "entry_date", two_days(day), says, given={"origin": member.origin})


def _transit(window: InTransit, make: Make) -> Iterator[Boundary]:
    last = (window.entered_before - DAY).isoformat()
    mode: dict[str, Side] = {"mode": window.mode[0]} if window.mode else {}
    for fact, day, words in (
        ("loaded_date", window.loaded_before, "loaded"),
        ("export_date", window.exported_before, "exported"),
    ):
        if day is None:
            continue
        says = f"goods {words} before {day} and entered before {window.entered_before} keep what they had"
        yield make("transit", fact, (None, *two_days(day)), says, given={"entry_date": last, **mode})
        yield make("transit", "entry_date", two_days(window.entered_before), says, given={fact: (day - DAY).isoformat(), **mode})
        if fact == "loaded_date":
            given: dict[str, Side] = {"entry_date": last, fact: (day - DAY).isoformat(), **mode}
            yield make("answer", "final_mode_differs", (None, False, True), f"{says}: on one conveyance", given=given)
        if window.mode:
            given = {"entry_date": last, fact: (day - DAY).isoformat()}
            yield make("mode", "mode", (None, *window.mode, "other"), f"{says}: by {' or '.join(window.mode)}", given=given)
