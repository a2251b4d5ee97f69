"""The law book as plain data for readers: its programs, provisions, lists, and the dictionary of facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tariff_engine.money import percent_text
from tariff_engine.problems import refuse
from tariff_service.condition_words import conditions, effect_words, refs_words
from tariff_service.explaining import not_found
from tariff_service.lives import life

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.law import Law
    from tariff_engine.notation.program import Program, Step
    from tariff_engine.notation.tables import Row, Table
    from tariff_engine.notation.terms import Dated

_LIST = "list:"


def act(book: Book, name: str | None) -> dict[str, Any] | None:
    """Return a legal act as plain data; no name is no act."""
    if not name:
        return None
    found = book.instruments[name]
    shown = {
        "id": name,
        "title": found.title,
        "cite": found.cite,
        "signed": found.signed.isoformat(),
        "published": found.published.isoformat(),
    }
    return {**shown, "url": found.url} if found.url else shown


def _iso(day: date | None) -> str | None:
    return None if day is None or day in {date.min, date.max} else day.isoformat()


def _dates(what: Dated) -> dict[str, Any]:
    return {"from": _iso(what.from_), "until": _iso(what.until), "by": what.by, "withdrawn_by": what.withdrawn_by}


# ---------------------------------------------------------------- programs
def programs(book: Book, on: date | None = None, known_on: date | None = None) -> list[dict[str, Any]]:
    """Return every program of the book, in its order; with a day, also whether it does anything on it."""
    return [_program(book, one, on, known_on or date.max) for one in book.programs]


def program(book: Book, name: str, on: date | None = None, known_on: date | None = None) -> dict[str, Any]:
    """Return a program with its provisions and its frame. Raises ProblemError `unknown_program`, with a guess at what was meant."""
    found = next((one for one in book.programs if one.program == name), None)
    if found is None:
        raise not_found("unknown_program", "program", name, [one.program for one in book.programs], "GET /v1/programs names every program")
    return {
        **_program(book, found, on, known_on or date.max),
        "chapter98": [rule.model_dump(by_alias=True) for rule in found.rules98],
        "foreign_trade_zone": found.ftz.model_dump() if found.ftz else None,
        "drawback": [
            {"allowed": one.allowed, "of": refs_words(one.of) if one.of else None, "says": one.says, "cites": list(one.cite), **_dates(one)}
            for one in found.drawback
            if book.known(one, known_on or date.max)
        ],
        "outside": [{"says": one.says, "when": conditions(book, one.when), "cites": list(one.cite)} for one in found.outside],
        "groups": [
            {"name": one.name, "order": [refs_words(rank) for rank in one.order], "cites": list(one.cite), **_dates(one)}
            for one in found.groups
        ],
        "offsets": [
            {"name": one.offset, "says": one.says, "credit": one.credit, "against": refs_words(one.against), "cites": list(one.cite)}
            for one in found.offsets
        ],
        "lists": sorted({ref for provision in found.provisions for ref in _lists_of(provision)}),
        "provisions": provisions(book, program=name, known_on=known_on),
    }


def _program(book: Book, one: Program, on: date | None, known: date) -> dict[str, Any]:
    steps = [step for provision in one.provisions for step in provision.steps if book.known(step, known) and not step.ended]
    ended = one.ended.from_ if one.ended and book.known(one.ended, known) else None
    last = None if any(step.until is None for step in steps) else max((step.until for step in steps if step.until), default=None)
    acts = {step.by for step in steps if step.by}
    found: dict[str, Any] = {
        "program": one.program,
        "title": one.title,
        "files_as": one.files_as,
        "begins": _iso(min((step.from_ for step in steps), default=None)),
        "ends": _iso(min((day for day in (ended, last) if day), default=None)),
        "ended_by": act(book, one.ended.by) if one.ended and ended else None,
        "provisions": len(one.provisions),
        "instruments": [act(book, name) for name in sorted(acts, key=lambda name: (book.published(name), name))],
        "cites": list(dict.fromkeys(cite for step in steps for cite in step.cite)),
    }
    if on is not None:
        found["in_force"] = any(step_in_force(book, book.nodes[provision.id], on, known) for provision in one.provisions)
    return found


# ---------------------------------------------------------------- provisions
def provisions(book: Book, *, program: str | None = None, on: date | None = None, known_on: date | None = None) -> list[dict[str, Any]]:
    """Return the provisions of the book, or of a program, in the order of the book: those in force on a day, where one is given.

    Provisions whose every act came after `known_on` are left out. Raises ProblemError `unknown_program`.
    """
    names = [one.program for one in book.programs]
    if program is not None and program not in names:
        raise not_found("unknown_program", "program", program, names, "GET /v1/programs names every program")
    known = known_on or date.max
    shown = (_summary(book, node, on, known) for node in book.nodes.values() if program in {None, node.program.program})
    return [one for one in shown if one is not None]


def _summary(book: Book, node: Node, on: date | None, known: date) -> dict[str, Any] | None:
    announced = [step for step in node.provision.steps if book.published(step.by) <= known]
    steps = [step for step in announced if book.known(step, known)] or announced
    if not steps:
        return None
    ended = node.program.ended.from_ if node.program.ended and book.known(node.program.ended, known) else None
    found: dict[str, Any] = {
        "provision": node.id,
        "program": node.program.program,
        "title": node.program.title,
        "says": node.provision.says,
        "from": _iso(steps[0].from_),
        "until": _iso(min(filter(None, (steps[-1].until, ended)), default=None)),
        "effect": effect_words(steps[-1]),
        "withdrawn": not any(book.known(step, known) for step in steps),
    }
    if on is not None:
        step = step_in_force(book, node, on, known)
        if step is None:
            return None
        found["in_force"] = {"effect": effect_words(step), "rate": _rate(step), "since": _iso(step.from_), "by": act(book, step.by)}
    return found


def _rate(step: Step) -> str | None:
    rate = step.rate
    return None if rate is None else percent_text(rate)


def step_in_force(book: Book, node: Node, day: date, known_on: date) -> Step | None:
    """Return the step that governs a day, as known: begun, not over, of an act published and not called off; the latest of them."""
    if node.program.ended and book.live(node.program.ended, day, known_on):
        return None
    live = [step for step in node.provision.steps if book.live(step, day, known_on)]
    step = max(live, key=lambda one: (one.from_, book.published(one.by)), default=None)
    return None if step is None or step.ended else step


def provision(book: Book, heading: str, on: date | None = None, known_on: date | None = None) -> dict[str, Any]:
    """Return the life of a heading, dotted or not, of one variant of it (`/NAME`), or of a family (`family:NAME`).

    Raises ProblemError `unknown_heading` with the nearest headings, or `heading_not_modelled`.
    """
    return life(book, heading, on, known_on)


# ---------------------------------------------------------------- lists
def lists(book: Book) -> list[dict[str, Any]]:
    """Return every list of the book by its name, with its columns, the number of its rows and who uses it.

    `used_by` are provisions, and programs for what lies outside them; `not_in_book` names law that waits for its place in the book.
    """
    users: dict[str, list[str]] = {}
    for node in book.nodes.values():
        for name in _lists_of(node.provision):
            users.setdefault(name, []).append(node.id)
    for one in book.programs:
        for name in _lists_of([*one.outside, *one.offsets]):
            users.setdefault(name, []).append(f"program:{one.program}")
    awaited: dict[str, list[str]] = {}
    for item in book.absent:
        for name in _lists_of(item):
            awaited.setdefault(name, []).append(item.name)
    return [
        {
            "list": name,
            "columns": list(one.columns),
            "rows": len(one.rows),
            "used_by": users.get(name, []),
            "not_in_book": awaited.get(name, []),
        }
        for name, one in sorted(_tables(book).items())
    ]


def _tables(book: Book) -> dict[str, Table]:
    """The lists as their files hold them; the book also keeps selections of them under the references that make them."""
    return {name: table for name, table in book.tables.items() if not name.startswith(_LIST)}


def _lists_of(model: Any) -> list[str]:
    from tariff_engine.notation.link import mentions  # noqa: PLC0415  whoever holds a book has loaded the reader of rules

    refs = (value for _, _, value in mentions(model, ()) if value.startswith(_LIST))
    return list(dict.fromkeys(ref.removeprefix(_LIST).partition(" ")[0] for ref in refs))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rows of a list are wanted: standing on a day, known on a day, with codes below a prefix, or those that take a number."""

    on: date | None = None
    known_on: date | None = None
    prefix: str = ""
    hts: str = ""


