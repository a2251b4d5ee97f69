"""The outcomes of every provision on an evaluated line, for the explanation: the plan's own states, with their reasons in words."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.compiled.evaluate import derived_value
from tariff_engine.compiled.evaluated import Evaluated
from tariff_engine.compiled.form import CompiledProvision, Node
from tariff_engine.compiled.logic import Explainer
from tariff_engine.compiled.plan import State
from tariff_engine.evaluate.derivation import Kind, Outcome, Reason, Taken, Verdict
from tariff_engine.evaluate.words import value_words
from tariff_engine.money import approximate_percent

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.compiled.situation import Situations


class Outcomes:
    """Reads the plan of an evaluated line provision by provision."""

    def __init__(self, evaluated: Evaluated, situations: Situations) -> None:
        """Take an evaluated line and the finder of situations that made it."""
        self.evaluated, self.plan, self.book = evaluated, evaluated.plan, situations.book
        self.situations = situations
        self.situation = evaluated.plan.situation
        line = evaluated.line
        self._of_entry = Reason(Kind.DATES, "", str(line.day))  # said once, of the hundreds of provisions that are not in force
        self._of_admission = Reason(Kind.DATES, "", str(line.facts.get("ftz_pf_admission_date") or line.day))
        self.column_names = {mask: name for name, mask in self.book.columns.items()}

    def of_program(self, number: int) -> list[Outcome]:
        """Return what became of each provision of a program."""
        return [self._outcome(self.book.provisions[place]) for place in self.book.programs[number].provisions]

    def _outcome(self, provision: CompiledProvision) -> Outcome:
        state = self.plan.states.get(provision.index)
        if state is not None:
            return self._from_state(provision, state)
        program = self.book.programs[provision.program]
        effect = self.situations.effect(provision, self.situation.interval, self.situation.admission)
        cites, by = (effect.cites, effect.by) if effect else ((), "")
        forbids = bool(effect and effect.kind == "prohibited")
        since = date.fromordinal(effect.start) if effect else None
        if effect is None or effect.kind in {"ended", "authorized"}:
            verdict = Verdict.NEVER if effect and effect.kind == "authorized" else Verdict.NOT_IN_FORCE
            reason = self._of_admission if program.by_admission else self._of_entry
            return Outcome(provision.id, program.name, verdict, reason, None, provision.heading, forbids, by, since, cites=cites)
        reason = self._walk(provision, 0, self.plan.pattern.true, self.plan.pattern.false)
        return Outcome(provision.id, program.name, Verdict.CONDITION, reason, None, provision.heading, forbids, by, since, cites=cites)

    def _walk(self, provision: CompiledProvision, assumed: int, true: int, false: int) -> Reason:
        program = self.book.programs[provision.program]
        static = self.situation.static_admission if program.by_admission else self.situation.static
        explainer = Explainer(static, true, false, assumed, self._seen, self._subject)
        return explainer.walk(provision.condition)[1]

    def _from_state(self, provision: CompiledProvision, state: State) -> Outcome:
        program, effect = state.live.program, state.live.effect
        rules = self.book.overrides(provision, self.plan.pattern.present, self.plan.pattern.zero)
        true = self.plan.pattern.true | (state.assumed_bits & self.book.assume_true)
        for rule in rules.values():
            true = true & ~(rule.bits & state.assumed_bits) | rule.true_bits & state.assumed_bits
        reason = self._walk(provision, state.assumed_bits, true, self.plan.pattern.false | state.assumed_bits & ~true)
        if state.no_row:
            reason = Reason(Kind.TABLE, provision.table_words, self.evaluated.line.hts, ("hts", "origin"))
        elif state.verdict is Verdict.COLUMN:
            columns = [name for name, mask in self.book.columns.items() if mask & effect.columns]
            reason = Reason(Kind.COLUMN, ", ".join(columns), self.evaluated.column)
        elif state.verdict is Verdict.OUTSIDE:
            claim = self.evaluated.line.facts.get("chapter98")
            reason = Reason(Kind.BARRED, program.outside[state.outside][1] if state.outside >= 0 else f"chapter 98 entry {claim}")
        forbids, since = effect.kind == "prohibited", date.fromordinal(state.since)
        found = Outcome(provision.id, program.name, state.verdict, reason, None, state.heading, forbids, state.by, since, cites=state.cites)
        found.add = state.rate if state.kind == "add" else None
        found.up_to = state.rate if state.kind == "up_to" else None
        found.in_lieu = state.rate if state.kind == "in_lieu" else None
        found.at_floor, found.assumed, found.transit = state.at_floor, state.assumed, state.transit
        found.taken = [Taken(self.book.provisions[place].id, heading, how, cites) for place, heading, how, cites in state.taken]
        found.base = self.evaluated.amount(state.parts, state.frame)
        found.reach_mask, found.frame = state.would or state.reach, state.frame
        found.would_base = self.evaluated.amount(found.reach_mask, state.frame)
        return found

    def _seen(self, kind: str, fact: str) -> str:
        return seen_words(self.book, self.evaluated, kind, fact)

    def _subject(self, node: Node) -> str | None:
        for place in node.refs:
            state = self.plan.states.get(place)
            if state is None or not state.applies or not state.covers:
                continue
            if not node.owed or self._owed(state):
                return state.heading
        return None

    def _owed(self, state: State) -> bool:
        charged = bool(state.parts & ~self.plan.pattern.zero) and state.frame != 0
        if state.kind in {"add", "in_lieu"}:
            return charged and state.rate > Fraction(0)
        return charged and state.kind == "up_to" and not self.plan.pattern.floors[self.situation.floors.index(state.rate)]


def seen_words(book: CompiledBook, evaluated: Evaluated, kind: str, fact: str) -> str:
    """Return in words the value that a test of some kind met on a line."""
    line = evaluated.line
    if kind == Kind.ORIGIN:
        return line.origin
    if kind == Kind.PRODUCT:
        return line.hts
    if kind == Kind.ENTERED:
        return str(line.day)
    if kind == Kind.COLUMN:
        return evaluated.column
    if kind == Kind.BASE_RATE:
        return approximate_percent(evaluated.base.ave)
    if kind == Kind.CLAIM:
        return ", ".join(map(str, line.facts.get("exclusion_claims") or []))
    value = line.facts.get(fact)
    if value is None and (fact in book.ratios or fact in book.ages):
        value = derived_value(book, line.facts, line.day, fact)
    return "" if value is None else value_words(value)
