"""The base duty of many lines: what the schedule says of a number on a day, and which column and rate an origin and its claims come to."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tariff_engine.base import LineBase, claim_facts, line_base
from tariff_engine.bulk.classes import Grid, Kept, Projected
from tariff_engine.bulk.keys import Numbering
from tariff_engine.preferences import granted_of_all, live_grant_of_any
from tariff_engine.problems import ProblemError
from tariff_engine.rates import rate_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from fractions import Fraction

    from numpy.typing import NDArray

    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

    Numbers = NDArray[np.int64]


class BaseForm(NamedTuple):
    """The base of lines that differ in what has no part in it.

    `rate` is None where the duty cannot be known: a quantity that nobody stated is `missing`, or the rate refers to what no quantity tells.
    """

    rate: Fraction | None
    text: str
    column: str
    codes: tuple[str, ...]
    unclaimed: tuple[str, ...]
    in_force: tuple[str, ...]
    missing: bool


class Tariffs:
    """What the schedule says of numbers in intervals of days, as classes; -1 stands for a number that it does not know on the day."""

    UNKNOWN = 0

    def __init__(self, knowledge: Knowledge, days: Sequence[date]) -> None:
        """Take the law, and the days between which it does not change."""
        self._law = knowledge.law
        self._days = [day for day in self._law.schedule.days if day > days[0]]
        # the schedule changes on few days of the law: many intervals of days are one span to it
        self._spans = np.array([0, *(bisect_right(self._days, day) for day in days)], dtype=np.int64)
        self._first_days = (days[0], *self._days)
        self._excluded = frozenset(line for rows in knowledge.law.preferences.excluded.values() for line in rows)
        self._grid = Grid(len(self._first_days))
        self._classes, self._symbols = Kept(), Kept()
        self._kept: dict[int, Any] = {}  # parts of lines, so that their identity stays theirs
        self.symbols: list[int] = [self._symbols.number((True, frozenset()))]
        """By class: the number of the symbols that its special column prints, and whether it is free anyway."""
        self.listed: list[bool] = [False]
        """By class: whether a country may be excluded from a symbol on it, from one day to another."""
        self._classes.number(None)

    def find(self, codes: Numbers, intervals: Numbers, names: Sequence[str]) -> Numbers:
        """Return the class of each product, given as a code, in each interval of days of the law; `names` are the numbers by code."""
        self._grid.fit(len(names), 0)
        spans = self._spans[intervals]
        while True:
            found, empty = self._grid.find(codes, spans)
            if not len(empty):
                return found
            for place in empty.tolist():
                code, span = int(codes[place]), int(spans[place])
                if self._grid.cells[code, span] < 0:
                    self._fill(code, span, names[code])

    def printed(self, number: int) -> frozenset[str]:
        """Return the symbols of a number in `symbols`; none where the line is free without any."""
        found: frozenset[str] = self._symbols.contents[number][1]
        return found

    def _fill(self, code: int, span: int, hts: str) -> None:
        """Find the class of a number in a span, and in all around it in which its line does not change."""
        steps = [bisect_right(self._days, day) for day in self._law.schedule.days_of(hts)]
        place = bisect_right(steps, span)
        first = steps[place - 1] if place else 0
        last = steps[place] if place < len(steps) else len(self._first_days)
        self._grid.cells[code, first:last] = self._class(hts, self._first_days[span])

    def _class(self, hts: str, day: date) -> int:
        try:
            line = self._law.schedule.find(hts, day, self._law.known_on)
        except ProblemError:
            return self.UNKNOWN
        listed = hts[:8] if hts[:8] in self._excluded else ""
        parts = (line.general, line.column2, *(rate for _, rate in line.special))
        self._kept.update((id(part), part) for part in parts)
        content = (
            tuple(id(part) for part in parts),
            tuple(symbols for symbols, _ in line.special),
            tuple(warning.code for warning in line.warnings),
            line.special_doubts,
            listed,
        )
        number = self._classes.number(content)
        if number == len(self.symbols):
            free = line.general.ad_valorem == (0, 1)
            self.symbols.append(self._symbols.number((free, frozenset() if free else frozenset().union(*content[1]))))
            self.listed.append(bool(listed))
        return number


class Bases:
    """Bases by number."""

    def __init__(self, knowledge: Knowledge, tariffs: Tariffs, days: Sequence[date]) -> None:
        """Take the law, and the days between which it does not change."""
        self._knowledge, self._tariffs, self._days = knowledge, tariffs, days
        self._claims = claim_facts(knowledge.law) | frozenset(knowledge.law.preferences.by_fact)
        self._kept, self._origins, self._claimed, self._reach = Kept(), Kept(), Kept(), Kept()
        self._grid = Grid(len(days) + 1)
        self._numbering, self._within, self._claiming = Numbering(), Numbering(), Numbering()
        self._listed, self._symbols = Projected(tariffs.listed, int), Projected(tariffs.symbols, int)
        self._claimed.number(())
        self.forms: list[BaseForm] = self._kept.contents

    def claims(self, facts: dict[str, Any]) -> int:
        """Return the number of the claims among the facts of a line, 0 where there is none."""
        return self._claimed.number(tuple(sorted((name, str(value)) for name, value in facts.items() if name in self._claims)))

    def find(
        self, tariffs: Numbers, origins: Numbers, intervals: Numbers, claims: Numbers, names: Sequence[str], read: Callable[[int], Line]
    ) -> tuple[Numbers, Numbers]:
        """Return the number of the base of each line, -1 where it has none that its value alone completes; and of what it depends on.

        `origins` are codes, of which `names` are the origins; `claims` are numbers that `claims` gave; `read` reads a line by its place.
        """
        self._grid.fit(len(names), 0)
        within, empty = self._grid.find(origins, intervals)
        for place in empty.tolist():
            code, interval = int(origins[place]), int(intervals[place])
            self._grid.cells[code, interval] = self._origins.number(self._of_origin(names[code], self._days[interval - 1]))
        if len(empty):
            within = self._grid.cells[origins, intervals].astype(np.int64)
        claimed = np.flatnonzero(claims)
        within[claimed] = self._of_claims(tariffs[claimed], origins[claimed], intervals[claimed], names)
        reach = self._reached(tariffs, within, claims)
        keys = (tariffs.astype(np.int64) << 40) | (reach << 20) | claims

        def make(places: Numbers) -> Numbers:
            return np.array([self._make(read(place)) for place in places.tolist()], dtype=np.int64)

        return self._numbering.numbers(keys, make), keys

    def _of_origin(self, origin: str, day: date) -> tuple[Any, ...]:
        """Return all by which the base of goods of an origin on a day may differ from that of others, where nothing is claimed."""
        law = self._knowledge.law
        return law.in_column2(origin, day), live_grant_of_any(law.preferences, origin, day, law.known_on)

    def _granted(self, origin: str, day: date) -> tuple[Any, ...]:
        """Return the same where something is claimed, which may be any program."""
        law = self._knowledge.law
        return law.in_column2(origin, day), granted_of_all(law.preferences, origin, day, law.known_on)

    def _of_claims(self, tariffs: Numbers, origins: Numbers, intervals: Numbers, names: Sequence[str]) -> Numbers:
        """Return the numbers of all by which the base of goods for which something is claimed may differ: an origin, and which grants it has.

        On lines of which a country may be excluded that is the interval of days itself.
        """
        listed = self._listed.at(tariffs)
        keys = (origins.astype(np.int64) << 21) | (intervals.astype(np.int64) << 1) | listed

        def make(places: Numbers) -> Numbers:
            found = []
            for place in places.tolist():
                code, interval = int(origins[place]), int(intervals[place])
                found.append(
                    self._origins.number((code, interval if listed[place] else self._granted(names[code], self._days[interval - 1])))
                )
            return np.array(found, dtype=np.int64)

        return self._claiming.numbers(keys, make)

    def _reached(self, tariffs: Numbers, within: Numbers, claims: Numbers) -> Numbers:
        """Return the number of what the origin has to do with the special column of a line: of all of it, where something is claimed."""
        symbols = self._symbols.at(tariffs)
        keys = (symbols << 40) | (within.astype(np.int64) << 20) | (claims > 0)

        def make(places: Numbers) -> Numbers:
            found = []
            for place in places.tolist():
                if claims[place]:
                    found.append(self._reach.number(int(within[place])))
                    continue
                column2, granted = self._origins.contents[int(within[place])]
                printed = self._tariffs.printed(int(symbols[place]))
                found.append(
                    self._reach.number((column2, tuple((fact, some & printed) for fact, some in granted if not printed.isdisjoint(some))))
                )
            return np.array(found, dtype=np.int64)

        return self._within.numbers(keys, make)

    def _make(self, line: Line) -> int:
        try:
            base = line_base(self._knowledge.law, line)
        except ProblemError:
            return -1
        form = base_form(base, line)
        return -1 if form is None else self._kept.number(form)


def base_form(base: LineBase, line: Line) -> BaseForm | None:
    """Return the base of a line as a form; None where more than a rate on its value, or an unknown quantity, decides it."""
    if base.base.value != line.value or base.base.duty is not None or base.open:
        return None
    codes = tuple(dict.fromkeys(warning.code for warning in base.warnings))
    return BaseForm(base.base.rate, rate_text(base.rate), base.column, codes, base.unclaimed, base.in_force, bool(base.missing))
