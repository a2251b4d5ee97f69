"""The staged protocol: what becomes of every provision on a line, concluded by durable-rules.

Negation in durable-rules is safe only over facts that were asserted before (a match that is queued is not withdrawn). So the line is told first, to
every ruleset; then each provision whose condition is open has its turn, after all that it asks about was settled. Who asks whom is read off the
rule files here, only to find the order of the turns; a wrong order would be a wrong answer, never a different law.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.durable.compile import Meaning, Ruleset
from tariff_engine.durable.rules import Rules, Stage, outcome_of
from tariff_engine.durable.table_rows import row_facts, rows_of
from tariff_engine.durable.terms import Told, day_number
from tariff_engine.durable.value import Value
from tariff_engine.evaluate.derivation import MET, Outcome, Taken, Verdict
from tariff_engine.problems import LawConflictError

if TYPE_CHECKING:
    from tariff_engine.book import Node
    from tariff_engine.evaluate.charge import Base
    from tariff_engine.facts import Line
    from tariff_engine.notation.program import Step


class Decision:
    """One line under the rules. `outcomes` holds what became of each provision, `relieved` which exemptions relieved which duties."""

    def __init__(self, rules: Rules, line: Line, base: Base, column: str) -> None:
        """Decide every provision. Raises DurableError, and LawConflictError where provisions ask one another in a circle."""
        self.rules, self.book, self.line, self.column = rules, rules.book, line, column
        self.value = Value(self.book, line, base, rules.cuts)
        self.ave = None if base.exact is None else base.ave
        self.relieved: dict[str, set[str]] = {}
        self.open: dict[str, tuple[Step, int, set[Meaning]]] = {}
        self.candidates: dict[str, Outcome] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.credits: set[tuple[str, int]] = set()
        self._groups: dict[str, tuple[int, ...]] = {}
        self._busy: list[str] = []
        self._told: list[Told | None] = [None] * len(rules.compiled.terms)
        for ruleset in rules.compiled.rulesets:
            self._tell_line(ruleset)
        with Stage(rules) as self.stage:
            for name in self.open:
                self.decide(name)

    # ------------------------------------------------------------ the line
    def _tell_line(self, ruleset: Ruleset) -> None:
        line, program = self.line, ruleset.nodes[0].program
        day = entered = day_number(line.day)
        if program.ftz and program.ftz.rate_of == "admission":
            day = day_number(line.facts.get("ftz_pf_admission_date", line.day))
        calendar = self.rules.calendar(ruleset, day, entered)
        if calendar.groups:
            self._groups[program.program] = calendar.groups
        self.outcomes |= calendar.idle
        if not calendar.steps and not calendar.credits:
            return
        facts: dict[str, Told] = {"t": "line", **calendar.live, **{alias: self._tell(place) for alias, place in ruleset.asked}}
        fired: dict[str, set[Meaning]] = {}
        for meaning in self.rules.ask(ruleset, facts):
            if meaning.kind == "offset" and meaning.place in calendar.credits:
                self.credits.add((meaning.about, meaning.place))
            fired.setdefault(meaning.about, set()).add(meaning)
        for name, (step, place) in calendar.steps.items():
            mine = fired.get(name, set())
            if any(meaning.kind in {"holds", "ready"} for meaning in mine):
                self.open[name] = step, place, mine
            else:
                self.outcomes[name] = self.rules.unmet(name, step, place)

    def _tell(self, place: int) -> Told:
        found = self._told[place]
        if found is None:
            compiled = self.rules.compiled
            found = self._told[place] = compiled.teller.tell(compiled.terms[place], self.line, self.column, self.ave)
        return found

    # ------------------------------------------------------------ the order of the turns
    def _asks(self, node: Node) -> Iterable[str]:
        """The provisions that one waits for: those that its condition, its exceptions and its relations name on the day."""
        day, known_on = self.line.day, self.rules.compiled.known_on
        for clause in self.rules.compiled.tests[node.id]:
            for test in (*clause.owed, *clause.free):
                yield from self.book.expand(test.any)
        for unless in node.provision.unless:
            if self.book.live(unless, day, known_on):
                yield from self.book.expand(unless.any)
        for mark in self.rules.home[node.id].excluded.get(node.id, ()):
            relation = self.book.relations.relations[int(mark.removeprefix("relation"))]
            if self.book.live(relation, day, known_on):
                yield from self.book.expand(relation.over)

    def candidate(self, name: str) -> Outcome:
        """Return the provision before the choice inside its group."""
        if name not in self.open:
            return self.outcomes[name]
        if name not in self.candidates:
            if name in self._busy:
                message = f"the law book orders these in a circle: {' <- '.join([*self._busy[self._busy.index(name) :], name])}"
                raise LawConflictError(message)
            self._busy.append(name)
            node = self.book.nodes[name]
            for other in dict.fromkeys(self._asks(node)):
                if other != name:
                    self.decide(other)
            self._busy.pop()
            self.candidates[name] = self._turn(node, *self.open[name])
        return self.candidates[name]

    def decide(self, name: str) -> Outcome:
        """Return the provision after the choice inside its groups, and tell the rulesets that ask about it whether it stands."""
        if name not in self.outcomes:
            outcome, program = self.candidate(name), self.book.nodes[name].program
            for place in self._groups.get(program.program, ()):
                order = [self.book.expand(rank) for rank in program.groups[place].order]
                if outcome.applies and any(name in rank for rank in order):
                    outcome = self._choose(outcome, order, tuple(program.groups[place].cite))
            self.outcomes[name] = outcome
            if outcome.applies:
                self._announce(outcome)
        return self.outcomes[name]

    def _announce(self, outcome: Outcome) -> None:
        told = {"t": "on", "p": outcome.id, "duty": outcome.is_duty, "owed": self.value.owed(outcome), "covers": bool(outcome.covers)}
        for ruleset in self.rules.asked_in[outcome.id]:
            self.stage.session(ruleset.name).tell({**told, **ruleset.marks(outcome.id)})
        for part in sorted(outcome.covers):
            self.stage.session("taking").tell({"t": "covers", "by": outcome.id, "part": part})

    # ------------------------------------------------------------ the turn of one provision
    def _turn(self, node: Node, step: Step, place: int, fired: set[Meaning]) -> Outcome:
        """Tell the provision that it is its turn, and read what its rules conclude."""
        result = outcome_of(node, step, Verdict.APPLIES)
        result.at_floor, result.add, result.up_to, result.in_lieu = step.at_floor or "", step.add, step.up_to, step.in_lieu
        rowless = bool(step.table) and not self._from_table(result, node, fired)
        session = self.stage.session(self.rules.home[node.id].name)
        turn: dict[str, Told] = {"t": "turn", "p": node.id, "step": place, "column": self.column}
        turn |= {"entered": day_number(self.line.day), "duty": result.is_duty}
        turn |= dict.fromkeys(self.rules.home[node.id].excluded.get(node.id, ()), True)
        turn |= {f"ready{meaning.place}": True for meaning in fired if meaning.kind == "ready"}
        meanings = self.rules.home[node.id].meanings
        found = [(meanings[rule], match) for rule, match in session.tell(turn)]
        session.forget("turn")
        subjects = [(meaning, match) for meaning, match in found if meaning.kind == "subject"]
        kinds = {meaning.kind for meaning in fired} | {meaning.kind for meaning, _ in found}
        if not subjects and "holds" not in kinds:
            result.verdict, result.add, result.up_to, result.in_lieu = Verdict.CONDITION, None, None, None
            return result
        if rowless:
            result.verdict = Verdict.CONDITION
            return result
        barred = _barred(kinds)
        frame = self.value.frame(node)
        if barred is not None or frame == 0:
            result.verdict, result.add, result.up_to, result.in_lieu = barred or Verdict.OUTSIDE, None, None, None
            return result
        covers = [cover for meaning, match in subjects for cover in self._covers(node, meaning, match)]
        bases = sorted(meaning.inner for meaning in fired if meaning.kind == "base" and meaning.place == place)
        base = step.base_if[bases[0]].base if bases else step.base
        result.reach = frozenset[str]().union(*covers) if covers and not result.is_duty else self.value.reach(base)
        left = self._take(result, node, [(meaning, match["on"]["p"]) for meaning, match in found if "on" in match])
        self.value.settle(result, left, step, frame)
        return result

    def _covers(self, node: Node, meaning: Meaning, match: Mapping[str, Any]) -> Iterable[frozenset[str]]:
        """What the duties that were found standing cover, part by part of the condition."""
        clause = self.rules.compiled.tests[node.id][meaning.place]
        for number, test in enumerate(clause.owed):
            name = match[f"on{number}"]["p"]
            yield self.value.everything if test.on == "article" else self.outcomes[name].covers

    def _take(self, result: Outcome, node: Node, takers: list[tuple[Meaning, str]]) -> frozenset[str]:
        """Let those that may take from a provision try in the order in which law names them; durable-rules says which part each takes."""
        left, session = set(result.reach), self.stage.session("taking")
        for part in sorted(left):
            session.tell({"t": "left", "part": part})
        for how, place, by in sorted(self._rank(node, meaning, by) for meaning, by in takers if by != result.id):
            if not left:
                break
            source: Any = node.provision.unless[place] if how == 0 else self.book.relations.relations[place]
            name = self._named(source.any if how == 0 else source.over, by)
            taken = {match["left"]["part"] for _, match in session.tell({"t": "attempt", "by": name})}
            session.forget("attempt")
            if not taken:
                continue
            taken = set(left) if how == 1 and source.on == "article" else taken
            for part in sorted(taken):
                session.drop({"t": "left", "part": part})
            left -= taken
            other = self.outcomes[name]
            result.taken.append(Taken(name, other.heading, "relation" if how else "exception", tuple(source.cite)))
            if result.is_duty if how == 0 else not other.is_duty:
                self.relieved.setdefault(name, set()).add(result.id)
        session.forget("left")
        return frozenset(left)

    def _rank(self, node: Node, meaning: Meaning, by: str) -> tuple[int, int, int]:
        """The place of a taker in the order of law: exceptions before relations, in the order of the files."""
        if meaning.kind == "exception":
            return 0, meaning.place, self.book.expand(node.provision.unless[meaning.place].any).index(by)
        return 1, meaning.place, self.book.expand(self.book.relations.relations[meaning.place].over).index(by)

    def _named(self, refs: list[str], place: int) -> str:
        return self.book.expand(refs)[place]

    # ------------------------------------------------------------ tables
    def _from_table(self, result: Outcome, node: Node, fired: set[Meaning]) -> bool:
        """Tell the rows that name the product and the origin, the most exact first, until one fits; fill in what it says."""
        claimed = any(meaning.kind == "claim" for meaning in fired)
        for row in rows_of(self.rules.compiled, node, self.line):
            with self.rules.host.session("rows") as session:
                kinds = {rule for rule, _ in session.tell(row_facts(row, node, self.line, claimed=claimed))}
            if "fits" not in kinds:
                continue
            heading, rate, effect = row["heading"], row["rate"], row["effect"] or "add"
            if "moving" in kinds:
                heading, rate, effect, result.transit = row["transit_heading"], row["transit_rate"], "add", True
            share = Fraction(rate.rstrip("%") or "0") / 100
            result.heading, result.at_floor = heading, row["at_floor"]
            result.add, result.up_to = share if effect == "add" else None, share if effect == "up_to" else None
            result.cites = (row["cite"],) if row["cite"] else result.cites
            result.by, result.since = row.by or result.by, max(result.since or row.from_, row.from_)
            return True
        return False

    # ------------------------------------------------------------ groups
    def _choose(self, outcome: Outcome, order: list[tuple[str, ...]], cites: tuple[str, ...]) -> Outcome:
        """Tell who stands in each rank, and which of a rank is cheapest; durable-rules names the winner."""
        alive = [(rank, self.candidate(name)) for rank, names in enumerate(order) for name in names if self.candidate(name).applies]
        with self.rules.host.session("choice") as session:
            for rank in dict.fromkeys(rank for rank, _ in alive):
                members = [member for place, member in alive if place == rank]
                cheapest = min(members, key=self.value.cost).id
                for member in members:
                    session.tell({"t": "alive", "p": member.id, "rank": rank, "cheapest": member.id == cheapest})
            winner = ""
            for rank in range(len(order)):
                for _, match in session.tell({"t": "ask", "rank": rank}):
                    winner = match["alive"]["p"]
                    session.tell({"t": "won"})
        if winner == outcome.id:
            return outcome
        best = self.candidates[winner]
        if outcome.is_duty:
            self.relieved.setdefault(winner, set()).add(outcome.id)
        lost = Outcome(outcome.id, outcome.program, Verdict.DISPLACED, MET, outcome.step, outcome.heading, outcome.forbids)
        lost.by, lost.since, lost.cites, lost.would_base = outcome.by, outcome.since, outcome.cites, outcome.base
        lost.add, lost.up_to, lost.in_lieu = outcome.add, outcome.up_to, outcome.in_lieu
        lost.taken = [*outcome.taken, Taken(winner, best.heading, "group", cites)]
        return lost


def _barred(kinds: set[str]) -> Verdict | None:
    if "outside" in kinds:
        return Verdict.OUTSIDE
    return Verdict.COLUMN if "column" in kinds else None
