"""Acts that called off what an earlier act had announced, as far as that could have reached a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.fee_law import fits
from tariff_engine.notation.conditions import NotOrigin

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.law import Law
    from tariff_engine.notation.program import Provision
    from tariff_engine.notation.tables import Row
    from tariff_engine.notation.terms import Dated

_LIST = "list:"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The acts published on a day that called something off, the programs it was of, and the rows of low-value treatment."""

    day: date
    acts: tuple[str, ...]
    programs: frozenset[str]
    rows: frozenset[str]


def withdrawals(book: Book, law: Law, facts: Mapping[str, Any]) -> list[Withdrawal]:
    """Return the days on which something was called off that was still to begin, or to end, and could have reached a line; oldest first.

    The test of the line is wide: it asks for the origin and the number, for low-value treatment also for the mode, and lets through what
    it cannot tell. What was called off after it had begun, and had no end, was no announcement any more.
    """
    hts, origin = str(facts.get("hts", "")).replace(".", ""), str(facts.get("origin", ""))
    found: dict[date, tuple[set[str], set[str], set[str]]] = {}
    for by, program, row in {*_things(book, hts, origin), *_gate(law, origin, facts.get("mode"))}:
        day = law.instruments[by].published
        if day <= law.known_on:
            acts, programs, rows = found.setdefault(day, (set(), set(), set()))
            acts.add(by)
            (rows if row else programs).add(row or program)
    return [
        Withdrawal(day, tuple(sorted(acts)), frozenset(programs), frozenset(rows)) for day, (acts, programs, rows) in sorted(found.items())
    ]


def _things(book: Book, hts: str, origin: str) -> Iterator[tuple[str, str, str]]:
    """Yield the act that called a thing off, and the program of the thing."""
    reached = {name: node.program.program for name, node in book.nodes.items() if _may_reach(book, node, hts, origin)}
    for name, program in reached.items():
        node = book.nodes[name]
        things = (*node.provision.steps, *node.provision.unless, node.provision.when.entered, *_rows(book, node, hts, origin))
        yield from ((by, program, "") for by in _called_off(book, things))
    for one in book.programs:
        if one.program in reached.values():
            yield from ((by, one.program, "") for by in _called_off(book, (*one.groups, *one.offsets, one.ended)))
    for relation in book.relations.relations:
        sides = {reached[name] for name in book.expand([*relation.over, *relation.excludes]) if name in reached}
        yield from ((by, program, "") for by in _called_off(book, [relation]) for program in sides)


def _called_off(book: Book, things: Iterable[Dated | Row | None]) -> Iterator[str]:
    for what in things:
        if what is not None and what.withdrawn_by and _ahead(what.from_, what.until, book.published(what.withdrawn_by)):
            yield what.withdrawn_by


def _ahead(start: date | None, until: date | None, day: date) -> bool:
    """Whether something was still to begin or to end on a day."""
    return (start is not None and start >= day) or (until is not None and day <= until < date.max)


def _rows(book: Book, node: Node, hts: str, origin: str) -> Iterator[Row]:
    return (row for ref in _lists(node.provision) for row in book.tables[ref].rows if row.withdrawn_by and _fits(book, row, hts, origin))


def _gate(law: Law, origin: str, mode: Any) -> Iterator[tuple[str, str, str]]:
    for row in law.de_minimis.rows:
        by = row.withdrawn_by
        if by and row.takes(origin) and fits(mode, row.mode) and _ahead(row.from_, row.until, law.instruments[by].published):
            yield by, "", row.id


def _lists(provision: Provision) -> list[str]:
    """The references to lists of a provision, with what they select."""
    from tariff_engine.notation.link import mentions  # noqa: PLC0415  whoever holds a book has loaded the reader of rules

    return list(dict.fromkeys(value for _, _, value in mentions(provision, ()) if value.startswith(_LIST)))


def _may_reach(book: Book, node: Node, hts: str, origin: str) -> bool:
    when = node.provision.when
    if isinstance(when.origin, NotOrigin):
        if origin in when.origin.not_:
            return False
    elif when.origin is not None and not any(_names(book, name, origin) for name in when.origin):
        return False
    wanted = when.hts
    if wanted is not None and (wanted.in_ or wanted.starts):
        inside = hts.startswith(tuple(wanted.starts or ())) or any(any(book.tables[ref].match(hts)) for ref in wanted.in_ or ())
        if not inside:
            return False
    return not node.provision.table or any(_fits(book, row, hts, origin) for ref in node.provision.table for row in book.tables[ref].rows)


def _fits(book: Book, row: Row, hts: str, origin: str) -> bool:
    named = row["origin"]
    return hts.startswith(row.hts) and (named in {"", "*"} or _names(book, named, origin))


def _names(book: Book, name: str, origin: str) -> bool:
    """Whether a country, or a group on any day, is the origin."""
    if not name.startswith("group:"):
        return name == origin
    return any((member if isinstance(member, str) else member.origin) == origin for member in book.groups[name.removeprefix("group:")])
