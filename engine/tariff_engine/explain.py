"""Why, and why not: one verdict for every program of the book, read off the outcomes that the evaluation itself produced.

What a verdict says depends on bits alone, so it is made once for a plan as a template; a line fills in the values it shows and the dollars.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from operator import attrgetter
from typing import TYPE_CHECKING, Any, overload

from tariff_engine.evaluate.derivation import Kind, Outcome, Reason, Verdict
from tariff_engine.evaluate.words import nearness, reason_words
from tariff_engine.money import cents_of, dollars_text

if TYPE_CHECKING:
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.law import CalledOff, Law

_UNPROMPTED = 4.5  # a claim that nobody is prompted for is farther than a table without a row, nearer than a product that is not listed
_FIXED = frozenset({Kind.SUBJECT, Kind.BARRED, Kind.MET, Kind.DATES})  # what they show is the same for every line of a plan
_MAX_KEPT = 32  # forms of the verdicts of one plan: its lines differ in product and origin, and in the facts shown
_OF_LINE = {Kind.ORIGIN: "origin", Kind.PRODUCT: "hts", Kind.ENTERED: "day"}  # the attributes of a line that tests of some kinds meet
_SAID = frozenset({str, bool, type(None)})  # values that differ where their words differ; numbers can be equal and written differently
See = Callable[[Reason], str]
Doubt = tuple[str, str]
"""How sure the law book is of a provision, where it is not: `medium` or `low`, and the words of the doubt."""
_DECIDED = frozenset({"applies", "prohibited", "exempt", "displaced", "nothing_to_charge"})  # a provision stands, or would
Loss = tuple[Outcome, tuple[int, int, int] | None, int, int | None]
"""An outcome that costs nothing on the line: its rate as integers where it is known, the parts of the value, what chapter 98 leaves."""

_BY_KIND = {
    Kind.ORIGIN: "origin_not_covered",
    Kind.PRODUCT: "product_not_listed",
    Kind.TABLE: "product_not_listed",
    Kind.CLAIM: "not_claimed",
    Kind.ENTERED: "not_in_force",
}


@dataclass(frozen=True, slots=True)
class Template:
    """A verdict on a program. `words` is its sentence where it is the same for every line of the plan, else `reason` makes it.

    `seen` are the reasons whose facts are shown; `lost` the outcome whose cost is told: what the duty would have been.
    """

    program: str
    title: str
    verdict: str
    provision: str
    headings: tuple[str, ...]
    words: str
    reason: Reason | None
    seen: tuple[Reason, ...]
    cites: tuple[str, ...]
    by: tuple[str, ...]
    lost: Outcome | None = None
    doubt: Doubt | None = None
    shows: frozenset[tuple[Kind, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Collect the tests whose words depend on the line, each with its fact."""
        wanted = (self.reason, *(reason for reason in self.seen if not reason.unknown))
        found = frozenset((reason.kind, reason.facts[0]) for reason in wanted if reason and reason.kind not in _FIXED and reason.facts)
        object.__setattr__(self, "shows", found)

    def render(self, see: See) -> dict[str, Any]:
        """Return the verdict on a line as it stands in an answer, but for what the duty would have been."""
        because = self.words
        if self.reason is not None:
            sentence = reason_words(self.reason, see(self.reason))
            because = f"{sentence[0].upper()}{sentence[1:]}."
        found: dict[str, Any] = {"program": self.program, "title": self.title, "verdict": self.verdict, "because": because}
        if self.provision:
            found["provision"] = self.provision
        if self.headings:
            found["headings"] = self.headings
        if self.seen:
            found["facts"] = {reason.facts[0]: None if reason.unknown else see(reason) for reason in self.seen}
        if self.by:
            found["instruments"] = self.by
        if self.doubt:
            found["confidence"], found["doubt"] = self.doubt
        found["cites"] = self.cites
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The verdicts of a plan in short: program and verdict, in order. All lines of the plan have the same object, which is its own key."""

    verdicts: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Forms:
    """The verdicts that lines share, empty where one is rendered anew, and the facts in them by place; both are copied for each answer."""

    rows: list[dict[str, Any]]
    shares: list[tuple[int, dict[str, Any]]]
    written: Any = None  # the same in the form of whoever writes answers, once written


class Verdicts(Sequence[dict[str, Any]]):
    """The verdicts on a line, folded: what it shares with other lines, and its own. Whoever reads them gets them whole, and may change them.

    `open` tells whether somebody did: from then on the rows count, not what they were made of.
    """

    __slots__ = ("_rows", "anew", "forms", "losses", "tally")

    def __init__(self, forms: Forms, anew: Sequence[tuple[int, dict[str, Any]]], losses: Sequence[tuple[int, str]], tally: Tally) -> None:
        """Take the shared verdicts, those of this line by their places, what the duty would have been by place, and the verdicts in short."""
        self.forms, self.anew, self.losses, self.tally = forms, anew, losses, tally
        self._rows: list[dict[str, Any]] | None = None

    @property
    def open(self) -> bool:
        """Whether somebody read the rows, and may have changed them."""
        return self._rows is not None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The verdicts as they stand in an answer."""
        found = self._rows
        if found is None:
            found = [form.copy() for form in self.forms.rows]  # the reader of an answer may change it
            for place, inner in self.forms.shares:
                found[place]["facts"] = inner.copy()
            for place, row in self.anew:
                found[place] = row
            for place, amount in self.losses:
                found[place]["would_be"] = amount
            self._rows = found
        return found

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """Return a verdict, or several."""
        return self.rows[place]

    def __len__(self) -> int:
        """Return how many programs the verdicts are on."""
        return len(self.forms.rows)


