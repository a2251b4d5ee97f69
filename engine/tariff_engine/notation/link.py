"""Tie a rulebook together: every name that a rule file uses must stand for something, and no thing is defined twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from tariff_engine.book import Book, Node
from tariff_engine.notation.conditions import Test
from tariff_engine.notation.model import BookFile, Facts
from tariff_engine.notation.program import Example, Program
from tariff_engine.notation.tables import Table, read_table
from tariff_engine.notation.terms import LIST, Strict
from tariff_engine.notation.wording import near
from tariff_engine.notation.yaml_reader import Document
from tariff_engine.problems import RulebookError

Trail = tuple[int | str, ...]
_REFERENCES = frozenset({"any", "of", "over", "excludes", "against", "order", "unmodelled", "sets"})
_FACTS = frozenset({"claim_partial", "credit", "ratio", "silent_if", "years_before_entry", "after", "field"})


def link(book: Book, documents: Mapping[str, Document], programs: Mapping[str, Program]) -> Iterator[str]:
    """Fill `nodes`, `refs` and `tables` of a book; yield what is named and does not exist, and what is named twice."""
    yield from _nodes(book, documents, programs)
    models: dict[str, BaseModel] = dict(programs)
    models["relations.yaml"] = book.relations
    models["book.yaml"] = BookFile(edition=book.edition, horizon=book.horizon, absent=book.absent)
    models["facts.yaml"] = Facts(facts=book.facts, slices=book.slices, contradictions=book.contradictions)
    for path, model in models.items():
        for trail, kind, value in mentions(model, ()):
            try:
                message = _resolve(book, kind, value)
            except RulebookError as error:  # a list that cannot be read tells its own lines
                yield from str(error).splitlines()
                continue
            if message:
                yield _at(documents, path, trail, message)
    order = [name for era in book.filing for name in era.order]
    for path, program in programs.items():
        if program.files_as not in order:
            message = f"{program.files_as} has no place in filing.yaml{near(program.files_as, order)}"
            yield _at(documents, path, ("files_as",), message)


def _at(documents: Mapping[str, Document], path: str, trail: Trail, message: str) -> str:
    line, words = documents[path].locate(trail)
    return f"{path}:{line}: {words}: {message}"


def _nodes(book: Book, documents: Mapping[str, Document], programs: Mapping[str, Program]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for path, program in programs.items():
        if program.program in seen:
            message = f"{program.program} is also the program of {seen[program.program]}; write one file a program"
            yield _at(documents, path, ("program",), message)
        seen[program.program] = path
        for place, provision in enumerate(program.provisions):
            if provision.id in book.nodes:
                trail = ("provisions", place, "heading" if provision.heading else "family")
                variant = f"; where the law has two reasons for one heading, name them: {provision.id}/reason" if provision.heading else ""
                yield _at(documents, path, trail, f"{provision.id} is defined twice{variant}")
            book.nodes[provision.id] = Node(provision, program)


def mentions(model: Any, trail: Trail) -> Iterator[tuple[Trail, str, str]]:
    """Yield everything a rule file names that must exist elsewhere: its place in the file, its kind, its name."""
    if isinstance(model, list | tuple):
        for place, item in enumerate(model):
            yield from mentions(item, (*trail, place))
        return
    if isinstance(model, dict):
        for key, item in model.items():
            yield from mentions(item, (*trail, key))
        return
    if not isinstance(model, Strict) or isinstance(model, Example):
        return
    for name, info in type(model).model_fields.items():
        value, spot = getattr(model, name), (*trail, info.alias or name)
        kind = _kind(model, name, value)
        if kind is None:
            yield from mentions(value, spot)
        else:
            for where, text in _texts(value, spot):
                yield where, kind, text
            if isinstance(value, dict):
                yield from mentions(value, spot)


def _kind(model: Strict, name: str, value: Any) -> str | None:
    """Return the kind of thing that the texts of a field name: a table of names, read top down."""
    if not value or isinstance(value, bool):
        return None
    words = isinstance(value, str) or (isinstance(value, list | dict) and isinstance(next(iter(value)), str | list))
    if name in _REFERENCES and words:
        return "ref"
    if name in {"in_", "not_in", "table", "lists"} and words and not isinstance(model, Test):
        return "list"
    if name in _FACTS or (name in {"facts", "if_unknown"} and words and not isinstance(model, Facts)):
        return "fact"
    if name in {"by", "withdrawn_by"}:
        return "instrument"
    if name in {"origin", "not_", "origin_not"} and isinstance(value, list):
        return "origin"
    if name in {"base", "covers", "part", "less"} and isinstance(value, str) and value not in {"value", "whole"}:
        return "slice"
    return None


def _texts(value: Any, trail: Trail) -> Iterator[tuple[Trail, str]]:
    """Yield the names in a text, in lists of them, in the lists of a map, or, where a map holds something else, its keys."""
    if isinstance(value, str):
        yield trail, value
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, list):
                yield from _texts(item, (*trail, key))
            else:
                yield (*trail, key), key
    else:
        for place, item in enumerate(value):
            yield from _texts(item, (*trail, place))


def _resolve(book: Book, kind: str, value: str) -> str | None:
    """Register what a name stands for; return the problem if there is none. Raises RulebookError where a list cannot be read."""
    if kind == "ref":
        if value not in book.refs:
            if _in_circle(book, value, ()):
                return f"{value} contains itself; list its provisions in one of the sets only"
            book.refs[value] = _ids(book, value)
        if book.refs[value] or value in book.relations.unmodelled:
            return None
        known = [*book.nodes, *(f"set:{name}" for name in book.relations.sets), *(f"program:{p.program}" for p in book.programs)]
        return f"{value} is no provision of this rulebook{near(value, known)}"
    if kind == "list":
        return _resolve_list(book, value)
    known_names: dict[str, Mapping[str, Any]] = {"fact": book.facts, "slice": book.slices, "instrument": book.instruments}
    if kind in known_names:
        return None if value in known_names[kind] else f"{value} is no {kind} of this rulebook{near(value, known_names[kind])}"
    if value.startswith("group:"):
        groups = [f"group:{name}" for name in book.groups]
        return None if value in groups else f"{value} is no group of origins.yaml{near(value, groups)}"
    return None if value in book.countries else f"{value} is no country of countries.csv"


def _resolve_list(book: Book, value: str) -> str | None:
    match = LIST.match(value)
    name = match.group(1) if match else ""
    if name not in book.tables:
        path = f"lists/{name}.csv"
        if path not in book.files:
            lists = [file[6:-4] for file in book.files if file.startswith("lists/")]
            return f"{name} has no file {path}{near(name, lists)}"
        book.tables[name] = Table(name, (), [])  # told once, however often it is named
        book.tables[name] = read_table(path, book.files[path])
        _refuse_unknown_acts(book, path, book.tables[name])
    base = book.tables[name]
    if match is None or value in book.tables or not base.columns:
        return None
    wanted = list[tuple[str, frozenset[str]]]()
    for pair in match.group(2).split():
        column, _, values = pair.partition("=")
        if column not in base.columns:
            return f"{name} has no column {column}{near(column, base.columns)}; its columns are {', '.join(base.columns)}"
        cells = {row.hts if column == "hts" else row[column] for row in base.rows}
        unknown = next((text for text in values.split("|") if text not in cells), None)
        if unknown is not None:
            return f"no row of {name} has {column}={unknown}{near(unknown, cells)}"
        wanted.append((column, frozenset(values.split("|"))))
    book.tables[value] = base.select(value, wanted)
    return None if book.tables[value].rows else f"{value} selects no row; no row has all of these values"


def _refuse_unknown_acts(book: Book, path: str, table: Table) -> None:
    lines = [
        f"{path}:{row.number}: {column}: {act} is no instrument of this rulebook{near(act, book.instruments)}"
        for row in table.rows
        for column, act in (("by", row.by), ("withdrawn_by", row.withdrawn_by))
        if act and act not in book.instruments
    ]
    if lines:
        raise RulebookError("\n".join(lines))


def _in_circle(book: Book, ref: str, above: tuple[str, ...]) -> bool:
    """Whether a set names itself, over however many other sets."""
    if not ref.startswith("set:"):
        return False
    return ref in above or any(_in_circle(book, inner, (*above, ref)) for inner in book.relations.sets.get(ref[4:], ()))


def _ids(book: Book, ref: str) -> tuple[str, ...]:
    if ref.startswith("program:"):
        return tuple(name for name, node in book.nodes.items() if node.program.program == ref[8:])
    if ref.startswith("set:"):
        return tuple(dict.fromkeys(name for inner in book.relations.sets.get(ref[4:], []) for name in _ids(book, inner)))
    if ".." in ref:
        low, _, high = ref.partition("..")
        return tuple(name for name, node in book.nodes.items() if low <= node.heading <= high)
    return tuple(name for name, node in book.nodes.items() if ref in {name, node.heading})
