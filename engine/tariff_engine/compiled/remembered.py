"""What became of a provision, remembered: it is decided anew only where something that it looked at is another.

A provision looks at tests of facts, at the parts of the value, at floors, and at what became of other provisions. While it is decided all of that
is noted in order. Wherever it stands open again, on whatever product, origin or day, and sees the same, what became of it is the same. Situations
share what they leave open of a program, so that a new one is mostly put together from decisions that were met.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.compiled.form import SUBJECT
from tariff_engine.compiled.logic import dynamic_bits
from tariff_engine.evaluate.derivation import Assumed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tariff_engine.compiled.form import CompiledBook, CompiledProvision, Edge, Node
    from tariff_engine.compiled.plan import Laid, State
    from tariff_engine.compiled.situation import Live, Situation

DECIDED, CANDIDATE, ASSUMED, FLOOR, LOWEST, RELIEVED, DOUBT = range(7)
"""What is noted: what became of another provision, after and before the choice in its groups; a fact that was taken; whether the base rate
reaches a floor; which of several duties was the lowest; a provision that relieved; a relation of which the book is not sure."""
Notes = list[tuple[int, Any, Any]]
"""What was noted, in order: each time its kind, what was looked at, and what was found; None where that decides nothing."""
Frame = tuple[int, int, int, bool]
"""What every provision sees of a line: the parts present, those worth nothing, the column, whether the line is worth nothing."""

_MOST = 20_000  # decisions remembered, until all are let go of
_MOST_ALIKE = 32  # decisions that began alike


@dataclass(slots=True, eq=False)
class Look:
    """What a decision looks at next, after all that was found before; and what follows, its next look or the decision, by what it finds there.

    Most find one thing only, the first: it stands apart from the others.
    """

    kind: int
    what: Any
    first: Any = None
    then: Look | State | None = None
    others: dict[Any, Look | State] | None = None

    def after(self, found: Any) -> Look | State | None:
        """Return what follows where this is found; None where it was not found before."""
        if found is self.first:
            return self.then
        return None if self.others is None else self.others.get(found)

    def put(self, found: Any, then: Look | State) -> None:
        """Say what follows where this is found."""
        if self.then is None or found is self.first:
            self.first, self.then = found, then
        elif self.others is None:
            self.others = {found: then}
        else:
            self.others[found] = then


@dataclass(slots=True, eq=False)
class Met:
    """Decisions that began alike: what they look at is the same as long as what they find is."""

    first: Look | State | None = None
    count: int = 0

    def add(self, notes: Notes, state: State) -> None:
        """Remember a decision by its notes. Raises RuntimeError where one that found the same went on to look at something else."""
        if self.count >= _MOST_ALIKE:
            self.first, self.count = None, 0
        self.count += 1
        before: Look | None = None
        found: Any = None
        for kind, what, seen in notes:
            look = self.first if before is None else before.after(found)
            if look is None:
                look = Look(kind, what)
                self._put(before, found, look)
            elif not isinstance(look, Look) or (look.kind, look.what) != (kind, what):
                message = f"a decision on {state.live.provision.id} looked at something else than one that had found the same"
                raise RuntimeError(message)
            before, found = look, seen
        self._put(before, found, state)

    def _put(self, before: Look | None, found: Any, then: Look | State) -> None:
        if before is None:
            self.first = then
        else:
            before.put(found, then)


@dataclass(slots=True, eq=False)
class Desk:
    """Decisions about one open provision among the same other ones. `own` are the bits that it tests."""

    own: int
    moving: bool  # some of its rows are for goods in transit
    met: dict[tuple[Any, ...], Met] = field(default_factory=dict)
    chosen: dict[State, Met] = field(default_factory=dict)
    _states: dict[tuple[Any, ...], State] = field(default_factory=dict)

    def same(self, state: State) -> State:
        """Return the state that says the same, so that who looks at it sees that it is."""
        rate = state.rate
        key = (
            state.verdict, state.heading, state.kind, rate.numerator, rate.denominator, state.at_floor, state.cites, state.by, state.since,
            state.parts, state.covers, state.reach, state.taken, state.assumed, state.assumed_bits, state.transit, state.outside,
            state.no_row, state.would,
        )  # fmt: skip
        return self._states.setdefault(key, state)


class _Traits(NamedTuple):
    """What a provision can look at: other provisions, and the days on which what it makes of them changes."""

    refs: frozenset[int]
    days: tuple[int, ...]


class Remembered:
    """The decisions about the provisions of one book. What is kept is bounded."""

    def __init__(self, book: CompiledBook) -> None:
        """Begin with none."""
        self._book = book
        self._traits: dict[int, _Traits] = {}
        self._assumed: dict[tuple[Any, ...], tuple[tuple[str, str], Assumed]] = {}
        self.forget()

    def forget(self) -> None:
        """Let go of all decisions. Situations let go of theirs when they are looked at again."""
        self._own: dict[Live, int] = {}
        self._desks: dict[tuple[Any, ...], Desk] = {}
        self._laid: dict[tuple[Any, ...], Laid] = {}
        self._count = 0
        self._age = object()

    def desks(self, situation: Situation, frame: Frame) -> dict[int, Desk]:
        """Return where decisions about the provisions of a situation are kept, for lines of a frame, as far as they were asked for."""
        if self._count >= _MOST:
            self.forget()
        if situation.age is not self._age:
            situation.age, situation.desks = self._age, {}
        found: dict[int, Desk] | None = situation.desks.get(frame)
        if found is None:
            found = situation.desks[frame] = {}
        return found

    def assumed(self, fact: str, rule: str, take: Any, because: str) -> tuple[tuple[str, str], Assumed]:
        """Return what a rule takes for a fact, the same object each time, under the fact and the rule."""
        key = (fact, rule, take, because)
        found = self._assumed.get(key)
        if found is None:
            found = self._assumed[key] = (fact, rule), Assumed(fact, rule, take, because)
        return found

    def desk(self, situation: Situation, live: Live, frame: Frame, day: int) -> Desk:
        """Return where decisions about a provision are kept; `day` lies in the situation's interval."""
        index = live.provision.index
        traits = self._traits.get(index)
        if traits is None:
            traits = self._traits[index] = self._traits_of(live.provision)
        key = (live, bisect_right(traits.days, day), traits.refs.intersection(situation.live), frame)
        found = self._desks.get(key)
        if found is None:
            found = self._desks[key] = Desk(self._own_bits(live), any(row.loaded_before for row in live.rows))
            self._count += 1
        return found

    def add(self, met: Met, notes: Notes, state: State) -> State:
        """Remember a decision."""
        met.add(notes, state)
        self._count += 1
        return state

    def laid(self, key: tuple[Any, ...], lay_out: Callable[[], Laid]) -> Laid:
        """Return how rows lie on a line; `key` holds all on which it depends."""
        found = self._laid.get(key)
        if found is None:
            found = self._laid[key] = lay_out()
            self._count += 1
        return found

    def _own_bits(self, live: Live) -> int:
        """Return the bits of the tests of a provision."""
        own = self._own.get(live)
        if own is None:
            own = dynamic_bits(live.condition)
            for node, _ in live.outside:
                own |= dynamic_bits(node)
            for bit in (live.provision.claim_bit, *(row.transit_mode for row in live.rows)):
                own |= 1 << bit if bit >= 0 else 0
            self._own[live] = own
        return own

    def _traits_of(self, provision: CompiledProvision) -> _Traits:
        program = self._book.programs[provision.program]
        refs, days = set[int](), set[int]()
        for node in (provision.condition, *(node for node, _, _ in program.outside)):
            _subjects(node, refs)
        edges: tuple[Edge, ...] = (*provision.unless, *provision.relations)
        for edge in edges:
            refs.update(edge.refs)
            days |= {edge.start, edge.end}
        for group in program.groups:
            if provision.index in group.members:
                refs.update(*group.ranks)
                days |= {group.start, group.end}
        return _Traits(frozenset(refs), tuple(sorted(days)))


def _subjects(node: Node, found: set[int]) -> None:
    if node.kind == SUBJECT:
        found.update(node.refs)
    for child in node.children:
        _subjects(child, found)
