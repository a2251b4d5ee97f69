"""The facts of a line: read strictly into canonical names and exact types, or refused with the field and the fix.

A fact is known (a value) or unknown (absent or null). Absent never means false.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from types import UnionType
from typing import TYPE_CHECKING, Any

from tariff_engine.evaluate.words import dotted
from tariff_engine.money import whole_dollars
from tariff_engine.problems import Problem, ProblemError, refuse

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.law import Contradiction, FactSpec, Law
    from tariff_engine.notation.model import Contradiction as ContradictionModel
    from tariff_engine.notation.model import Fact


_MAX_MONEY = Decimal(10) ** 12
_MAX_NUMBER = Decimal(10) ** 15
_MAX_MAGNITUDE = 30
_FINEST = Decimal("1e-12")  # sums and shares of numbers this fine stay exact in the default context
_WIDE = Context(prec=60)
_MAX_TEXT = 200
_MAX_LIST = 200
_MAX_FACTS = 300
_MAX_GUESSED = 20  # wrong names on one line for which a right name is looked up, which takes milliseconds each
_MAX_GUESSES = 1000  # wrong names whose nearest right name is remembered
_HTS_LENGTHS = (8, 10)
_CODE_LENGTHS = (4, 6, 8, 10)
_REQUIRED = ("hts", "origin", "entry_date", "value")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")

Reader = Callable[[Any], Any]


@dataclass(slots=True)
class Line:
    """A shipment line as stated. Money facts are exact decimals in dollars; `value` is in whole dollars (19 CFR 159.3(a)).

    `content` holds the whole dollars of each slice of the value that is known, such as steel or U.S. content.
    """

    facts: dict[str, Any]
    hts: str
    origin: str
    day: date
    value: int
    content: dict[str, int]


class FactReader:
    """Reads lines for one rulebook. Build it once; reading a line costs a few microseconds."""

    def __init__(self, book: Book | Law) -> None:
        """Prepare a reader for every fact of the dictionary."""
        self._book = book
        self._readers: dict[str, tuple[str, Reader]] = {}
        self._guesses: dict[str, str] = {}
        for name, fact in book.facts.items():
            reader = _hts if name == "hts" else _value_reader(name, fact, book)
            for alias in (name, *fact.aliases):
                self._readers[alias] = (name, reader)
        self.personal = frozenset(alias for name, fact in book.facts.items() if fact.personal for alias in (name, *fact.aliases))
        self._slices = [(name, piece.facts[0], piece.facts) for name, piece in book.slices.items()]
        self._contradictions: tuple[Contradiction | ContradictionModel, ...] = tuple(book.contradictions)
        self._content_facts = frozenset(fact for piece in book.slices.values() for fact in piece.facts)

    def read(self, raw: Mapping[str, Any]) -> Line:
        """Read one line. Raises ProblemError, with every fact at fault: unknown name, wrong type, missing or contradictory, out of range."""
        try:
            return self._read(raw)
        except ProblemError as error:
            raise self._with_others(raw, error) from None

    def fact(self, name: str, value: Any) -> Any:
        """Return the value of one fact as a line with it would hold it. Raises ProblemError as `read` does."""
        return self._readers[name][1](value)

    def _with_others(self, raw: Mapping[str, Any], error: ProblemError) -> ProblemError:
        """Go on after the first defect, and tell the others with it."""
        others: list[Problem] = []
        stated: set[str] = set()
        for key, value in list(raw.items())[:_MAX_FACTS]:
            found = self._readers.get(key)
            stated.add(found[0] if found else "")
            try:
                if found is None:
                    raise self._unknown(key, guess=len(others) < _MAX_GUESSED)
                if value is not None:
                    found[1](value)
            except ProblemError as other:
                others.append(other.problem)
        others += [self._missing(name).problem for name in _REQUIRED if name not in stated]
        return ProblemError(replace(error.problem, also=tuple(other for other in others if other != error.problem)))

    def wrong_names(self, names: Iterable[str]) -> list[Problem]:
        """Return what is wrong with every line that states facts by these names: names of no fact, and facts that a line must state."""
        given = list(names)
        stated = {self._readers[name][0] for name in given if name in self._readers}
        unknown = [name for name in given if name not in self._readers]
        return [self._unknown(name, guess=place < _MAX_GUESSED).problem for place, name in enumerate(unknown)] + [
            self._missing(name).problem for name in _REQUIRED if name not in stated
        ]

    def _missing(self, name: str) -> ProblemError:
        return refuse("fact_missing", name, f"{name} is missing", f"send {name}: {self._book.facts[name].what or name}")

    def _read(self, raw: Mapping[str, Any]) -> Line:
        facts: dict[str, Any] = {}
        readers = self._readers
        if len(raw) > _MAX_FACTS:
            raise refuse("too_many_facts", "line", f"{len(raw)} facts on one line", f"send at most {_MAX_FACTS}")
        for key, value in raw.items():
            found = readers.get(key)
            if found is None:
                raise self._unknown(key)
            if value is None:
                continue
            name, reader = found
            if name in facts:
                raise refuse("fact_stated_twice", str(key), f"{key} is another name of {name}, which is stated too", "send it once")
            facts[name] = reader(value)
        for name in _REQUIRED:
            if name not in facts:
                raise self._missing(name)
        if self._contradictions:
            self._refuse_contradictions(facts)
        value = whole_dollars(facts["value"])
        content = self._content(facts, value) if not self._content_facts.isdisjoint(facts) else {}
        return Line(facts, facts["hts"], facts["origin"], facts["entry_date"], value, content)

    def with_facts(self, line: Line, more: Mapping[str, Any]) -> Line:
        """Return the line with other facts stated as well. Raises ProblemError as `read` does."""
        facts = {**line.facts, **{name: self._readers[name][1](value) for name, value in more.items()}}
        if self._contradictions:
            self._refuse_contradictions(facts)
        content = self._content(facts, line.value) if not self._content_facts.isdisjoint(facts) else {}
        return Line(facts, line.hts, line.origin, line.day, line.value, content)

    def _refuse_contradictions(self, facts: dict[str, Any]) -> None:
        for rule in self._contradictions:
            if rule.field not in facts or (rule.origin_not and facts["origin"] in rule.origin_not):
                continue
            if rule.after and not _is_after(facts, *rule.after):
                continue
            if all(facts.get(name) == wanted for name, wanted in rule.facts.items()):
                raise refuse("contradictory_facts", rule.field, rule.says, rule.fix)

    def _unknown(self, key: Any, *, guess: bool = True) -> ProblemError:
        if not isinstance(key, str):
            return refuse("unknown_fact", "line", f"a fact name must be text, not {type(key).__name__}", "see the fact dictionary")
        if not key.strip():
            return refuse("unknown_fact", "line", "a fact has no name", "see the fact dictionary")
        wanted = key[:_MAX_TEXT]
        fix = self._guesses.get(wanted)
        if fix is None and not guess:
            fix = "`tariff rules facts` lists every name"
        if fix is None:  # a column with a wrong name comes with every line: it is looked up once
            near = difflib.get_close_matches(wanted, list(self._readers), n=1)
            fix = f"did you mean {near[0]}?" if near else "`tariff rules facts` lists every name"
            if len(self._guesses) < _MAX_GUESSES:
                self._guesses[wanted] = fix
        return refuse("unknown_fact", key[:60], f"{key[:60]} is no fact of the dictionary", fix)

    def _content(self, facts: dict[str, Any], value: int) -> dict[str, int]:
        """Cut the value: whole dollars for each slice that is stated, in dollars or as a share."""
        stated: dict[str, Decimal] = {}
        for name, money_fact, sources in self._slices:
            if money_fact in facts:
                stated[name] = facts[money_fact]
                continue
            share = next((facts[source] for source in sources[1:] if source in facts), None)
            if share is not None:
                stated[name] = facts[money_fact] = share * value / 100
        if sum(stated.values()) > max(facts["value"], value):
            names = ", ".join(name.replace("_", " ") for name in stated)
            raise refuse(
                "contents_above_value",
                next(money for name, money, _ in self._slices if name in stated),
                f"the contents stated ({names}) are worth more than the line",
                "state contents whose sum is at most the entered value",
            )
        content, left = {}, value
        for name, amount in stated.items():  # rounded parts never exceed the rounded whole
            content[name] = min(whole_dollars(amount), left)
            left -= content[name]
        return content


def _is_after(facts: Mapping[str, Any], first: str, second: str) -> bool:
    return first in facts and second in facts and facts[first] > facts[second]


def _wrong(name: str, value: Any, wanted: str) -> Exception:
    shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."  # noqa: PLR2004
    return refuse("wrong_type", name, f"{name} is {shown}", f"send {wanted}")


def _hts(value: Any) -> str:
    if isinstance(value, str):
        code = value.replace(".", "") if len(value) <= 20 else ""  # noqa: PLR2004
        if len(code) in _HTS_LENGTHS and code.isascii() and code.isdigit():
            return code
    raise _wrong("hts", value, 'the HTS number as text with 8 or 10 digits, such as "8703.23.01.90"')


def _value_reader(name: str, fact: Fact | FactSpec, book: Book | Law) -> Reader:
    if fact.type == "bool":
        return lambda value: value if value is True or value is False else _raise(_wrong(name, value, "true or false"))
    if fact.type == "date":
        return lambda value: read_day(name, value)
    if fact.type in {"usd", "pct", "number"}:
        return _number_reader(name, fact)
    if fact.type == "country":
        allowed = frozenset(book.countries) | frozenset(fact.values)
        return lambda value: _country(name, value, allowed)
    if fact.type == "list":
        return lambda value: _list(name, value)
    if fact.type == "cases":
        return lambda value: _cases(name, value)
    if fact.type == "map":
        return lambda value: _quantities(name, value)
    if fact.starts:
        start = fact.starts
        return lambda value: _number_of_schedule(name, value, start)
    choices = frozenset(fact.values)
    return lambda value: _text(name, value, choices)


def _raise(error: Exception) -> Any:
    raise error


def _number_reader(name: str, fact: Fact | FactSpec) -> Reader:
    low = Decimal(0 if fact.min is None else fact.min)
    high = (
        Decimal(fact.max)
        if fact.max is not None
        else Decimal(100)
        if fact.type == "pct"
        else _MAX_MONEY
        if fact.type == "usd"
        else _MAX_NUMBER
    )

    def read(value: Any) -> Decimal:
        number = exact(name, value)
        if not low <= number <= high:
            raise refuse("out_of_range", name, f"{name} is {value}", f"send a number from {low} to {high:f}")
        return number

    return read


def exact(name: str, value: Any) -> Decimal:
    """Return a number exactly as it was written. Raises ProblemError for floats, NaN, infinities and other types."""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value) if abs(value) < 10**30 else Decimal("NaN")
    elif isinstance(value, str) and 0 < len(value) <= 40 and value.isascii() and "_" not in value:  # noqa: PLR2004
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise _wrong(name, value, 'a number such as 1234.56, or as text "1234.56"') from None
    elif isinstance(value, float):
        raise refuse("inexact_number", name, f"{name} is a binary float", 'send a decimal number, or text such as "1234.56"')
    else:
        raise _wrong(name, value, 'a number such as 1234.56, or as text "1234.56"')
    if not number.is_finite() or number.adjusted() > _MAX_MAGNITUDE or number != number.quantize(_FINEST, context=_WIDE):
        raise _wrong(name, value, "a finite number with at most 12 decimals")
    return number


def read_day(name: str, value: Any) -> date:
    """Return a day that is stated as a date or as YYYY-MM-DD. Raises ProblemError: anything else, a moment too."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _wrong(name, value, "a day as YYYY-MM-DD")


