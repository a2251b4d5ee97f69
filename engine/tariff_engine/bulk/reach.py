"""Which law reaches a line: for lines of the same classes and the same facts, the number of the provisions that are left, program by program.

A program looks at a few bits of a product, of an origin and of a day, and at few facts. What it makes of them is asked of the engine once and
kept in small tables; lines are then looked up in the tables of all programs. Lines with the same provisions left, whatever their product,
origin and day, come to the same rows: one of them is evaluated by the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tariff_engine.bulk.classes import Days, Grid, Kept, Origins, Products
from tariff_engine.bulk.keys import Numbering
from tariff_engine.compiled.logic import dynamic_bits, settle, simplify

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from numpy.typing import NDArray

    from tariff_engine.compiled.form import CompiledProgram, FamilyRow, Node
    from tariff_engine.compiled.situation import Live, Situations

    Numbers = NDArray[np.int64]

Sample = tuple[str, str, int]
"""A line by what decides which provisions are live: product, origin, interval of days."""


class Facts(NamedTuple):
    """What is known of the facts of lines: the bits that are true, those that are false, the bit of the column, and facts without bits."""

    true: int
    false: int
    column: int
    unusual: tuple[tuple[str, Any], ...]


class Reached(NamedTuple):
    """Lines by number: of the provisions left by the facts, and of those left if no claim that was not made is ruled out."""

    sets: Numbers
    open: Numbers


class _Lives(NamedTuple):
    """The live provisions of a program, and what beside them decides: its groups and offsets, and an interval with such days."""

    lives: tuple[Live, ...]
    groups: tuple[bool, ...]
    offsets: tuple[tuple[str, Node | bool], ...]
    interval: int


class _Program:
    """The tables of one program."""

    def __init__(self, program: CompiledProgram, situations: Situations) -> None:
        self.program, self.situations = program, situations
        offsets = [offset.condition for offset in program.offsets]
        self.mask = situations.masks[program.index] | situations.static_mask_of(offsets)
        self.families = tuple(place for place in program.provisions if place in situations.book.families)
        self._claims = situations.book.all_claims & situations.dynamic_mask_of(program)
        self._products, self._origins = Kept(), Kept()
        self.of_product = np.zeros(0, dtype=np.int32)
        self.of_origin = np.zeros(0, dtype=np.int32)
        self.local, self.left, self.open = Grid(), Grid(16), Grid(16)
        self._lives: list[_Lives] = [_Lives((), (), (), 0)]
        self._items: dict[tuple[Any, ...], int | None] = {}

    def project(self, products: Products, origins: Origins, days: Days) -> None:
        """Learn what the program sees of the classes that are new."""
        new = [
            self._products.number((bits & self.mask, self._mine(met))) for bits, met in products.classes.contents[len(self.of_product) :]
        ]
        self.of_product = np.concatenate([self.of_product, np.array(new, dtype=np.int32)]) if new else self.of_product
        made = []
        for interval, bits, named in origins.classes.contents[len(self.of_origin) :]:
            seen = days.of(interval)[0][self.program.index]
            made.append(self._origins.number((bits & self.mask, seen, self._mine(named))))
        self.of_origin = np.concatenate([self.of_origin, np.array(made, dtype=np.int32)]) if made else self.of_origin
        self.local.fit(len(self._products), len(self._origins))

    def _mine(self, by_table: tuple[tuple[int, Any], ...]) -> tuple[Any, ...]:
        return tuple(one for one in by_table if one[0] in self.families) if self.families else ()

    def find(self, products: Numbers, origins: Numbers, facts: Numbers, reach: Reach, sample: Callable[[int], Sample]) -> Reached:
        """Return the numbers of what is left of the program on lines."""
        seen, whence = self.of_product[products], self.of_origin[origins]
        local, empty = self.local.find(seen, whence)
        if len(empty):
            for place in empty.tolist():
                self.local.cells[seen[place], whence[place]] = self._live(*sample(place))
            local = self.local.cells[seen, whence].astype(np.int64)
        for grid in (self.left, self.open):
            grid.fit(len(self._lives), len(reach.facts))
        left, empty = self.left.find(local, facts)
        if len(empty):
            for place in empty.tolist():
                self._settle(int(local[place]), int(facts[place]), reach)
            left = self.left.cells[local, facts].astype(np.int64)
        return Reached(left, self.open.cells[local, facts].astype(np.int64))

    def _live(self, hts: str, origin: str, interval: int) -> int:
        """Ask which provisions are live, and keep them with what on the day, beside them, decides."""
        situations, program = self.situations, self.program
        static = situations.static_bits(interval, hts, origin)
        day = situations.first_day(interval)
        rows = situations.tables.rows(day, day, hts, origin, self.families) if self.families else {}
        lives = situations.live_of(program, interval, interval, static, static, rows)
        offsets = tuple(
            (offset.name, left)
            for offset in program.offsets
            if offset.start <= day < offset.end and (left := simplify(offset.condition, static)) is not False
        )
        if not lives and not offsets:
            return 0
        groups = tuple(one.start <= day < one.end for one in program.groups)
        self._lives.append(_Lives(lives, groups, offsets, interval))
        return len(self._lives) - 1

    def _settle(self, local: int, facts: int, reach: Reach) -> None:
        """Ask what facts leave of live provisions: as they are, and if no claim that was not made is ruled out."""
        left = self._left(self._lives[local], facts, reach, claims=0)
        self.left.cells[local, facts] = left
        ruled_out = reach.facts.contents[facts].false & self._claims
        self.open.cells[local, facts] = self._left(self._lives[local], facts, reach, claims=ruled_out) if ruled_out else left

    def _left(self, lives: _Lives, facts: int, reach: Reach, *, claims: int) -> int:
        """Return the number of what facts leave of live provisions, where these claims may be made after all."""
        given: Facts = reach.facts.contents[facts]
        known = given._replace(false=given.false & ~claims) if claims else given
        dated = reach.days.of(lives.interval)[0][self.program.index]
        day = self.situations.first_day(lives.interval)
        items = tuple(
            item for live in lives.lives if (item := self._left_of(live, known, day, (facts, dated, bool(claims)), reach.items)) is not None
        )
        against = tuple(
            (name, left)
            for name, node in lives.offsets
            if (left := node if isinstance(node, bool) else settle(node, known.true, known.false)) is not False
        )
        floors = {live.effect.rate for live in lives.lives if live.effect.kind == "up_to"}
        floors |= {row.rate for live in lives.lives for row in live.rows if row.effect == "up_to"}
        content = (items, lives.groups, against) if items or against else ()
        return reach.contents.number((content, tuple(sorted(floors)) if items else ()))

    def _left_of(self, live: Live, known: Facts, day: int, seen: tuple[int, int, bool], items: Kept) -> int | None:
        """Return the number of what can still decide about a provision, from memory unless days of rows of a table count too."""
        if live.rows:
            found = _item(live, known, day)
            return None if found is None else items.number(found)
        key = (live, *seen)
        if key not in self._items:
            found = _item(live, known, day)
            self._items[key] = None if found is None else items.number(found)
        return self._items[key]


def _item(live: Live, known: Facts, day: int) -> tuple[Any, ...] | None:
    """Return what can still decide about a live provision; None where the facts rule it out."""
    true, false, column, _ = known
    condition = settle(live.condition, true, false)
    if condition is False:
        return None
    provision = live.provision
    bit = provision.claim_bit
    return (
        provision.index,
        id(live.effect),
        bool(column & live.effect.columns),
        condition,
        tuple((left, place) for node, place in live.outside if (left := settle(node, true, false)) is not False),
        tuple(_row(row, known, day) for row in live.rows),
        (true >> bit & 1, false >> bit & 1) if bit >= 0 else None,
        tuple(edge.start <= day < edge.end for edge in (*provision.unless, *provision.relations)),
        live.base,
    )


def _row(row: FamilyRow, known: Facts, day: int) -> tuple[Any, ...]:
    """Return what a table row makes of a line: not which origin or product it names, for these have met it."""
    moving: tuple[Any, ...] = ()
    if row.loaded_before:
        mode = (known.true >> row.transit_mode & 1, known.false >> row.transit_mode & 1) if row.transit_mode >= 0 else None
        moving = (row.loaded_before, day < row.entered_before, mode, known.unusual, row.transit_heading, row.transit_rate)
    return row.heading, row.effect, row.rate, row.at_floor, row.partial, row.by, row.start, moving


class Reach:
    """Finds what law reaches lines, and remembers it by classes."""

    def __init__(self, situations: Situations) -> None:
        """Take the situations of a book."""
        self.situations = situations
        self.days, self.products, self.origins = Days(situations), Products(situations), Origins(situations)
        self.facts, self.items, self.contents = Kept(), Kept(), Kept()
        self.contents.number(((), ()))
        self._programs = [_Program(program, situations) for program in situations.book.programs]
        self._cells = Numbering()
        self._pairs: list[tuple[int, int]] = []
        self._pair_numbers = np.zeros((0, 2), dtype=np.int64)
        self._floors: dict[int, tuple[Fraction, ...]] = {}
        self._left, self._open = _Sets(len(self._programs)), _Sets(len(self._programs))

    def find(self, products: Numbers, origins: Numbers, facts: Numbers, sample: Callable[[int], Sample]) -> Reached:
        """Return what reaches lines of some classes, with the facts of some numbers; `sample` returns a line by its place."""
        keys = (products.astype(np.int64) << 40) | (origins.astype(np.int64) << 18) | facts

        def make(places: Numbers) -> Numbers:
            return self._make(products[places], origins[places], facts[places], lambda place: sample(int(places[place])))

        cells = self._cells.numbers(keys, make)
        found = self._pair_numbers[cells]
        return Reached(found[:, 0], found[:, 1])

    @property
    def met(self) -> int:
        """How many combinations of classes and facts were met."""
        return len(self._cells)

    @property
    def opened(self) -> int:
        """How many open sets there are."""
        return len(self._open)

    def floors(self, number: int) -> tuple[Fraction, ...]:
        """Return the floors of the provisions of a set."""
        found = self._floors.get(number)
        if found is None:
            met = {floor for content in self._left.contents(number) for floor in self.contents.contents[content][1]}
            found = self._floors[number] = tuple(sorted(met))
        return found

    def claims(self, number: int) -> bool:
        """Whether law of an open set asks for a claim of an exclusion."""
        return self._open.memo(number, self._asks)

    def _asks(self, contents: tuple[int, ...]) -> bool:
        wanted = self.situations.book.all_claims
        for content in contents:
            found = self.contents.contents[content][0]
            for number in found[0] if found else ():
                item = self.items.contents[number]
                nodes = [item[3], *(node for node, _ in item[4])]
                if item[6] is not None or any(dynamic_bits(node) & wanted for node in nodes if not isinstance(node, bool)):
                    return True
        return False

    def _make(self, products: Numbers, origins: Numbers, facts: Numbers, sample: Callable[[int], Sample]) -> Numbers:
        left = np.zeros((len(products), len(self._programs) + 1), dtype=np.int32)
        open_ = np.zeros_like(left)
        for number, program in enumerate(self._programs):
            program.project(self.products, self.origins, self.days)
            found = program.find(products, origins, facts, self, sample)
            left[:, number], open_[:, number] = found
        order = np.array([self.days.of(interval)[1] for interval, _, _ in self.origins.classes.contents], dtype=np.int32)
        left[:, -1] = open_[:, -1] = order[origins]
        pairs = np.stack([self._left.numbers(left, len(self.contents)), self._open.numbers(open_, len(self.contents))], axis=1)
        before = len(self._pair_numbers)
        self._pair_numbers = np.concatenate([self._pair_numbers, pairs])
        return np.arange(before, before + len(pairs))


class _Sets:
    """Rows of numbers by number. They are told apart by a sum of one random-looking word for each, and compared, so that none is mistaken."""

    def __init__(self, width: int) -> None:
        self._numbering, self._rows = Numbering(), np.zeros((0, width + 1), dtype=np.int32)
        self._others: dict[bytes, int] = {}
        self._memo: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def contents(self, number: int) -> tuple[int, ...]:
        """Return the numbers of a set, but for the last."""
        return tuple(self._rows[number, :-1].tolist())

    def memo(self, number: int, ask: Callable[[tuple[int, ...]], bool]) -> bool:
        """Return what is asked of a set, from memory where it was asked before."""
        found = self._memo.get(number)
        if found is None:
            found = self._memo[number] = ask(self.contents(number))
        return found

    def numbers(self, rows: NDArray[np.int32], most: int) -> Numbers:
        """Return the number of each row of numbers, all of them below `most`."""
        words = _words(max(most, 64))
        total = np.zeros(len(rows), dtype=np.uint64)
        for column in range(rows.shape[1]):
            total += words[rows[:, column]] * np.uint64(2 * column + 1)
        keys = (total >> np.uint64(1)).view(np.int64)

        def make(places: Numbers) -> Numbers:
            before = len(self._rows)
            self._rows = np.concatenate([self._rows, rows[places]])
            return np.arange(before, before + len(places))

        found = self._numbering.numbers(keys, make)
        for place in np.flatnonzero((self._rows[found] != rows).any(axis=1)).tolist():  # the same sum of others
            row = rows[place].tobytes()
            if row not in self._others:
                self._others[row] = len(self._rows)
                self._rows = np.concatenate([self._rows, rows[place : place + 1]])
            found[place] = self._others[row]
        return found


def _words(count: int) -> NDArray[np.uint64]:
    """Return a word of 64 bits for each number: the finishing steps of a well-known generator (splitmix64)."""
    word = np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: NDArray[np.uint64] = word ^ (word >> np.uint64(31))
    return found
