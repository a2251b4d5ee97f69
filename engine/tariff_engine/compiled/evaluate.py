"""The hot path: a line to its situation, its fact bits to a plan, the plan to cents. Integers throughout; a known plan costs microseconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.resolve import Pattern, Plan, Resolver, lowest
from tariff_engine.compiled.situation import Situation, Situations
from tariff_engine.evaluate.charge import Base
from tariff_engine.evaluate.derivation import Assumed, Derivation, Row, Segment
from tariff_engine.money import cents, whole_dollars

if TYPE_CHECKING:
    from tariff_engine.compiled.parts import CompiledBook, FactBits
    from tariff_engine.facts import Line

_MAX_MEMO = 50_000


class CompiledEvaluator:
    """Evaluates lines on a compiled book. Not for sharing between threads without a lock: it remembers situations and plans."""

    def __init__(self, book: CompiledBook) -> None:
        """Take a compiled book; plans are made as lines come."""
        self.book = book
        self.situations = Situations(book)
        self._rest = len(book.part_names) - 1
        self._only_rest = 1 << self._rest
        self._absent = [-1] * self._rest
        self._rare_facts = frozenset(book.derived) | {"exclusion_claims"}
        self._unusual_facts = frozenset({"loaded_date", "chapter98", "final_mode_differs", "ftz_pf_admission_date"})
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
        true, false = self._column_bits[column_mask]
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
        if not self._unusual_facts.isdisjoint(facts):
            return self._unusual(line, base, column, situation, key, floors, amounts)
        plans = situation.plans.get(key)
        if plans is not None:
            for plan in plans:
                if not plan.guards or all(lowest(terms, amounts, base.ave) == winner for terms, winner in plan.guards):
                    return Evaluated(self, plan, line, base, column, amounts)
        plan = self._resolve(line, base, column_mask, situation, key, floors, amounts)
        situation.plans.setdefault(key, []).append(plan)
        return Evaluated(self, plan, line, base, column, amounts)

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
            return Evaluated(self, plan, line, base, column, amounts)
        loaded = facts.get("loaded_date")
        extra = (loaded.toordinal() if loaded else 0) << 1 | bool(facts.get("final_mode_differs"))
        wide = (key[0], key[1], key[2] | (extra + 1) << 120)
        for plan in situation.plans.get(wide, ()):
            if all(lowest(terms, amounts, base.ave) == winner for terms, winner in plan.guards):
                return Evaluated(self, plan, line, base, column, amounts)
        plan = self._resolve(line, base, self.book.columns[column], situation, key, floors, amounts)
        situation.plans.setdefault(wide, []).append(plan)
        return Evaluated(self, plan, line, base, column, amounts)

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
            chapter98=facts.get("chapter98", ""),
            dutiable=_dutiable(line) if "chapter98" in facts else None,
            amounts=[max(0, amount) for amount in amounts],
            ave=base.ave,
        )
        return Resolver(self.book, situation, pattern).run()

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


def _dutiable(line: Line) -> int:
    """What 9802 leaves dutiable: the value of the work, or the value less U.S. components."""
    worked = line.facts.get("processing_value")
    return min(whole_dollars(worked), line.value) if worked is not None else line.value - line.content.get("us_content", 0)


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


class Evaluated:
    """A plan applied to a line: duties in cents by row, the base duty left on the chapter 1-97 number, and all of it."""

    __slots__ = (
        "_bases",
        "_evaluator",
        "_split",
        "amounts",
        "base",
        "base_duty",
        "column",
        "duties",
        "full_base_duty",
        "line",
        "offsets",
        "plan",
    )

    def __init__(self, evaluator: CompiledEvaluator, plan: Plan, line: Line, base: Base, column: str, amounts: list[int]) -> None:
        """Compute the money of a line by its plan."""
        self._evaluator, self.plan, self.line, self.base, self.column, self.amounts = evaluator, plan, line, base, column, amounts
        groups = plan.groups
        self._split: list[tuple[int, ...]] | None = None
        self._bases: tuple[int, ...] = ()
        if len(groups) == 1 and not line.content:
            value = line.value
            self.duties = [(first * value + second) // third for first, second, third in plan.money]
            if plan.any_framed:
                self._frame()
        else:
            self._charge_split()
        self._charge_base()
        self.offsets = self._set_off() if plan.offsets else ()

    def _values(self) -> list[int]:
        """The value of each split line in whole dollars."""
        return [
            sum(amount for place, amount in enumerate(self.amounts) if mask >> place & 1 and amount > 0) for mask, _ in self.plan.groups
        ]

    def _charge_split(self) -> None:
        split, values = [], self._values()
        for (mask, inside), value in zip(self.plan.groups, values, strict=True):
            money = []
            for place in inside:
                row = self.plan.rows[place]
                money.append((200 * row.top * value + row.bottom) // (2 * row.bottom) if row.parts & mask and not row.framed else 0)
            split.append(tuple(money))
        self._split = split
        self.duties = [0] * len(self.plan.rows)
        for (_, inside), found in zip(self.plan.groups, split, strict=True):
            for place, amount in zip(inside, found, strict=True):
                self.duties[place] += amount
        if self.plan.any_framed:
            self._frame()

    def _frame(self) -> None:
        """Rows of which chapter 98 leaves one amount: charged once, on that amount."""
        for place, row in enumerate(self.plan.rows):
            if row.framed:
                amount = self.row_base(place)
                self.duties[place] = (200 * row.top * amount + row.bottom) // (2 * row.bottom)
        self._split = None

    def _charge_base(self) -> None:
        base, plan = self.base, self.plan
        if base.duty is None and base.rate is None:
            self.base_duty: int | None = None
            self.full_base_duty: int | None = None
            return
        if base.rate is not None and base.value == self.line.value and not plan.framed:
            top, bottom = base.rate.numerator, base.rate.denominator
            if len(plan.groups) == 1:
                full = (200 * top * base.value + bottom) // (2 * bottom)
                left = 0 if plan.total_groups[0] else full
                self._bases = (left,)
            else:
                amounts = [(200 * top * value + bottom) // (2 * bottom) for value in self._values()]
                full = sum(amounts)
                self._bases = tuple(0 if taken else amount for amount, taken in zip(amounts, plan.total_groups, strict=True))
                left = sum(self._bases)
            self.base_duty, self.full_base_duty = left, full
            return
        duty = base.exact or Fraction(0)
        remaining = duty
        for place, row in enumerate(plan.rows):
            if row.kind == "total" and base.value:
                remaining -= duty * Fraction(self.row_base(place), base.value)
        self.base_duty, self.full_base_duty = cents(max(remaining, Fraction(0))), cents(duty)
        self._bases = (self.base_duty, *[0] * (len(plan.groups) - 1))

    def _set_off(self) -> tuple[Row, ...]:
        found = []
        for name, program, fact, against in self.plan.offsets:
            stated = self.line.facts.get(fact)
            if stated is None:
                continue
            owed = sum(self.duties[place] for place, row in enumerate(self.plan.rows) if row.place in against)
            amount = min(cents(Fraction(stated)), owed)
            if amount:
                owner = self._evaluator.book.programs[program].name
                found.append(Row("", f"offset:{name}", owner, "credit", Fraction(0), 0, -amount, frozenset()))
        return tuple(found)

    def row_base(self, place: int) -> int:
        """Return the dollars on which a row is charged."""
        row = self.plan.rows[place]
        amount = sum(amount for bit, amount in enumerate(self.amounts) if row.parts >> bit & 1 and amount > 0)
        frame = self.plan.states[row.place].frame
        return amount if frame is None or (row.kind == "exemption" and not row.framed and frame >= amount) else min(amount, frame)

    def amount(self, mask: int, frame: int | None) -> int:
        """Return the dollars of some parts of the value, at most what chapter 98 leaves."""
        amount = sum(amount for bit, amount in enumerate(self.amounts) if mask >> bit & 1 and amount > 0)
        return amount if frame is None else min(amount, frame)

    @property
    def duty(self) -> int | None:
        """All duties in cents; None where the base duty is not known."""
        if self.base_duty is None:
            return None
        return self.base_duty + sum(self.duties) + sum(row.duty for row in self.offsets)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings filed, in order."""
        return tuple(row.heading for row in self.plan.rows if row.heading)

    @property
    def assumed(self) -> tuple[Assumed, ...]:
        """What was taken for facts that nobody stated."""
        return self.plan.assumed

    def _names(self, mask: int) -> frozenset[str]:
        return frozenset(name for place, name in enumerate(self._evaluator.book.part_names) if mask >> place & 1)

    def derivation(self) -> Derivation:
        """Return the evaluation in the form that both evaluators share."""
        provisions, programs = self._evaluator.book.provisions, self._evaluator.book.programs
        rows = []
        for place, row in enumerate(self.plan.rows):
            provision = provisions[row.place]
            base = self.row_base(place)
            rows.append(
                Row(
                    row.heading,
                    provision.id,
                    programs[provision.program].name,
                    row.kind,
                    Fraction(row.top, row.bottom),
                    base,
                    self.duties[place],
                    self._names(row.parts),
                    self.plan.states[row.place].cites,
                    self.plan.states[row.place].by,
                    date.fromordinal(self.plan.states[row.place].since),
                )
            )
        values, segments = self._values(), []
        for number, (mask, inside) in enumerate(self.plan.groups):
            money = (
                self._split[number] if self._split else tuple(self.duties[place] if self._first(place) == number else 0 for place in inside)
            )
            segments.append(Segment(self._names(mask), values[number], inside, money, self._bases[number] if self._bases else None))
        return Derivation(
            self.line.day,
            (*rows, *self.offsets),
            self.base_duty,
            self.full_base_duty,
            tuple(segments),
            self.plan.assumed,
            self.plan.prohibited,
        )

    def _first(self, place: int) -> int:
        """The first split line on which a row stands."""
        return next((number for number, (_, inside) in enumerate(self.plan.groups) if place in inside), 0)
