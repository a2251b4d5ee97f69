"""What nobody stated, and whether it matters: the questions worth asking, in dollars, and the range of duties that every answer leaves open.

All open facts are explored together, since answers can be linked (metal that was both smelted and cast in one country). The facts that turn
out to change nothing, whatever the others are, are not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from tariff_engine.compiled.evaluate import test_bits
from tariff_engine.problems import LawConflictError, ProblemError

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.evaluate.derivation import Assumed
    from tariff_engine.facts import FactReader, Line
    from tariff_engine.law import FactSpec

_BUDGET = 1_000  # evaluations: enough for every combination on a vehicle, the longest list of questions met so far
Answer = Any


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


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question: the duty it leads to and the difference, in cents, and the headings."""

    answer: Answer
    duty: int
    difference: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A fact worth asking for. `linked` names open facts without which no answer alone changes the duty."""

    fact: str
    taken: Any
    because: str
    rules: tuple[str, ...]
    options: tuple[Option, ...]
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The questions, and the lowest and highest duty in cents over every combination of answers. `complete` is false where it was cut short."""

    questions: tuple[Question, ...]
    low: int | None
    high: int | None
    complete: bool = True


@dataclass(slots=True)
class _Leaf:
    low: int
    high: int
    shape: Any
    facts: frozenset[str] = frozenset()