def table(book: Book, name: str) -> Table:
    """Return a list. Raises ProblemError `unknown_list`, with a guess at what was meant."""
    tables = _tables(book)
    if name not in tables:
        raise not_found("unknown_list", "list", name, tables, "GET /v1/lists names every list")
    return tables[name]


def list_rows(book: Book, name: str, chosen: Chosen) -> list[Row]:
    """Return rows of a list in the order of its file. Raises ProblemError: no such list, or it holds no product codes."""
    found = table(book, name)
    if (chosen.prefix or chosen.hts) and "hts" not in found.columns:
        field = "prefix" if chosen.prefix else "hts"
        raise refuse("bad_parameter", field, f"the list {name} holds no product codes", f"leave {field} out")
    return [row for row in found.rows if _takes(book, row, chosen)]


def _takes(book: Book, row: Row, chosen: Chosen) -> bool:
    if chosen.on is not None and not row.holds(chosen.on):
        return False
    if chosen.known_on is not None and not book.row_known(row, chosen.known_on):
        return False
    if chosen.hts and (not chosen.hts.startswith(row.hts) or chosen.hts.startswith(row.excepted or ("-",))):
        return False
    return row.hts.startswith(chosen.prefix)


def row_data(row: Row) -> dict[str, Any]:
    """Return a row as plain data: the digits of its code, what is cut out of it, its days, its acts, its other cells and its citation."""
    found: dict[str, Any] = {"row": row.number}
    if row.hts:
        found["hts"] = row.hts
    if row.excepted:
        found["except"] = list(row.excepted)
    found |= {"from": _iso(row.from_), "until": _iso(row.until), "by": row.by or None, "withdrawn_by": row.withdrawn_by or None}
    return {**found, **{column: cell for column, cell in row.cells.items() if cell}}


