"""The rule files compiled into rulesets of durable-rules: one for every few provisions of a program, and two for all law.

A ruleset holds at most `MOST` provisions: durable fails where some eighty rules match one fact. Dates are conditions like any other. Every rule
says what it means (`Meaning`), and does nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.durable.conditions import Clause, Condition, Formula, Writer, clauses, conjunction
from tariff_engine.durable.terms import Teller, Term, day_number
from tariff_engine.notation.conditions import SubjectTo
from tariff_engine.problems import RulebookError

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.program import Program, Step
    from tariff_engine.notation.terms import Dated

MOST = 12
ENDED = -1
COLUMNS = ("general", "special", "column2")


class Meaning(NamedTuple):
    """What it means that a rule fired: a kind of conclusion, about which provision, with numbers that say which of its parts."""

    kind: str
    about: str
    place: int = 0
    inner: int = 0


@dataclass(slots=True)
class Ruleset:
    """One ruleset: what it wants to be told of a line, its rules with their meanings, and the named sets of provisions it asks about."""

    name: str
    nodes: tuple[Node, ...]
    terms: dict[Term, str] = field(default_factory=dict)
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    meanings: dict[str, Meaning] = field(default_factory=dict)
    sets: dict[tuple[str, ...], str] = field(default_factory=dict)
    excluded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: tuple[tuple[str, int], ...] = ()  # the terms by their names here, and by their places in the book
    days: set[int] = field(default_factory=set)  # the days on which its calendar can change
    _live: dict[str, str] = field(default_factory=dict)

    def rule(self, meaning: Meaning, *elements: dict[str, Any]) -> None:
        """Add a rule."""
        name = f"r{len(self.rules)}"
        self.rules[name], self.meanings[name] = list(elements), meaning

    def since(self, day: int) -> int:
        """Return the last day, up to a day, on which the calendar can have changed: since then it says the same."""
        return max((change for change in self.days if change <= day), default=0)

    def live(self, name: str) -> str:
        """Return the property that says that a step of a provision is in force."""
        if not self._live:
            self._live.update({node.id: f"live{place}" for place, node in enumerate(self.nodes)})
        return self._live[name]

    def set_of(self, names: Iterable[str]) -> str:
        """Return the property that marks the provisions of a set."""
        wanted = tuple(names)
        return self.sets.setdefault(wanted, f"set{len(self.sets)}")

    def marks(self, name: str) -> dict[str, bool]:
        """Return the properties of the sets to which a provision belongs."""
        return {mark: True for names, mark in self.sets.items() if name in names}


@dataclass(slots=True)
class Compiled:
    """The law book as rulesets, as known on a day."""

    book: Book
    known_on: date
    teller: Teller
    rulesets: tuple[Ruleset, ...]
    terms: tuple[Term, ...]  # every term of every ruleset, once
    tests: dict[str, tuple[Clause, ...]]  # the clauses of each provision that asks for other duties


def fact(kind: str, *conditions: Condition) -> Condition:
    """Return the condition on one fact of a kind."""
    return conjunction([{"t": kind}, *conditions])


TAKING = {
    "take": [
        {"attempt": {"t": "attempt"}},
        {"left": {"t": "left"}},
        {"covers": conjunction([{"t": "covers"}, {"part": {"left": "part"}}, {"by": {"attempt": "by"}}])},
    ]
}
"""An exception or relation takes a part that is left where the provision that it names covers the part."""

CHOICE = {
    "win": [
        {"ask": {"t": "ask"}},
        {"alive": conjunction([{"t": "alive"}, {"cheapest": True}, {"rank": {"ask": "rank"}}])},
        {"won$not": {"t": "won"}},
    ]
}
"""The first rank of a group with a member that stands: of several in one rank the cheapest, unless an earlier rank has won."""

_FITS = ({"$gte": {"since": 0}}, {"$gt": {"left": 0}}, {"$or": [{"partial": False}, {"claimed": True}]})
ROWS = {
    "fits": [{"row": fact("row", *_FITS)}],
    "moving": [
        {
            "row": fact(
                "row", *_FITS, {"transit": True}, {"$lt": {"loaded": 0}}, {"$lt": {"entered": 0}}, {"changed": False}, {"mode_fits": True}
            )
        }
    ],
}
"""A row of a table fits a line; or the goods were on their way in its window, and keep what it keeps for them."""


def compile_rulesets(book: Book, known_on: date) -> Compiled:
    """Compile the law book as known on a day. Formulas are all written before the first is laid out: ranks need every threshold."""
    teller = Teller(book, known_on)
    tests: dict[str, tuple[Clause, ...]] = {}
    drafts = [
        _Draft(book, known_on, teller, program, Ruleset(f"{program.program}_{place}", nodes), place == 0, tests)
        for program in book.programs
        for place, nodes in enumerate(_some([node for node in book.nodes.values() if node.program is program]))
    ]
    for draft in drafts:
        draft.write()
    rulesets = tuple(draft.lay_out() for draft in drafts)
    places: dict[Term, int] = {}
    for ruleset in rulesets:
        ruleset.asked = tuple((alias, places.setdefault(term, len(places))) for term, alias in ruleset.terms.items())
    return Compiled(book, known_on, teller, rulesets, tuple(places), tests)


def _some(nodes: list[Node]) -> Iterator[tuple[Node, ...]]:
    for start in range(0, len(nodes), MOST):
        yield tuple(nodes[start : start + MOST])


def within(what: Dated, name: str) -> list[Condition]:
    """Return the conditions that a dated thing is in effect."""
    found: list[Condition] = [{"$gte": {name: day_number(what.from_)}}] if what.from_ else []
    return [*found, {"$lt": {name: day_number(what.until)}}] if what.until else found


def outside(what: Dated, name: str) -> Condition | None:
    """Return the condition that a dated thing is not in effect; None where it always is."""
    found: list[Condition] = [{"$lt": {name: day_number(what.from_)}}] if what.from_ else []
    if what.until:
        found.append({"$gte": {name: day_number(what.until)}})
    return ({"$or": found} if len(found) > 1 else found[0]) if found else None


class _Draft:
    """Writes one ruleset."""

    def __init__(
        self,
        book: Book,
        known_on: date,
        teller: Teller,
        program: Program,
        ruleset: Ruleset,
        first: bool,
        tests: dict[str, tuple[Clause, ...]],
    ) -> None:
        self.book, self.known_on, self.teller, self.program, self.ruleset, self.first = book, known_on, teller, program, ruleset, first
        self.tests = tests
        self.formulas: list[tuple[str, Meaning, Formula]] = []

    def write(self) -> None:
        """Write every condition of the ruleset."""
        for node in self.ruleset.nodes:
            writer = Writer(self.book, self.teller, node, self.ruleset.terms)
            self._say("when", node.id, writer.when(node.provision.when))
            for place, item in enumerate(self.program.outside):
                self._say("outside", node.id, writer.when(item.when), place)
            for place, step in enumerate(node.provision.steps):
                for inner, base in enumerate(step.base_if):
                    self._say("base", node.id, writer.products(base.hts), place, inner)
            if node.provision.claim_partial:
                self._say("claim", node.id, writer.fact(node.provision.claim_partial, test=True))
        if self.first:
            plain = Writer(self.book, self.teller, None, self.ruleset.terms)
            for place, offset in enumerate(self.program.offsets):
                self._say("offset", self.program.program, plain.when(offset.when), place)

    def _say(self, kind: str, about: str, formula: Formula, place: int = 0, inner: int = 0) -> None:
        self.formulas.append((about, Meaning(kind, about, place, inner), formula))

    def lay_out(self) -> Ruleset:
        """Return the ruleset with all its rules."""
        for about, meaning, formula in self.formulas:
            gate: list[Condition] = [{self.ruleset.live(about): True}] if meaning.kind != "offset" else []
            found = clauses(formula, self.teller)
            if meaning.kind == "when":
                self._condition(about, found, gate)
                continue
            for clause in found:
                if clause.owed or clause.free:
                    message = f"{about}: {meaning.kind} asks for other duties (subject_to), which only the condition of a provision may"
                    raise RulebookError(message)
                self.ruleset.rule(meaning, {"line": fact("line", *gate, *clause.line)})
        for node in self.ruleset.nodes:
            self._steps(node)
            self._columns(node)
            self._exceptions(node)
        self._relations()
        if self.first:
            self._calendar_of_program()
        return self.ruleset

    def _condition(self, about: str, found: list[Clause], gate: list[Condition]) -> None:
        """A condition that asks for other duties waits for them: the line makes its clauses ready, the turn of the provision decides."""
        for place, clause in enumerate(found):
            asks = bool(clause.owed or clause.free)
            self.ruleset.rule(Meaning("ready" if asks else "holds", about, place), {"line": fact("line", *gate, *clause.line)})
            if asks:
                ready: list[dict[str, Any]] = [{"turn": fact("turn", {"p": about}, {f"ready{place}": True})}]
                wanted = [{f"on{number}": self._stands(test)} for number, test in enumerate(clause.owed)]
                barred = [{f"off{number}$not": self._stands(test)} for number, test in enumerate(clause.free)]
                self.ruleset.rule(Meaning("subject", about, place), *ready, *wanted, *barred)
        self.tests[about] = tuple(found)

    def _stands(self, test: SubjectTo) -> Condition:
        owed: list[Condition] = [{"owed": True}] if test.test == "owed" else []
        return fact("on", {self.ruleset.set_of(self.book.expand(test.any)): True}, {"covers": True}, *owed)

    # ------------------------------------------------------------ dates
    def _steps(self, node: Node) -> None:
        """The step that counts on a day: in effect, and no later one is; a program that ended has no other."""
        ended = self.program.ended
        ended = ended if ended and self._known(ended) else None
        if ended:
            self._changes(ended)
            self.ruleset.rule(Meaning("step", node.id, ENDED), {"day": fact("day", *within(ended, "entered"))})
        steps = [(place, step) for place, step in enumerate(node.provision.steps) if self._known(step)]
        for place, step in steps:
            self._changes(step)
            barred: list[Condition | None] = [outside(ended, "entered")] if ended else []
            barred += [outside(other, "day") for there, other in steps if self._rank(other, there) > self._rank(step, place)]
            if None not in barred:
                self.ruleset.rule(Meaning("step", node.id, place), {"day": fact("day", *within(step, "day"), *[c for c in barred if c])})

    def _changes(self, what: Dated) -> None:
        self.ruleset.days |= {day_number(day) for day in (what.from_, what.until) if day}

    def _rank(self, step: Step, place: int) -> tuple[date, date, int]:
        return step.from_, self.book.published(step.by), -place

    def _known(self, what: Dated) -> bool:
        return self.book.visible(what.by, what.withdrawn_by, self.known_on)

    def _calendar_of_program(self) -> None:
        for kind, dated in (("group", self.program.groups), ("credit", self.program.offsets)):
            for place, item in enumerate(dated):
                if self._known(item):
                    self._changes(item)
                    self.ruleset.rule(Meaning(kind, self.program.program, place), {"day": fact("day", *within(item, "entered"))})

    # ------------------------------------------------------------ the turn of a provision
    def _columns(self, node: Node) -> None:
        for place, step in enumerate(node.provision.steps):
            columns = step.columns or self.program.columns
            for column in COLUMNS:
                if column not in columns:
                    self.ruleset.rule(
                        Meaning("column", node.id, place), {"turn": fact("turn", {"p": node.id}, {"step": place}, {"column": column})}
                    )

    def _exceptions(self, node: Node) -> None:
        """An exemption takes from an exemption nothing, but from a family, whose rows may be duties."""
        for place, unless in enumerate(node.provision.unless):
            if not self._known(unless):
                continue
            mark = self.ruleset.set_of(self.book.expand(unless.any))
            turn = [{"p": node.id}, *within(unless, "entered")]
            meaning = Meaning("exception", node.id, place)
            if node.provision.family is not None:
                self.ruleset.rule(meaning, {"turn": fact("turn", *turn)}, {"on": fact("on", {mark: True})})
                continue
            self.ruleset.rule(meaning, {"turn": fact("turn", *turn, {"duty": True})}, {"on": fact("on", {mark: True})})
            self.ruleset.rule(meaning, {"turn": fact("turn", *turn, {"duty": False})}, {"on": fact("on", {mark: True}, {"duty": True})})

    def _relations(self) -> None:
        mine = {node.id for node in self.ruleset.nodes}
        for place, relation in enumerate(self.book.relations.relations):
            touched = mine.intersection(self.book.expand(relation.excludes))
            if not touched or not self._known(relation):
                continue
            mark = f"relation{place}"
            for name in touched:
                self.ruleset.excluded[name] = (*self.ruleset.excluded.get(name, ()), mark)
            owed: list[Condition] = [{"owed": True}] if relation.test == "owed" else []
            over = fact("on", {self.ruleset.set_of(self.book.expand(relation.over)): True}, *owed)
            turn = fact("turn", {mark: True}, {"duty": True}, *within(relation, "entered"))
            self.ruleset.rule(Meaning("relation", "", place), {"turn": turn}, {"on": over})
