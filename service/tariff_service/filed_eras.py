"""The same line on other days of entry: from when until when a number, or an amount under it, would have been right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tariff_engine.problems import LawConflictError, ProblemError
from tariff_service.boundary_days import boundary_days
from tariff_service.filed_owed import Owed, owed

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

_REACH = timedelta(days=3 * 365)  # a heading of further away is no slip of dates
_ENTRY_DATE = "entry_date"


@dataclass(frozen=True, slots=True)
class Era:
    """A span of days of entry on which the line owes a number: [from_, until), and what it owes then."""

    from_: date
    until: date | None
    owed: Owed


@dataclass(slots=True)
class Eras:
    """The days on which the answer on a line can change, and its answers on them, made when first asked for."""

    knowledge: Knowledge
    line: Line
    _spans: list[tuple[date, Owed | None]] | None = field(default=None, init=False)

    def find(self, number: str, duty: int | None = None) -> Era | None:
        """Return the era nearest to the day of entry in which the line owes a number, with just this duty where one is given."""
        spans = self._known()
        fits = [found is not None and self._owes(found, number, duty) for _, found in spans]
        best: tuple[int, Era] | None = None
        for place, (start, found) in enumerate(spans):
            if not fits[place] or found is None or (place and fits[place - 1]):
                continue
            last = place
            while last + 1 < len(spans) and fits[last + 1]:
                last += 1
            end = spans[last + 1][0] if last + 1 < len(spans) else None
            near = place if start > self.line.day else last  # the answer of the side that lies nearer
            away = self._away(start, end)
            era = Era(start, end, spans[near][1] or found)
            if best is None or away < best[0]:
                best = away, era
        return best[1] if best else None

    @staticmethod
    def _owes(found: Owed, number: str, duty: int | None) -> bool:
        one = found.numbers.get(number)
        return one is not None and (duty is None or one.duty == duty)

    def _away(self, start: date, end: date | None) -> int:
        day = self.line.day
        if start > day:
            return (start - day).days
        return 0 if end is None or end > day else (day - end).days + 1

    def _known(self) -> list[tuple[date, Owed | None]]:
        if self._spans is None:
            day = self.line.day
            first = max(self.knowledge.law.start, day - _REACH)
            days = boundary_days(self.knowledge.law, self.line.facts, first, day + _REACH)
            self._spans = [(one, self._on(one)) for one in days]
        return self._spans

    def _on(self, day: date) -> Owed | None:
        """Return what the line owes on a day; None where it cannot be entered on it."""
        try:
            return owed(self.knowledge, self.knowledge.read({**self.line.facts, _ENTRY_DATE: day}), why=False)
        except (ProblemError, LawConflictError):
            return None