@dataclass
class Inquirer:
    """Asks about lines of one law. `evaluate` assesses a line; facts are tried with the values at which the law can change its mind."""

    book: CompiledBook
    facts: dict[str, FactSpec]
    reader: FactReader
    representatives: dict[str, tuple[Any, ...]]
    shares: dict[str, tuple[Fraction, ...]]
    evaluate: Callable[[Line], Evaluation]
    _spent: int = field(default=0, init=False)
    _complete: bool = field(default=True, init=False)
    _relevant: tuple[int, tuple[int, ...]] = field(default=(0, ()), init=False)
    _patterns: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict, init=False)

    def inquire(self, line: Line, baseline: Evaluation) -> Inquiry:
        """Return what to ask about a line, given its assessment with nothing but assumptions for the open facts."""
        duty = baseline.duty
        if duty is None:
            return Inquiry((), None, None)
        self._relevant = baseline.relevant
        open_ = self._open(line, baseline)
        if not open_:
            return Inquiry((), duty, duty)
        self._spent, self._complete = 0, True
        tree = self._explore(line, baseline) or _Leaf(duty, duty, duty)
        questions = []
        for fact in open_:
            if fact not in tree.facts:
                continue
            taken = [assumed for assumed in baseline.assumed if self._source(assumed.fact) == fact]
            options = tuple(option for option in self._options(line, fact, duty) if option.difference)
            moved = bool(options)
            linked = () if moved else tuple(sorted(tree.facts & set(open_) - {fact}))
            rules = tuple(dict.fromkeys(assumed.rule for assumed in taken))
            questions.append(Question(fact, taken[0].take, taken[0].because, rules, options, linked))
        questions.sort(key=lambda q: -max((abs(option.difference) for option in q.options), default=0))
        return Inquiry(tuple(questions), min(tree.low, duty), max(tree.high, duty), self._complete)

    def _open(self, line: Line, evaluation: Evaluation) -> list[str]:
        """Facts that were taken, not stated, and that a filer can be asked for, in the order of the dictionary."""
        taken = {self._source(assumed.fact) for assumed in evaluation.assumed}
        return [
            name
            for name, spec in self.facts.items()
            if name in taken and spec.ask and name not in line.facts and len(self._answers(line, name)) > 1
        ]

    def _source(self, fact: str) -> str:
        """A derived fact is asked for through the fact that it is computed from."""
        spec = self.facts[fact]
        return spec.ratio[0] if spec.ratio else spec.years_before_entry or fact

    def _explore(self, line: Line, evaluation: Evaluation, left_open: frozenset[str] = frozenset()) -> _Leaf | None:
        """Try every combination of answers. A content may also stay unknown: two contents taken as the whole value each are no one answer."""
        duty = evaluation.duty
        if duty is None:  # an answer that asks for a quantity has no duty yet, and is no zero
            self._complete = False
            return None
        open_ = [fact for fact in self._open(line, evaluation) if fact not in left_open]
        if not open_ or self._spent >= _BUDGET:
            self._complete = self._complete and not open_
            return _Leaf(duty, duty, duty)
        fact, tries = open_[0], list[_Leaf | None]()
        for answer in self._answers(line, fact):
            tried = self._try(line, {fact: answer})
            if tried is not None:
                tries.append(self._explore(*tried, left_open))
        if fact in self.shares:
            tries.append(self._explore(line, evaluation, left_open | {fact}))
        found = [leaf for leaf in tries if leaf is not None]
        if not found:
            return _Leaf(duty, duty, duty)
        low, high = min(leaf.low for leaf in found), max(leaf.high for leaf in found)
        facts = frozenset[str]().union(*(leaf.facts for leaf in found))
        if all(leaf.shape == found[0].shape for leaf in found):
            return _Leaf(low, high, found[0].shape, facts)
        return _Leaf(low, high, (fact, tuple(leaf.shape for leaf in found)), facts | {fact})

    def _try(self, line: Line, facts: dict[str, Any]) -> tuple[Line, Evaluation] | None:
        """Evaluate the line with an answer; an answer that contradicts what is stated is no answer."""
        self._spent += 1
        try:
            changed = self.reader.with_facts(line, facts)
            return changed, self.evaluate(changed)
        except (ProblemError, LawConflictError):
            return None

    def _options(self, line: Line, fact: str, duty: int) -> Iterable[Option]:
        for answer in self._answers(line, fact):
            tried = self._try(line, {fact: answer})
            if tried is not None and tried[1].duty is not None:
                yield Option(answer, tried[1].duty, tried[1].duty - duty, tried[1].headings)

    def _answers(self, line: Line, fact: str) -> tuple[Any, ...]:
        """The answers to try: one for each way in which the law can read the fact on this line; fewer than two: it cannot matter."""
        if fact in self.shares:
            return self._amounts(line, fact)
        relevant, windows = self._relevant
        year = line.day.year if fact in self.book.ages.values() else 0
        key = (fact, relevant & self._bits(fact), windows if fact == _LOADED else (), year)
        found = self._patterns.get(key)
        if found is None:
            found = self._patterns[key] = self._distinct(fact, *key[1:])
        return found

    def _amounts(self, line: Line, fact: str) -> tuple[Decimal, ...]:
        amounts = {0, line.value}
        for share in self.shares[fact]:  # the first whole dollar that reaches the share, and the last that does not
            edge = -(-share.numerator * line.value // share.denominator)
            amounts |= {edge, edge - 1}
        return tuple(Decimal(amount) for amount in sorted(amounts) if 0 <= amount <= line.value)

    def _names(self, fact: str) -> list[str]:
        """The fact, and the facts that are computed from it."""
        return [fact, *(name for name, source in self.book.ages.items() if source == fact)]

    def _bits(self, fact: str) -> int:
        return sum(self.book.fact_bits[name].all_bits for name in self._names(fact) if name in self.book.fact_bits)

    def _distinct(self, fact: str, relevant: int, windows: tuple[int, ...], year: int) -> tuple[Any, ...]:
        """Keep one value of each pattern of tests; a flag that claims a preference is tested outside the provisions, so both stay."""
        values = self.representatives.get(fact, ())
        if self.facts[fact].type == "bool":
            return values
        found: dict[tuple[Any, ...], Any] = {}
        for value in values:
            bits = 0
            for name in self._names(fact):
                if name in self.book.fact_bits:
                    bits |= test_bits(self.book.fact_bits[name], value)[0]
            pattern = (bits & relevant, tuple(value.toordinal() < window for window in windows))
            found.setdefault(pattern, Decimal(year) - value if year else value)
        return tuple(found.values())


_LOADED = "loaded_date"


def representatives(book: CompiledBook, facts: dict[str, FactSpec], countries: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Return for each fact a value for every way in which a test of the law can read it."""
    found: dict[str, tuple[Any, ...]] = {}
    for name, spec in facts.items():
        tests = [test for _, test in book.fact_bits[name].tests] if name in book.fact_bits else []
        if spec.type == "bool":
            found[name] = (True, False)
        elif spec.type == "date":
            found[name] = tuple(sorted(_days(book, name, tests)))
        elif spec.type in {"pct", "number"}:
            found[name] = tuple(sorted(_numbers(tests, spec)))
        elif tests:
            found[name] = _words(tests, spec, countries)
    for name, source in book.ages.items():
        tests = [test for _, test in book.fact_bits[name].tests] if name in book.fact_bits else []
        found[source] = tuple(sorted(_numbers(tests, facts[name])))
    return {name: values for name, values in found.items() if values}


def shares(book: CompiledBook, facts: dict[str, FactSpec]) -> dict[str, tuple[Fraction, ...]]:
    """Return for each fact that states a slice in dollars the shares of the value at which law changes."""
    found: dict[str, set[Fraction]] = {piece.fact: {cap for _, cap in piece.tiers if cap is not None} for piece in book.slices}
    for name, (over, _) in book.ratios.items():
        for _, test in book.fact_bits[name].tests if name in book.fact_bits else ():
            for kind, operand in test if not isinstance(test, bool) else ():
                if over in found and kind in {"above", "at_least", "below"}:
                    found[over].add(Fraction(operand) / 100)
    return {name: tuple(sorted(values)) for name, values in found.items() if name in facts}


def _days(book: CompiledBook, name: str, tests: list[Any]) -> set[date]:
    days = {operand for test in tests if not isinstance(test, bool) for kind, operand in test if kind in {"before", "from"}}
    if name == _LOADED:
        rows = [row for rows in book.families.values() for found in rows.values() for row in found]
        days |= {date.fromordinal(row.loaded_before) for row in rows if row.loaded_before}
    return days | {day - timedelta(days=1) for day in days}


def _numbers(tests: list[Any], spec: FactSpec) -> set[Decimal]:
    edges = {
        Fraction(operand)
        for test in tests
        if not isinstance(test, bool)
        for kind, operand in test
        if kind in {"above", "at_least", "below"}
    }
    if not edges:
        return set()
    found = {Decimal(edge.numerator) / Decimal(edge.denominator) for edge in edges}
    top = Decimal(100) if spec.type == "pct" else max(found) + 1
    step = Decimal(1)
    return (
        {Decimal(0), top} | found | {edge - step for edge in found if edge >= step} | {edge + step for edge in found if edge + step <= top}
    )


def _words(tests: list[Any], spec: FactSpec, countries: Iterable[str]) -> tuple[Any, ...]:
    """Every word that a test names, and one that none names."""
    if spec.values and spec.type != "country":
        return spec.values
    named = sorted({word for test in tests if not isinstance(test, bool) for kind, words in test if kind == "in" for word in words})
    other = next((country for country in countries if country not in named), None) if spec.type == "country" else None
    return (*named, other) if other else tuple(named)
