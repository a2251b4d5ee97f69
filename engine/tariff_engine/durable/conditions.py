"""Conditions of the notation as conditions of durable-rules.

The notation asks three-valued and takes an assumption where it stays undecided. That comes to: a test on a fact that nobody stated has the
value that the law takes for it. So a condition is written here in two values, once as itself and once as its opposite, the negation pushed
inward to the single comparisons, and each comparison says for itself what it makes of a fact that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.durable.terms import AVE, ENTERED, Teller, Term, day_number
from tariff_engine.evaluate.parts import NOTHING
from tariff_engine.notation.conditions import BaseRate, InTransit, NotOrigin, Products, SubjectTo, Test, When

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node

Condition = dict[str, Any]
"""A condition on one fact in the form that durable-rules reads."""


@dataclass(frozen=True, slots=True)
class Fits:
    """A comparison on the line."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Owes:
    """Whether another duty stands (`wanted` false: none does)."""

    test: SubjectTo
    wanted: bool


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts it always does."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Some:
    """One part holds; without parts none does."""

    parts: tuple[Formula, ...] = ()


Formula = Fits | Owes | All | Some
ALWAYS, NEVER = All(), Some()
_OPPOSITE = {"above": "at_most", "at_least": "below", "below": "at_least"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One way in which a condition holds: what the line must be, the duties of which one must stand, those of which none may."""

    line: tuple[Condition, ...] = ()
    owed: tuple[SubjectTo, ...] = ()
    free: tuple[SubjectTo, ...] = ()


def both(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction, shortened."""
    kept: list[Formula] = []
    for part in parts:
        if part == NEVER:
            return NEVER
        kept.extend(part.parts if isinstance(part, All) else (part,))
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def either(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction, shortened."""
    kept: list[Formula] = []
    for part in parts:
        if part == ALWAYS:
            return ALWAYS
        kept.extend(part.parts if isinstance(part, Some) else (part,))
    return kept[0] if len(kept) == 1 else Some(tuple(kept))


class Writer:
    """Writes the conditions of one provision; `terms` collects what they want to be told of a line."""

    def __init__(self, book: Book, teller: Teller, node: Node | None, terms: dict[Term, str]) -> None:
        """Take the provision whose assumptions and heading count; without one nothing is assumed, and what is not known does not hold."""
        self.book, self.teller, self.node, self.terms = book, teller, node, terms
        self.admission = bool(node and node.program.ftz and node.program.ftz.rate_of == "admission")

    def _name(self, kind: str, *about: str, admission: bool = False) -> str:
        return self.terms.setdefault(Term(kind, about, admission), f"x{len(self.terms)}")

    def _is(self, holds: bool, kind: str, *about: str, admission: bool = False) -> Formula:
        return Fits({self._name(kind, *about, admission=admission): holds})

    # ------------------------------------------------------------ the keys of a condition
    def when(self, when: When, wanted: bool = True) -> Formula:
        """Return the condition, or its opposite."""
        parts: list[Formula] = []
        if when.origin is not None:
            barred = isinstance(when.origin, NotOrigin)
            names = when.origin.not_ if isinstance(when.origin, NotOrigin) else when.origin
            parts.append(self._is(wanted != barred, "origin", *names))
        if when.entered is not None:
            parts.append(self._entered(when.entered.from_, when.entered.until, self._known(when.entered), wanted))
        if when.hts is not None:
            parts.append(self.products(when.hts, wanted))
        if when.column is not None:
            parts.append(self._one_of("column", when.column, wanted))
        if when.base_rate is not None:
            parts.append(self._base_rate(when.base_rate, wanted))
        if when.in_transit is not None:
            parts.append(self._in_transit(when.in_transit, wanted))
        parts += [self.fact(name, test, wanted) for name, test in (when.facts or {}).items()]
        if when.claimed is not None:
            parts.append(self._is(wanted == when.claimed, "claim", self.node.heading if self.node else ""))
        if when.any is not None:
            parts.append((either if wanted else both)([self.when(inner, wanted) for inner in when.any]))
        if when.not_ is not None:
            parts.append(self.when(when.not_, not wanted))
        if when.subject_to is not None:
            parts.append(Owes(when.subject_to, wanted))
        return (both if wanted else either)(parts)

    def _known(self, dated: Any) -> bool:
        return self.book.visible(dated.by, dated.withdrawn_by, self.teller.known_on)

    def _entered(self, start: date | None, end: date | None, known: bool, wanted: bool) -> Formula:
        if not known:
            return NEVER if wanted else ALWAYS
        name = self._name("entered")
        parts: list[Formula] = []
        if start is not None:
            parts.append(self._later(name, "at_least", day_number(start), ENTERED, wanted))
        if end is not None:
            parts.append(self._later(name, "below", day_number(end), ENTERED, wanted))
        return (both if wanted else either)(parts)

    def _later(self, name: str, how: str, number: Fraction | int, fact: str, wanted: bool) -> Formula:
        """Return a comparison with a threshold, or its opposite."""
        exact = Fraction(number)
        self.teller.threshold(fact, exact)
        return Fits({"later": Later(name, how if wanted else _OPPOSITE[how], exact, fact)})

    def products(self, products: Products, wanted: bool = True) -> Formula:
        """Return a condition on the product, or its opposite."""
        parts: list[Formula] = []
        if products.in_ is not None or products.starts is not None:
            ways = [self._is(wanted, "listed", name, admission=self.admission) for name in products.in_ or ()]
            if products.starts:
                ways.append(self._is(wanted, "starts", *products.starts))
            parts.append((either if wanted else both)(ways))
        parts += [self._is(not wanted, "listed", name, admission=self.admission) for name in products.not_in or ()]
        if products.chapter:
            parts.append(self._one_of("chapter", products.chapter, wanted))
        if products.not_chapter:
            parts.append(self._one_of("chapter", products.not_chapter, not wanted))
        return (both if wanted else either)(parts)

    def _one_of(self, kind: str, values: Iterable[str], wanted: bool) -> Formula:
        name = self._name(kind)
        if wanted:
            return either([Fits({name: value}) for value in values])
        return both([Fits({"$neq": {name: value}}) for value in values])

    def _base_rate(self, bounds: BaseRate, wanted: bool) -> Formula:
        """A rate that is not known is neither in nor out of bounds."""
        name = self._name("ave")
        parts = [self._later(name, "at_least", bounds.at_least, AVE, wanted)] if bounds.at_least is not None else []
        if bounds.below is not None:
            parts.append(self._later(name, "below", bounds.below, AVE, wanted))
        return both([Fits({"$gte": {name: 0}}), (both if wanted else either)(parts)])

    def _in_transit(self, window: InTransit, wanted: bool) -> Formula:
        parts = [self._entered(None, window.entered_before, known=True, wanted=wanted)]
        if window.loaded_before:
            parts.append(self.fact("loaded_date", Test(before=window.loaded_before), wanted))
            if not window.or_final_mode:
                parts.append(self.fact("final_mode_differs", test=False, wanted=wanted))
        if window.exported_before:
            parts.append(self.fact("export_date", Test(before=window.exported_before), wanted))
        if window.mode:
            parts.append(self.fact("mode", Test.model_validate({"in": window.mode}), wanted))
        return (both if wanted else either)(parts)

    # ------------------------------------------------------------ facts
    def fact(self, name: str, test: bool | Test, wanted: bool = True) -> Formula:
        """Return a test on a fact, or its opposite; where nobody states the fact, on what the law takes for it."""
        goes = self._unknown_goes(name, test, wanted)
        if isinstance(test, bool):
            term, good = self._name("flag", name), "yes" if test == wanted else "no"
            bad = "no" if good == "yes" else "yes"
            return Fits({"$neq": {term: bad}}) if goes else Fits({term: good})
        known = self._name("known", name)
        compared = both([Fits({known: True}), (both if wanted else either)(self._compare(name, test, wanted))])
        unknown: Formula = Fits({known: False})
        others = [self._name("some", other) for other in self._other_contents(name)]
        if others:  # where there is some of another content, one that is left out is nothing
            none_of_it = accepts(NOTHING, test) == wanted
            alone = both([unknown, *(Fits({other: False}) for other in others)])
            beside = both([unknown, either([Fits({other: True}) for other in others])])
            return either([*([alone] if goes else ()), *([beside] if none_of_it else ()), compared])
        return either([unknown, compared]) if goes else compared

    def _other_contents(self, name: str) -> list[str]:
        """Return the contents of which some says that one which nobody stated is nothing; none where the fact is no content."""
        piece = next((piece for piece in self.book.slices.values() if piece.facts[0] == name), None)
        return [] if piece is None else self.book.contents(piece.silent_if)

    def _unknown_goes(self, name: str, test: bool | Test, wanted: bool) -> bool:
        """Whether a fact that nobody stated meets the test (or its opposite), by what the law takes for it."""
        if self.node is None:
            return False
        rule = self.node.provision.if_unknown.get(name) or self.book.facts[name]
        return (rule.take is not None and accepts(rule.take, test)) == wanted

    def _compare(self, name: str, test: Test, wanted: bool) -> list[Formula]:
        parts: list[Formula] = []
        for texts in ([test.is_] if test.is_ is not None else None, test.in_):
            if texts is not None:
                term = self._name("text", name)
                choices: list[Formula] = [Fits({term: f"={text}"} if wanted else {"$neq": {term: f"={text}"}}) for text in texts]
                parts.append((either if wanted else both)(choices))
        for how, bound in (("above", test.above), ("at_least", test.at_least), ("below", test.below)):
            if bound is not None:
                parts.append(self._later(self._name("rank", name), how, Fraction(bound), name, wanted))
        for how, day in (("below", test.before), ("at_least", test.from_)):
            if day is not None:
                parts.append(self._later(self._name("rank", name), how, day_number(day), name, wanted))
        return parts


@dataclass(frozen=True, slots=True)
class Later:
    """A comparison with a threshold; its rank is known once every threshold is."""

    term: str
    how: str
    number: Fraction
    fact: str

    def condition(self, teller: Teller) -> Condition:
        """Return the comparison of ranks: 2n is below the n-th threshold, 2n + 1 on it, 2n + 2 above."""
        on = teller.rank(self.fact, self.number)
        return {
            "above": {"$gt": {self.term: on}},
            "at_least": {"$gte": {self.term: on}},
            "below": {"$lt": {self.term: on}},
            "at_most": {"$lte": {self.term: on}},
        }[self.how]


def accepts(value: Any, test: bool | Test) -> bool:
    """Whether what the law takes for an unknown fact passes a test."""
    if isinstance(test, bool):
        return bool(value) is test
    texts = [test.is_] if test.is_ is not None else test.in_
    good = texts is None or str(value) in texts
    number = Fraction(value) if {test.above, test.at_least, test.below} != {None} else Fraction(0)
    good = good and (test.above is None or number > Fraction(test.above)) and (test.at_least is None or number >= Fraction(test.at_least))
    good = good and (test.below is None or number < Fraction(test.below))
    if test.before is None and test.from_ is None:
        return good
    day = value if isinstance(value, date) else date.fromisoformat(value)
    return good and (test.before is None or day < test.before) and (test.from_ is None or day >= test.from_)


def clauses(formula: Formula, teller: Teller) -> list[Clause]:
    """Return the ways in which a formula holds; alternatives on the line alone stay together in one of them."""
    if isinstance(formula, Fits):
        return [Clause((_settled(formula.condition, teller),))]
    if isinstance(formula, Owes):
        return [Clause(owed=(formula.test,))] if formula.wanted else [Clause(free=(formula.test,))]
    if isinstance(formula, All):
        found = [Clause()]
        for part in formula.parts:
            more = clauses(part, teller)
            found = [Clause(a.line + b.line, a.owed + b.owed, a.free + b.free) for a in found for b in more]
        return found
    found = [way for part in formula.parts for way in clauses(part, teller)]
    plain = [way for way in found if not way.owed and not way.free]
    rest = [way for way in found if way.owed or way.free]
    if len(plain) > 1:
        plain = [] if rest and not plain else [Clause((conjunction_of_ways(plain),))]
    return [*plain, *rest]


def conjunction_of_ways(ways: list[Clause]) -> Condition:
    """Return one condition for several ways that ask of the line alone."""
    return {"$or": [conjunction(way.line) for way in ways]}


def conjunction(conditions: Iterable[Condition]) -> Condition:
    """Return one condition for several that must all hold."""
    found = tuple(conditions)
    if not found:
        message = "a condition that always holds has no place among alternatives"
        raise ValueError(message)
    return found[0] if len(found) == 1 else {"$and": list(found)}


def _settled(condition: Condition, teller: Teller) -> Condition:
    later = condition.get("later")
    return later.condition(teller) if isinstance(later, Later) else condition


__all__ = ["ALWAYS", "NEVER", "Clause", "Condition", "Writer", "clauses", "conjunction"]
