"""Situations: what origin, product and day alone decide. Every line of the same situation shares its short list of live provisions."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from tariff_engine.compiled.form import CompiledBook, CompiledOffset, CompiledProgram, CompiledProvision, Effect, FamilyRow, Node
from tariff_engine.compiled.logic import TRUE, dynamic_bits, ruled_out, simplify
from tariff_engine.compiled.tables import Tables

_MAX_REMEMBERED = 200_000
_Open = tuple[tuple[CompiledProgram, int], ...]
"""Programs, each with the number of its steps that count."""


@dataclass(slots=True, eq=False)
class Live:
    """A provision that the situation leaves open: its effect of the day, what is left of its condition, its table rows, its base."""

    provision: CompiledProvision
    program: CompiledProgram
    effect: Effect
    condition: Node
    rows: tuple[FamilyRow, ...]
    outside: tuple[tuple[Node, int], ...]
    base: Any


@dataclass(slots=True, eq=False)
class Situation:
    """The live provisions of (day, admission day, product, origin), and the dynamic bits and floors that can still matter."""

    interval: int
    admission: int
    static: int
    static_admission: int
    live: dict[int, Live]
    relevant: int
    floors: tuple[Fraction, ...]
    plans: dict[tuple[int, int, int], list[Any]] = field(default_factory=dict)
    reached: dict[tuple[int, int], tuple[bool, ...]] = field(default_factory=dict)
    refs: dict[tuple[int, ...], tuple[int, ...]] = field(default_factory=dict)  # lists of provisions, without those ruled out
    programs: frozenset[int] = frozenset()
    windows: tuple[int, ...] = ()
    offsets: tuple[tuple[int, CompiledOffset, Node | Literal[True]], ...] = ()  # by program, with what is left of the condition of each
    desks: dict[Any, dict[int, Any]] = field(default_factory=dict)  # where its decisions are kept (remembered.py), ...
    age: object = None  # ... as long as these are remembered
    tests: Any = None  # its conditions as an inquiry reads them, once there was one (inquiry_alike.py)


class Situations:
    """Finds situations, and remembers them."""

    def __init__(self, book: CompiledBook) -> None:
        """Take a compiled book; nothing is remembered yet."""
        self.book = book
        self._origin_day: dict[tuple[int, str], int] = {}
        self._product: dict[tuple[int, str], int] = {}
        self._by_code: dict[tuple[int, int, str, str], Situation] = {}
        self._found: dict[tuple[Any, ...], Situation] = {}
        self._programs: dict[tuple[Any, ...], tuple[Live, ...]] = {}
        self._lives: dict[tuple[Any, ...], Live | None] = {}
        self._day_steps: dict[tuple[int, int, int], int] = {}
        self._days = [self.days_of(program) for program in book.programs]
        self._tables = [tuple(place for place in program.provisions if place in book.families) for program in book.programs]
        self._step_numbers: dict[tuple[int, ...], int] = {}
        # by the number of the steps that count: which provisions are in force, and with which step
        self._standing: list[tuple[tuple[CompiledProvision, Effect], ...]] = []
        self._in_force: dict[tuple[int, int], _Open] = {}
        self._of_origin: dict[tuple[int, int, int], tuple[_Open, tuple[int, ...]]] = {}
        self._possible: dict[tuple[int, int], bool] = {}
        self._origin_mask = sum(1 << bit for bit, *_ in (*book.origin_bits, *book.date_bits))
        self.tables = Tables(book)
        self._offsets = [(program.index, offset) for program in book.programs for offset in program.offsets]
        self._own = tuple(self._static_mask(provision) for provision in book.provisions)
        self.masks = tuple(self._mask_of(program) for program in book.programs)

    def interval(self, ordinal: int) -> int:
        """Return the number of the interval between boundary days in which a day lies."""
        return bisect_right(self.book.bounds, ordinal)

    def find(self, interval: int, admission: int, hts: str, origin: str) -> Situation:
        """Return the situation of a product and an origin on a day (and, for zone goods, on the admission day)."""
        key = (interval, admission, hts, origin)
        found = self._by_code.get(key)
        if found is None:
            if len(self._by_code) >= _MAX_REMEMBERED:
                self.forget()
            found = self._by_code[key] = self._make(interval, admission, hts, origin)
        return found

    def forget(self) -> None:
        """Let go of every situation, and of the plans made in them."""
        for situation in self._found.values():
            situation.plans.clear()  # a plan knows its situation: together they would be garbage that waits for the collector
            situation.desks.clear()  # who still has the situation need not keep all decisions with it
        self._by_code.clear()
        self._found.clear()

    def _steps(self, program: CompiledProgram, interval: int, admission: int) -> int:
        """Return a number of the steps of a program that count: other days on which the same ones do are the same to it."""
        days = self._days[program.index]
        key = (program.index, bisect_right(days, self.first_day(interval)), bisect_right(days, self.first_day(admission)))
        found = self._day_steps.get(key)
        if found is None:
            provisions = [self.book.provisions[place] for place in program.provisions]
            effects = tuple([self.effect(provision, interval, admission) for provision in provisions])
            found = self._day_steps[key] = self._step_numbers.setdefault(tuple(map(id, effects)), len(self._standing))
            if found == len(self._standing):
                steps = zip(provisions, effects, strict=True)
                self._standing.append(tuple([(one, step) for one, step in steps if step and step.kind not in {"ended", "authorized"}]))
        return found

    def _programs_of(self, interval: int, admission: int) -> _Open:
        """Return the programs of which something is in force, each with the number of its steps that count."""
        found = self._in_force.get((interval, admission))
        if found is None:
            steps = [(program, self._steps(program, interval, admission)) for program in self.book.programs]
            found = self._in_force[interval, admission] = tuple([one for one in steps if self._standing[one[1]]])
        return found

    def _open_to(self, interval: int, admission: int, origin_bits: int) -> tuple[_Open, tuple[int, ...]]:
        """Return the programs in force that an origin does not rule out on a day, whatever the product; and the tables of these."""
        key = (interval, admission, origin_bits)
        found = self._of_origin.get(key)
        if found is None:
            if len(self._of_origin) >= _MAX_REMEMBERED:
                self._of_origin.clear()
            open_ = tuple([one for one in self._programs_of(interval, admission) if self.possible(*one, origin_bits)])
            found = self._of_origin[key] = open_, tuple([place for program, _ in open_ for place in self._tables[program.index]])
        return found

    def possible(self, program: CompiledProgram, steps: int, origin_bits: int) -> bool:
        """Whether a program, of which the steps of some number count, has anything to say of goods of an origin, whatever they are."""
        key = (steps, origin_bits & self.masks[program.index])
        found = self._possible.get(key)
        if found is None:
            found = self._possible[key] = not all(
                ruled_out(provision.condition, self._origin_mask, key[1]) for provision, _ in self._standing[steps]
            )
        return found

    def days_of(self, program: CompiledProgram) -> list[int]:
        """Return the days on which a step of a program begins or ends: between two of them the same steps count."""
        effects = [effect for place in program.provisions for effect in self.book.provisions[place].effects]
        return sorted({day for one in (*effects, program.ended) if one for day in (one.start, one.end)})

    def first_day(self, interval: int) -> int:
        """Any day of an interval: its first."""
        return self.book.bounds[interval - 1] if interval else 1

    def static_bits(self, interval: int, hts: str, origin: str) -> int:
        """Return the static bits that are set for a day, a product and an origin."""
        return self.origin_bits_of(interval, origin) | self.product_bits_of(interval, hts)

    def origin_bits_of(self, interval: int, origin: str) -> int:
        """Return the static bits that are set for an origin on a day, and for the day itself."""
        key = (interval, origin)
        if key not in self._origin_day:
            day, bits = self.first_day(interval), 0
            for bit, plain, dated in self.book.origin_bits:
                if origin in plain or any(who == origin and start <= day < end for who, start, end in dated):
                    bits |= 1 << bit
            for bit, start, end in self.book.date_bits:
                if start <= day < end:
                    bits |= 1 << bit
            self._origin_day[key] = bits
        return self._origin_day[key]

    def product_bits_of(self, interval: int, hts: str) -> int:
        """Return the static bits that are set for a product on a day."""
        key = (interval, hts)
        bits = self._product.get(key)
        if bits is None:
            if len(self._product) >= _MAX_REMEMBERED:
                self._product.clear()
            day, bits = self.first_day(interval), 0
            for start, end, mask in self.tables.listed(hts).marks:
                if start <= day < end:
                    bits |= mask
            self._product[key] = bits
        return bits

    def _make(self, interval: int, admission: int, hts: str, origin: str) -> Situation:
        """Build a situation, or share one that is the same in all that matters."""
        origin_bits = self.origin_bits_of(interval, origin)
        static = origin_bits | self.product_bits_of(interval, hts)
        # goods in privileged foreign status: products and steps as of admission, origin and clause dates as of entry
        apart = static if admission == interval else origin_bits | self.product_bits_of(admission, hts)
        programs, tables = self._open_to(interval, admission, origin_bits)
        rows = self.tables.rows(self.first_day(interval), self.first_day(admission), hts, origin, tables)
        key = (interval, admission, static, apart, tuple(rows.values()))
        found = self._found.get(key)
        if found is None:
            live = {
                item.provision.index: item for program, steps in programs for item in self._live_with(program, steps, static, apart, rows)
            }
            found = self._found[key] = _situation(key[:4], self.first_day(interval), live)
            found.offsets = tuple(
                [(number, offset, left) for number, offset in self._offsets if (left := simplify(offset.condition, static)) is not False]
            )
        return found

    def _static_mask(self, provision: CompiledProvision) -> int:
        """The static bits that a provision looks at: all else is the same to it."""
        outside = [node for node, _, _ in self.book.programs[provision.program].outside]
        return self.static_mask_of([provision.condition, *outside, *(node for effect in provision.effects for node, _ in effect.base_if)])

    def _mask_of(self, program: CompiledProgram) -> int:
        """The static bits that a program looks at."""
        mask = self.static_mask_of([node for node, _, _ in program.outside])
        for place in program.provisions:
            mask |= self._own[place]
        return mask

    def dynamic_mask_of(self, program: CompiledProgram) -> int:
        """Return the dynamic bits that a program looks at to decide which of its provisions hold."""
        found = 0
        for node in (*(node for node, _, _ in program.outside), *(offset.condition for offset in program.offsets)):
            found |= dynamic_bits(node)
        for provision in (self.book.provisions[place] for place in program.provisions):
            found |= dynamic_bits(provision.condition) | (1 << provision.claim_bit if provision.claim_bit >= 0 else 0)
        return found

    @staticmethod
    def static_mask_of(nodes: list[Node]) -> int:
        """Return the static bits that conditions look at."""
        return sum(1 << bit for bit in _static_bits(nodes))

    def program_key(self, number: int, interval: int, admission: int, static: int, apart: int) -> tuple[int, int, int, int, int]:
        """Return what a program sees of a day, a product and an origin."""
        mask = self.masks[number]
        return number, interval, admission, static & mask, apart & mask

    def live_of(
        self, program: CompiledProgram, interval: int, admission: int, static: int, apart: int, rows: dict[int, tuple[FamilyRow, ...]]
    ) -> tuple[Live, ...]:
        """Return the provisions of a program that a day, a product and an origin leave open."""
        return self._live_with(program, self._steps(program, interval, admission), static, apart, rows)

    def _live_with(
        self, program: CompiledProgram, steps: int, static: int, apart: int, rows: dict[int, tuple[FamilyRow, ...]]
    ) -> tuple[Live, ...]:
        mine = tuple(rows[place] for place in self._tables[program.index] if place in rows)
        mask = self.masks[program.index]
        key = (program.index, steps, static & mask, apart & mask, mine)
        found = self._programs.get(key)
        if found is None:
            if len(self._programs) >= _MAX_REMEMBERED:
                self._programs.clear()
            bits = apart if program.by_admission else static
            made = (self._live(provision, effect, bits, rows.get(provision.index, ())) for provision, effect in self._standing[steps])
            found = self._programs[key] = tuple(item for item in made if item)
        return found

    def day_for(self, program: CompiledProgram, interval: int, admission: int) -> int:
        """Return the first day of the interval that picks the program's steps: of entry or of admission."""
        return self.first_day(admission if program.by_admission else interval)

    def effect(self, provision: CompiledProvision, interval: int, admission: int) -> Effect | None:
        """Return the step that counts: the latest begun, on a tie the one of the latest act. A program ends by the day of entry."""
        program = self.book.programs[provision.program]
        if program.ended and program.ended.start <= self.first_day(interval) < program.ended.end:
            return program.ended
        day, found = self.day_for(program, interval, admission), None
        for effect in provision.effects:
            if effect.start <= day < effect.end and (found is None or (effect.start, effect.published) > (found.start, found.published)):
                found = effect
        return found

    def _live(self, provision: CompiledProvision, effect: Effect, static: int, rows: tuple[FamilyRow, ...]) -> Live | None:
        """Return what static bits leave of a provision: the same object wherever it is the same, for decisions about it are remembered."""
        bits = static & self._own[provision.index]
        key = (id(effect), provision.index, bits, rows)
        if key not in self._lives:
            if len(self._lives) >= _MAX_REMEMBERED:
                self._lives.clear()
            self._lives[key] = self._left_of(provision, effect, bits, rows)
        return self._lives[key]

    def _left_of(self, provision: CompiledProvision, effect: Effect, bits: int, rows: tuple[FamilyRow, ...]) -> Live | None:
        program = self.book.programs[provision.program]
        condition = simplify(provision.condition, bits)
        if condition is False:
            return None
        outside = []
        for place, (node, _, _) in enumerate(program.outside):
            left = simplify(node, bits)
            if left is not False:
                outside.append((TRUE if left is True else left, place))
        base = next((reach for node, reach in effect.base_if if simplify(node, bits) is True), effect.base)
        kept = TRUE if condition is True else condition
        return Live(provision, program, effect, kept, rows, tuple(outside), base)


