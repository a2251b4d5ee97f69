"""The naive evaluator: the executable definition of the notation. It reads the rules aloud, one provision after the other, and memoises.

It is slow (milliseconds a line) and shares with the compiled evaluator only the reading of facts and the arithmetic of `charge`.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.evaluate.charge import Base, Draft, charge
from tariff_engine.evaluate.conditions import NOT_SHOWN, YES, Truth, View, every, holds, matches_origin, on_fact
from tariff_engine.evaluate.derivation import Assumed, Derivation, Kind, Outcome, Reason, Row, Taken, Verdict
from tariff_engine.evaluate.parts import NOTHING, REST, Parts
from tariff_engine.money import cents
from tariff_engine.notation.conditions import SubjectTo, Test, When
from tariff_engine.notation.model import Slice
from tariff_engine.notation.program import Assume, Piece, Step
from tariff_engine.problems import LawConflictError

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.facts import Line
    from tariff_engine.notation import tables


class NaiveEvaluation:
    """One evaluation of one line. Outcomes are memoised; asking for one decides everything that it depends on first."""

    def __init__(self, book: Book, line: Line, base: Base, column: str, known_on: date, parts: Parts | None = None) -> None:
        """Take a line with its base duty; nothing is evaluated yet."""
        self.book, self.line, self.base, self.known_on = book, line, base, known_on
        self.cuts = parts or Parts(book)
        self.amounts = self.cuts.cut(line)
        self.everything = frozenset(self.amounts)
        ave = None if base.exact is None else base.ave
        self.view = View(book, line, known_on, column, ave)
        self.first: dict[str, Outcome] = {}
        self.last: dict[str, Outcome] = {}
        self.relieved: dict[str, set[str]] = {}
        self.assumed: dict[tuple[str, str], Assumed] = {}
        self._on_day: dict[date, Reason] = {}
        self._busy: list[str] = []

    # ------------------------------------------------------------ facts and parts
    def _assume(self, fact: str, rule: str, take: Any, because: str) -> None:
        self.assumed.setdefault((fact, rule), Assumed(fact, rule, take, because))

    def _decide(self, node: Node, when: When, day: date) -> tuple[Truth, tuple[str, ...]]:
        """Test three-valued first; only where the result is unknown, take what the law takes, and note that it was taken."""
        view = self.view
        truth = holds(view, when, self._subject, node.id, day)
        if truth.holds is not None:
            return truth, ()
        taken: dict[str, Any] = {}
        for fact in truth.facts:
            rule = self._silent(fact) or node.provision.if_unknown.get(fact) or self.book.facts[fact]
            taken[fact] = NOT_SHOWN if rule.take is None else rule.take
            self._assume(fact, node.id, rule.take, rule.because)
        assumed = View(view.book, view.line, view.known_on, view.column, view.ave, taken)
        return holds(assumed, when, self._subject, node.id, day), tuple(sorted(truth.facts))

    def _silent(self, fact: str) -> Assume | None:
        """What is taken for the dollars of a content that nobody stated, where another content is stated: nothing."""
        piece = next((piece for piece in self.book.slices.values() if piece.facts[0] == fact), None)
        return Assume(take=NOTHING, because=piece.because) if piece and self._beside_another(piece) else None

    def _beside_another(self, piece: Slice) -> bool:
        """Whether there is, as stated, some of another content that says there is none of this one."""
        return any(self.line.content.get(name, 0) > 0 for name in self.book.contents(piece.silent_if))

    def _subject(self, test: SubjectTo) -> Truth:
        hits = [
            o
            for name in self.book.expand(test.any)
            if (o := self.decide(name)).applies and o.covers and (test.test == "applies" or self._owed(o))
        ]
        if not hits:
            return Truth(holds=False, reason=Reason(Kind.SUBJECT, test.test, "none of the named duties"))
        covers = self.everything if test.on == "article" else frozenset[str]().union(*(o.covers for o in hits))
        return Truth(holds=True, reason=Reason(Kind.SUBJECT, test.test, hits[0].heading), covers=(covers,))

    def _owed(self, outcome: Outcome) -> bool:
        rate = outcome.in_lieu if outcome.in_lieu is not None else outcome.extra(self.base.ave)
        return outcome.is_duty and rate * outcome.base > 0

    def _reach(self, base: str | Piece, rule: str) -> frozenset[str]:
        """The parts that a base means: all of them, a slice, or the value less a slice."""
        if isinstance(base, Piece):
            name = base.part or base.less or ""
            piece = self.cuts.of_slice(name, base.cap) & self.everything
            return piece if base.part else self.everything - piece
        if base in {"value", "whole"}:
            return self.everything
        if base in self.line.content:
            return self.cuts.of_slice(base)
        piece_rule = self.book.slices[base]
        self._assume(piece_rule.facts[0], rule, piece_rule.unknown, piece_rule.because)
        silent = piece_rule.unknown == "none" or self._beside_another(piece_rule)
        return frozenset() if silent else self.everything

    # ------------------------------------------------------------ one provision
    def _dates(self, day: date) -> Reason:
        """The reason of all provisions that no step puts in force on a day: said once, of the hundreds that have it."""
        if day not in self._on_day:
            self._on_day[day] = Reason(Kind.DATES, "", str(day))
        return self._on_day[day]

    def _step(self, node: Node, day: date) -> Step | None:
        """Among the visible steps begun by the day, the latest; on a tie the one of the latest act. A program ends by the day of entry."""
        ended = node.program.ended
        if ended and self.book.live(ended, self.line.day, self.known_on):
            return ended
        live = [step for step in node.provision.steps if self.book.live(step, day, self.known_on)]
        return max(live, key=lambda step: (step.from_, self.book.published(step.by))) if live else None

    def candidate(self, name: str) -> Outcome:
        """Return the provision before the choice inside its group."""
        if name not in self.first:
            if name in self._busy:
                circle = " <- ".join([*self._busy[self._busy.index(name) :], name])
                message = f"the law book orders these in a circle: {circle}"
                raise LawConflictError(message)
            self._busy.append(name)
            self.first[name] = self._candidate(self.book.nodes[name])
            self._busy.pop()
        return self.first[name]

    def _candidate(self, node: Node) -> Outcome:
        program, provision, line = node.program, node.provision, self.line
        day = line.day
        if program.ftz and program.ftz.rate_of == "admission":
            day = line.facts.get("ftz_pf_admission_date", day)

        def outcome(verdict: Verdict, reason: Reason, step: Step | None, cites: list[str]) -> Outcome:
            forbids, by = bool(step and step.prohibited), (step.by or "") if step else ""
            since = step.from_ if step else None
            return Outcome(node.id, program.program, verdict, reason, step, node.heading, forbids, by, since, cites=tuple(cites))

        step = self._step(node, day)
        if step is None or step.ended or step.authorized:
            verdict = Verdict.NEVER if step and step.authorized else Verdict.NOT_IN_FORCE
            return outcome(verdict, self._dates(day), step, step.cite if step else [])
        truth, assumed = self._decide(node, provision.when, day)
        if not truth.holds:
            found = outcome(Verdict.CONDITION, truth.reason, step, step.cite)
            found.assumed = assumed
            return found
        result = outcome(Verdict.APPLIES, truth.reason, step, step.cite)
        result.assumed, result.at_floor = assumed, step.at_floor or ""
        result.add, result.up_to, result.in_lieu = step.add, step.up_to, step.in_lieu
        if step.table and not self._from_table(result, node, day):
            return result

        def barred(verdict: Verdict, reason: Reason, cites: list[str]) -> Outcome:
            found = outcome(verdict, reason, step, cites)
            found.heading, found.assumed, found.at_floor, found.transit = result.heading, result.assumed, result.at_floor, result.transit
            found.by, found.since = result.by, result.since
            return found

        for outside in program.outside:
            if self._decide(node, outside.when, day)[0].holds:
                return barred(Verdict.OUTSIDE, Reason(Kind.BARRED, outside.says), outside.cite)
        columns = step.columns or program.columns
        if self.view.column not in columns:
            return barred(Verdict.COLUMN, Reason(Kind.COLUMN, ", ".join(columns), self.view.column), list(result.cites))
        frame = self._frame(node)
        if frame == 0:
            rule = program.rule98(line.day)
            cites = rule.cite if rule else []
            return barred(Verdict.OUTSIDE, Reason(Kind.BARRED, f"chapter 98 entry {line.facts.get('chapter98')}"), cites)
        base = next((b.base for b in step.base_if if self._decide(node, When(hts=b.hts), day)[0].holds), step.base)
        covered = truth.covers and not result.is_duty
        result.reach = frozenset[str]().union(*truth.covers) if covered else self._reach(base, node.id)
        self._settle(result, node, step, frame)
        return result

    def _settle(self, result: Outcome, node: Node, step: Step, frame: int | None) -> None:
        """Take away what exceptions and relations take; say what is left."""
        result.would_base = self._amount(result.reach, frame)
        left = self._take_away(result, result.reach)
        result.parts, result.base = left, self._amount(left, frame)
        result.framed = frame is not None and sum(self.amounts[part] for part in left) > frame
        result.covers = left if step.covers is None else self._reach(step.covers, node.id)
        if not left and result.reach:
            result.verdict = Verdict.DISPLACED
        elif result.is_duty and not result.forbids and result.base == 0 and self.line.value:
            result.verdict = Verdict.NOTHING

    def _amount(self, parts: frozenset[str], frame: int | None) -> int:
        amount = sum(self.amounts[part] for part in parts)
        return amount if frame is None else min(frame, amount)

    def _frame(self, node: Node) -> int | None:
        """What chapter 98 leaves of the value for this program: None for all of it, 0 for nothing."""
        rule = node.program.rule98(self.line.day)
        if self.base.bond:
            return 0
        if not self.base.chapter98 or rule is None:
            return None
        kept = next((how for prefix, how in rule.keeps.items() if self.base.chapter98.startswith(prefix)), None)
        if kept == "nothing" or (kept is None and rule.exempt):
            return 0
        whole = rule.terms is None or (rule.terms == "part" and self.base.freed)
        if kept == "value" or (kept is None and whole):
            return None
        return self.base.value

    # ------------------------------------------------------------ tables
    def _row(self, node: Node, day: date) -> tables.Row | None:
        """The row of the provision's table for this line: longest product code first, named origin before `*`."""
        provision, found = node.provision, list[tuple[int, bool, int, Any]]()
        by_hts, by_origin = "hts" in (provision.look_up or []), "origin" in (provision.look_up or [])
        for order, ref in enumerate(provision.table or []):
            table = self.book.tables[ref]
            for row in table.match(self.line.hts) if by_hts else table.rows:
                named = row["origin"]
                mine = not by_origin or named == "*" or matches_origin(self.view, [named])
                if mine and row.holds(day) and self.book.row_known(row, self.known_on):
                    found.append((-len(row.hts), named == "*", order, row))
        for *_, row in sorted(found, key=lambda item: item[:3]):
            if not row["partial_ex"] or not provision.claim_partial or self._claims(node, provision.claim_partial):
                return row  # type: ignore[no-any-return]
        return None

    def _claims(self, node: Node, fact: str) -> bool:
        truth, _ = self._decide(node, When(facts={fact: True}), self.line.day)
        return bool(truth.holds)

    def _from_table(self, outcome: Outcome, node: Node, day: date) -> bool:
        """Fill heading, rate and effect from the row of the table; in transit, those that the row keeps."""
        row = self._row(node, day)
        if row is None:
            outcome.verdict = Verdict.CONDITION
            outcome.reason = Reason(Kind.TABLE, ", ".join(node.provision.table or []), self.line.hts, ("hts", "origin"))
            return False
        heading, rate, effect = row["heading"], row["rate"], row["effect"] or "add"
        if row["loaded_before"]:
            moving = self._moving(row)
            for name in sorted(moving.facts):
                fact = self.book.facts[name]
                self._assume(name, node.id, fact.take, fact.because)
            if moving.holds:
                heading, rate, effect, outcome.transit = row["transit_heading"], row["transit_rate"], "add", True
        number = Fraction(rate.rstrip("%") or "0") / 100
        outcome.heading, outcome.at_floor = heading, row["at_floor"]
        outcome.add = number if effect == "add" else None
        outcome.up_to = number if effect == "up_to" else None
        outcome.cites = (row["cite"],) if row["cite"] else outcome.cites
        outcome.by = row.by or outcome.by
        outcome.since = max(outcome.since or row.from_, row.from_)
        return True

    def _moving(self, row: tables.Row) -> Truth:
        """Whether the goods were in transit in the row's window: loaded and entered in time, on one conveyance, by the mode it asks for."""
        parts = [
            Truth(self.line.day < date.fromisoformat(row["entered_before"])),
            on_fact(self.view, "loaded_date", Test(before=date.fromisoformat(row["loaded_before"]))),
            YES if not self.line.facts.get("final_mode_differs") else Truth(holds=False),
        ]
        if row["transit_mode"]:
            parts.append(on_fact(self.view, "mode", Test.model_validate({"in": row["transit_mode"].split("|")})))
        return every(parts)

    # ------------------------------------------------------------ exceptions, relations, groups
    def _take_away(self, outcome: Outcome, reach: frozenset[str]) -> frozenset[str]:
        """The provision's own exceptions in their order, then the dated relations; a part that is taken is gone."""
        left = self._except(outcome, reach)
        return self._displace(outcome, left) if outcome.is_duty else left

    def _except(self, outcome: Outcome, left: frozenset[str]) -> frozenset[str]:
        node = self.book.nodes[outcome.id]
        for unless in node.provision.unless:
            if not self.book.live(unless, self.line.day, self.known_on):
                continue
            for name in self.book.expand(unless.any):
                other = self.decide(name)
                counts = outcome.is_duty or other.is_duty or node.provision.family is not None
                if counts and other.applies and left & other.covers:
                    left -= other.covers
                    outcome.taken.append(Taken(name, other.heading, "exception", tuple(unless.cite)))
                    if outcome.is_duty:
                        self.relieved.setdefault(name, set()).add(outcome.id)
        return left

    def _displace(self, outcome: Outcome, left: frozenset[str]) -> frozenset[str]:
        for relation in self.book.relations.relations:
            if not self.book.live(relation, self.line.day, self.known_on) or outcome.id not in self.book.expand(relation.excludes):
                continue
            for name in self.book.expand(relation.over):
                if name == outcome.id or not left:
                    continue
                other = self.decide(name)
                if other.applies and left & other.covers and (relation.test == "applies" or self._owed(other)):
                    left = left - other.covers if relation.on == "part" else frozenset()
                    outcome.taken.append(Taken(name, other.heading, "relation", tuple(relation.cite)))
                    if not other.is_duty:
                        self.relieved.setdefault(name, set()).add(outcome.id)
        return left

    def decide(self, name: str) -> Outcome:
        """Return the provision after the choice inside its groups: the first alive of the order, or the lowest of a nested list."""
        if name not in self.last:
            outcome = self.candidate(name)
            for group in self.book.nodes[name].program.groups:
                if outcome.applies and self.book.live(group, self.line.day, self.known_on):
                    outcome = self._choose(outcome, [self.book.expand(rank) for rank in group.order], tuple(group.cite))
            self.last[name] = outcome
        return self.last[name]

    def _choose(self, outcome: Outcome, order: list[tuple[str, ...]], cites: tuple[str, ...]) -> Outcome:
        if not any(outcome.id in rank for rank in order):
            return outcome
        ave = self.base.ave
        alive = [
            (n, other.extra(ave) * other.base, other)
            for n, rank in enumerate(order)
            for name in rank
            if (other := self.candidate(name)).applies
        ]
        winner = min(alive, key=lambda item: item[:2])[2]
        if winner.id == outcome.id:
            return outcome
        if outcome.is_duty:
            self.relieved.setdefault(winner.id, set()).add(outcome.id)
        lost = Outcome(outcome.id, outcome.program, Verdict.DISPLACED, outcome.reason, outcome.step, outcome.heading, outcome.forbids)
        lost.by, lost.since = outcome.by, outcome.since
        lost.add, lost.up_to, lost.in_lieu = outcome.add, outcome.up_to, outcome.in_lieu
        lost.would_base, lost.assumed, lost.cites = outcome.base, outcome.assumed, outcome.cites
        lost.taken = [*outcome.taken, Taken(winner.id, winner.heading, "group", cites)]
        return lost

    # ------------------------------------------------------------ the answer
    def run(self) -> Derivation:
        """Decide every provision of the book, then charge. Raises LawConflictError where live duties of a one-of program are not ordered."""
        outcomes = self.outcomes()
        self._refuse_unordered(outcomes)
        drafts: list[tuple[tuple[int, str], Draft]] = []
        for outcome in outcomes:
            node = self.book.nodes[outcome.id]
            if outcome.applies and (outcome.is_duty or outcome.id in self.relieved or node.provision.filed):
                rank = self.book.class_order(self.line.day).index(node.program.files_as)
                drafts.extend(((rank, draft.heading), draft) for draft in self._drafts(outcome))
        drafts.sort(key=lambda item: item[0])
        rows, segments, left, full = charge([draft for _, draft in drafts], self.amounts, self.base)
        rows += tuple(self._credits(rows))
        prohibited = any(outcome.applies and outcome.forbids for outcome in outcomes)
        return Derivation(self.line.day, rows, left, full, segments, tuple(self.assumed.values()), prohibited)

    def _drafts(self, outcome: Outcome) -> list[Draft]:
        floor = outcome.up_to is not None and self.base.ave >= outcome.up_to
        heading = outcome.at_floor if floor and outcome.at_floor else outcome.heading
        rate = outcome.rate
        if outcome.forbids:
            kind, rate = "prohibited", Fraction(0)
        elif rate is None or floor:
            kind, rate = "exemption", Fraction(0)
        else:
            kind = "additional" if outcome.add is not None else "total"
        found = [Draft(heading, outcome, kind, rate, outcome.parts, outcome.base, outcome.framed)]
        companion = outcome.step.companion if outcome.step else None
        if companion:
            parts = self.everything - outcome.reach
            if (companion.base.part or companion.base.less) in self.line.content:
                parts = self._reach(companion.base, outcome.id)
            amount = sum(self.amounts[part] for part in parts)
            if amount:  # nothing is left where the content is the whole, or is taken as the whole
                found.append(Draft(companion.heading, outcome, "exemption", Fraction(0), parts, amount))
        return found

    def _credits(self, rows: tuple[Row, ...]) -> list[Row]:
        """Set stated offsets off against the duties that they may reduce, never below zero."""
        found = []
        for program in self.book.programs:
            for offset in program.offsets:
                stated = self.line.facts.get(offset.credit)
                if stated is None or not self.book.live(offset, self.line.day, self.known_on):
                    continue
                if not holds(self.view, offset.when, self._subject, offset.offset, self.line.day).holds:
                    continue
                against = self.book.expand(offset.against)
                owed = sum(row.duty for row in rows if row.provision in against)
                amount = min(cents(Fraction(stated)), owed)
                if amount:
                    found.append(Row("", f"offset:{offset.offset}", program.program, "credit", Fraction(0), 0, -amount, frozenset()))
        return found

    def _refuse_unordered(self, outcomes: list[Outcome]) -> None:
        """Two live duties of a one-of program on the same part that nothing orders are never silently added."""
        duties = [outcome for outcome in outcomes if outcome.applies and outcome.is_duty]
        for program in self.book.programs:
            mine = [outcome for outcome in duties if program.one_of and outcome.program == program.program]
            for place, one in enumerate(mine):
                for two in mine[place + 1 :]:
                    if one.parts & two.parts:
                        message = f"{one.heading or one.id} and {two.heading or two.id} of {program.program} both reach the line and nothing orders them"
                        raise LawConflictError(message)

    # ------------------------------------------------------------ for the explanation
    def outcomes(self) -> list[Outcome]:
        """Return what became of each provision of the book, in the order of its files."""
        return [self.decide(name) for name in self.book.nodes]


__all__ = ["REST", "NaiveEvaluation"]
