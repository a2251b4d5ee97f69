"""Every list of the book: its rows hold at the digits printed, on their days, for what they say; a sibling that is not listed does not.

A list is looked at through a provision that uses it: the line meets everything else that the provision asks for, and only its number, its
origin or its day is changed. Large lists are sampled, always the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.probe import EVER, Prober
from tests.law.rulebook import the_book

from tariff_engine.evaluate.derivation import Verdict

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.conditions import When
    from tariff_engine.notation.tables import Row

DAY = timedelta(days=1)
ALL = 150  # a list of at most so many rows is tested whole
SAMPLE = 90
NOT_MET = {Verdict.CONDITION, Verdict.NOT_IN_FORCE}


def named(when: When) -> Iterator[tuple[bool, str]]:
    """Yield the lists that a condition names, those of its branches too, and whether the list bars."""
    if when.hts:
        yield from ((False, name) for name in when.hts.in_ or ())
        yield from ((True, name) for name in when.hts.not_in or ())
    for inner in (*(when.any or ()), *([when.not_] if when.not_ else ())):
        yield from named(inner)


def uses() -> dict[str, str]:
    """Return for every list the provision to look through: one that is on it, without branches if there is any, the oldest of them."""
    found: dict[str, tuple[bool, bool, date, str]] = {}
    for node in the_book().nodes.values():
        when = node.provision.when
        for bars, name in named(when):
            branched = bool(when.any or when.not_ or when.in_transit or when.subject_to)
            rank = (bars, branched, min(step.from_ for step in node.provision.steps), node.id)
            found[name] = min(found.get(name, rank), rank)
    return {name: rank[-1] for name, rank in sorted(found.items())}


def tables() -> list[str]:
    """Return the provisions that look their rate up in a table."""
    return [node.id for node in the_book().nodes.values() if node.provision.table]


def sample(rows: list[Row]) -> list[Row]:
    """Return all rows of a small list, every n-th and those with days or exceptions of their own of a large one."""
    if len(rows) <= ALL:
        return rows
    special = [row for row in rows if row.from_ > date.min or row.until < date.max or row.excepted]
    chosen = {row.number: row for row in [*rows[:: len(rows) // SAMPLE], *special[:: max(1, len(special) // SAMPLE)]]}
    return list(chosen.values())


def life(node: Node, book: Book) -> tuple[list[tuple[date, date]], date]:
    """Return the days on which a provision is in force, and as known when: before it was called off, if it was called off for good."""
    end = node.program.ended.from_ if node.program.ended else date.max
    steps = [step for step in node.provision.steps if not step.withdrawn_by]
    if steps:
        return [(step.from_, min(step.until or date.max, end)) for step in steps], EVER
    last = node.provision.steps[-1]
    return [(last.from_, min(last.until or date.max, end))], book.published(last.withdrawn_by) - DAY


def days_of(row: Row, lives: list[tuple[date, date]], start: date) -> Iterator[date]:
    """Yield the days to look at: both sides of each end of the row, and a day between, as far as the provision is in force."""
    for begin, end in lives:
        first = max(begin, row.from_, start)
        for day in (
            first,
            row.from_ if row.from_ > date.min else first,
            row.from_ - DAY if row.from_ > date.min else first,
            row.until - DAY,
            row.until,
        ):
            if max(begin, start) <= day < end and day < date.max - DAY:
                yield day


def siblings(code: str) -> Iterator[str]:
    """Yield the codes that differ from a code in the last digit."""
    yield from (code[:-1] + digit for digit in "0123456789" if digit != code[-1])


def numbers(code: str) -> list[str]:
    """Return ten-digit numbers that begin with a code: the first and the last."""
    return list(dict.fromkeys((code.ljust(10, "0"), code.ljust(10, "9"))))


@pytest.mark.parametrize(("name", "through"), uses().items(), ids=lambda value: value.removeprefix("list:"))
def test_the_rows_of_a_list_hold_on_their_days_and_siblings_do_not(name: str, through: str, book: Book, prober: Prober) -> None:
    node = book.nodes[through]
    lives, known_on = life(node, book)
    template = made(node, name, lives, prober, known_on)
    seen: set[tuple[bool, bool]] = set()
    for row in sample(book.tables[name].rows):
        for day in dict.fromkeys(days_of(row, lives, book.horizon.from_)):
            sibling = next((code for code in siblings(row.hts) if not prober.maker.listed(name, code.ljust(10, "0"), day, known_on)), None)
            for number in [*numbers(row.hts), *(numbers(sibling) if sibling else ())]:
                line = {**template, "hts": number, "entry_date": day}
                wanted = prober.maker.met(node, line, known_on)
                outcome = prober.bare(node, line, known_on)
                assert (outcome.verdict not in NOT_MET) == wanted, (
                    f"{number} on {day}, row {row.number} through {through}: {outcome.verdict}"
                )
                seen.add((prober.maker.listed(name, number, day, known_on), wanted))
    if (True, name) in named(node.provision.when):
        assert (True, False) in seen, "no number is barred by the list"
    else:
        assert {(True, True), (False, False)} <= seen, "the list makes no difference"


def made(node: Node, name: str, lives: list[tuple[date, date]], prober: Prober, known_on: date) -> dict[str, Any]:
    """Return a line that meets a provision, through a list, on some day of its life."""
    for begin, end in lives:
        first = max(begin, prober.book.horizon.from_)
        for day in (first, *(row.from_ for row in prober.book.tables[name].rows[:1])):
            if first <= day < end:
                for line in prober.maker.lines(node, day, known_on, by=name):
                    if prober.bare(node, line, known_on).verdict not in NOT_MET:
                        return line
    message = f"no line meets {node.id} through {name}"
    raise AssertionError(message)


@pytest.mark.parametrize("name", sorted(the_book().tables))
def test_every_list_is_used_by_a_condition_a_table_or_absent_law(name: str, book: Book) -> None:
    used = {*uses(), *(ref for node in book.nodes.values() for ref in node.provision.table or ())}
    used |= {ref for node in book.nodes.values() for step in node.provision.steps for base in step.base_if for ref in base.hts.in_ or ()}
    used |= {ref for item in book.absent for ref in item.lists or ()}
    assert name in used or any(ref.startswith(f"list:{name}") for ref in used)


# ---------------------------------------------------------------- tables
def chosen(node: Node, book: Book, line: dict[str, Any], known_on: date) -> Row | None:
    """Return the row that decides: of those that stand and are known, the longest code, then the named origin."""

    def published(act: str) -> date:
        return book.instruments[act].published if act else date.min

    fits = []
    for ref in node.provision.table or ():
        for row in book.tables[ref].rows:
            known = published(row.by) <= known_on and not (row.withdrawn_by and published(row.withdrawn_by) <= known_on)
            if not known or not row.from_ <= line["entry_date"] < row.until or not line["hts"].startswith(row.hts):
                continue
            if line["hts"].startswith(row.excepted):
                continue
            if "origin" in (node.provision.look_up or ()) and not of_origin(row["origin"], line, book):
                continue
            if row["partial_ex"] and not line.get(node.provision.claim_partial or ""):
                continue
            fits.append((-len(row.hts), row["origin"] == "*", row.number, row))
    return min(fits, key=lambda one: one[:3])[3] if fits else None


def of_origin(named_origin: str, line: dict[str, Any], book: Book) -> bool:
    """Whether the origin that a row names is that of a line."""
    if named_origin.startswith("group:"):
        return book.in_group(named_origin[6:], line["origin"], line["entry_date"])
    return named_origin in {line["origin"], "*"}


def agrees(node: Node, prober: Prober, line: dict[str, Any], known_on: date = EVER) -> None:
    """Assert that a provision with a table says what the deciding row says."""
    row = chosen(node, prober.book, line, known_on)
    outcome = prober.bare(node, line, known_on)
    if row is None:
        assert outcome.verdict in NOT_MET, f"{line}: {outcome.verdict}"
        return
    rate = Fraction(row["rate"].rstrip("%")) / 100 if row["rate"] else None
    add, up_to = (rate if row["effect"] == "add" else None), (rate if row["effect"] == "up_to" else None)
    assert (outcome.heading, outcome.add, outcome.up_to) == (row["heading"], add, up_to), f"{line}, row {row.number}, known {known_on}"
    assert outcome.at_floor == row["at_floor"]
    assert not row.by or outcome.by == row.by


def origin_of(row: Row, node: Node, book: Book, day: date) -> str:
    """Return the origin of a row; for the row of all others, a country that no row names."""
    if row["origin"].startswith("group:"):
        return next(code for code in book.countries if book.in_group(row["origin"][6:], code, day))
    if row["origin"] != "*":
        return row["origin"]
    taken = {other["origin"] for ref in node.provision.table or () for other in book.tables[ref].rows}
    return next(code for code in book.countries if code not in taken)


def asked(node: Node, book: Book, prober: Prober) -> dict[str, Any]:
    """Return an origin and facts that meet the condition of a provision with a table, for the lines of its rows."""
    lives, known_on = life(node, book)
    for begin, _ in lives:
        for line in prober.maker.lines(node, max(begin, book.horizon.from_), known_on):
            return {name: value for name, value in line.items() if name not in {"hts", "entry_date", "value"}}
    message = f"no line meets {node.id}"
    raise AssertionError(message)


def table_lines(node: Node, book: Book, prober: Prober) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Yield lines for each row of a provision's tables: both sides of its ends, a number beside it, and a number that it cuts out."""
    lives, _ = life(node, book)
    template = {} if "origin" in (node.provision.look_up or ()) else asked(node, book, prober)
    by_number = "hts" in (node.provision.look_up or ())
    for ref in node.provision.table or ():
        rows = book.tables[ref].rows
        for row in sample(rows) if by_number else rows:
            goods = [*numbers(row.hts), *numbers(next(siblings(row.hts))), *row.excepted[:2]] if by_number else ["6109100012"]
            for day in dict.fromkeys(days_of(row, lives, book.horizon.from_)):
                for number in goods:
                    origin = template.get("origin") or origin_of(row, node, book, day)
                    line = {**template, "hts": number, "origin": origin, "entry_date": day, "value": 10000}
                    if row["partial_ex"] and node.provision.claim_partial:
                        yield row, line
                        line = {**line, node.provision.claim_partial: True}
                    yield row, line


