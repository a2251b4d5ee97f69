"""Long work in steps: it gives way to others between them, and asks for the law of another day instead of making it itself."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from tariff_engine.engine import Engine, Explain, Knowledge
from tariff_engine.facts import Line
from tariff_engine.problems import refuse

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The law that work goes on with: of a rulebook (none: the one in use), as known on a day (none: everything known)."""

    known_on: date | None = None
    rulebook: str | None = None


Steps = Generator[Wanted | None, Knowledge | None, _T]
"""Work that yields None to give way, or `Wanted` to be sent the law that it asks for; it returns its result."""


def ask(known_on: date | None, rulebook: str | None = None) -> Steps[Knowledge]:
    """Ask whoever drives the steps for a law."""
    found = yield Wanted(known_on, rulebook)
    if found is None:
        message = "a driver of steps sends the law that is asked for"
        raise RuntimeError(message)
    return found


def finish(steps: Steps[_T], engine: Engine, rulebooks: Mapping[str, Engine] | None = None) -> _T:
    """Do all steps at once. Raises what they raise, and ProblemError `unknown_rulebook`."""
    found: Knowledge | None = None
    while True:
        try:
            wanted = steps.send(found)
        except StopIteration as done:
            result: _T = done.value
            return result
        found = None if wanted is None else engine_of(wanted, engine, rulebooks).at(wanted.known_on)


def engine_of(wanted: Wanted, engine: Engine, rulebooks: Mapping[str, Engine] | None = None) -> Engine:
    """Return the engine of the rulebook that is wanted. Raises ProblemError `unknown_rulebook`."""
    if wanted.rulebook is None or wanted.rulebook in {engine.at().law.id, *(rulebooks or ())}:
        return (rulebooks or {}).get(wanted.rulebook or "", engine)
    raise refuse("unknown_rulebook", "vary.rulebook", f"there is no rulebook {wanted.rulebook[:80]}", "name a rulebook that is loaded")


class Plain(Knowledge):
    """The same law, answering without the questions that are open: a hundredth of the work, for answers that are only compared."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Share everything that was prepared."""
        self.__dict__.update(knowledge.__dict__)

    def answer(
        self, line: Line, identity: str, explain: Explain = "full", *, inquire: bool = False, folded: bool = False
    ) -> dict[str, Any]:
        """Assess a line that was read, and return its answer. Raises ProblemError and LawConflictError."""
        return super().answer(line, identity, explain, inquire=inquire, folded=folded)


def names_of(knowledge: Knowledge) -> dict[str, str]:
    """Return the fact that each name, or other name, of the dictionary stands for."""
    return {name: spec.name for spec in knowledge.law.facts.values() for name in (spec.name, *spec.aliases)}


def without(facts: Mapping[str, Any], fact: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return facts without one of them, under whichever name it is stated."""
    return {key: value for key, value in facts.items() if names.get(key) != fact}
