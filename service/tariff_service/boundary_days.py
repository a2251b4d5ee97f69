"""The days on which an answer about a line can change: everything in a law that begins or ends, and what the line's own dates bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tariff_engine.law_days import days_beside_rates

if TYPE_CHECKING:
    from tariff_engine.law import Law

_DAY = timedelta(days=1)


def boundary_days(law: Law, facts: Mapping[str, Any], first: date, last: date) -> list[date]:
    """Return the days in [first, last) from which the answer on a line may differ from that of the day before, `first` included.

    Between two of them nothing changes: the steps, lists, groups and relations of chapter 99, the order of filing, the rates
    of the number, preferences and the countries they leave out, column 2, chapter 98, orders that warn, fees and de minimis rules. `facts` are
    those that the line states, by their names in the dictionary.
    """
    days = {first, *days_beside_rates(law), *_line(law, facts, first, last)}
    return sorted(day for day in days if first <= day < last)


def _line(law: Law, facts: Mapping[str, Any], first: date, last: date) -> Iterator[date]:
    """Yield the days that a line sets: the rates of its number change, it cannot be entered before it was loaded, and what is counted in years changes with them."""
    yield from law.schedule.days_of(str(facts.get("hts", "")))
    for value in facts.values():
        if isinstance(value, date):
            yield value
            if value < date.max:
                yield value + _DAY
    if any(spec.years_before_entry in facts for spec in law.facts.values()):
        yield from (date(year, 1, 1) for year in range(first.year + 1, last.year + 1))