@pytest.mark.parametrize("name", tables())
def test_a_table_gives_heading_effect_and_rate_of_the_row_that_stands(name: str, book: Book, prober: Prober) -> None:
    looked = 0
    for _, line in table_lines(book.nodes[name], book, prober):
        agrees(book.nodes[name], prober, line)
        looked += 1
    assert looked


@pytest.mark.parametrize("name", tables())
def test_a_row_that_was_called_off_was_the_law_until_then(name: str, book: Book, prober: Prober) -> None:
    node = book.nodes[name]
    for row, line in table_lines(node, book, prober):
        if row.withdrawn_by:
            agrees(node, prober, line, book.instruments[row.withdrawn_by].published - DAY)
            agrees(node, prober, line, book.instruments[row.withdrawn_by].published)


@pytest.mark.parametrize("name", tables())
def test_goods_in_transit_keep_the_rate_that_their_row_says(name: str, book: Book, prober: Prober) -> None:
    node = book.nodes[name]
    for row, plain in table_lines(node, book, prober):
        if row["loaded_before"] and chosen(node, book, plain, EVER) is row:
            line = {**plain, "mode": row["transit_mode"].partition("|")[0]} if row["transit_mode"] else plain
            loaded, entered = date.fromisoformat(row["loaded_before"]), date.fromisoformat(row["entered_before"])
            outcome = prober.bare(node, {**line, "loaded_date": loaded - DAY})
            late = line["entry_date"] >= entered
            rate = Fraction((row["rate"] if late else row["transit_rate"]).rstrip("%")) / 100
            assert outcome.heading == (row["heading"] if late else row["transit_heading"]), f"{line}, row {row.number}"
            assert rate in {outcome.add, outcome.up_to}
            assert outcome.transit is not late
            in_time = {**line, "loaded_date": min(loaded, line["entry_date"])}
            if in_time["loaded_date"] == loaded:
                agrees(node, prober, in_time)
            last = entered - DAY
            if chosen(node, book, {**line, "entry_date": last}, EVER) is row:
                outcome = prober.bare(node, {**line, "loaded_date": loaded - DAY, "entry_date": last})
                assert outcome.transit, f"{line} on {last}, row {row.number}"
            if row["transit_mode"] and not late:
                agrees(node, prober, {**plain, "loaded_date": loaded - DAY, "mode": "truck"})
                agrees(node, prober, {**plain, "loaded_date": loaded - DAY})
                agrees(node, prober, {**line, "loaded_date": loaded - DAY, "final_mode_differs": True})