class Page:
    """The verdicts of a plan. Lines that show the same words share them; amounts of money, which differ from line to line, are shown anew."""

    __slots__ = ("_anew", "_asks", "_facts", "_kept", "_losses", "_of_line", "_tally", "_templates")

    def __init__(self, templates: Iterable[Template], money: Container[str], derived: Container[str]) -> None:
        """Collect what the templates show. `money` are the facts that state amounts, `derived` those that are computed from others."""
        self._templates = tuple(templates)
        shows = [template.shows for template in self._templates]
        anew = [any(fact in money for _, fact in asks) for asks in shows]
        self._anew = tuple((place, template) for place, template in enumerate(self._templates) if anew[place])
        steady = dict.fromkeys(ask for place, asks in enumerate(shows) if not anew[place] for ask in sorted(asks))
        attributes = dict.fromkeys(_OF_LINE[kind] for kind, _ in steady if kind in _OF_LINE)
        self._of_line = attrgetter(*attributes) if attributes else None
        self._facts = tuple(fact for kind, fact in steady if kind is Kind.FACT and fact not in derived)
        self._asks = tuple((kind, fact) for kind, fact in steady if kind not in _OF_LINE and (kind is not Kind.FACT or fact in derived))
        self._losses = tuple((place, _loss(template.lost)) for place, template in enumerate(self._templates) if template.lost is not None)
        self._tally = Tally(tuple((template.program, template.verdict) for template in self._templates))
        self._kept: dict[tuple[Any, ...], Forms] = {}

    def render(self, evaluated: Evaluated, words: Callable[[str, str], str]) -> Verdicts:
        """Return the verdicts on a line, given the words for what a test of some kind met on a fact."""

        def see(reason: Reason) -> str:
            return reason.seen if reason.kind in _FIXED or not reason.facts else words(reason.kind, reason.facts[0])

        line = evaluated.line
        facts = line.facts
        shown: list[Any] = [self._of_line(line)] if self._of_line is not None else []
        for fact in self._facts:
            value = facts.get(fact)
            shown.append(value if value.__class__ in _SAID else words(Kind.FACT, fact))
        if self._asks:
            shown.extend([words(*ask) for ask in self._asks])
        key = tuple(shown)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            kept = self._kept[key] = self._forms(see)
        anew = [(place, template.render(see)) for place, template in self._anew]
        losses = [(place, _would_be(loss, evaluated)) for place, loss in self._losses]
        return Verdicts(kept, anew, losses, self._tally)

    def _forms(self, see: See) -> Forms:
        anew = {place for place, _ in self._anew}
        forms = [{} if place in anew else template.render(see) for place, template in enumerate(self._templates)]
        return Forms(forms, [(place, form["facts"]) for place, form in enumerate(forms) if "facts" in form])


