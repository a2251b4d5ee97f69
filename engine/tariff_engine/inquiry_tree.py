"""Every combination of answers to what nobody stated on a line, assessed: the course of an inquiry on a line of a new pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tariff_engine.compiled.plan import lowest
from tariff_engine.inquiry_course import Asked, Claims, Course, Cut, Guard, Sum, owed
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.base import LineBase
    from tariff_engine.compiled.evaluated import Evaluated
    from tariff_engine.compiled.plan import Term
    from tariff_engine.evaluate.derivation import Assumed
    from tariff_engine.facts import FactReader, Line
    from tariff_engine.inquiry_alike import Alike
    from tariff_engine.inquiry_answers import Answers
    from tariff_engine.inquiry_cuts import Cutter

BUDGET = 1_000  # evaluations: enough for every combination on a vehicle, the longest list of questions met so far
_ELSEWHERE = frozenset({"chapter98", "ftz_pf_admission_date", "exclusion_claims"})  # they change more of a line than tests and amounts


class Evaluation(Protocol):
    """What the inquiry needs of an evaluated line."""

    @property
    def duty(self) -> int | None:
        """All duties in cents."""

    @property
    def assumed(self) -> tuple[Assumed, ...]:
        """What was taken for facts that nobody stated."""

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings filed."""

    @property
    def relevant(self) -> tuple[int, tuple[int, ...]]:
        """The bits of tests that can matter on the line, and the loading days of its in-transit windows."""

    @property
    def evaluated(self) -> Evaluated:
        """The line with its plan and its parts."""

    @property
    def base(self) -> LineBase:
        """The duty of the chapter 1-97 number."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The answers of a combination that are more than bits: amounts of content, and claims that change the base duty."""

    cut: Cut = ()
    claims: Claims = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """What was found below a combination of answers that settles all contents: where it begins, and what it took for the lowest duty.

    Other amounts of the same contents lead to the same branch, if every test on them comes out alike: its sums are of other dollars only.
    """

    node: int
    guards: tuple[tuple[int, tuple[Term, ...], int], ...]  # the base, the duties compared, and which was the lowest


class Met(NamedTuple):
    """What was found below a combination of answers that left so much of the law: where it begins, what it settled, what it compared."""

    node: int
    moved: int
    compared: tuple[tuple[int, tuple[Term, ...], int], ...]


