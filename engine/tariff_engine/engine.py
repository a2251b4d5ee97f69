"""The engine: lines and entries in, answers out. The one door through which the command line, the service and programs ask."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from tariff_engine.adcvd import adcvd_rows
from tariff_engine.adcvd_orders import possible_orders
from tariff_engine.answer import LineParts, line_answer
from tariff_engine.base import LineBase, line_base
from tariff_engine.compiled.evaluate import CompiledEvaluator
from tariff_engine.compiled.evaluated import Evaluated
from tariff_engine.compiled.outcomes import Outcomes, seen_words
from tariff_engine.compiled.situation import Situation
from tariff_engine.desk import Desk
from tariff_engine.doubts98 import doubts_under_98
from tariff_engine.evaluate.derivation import Assumed, Derivation, Outcome
from tariff_engine.exclusions import claimable
from tariff_engine.explain import Explanation, Life, Page, Template, Verdicts
from tariff_engine.facts import FactReader, Line
from tariff_engine.inquiry import Inquirer, Inquiry
from tariff_engine.inquiry_answers import Answers, representatives, shares
from tariff_engine.law import Law, knowledge_day
from tariff_engine.problems import Problem, refuse
from tariff_engine.suffixes import told_apart

_MAX_BARREN = 100_000
_MAX_REMARKED = 20_000
_SUMMARY = frozenset({"applies", "prohibited", "exempt", "displaced"})
Explain = Literal["none", "summary", "full"]


class Assessed(NamedTuple):
    """An evaluated line with its base, as the inquiry sees it: claims that would lower the base duty are open facts too."""

    evaluated: Evaluated
    base: LineBase

    @property
    def duty(self) -> int | None:
        """All duties in cents."""
        return self.evaluated.duty

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings filed."""
        return self.evaluated.headings

    @property
    def relevant(self) -> tuple[int, tuple[int, ...]]:
        """The bits of tests that can matter on the line, and the loading days of its in-transit windows."""
        situation = self.evaluated.plan.situation
        return situation.relevant, situation.windows

    @property
    def assumed(self) -> tuple[Assumed, ...]:
        """What was taken for facts that nobody stated."""
        claims = tuple(Assumed(fact, "base", take=False, because="a preference is claimed, never assumed") for fact in self.base.unclaimed)
        amounts = tuple(Assumed(one.fact, "base", one.taken, one.because) for one in self.base.open)
        return amounts + self.evaluated.assumed + claims


