"""The course that an inquiry took, kept to be run again: lines of one pattern differ in dollars only, and dollars are all that is computed anew.

A course holds for a line if every test that looks at dollars comes out as it did on the line that it was taken from: which contents exceed
the value, which parts of the value are worth nothing, which shares are reached, which of several duties is the lowest. `Course.sums` are the
distinct ways to charge that its combinations of answers lead to; their cents decide anew which facts matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.compiled.plan import Charge, Term, lowest, numbers_of
from tariff_engine.money import cents, cents_of

if TYPE_CHECKING:
    from tariff_engine.evaluate.charge import Base

_MAX_MATTERS = 64

Cut = tuple[tuple[str, int | tuple[Decimal]], ...]
"""The contents answered: each with the place of its answer among the amounts that are tried, or with its share in percent.

The share stands in a tuple of its own, for place 1 is not 1 percent.
"""
Claims = tuple[tuple[str, Any], ...]
"""The answers that change the duty of the chapter 1-97 number."""
Sum = tuple[int, int, tuple[Charge, ...], tuple[int, ...]]
"""What a combination of answers owes: the numbers of its cut and of its base, its split lines, the parts of its totals."""
Guard = tuple[int, int, tuple[Term, ...], int]
"""Where law picks the lowest duty: cut, base, the duties compared, and which was the lowest."""


class Option(NamedTuple):
    """One answer to a question: the duty it leads to and the difference, in cents, and the headings."""

    answer: Any
    duty: int
    difference: int
    headings: tuple[str, ...]


class Question(NamedTuple):
    """A fact worth asking for. `linked` names open facts without which no answer alone changes the duty."""

    fact: str
    taken: Any
    because: str
    rules: tuple[str, ...]
    options: tuple[Option, ...]
    linked: tuple[str, ...] = ()


class Inquiry(NamedTuple):
    """The questions, and the lowest and highest duty in cents over every combination of answers. `complete` is false where it was cut short."""

    questions: tuple[Question, ...]
    low: int | None
    high: int | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """An open fact of the line, and what its answers lead to. `place` of an option is that of its amount; -1 where the answer is no amount."""

    fact: str
    taken: Any
    because: str
    rules: tuple[str, ...]
    options: tuple[tuple[int, Any, int, tuple[str, ...]], ...]


@dataclass(slots=True)
class Course:
    """What was tried on a line. `nodes` are the combinations: a sum, or a fact with the nodes that its answers lead to, the root last."""

    asked: tuple[Asked, ...]
    sums: tuple[Sum, ...]
    nodes: tuple[int | tuple[str, tuple[int, ...]], ...]
    complete: bool
    guards: tuple[Guard, ...] = ()
    claims: tuple[tuple[Claims, Any], ...] = ()  # besides the base of the line: the claims, and what the sums take from their base
    _matters: dict[tuple[int, ...], frozenset[str]] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """How much memory it takes, roughly, in objects."""
        return 10 + 6 * len(self.sums) + 2 * len(self.nodes) + len(self.guards)

    def share(self, pool: dict[Any, Any]) -> None:
        """Let go of the headings, and have in common with the courses of a pool what is the same in them: most of the memory that they take."""

        def one(found: Any) -> Any:
            return pool.setdefault(found, found)

        # options of one fact only: to Python, the answers yes and 1 to two facts are the same
        self.asked = tuple([one(replace(asked, options=tuple([(*option[:3], ()) for option in asked.options]))) for asked in self.asked])
        self.sums = tuple([one((cut, base, one(charges), one(totals))) for cut, base, charges, totals in self.sums])
        self.nodes = tuple([node if isinstance(node, int) else one(node) for node in self.nodes])
        self.guards = tuple([one(guard) for guard in self.guards])

    def result(self, duties: Sequence[int], duty: int, amounts: dict[str, list[int]]) -> Inquiry:
        """Return what to ask, given the cents of each sum, those of the line as assumed, and the amounts tried for each content."""
        if not self.asked:
            return Inquiry((), duty, duty, self.complete)
        facts, ends = self._facts(duties), [duties[node] for node in self.nodes if isinstance(node, int)]
        questions: list[tuple[int, Question]] = []
        for one in self.asked:
            if one.fact not in facts:
                continue
            options, most = [], 0
            for place, answer, number, headings in one.options:
                owed = duties[number]
                if owed != duty:
                    difference = owed - duty
                    options.append(Option(answer if place < 0 else Decimal(amounts[one.fact][place]), owed, difference, headings))
                    most = max(most, difference, -difference)
            linked = () if options else tuple(sorted(facts & {other.fact for other in self.asked} - {one.fact}))
            questions.append((-most, Question(one.fact, one.taken, one.because, one.rules, tuple(options), linked)))
        if len(questions) > 1:
            questions.sort(key=lambda found: found[0])
        return Inquiry(tuple([question for _, question in questions]), min(duty, *ends), max(duty, *ends), self.complete)

    def _facts(self, duties: Sequence[int]) -> frozenset[str]:
        """The facts that change the duty, whatever the others are: it depends on which sums are equal, not on their cents."""
        first: dict[int, int] = {}
        key = tuple([first.setdefault(owed, place) for place, owed in enumerate(duties)])
        found = self._matters.get(key)
        if found is None:
            if len(self._matters) >= _MAX_MATTERS:
                self._matters.clear()
            found = self._matters[key] = self._fold(duties)
        return found

    def _fold(self, duties: Sequence[int]) -> frozenset[str]:
        """A fact changes nothing where all of its answers lead to the same shape: the same cents, or the same further differences."""
        numbers: dict[Any, int] = {}
        shapes, facts = list[int](), list[frozenset[str]]()
        for node in self.nodes:
            if isinstance(node, int):
                shapes.append(numbers.setdefault(duties[node], len(numbers)))
                facts.append(frozenset())
                continue
            fact, children = node
            below, inside = tuple(shapes[child] for child in children), frozenset[str]().union(*(facts[child] for child in children))
            same = all(shape == below[0] for shape in below)
            shapes.append(below[0] if same else numbers.setdefault((fact, below), len(numbers)))
            facts.append(inside if same else inside | {fact})
        return facts[-1]


def owed_whole(charge: Charge, value: int, base: int) -> int:
    """Return the duties in cents of a line that is not split and whose base duty, `base` cents, is a share of its value."""
    _, taken, money = charge
    found = 0 if taken else base
    for first, second, third in money:
        found += (first * value + second) // third
    return found


def owed(charges: tuple[Charge, ...], totals: tuple[int, ...], value: int, sums: dict[int, int], amounts: list[int], base: Base) -> int:
    """Return the duties of a line in cents: of its rows on each split line, and what totals leave of the base duty.

    `sums` remembers the dollars of groups of parts from one call on the same amounts to the next.
    """
    found, rate, single = 0, base.rate, len(charges) == 1
    for mask, taken, money in charges:
        if single:
            dollars = value
        elif (dollars := sums.get(mask, -1)) < 0:
            dollars = sums[mask] = sum([amounts[place] for place in numbers_of(mask) if amounts[place] > 0])
        for first, second, third in money:
            found += (first * dollars + second) // third
        if rate is not None and not taken:
            found += cents_of(rate, dollars)
    if rate is None:
        duty = left = base.duty or Fraction(0)
        for parts in totals if base.value else ():
            worth = sum(amounts[place] for place in numbers_of(parts) if amounts[place] > 0)
            left -= duty * Fraction(worth, base.value)
        found += cents(max(left, Fraction(0)))
    return found


def holds(guards: tuple[Guard, ...], amounts: Sequence[list[int]], bases: Sequence[Base]) -> bool:
    """Whether law would again pick the same duties as the lowest."""
    return all(lowest(terms, amounts[cut], bases[base].ave) == winner for cut, base, terms, winner in guards)
