"""Why, and why not: one verdict for every program of the book, read off the outcomes that the evaluation itself produced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.evaluate.derivation import Kind, Outcome, Verdict
from tariff_engine.evaluate.words import nearness, reason_words
from tariff_engine.money import cents, dollars_text

if TYPE_CHECKING:
    from tariff_engine.law import CalledOff, Law

_UNPROMPTED = 4.5  # a claim that nobody is prompted for is farther than a table without a row, nearer than a product that is not listed


@dataclass(frozen=True, slots=True)
class ProgramVerdict:
    """What became of a program on a line. `verdict` is one of the codes of docs/answer.md; `would_be` is in cents."""

    program: str
    title: str
    verdict: str
    provision: str
    headings: tuple[str, ...]
    because: str
    facts: tuple[tuple[str, str | None], ...]
    cites: tuple[str, ...]
    by: tuple[str, ...]
    would_be: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as it stands in an answer."""
        found: dict[str, Any] = {"program": self.program, "verdict": self.verdict, "because": self.because}
        if self.headings:
            found["headings"] = list(self.headings)
        if self.facts:
            found["facts"] = dict(self.facts)
        if self.by:
            found["instruments"] = list(self.by)
        found["cites"] = list(self.cites)
        if self.would_be is not None:
            found["would_be"] = dollars_text(self.would_be)
        return found


@dataclass(frozen=True, slots=True)
class Life:
    """When a program was, is and will be in force, by what is known: the first day, the last, and the act that ended it."""

    starts: tuple[date, ...]
    ended: date | None
    ended_by: str


