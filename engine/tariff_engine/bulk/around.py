"""What stands around an entry of one line, for many of them: the fees and the entry type, by what the law of fees and of the gate sees."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tariff_engine.bulk.classes import Kept
from tariff_engine.bulk.keys import Numbering
from tariff_engine.entry_lines import NO_LIMIT, FeeTerms, entry_line
from tariff_engine.frame import standing
from tariff_engine.law_days import frame_rows
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from tariff_engine.bulk.entries import Entries
    from tariff_engine.desk import FeeForm
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

    Numbers = NDArray[np.int64]


class Around(NamedTuple):
    """The fees of an entry as terms of its value, and its type."""

    mpf: FeeTerms
    hmf: FeeTerms
    entry_type: str | None


class Surroundings:
    """What stands around entries of one line, by number; -1 where more than the value decides it, or the gate does not let it pass."""

    def __init__(self, knowledge: Knowledge, days: Sequence[date]) -> None:
        """Take the law, and the days between which it does not change."""
        self._knowledge = knowledge
        law = knowledge.law
        bounds = sorted({day for row in frame_rows(law) for day in (row.from_, row.until) if day is not None})
        self._days = np.array([0, *(bisect_right(bounds, day) for day in days)], dtype=np.int64)
        gate, rules = law.de_minimis.rows, law.fees.rules
        listed = (*(row.hts for row in rules.entry_types.required), *(row.hts for row in gate))
        self._prefixes = [prefixes for prefixes in listed if prefixes is not None]
        self._exempt = [row.origin for row in rules.mpf.exemptions if row.origin is not None]
        self._gate = gate
        self._products, self._origins, self._kept = Kept(), Kept(), Kept()
        self._numbering, self._line_numbering = Numbering(), Numbering()
        self.forms: list[Around] = self._kept.contents

    def product(self, hts: str) -> int:
        """Return the class of a product number."""
        return self._products.number(tuple(hts.startswith(prefixes) for prefixes in self._prefixes))

    def origin(self, origin: str) -> int:
        """Return the class of an origin."""
        named = tuple(origin in some for some in self._exempt)
        return self._origins.number((named, tuple((row.takes(origin), row.export is None or origin in row.export) for row in self._gate)))

    def find(
        self,
        intervals: Numbers,
        products: Numbers,
        origins: Numbers,
        others: Numbers,
        steps: Numbers,
        owed: Numbers,
        make: Callable[[int], tuple[Line, dict[str, Any]]],
    ) -> Numbers:
        """Return the number of what stands around each line.

        `others` and `steps` are numbers of its other facts, and of the thresholds between which its value lies; `owed` is a number of what
        fees see of its duty. `make` returns a line by its place, with the parts of its answer at which fees look.
        """
        keys = self._days[intervals]
        for part, bits in ((products, 9), (origins, 10), (others, 18), (steps, 6), (owed, 10)):
            keys = keys << bits | part

        def numbers(places: Numbers) -> Numbers:
            return np.array([self._number(*make(place)) for place in places.tolist()], dtype=np.int64)

        return self._numbering.numbers(keys, numbers)

    def lines(
        self,
        entries: Entries,
        intervals: Numbers,
        products: Numbers,
        origins: Numbers,
        others: Numbers,
        owed: Numbers,
        make: Callable[[int], tuple[Line, dict[str, Any]]],
    ) -> Numbers:
        """Return the number of each line in `entries`, -1 where an entry with it is answered alone; the rest is as in `find`."""
        keys = self._days[intervals]
        for part, bits in ((products, 9), (origins, 10), (others, 18), (owed, 10)):
            keys = keys << bits | part

        def numbers(places: Numbers) -> Numbers:
            found = (entry_line(self._knowledge, *make(place)) for place in places.tolist())
            return np.array([entries.number(line) for line in found], dtype=np.int64)

        return self._line_numbering.numbers(keys, numbers)

    def _number(self, line: Line, answer: dict[str, Any]) -> int:
        try:
            around = standing(self._knowledge, line, answer)
        except ProblemError:
            return -1
        return -1 if around is None else self._kept.number(Around(_fee(around.mpf), _fee(around.hmf), around.entry_type))


def _fee(form: FeeForm) -> FeeTerms:
    if form.scale is None:
        return 0, form.cents, 1, 0, form.cents
    top, bottom, double, least, most = form.scale
    return top, bottom, double, least, NO_LIMIT if most is None else most
