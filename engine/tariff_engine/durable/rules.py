"""The law book in durable-rules, in one process: what a day decides, and what a ruleset concludes from one fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tariff_engine.durable.compile import CHOICE, ENDED, ROWS, TAKING, Compiled, Meaning, Ruleset
from tariff_engine.durable.session import Rulesets, Session
from tariff_engine.durable.terms import Told
from tariff_engine.evaluate.derivation import MET, Outcome, Verdict
from tariff_engine.evaluate.parts import Parts

if TYPE_CHECKING:
    from tariff_engine.book import Node
    from tariff_engine.notation.program import Step

_REMEMBERED = 50_000  # answers of rulesets to one fact
_CALENDARS = 200_000  # days of rulesets; equal ones are one


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a day alone decides in one ruleset: the steps in force, by provision and place, and what is said of the provisions without one."""

    steps: dict[str, tuple[Step, int]]
    live: dict[str, Told]
    idle: dict[str, Outcome]
    groups: tuple[int, ...]
    credits: tuple[int, ...]


class Rules:
    """The law book in durable-rules, in one process: rulesets are registered once, and answers to the same facts remembered."""

    def __init__(self, compiled: Compiled) -> None:
        """Register every ruleset."""
        self.compiled, self.book = compiled, compiled.book
        self.host = Rulesets()
        for ruleset in compiled.rulesets:
            self.host.register(ruleset.name, ruleset.rules)
        for name, rules in (("taking", TAKING), ("choice", CHOICE), ("rows", ROWS)):
            self.host.register(name, rules)
        self.home = {node.id: ruleset for ruleset in compiled.rulesets for node in ruleset.nodes}
        self.asked_in = {
            name: [ruleset for ruleset in compiled.rulesets if any(name in names for names in ruleset.sets)] for name in self.book.nodes
        }
        self.cuts = Parts(self.book)
        self._said: dict[tuple[Any, ...], tuple[Meaning, ...]] = {}
        self._calendars: dict[tuple[str, int, int], Calendar] = {}
        self._distinct: dict[tuple[str, tuple[Meaning, ...]], Calendar] = {}
        self._unmet: dict[tuple[str, int], Outcome] = {}

    def ask(self, ruleset: Ruleset, facts: dict[str, Told]) -> tuple[Meaning, ...]:
        """Return what a ruleset concludes from one fact. The same fact has the same conclusions, so they are remembered."""
        key = (ruleset.name, *facts.values())  # the names are the same for every fact of a kind
        found = self._said.get(key)
        if found is None:
            if len(self._said) >= _REMEMBERED:
                self._said.clear()
            with self.host.session(ruleset.name) as session:
                fired = session.tell(facts)
            found = self._said[key] = tuple(dict.fromkeys(ruleset.meanings[rule] for rule, _ in fired))
        return found

    def calendar(self, ruleset: Ruleset, day: int, entered: int) -> Calendar:
        """Return which steps of a ruleset are in force: on a day of entry, products and rates perhaps as of an earlier day."""
        key = (ruleset.name, day, entered)
        found = self._calendars.get(key)
        if found is None:
            if len(self._calendars) >= _CALENDARS:
                self._calendars.clear()
                self._distinct.clear()
            meanings = self.ask(ruleset, {"t": "day", "day": ruleset.since(day), "entered": ruleset.since(entered)})
            alike = (ruleset.name, meanings)
            if alike not in self._distinct:
                self._distinct[alike] = self._read(ruleset, meanings)
            found = self._calendars[key] = self._distinct[alike]
        return found

    def _read(self, ruleset: Ruleset, meanings: tuple[Meaning, ...]) -> Calendar:
        places = {found.about: found.place for found in meanings if found.kind == "step"}
        steps: dict[str, tuple[Step, int]] = {}
        idle: dict[str, Outcome] = {}
        for node in ruleset.nodes:
            place = places.get(node.id)
            step = node.program.ended if place == ENDED else node.provision.steps[place] if place is not None else None
            if step is None or place is None or step.ended or step.authorized:
                idle[node.id] = outcome_of(node, step, Verdict.NEVER if step and step.authorized else Verdict.NOT_IN_FORCE)
            else:
                steps[node.id] = step, place
        live: dict[str, Told] = {ruleset.live(node.id): node.id in steps for node in ruleset.nodes}
        groups, credits_ = ([found.place for found in meanings if found.kind == kind] for kind in ("group", "credit"))
        return Calendar(steps, live, idle, tuple(sorted(groups)), tuple(credits_))

    def unmet(self, name: str, step: Step, place: int) -> Outcome:
        """Return what is said of a provision whose condition the line does not meet. Nothing of it is ever changed, so lines share it."""
        key = (name, place)
        found = self._unmet.get(key)
        if found is None:
            found = self._unmet[key] = outcome_of(self.book.nodes[name], step, Verdict.CONDITION)
        return found


class Stage:
    """The sessions of one line, opened when first asked for and all deleted at the end."""

    def __init__(self, rules: Rules) -> None:
        """Open nothing yet."""
        self._rules = rules
        self._open: dict[str, Session] = {}

    def session(self, name: str) -> Session:
        """Return the session of a ruleset."""
        if name not in self._open:
            self._open[name] = self._rules.host.begin(name)
        return self._open[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._open.values():
            session.close()


def outcome_of(node: Node, step: Step | None, verdict: Verdict) -> Outcome:
    """Return a provision with a verdict, and whatever its step says of it."""
    forbids, by = bool(step and step.prohibited), (step.by or "") if step else ""
    cites = tuple(step.cite) if step else ()
    return Outcome(node.id, node.program.program, verdict, MET, step, node.heading, forbids, by, step.from_ if step else None, cites=cites)