class Explanation:
    """Makes the verdicts of one line. Outcomes come from either evaluator; the words are the same."""

    def __init__(self, law: Law, day: date, ave: Fraction, says: dict[str, str]) -> None:
        """Take the law, the entry date, the base rate and the sentence of each provision."""
        self.law, self.day, self.ave, self.says = law, day, ave, says

    def verdict(self, program: str, title: str, outcomes: Sequence[Outcome], life: Life) -> ProgramVerdict:
        """Return the verdict on a program from the outcomes of its provisions."""
        applying = [outcome for outcome in outcomes if outcome.applies]
        duties = [outcome for outcome in applying if outcome.is_duty]
        if duties:
            return self._applies(program, title, duties)
        lost = [o for o in outcomes if o.verdict is Verdict.DISPLACED and o.is_duty]
        if lost:
            return self._lost(program, title, lost, outcomes)
        if applying:
            first = applying[0]
            words = f"{first.heading or first.id}: {self.says[first.id]}"
            return self._made(program, title, "exempt", first, words, headings=(first.heading,) if first.heading else ())
        for verdict in (Verdict.NOTHING, Verdict.COLUMN, Verdict.OUTSIDE):
            found = next((o for o in outcomes if o.verdict is verdict), None)
            if found:
                return self._made(program, title, verdict.value, found, self._words(found))
        open_ = [o for o in outcomes if o.verdict is Verdict.CONDITION]
        if open_:
            return self._not_met(program, title, min(open_, key=self._distance))
        return self._not_in_force(program, title, outcomes, life)

    # ------------------------------------------------------------ the kinds of verdict
    def _applies(self, program: str, title: str, duties: list[Outcome]) -> ProgramVerdict:
        first = duties[0]
        headings = tuple(dict.fromkeys(outcome.heading for outcome in duties if outcome.heading))
        words = " ".join(dict.fromkeys(self.says[outcome.id] for outcome in duties))
        taken = [t for outcome in duties for t in outcome.taken]
        if taken:
            others = ", ".join(dict.fromkeys(t.heading or t.by for t in taken))
            words += f" Part of the value is left to {others}."
        if first.transit:
            words += " The goods were in transit, and keep the earlier rate."
        verdict = "prohibited" if any(outcome.forbids for outcome in duties) else "applies"
        return self._made(program, title, verdict, first, words, headings=headings, others=duties)

    def _lost(self, program: str, title: str, lost: list[Outcome], outcomes: Sequence[Outcome]) -> ProgramVerdict:
        """Duties that other provisions displaced: by the program's own exemption, by its group, or by another program."""
        own = {outcome.id: outcome for outcome in outcomes}
        first = max(lost, key=self._cost)
        taker = first.taken[-1]
        heading = taker.heading or taker.by
        relieving = taker.by in own and not own[taker.by].is_duty
        exempt = relieving or (taker.how == "exception" and taker.by not in own)
        words = f"{heading}: {self.says[taker.by]}"
        if not exempt:
            words = f"{first.heading or first.id} is displaced by {words}"
        cites = tuple(dict.fromkeys(cite for t in first.taken for cite in t.cites))
        found = self._made(program, title, "exempt" if exempt else "displaced", first, words, headings=(heading,), cites=cites)
        return _with_cost(found, self._cost(first))

    def _not_met(self, program: str, title: str, nearest: Outcome) -> ProgramVerdict:
        reason = nearest.reason
        kinds = {
            Kind.ORIGIN: "origin_not_covered",
            Kind.PRODUCT: "product_not_listed",
            Kind.TABLE: "product_not_listed",
            Kind.CLAIM: "not_claimed",
            Kind.ENTERED: "not_in_force",
        }
        verdict = kinds.get(reason.kind, "condition_not_met")
        if reason.kind is Kind.FACT:
            verdict = "fact_unknown" if reason.unknown else "fact_not_met"
        return self._made(program, title, verdict, nearest, self._words(nearest))

    def _not_in_force(self, program: str, title: str, outcomes: Sequence[Outcome], life: Life) -> ProgramVerdict:
        words = self._dates(life)
        called_off = next((c for c in self.law.called_off.get(program, ()) if self._was_to_run(c)), None)
        if called_off:
            acts = self.law.instruments
            words += (
                f" {called_off.provision} was announced for {called_off.start} by {acts[called_off.by].title} ({acts[called_off.by].cite})"
                f" and called off by {acts[called_off.withdrawn_by].title} ({acts[called_off.withdrawn_by].cite})."
            )
        by = [life.ended_by] if life.ended and life.ended <= self.day and life.ended_by else []
        by += [called_off.by, called_off.withdrawn_by] if called_off else []
        cites = tuple(dict.fromkeys(cite for outcome in outcomes for cite in outcome.cites))
        return ProgramVerdict(program, title, "not_in_force", "", (), words, (("entry_date", str(self.day)),), cites, tuple(by))

    def _was_to_run(self, step: CalledOff) -> bool:
        return step.start <= self.day < (step.until or date.max)

    def _dates(self, life: Life) -> str:
        if life.ended and life.ended <= self.day:
            act = self.law.instruments.get(life.ended_by)
            return f"It ended on {life.ended}" + (f" ({act.cite})." if act else ".")
        later = [start for start in life.starts if start > self.day]
        earlier = [start for start in life.starts if start <= self.day]
        if later and not earlier:
            return f"It begins on {min(later)}; the entry is of {self.day}."
        if later:
            return f"None of its steps is in force on {self.day}; the next begins on {min(later)}."
        return f"None of its steps is in force on {self.day}."

    # ------------------------------------------------------------ words, facts and dollars
    def _words(self, outcome: Outcome) -> str:
        words = reason_words(outcome.reason)
        if outcome.verdict is Verdict.NOTHING:
            words = "its base is worth nothing on this line"
        return f"{words[0].upper()}{words[1:]}."

    def _distance(self, outcome: Outcome) -> float:
        """How far a provision was from applying; claims that nobody is prompted for count as far."""
        reason, distance = outcome.reason, float(nearness(outcome.reason))
        facts = self.law.facts
        if reason.kind is Kind.FACT and reason.facts and not facts[reason.facts[0]].ask:
            distance = _UNPROMPTED
        return distance + (0.1 if reason.kind is Kind.FACT and reason.unknown else 0.0)

    def _cost(self, outcome: Outcome) -> int:
        return cents(outcome.extra(self.ave) * outcome.would_base)

    def _made(
        self,
        program: str,
        title: str,
        verdict: str,
        outcome: Outcome,
        words: str,
        *,
        headings: tuple[str, ...] = (),
        cites: tuple[str, ...] = (),
        others: Iterable[Outcome] = (),
    ) -> ProgramVerdict:
        seen: dict[str, str | None] = {}
        for one in (outcome, *others):
            for fact in one.reason.facts:
                if fact:
                    seen.setdefault(fact, None if fact in one.reason.unknown else one.reason.seen)
        found = cites or tuple(dict.fromkeys(cite for one in (outcome, *others) for cite in one.cites))
        by = tuple(dict.fromkeys(one.by for one in (outcome, *others) if one.by))
        return ProgramVerdict(program, title, verdict, outcome.id, headings, words, tuple(seen.items()), found, by)


def _with_cost(verdict: ProgramVerdict, cost: int) -> ProgramVerdict:
    v = verdict
    return ProgramVerdict(v.program, v.title, v.verdict, v.provision, v.headings, v.because, v.facts, v.cites, v.by, cost)