@dataclass(slots=True)
class Tree:
    """Explores one line. After `course`, `duties` are the cents of its sums, and `cuts` the combinations of contents that it met.

    `apart` says that the course serves no other line: something besides dollars, bits and known claims decided.
    """

    answers: Answers
    reader: FactReader
    cutter: Cutter
    evaluate: Callable[[Line], Evaluation]
    line: Line
    baseline: Evaluation
    claimed: frozenset[str]  # the facts on which the base duty depends
    alike: Alike
    duties: list[int] = field(default_factory=list)
    cuts: dict[Cut, int] = field(default_factory=dict)
    claims: dict[Claims, tuple[int, LineBase]] = field(default_factory=dict)
    apart: bool = False
    complete: bool = True
    spent: int = 0
    _sums: dict[Any, int] = field(default_factory=dict)
    _nodes: dict[Any, int] = field(default_factory=dict)
    _sum_of: list[Any] = field(default_factory=list)  # the keys of `_sums` and of `_nodes`, by number
    _node_of: list[Any] = field(default_factory=list)
    _guards: dict[Guard, None] = field(default_factory=dict)
    _branches: dict[Any, Branch] = field(default_factory=dict)
    _met: dict[Any, Met] = field(default_factory=dict)
    _compared: list[tuple[int, tuple[Term, ...], int]] = field(default_factory=list)
    _moved: int = 0  # answers so far that settled a content, or led to another situation

    def course(self) -> Course:
        """Try every combination of answers, and each open fact by itself."""
        none = Choice()
        self.cuts[()], self.claims[()] = 0, (0, self.baseline.base)
        open_ = self._open(self.line, self.baseline)
        self._sum(self.baseline, none)
        self._explore(self.line, self.baseline, none, frozenset())
        nodes = tuple(node[1:] if isinstance(node, tuple) and node[0] == "fact" else node for node in self._nodes)
        asked = tuple(self._asked(fact) for fact in open_)
        return Course(asked, tuple(key[:4] for key in self._sums), nodes, self.complete, tuple(self._guards), ())

    def _open(self, line: Line, evaluation: Evaluation) -> list[str]:
        return self.answers.open(line, evaluation.assumed, self.baseline.relevant)

    def _explore(self, line: Line, evaluation: Evaluation, choice: Choice, left_open: frozenset[str]) -> int | None:
        """Try every combination of answers. A content may also stay unknown: two contents taken as the whole value each are no one answer."""
        if evaluation.duty is None:  # an answer that asks for a quantity has no duty yet, and is no zero
            self.complete, self.apart = False, True
            return None
        open_ = [fact for fact in self._open(line, evaluation) if fact not in left_open]
        if not open_ or self.spent >= BUDGET:
            self.complete = self.complete and not open_
            return self._leaf(evaluation, choice)
        key = self._alike(line, evaluation, choice, left_open, open_)
        if key in self._branches and (node := self._again(self._branches[key], evaluation, choice)) is not None:
            return node
        moved, compared = self._moved, len(self._compared)
        node = self._branch(line, evaluation, choice, left_open, open_[0])
        if node is not None and not self.apart and self.complete and moved == self._moved:
            self._branches[key] = Branch(node, tuple(dict.fromkeys(self._compared[compared:])))
        return node

    def _branch(self, line: Line, evaluation: Evaluation, choice: Choice, left_open: frozenset[str], fact: str) -> int | None:
        """Try the answers to one fact, but for those that leave the same of the law as others did."""
        found = list[int]()
        before = self._before(line, choice, left_open)
        for place, answer in enumerate(self.answers.of(line, fact, self.baseline.relevant)):
            left = self.alike.left(evaluation.evaluated, fact, answer)
            known = self._met.get((left, before)) if left else None
            if known is not None:
                found.append(known.node)
                self._moved += known.moved
                self._compared += known.compared
                continue
            moved, compared = self._moved, len(self._compared)
            tried = self._try(line, fact, place, answer, choice)
            if tried is not None and (node := self._explore(*tried, left_open)) is not None:
                found.append(node)
                if left and not self.apart and self.complete:
                    self._met[left, before] = Met(node, self._moved - moved, tuple(self._compared[compared:]))
        if fact in self.answers.shares and (node := self._explore(line, evaluation, choice, left_open | {fact})) is not None:
            found.append(node)
        if not found:
            return self._leaf(evaluation, choice)
        if all(node == found[0] for node in found):
            return found[0]
        return self._node(("fact", fact, tuple(found)))

    def _before(self, line: Line, choice: Choice, left_open: frozenset[str]) -> Any:
        """Return what was answered so far and is more than tests can tell."""
        beside, stated = self.alike.beside, self.line.facts
        answers = tuple([(name, value) for name, value in line.facts.items() if name in beside and name not in stated])
        return answers, choice, left_open

    def _alike(self, line: Line, evaluation: Evaluation, choice: Choice, left_open: frozenset[str], open_: list[str]) -> Any:
        """Return what tells combinations apart that lead to other branches: all but the dollars of the contents that were answered."""
        stated = self.line.facts
        answers = tuple([(name, value) for name, value in line.facts.items() if name not in stated and name not in self.answers.shares])
        return evaluation.evaluated.plan, answers, choice.claims, left_open, tuple(open_)

    def _again(self, branch: Branch, evaluation: Evaluation, choice: Choice) -> int | None:
        """Return a branch for other dollars; None where the law picks another duty as the lowest."""
        amounts, cut = evaluation.evaluated.amounts, self.cuts[choice.cut]
        bases = [base for _, base in self.claims.values()]
        if any(lowest(terms, amounts, bases[number].base.ave) != winner for number, terms, winner in branch.guards):
            return None
        for number, terms, winner in branch.guards:
            self._guards[cut, number, terms, winner] = None
        return self._moved_to(branch.node, cut, amounts, bases, ({}, {}))

    def _moved_to(self, node: int, cut: int, amounts: list[int], bases: list[LineBase], met: tuple[dict[int, int], dict[int, int]]) -> int:
        """Return a node in another cut of the value; `met` are the nodes that were moved there, and the dollars of groups of its parts.

        No function of its own inside `_again`: one that calls itself is garbage that only the collector finds, with the whole tree in its hands.
        """
        nodes, dollars = met
        found = nodes.get(node)
        if found is None:
            what = self._node_of[node]
            if isinstance(what, int):
                found = self._node(self._sum_in(what, cut, amounts, bases, dollars))
            else:
                found = self._node((*what[:2], tuple([self._moved_to(child, cut, amounts, bases, met) for child in what[2]])))
            nodes[node] = found
        return found

    def _sum_in(self, number: int, cut: int, amounts: list[int], bases: list[LineBase], dollars: dict[int, int]) -> int:
        """Return the number of a sum in another cut; one that is owed on the whole value is the same in each."""
        before, base, charges, totals, _ = self._sum_of[number]
        if not before:
            return number
        return self._owed((cut, base, charges, totals), owed(charges, totals, self.line.value, dollars, amounts, bases[base].base))

    def _node(self, what: Any) -> int:
        number = self._nodes.setdefault(what, len(self._nodes))
        if number == len(self._node_of):
            self._node_of.append(what)
        return number

    def _try(self, line: Line, fact: str, place: int, answer: Any, choice: Choice) -> tuple[Line, Evaluation, Choice] | None:
        """Evaluate the line with an answer; an answer that contradicts what is stated is no answer."""
        self.spent += 1
        content = self.cutter.content(line, fact)
        if content is not None:
            answered = (content, place if fact in self.answers.shares else (answer,))
            choice = Choice(tuple(sorted((*choice.cut, answered), key=lambda one: one[0])), choice.claims)
            self.cuts.setdefault(choice.cut, len(self.cuts))
            self._moved += 1
        elif fact in self.claimed:
            choice = Choice(choice.cut, (*choice.claims, (fact, answer)))
        self.apart = self.apart or fact in _ELSEWHERE
        try:
            changed = self.reader.with_facts(line, {fact: answer})
        except ProblemError:
            return None
        try:
            evaluation = self.evaluate(changed)
        except (ProblemError, LawConflictError):
            self.apart = True
            return None
        if evaluation.duty is not None:
            self._note(evaluation, choice)
        return changed, evaluation, choice

    def _note(self, evaluation: Evaluation, choice: Choice) -> None:
        """Keep what a plan takes for granted about dollars, and the base duty that it was made for."""
        plan, base = evaluation.evaluated.plan, evaluation.base
        number, known = self.claims.setdefault(choice.claims, (len(self.claims), base))
        self.apart = self.apart or plan.any_framed or bool(plan.pattern.chapter98) or base.base != known.base
        self._moved += plan.situation is not self.baseline.evaluated.plan.situation
        for terms, winner in plan.guards:
            self._guards[self.cuts[choice.cut], number, terms, winner] = None
            self._compared.append((number, terms, winner))
        self.apart = self.apart or any(fact in evaluation.evaluated.line.facts for _, _, fact, _ in plan.offsets)

    def _sum(self, evaluation: Evaluation, choice: Choice) -> int:
        """Return the number of what a combination owes; combinations that are charged alike have one."""
        plan, duty = evaluation.evaluated.plan, evaluation.duty or 0
        whole = len(plan.charges) == 1 and evaluation.base.base.rate is not None  # charged on the value, however it is cut
        one: Sum = (0 if whole else self.cuts[choice.cut], self.claims[choice.claims][0], plan.charges, () if whole else plan.totals)
        return self._owed(one, duty)

    def _owed(self, one: Sum, duty: int) -> int:
        number = self._sums.setdefault((*one, duty), len(self._sums))
        if number == len(self.duties):
            self.duties.append(duty)
            self._sum_of.append((*one, duty))
        return number

    def _leaf(self, evaluation: Evaluation, choice: Choice) -> int:
        return self._node(self._sum(evaluation, choice))

    def _asked(self, fact: str) -> Asked:
        taken = [assumed for assumed in self.baseline.assumed if self.answers.source(assumed.fact) == fact]
        content, options = fact in self.answers.shares, []
        for place, answer in enumerate(self.answers.of(self.line, fact, self.baseline.relevant)):
            tried = self._try(self.line, fact, place, answer, Choice())
            if tried is None:
                continue
            _, evaluation, choice = tried
            if evaluation.duty is not None:
                number = self._sum(evaluation, choice)
                options.append((place if content else -1, None if content else answer, number, evaluation.headings))
            else:
                self.apart = True
        return Asked(fact, taken[0].take, taken[0].because, tuple(dict.fromkeys(one.rule for one in taken)), tuple(options))
