"""Lines to forms: what a line files, its base, its surroundings and its warnings are found apart, each by what it depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tariff_engine.bulk.around import Surroundings
from tariff_engine.bulk.bases import Bases, Tariffs
from tariff_engine.bulk.classes import Kept, Projected
from tariff_engine.bulk.encoding import OWN
from tariff_engine.bulk.entries import Entries
from tariff_engine.bulk.forms import Filed, filed_of
from tariff_engine.bulk.keys import Numbering
from tariff_engine.bulk.reach import Facts, Reach
from tariff_engine.bulk.remarks import Remarks
from tariff_engine.bulk.table import Formed, Table
from tariff_engine.evaluate.charge import Base
from tariff_engine.evaluate.words import dotted
from tariff_engine.problems import ProblemError
from tariff_engine.suffixes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from tariff_engine.bulk.encoding import Coded
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

    Numbers = NDArray[np.int64]
    Read = Callable[[int], dict[str, Any]]

_FIRST = 1024
# columns of a form: those of `Formed`, whether its range is asked for, its stakes, what an entry sees of it, what an inquiry does
_WIDTH = 11
_AROUND, _ENTRY, _SIGHT = 2, 9, 10  # of these, the columns of which one is enough
_MOST_CLASSES = 1_500_000
_MOST_FORMS = 300_000
_MOST_EVALUATED = 500  # lines that are evaluated for others, until the evaluator lets go of what it remembers of them


class Found(NamedTuple):
    """The forms of rows: their numbers (-1: answered alone), the rows that have one, whether each of these is open, and its stakes.

    Rows of one number in `sights` are the same to an inquiry, but for their value and the rates of their base duty. `entries` is what
    their entries see of these rows, where they have several lines; -1 where such an entry is answered alone. What stands around a row that
    is an entry alone is known where `single`.
    """

    forms: Numbers
    rows: Formed
    opened: NDArray[np.bool_]
    stakes: Numbers
    sights: Numbers
    entries: Numbers
    single: NDArray[np.bool_]


class _Parts(NamedTuple):
    """The codes of lines whose forms are wanted."""

    hts: Numbers
    days: Numbers
    origin: Numbers
    other: Numbers
    step: Numbers

    def at(self, places: Numbers) -> _Parts:
        return _Parts(*(part[places] for part in self))


class Composer:
    """Finds the forms of lines under one law."""

    def __init__(self, knowledge: Knowledge, days: Sequence[date], *, ranges: bool) -> None:
        """Take the law, and the days between which it does not change. `ranges`: stakes are wanted too."""
        self.knowledge, self._ranges = knowledge, ranges
        situations = knowledge.evaluator.situations
        self._intervals = np.array([0, *(situations.interval(day.toordinal()) for day in days)], dtype=np.int64)
        limits = [start for start, _ in knowledge.law.limits]
        self._limits = np.array([0, *(sum(start <= day for start in limits) for day in days)], dtype=np.int64)
        self._unusual = sorted(knowledge.evaluator.unusual_facts)
        self._usable = OWN.isdisjoint(knowledge.law.compiled.fact_bits)
        self._days = days
        self.forget()

    def forget(self) -> None:
        """Let go of all that was met."""
        knowledge, days = self.knowledge, self._days
        self._reach = Reach(knowledge.evaluator.situations)
        self._tariffs = Tariffs(knowledge, days)
        self._bases = Bases(knowledge, self._tariffs, days)
        self._around, self._remarks = Surroundings(knowledge, days), Remarks(knowledge, days)
        self._filed, self._asked, self._rates, self._owed, self._texts, self._sights = (Kept() for _ in range(6))
        self._forms, self._plans, self._patterns, self._valid = (Numbering() for _ in range(4))
        self._open, self._charged, self._bases_met, self._stakes = (Numbering() for _ in range(4))
        self.entries = Entries(knowledge)
        self._evaluated = 0
        self._by_floors: dict[tuple[Any, ...], int] = {}
        self._claims: dict[int, int] = {}
        self.table = Table(self._filed.contents, self._bases.forms, self._around.forms)
        self.codes: Sequence[tuple[str, ...]] = self._remarks.codes
        self.asked: Sequence[tuple[str, ...]] = self._asked.contents
        self.hts, self.origins = [""], [""]
        self._digits = [""]
        self._product_classes, self._origin_classes = [(0, 0, 0)], [(0, 0)]
        self._of_product, self._of_origin = Projected(self._product_classes, tuple), Projected(self._origin_classes, tuple)
        self._known_product, self._known_origin = Projected(self._digits, bool), Projected(self.origins, bool)
        columns, forms, plans = list(knowledge.law.compiled.columns), self._bases.forms, self._filed.contents
        self._column = Projected(forms, lambda form: columns.index(form.column))
        self._rate = Projected(forms, lambda form: self._rates.number(form.rate))
        self._rated, self._replaced = Projected(forms, lambda form: form.rate is not None), Projected(plans, lambda plan: plan.replaced)
        self._in_force = Projected(forms, lambda form: self._owed.number(form.in_force))
        self._owes = Projected(plans, lambda plan: plan.owes)
        self._of_base, self._of_plan = (Projected(some, lambda one: self._texts.number(one.codes)) for some in (forms, plans))
        self._asks = Projected(self.asked, bool)
        self._short = Projected(self._digits, lambda digits: len(digits) < FULL)
        self.forget_forms()

    @property
    def full(self) -> bool:
        """Whether to forget before the next batch."""
        return self._reach.met >= _MOST_CLASSES

    @property
    def crowded(self) -> bool:
        """Whether to forget forms before the next batch: they are soon put together again."""
        return len(self._forms) >= _MOST_FORMS

    def forget_forms(self) -> None:
        """Let go of forms, and keep what they are put together from."""
        self._forms.forget()
        self._columns = np.zeros((_FIRST, _WIDTH), dtype=np.int32)
        self._count = 0

    def find(self, coded: Coded, read: Read) -> Found:
        """Return the forms of rows; `read` returns the facts of a row by its place."""
        self._learn(coded)
        parts = _Parts(coded.hts, coded.days, coded.origin, coded.other, coded.step)

        def make(places: Numbers) -> Numbers:
            return self._compose(parts.at(places), lambda place: read(int(places[place])))

        numbers = np.full(len(coded.keys), -1, dtype=np.int64)
        good = np.flatnonzero(coded.keys >= 0) if self._usable else np.zeros(0, dtype=np.int64)
        numbers[good] = self._forms.numbers(coded.keys[good], lambda places: make(good[places]))
        mine = self._columns[numbers[numbers >= 0]]
        rows = Formed(*(mine[:, place].astype(np.int64) for place in range(7)))
        stakes, sights, entries = (mine[:, place].astype(np.int64) for place in (8, _SIGHT, _ENTRY))
        return Found(numbers, rows, mine[:, 7] == 1, stakes, sights, entries, rows.around >= 0)

    def known(self, rows: Formed) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return of which rows the rate of the base duty is known, and on which it need not be."""
        return self._rated.at(rows.base) == 1, self._replaced.at(rows.filed) == 1

    def _learn(self, coded: Coded) -> None:
        """Look at the product numbers and the origins that are new."""
        reader = self.knowledge.reader
        for text in coded.products[len(self.hts) :]:
            hts = _read(lambda text=text: reader.fact("hts", text))  # type: ignore[misc]
            self._digits.append(hts)
            self.hts.append(dotted(hts))
            self._product_classes.append((self._reach.products.profile(hts), self._around.product(hts), self._remarks.product(hts)))
        for text in coded.origins[len(self.origins) :]:
            origin = _read(lambda text=text: reader.fact("origin", text))  # type: ignore[misc]
            self.origins.append(origin)
            self._origin_classes.append((self._around.origin(origin), self._remarks.origin(origin)))

    # ------------------------------------------------------------ forms
    def _compose(self, parts: _Parts, read: Read) -> Numbers:
        """Make the forms of lines, each of which is of another."""
        lines: dict[int, Line] = {}

        def line_at(place: int) -> Line:
            found = lines.get(place)
            if found is None:
                found = lines[place] = self.knowledge.read(read(place))
            return found

        found = np.full(len(parts.hts), -1, dtype=np.int64)
        left = self._valid_lines(parts, line_at)
        tariffs = self._tariffs.find(parts.hts[left], parts.days[left], self._digits)
        known = tariffs != Tariffs.UNKNOWN
        left, tariffs = left[known], tariffs[known]
        if not len(left):
            return found
        mine = parts.at(left)

        def at(place: int) -> Line:
            return line_at(int(left[place]))

        claims = np.array([self._claims.get(code, 0) for code in range(int(np.max(mine.other)) + 1)], dtype=np.int64)[mine.other]
        bases, keys = self._bases.find(tariffs, mine.origin, mine.days, claims, self.origins, at)
        some = np.flatnonzero(bases >= 0)
        left, mine, bases, keys = left[some], mine.at(some), bases[some], keys[some]
        if not len(left):
            return found
        columns = self._with_bases(mine, bases, keys, at)
        known = columns >= 0
        either = known[:, _AROUND] | known[:, _ENTRY]
        known[:, [_AROUND, _ENTRY]] = either[:, None]
        whole = np.flatnonzero(known.all(axis=1))
        found[left[whole]] = self._keep(columns[whole])
        return found

    def _valid_lines(self, parts: _Parts, line_at: Callable[[int], Line]) -> Numbers:
        """Return the places of lines whose facts can be stated together, and learn what they claim."""
        known = (self._known_product.at(parts.hts) == 1) & (self._known_origin.at(parts.origin) == 1)
        places = np.flatnonzero(known & (parts.days > 0))

        def make(first: Numbers) -> Numbers:
            valid = []
            for place in places[first].tolist():
                try:
                    line = line_at(place)
                except ProblemError:
                    valid.append(0)
                    continue
                self._claims[int(parts.other[place])] = self._bases.claims(line.facts)
                valid.append(int("chapter98" not in line.facts and not line.content))
            return np.array(valid, dtype=np.int64)

        valid = self._valid.numbers(parts.other[places] << 10 | parts.origin[places], make)
        found: Numbers = places[valid == 1]
        return found

    def _with_bases(self, parts: _Parts, bases: Numbers, keys: Numbers, at: Callable[[int], Line]) -> Numbers:
        """Return the columns of the forms of lines whose base is known, -1 where one cannot be told."""
        facts = self._facts(parts, bases, at)
        intervals = self._intervals[parts.days]
        products = self._reach.products.find(self._of_product.at(parts.hts)[:, 0], intervals)
        origins = self._reach.origins.find(parts.origin, intervals, self.origins)
        reached = self._reach.find(
            products,
            origins,
            facts,
            lambda place: (self._digits[parts.hts[place]], self.origins[parts.origin[place]], int(intervals[place])),
        )
        filed = self._plans_of(parts, bases, reached.sets, at)
        columns = np.full((len(bases), _WIDTH), -1, dtype=np.int64)
        some = np.flatnonzero(filed >= 0)
        if not len(some):
            return columns
        parts, bases, filed, keys = parts.at(some), bases[some], filed[some], keys[some]
        reached, facts = type(reached)(reached.sets[some], reached.open[some]), facts[some]

        def one(place: int) -> Line:
            return at(int(some[place]))

        asked, unclaimed = self._asked_of(filed, bases)
        columns[some, 0], columns[some, 1], columns[some, 4] = filed, bases, asked
        of_product, of_origin = self._of_product.at(parts.hts), self._of_origin.at(parts.origin)
        around = self._surroundings(parts, bases, filed, of_product[:, 1], of_origin[:, 0], one)
        columns[some, _AROUND], columns[some, _ENTRY] = around
        columns[some, 3] = self._warnings(parts, bases, filed, of_product[:, 2], of_origin[:, 1], one)
        columns[some, 5], columns[some, 6] = parts.hts, parts.origin
        columns[some, 7], columns[some, 8], columns[some, _SIGHT] = 0, 0, 0
        if self._ranges:
            claimable = np.array([self._reach.claims(number) for number in range(self._reach.opened)], dtype=np.bool_)[reached.open]
            columns[some, 7] = (self._asks.at(asked) == 1) | claimable
            first = self._charged.numbers(reached.open << 36 | facts << 18 | parts.other, _counted(self._charged))
            columns[some, 8] = self._stakes_of(parts, first, keys, unclaimed)
            columns[some, _SIGHT] = self._sights_of(parts, first, bases, reached.sets)
        return columns

    def _facts(self, parts: _Parts, bases: Numbers, at: Callable[[int], Line]) -> Numbers:
        """Return the number of what is known of the facts of each line."""
        book, forms = self.knowledge.law.compiled, self._bases.forms
        apart = bases if book.rate_bits else self._column.at(bases)

        def make(places: Numbers) -> Numbers:
            found = []
            for place in places.tolist():
                line, form = at(place), forms[bases[place]]
                column = book.columns[form.column]
                bits = self.knowledge.evaluator.known_bits(line, Base(None, form.rate, line.value), column)
                unusual = tuple((name, line.facts[name]) for name in self._unusual if name in line.facts)
                found.append(self._reach.facts.number(Facts(*bits, column, unusual)))
            return np.array(found, dtype=np.int64)

        return self._patterns.numbers(parts.other << 32 | apart, make)

    def _plans_of(self, parts: _Parts, bases: Numbers, sets: Numbers, at: Callable[[int], Line]) -> Numbers:
        """Return the number of what each line files."""
        forms, limits = self._bases.forms, self._limits[parts.days]

        def make(places: Numbers) -> Numbers:
            found = []
            for place in places.tolist():
                ave = forms[bases[place]].rate or 0
                floors = tuple(ave >= floor for floor in self._reach.floors(int(sets[place])))
                key = (int(sets[place]), floors, int(limits[place]))
                number = self._by_floors.get(key)
                if number is None:
                    filed = self._file(at(place))
                    number = self._by_floors[key] = -1 if filed is None else self._filed.number(filed)
                found.append(number)
            return np.array(found, dtype=np.int64)

        return self._plans.numbers(sets << 32 | self._rate.at(bases) << 4 | limits, make)

    def _file(self, line: Line) -> Filed | None:
        self._evaluated += 1
        if self._evaluated % _MOST_EVALUATED == 0:
            self.knowledge.rest()  # no other line of the book will ask for these plans again
        return filed_of(self.knowledge, line)

    def _asked_of(self, filed: Numbers, bases: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the number of the facts that are open on each line, and which lines could claim a preference."""
        forms = self._bases.forms
        unclaimed = np.array([self._texts.number(form.unclaimed) for form in forms], dtype=np.int64)[bases]
        some = np.array([bool(form.unclaimed) for form in forms], dtype=np.bool_)[bases]

        def make(places: Numbers) -> Numbers:
            facts = [(*self._filed.contents[filed[place]].assumed, *forms[bases[place]].unclaimed) for place in places.tolist()]
            return np.array([self._asked.number(tuple(dict.fromkeys(names))) for names in facts], dtype=np.int64)

        return self._open.numbers(filed << 20 | unclaimed, make), some

    def _surroundings(
        self, parts: _Parts, bases: Numbers, filed: Numbers, products: Numbers, origins: Numbers, at: Callable[[int], Line]
    ) -> tuple[Numbers, Numbers]:
        """Return the numbers of what stands around lines that are entries alone, and of what entries of several see of them."""
        forms, plans = self._bases.forms, self._filed.contents

        def make(place: int) -> tuple[Line, dict[str, Any]]:
            rows = [{"kind": row[2]} for row in plans[filed[place]].rows]
            return at(place), {"headings": rows, "base": {"claims_in_force": forms[bases[place]].in_force}}

        owed = self._in_force.at(bases) << 1 | self._owes.at(filed)
        single = self._around.find(parts.days, products, origins, parts.other, parts.step, owed, make)
        return single, self._around.lines(self.entries, parts.days, products, origins, parts.other, owed, make)

    def _warnings(
        self, parts: _Parts, bases: Numbers, filed: Numbers, products: Numbers, origins: Numbers, at: Callable[[int], Line]
    ) -> Numbers:
        forms, plans = self._bases.forms, self._filed.contents
        dated = self._remarks.dated(parts.days, products, origins, parts.other, at)
        apart = self._remarks.apart(self._short.at(parts.hts) == 1, parts.hts, parts.origin, self._intervals[parts.days], at)

        def codes(place: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
            return forms[bases[place]].codes, plans[filed[place]].codes

        return self._remarks.whole(self._of_base.at(bases), dated, apart, self._of_plan.at(filed), codes)

    def _stakes_of(self, parts: _Parts, first: Numbers, keys: Numbers, unclaimed: NDArray[np.bool_]) -> Numbers:
        """Return a number of all that lines have in common whose ranges differ by their value alone. `first`: of the law and the facts."""
        base = self._bases_met.numbers(keys, _counted(self._bases_met))
        origins = np.where(unclaimed, parts.origin, 0)
        return self._stakes.numbers(first << 42 | base << 21 | origins << 11 | parts.days, _counted(self._stakes))

    def _sights_of(self, parts: _Parts, first: Numbers, bases: Numbers, sets: Numbers) -> Numbers:
        """Return a number of all that lines have in common of which an inquiry sees the same, whatever the rates of their base duty are."""
        forms, found = self._bases.forms, []
        for law, days, base, number in zip(first.tolist(), parts.days.tolist(), bases.tolist(), sets.tolist(), strict=True):
            form = forms[base]
            reached = tuple([(form.rate or 0) >= floor for floor in self._reach.floors(number)])
            found.append(self._sights.number((law, days, form.column, form.unclaimed, reached)))
        return np.array(found, dtype=np.int64)

    def _keep(self, columns: Numbers) -> Numbers:
        """Keep forms, and return their numbers."""
        before, self._count = self._count, self._count + len(columns)
        if self._count > len(self._columns):
            grown = np.zeros((max(self._count, 2 * len(self._columns)), _WIDTH), dtype=np.int32)
            grown[:before] = self._columns[:before]
            self._columns = grown
        self._columns[before : self._count] = columns
        return np.arange(before, self._count)


def _counted(numbering: Numbering) -> Callable[[Numbers], Numbers]:
    return lambda places: np.arange(len(numbering), len(numbering) + len(places))


def _read(read: Callable[[], str]) -> str:
    """Return a fact as it is read, "" where it cannot be."""
    try:
        return read()
    except ProblemError:
        return ""