class Knowledge:
    """The law as known on a day, with everything prepared to answer from it."""

    def __init__(self, law: Law) -> None:
        """Prepare readers, the evaluator and the inquirer."""
        self.law = law
        self.reader = FactReader(law)
        self.evaluator = CompiledEvaluator(law.compiled)
        self.says = {p.id: p.says for p in law.compiled.provisions}
        self.says |= {f"offset:{o.name}": o.says for program in law.compiled.programs for o in program.offsets}
        asked = [meaning.asks for meaning in law.chapter98.meanings.values() if meaning.asks]
        answers = Answers(
            law.compiled, law.facts, representatives(law.compiled, law.facts, law.countries), shares(law.compiled, law.facts, asked)
        )
        self.inquirer = Inquirer(
            answers, self.reader, lambda line: Assessed(*self.evaluate(line)), lambda line: line_base(self.law, line), law
        )
        self.desk = Desk(law)
        self._remarked: dict[tuple[Any, ...], tuple[Problem, ...]] = {}
        self._money = frozenset(name for name, spec in law.facts.items() if spec.type == "usd" or spec.ratio)
        self.explanation = Explanation(law, self.says)
        self._lives: dict[int, Life] = {}
        self._barren: dict[tuple[int, ...], Template] = {}
        self._days: dict[int, list[int]] = {}

    def read(self, raw: Mapping[str, Any]) -> Line:
        """Read a line and check that the book answers for its day. Raises ProblemError."""
        line = self.reader.read(raw)
        if line.day < self.law.start:
            raise refuse(
                "date_before_book", "entry_date", f"{line.day} is before the law book begins", f"send a day from {self.law.start} on"
            )
        return line

    def evaluate(self, line: Line) -> tuple[Evaluated, LineBase]:
        """Evaluate a line that was read. Raises ProblemError and LawConflictError."""
        base = line_base(self.law, line)
        return self.evaluator.evaluate(line, base.base, base.column), base

    def rest(self, most: int = 0) -> None:
        """Let go of what is remembered of lines, once so many plans were made: for who goes through many lines that are not asked for again.

        Not while a line is inquired into.
        """
        if self.evaluator.plans >= most:
            self.evaluator.forget()
            self.inquirer.forget()
            self._remarked.clear()  # each keeps its plan

    def _evaluated(self, line: Line) -> Evaluated:
        return self.evaluate(line)[0]

    def derivation(self, evaluated: Evaluated, base: LineBase) -> Derivation:
        """Return what is filed and owed; another engine can decide it in the place of this one."""
        del base
        return evaluated.derivation()

    def inquire(self, line: Line, evaluated: Evaluated, base: LineBase) -> Inquiry:
        """Return what to ask about a line, and the range of its duty."""
        return self.inquirer.inquire(line, Assessed(evaluated, base))

    def verdicts(self, evaluated: Evaluated) -> Verdicts:
        """Return the verdict on every program of the book."""
        plan, book = evaluated.plan, self.law.compiled
        page: Page | None = plan.page
        if page is None:
            page = plan.page = Page(self._templates(evaluated), self._money, {*book.ratios, *book.ages})
        return page.render(evaluated, lambda kind, fact: seen_words(book, evaluated, kind, fact))

    def _templates(self, evaluated: Evaluated) -> tuple[Template, ...]:
        """Make the verdicts of a plan; those of programs that the situation leaves nothing of are shared among situations."""
        situation = evaluated.plan.situation
        outcomes = Outcomes(evaluated, self.evaluator.situations)
        found = []
        for program in self.law.compiled.programs:
            number = program.index
            if number in situation.programs:
                found.append(self._template(number, outcomes.of_program(number), evaluated.line.day))
                continue
            key = self._seen_by(number, situation)
            if key not in self._barren:
                if len(self._barren) >= _MAX_BARREN:
                    self._barren.clear()
                self._barren[key] = self._template(number, outcomes.of_program(number), evaluated.line.day)
            found.append(self._barren[key])
        return tuple(found)

    def _seen_by(self, number: int, situation: Situation) -> tuple[int, ...]:
        """Return what a program sees of a situation that leaves nothing of it: of the days, how many of its own have come."""
        days, situations = self._days.get(number), self.evaluator.situations
        if days is None:
            days = self._days[number] = self._days_of(number)
        entered, admitted = (bisect_right(days, situations.first_day(one)) for one in (situation.interval, situation.admission))
        return situations.program_key(number, entered, admitted, situation.static, situation.static_admission)

    def _days_of(self, number: int) -> list[int]:
        """Return the days on which a verdict on a program may change: its steps, its end, and what was called off."""
        program = self.law.compiled.programs[number]
        found = set(self.evaluator.situations.days_of(program))
        for step in self.law.called_off.get(program.name, ()):
            found |= {step.start.toordinal(), (step.until or date.max).toordinal()}
        return sorted(found)

    def _template(self, number: int, outcomes: list[Outcome], day: date) -> Template:
        program = self.law.compiled.programs[number]
        return self.explanation.template(program.name, program.title, outcomes, self.life(number), day)

    def life(self, number: int) -> Life:
        """Return when a program begins and ends, by what is known."""
        if number not in self._lives:
            program = self.law.compiled.programs[number]
            provisions = (self.law.compiled.provisions[place] for place in program.provisions)
            starts = sorted({effect.start for p in provisions for effect in p.effects if effect.kind != "ended" and effect.start})
            ended, by = (date.fromordinal(program.ended.start), program.ended.by) if program.ended else (None, "")
            self._lives[number] = Life(tuple(date.fromordinal(start) for start in starts), ended, by)
        return self._lives[number]

    def warnings(self, line: Line, base: LineBase, evaluated: Evaluated) -> list[Problem]:
        """Return everything a reader of the answer must know that is no duty."""
        if "exclusion_claims" in line.facts or "chapter98" in line.facts:
            return [*base.warnings, *doubts_under_98(self.law, base, evaluated), *self._remarks(line, evaluated)]
        key = (evaluated.plan, line.hts, line.origin, line.day)
        remarks = self._remarked.get(key)
        if remarks is None:
            if len(self._remarked) >= _MAX_REMARKED:
                self._remarked.clear()
            remarks = self._remarked[key] = tuple(self._remarks(line, evaluated))
        return [*base.warnings, *doubts_under_98(self.law, base, evaluated), *remarks]

    def _remarks(self, line: Line, evaluated: Evaluated) -> list[Problem]:
        found = self.remarks_on_day(line)
        found += told_apart(self.law, self.evaluator.situations, line)
        unknown = [claim for claim in line.facts.get("exclusion_claims", ()) if claim not in self.law.compiled.claim_bits]
        for claim in unknown:
            message = f"the exclusion {str(claim)[:20]} that is claimed is not in the law book: it relieves nothing here"
            found.append(Problem("claim_not_in_book", "exclusion_claims", message, "check the exclusion by hand"))
        return found + self.remarks_on_plan(evaluated)

    def remarks_on_day(self, line: Line) -> list[Problem]:
        """Return what the book does not hold of the law on the day of a line, as far as it may reach the product and the origin."""
        found = list[Problem]()
        if line.day > self.law.horizon:
            message = f"{line.day} lies beyond the horizon of the law book, {self.law.horizon}: later law is not in it"
            found.append(Problem("beyond_horizon", "entry_date", message, "check for acts published after the horizon"))
        for item in self.law.absent:
            if item.may_reach(line.hts, line.origin, line.day):
                message = f"{item.title} may reach this line and is not in the law book yet ({'; '.join(item.cites)})"
                found.append(Problem("not_in_book", item.name, message, "add its duty, or its exemption, by hand"))
        return found

    def remarks_on_plan(self, evaluated: Evaluated) -> list[Problem]:
        """Return the doubts of the book about what a line files, and whether it files more than can be filed."""
        found, provisions, line = list[Problem](), self.law.compiled.provisions, evaluated.line
        for place in dict.fromkeys(row.place for row in evaluated.plan.rows):
            doubt = self.explanation.doubts.get(provisions[place].id)
            if doubt:
                message = f"{provisions[place].id}: {doubt[1]}"
                found.append(Problem(f"confidence_{doubt[0]}", "headings", message, "read the primary text cited"))
        for name, level, because in evaluated.plan.doubts:
            found.append(Problem(f"confidence_{level}", "headings", f"{name} gives way: {because}", "read the primary text cited"))
        limit = next((numbers for start, numbers in reversed(self.law.limits) if start <= line.day), None)
        longest = max((len(inside) for _, inside in evaluated.plan.groups), default=0) + 1 + ("chapter98" in line.facts)
        if limit is not None and longest > limit:
            message = f"{longest} HTS numbers on one line, more than the {limit} that ACE takes"
            found.append(Problem("too_many_numbers", "headings", message, "ask the CBP client representative how to file it"))
        return found

    def answer(self, line: Line, identity: str, explain: Explain = "full", *, inquire: bool = True, folded: bool = False) -> dict[str, Any]:
        """Assess a line that was read, and return its answer: plain data, or `folded`, with `Verdicts` in the place of their list."""
        evaluated, base = self.evaluate(line)
        rows, amount, notes = adcvd_rows(line)
        parts = LineParts(
            id=identity,
            line=line,
            base=base,
            derivation=self.derivation(evaluated, base),
            verdicts=self._told(evaluated, explain, folded=folded),
            inquiry=self.inquire(line, evaluated, base) if inquire else None,
            warnings=[*self.warnings(line, base, evaluated), *notes, *possible_orders(self.law.orders, line, self.law.known_on)],
            says=self.says,
            doubts=self.explanation.doubts,
            adcvd=rows,
            adcvd_duty=amount,
            plan=evaluated.plan,
            claimable=claimable(self.law.compiled, self.reader, self._evaluated, line, evaluated) if inquire else (),
        )
        return line_answer(self.law, parts)

    def _told(self, evaluated: Evaluated, explain: Explain, *, folded: bool) -> Sequence[dict[str, Any]]:
        if explain == "none":
            return ()
        verdicts = self.verdicts(evaluated)
        if explain == "full":
            return verdicts if folded else verdicts.rows
        return [verdict for verdict in verdicts.rows if verdict["verdict"] in _SUMMARY]

    def program_rate(self, evaluated: Evaluated, programs: tuple[str, ...]) -> Fraction:
        """Return the additional rate that some programs charge on a line, as a share of its value."""
        derivation = evaluated.derivation()
        value = evaluated.line.value
        duty = sum(
            (row.rate * row.base for row in derivation.rows if row.program in programs and row.kind in {"additional", "total"}), Fraction(0)
        )
        return duty / value if value else Fraction(0)