def _loss(lost: Outcome) -> Loss:
    rate = lost.add or Fraction(0)
    terms = None if lost.add is None else (200 * rate.numerator, rate.denominator, 2 * rate.denominator)
    return lost, terms, lost.reach_mask, lost.frame


def _would_be(loss: Loss, evaluated: Evaluated) -> str:
    """Return what an outcome would have cost."""
    lost, terms, mask, frame = loss
    dollars = evaluated.amount(mask, frame)
    if terms is None:
        return dollars_text(cents_of(max(Fraction(0), lost.extra(evaluated.base.ave)), dollars))
    first, second, third = terms
    return dollars_text((first * dollars + second) // third)


@dataclass(frozen=True, slots=True)
class Life:
    """When a program was, is and will be in force, by what is known: the first days of its steps, the last day, and the act that ended it."""

    starts: tuple[date, ...]
    ended: date | None
    ended_by: str


class Explanation:
    """Makes templates. Outcomes come from either evaluator; the words are the same."""

    def __init__(self, law: Law, says: dict[str, str]) -> None:
        """Take the law and the sentence of each provision."""
        self.law, self.says = law, says
        self.doubts = doubts(law)

    def template(self, program: str, title: str, outcomes: Sequence[Outcome], life: Life, day: date) -> Template:
        """Return the verdict on a program from the outcomes of its provisions; `day` is any day of the interval."""
        applying = [outcome for outcome in outcomes if outcome.applies]
        duties = [outcome for outcome in applying if outcome.is_duty]
        if duties:
            return self._applies(program, title, duties)
        lost = [o for o in outcomes if o.verdict is Verdict.DISPLACED and o.is_duty]
        if lost:
            return self._lost(program, title, lost, outcomes)
        if applying:
            first = applying[0]
            words = f"{first.heading}: {self.says[first.id]}" if first.heading else self.says[first.id]
            return self._made(program, title, "exempt", first, words, headings=(first.heading,) if first.heading else ())
        nothing = next((o for o in outcomes if o.verdict is Verdict.NOTHING), None)
        if nothing:
            return self._made(program, title, Verdict.NOTHING.value, nothing, "Its base is worth nothing on this line.")
        for verdict in (Verdict.COLUMN, Verdict.OUTSIDE):
            found = next((o for o in outcomes if o.verdict is verdict), None)
            if found:
                return self._made(program, title, verdict.value, found, None)
        open_ = [o for o in outcomes if o.verdict is Verdict.CONDITION]
        if open_:
            return self._not_met(program, title, min(open_, key=self._distance))
        never = next((o for o in outcomes if o.verdict is Verdict.NEVER), None)
        if never:
            return self._never(program, title, never, life)
        return self._not_in_force(program, title, outcomes, life, day)

    # ------------------------------------------------------------ the kinds of verdict
    def _applies(self, program: str, title: str, duties: list[Outcome]) -> Template:
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

    def _lost(self, program: str, title: str, lost: list[Outcome], outcomes: Sequence[Outcome]) -> Template:
        """Duties that other provisions displaced: by the program's own exemption, by its group, or by another program."""
        own = {outcome.id: outcome for outcome in outcomes}
        first = max(lost, key=lambda outcome: outcome.extra(Fraction(0)))
        taker = first.taken[-1]
        relieving = taker.by in own and not own[taker.by].is_duty
        exempt = relieving or (taker.how == "exception" and taker.by not in own)
        words = f"{taker.heading}: {self.says[taker.by]}" if taker.heading else self.says[taker.by]
        if not exempt:
            words = f"{first.heading or first.id} is displaced by {'' if taker.heading else f'{taker.by}: '}{words}"
        cites = tuple(dict.fromkeys(cite for t in first.taken for cite in t.cites))
        verdict = "exempt" if exempt else "displaced"
        headings = (taker.heading,) if taker.heading else ()
        return self._made(program, title, verdict, first, words, headings=headings, cites=cites, lost=first, taker=taker.by)

    def _not_met(self, program: str, title: str, nearest: Outcome) -> Template:
        reason = nearest.reason
        verdict = _BY_KIND.get(reason.kind, "condition_not_met")
        if reason.kind is Kind.FACT:
            verdict = "fact_unknown" if reason.unknown else "fact_not_met"
        return self._made(program, title, verdict, nearest, None)

    def _not_in_force(self, program: str, title: str, outcomes: Sequence[Outcome], life: Life, day: date) -> Template:
        words = self._dates(life, day)
        called_off = next((c for c in self.law.called_off.get(program, ()) if _was_to_run(c, day)), None)
        if called_off:
            acts = self.law.instruments
            words += (
                f" {called_off.provision} was announced for {called_off.start} by {acts[called_off.by].title} ({acts[called_off.by].cite})"
                f" and called off by {acts[called_off.withdrawn_by].title} ({acts[called_off.withdrawn_by].cite})."
            )
        by = [life.ended_by] if life.ended and life.ended <= day and life.ended_by else []
        by += [called_off.by, called_off.withdrawn_by] if called_off else []
        cites = tuple(dict.fromkeys(cite for outcome in outcomes for cite in outcome.cites))
        seen = (Reason(Kind.ENTERED, facts=("entry_date",)),)
        return Template(program, title, "not_in_force", "", (), words, None, seen, cites, tuple(by))

    def _never(self, program: str, title: str, outcome: Outcome, life: Life) -> Template:
        """An act let a duty be imposed, and nobody imposed it: that is no silence of the book."""
        span = f"from {outcome.since}" + (f" until {life.ended}" if life.ended else " on")
        words = f"Authority to impose it ran {span}, and nothing was owed under it. {self.says[outcome.id]}"
        return self._made(program, title, Verdict.NEVER.value, outcome, words)

    def _dates(self, life: Life, day: date) -> str:
        if life.ended and life.ended <= day:
            act = self.law.instruments.get(life.ended_by)
            return f"It ended on {life.ended}" + (f" ({act.cite})." if act else ".")
        later = [start for start in life.starts if start > day]
        earlier = [start for start in life.starts if start <= day]
        if later and not earlier:
            return f"It begins on {min(later)}, after the entry."
        if later:
            return f"None of its steps is in force on the day of entry; the next begins on {min(later)}."
        return "None of its steps is in force on the day of entry."

    # ------------------------------------------------------------ parts of a template
    def _distance(self, outcome: Outcome) -> float:
        """How far a provision was from applying; claims that nobody is prompted for count as far."""
        reason, distance = outcome.reason, float(nearness(outcome.reason))
        facts = self.law.facts
        if reason.kind is Kind.FACT and not facts[reason.facts[0]].ask:
            distance = _UNPROMPTED
        return distance + (0.1 if reason.kind is Kind.FACT and reason.unknown else 0.0)

    def _made(
        self,
        program: str,
        title: str,
        verdict: str,
        outcome: Outcome,
        words: str | None,
        *,
        headings: tuple[str, ...] = (),
        cites: tuple[str, ...] = (),
        others: Iterable[Outcome] = (),
        lost: Outcome | None = None,
        taker: str = "",
    ) -> Template:
        seen: dict[str, Reason] = {}
        for one in (outcome, *others):
            reason = one.reason
            if reason.facts and reason.facts[0]:
                seen.setdefault(reason.facts[0], reason)
        found = cites or tuple(dict.fromkeys(cite for one in (outcome, *others) for cite in one.cites))
        by = tuple(dict.fromkeys(one.by for one in (outcome, *others) if one.by))
        names = (taker, outcome.id, *(one.id for one in others)) if verdict in _DECIDED else ()
        doubts = [self.doubts[name] for name in names if name in self.doubts]
        return Template(
            program,
            title,
            verdict,
            outcome.id,
            headings,
            words or "",
            outcome.reason if words is None else None,
            tuple(seen.values()),
            found,
            by,
            lost,
            min(doubts, default=None, key=lambda doubt: doubt[0] != "low"),
        )


def doubts(law: Law) -> dict[str, Doubt]:
    """Return the provisions of which the law book is not sure, with the doubt in words."""
    unsure = (one for one in law.compiled.provisions if one.confidence[0] != "high")
    return {one.id: (one.confidence[0], one.confidence[1] or "the sources do not settle it") for one in unsure}


def _was_to_run(step: CalledOff, day: date) -> bool:
    return step.start <= day < (step.until or date.max)
