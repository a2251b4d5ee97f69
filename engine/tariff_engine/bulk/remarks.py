"""Warnings of many lines, as codes: of what the book does not hold, of orders that may reach them, of doubts about what they file."""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from tariff_engine.adcvd_orders import possible_orders
from tariff_engine.bulk.classes import Kept
from tariff_engine.bulk.keys import Numbering
from tariff_engine.suffixes import told_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

    Numbers = NDArray[np.int64]


class Remarks:
    """The codes of warnings, by number."""

    def __init__(self, knowledge: Knowledge, days: Sequence[date]) -> None:
        """Take the law, and the days between which it does not change."""
        self._knowledge, law = knowledge, knowledge.law
        self._absent = law.absent
        self._orders = [order for orders in law.orders.by_origin.values() for order in orders]
        bounds = {law.horizon + timedelta(days=1), *(bound for item in law.absent for bound in (item.start, item.until))}
        bounds |= {bound for order in self._orders for bound in (order.start, order.until) if bound is not None}
        ordered = sorted(bounds)
        self._days = np.array([0, *(bisect_right(ordered, one) for one in days)], dtype=np.int64)
        self._products, self._origins, self._dated, self._whole = Kept(), Kept(), Kept(), Kept()
        self._of_day, self._apart, self._all = Numbering(), Numbering(), Numbering()
        self.codes: list[tuple[str, ...]] = self._whole.contents

    def product(self, hts: str) -> int:
        """Return the class of a product number."""
        absent = tuple(not item.codes or hts.startswith(item.codes) for item in self._absent)
        return self._products.number((absent, tuple(place for place, order in enumerate(self._orders) if hts.startswith(order.numbers))))

    def origin(self, origin: str) -> int:
        """Return the class of an origin."""
        absent = tuple((item.origins is None or origin in item.origins) and origin not in item.but for item in self._absent)
        return self._origins.number((absent, origin if origin in self._knowledge.law.orders.by_origin else ""))

    def dated(self, intervals: Numbers, products: Numbers, origins: Numbers, others: Numbers, read: Callable[[int], Line]) -> Numbers:
        """Return the number of what the day of each line says; `read` reads one by its place, `others` are numbers of its other facts."""
        keys = self._days[intervals]
        for part, bits in ((products, 22), (origins, 10), (others, 18)):
            keys = keys << bits | part

        def make(places: Numbers) -> Numbers:
            return np.array([self._number(read(place)) for place in places.tolist()], dtype=np.int64)

        return self._of_day.numbers(keys, make)

    def _number(self, line: Line) -> int:
        law = self._knowledge.law
        before = tuple(one.code for one in self._knowledge.remarks_on_day(line))
        return self._dated.number((before, tuple(one.code for one in possible_orders(law.orders, line, law.known_on))))

    def apart(self, short: NDArray[np.bool_], codes: Numbers, origins: Numbers, intervals: Numbers, read: Callable[[int], Line]) -> Numbers:
        """Return 1 for each line whose number, of eight digits where `short`, law tells apart from those below it."""
        found = np.zeros(len(codes), dtype=np.int64)
        places = np.flatnonzero(short)
        if not len(places):
            return found
        keys = codes[places].astype(np.int64) << 24 | origins[places] << 12 | intervals[places]

        def make(first: Numbers) -> Numbers:
            law, situations = self._knowledge.law, self._knowledge.evaluator.situations
            lines = (read(int(places[place])) for place in first.tolist())
            return np.array([bool(told_apart(law, situations, line)) for line in lines], dtype=np.int64)

        found[places] = self._apart.numbers(keys, make)
        return found

    def whole(
        self,
        bases: Numbers,
        dated: Numbers,
        apart: Numbers,
        plans: Numbers,
        codes: Callable[[int], tuple[tuple[str, ...], tuple[str, ...]]],
    ) -> Numbers:
        """Return the number of all codes of each line, in the order of an answer; `codes` returns those of its base and its plan by place."""
        keys = bases << 40 | dated << 22 | plans << 1 | apart

        def make(places: Numbers) -> Numbers:
            found = []
            for place in places.tolist():
                base, plan = codes(place)
                before, after = self._dated.contents[int(dated[place])]
                told = ("ten_digits_matter",) if apart[place] else ()
                found.append(self._whole.number(tuple(dict.fromkeys((*base, *before, *told, *plan, *after)))))
            return np.array(found, dtype=np.int64)

        return self._all.numbers(keys, make)