class Engine:
    """Answers from one rulebook, as known today or on any earlier day."""

    def __init__(self, load: Callable[[date], Law], *, keep: int = 0) -> None:
        """Take the way to load the law as known on a day; it is loaded when first asked for.

        `keep` bounds the number of earlier days kept in memory, the least lately asked for goes first; 0 keeps them all.
        """
        self._load = load
        self._keep = keep
        self._known: dict[date, Knowledge] = {}

    def at(self, known_on: date | None = None) -> Knowledge:
        """Return the law as known on a day; no day means everything known."""
        return self._get(self.day(known_on))

    def day(self, known_on: date | None) -> date:
        """Return the day of publication that decides what was known on a day: days between two publications share one law."""
        return date.max if known_on is None else knowledge_day(self._get(date.max).law, known_on)

    def has(self, known_on: date | None) -> bool:
        """Whether the law as known on a day is loaded, so that asking for it takes no time."""
        return date.max in self._known and self.day(known_on) in self._known

    def load(self, known_on: date | None) -> Knowledge:
        """Load the law as known on a day apart, without keeping it: for another thread, whose result `take_over` keeps."""
        return Knowledge(self._load(self.day(known_on)))

    def take_over(self, known_on: date | None, knowledge: Knowledge) -> None:
        """Take over what `load` made."""
        self._known.setdefault(self.day(known_on), knowledge)
        self._let_go()

    def _get(self, day: date) -> Knowledge:
        found = self._known.get(day)
        if found is None:
            found = self._known[day] = Knowledge(self._load(day))
            self._let_go()
        elif self._keep and day != date.max:
            self._known[day] = self._known.pop(day)  # the last one asked for goes last
        return found

    def _let_go(self) -> None:
        while self._keep and len(self._known) > self._keep + 1:
            del self._known[next(day for day in self._known if day != date.max)]