def row_cells(found: Table, row: Row) -> Iterator[str]:
    """Yield the cells of a row as the file of the list holds them, in the order of its columns."""
    fixed = {
        "hts": row.hts,
        "except": "|".join(row.excepted),
        "from": _iso(row.from_) or "",
        "until": _iso(row.until) or "",
        "by": row.by,
        "withdrawn_by": row.withdrawn_by,
    }
    for column in found.columns:
        yield fixed[column] if column in fixed else row[column]


def acts_of(book: Book, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the acts that rows name, by their ids."""
    return {name: act(book, name) for name in sorted({name for row in rows for name in (row.by, row.withdrawn_by) if name})}


# ---------------------------------------------------------------- facts and countries
def facts(law: Law) -> list[dict[str, Any]]:
    """Return the dictionary: every fact that a line or an entry can state, what it means, and what is taken when it is left out."""
    return [
        {
            "fact": spec.name,
            "type": spec.type,
            "what": spec.what,
            "question": spec.question or None,
            "level": spec.level,
            "aliases": list(spec.aliases),
            "values": list(spec.values),
            "min": spec.min,
            "max": spec.max,
            "starts": spec.starts,
            "not_stated": {"taken": spec.take, "because": spec.because},
            "derived_from": list(spec.ratio) if spec.ratio else [spec.years_before_entry] if spec.years_before_entry else [],
            "personal": spec.personal,
        }
        for spec in law.facts.values()
    ]


def countries(law: Law) -> list[dict[str, str]]:
    """Return the countries that can be named, by their codes."""
    return [{"country": code, "name": name} for code, name in sorted(law.countries.items())]
