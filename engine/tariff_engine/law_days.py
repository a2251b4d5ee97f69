"""The days between which nothing changes: lines of one product, origin and facts that are entered between two of them are alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from tariff_engine.fee_law import Dated
from tariff_engine.law import Law

_DAY = timedelta(days=1)


def law_days(law: Law) -> list[date]:
    """Return every day from which an answer may differ from that of the day before, whatever the line: all that begins or ends in a law."""
    return sorted(days_beside_rates(law).union(law.schedule.days))


def days_beside_rates(law: Law) -> set[date]:
    """Return these days without those on which the schedule changes the rates of some number, which are few for any one number."""
    return {day for day in _days(law) if day is not None}


def _days(law: Law) -> Iterator[date | None]:
    yield law.start
    if law.horizon < date.max:
        yield law.horizon + _DAY
    yield from (date.fromordinal(bound) for bound in law.compiled.bounds if bound <= date.max.toordinal())
    rules = (rule for program in law.compiled.programs for rule in program.chapter98)
    yield from (date.fromordinal(rule.start) for rule in rules if rule.start >= law.start.toordinal())
    yield from _of_preferences(law)
    for _, start, until in law.column2:
        yield from (start, until)
    for row in frame_rows(law):
        yield from (row.from_, row.until)
    for item in law.absent:
        yield from (item.start, item.until)
    for orders in law.orders.by_origin.values():
        for order in orders:
            yield from (order.start, order.until)
    yield from (start for start, _ in law.limits)


def _of_preferences(law: Law) -> Iterator[date | None]:
    for preference in law.preferences.by_symbol.values():
        for grants in preference.grants.values():
            for grant in grants:
                yield from (grant.starts, grant.until)
    for by_line in law.preferences.excluded.values():
        for exclusions in by_line.values():
            for exclusion in exclusions:
                yield from (exclusion.starts, exclusion.until)


def frame_rows(law: Law) -> Iterator[Dated]:
    """Yield the dated rows of fees, entry types and de minimis rules."""
    rules = law.fees.rules
    yield from law.fees.years
    mpf, hmf, types = rules.mpf, rules.hmf, rules.entry_types
    for rows in (
        mpf.rates,
        mpf.schedules,
        mpf.surcharges,
        mpf.exemptions,
        mpf.bases,
        hmf.rates,
        hmf.rules,
        types.low_value,
        types.required,
    ):
        yield from rows
    yield from law.de_minimis.rows
