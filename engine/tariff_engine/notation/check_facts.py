"""The dictionary of facts and the tests on it: a test that no value can pass, or that no filer is asked about, is a mistake of the rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from tariff_engine.book import Book
from tariff_engine.notation.check_places import Places, Trail, inside
from tariff_engine.notation.conditions import Test, When
from tariff_engine.notation.model import Fact
from tariff_engine.notation.program import Offset, Provision

_NUMBERS = frozenset({"usd", "pct", "number"})
_WORDS = frozenset({"text", "code", "country"})
_PERCENT = 100
_EVERY_LINE = {"hts": "code", "origin": "country", "value": "usd", "entry_date": "date"}  # what a line cannot do without
_TRANSIT = {"loaded_date": "date", "final_mode_differs": "bool"}


@dataclass(frozen=True, slots=True)
class Tested:
    """A test on a fact; `test` is None where a key of the notation looks at the fact by itself, which then has `type`."""

    trail: Trail
    fact: str
    test: bool | Test | None
    type: str = ""


def check_facts(places: Places) -> Iterator[str]:
    """Yield what is wrong with facts, slices, contradictions and the tests on facts."""
    book = places.book
    yield from _dictionary(places)
    yield from _contradictions(places)
    yield from _slices(places)
    used: set[str] = set()
    for path, model in places.models():
        for trail, thing in inside(model):
            for tested in _tests(thing, trail):
                used |= {tested.fact}
                words = _suits(book, tested)
                if words:
                    yield places.at(path, tested.trail, words)
            if isinstance(thing, Provision):
                yield from _unknowns(places, path, thing, trail)
    for name in sorted(used & set(book.facts)):
        fact = book.facts[name]
        source = book.facts[fact.ratio[0] if fact.ratio else fact.years_before_entry or name]
        if not fact.because:
            yield places.at(
                "facts.yaml", ("facts", name), "a rule tests it: say in `because` why the law takes what it takes where nobody states it"
            )
        if source.ask and not source.question:
            yield places.at(
                "facts.yaml",
                ("facts", name),
                "a rule tests it: write the question that asks for it, or ask: false where nobody is to be asked",
            )


# ---------------------------------------------------------------- tests
def _tests(thing: object, trail: Trail) -> Iterator[Tested]:
    """Yield the facts that an object of the notation looks at by itself, not through an object inside it."""
    if isinstance(thing, When):
        for name, test in (thing.facts or {}).items():
            yield Tested((*trail, "facts", name), name, test)
        if thing.claimed is not None:
            yield Tested((*trail, "claimed"), "exclusion_claims", None, "list")
        if thing.base_rate is not None:
            yield Tested((*trail, "base_rate"), "quantity", None, "map")
        window = thing.in_transit
        if window is not None:
            spot = (*trail, "in_transit")
            if window.loaded_before:
                yield from (Tested((*spot, "loaded_before"), name, None, kind) for name, kind in _TRANSIT.items())
            if window.exported_before:
                yield Tested((*spot, "exported_before"), "export_date", None, "date")
            if window.mode:
                yield Tested((*spot, "mode"), "mode", Test.model_validate({"in": window.mode}))
    elif isinstance(thing, Provision) and thing.claim_partial:
        yield Tested((*trail, "claim_partial"), thing.claim_partial, None, "bool")
    elif isinstance(thing, Offset):
        yield Tested((*trail, "credit"), thing.credit, None, "usd")


def _suits(book: Book, tested: Tested) -> str:
    fact, test, name = book.facts.get(tested.fact), tested.test, tested.fact
    if fact is None:
        return f"this looks at the fact {name}, which facts.yaml does not have; add it with type {tested.type or 'bool'}"
    if test is None:
        return "" if fact.type == tested.type else f"{name} is of type {fact.type}; here it has to be {tested.type}"
    if isinstance(test, bool):
        return "" if fact.type == "bool" else f"{name} is of type {fact.type}; {_instead(fact.type)}"
    if (test.is_ is not None or test.in_ is not None) and fact.type not in _WORDS:
        return f"{name} is of type {fact.type}; {_instead(fact.type)}"
    if any(bound is not None for bound in (test.above, test.at_least, test.below)) and fact.type not in _NUMBERS:
        return f"{name} is of type {fact.type}; {_instead(fact.type)}"
    if (test.before is not None or test.from_ is not None) and fact.type != "date":
        return f"{name} is of type {fact.type}; {_instead(fact.type)}"
    return _operands(book, name, fact, test)


def _instead(kind: str) -> str:
    if kind == "bool":
        return "test it with true or false"
    if kind == "date":
        return "test it with before or from and a day"
    if kind in _NUMBERS:
        return "test it with above, at_least or below and a number in quotes"
    return "test it with is or in and its words" if kind in _WORDS else "no test fits it"


def _operands(book: Book, name: str, fact: Fact, test: Test) -> str:
    words = [*(test.in_ or ()), *([test.is_] if test.is_ is not None else [])]
    allowed = {*fact.values, *(book.countries if fact.type == "country" else ())}
    strange = next((word for word in words if allowed and word not in allowed), None)
    if strange is not None:
        known = ", ".join(fact.values) if fact.values and fact.type != "country" else "the codes of countries.csv"
        return f"{name} is never {strange}; write one of {known}, or add it to the values of the fact"
    bounds = [Decimal(bound) for bound in (test.above, test.at_least, test.below) if bound is not None]
    if fact.type == "pct" and any(bound > _PERCENT for bound in bounds):
        return f"{name} is a percentage: no test goes beyond 100"
    low = max((Decimal(bound) for bound in (test.above, test.at_least) if bound is not None), default=None)
    if low is not None and test.below is not None and low >= Decimal(test.below):
        return f"no number is at least {low} and below {test.below}; exchange them"
    if test.before is not None and test.from_ is not None and test.from_ >= test.before:
        return f"no day is from {test.from_} on and before {test.before}; exchange them"
    return ""


def _unknowns(places: Places, path: str, provision: Provision, trail: Trail) -> Iterator[str]:
    """Yield what a provision takes for facts that it does not test, or in values that they cannot have."""
    tested = {test.fact for where, thing in inside(provision) for test in _tests(thing, where)}
    for name, rule in provision.if_unknown.items():
        spot = (*trail, "if_unknown", name)
        if name not in tested:
            yield places.at(path, spot, f"{provision.id} does not test {name}; test it in `when`, or take this out")
        if not rule.because:
            yield places.at(path, (*spot, "because"), "say why the law takes this")
        words = _takes(places.book, places.book.facts[name], rule.take)
        if words:
            yield places.at(path, (*spot, "take"), f"{name} {words}")


def _takes(book: Book, fact: Fact, take: bool | str | None) -> str:
    """Say why a fact cannot have the value that law takes for it; nothing where it can."""
    if take is None:
        return ""
    if fact.type == "bool":
        return "" if isinstance(take, bool) else "is true or false; take one of them"
    if fact.type in _NUMBERS:
        return "" if isinstance(take, str) and _number(take) is not None else 'is a number; take one in quotes, such as "1"'
    if fact.type in _WORDS:
        allowed = {*fact.values, *(book.countries if fact.type == "country" else ())}
        return "" if isinstance(take, str) and (not allowed or take in allowed) else "has a list of values; take one of them"
    return f"is of type {fact.type}, of which no value can be taken; leave `take` out"


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


# ---------------------------------------------------------------- the dictionary
def _dictionary(places: Places) -> Iterator[str]:
    book = places.book
    for name, kind in _EVERY_LINE.items():
        if name not in book.facts or book.facts[name].type != kind:
            yield places.at("facts.yaml", ("facts", name), f"every line states {name}; add it with type {kind}")
    names: dict[str, str] = {name: name for name in book.facts}
    for name, fact in book.facts.items():
        for words in _definition(book, name, fact):
            yield places.at("facts.yaml", ("facts", name), words)
        for alias in fact.aliases:
            if alias in names:
                yield places.at(
                    "facts.yaml", ("facts", name, "aliases"), f"{alias} already stands for {names[alias]}; give {name} another alias"
                )
            names.setdefault(alias, name)


def _contradictions(places: Places) -> Iterator[str]:
    book = places.book
    for place, rule in enumerate(book.contradictions):
        trail = ("contradictions", place)
        if rule.field not in {*rule.facts, *(rule.after or ())}:
            yield places.at("facts.yaml", (*trail, "field"), f"{rule.field} is none of the facts that contradict; name one of them")
        for fact_name, wanted in rule.facts.items():
            words = _takes(book, book.facts[fact_name], wanted)
            if words:
                yield places.at("facts.yaml", (*trail, "facts", fact_name), f"{fact_name} {words}")
        for fact_name in rule.after or ():
            if book.facts[fact_name].type != "date":
                yield places.at(
                    "facts.yaml", (*trail, "after"), f"{fact_name} is of type {book.facts[fact_name].type}; only days follow one another"
                )


def _definition(book: Book, name: str, fact: Fact) -> Iterator[str]:
    words = _takes(book, fact, fact.take)
    if words:
        yield f"{name} {words}"
    if fact.values and fact.type not in _WORDS:
        yield f"{name} is of type {fact.type}; only text, code and country have a list of values"
    if (fact.min is not None or fact.max is not None) and fact.type not in _NUMBERS:
        yield f"{name} is of type {fact.type}; only usd, pct and number have bounds"
    if fact.min is not None and fact.max is not None and fact.min > fact.max:
        yield f"min {fact.min} is above max {fact.max}; exchange them"
    if fact.ratio and not all(book.facts[source].type in _NUMBERS for source in fact.ratio if source in book.facts):
        yield f"a ratio is of two numbers; {' and '.join(fact.ratio)} are not both of type usd, pct or number"
    for answer in fact.answers:
        suits = (
            _number(answer) is not None
            if fact.type in _NUMBERS
            else not _takes(book, fact, answer)
            if fact.type != "date"
            else _day(answer)
        )
        if not suits:
            yield f"{answer!r} is no answer for a fact of type {fact.type}; write one that a filer could give"


def _day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _slices(places: Places) -> Iterator[str]:
    book = places.book
    owners: dict[str, str] = {}
    dollars = {piece.facts[0] for piece in book.slices.values()}
    for name, piece in book.slices.items():
        for place, fact in enumerate(piece.facts):
            if fact not in book.facts:
                continue  # told by the loader
            wanted = "usd" if place == 0 else "pct"
            if book.facts[fact].type != wanted:
                words = f"{fact} is of type {book.facts[fact].type}; a slice names its dollars (usd) first, then its percentages (pct)"
                yield places.at("facts.yaml", ("slices", name, "facts", place), words)
            if owners.setdefault(fact, name) != name:
                yield places.at(
                    "facts.yaml",
                    ("slices", name, "facts", place),
                    f"{fact} already states the slice {owners[fact]}; give each slice facts of its own",
                )
        for place, fact in enumerate(piece.silent_if):
            if fact not in dollars - {piece.facts[0]}:
                yield places.at(
                    "facts.yaml", ("slices", name, "silent_if", place), f"{fact} is not the dollars of another slice; name its first fact"
                )