def _situation(key: tuple[int, int, int, int], day: int, live: dict[int, Live]) -> Situation:
    """Make a situation of an interval, an admission and static bits; `day` is the first of the interval."""
    relevant, floors = 0, set[Fraction]()
    for item in live.values():
        relevant |= dynamic_bits(item.condition)
        for node, _ in item.outside:
            relevant |= dynamic_bits(node)
        if item.provision.claim_bit >= 0:
            relevant |= 1 << item.provision.claim_bit
        if item.effect.kind == "up_to":
            floors.add(item.effect.rate)
        floors |= {row.rate for row in item.rows if row.effect == "up_to"}
        for row in item.rows:
            # once the window for goods in transit is closed, nobody asks how they came
            relevant |= 1 << row.transit_mode if row.transit_mode >= 0 and day < row.entered_before else 0
        for offset in item.program.offsets:
            if item.provision.index in offset.against:
                relevant |= dynamic_bits(offset.condition)
    programs = frozenset(item.program.index for item in live.values())
    windows = tuple(sorted({row.loaded_before for item in live.values() for row in item.rows if row.loaded_before}))
    return Situation(*key, live, relevant, tuple(sorted(floors)), programs=programs, windows=windows)


def _static_bits(nodes: list[Node]) -> set[int]:
    found: set[int] = set()
    for node in nodes:
        found |= {atom.bit for atom in node.atoms if atom.static} | _static_bits(list(node.children))
    return found
