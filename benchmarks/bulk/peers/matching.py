"""The matching step of the law book in a form that any rule engine can be given: which conditions of which provisions a line meets on its day.

The conditions are those that `tariff_engine.durable` writes for durable-rules, which is proved to answer as the engine does: comparisons on terms of
the line (a membership of a list, a rank among the thresholds of the law, a stated fact), joined by and/or, and the days of the steps in force.
What a line says of each term is told before any clock runs: no peer here reads lists of ten thousand codes.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from tariff_engine.book import Book
from tariff_engine.durable.compile import ENDED, Meaning, Ruleset, compile_rulesets
from tariff_engine.engine import Knowledge
from tariff_engine.facts import Line
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import space

Condition = dict[str, Any]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gte": operator.ge,
    "$gt": operator.gt,
    "$lte": operator.le,
    "$lt": operator.lt,
    "$neq": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a provision of the book is met."""

    about: str
    condition: Condition


class Span(NamedTuple):
    """The codes of one length that stand on a list between two days; a number that begins with one of `cut` is left out."""

    start: int
    end: int
    size: int
    codes: list[str]
    cut: tuple[str, ...]

    def has(self, number: str, day: int) -> bool:
        """Whether a product stands here on a day."""
        return self.start <= day < self.end and number[: self.size] in self.codes and not number.startswith(self.cut)


class Matching:
    """Every condition of the book, and what a line says to them."""

    def __init__(self, book: Book) -> None:
        compiled = compile_rulesets(book, date.max)
        self._teller, self._terms = compiled.teller, compiled.terms
        self.rules = [rule for ruleset in compiled.rulesets for rule in _rules(ruleset)]
        self.names = sorted({name for rule in self.rules for name in names(rule.condition)})

    def lists(self) -> dict[str, list[Span]]:
        """The lists that rules ask for, by the name of their term, for a peer that reads them itself."""
        found = {}
        for place, term in enumerate(self._terms):
            if term.kind == "listed" and not term.admission and f"t{place}" in self.names:
                spans: dict[tuple[int, int, int, tuple[str, ...]], list[str]] = {}
                for row in self._teller.book.tables[term.about[0]].rows:
                    if not self._teller.book.visible(row.by or None, row.withdrawn_by or None, self._teller.known_on):
                        continue
                    spans.setdefault((row.from_.toordinal(), row.until.toordinal(), len(row.hts), row.excepted), []).append(row.hts)
                found[f"t{place}"] = [Span(*key[:3], sorted(codes), key[3]) for key, codes in spans.items()]
        return found

    def told(self, known: Knowledge, line: Line) -> dict[str, Any]:
        """What the line says to every term that a rule names."""
        base = known.evaluate(line)[1]
        ave = None if base.base.exact is None else base.base.ave
        found = {f"t{place}": self._teller.tell(term, line, base.column, ave) for place, term in enumerate(self._terms)}
        found |= {"day": line.day.toordinal(), "entered": line.day.toordinal()}
        return {name: found[name] for name in self.names}

    def expected(self, told: Mapping[str, Any]) -> set[int]:
        """The rules that are met, by the plainest way to find out."""
        return {number for number, rule in enumerate(self.rules) if holds(rule.condition, told)}


def _rules(ruleset: Ruleset) -> list[Rule]:
    terms = {alias: f"t{place}" for alias, place in ruleset.asked}
    nodes = {node.id: node for node in ruleset.nodes}
    steps: dict[str, list[Condition]] = {name: [] for name in nodes}
    for rule, meaning in ruleset.meanings.items():
        if meaning.kind == "step" and meaning.place != ENDED and not _idle(nodes[meaning.about], meaning):
            steps[meaning.about].append(_renamed(ruleset.rules[rule][0]["day"], {}))
    live = {name: _spans(found, sorted(ruleset.days)) for name, found in steps.items()}
    found = []
    for rule, meaning in ruleset.meanings.items():
        if meaning.kind in {"holds", "ready"} and live[meaning.about]:
            condition = _renamed(ruleset.rules[rule][0]["line"], terms)
            found.append(Rule(meaning.about, _joined("$and", [_joined("$or", live[meaning.about]), *condition.get("$and", [condition])])))
    return found


def _idle(node: Any, meaning: Meaning) -> bool:
    step = node.provision.steps[meaning.place]
    return bool(step.ended or step.authorized)


def _spans(steps: list[Condition], days: list[int]) -> list[Condition]:
    """Return the spans of days on which one of the steps is in force, as few as there are."""
    found: list[list[int | None]] = []
    for place, day in enumerate(days):
        if any(holds(step, {"day": day, "entered": day}) for step in steps):
            until = days[place + 1] if place + 1 < len(days) else None
            if found and found[-1][1] == day:
                found[-1][1] = until
            else:
                found.append([day, until])
    return [_joined("$and", [{"$gte": {"day": start}}, *([{"$lt": {"day": end}}] if end else [])]) for start, end in found]


def _joined(key: str, parts: list[Condition]) -> Condition:
    kept = [inner for part in parts if part for inner in (part["$and"] if key == "$and" and "$and" in part else [part])]
    return kept[0] if len(kept) == 1 else {key: kept}


def _renamed(condition: Condition, terms: Mapping[str, str]) -> Condition:
    """Return a condition with the terms by their places in the book, without what told one ruleset of durable-rules from another."""
    ((key, value),) = condition.items()
    if key in {"$and", "$or"}:
        parts = [part for inner in value if (part := _renamed(inner, terms))]
        return {key: parts} if len(parts) > 1 else (parts[0] if parts else {})
    if key in COMPARE:
        ((name, bound),) = value.items()
        return {key: {terms.get(name, name): bound}}
    return {} if key == "t" or key.startswith("live") else {terms.get(key, key): value}


def names(condition: Condition) -> set[str]:
    """The terms of a condition."""
    ((key, value),) = condition.items()
    if key in {"$and", "$or"}:
        return {name for part in value for name in names(part)}
    return set(value) if key in COMPARE else {key}


def holds(condition: Condition, told: Mapping[str, Any]) -> bool:
    """Whether a line meets a condition."""
    ((key, value),) = condition.items()
    if key == "$and":
        return all(holds(part, told) for part in value)
    if key == "$or":
        return any(holds(part, told) for part in value)
    if key in COMPARE:
        ((name, bound),) = value.items()
        return COMPARE[key](told[name], bound)
    return bool(told[key] == value)


def lines(known: Knowledge, count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Lines as brokers send them: any number of the schedule, the book's origins, five hundred days, few facts; each can be answered."""
    where, rng, found = space(known), random.Random(seed), list[dict[str, Any]]()
    first = known.law.horizon - timedelta(days=600)
    while len(found) < count:
        value = rng.randrange(500, 250_000)
        line: dict[str, Any] = {
            "hts": rng.choice(where.codes),
            "origin": rng.choice(where.origins),
            "entry_date": first + timedelta(days=rng.randrange(500)),
            "value": value,
        }
        if rng.random() < 0.2:
            line["steel_content_value"] = value // 3
        if rng.random() < 0.3:
            line["usmca_qualifying"] = False
        try:
            known.evaluate(known.read(line))
        except (ProblemError, LawConflictError):
            continue
        found.append(line)
    return found
