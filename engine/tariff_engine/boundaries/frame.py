"""The boundaries around the programs: editions of the schedule, preferences, column 2, filing order, fees, de minimis, law not held yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from tariff_engine.boundaries.boundary import Boundary, Side, around, two_days
from tariff_engine.boundaries.programs import dated
from tariff_engine.fee_law import LawRow, NotModes
from tariff_engine.special_programs import ALL_READ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tariff_engine.book import Book
    from tariff_engine.fee_law import Dated as LawDated
    from tariff_engine.law import Law


def _make(owner: str) -> Any:
    def make(kind: str, fact: str, sides: tuple[Side, ...], says: str, **more: Any) -> Boundary:
        return Boundary(kind, fact, sides, (), owner, says, **more)

    return make


def frame_boundaries(book: Book, law: Law) -> Iterator[Boundary]:
    """Yield the boundaries that any line can meet, whatever programs it falls under."""
    yield from _book(book, law)
    yield from _schedule(law)
    yield from _preferences(law)
    yield from _fees(law)
    yield from _de_minimis(law)


def _book(book: Book, law: Law) -> Iterator[Boundary]:
    make = _make("book")
    yield make("entry_day", "entry_date", two_days(law.start), "the book begins: an earlier day is refused")
    yield make("entry_day", "entry_date", two_days(date.fromordinal(law.horizon.toordinal() + 1)), "beyond the horizon: a warning")
    for item in book.absent:
        for one in dated(book, item, make):
            yield Boundary(one.kind, one.fact, one.sides, (), "book", f"law not in the book: {item.name}", one.by, one.given)
    make = _make("filing")
    for era in book.filing:
        yield make("entry_day", "entry_date", two_days(era.from_), "another filing order")
    for limit in book.limits:
        yield make("entry_day", "entry_date", two_days(limit.from_), f"{limit.numbers} numbers fit on a line")
    make = _make("relations")
    for relation in book.relations.relations:
        words = f"{', '.join(relation.over)} over {', '.join(relation.excludes)}"
        for one in dated(book, relation, make):
            says = f"{words} {one.says.rpartition('relation ')[2]}"
            yield Boundary(one.kind, one.fact, one.sides, _programs(book, relation), "relations", says, one.by, one.given)


def _programs(book: Book, relation: Any) -> tuple[str, ...]:
    return tuple(sorted({book.nodes[name].program.program for name in book.expand([*relation.over, *relation.excludes])}))


def _schedule(law: Law) -> Iterator[Boundary]:
    make = _make("schedule")
    for edition in law.schedule.editions:
        yield make("entry_day", "entry_date", two_days(edition.starts), f"the rates of {edition.name} begin")
        given: dict[str, Side] = {"entry_date": edition.starts.isoformat()}
        yield make("known_day", "known_on", two_days(edition.published), f"{edition.name} became known", given=given)
    for origin, start, until in law.column2:
        for day in (start, until):
            if law.start < day < date.max:
                yield make("entry_day", "entry_date", two_days(day), "column 2 begins or ends for an origin", given={"origin": origin})


def _preferences(law: Law) -> Iterator[Boundary]:
    make = _make("preferences")
    for symbol, preference in law.preferences.by_symbol.items():
        origins = tuple(origin for origin in preference.grants if origin in law.countries)
        if origins:
            yield make("claim", "spi", (None, symbol), f"{preference.program} is claimed or not", given={"origin": origins[0]})
            yield make("origin", "origin", origins, f"{preference.program} covers these origins", given={"spi": symbol})
        for origin, grants in preference.grants.items():
            where: dict[str, Side] = {"spi": symbol, **({"origin": origin} if origin in law.countries else {})}
            for grant in grants:
                yield from _dated(law, make, (grant.starts, grant.until), f"{preference.program} begins or ends", given=where)
                if grant.known_from is not None:
                    given = {**where, "entry_date": max(grant.starts, law.start).isoformat()}
                    yield make("known_day", "known_on", two_days(grant.known_from), f"{preference.program} became known", given=given)
    for symbol, by_line in law.preferences.excluded.items():
        for digits, exclusions in by_line.items():
            for one in exclusions if digits != ALL_READ else ():
                says = f"{one.origin} is excluded from {symbol} on {digits}, or no longer"
                given = {"spi": symbol, "origin": one.origin, "hts": digits}
                yield from _dated(law, make, (one.starts, one.until), says, by=one.by, given=given)


def _dated(law: Law, make: Any, edges: Iterable[date | None], says: str, **more: Any) -> Iterator[Boundary]:
    for edge in edges:
        if edge is not None and law.start < edge < date.max:
            yield make("entry_day", "entry_date", two_days(edge), says, **more)


def _rows(law: Law, rows: Iterable[LawDated], make: Any) -> Iterator[Boundary]:
    for row in rows:
        says = row.says if isinstance(row, LawRow) else "a rate or amount"
        for day, edge in ((row.from_, "begins"), (row.until, "ends")):
            if day is not None and law.start < day < date.max:
                yield make("entry_day", "entry_date", two_days(day), f"{edge}: {says}", by=row.by or "")
        for act in (row.by, row.withdrawn_by):
            if act:
                given: dict[str, Side] = {"entry_date": max(row.from_, law.start).isoformat()}
                yield make("known_day", "known_on", two_days(law.instruments[act].published), says, by=act, given=given)
        mode = getattr(row, "mode", None)
        if mode:
            named = mode.not_ if isinstance(mode, NotModes) else mode
            yield make("mode", "mode", (None, *named, "other"), says, given={"entry_date": max(row.from_, law.start).isoformat()})


def _fees(law: Law) -> Iterator[Boundary]:
    rules, make = law.fees.rules, _make("fees")
    for rows in (rules.mpf.rates, rules.mpf.schedules, rules.mpf.exemptions, rules.mpf.bases, rules.hmf.rates, rules.hmf.rules):
        yield from _rows(law, rows, make)
    yield from _rows(law, law.fees.years, make)
    for year in law.fees.years:
        given: dict[str, Side] = {"entry_date": max(year.from_, law.start).isoformat()}
        rate = max((row for row in rules.mpf.rates if row.from_ <= year.from_), key=lambda row: row.from_, default=None)
        if rate is None or year.until <= law.start:
            continue
        for amount, words in ((year.min, "least"), (year.max, "most")):
            value = (amount * rate.rate.denominator / rate.rate.numerator).to_integral_value(ROUND_CEILING)
            says = f"{year.fiscal_year}: the {words} that the merchandise processing fee can be, ${amount}"
            yield make("value", "value", around(value, "1"), says, given={**given, "entry_type": "01"})
    yield from _rows(law, rules.entry_types.required, make)
    for row in rules.entry_types.required:
        given = {"entry_date": max(row.from_, law.start).isoformat()}
        for limit in (row.over, row.line_over):
            if limit is not None:
                yield make("value", "value", around(Decimal(limit), "1"), f"a formal entry: {row.says}", given=given)


def _de_minimis(law: Law) -> Iterator[Boundary]:
    make = _make("de_minimis")
    yield from _rows(law, law.de_minimis.rows, make)
    for row in law.de_minimis.rows:
        given: dict[str, Side] = {"entry_date": max(row.from_, law.start).isoformat(), "de_minimis_claimed": True}
        if isinstance(row.origin, tuple):
            given["origin"] = row.origin[0]
        for limit in (row.limit, row.over):
            if limit is not None:
                yield make("value", "value", around(Decimal(limit), "0.01"), row.says, given=given)
