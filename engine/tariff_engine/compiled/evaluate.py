"""The hot path: a line to its situation, its fact bits to a plan, the plan to cents. Integers throughout; a known plan costs microseconds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.evaluated import Evaluated
from tariff_engine.compiled.plan import Pattern, Plan, lowest
from tariff_engine.compiled.remembered import Remembered
from tariff_engine.compiled.resolve import Resolver
from tariff_engine.compiled.situation import Situation, Situations
from tariff_engine.evaluate.charge import Base
from tariff_engine.money import whole_dollars

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledBook, FactBits
    from tariff_engine.facts import Line

_MAX_MEMO = 50_000
_MAX_PLANS = 200_000


class CompiledEvaluator:
    """Evaluates lines on a compiled book. Not for sharing between threads without a lock: it remembers situations and plans."""

    def __init__(self, book: CompiledBook) -> None:
        """Take a compiled book; plans are made as lines come."""
        self.book = book
        self.situations = Situations(book)
        self.remembered = Remembered(book)
        self._rest = len(book.part_names) - 1
        self._plans = 0
        self._only_rest = 1 << self._rest
        self._absent = [-1] * self._rest
        self._rare_facts = frozenset(book.derived) | {"exclusion_claims"}
        self.unusual_facts = frozenset({"loaded_date", "chapter98", "final_mode_differs", "ftz_pf_admission_date"})
        self._memo: dict[str, dict[Any, tuple[int, int]]] = {name: {} for name in book.fact_bits}
        self._column_bits = {
            column: (
                sum(bit for bit, wanted in book.column_bits if wanted & column),
                sum(bit for bit, wanted in book.column_bits if not wanted & column),
            )
            for column in (1, 2, 4)
        }

    def evaluate(self, line: Line, base: Base, column: str) -> Evaluated:
        """Evaluate one line. Raises LawConflictError where the law book does not order live duties."""
        book, facts = self.book, line.facts
        interval = self.situations.interval(line.day.toordinal())
        admitted = facts.get("ftz_pf_admission_date")
        admission = interval if admitted is None else self.situations.interval(admitted.toordinal())
        situation = self.situations.find(interval, admission, line.hts, line.origin)
        column_mask = book.columns[column]
        true, false = self.known_bits(line, base, column_mask)
        if line.content:
            present, zero, amounts = self._cut(line)
        else:
            value = line.value
            present, zero, amounts = self._only_rest, 0 if value else self._only_rest, [*self._absent, value]
        relevant = situation.relevant
        packed = column_mask | present << 3 | zero << 40 | (not line.value) << 80
        floors: tuple[bool, ...] = ()
        if situation.floors:
            floors = self._reached(situation, base)
            for place, reached in enumerate(floors, start=81):
                packed |= reached << place
        key = (true & relevant, false & relevant, packed)
        if not self.unusual_facts.isdisjoint(facts):
            return self._unusual(line, base, column, situation, key, floors, amounts)
        plans = situation.plans.get(key)
        if plans is not None:
            for plan in plans:
                if not plan.guards or all(lowest(terms, amounts, base.ave) == winner for terms, winner in plan.guards):
                    return Evaluated(book, plan, line, base, column, amounts)
        plan = self._resolve(line, base, column_mask, situation, key, floors, amounts)
        self._keep(situation, key, plan)
        return Evaluated(book, plan, line, base, column, amounts)

    def known_bits(self, line: Line, base: Base, column: int) -> tuple[int, int]:
        """Return the dynamic bits that the facts of a line, its base and its column make true, and those that they make false."""
        book, facts = self.book, line.facts
        true, false = self._column_bits[column]
        false |= book.all_claims
        memo = self._memo
        for name, value in facts.items():
            known = memo.get(name)
            if known is not None:
                bits = known.get(value)
                if bits is None:
                    bits = self._fact(name, value, known)
                true |= bits[0]
                false |= bits[1]
        if not self._rare_facts.isdisjoint(facts) or book.rate_bits:
            true, false = self._rare(line, base, true, false)
        return true, false

    def _keep(self, situation: Situation, key: tuple[int, int, int], plan: Plan) -> None:
        """Remember a plan; the memory as a whole is bounded, whatever lines come."""
        if self._plans >= _MAX_PLANS:
            self.forget()
        self._plans += 1
        situation.plans.setdefault(key, []).append(plan)

    @property
    def plans(self) -> int:
        """How many plans are remembered."""
        return self._plans

    def forget(self) -> None:
        """Let go of every situation and plan."""
        self.situations.forget()
        self._plans = 0

    def forget_plans(self, situation: Situation, but: Collection[tuple[int, int, int]]) -> None:
        """Let go of the plans of a situation, except under some of its keys: a line that is tried in many ways leaves many that serve no other."""
        for key in [key for key in situation.plans if key not in but]:
            self._plans = max(0, self._plans - len(situation.plans.pop(key)))

    def _unusual(
        self,
        line: Line,
        base: Base,
        column: str,
        situation: Situation,
        key: tuple[int, int, int],
        floors: tuple[bool, ...],
        amounts: list[int],
    ) -> Evaluated:
        """Lines whose plan depends on more than bits (loading day, chapter 98): remembered by those facts themselves."""
        facts = line.facts
        if "chapter98" in facts:
            plan = self._resolve(line, base, self.book.columns[column], situation, key, floors, amounts)
            return Evaluated(self.book, plan, line, base, column, amounts)
        loaded = facts.get("loaded_date")
        extra = (loaded.toordinal() if loaded else 0) << 1 | bool(facts.get("final_mode_differs"))
        wide = (key[0], key[1], key[2] | (extra + 1) << 120)
        for plan in situation.plans.get(wide, ()):
            if all(lowest(terms, amounts, base.ave) == winner for terms, winner in plan.guards):
                return Evaluated(self.book, plan, line, base, column, amounts)
        plan = self._resolve(line, base, self.book.columns[column], situation, key, floors, amounts)
        self._keep(situation, wide, plan)
        return Evaluated(self.book, plan, line, base, column, amounts)

    def _resolve(
        self,
        line: Line,
        base: Base,
        column: int,
        situation: Situation,
        key: tuple[int, int, int],
        floors: tuple[bool, ...],
        amounts: list[int],
    ) -> Plan:
        facts = line.facts
        loaded = facts.get("loaded_date")
        pattern = Pattern(
            true=key[0],
            false=key[1],
            column=column,
            present=sum(1 << place for place in range(len(amounts)) if amounts[place] >= 0),
            zero=sum(1 << place for place, amount in enumerate(amounts) if amount == 0),
            worthless=line.value == 0,
            floors=floors,
            loaded=loaded.toordinal() if loaded else 0,
            differs=bool(facts.get("final_mode_differs")),
            day=line.day.toordinal(),
            chapter98=base.chapter98,
            dutiable=base.value if base.chapter98 else None,
            freed=base.freed,
            bond=base.bond,
            amounts=[max(0, amount) for amount in amounts],
            ave=base.ave,
        )
        return Resolver(self.book, situation, pattern, self.remembered).run()

    # ------------------------------------------------------------ bits
    def _fact(self, name: str, value: Any, known: dict[Any, tuple[int, int]]) -> tuple[int, int]:
        if len(known) >= _MAX_MEMO:
            known.clear()
        found = known[value] = test_bits(self.book.fact_bits[name], value)
        return found

    def _rare(self, line: Line, base: Base, true: int, false: int) -> tuple[int, int]:
        """Bits of claims, of facts derived from others, and of the base rate."""
        facts, book = line.facts, self.book
        if "exclusion_claims" in facts:
            for heading in facts["exclusion_claims"]:
                bit = book.claim_bits.get(heading, 0) if isinstance(heading, str) else 0
                true, false = true | bit, false & ~bit
        for source, names in book.derived.items():
            if source in facts:
                for name in names:
                    tests = book.fact_bits.get(name)
                    value = derived_value(book, facts, line.day, name) if tests and name not in facts else None
                    if tests and value is not None:
                        one, two = test_bits(tests, value)
                        true, false = true | one, false | two
        if book.rate_bits and (base.duty is not None or base.rate is not None):
            for bit, low, high in book.rate_bits:
                good = (low is None or base.ave >= low) and (high is None or base.ave < high)
                true, false = (true | bit, false) if good else (true, false | bit)
        return true, false

    def _cut(self, line: Line) -> tuple[int, int, list[int]]:
        """Return the parts present, those worth nothing, and their amounts (-1 where a part is not present)."""
        amounts = [*self._absent, -1]
        present, zero, left = self._only_rest, 0, line.value
        for piece in self.book.slices:
            content = line.content.get(piece.name)
            if content is None:
                continue
            below = 0
            for place, cap in piece.tiers:
                upper = content if cap is None else min(content, whole_dollars(cap * line.value))
                amounts[place] = upper - below
                present |= 1 << place
                if upper == below:
                    zero |= 1 << place
                below = upper
            left -= content
        amounts[self._rest] = left
        return present, zero if left else zero | self._only_rest, amounts

    @staticmethod
    def _reached(situation: Situation, base: Base) -> tuple[bool, ...]:
        """For each floor of the situation, whether the base rate reaches it."""
        if base.rate is None:
            ave = base.ave
            return tuple(ave >= floor for floor in situation.floors)
        key = (base.rate.numerator, base.rate.denominator)
        found = situation.reached.get(key)
        if found is None:
            found = situation.reached[key] = tuple(base.rate >= floor for floor in situation.floors)
        return found


def derived_value(book: CompiledBook, facts: dict[str, Any], day: date, name: str) -> Any:
    """Return a fact that is computed from others: a share in percent, or years before entry; None where a source is unknown."""
    if name in book.ratios:
        over, under = (facts.get(source) for source in book.ratios[name])
        return None if over is None or not under else Fraction(over) / Fraction(under) * 100
    year = facts.get(book.ages[name])
    return None if year is None else Decimal(day.year) - year


def test_bits(tests: FactBits, value: Any) -> tuple[int, int]:
    """Return the bits of a fact's tests that a value makes true, and those it makes false."""
    true = false = 0
    for bit, test in tests.tests:
        good = bool(value) == test if isinstance(test, bool) else all(_COMPARE[name](value, operand) for name, operand in test)
        true, false = (true | bit, false) if good else (true, false | bit)
    return true, false


test_bits.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "in": lambda value, operand: str(value) in operand,
    "above": lambda value, operand: Fraction(value) > operand,
    "at_least": lambda value, operand: Fraction(value) >= operand,
    "below": lambda value, operand: Fraction(value) < operand,
    "before": lambda value, operand: bool(value < operand),
    "from": lambda value, operand: bool(value >= operand),
}