def _country(name: str, value: Any, allowed: frozenset[str]) -> str:
    if isinstance(value, str) and _COUNTRY.match(value) and (value in allowed or not allowed):
        return value
    if isinstance(value, str) and _COUNTRY.match(value):
        raise refuse(
            "unknown_country", name, f"{value} is no ISO 3166 country code", "send the two letters of the country, such as CN or DE"
        )
    raise _wrong(name, value, "the two capital letters of ISO 3166, such as CN or DE")


def _text(name: str, value: Any, choices: frozenset[str]) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "text in quotes")
    if len(value) > _MAX_TEXT:
        raise refuse("too_long", name, f"{name} has {len(value)} characters", f"send at most {_MAX_TEXT}")
    if choices and value not in choices:
        near = difflib.get_close_matches(value, sorted(choices), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise refuse("unknown_value", name, f"{name} is {value[:60]!r}", f"send one of {', '.join(sorted(choices))}{hint}")
    return value


def _number_of_schedule(name: str, value: Any, start: str) -> str:
    """A number of the schedule that begins with some digits, dotted or not; returned as the schedule prints it."""
    digits = value.replace(".", "") if isinstance(value, str) and len(value) <= 20 else ""  # noqa: PLR2004
    if not digits.isascii() or not digits.isdigit() or len(digits) not in _CODE_LENGTHS or not digits.startswith(start):
        raise _wrong(name, value, f"a number that begins with {start}, as text with 4, 6, 8 or 10 digits")
    return dotted(digits)


def _heading(item: Any) -> Any:
    """A heading written without its dots is that heading."""
    return dotted(item) if isinstance(item, str) and len(item) == 8 and item.isascii() and item.isdigit() else item  # noqa: PLR2004


def _list(name: str, value: Any, items: type[str] | UnionType = str) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(item, items) for item in value):
        raise _wrong(name, value, "a list of texts" if items is str else "a list")
    if len(value) > _MAX_LIST:
        raise refuse("too_long", name, f"{name} has {len(value)} items", f"send at most {_MAX_LIST}")
    return [_heading(item) for item in value]


def _cases(name: str, value: Any) -> list[Any] | bool | None:
    """A list of cases, or true where they are not named; false says that there are none."""
    if isinstance(value, bool):
        return value or None
    return _list(name, value, str | dict)


def _quantities(name: str, value: Any) -> dict[str, Decimal]:
    if not isinstance(value, Mapping) or len(value) > _MAX_LIST:
        raise _wrong(name, value, 'a map from unit to number, such as {"kg": 120}')
    found: dict[str, Decimal] = {}
    for unit, amount in value.items():
        number = exact(f"{name}.{unit}"[:_MAX_TEXT], amount)
        if number < 0 or number > _MAX_NUMBER:
            raise refuse("out_of_range", f"{name}.{unit}"[:_MAX_TEXT], f"the quantity is {amount}", "send a quantity from 0 upward")
        found[str(unit)] = number
    return found
