"""Resolve a situation for one pattern of facts: candidates, exceptions, relations, groups. The result is a plan that serves every like line."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from operator import is_
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.form import Chapter98Rule, Choice, CompiledBook, CompiledProvision, Edge, FamilyRow, Node, Override, Reach
from tariff_engine.compiled.layout import lay_out
from tariff_engine.compiled.logic import decide
from tariff_engine.compiled.plan import Laid, Pattern, Plan, State, Term, lowest, numbers_of
from tariff_engine.compiled.remembered import ASSUMED, CANDIDATE, DECIDED, DOUBT, FLOOR, LOWEST, RELIEVED, Look, Met
from tariff_engine.compiled.situation import Live, Situation
from tariff_engine.evaluate.derivation import Assumed, Verdict
from tariff_engine.problems import LawConflictError

if TYPE_CHECKING:
    from tariff_engine.compiled.remembered import Notes, Remembered

_NOTHING = Fraction(0)


class Resolver:
    """Resolves one pattern. Asking for a provision decides everything that it depends on first; all of it is memoised.

    What became of a provision on other lines is taken over from `remembered` where it looked at nothing else (remembered.py).
    """

    def __init__(self, book: CompiledBook, situation: Situation, pattern: Pattern, remembered: Remembered) -> None:
        """Take a situation and a pattern of facts."""
        self.book, self.situation, self.pattern = book, situation, pattern
        self.first: dict[int, State | None] = {}
        self.last: dict[int, State | None] = {}
        self.relieved: set[int] = set()
        self.assumed: dict[tuple[str, str], Assumed] = {}
        self.doubts: set[tuple[str, str, str]] = set()
        self.guards: dict[tuple[tuple[Term, ...], int], None] = {}
        self.day = book.bounds[situation.interval - 1] if situation.interval else 1
        self._busy: list[int] = []
        self._silenced: dict[str, Override] | None = None
        self._remembered = remembered
        self._frame_of_line = (pattern.present, pattern.zero, pattern.column, pattern.worthless)
        self._desks = remembered.desks(situation, self._frame_of_line)
        self._apart = bool(pattern.chapter98) or pattern.bond  # what chapter 98 leaves of the value is no matter of parts
        self._notes: Notes | None = None  # of the provision that is being decided

    # ------------------------------------------------------------ conditions
    def _test(self, live: Live, node: Node) -> tuple[bool, int, tuple[str, ...], int]:
        """Decide a condition; where facts are missing, take what the law takes. Returns truth, covered parts, facts taken, their bits."""
        pattern = self.pattern
        truth, unknown, covers = decide(node, pattern.true, pattern.false, self._subject)
        if truth is not None:
            return truth, covers, (), 0
        facts = dict.fromkeys(self.book.bit_facts[bit] for bit in numbers_of(unknown))
        provision = live.provision
        overrides = self._overrides(provision)
        true, known = pattern.true, pattern.true | pattern.false
        taken_bits = 0
        for fact in facts:
            rule = overrides.get(fact)
            take, because = (rule.take, rule.because) if rule else self.book.takes[fact]
            self._assume(fact, provision.id, take, because)
            bits = self.book.fact_bits[fact].all_bits & ~known if fact in self.book.fact_bits else 0
            taken_bits |= bits
            true |= bits & (rule.true_bits if rule else self.book.assume_true)
        false = pattern.false | (taken_bits & ~true)
        # a fact for which the law takes nothing passes no test, in whichever way the test is put
        nothing = sum(
            self.book.fact_bits[fact].all_bits & ~known
            for fact in facts
            if fact in self.book.fact_bits and (overrides[fact].take if fact in overrides else self.book.takes[fact][0]) is None
        )
        truth, _, covers = decide(_deny(node, nothing) if nothing else node, true, false, self._subject)
        return bool(truth), covers, tuple(sorted(facts)), taken_bits

    def _overrides(self, provision: CompiledProvision) -> dict[str, Override]:
        if self._silenced is None:
            self._silenced = self.book.silenced(self.pattern.present, self.pattern.zero)
        return {rule.fact: rule for rule in provision.overrides} | self._silenced

    def _assume(self, fact: str, rule: str, take: Any, because: str) -> None:
        key, found = self._remembered.assumed(fact, rule, take, because)
        self.assumed.setdefault(key, found)
        if self._notes is not None:
            self._notes.append((ASSUMED, (key, found), None))

    def _relieve(self, place: int) -> None:
        self.relieved.add(place)
        if self._notes is not None:
            self._notes.append((RELIEVED, place, None))

    def _subject(self, node: Node) -> int:
        """Return the parts covered by the provisions that a condition is subject to, -1 where none of them counts."""
        covers, met = 0, False
        for place in self._among_live(node.refs):
            state = self.decide(place)
            if state and state.applies and state.covers and (not node.owed or self._owed(state)):
                met, covers = True, covers | state.covers
        return -1 if not met else covers if node.on_part else self.pattern.present

    def _owed(self, state: State) -> bool:
        if not self._charged(state):
            return False
        if state.kind in {"add", "in_lieu"}:
            return state.rate > 0
        return state.kind == "up_to" and not self._at_floor(state.rate)

    def _charged(self, state: State) -> bool:
        return bool(state.parts & ~self.pattern.zero) and state.frame != 0

    def _at_floor(self, rate: Fraction) -> bool:
        found = self.pattern.floors[self.situation.floors.index(rate)]
        if self._notes is not None:
            self._notes.append((FLOOR, rate, found))
        return found

    # ------------------------------------------------------------ decisions that were met
    def _recalled(self, met: Met) -> State | None:
        """Return what was decided where all that was looked at is the same again; what it took for granted is taken again.

        None where something is found that no decision found.
        """
        last, look = self.last, met.first
        while isinstance(look, Look):
            kind, what = look.kind, look.what
            found: Any = None
            if kind == DECIDED:
                found = last[what] if what in last else self._decide(what)
            elif kind == ASSUMED:
                self.assumed.setdefault(*what)
            elif kind == CANDIDATE:
                found = self.candidate(what)
            elif kind == FLOOR:
                found = self._at_floor(what)
            elif kind == LOWEST:
                found = lowest(what, self.pattern.amounts, self.pattern.ave)
                self.guards[what, found] = None
            elif kind == RELIEVED:
                self.relieved.add(what)
            else:
                self.doubts.add(what)
            look = look.then if found is look.first else look.after(found)
        return look

    def _known(self, live: Live, place: int) -> State:
        """Return what became of a provision before the choice in its groups, as it was decided before, or now."""
        pattern, desk = self.pattern, self._desks.get(place)
        if desk is None:
            desk = self._desks[place] = self._remembered.desk(self.situation, live, self._frame_of_line, self.day)
        key: tuple[Any, ...] = (pattern.true & desk.own, pattern.false & desk.own)
        if desk.moving:
            key = (*key, pattern.loaded, pattern.differs, tuple([pattern.day >= row.entered_before for row in live.rows]))
        met = desk.met.get(key)
        if met is None:
            met = desk.met[key] = Met()
        elif (state := self._recalled(met)) is not None:
            return state
        noted: Notes = []
        self._notes = noted
        found = self._remembered.add(met, noted, desk.same(self._candidate(live)))
        self._notes = None
        return found

    # ------------------------------------------------------------ one provision
    def candidate(self, place: int) -> State | None:
        """Return the provision before the choice inside its group; None where origin, product or day rule it out."""
        if place in self.first:
            return self.first[place]
        if place in self._busy:
            names = [self.book.provisions[n].id for n in [*self._busy[self._busy.index(place) :], place]]
            message = f"the law book orders these in a circle: {' <- '.join(names)}"
            raise LawConflictError(message)
        live = self.situation.live.get(place)
        if live is None:
            self.first[place] = None
            return None
        self._busy.append(place)
        outer, self._notes = self._notes, None
        found = self.first[place] = self._candidate(live) if self._apart else self._known(live, place)
        self._notes = outer
        self._busy.pop()
        return found

    def _candidate(self, live: Live) -> State:
        effect, provision, program = live.effect, live.provision, live.program
        truth, covers, assumed, bits = self._test(live, live.condition)
        kind = effect.kind if effect.kind in {"add", "up_to", "in_lieu", "prohibited"} else "exempt"
        state = State(live, Verdict.CONDITION, provision.heading, kind, effect.rate, effect.at_floor, effect.cites, effect.by, effect.start)
        state.assumed, state.assumed_bits = assumed, bits
        if not truth:
            state.kind, state.rate = ("prohibited" if kind == "prohibited" else "exempt"), _NOTHING
            return state
        if effect.kind == "table" and not self._from_table(state):
            return state
        for node, which in live.outside:
            if self._test(live, node)[0]:
                state.verdict, state.outside, state.kind = Verdict.OUTSIDE, which, "exempt"
                state.cites = program.outside[which][2]
                return state
        if not self.pattern.column & effect.columns:
            state.verdict, state.kind = Verdict.COLUMN, "exempt"
            return state
        state.frame = self._frame(live)
        if state.frame == 0:
            state.verdict, state.kind = Verdict.OUTSIDE, "exempt"
            rule = self._chapter98(live)
            state.cites = rule.cites if rule else ()
            return state
        state.reach = covers if covers and not state.is_duty else self._reach(live.base, provision.id)
        left, state.taken = self._take_away(state)
        state.parts = left
        state.covers = left if effect.covers is None else self._reach(effect.covers, provision.id)
        state.verdict = Verdict.APPLIES
        if not left and state.reach:
            state.verdict = Verdict.DISPLACED
        elif state.is_duty and kind != "prohibited" and not self._charged(state) and not self.pattern.worthless:
            state.verdict = Verdict.NOTHING
        return state

    def _from_table(self, state: State) -> bool:
        row = self._row(state.live)
        if row is None:
            state.no_row = True
            return False
        heading, rate, effect = row.heading, row.rate, row.effect
        if row.loaded_before and self._moving(row, state.live.provision.id):
            heading, rate, effect, state.transit = row.transit_heading, row.transit_rate, "add", True
        state.heading, state.rate, state.at_floor = heading, rate, row.at_floor
        state.kind = effect if effect in {"add", "up_to"} else "exempt"
        state.cites = (row.cite,) if row.cite else state.cites
        state.by, state.since = row.by or state.by, max(state.since, row.start)
        return True

    def _row(self, live: Live) -> FamilyRow | None:
        provision = live.provision
        for row in live.rows:
            if not row.partial or provision.claim_bit < 0:
                return row
            bit = 1 << provision.claim_bit
            if self._test(live, Node(0, need_true=bit))[0]:
                return row
        return None

    def _moving(self, row: FamilyRow, rule: str) -> bool:
        """Whether the goods were in transit in the row's window; a loading day or a mode that is not known is noted, and not granted."""
        pattern = self.pattern
        mode = 1 << row.transit_mode if row.transit_mode >= 0 else 0
        late = pattern.loaded >= row.loaded_before
        if pattern.day >= row.entered_before or pattern.differs or late or pattern.false & mode:
            return False
        unknown = [name for name, open_ in (("loaded_date", not pattern.loaded), ("mode", mode & ~pattern.true)) if open_]
        for fact in unknown:
            take, because = self.book.takes[fact]
            self._assume(fact, rule, take, because)
        return not unknown

    def _frame(self, live: Live) -> int | None:
        if self.pattern.bond:
            return 0
        claim = self.pattern.chapter98
        rule = self._chapter98(live) if claim else None
        if rule is None:
            return None
        kept = next((keep.how for keep in rule.keeps if claim.startswith(keep.prefix)), None)
        if kept is None:
            if rule.exempt:
                return 0
            if not rule.terms or (rule.terms == "part" and self.pattern.freed):
                return None
        if kept == "nothing":
            return 0
        return None if kept == "value" else self.pattern.dutiable

    def _chapter98(self, live: Live) -> Chapter98Rule | None:
        """The rule of the program on the day: the last that has begun."""
        return next((rule for rule in live.program.chapter98 if rule.start <= self.pattern.day), None)

    def _reach(self, base: Reach, rule: str) -> int:
        present = self.pattern.present
        if base.kind == "whole":
            return present
        if base.kind == "part":
            return base.mask & present
        if base.kind == "less":
            return present & ~base.mask
        if base.mask & present:
            return base.mask & present
        piece = self.book.slices[base.slice]
        self._assume(piece.fact, rule, "whole" if piece.whole_if_unknown else "none", piece.because)
        silent = not piece.whole_if_unknown or any(self.book.slices[other].mask & present & ~self.pattern.zero for other in piece.silent_if)
        return 0 if silent else present

    # ------------------------------------------------------------ exceptions, relations, groups
    def _among_live(self, places: tuple[int, ...]) -> tuple[int, ...]:
        """The provisions of a list that the situation leaves open, in its order; what is ruled out takes nothing and excludes nothing."""
        found = self.situation.refs.get(places)
        if found is None:
            found = self.situation.refs[places] = tuple(place for place in places if place in self.situation.live)
        return found

    def _live_edge(self, edge: Edge) -> bool:
        return edge.start <= self.day < edge.end

    def _take_away(self, state: State) -> tuple[int, tuple[tuple[int, str, str, tuple[str, ...]], ...]]:
        left, provision = state.reach, state.live.provision
        taken: list[tuple[int, str, str, tuple[str, ...]]] = []
        for edge in provision.unless:
            for place in self._among_live(edge.refs) if self._live_edge(edge) else ():
                other = self.decide(place)
                counts = state.is_duty or provision.is_family or (other is not None and other.is_duty)
                if counts and other is not None and other.applies and left & other.covers:
                    left &= ~other.covers
                    taken.append((place, other.heading, "exception", edge.cites))
                    if state.is_duty:
                        self._relieve(place)
        for edge in provision.relations if state.is_duty else ():
            for place in self._among_live(edge.refs) if self._live_edge(edge) else ():
                if place == provision.index or not left:
                    continue
                other = self.decide(place)
                if other is not None and other.applies and left & other.covers and (not edge.owed or self._owed(other)):
                    left = left & ~other.covers if edge.on_part else 0
                    taken.append((place, other.heading, "relation", edge.cites))
                    if edge.doubt:
                        self._doubt((provision.id, *edge.doubt))
                    if not other.is_duty:
                        self._relieve(place)
        return left, tuple(taken)

    def _doubt(self, doubt: tuple[str, str, str]) -> None:
        self.doubts.add(doubt)
        if self._notes is not None:
            self._notes.append((DOUBT, doubt, None))

    def decide(self, place: int) -> State | None:
        """Return the provision after the choice inside its groups."""
        found = self.last[place] if place in self.last else self._decide(place)
        if self._notes is not None:
            self._notes.append((DECIDED, place, found))
        return found

    def _decide(self, place: int) -> State | None:
        outer, self._notes = self._notes, None
        state = self.candidate(place)
        if state is not None and state.applies and (groups := state.live.program.groups):
            here = [one for one in groups if place in one.members and one.start <= self.day < one.end]
            state = self._chosen(state, here) if here else state
        self._notes = outer
        self.last[place] = state
        return state

    def _chosen(self, state: State, groups: list[Choice]) -> State:
        """Return what becomes of a provision by the choice inside its groups, as it was decided before, or now."""
        if self._apart:
            return self._through(state, groups)
        desk = self._desks[state.live.provision.index]
        met = desk.chosen.setdefault(state, Met())
        if (found := self._recalled(met)) is not None:
            return found
        noted: Notes = []
        self._notes = noted
        return self._remembered.add(met, noted, desk.same(self._through(state, groups)))

    def _through(self, state: State, groups: list[Choice]) -> State:
        for group in groups:
            if state.applies:
                state = self._choose(state, group.ranks, group.cites)
        return state

    def _choose(self, state: State, ranks: tuple[tuple[int, ...], ...], cites: tuple[str, ...]) -> State:
        for rank in ranks:
            alive = [
                (place, other)
                for place in dict.fromkeys(self._among_live(rank))
                if (other := self._seen(place)) is not None and other.applies
            ]
            if not alive:
                continue
            winner_place, winner = alive[self._lowest([other for _, other in alive])]
            if winner_place == state.live.provision.index:
                return state
            if state.is_duty:
                self._relieve(winner_place)
            kept = (*state.taken, (winner_place, winner.heading, "group", cites))
            lost = State(
                state.live, Verdict.DISPLACED, state.heading, state.kind, state.rate, state.at_floor, state.cites, state.by, state.since
            )
            lost.taken, lost.assumed, lost.assumed_bits, lost.frame = kept, state.assumed, state.assumed_bits, state.frame
            lost.would = state.parts
            return lost
        return state

    def _seen(self, place: int) -> State | None:
        """Return another provision of a group before the choice."""
        found = self.candidate(place)
        if self._notes is not None:
            self._notes.append((CANDIDATE, place, found))
        return found

    def _lowest(self, alive: list[State]) -> int:
        """Return which of several has the lowest duty, the first on a tie; the comparison becomes a guard of the plan."""
        if len(alive) == 1:
            return 0
        terms = tuple((state.kind, state.rate, state.parts, state.frame) for state in alive)
        winner = lowest(terms, self.pattern.amounts, self.pattern.ave)
        self.guards[terms, winner] = None
        if self._notes is not None:
            self._notes.append((LOWEST, terms, winner))
        return winner

    # ------------------------------------------------------------ the plan
    def run(self) -> Plan:
        """Decide every live provision and lay out the rows. Raises LawConflictError where live duties are not ordered."""
        last = self.last
        for place in self.situation.live:
            if place not in last:
                self._decide(place)
        states = {place: state for place in self.situation.live if (state := last[place]) is not None}
        relieved = self.relieved
        filed = tuple(
            [
                state
                for place, state in states.items()
                if state.verdict is Verdict.APPLIES and (state.is_duty or place in relieved or state.live.provision.filed)
            ]
        )
        laid = self._laid(filed)
        return Plan(
            laid,
            offsets=self._offsets(),
            assumed=tuple(self.assumed.values()),
            states=states,
            guards=tuple(self.guards),
            doubts=tuple(sorted(self.doubts)),
            pattern=self.pattern,
            situation=self.situation,
        )

    def _laid(self, filed: tuple[State, ...]) -> Laid:
        """Return how rows lie, as they did before, where they are the same rows on the same parts of the value; or now."""
        pattern = self.pattern
        start, order = next(one for one in reversed(self.book.filing) if one[0] <= self.day)
        at_floor = tuple([state.kind == "up_to" and self._at_floor(state.rate) for state in filed])
        if self._apart or any(state.frame is not None or state.live.effect.companion for state in filed):
            return lay_out(filed, at_floor, order, pattern, self._reach)
        key = (start, pattern.present, pattern.zero, at_floor, filed)
        return self._remembered.laid(key, lambda: lay_out(filed, at_floor, order, pattern, self._reach))

    def _offsets(self) -> tuple[tuple[str, int, str, frozenset[int]], ...]:
        return tuple(
            [
                (offset.name, number, offset.fact, offset.against)
                for number, offset, left in self.situation.offsets
                if offset.start <= self.day < offset.end and (left is True or self._offset_holds(left))
            ]
        )

    def _offset_holds(self, node: Node) -> bool:
        return decide(node, self.pattern.true, self.pattern.false, self._subject)[0] is True


def _deny(node: Node, bits: int) -> Node:
    """Return a tree in which every test on these bits fails, whichever way it is put."""
    children = tuple(_deny(child, bits) for child in node.children)
    if (node.need_true | node.need_false) & bits:
        return Node(1)  # an ANY without branches never holds
    return node if all(map(is_, children, node.children)) else replace(node, children=children)
