"""A plan applied to a line: the money of each row, of the split lines and of the chapter 1-97 number, in integer cents."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.compiled.plan import Filed, Plan, numbers_of
from tariff_engine.evaluate.charge import Base
from tariff_engine.evaluate.derivation import Assumed, Derivation, Row, Segment
from tariff_engine.money import cents

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.facts import Line


class Evaluated:
    """A plan applied to a line: duties in cents by row, the base duty left on the chapter 1-97 number, and all of it."""

    __slots__ = (
        "_bases",
        "_book",
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

    def __init__(self, book: CompiledBook, plan: Plan, line: Line, base: Base, column: str, amounts: list[int]) -> None:
        """Compute the money of a line by its plan."""
        self._book, self.plan, self.line, self.base, self.column, self.amounts = book, plan, line, base, column, amounts
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
        return [self._worth(mask) for mask, _ in self.plan.groups]

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
        """Rows of which chapter 98 leaves one amount: charged once, on that amount, on the first split line that they reach."""
        for place, row in enumerate(self.plan.rows):
            if row.framed:
                amount = self.row_base(place)
                self.duties[place] = owed = (200 * row.top * amount + row.bottom) // (2 * row.bottom)
                if self._split is not None:
                    first = self._first(place)
                    inside = self.plan.groups[first][1]
                    money = zip(inside, self._split[first], strict=True)
                    self._split[first] = tuple([owed if other == place else cents for other, cents in money])

    def _charge_base(self) -> None:
        base, plan = self.base, self.plan
        if base.duty is None and base.rate is None:
            self.base_duty: int | None = 0 if plan.replaced else None
            self.full_base_duty: int | None = None
            self._bases = (0,) * len(plan.groups) if plan.replaced else ()
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
                owner = self._book.programs[program].name
                found.append(Row("", f"offset:{name}", owner, "credit", Fraction(0), 0, -amount, frozenset()))
        return tuple(found)

    def row_base(self, place: int) -> int:
        """Return the dollars on which a row is charged; what chapter 98 leaves of the value bounds a provision, not its companion."""
        row = self.plan.rows[place]
        amount = self._worth(row.parts)
        frame = self.plan.states[row.place].frame if row.framed else None
        return amount if frame is None else min(amount, frame)

    def amount(self, mask: int, frame: int | None) -> int:
        """Return the dollars of some parts of the value, at most what chapter 98 leaves."""
        amount = self._worth(mask)
        return amount if frame is None else min(amount, frame)

    def _worth(self, mask: int) -> int:
        """The dollars of some parts of the value; a part that is not present counts nothing."""
        if not self.line.content:  # the rest is all of it
            return self.line.value if mask >> len(self.amounts) - 1 & 1 else 0
        return sum([self.amounts[bit] for bit in numbers_of(mask) if self.amounts[bit] > 0])

    @property
    def duty(self) -> int | None:
        """All duties in cents; None where the base duty is not known."""
        if self.base_duty is None:
            return None
        return self.base_duty + sum(self.duties) + (sum([row.duty for row in self.offsets]) if self.offsets else 0)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings filed, in order."""
        return tuple([row.heading for row in self.plan.rows if row.heading])

    @property
    def assumed(self) -> tuple[Assumed, ...]:
        """What was taken for facts that nobody stated."""
        return self.plan.assumed

    def _names(self, mask: int) -> frozenset[str]:
        return frozenset(name for place, name in enumerate(self._book.part_names) if mask >> place & 1)

    def derivation(self) -> Derivation:
        """Return the evaluation in the form that both evaluators share."""
        filed = self.plan.filed
        if filed is None:
            filed = self.plan.filed = tuple(self._filed(place) for place in range(len(self.plan.rows)))
            self.plan.names = tuple(self._names(mask) for mask, _ in self.plan.groups)
        rows = [
            Row(heading, provision, program, kind, rate, self.row_base(place), self.duties[place], parts, cites, by, since)
            for place, (heading, provision, program, kind, rate, parts, cites, by, since) in enumerate(filed)
        ]
        if self._split is None:  # one line, without contents
            (mask, inside), duties = self.plan.groups[0], self.duties
            money = tuple([duties[place] for place in inside])
            whole = Segment(self.plan.names[0], self._worth(mask), inside, money, self._bases[0] if self._bases else None)
            return self._derived(rows, (whole,))
        values, segments = self._values(), []
        for number, (_, inside) in enumerate(self.plan.groups):
            bases = self._bases[number] if self._bases else None
            segments.append(Segment(self.plan.names[number], values[number], inside, self._split[number], bases))
        return self._derived(rows, tuple(segments))

    def _derived(self, rows: list[Row], segments: tuple[Segment, ...]) -> Derivation:
        plan = self.plan
        return Derivation(
            self.line.day, (*rows, *self.offsets), self.base_duty, self.full_base_duty, segments, plan.assumed, plan.prohibited
        )

    def _filed(self, place: int) -> Filed:
        row, state = self.plan.rows[place], self.plan.states[self.plan.rows[place].place]
        provision = self._book.provisions[row.place]
        program = self._book.programs[provision.program].name
        since = date.fromordinal(state.since)
        rate = Fraction(row.top, row.bottom)
        return row.heading, provision.id, program, row.kind, rate, self._names(row.parts), state.cites, state.by, since

    def _first(self, place: int) -> int:
        """The first split line on which a row stands."""
        return next((number for number, (_, inside) in enumerate(self.plan.groups) if place in inside), 0)
