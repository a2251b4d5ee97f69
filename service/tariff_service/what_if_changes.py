"""The changes of facts that a filer could truthfully hold, for a line: open facts answered, claims made, days moved. Nothing is judged here.

Never changed are the number, the origin and the value, nor any fact that is stated, but for a measured share that lies near a step and the day
of an entry that is not made yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, islice, product
from typing import TYPE_CHECKING, Any

from tariff_service.boundary_days import boundary_days
from tariff_service.special_claims import special_claims

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line
    from tariff_engine.law import FactSpec

KINDS = {
    "claim": "a claim that nobody made",
    "special_program": "a special program that nobody claimed",
    "exclusion": "an exclusion that nobody claimed",
    "content": "a part of the value stated instead of unknown",
    "fact": "a fact that nobody stated",
    "together": "two facts that only together change the duty",
    "threshold": "a stated measure that lies near a step of the law",
    "entry_date": "a day of entry on the other side of a step",
}
"""The kinds of changes, and what each means."""
_CLAIMS, _ENTRY_DATE, _QUANTITY = "exclusion_claims", "entry_date", "quantity"
_MOST_PAIRS, _MOST_WORDS = 120, 6
_DAY = timedelta(days=1)
_NUMBERS = frozenset({"pct", "number", "usd"})
_NEVER = frozenset({"hts", "origin", "value", _QUANTITY, "export_country", "consignee", "entry_type"})
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Facts to state, or to state otherwise. `stated` is what the line says now of a fact that it states; `cite` of the program claimed.

    `example`: the amount stands for any amount.
    """

    kind: str
    facts: dict[str, Any]
    stated: Any = None
    cite: str = ""
    title: str = ""
    example: bool = False


def changes(knowledge: Knowledge, line: Line, answer: Data, days: int) -> Iterator[Change]:
    """Yield the changes to try on a line. `answer` is the line's, with its questions; `days`: how far the day of entry may move."""
    yield from _open_facts(knowledge, line, answer)
    yield from (
        Change("exclusion", {_CLAIMS: [*line.facts.get(_CLAIMS, ()), saving["answer"]]})
        for saving in answer["savings"]
        if saving["fact"] == _CLAIMS
    )
    for claim in special_claims(knowledge, line):
        yield Change("special_program", claim.facts, cite=claim.cite, title=claim.program)
    yield from _near(knowledge, line)
    yield from _moved(knowledge, line, days)


def pairs(knowledge: Knowledge, line: Line, answer: Data) -> Iterator[Change]:
    """Yield pairs of open facts of which neither lowers the duty by itself: smelted and cast in one country."""
    linked = [
        question for question in answer["questions"] if not any(option["difference"].startswith("-") for option in question["answers"])
    ]
    relevant = knowledge.inquirer.evaluate(line).relevant
    tell = knowledge.inquirer.answers.of
    values = {one["fact"]: tell(line, one["fact"], relevant)[:_MOST_WORDS] for one in linked if one["fact"] not in _NEVER}
    tried = ((one, two, first, second) for one, two in combinations(values, 2) for first, second in product(values[one], values[two]))
    for one, two, first, second in islice(tried, _MOST_PAIRS):
        yield Change("together", {one: first, two: second})


def _open_facts(knowledge: Knowledge, line: Line, answer: Data) -> Iterator[Change]:
    for question in answer["questions"]:
        name = question["fact"]
        if name in _NEVER:
            continue
        spec = knowledge.law.facts[name]
        kind = "claim" if spec.type == "bool" and question["taken"] is False else "content" if spec.type == "usd" else "fact"
        for option in question["answers"]:
            yield Change(kind, {name: option["answer"]})
        if spec.type == "usd" and question["answers"]:
            yield Change(kind, {name: str(line.value // 2)}, example=True)


# ---------------------------------------------------------------- measures near a step
def _near(knowledge: Knowledge, line: Line) -> Iterator[Change]:
    """Yield for each measure that is stated the nearest values below and above it at which law can change its mind, the nearest first."""
    for name, stated in line.facts.items():
        spec = knowledge.law.facts[name]
        if name in _NEVER or spec.type not in _NUMBERS or not isinstance(stated, Decimal | int) or isinstance(stated, bool):
            continue
        values = [Decimal(value) for value in _steps(knowledge, line, name, spec)]
        for side in (
            sorted((value for value in values if value < stated), reverse=True),
            sorted(value for value in values if value > stated),
        ):
            yield from (Change("threshold", {name: value}, stated=stated) for value in side)


def _steps(knowledge: Knowledge, line: Line, name: str, spec: FactSpec) -> Iterator[Any]:
    answers = knowledge.inquirer.answers
    if name in answers.shares:
        yield from (amount for amount in answers.amounts(line.value, name) if 0 < amount < line.value)  # none and all are no steps
    elif spec.type != "usd":
        yield from (value for value in answers.representatives.get(name, ()) if isinstance(value, Decimal | int))


# ---------------------------------------------------------------- days
def _moved(knowledge: Knowledge, line: Line, days: int) -> Iterator[Change]:
    """Yield the days of entry on the other side of each step within so many days: the last before it, or the first from it on."""
    first = max(knowledge.law.start, line.day - timedelta(days=days))
    last = min(date.max - _DAY, line.day + timedelta(days=days))
    found = {step if step > line.day else step - _DAY for step in boundary_days(knowledge.law, line.facts, first, last + _DAY)}
    for day in sorted(found - {line.day}, key=lambda day: (abs(day - line.day), day)):
        if first <= day <= last:
            yield Change("entry_date", {_ENTRY_DATE: day}, stated=line.day)
