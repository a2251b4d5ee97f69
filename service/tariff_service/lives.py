"""The life of a provision as plain data: its sentence and conditions, every dated step, what excepts it, what it is related to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.money import percent_text
from tariff_engine.problems import ProblemError, refuse
from tariff_service.condition_words import conditions, effect_words, join, list_words
from tariff_service.explaining import not_found

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.conditions import When
    from tariff_engine.notation.program import Step
    from tariff_engine.notation.tables import Row
    from tariff_engine.notation.terms import Dated

_DIGITS = re.compile(r"(99\d\d)\.?(\d\d)\.?(\d\d)((?:/[a-z0-9-]+)?)\Z")


def list_provisions(book: Book, program: str | None) -> list[dict[str, Any]]:
    """Return every provision of the book, or of one program, with its first and last step. Raises ProblemError: no such program."""
    names = [one.program for one in book.programs]
    if program is not None and program not in names:
        raise not_found("unknown_program", "--program", program, names, "`tariff rules list` names every program")
    found = []
    for node in book.nodes.values():
        if program in {None, node.program.program}:
            steps = [step for step in node.provision.steps if not step.withdrawn_by] or node.provision.steps
            ended = node.program.ended.from_ if node.program.ended else None
            found.append(
                {
                    "provision": node.id,
                    "program": node.program.program,
                    "title": node.program.title,
                    "says": node.provision.says,
                    "from": _iso(steps[0].from_),
                    "until": _iso(min(filter(None, (steps[-1].until, ended)), default=None)),
                    "effect": effect_words(steps[-1]),
                    "withdrawn": all(step.withdrawn_by for step in node.provision.steps),
                }
            )
    return found


def life(book: Book, asked: str, on: date | None = None, known_on: date | None = None) -> dict[str, Any]:
    """Return everything that the book says of a heading. Raises ProblemError: not in the book, with a guess at what was meant."""
    known = date.max if known_on is None else known_on
    wanted = dotted(asked)
    nodes = [node for node in book.nodes.values() if wanted in {node.id, node.heading}]
    tables = [(node, rows) for node in book.nodes.values() if node not in nodes and (rows := list(_rows_naming(book, node, wanted)))]
    steps = [node for node in book.nodes.values() if node not in nodes and any(_names(step, wanted) for step in node.provision.steps)]
    if not wanted or not (nodes or tables or steps):
        raise unknown(book, wanted)
    provisions = [_provision(book, node, known, on, list(_rows_naming(book, node, wanted))) for node in nodes]
    provisions += [_provision(book, node, known, on, rows) for node, rows in tables]
    provisions += [_provision(book, node, known, on, []) for node in steps if node not in [one for one, _ in tables]]
    return {"heading": wanted, "on": _iso(on), "known_on": _iso(known_on), "provisions": provisions}


def dotted(asked: str) -> str:
    """Return the name of a heading, or of a variant of it, with its dots; any other name as it is."""
    match = _DIGITS.match(asked.strip())
    return "".join((f"{match[1]}.{match[2]}.{match[3]}", match[4])) if match else asked.strip()


def naming(book: Book, wanted: str) -> list[Node]:
    """Return the provisions that a name stands for, and those that file under it: by a row of their table, or beside their own heading."""
    if not wanted:
        return []
    return [
        node
        for node in book.nodes.values()
        if wanted in {node.id, node.heading}
        or any(_names(step, wanted) for step in node.provision.steps)
        or any(_rows_naming(book, node, wanted))
    ]


def _iso(day: date | None) -> str | None:
    return None if day is None or day in {date.min, date.max} else day.isoformat()


def _names(step: Step, heading: str) -> bool:
    return heading in {step.at_floor, step.companion.heading if step.companion else None}


def _rows_naming(book: Book, node: Node, heading: str) -> Iterator[Row]:
    for ref in node.provision.table or ():
        for row in book.tables[ref].rows:
            if heading in {row["heading"], row["at_floor"], row["transit_heading"]}:
                yield row


def unknown(book: Book, wanted: str, *others: str) -> ProblemError:
    """Return the problem of a name that no provision has, with the nearest names; `others` are names that might be meant besides."""
    if wanted in {one.program for one in book.programs}:
        return refuse("unknown_heading", "HEADING", f"{wanted} is a program", f"`tariff rules list --program {wanted}` names its headings")
    if wanted in book.relations.unmodelled:
        return refuse(
            "heading_not_modelled", "HEADING", f"{wanted} exists in the law and is not modelled in this book", "read the heading itself"
        )
    rows = {
        row[column]
        for node in book.nodes.values()
        for ref in node.provision.table or ()
        for row in book.tables[ref].rows
        for column in ("heading", "at_floor")
    }
    known = sorted({*book.nodes, *filter(None, rows), *others})
    near = _nearest(wanted, known) if _DIGITS.match(wanted) else difflib.get_close_matches(wanted[:60], known, n=3, cutoff=0.6)
    fix = f"did you mean {join(near)}?" if near else "`tariff rules list` names every provision"
    words = "no heading or program" if others else "no heading"
    return refuse("unknown_heading", "HEADING", f"{wanted[:60]} is {words} of this law book", fix)


def _nearest(wanted: str, known: list[str]) -> list[str]:
    """Return the headings nearest in number, those of the same family of six digits first."""

    def number(heading: str) -> int:
        return int(heading[:10].replace(".", ""))

    headings = [heading for heading in known if _DIGITS.match(heading)]
    return sorted(headings, key=lambda one: (one[:7] != wanted[:7], abs(number(one) - number(wanted)), one))[:3]


# ---------------------------------------------------------------- one provision
def _provision(book: Book, node: Node, known: date, on: date | None, rows: list[Row]) -> dict[str, Any]:
    provision, program = node.provision, node.program
    found: dict[str, Any] = {
        "provision": node.id,
        "program": program.program,
        "title": program.title,
        "says": provision.says,
        "when": conditions(book, provision.when),
        "steps": [_step(book, step, known) for step in provision.steps],
    }
    if program.ended:
        found["ended"] = _step(book, program.ended, known)
    if on is not None:
        found["in_force"] = _in_force(book, node, on, known)
    if provision.table:
        found["table"] = [{"list": list_words(ref), "rows": len(book.tables[ref].rows)} for ref in provision.table]
    if rows:
        found["rows"] = [_row(row) for row in rows if on is None or row.holds(on)]
    told = [
        {"allowed": one.allowed, "says": one.says, "cites": list(one.cite), **_dated(book, one, known)}
        for one in program.drawback
        if one.of is None or node.id in book.expand(one.of)
    ]
    if told and any(step.add is not None or step.up_to is not None or step.table for step in provision.steps):
        found["drawback"] = told
    exceptions = [{"refs": list(one.any), "cites": list(one.cite), **_dated(book, one, known)} for one in provision.unless]
    return {
        **found,
        "unless": exceptions,
        "if_unknown": {name: {"take": one.take, "because": one.because} for name, one in provision.if_unknown.items()},
        "relations": list(_relations(book, node, known)),
        "lists": [{"list": list_words(ref), "rows": len(book.tables[ref].rows)} for ref in dict.fromkeys(_lists(provision.when))],
        "confidence": {"level": provision.confidence.level, "because": provision.confidence.because}
        if provision.confidence
        else {"level": "high"},
    }


def _lists(when: When) -> Iterator[str]:
    if when.hts is not None:
        yield from when.hts.in_ or ()
        yield from when.hts.not_in or ()
    for branch in [*(when.any or ()), *([when.not_] if when.not_ else [])]:
        yield from _lists(branch)


def _act(book: Book, name: str | None) -> dict[str, Any] | None:
    if not name:
        return None
    act = book.instruments[name]
    return {"id": name, "title": act.title, "cite": act.cite, "signed": act.signed.isoformat(), "published": act.published.isoformat()}


def _dated(book: Book, what: Dated, known: date) -> dict[str, Any]:
    if book.published(what.by) > known:
        status = "not yet known"
    elif what.withdrawn_by and book.published(what.withdrawn_by) <= known:
        status = "withdrawn"
    else:
        status = "law"
    return {
        "from": _iso(what.from_),
        "until": _iso(what.until),
        "by": _act(book, what.by),
        "withdrawn_by": _act(book, what.withdrawn_by) if what.withdrawn_by and status != "law" else None,
        "status": status,
    }


def _step(book: Book, step: Step, known: date) -> dict[str, Any]:
    rate = step.rate
    return {
        **_dated(book, step, known),
        "effect": effect_words(step),
        "rate": None if rate is None else percent_text(rate),
        "cites": list(step.cite),
    }


def _in_force(book: Book, node: Node, day: date, known: date) -> dict[str, Any] | None:
    """Return the step in force on a day: of the visible ones begun by then the latest, on a tie that of the latest act."""
    if node.program.ended and book.live(node.program.ended, day, known):
        return None
    live = [step for step in node.provision.steps if book.live(step, day, known)]
    step = max(live, key=lambda one: (one.from_, book.published(one.by)), default=None)
    return None if step is None or step.ended else _step(book, step, known)


def _row(row: Row) -> dict[str, Any]:
    cells = {name: cell for name, cell in row.cells.items() if cell and name != "cite"}
    dates = {"from": _iso(row.from_), "until": _iso(row.until), "by": row.by or None, "withdrawn_by": row.withdrawn_by or None}
    return {**({"hts": row.hts} if row.hts else {}), **cells, **{name: day for name, day in dates.items() if day}, "cite": row["cite"]}


def _relations(book: Book, node: Node, known: date) -> Iterator[dict[str, Any]]:
    for relation in book.relations.relations:
        over, excluded = node.id in book.expand(relation.over), node.id in book.expand(relation.excludes)
        if over or excluded:
            yield {
                "role": "takes precedence over" if over else "gives way to",
                "refs": list(relation.excludes if over else relation.over),
                "on": relation.on,
                "test": relation.test,
                "cites": list(relation.cite),
                **_dated(book, relation, known),
            }
