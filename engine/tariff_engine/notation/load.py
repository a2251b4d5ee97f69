"""Read a rules folder, strictly: a bad file never gets past this module, and every error names file, line and path."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tariff_engine.book import Book, Node
from tariff_engine.notation.model import (
    LIST,
    BookFile,
    Example,
    Facts,
    Filing,
    Instruments,
    OriginGroups,
    Program,
    Relations,
    Strict,
    Test,
)
from tariff_engine.notation.tables import Table, read_table
from tariff_engine.notation.yaml_reader import Document, read_document
from tariff_engine.problems import RulebookError

_Model = TypeVar("_Model", bound=BaseModel)
_SHARED = ("book", "instruments", "facts", "origins", "filing", "relations")


class _Folder:
    """The files of a rules folder by their path in it, read once."""

    def __init__(self, root: Traversable) -> None:
        self.texts: dict[str, str] = {}
        self.documents: dict[str, Document] = {}
        self._read(root, "")

    def _read(self, folder: Traversable, prefix: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir() and not entry.name.startswith(("_", ".")):
                self._read(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith((".yaml", ".csv")):
                try:
                    self.texts[prefix + entry.name] = entry.read_text(encoding="utf-8")
                except UnicodeDecodeError as error:
                    message = f"{prefix}{entry.name}:1: not UTF-8 text at byte {error.start}"
                    raise RulebookError(message) from None

    def model(self, path: str, kind: type[_Model]) -> _Model:
        if path not in self.texts:
            message = f"{path}:1: the file is missing"
            raise RulebookError(message)
        document = self.documents[path] = read_document(path, self.texts[path])
        try:
            return kind.model_validate(document.value)
        except ValidationError as error:
            raise RulebookError("\n".join(_problems(path, document, kind, error))) from None


def load_book(root: Traversable) -> Book:
    """Load and link a rules folder. Raises RulebookError: one line per defect, `file:line: path: what to write instead`."""
    folder = _Folder(root)
    frame = folder.model("book.yaml", BookFile)
    facts = folder.model("facts.yaml", Facts)
    filing = folder.model("filing.yaml", Filing)
    paths = [path for path in folder.texts if path.startswith("programs/") and path.endswith(".yaml")]
    programs = {path: folder.model(path, Program) for path in paths}
    book = Book(
        id="",
        edition=frame.edition,
        horizon=frame.horizon,
        instruments=folder.model("instruments.yaml", Instruments).instruments,
        facts=facts.facts,
        slices=facts.slices,
        groups=folder.model("origins.yaml", OriginGroups).groups,
        countries=_countries(folder.texts.get("countries.csv", "")),
        filing=filing.filing,
        limits=filing.limits,
        relations=folder.model("relations.yaml", Relations),
        programs=list(programs.values()),
        nodes={},
        refs={},
        tables={},
        contradictions=facts.contradictions,
        files=folder.texts,
    )
    problems = list(_link(book, folder, programs))
    if problems:
        raise RulebookError("\n".join(problems))
    book.id = _content_hash(folder)
    return book


def _link(book: Book, folder: _Folder, programs: dict[str, Program]) -> Iterator[str]:
    """Fill `nodes`, `refs`, `tables`; yield what is named and does not exist, and what is named twice."""
    seen: dict[str, str] = {}
    for path, program in programs.items():
        if program.program in seen:
            yield f"{path}:1: program: {program.program} is also the program of {seen[program.program]}"
        seen[program.program] = path
        for place, provision in enumerate(program.provisions):
            if provision.id in book.nodes:
                line, trail = folder.documents[path].locate(("provisions", place, "heading" if provision.heading else "family"))
                yield f"{path}:{line}: {trail}: {provision.id} is defined twice"
            book.nodes[provision.id] = Node(provision, program)
    models: dict[str, BaseModel] = dict(programs)
    models["relations.yaml"] = book.relations
    models["facts.yaml"] = Facts(facts=book.facts, slices=book.slices)
    for path, model in models.items():
        for trail, kind, value in _mentions(model, ()):
            message = _resolve(book, folder, kind, value)
            if message:
                line, words = folder.documents[path].locate(trail)
                yield f"{path}:{line}: {words}: {message}"
    for path, program in programs.items():
        order = [name for era in book.filing for name in era.order]
        if program.files_as not in order:
            line, words = folder.documents[path].locate(("files_as",))
            yield f"{path}:{line}: {words}: {program.files_as} has no place in filing.yaml{_near(program.files_as, order)}"


def _mentions(model: Any, trail: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str, str]]:
    """Yield everything a rule file names that must exist elsewhere, with its place in the file."""
    if isinstance(model, list | tuple):
        for place, item in enumerate(model):
            yield from _mentions(item, (*trail, place))
        return
    if isinstance(model, dict):
        for key, item in model.items():
            yield from _mentions(item, (*trail, key))
        return
    if not isinstance(model, Strict) or isinstance(model, Example):
        return
    for name, info in type(model).model_fields.items():
        value, place = getattr(model, name), (*trail, info.alias or name)
        kind = _kind(model, name, value)
        if kind is None:
            yield from _mentions(value, place)
        else:
            for text in _texts(value):
                yield place, kind, text
            if isinstance(value, dict):
                yield from _mentions(list(value.values()), trail)


def _kind(model: Strict, name: str, value: Any) -> str | None:  # noqa: PLR0911  a table of names, read top down
    if not value or isinstance(value, bool):
        return None
    words = isinstance(value, str) or (isinstance(value, list | dict) and isinstance(next(iter(value)), str | list))
    if name in {"any", "over", "excludes", "against", "order", "unmodelled"} and words:
        return "ref"
    if name == "sets":
        return "ref"
    if name in {"in_", "not_in", "table"} and words and not isinstance(model, Test):
        return "list"
    if (name in {"facts", "if_unknown"} and (isinstance(value, dict) or words) and not isinstance(model, Facts)) or name in {
        "claim_partial",
        "credit",
        "ratio",
        "silent_if",
        "years_before_entry",
    }:
        return "fact"
    if name in {"by", "withdrawn_by"}:
        return "instrument"
    if name in {"origin", "not_"} and isinstance(value, list):
        return "origin"
    if name in {"base", "covers", "part", "less"} and isinstance(value, str) and value not in {"value", "whole"}:
        return "slice"
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, list):
                yield from item
            else:
                yield key
    else:
        for item in value:
            yield from _texts(item)


def _resolve(book: Book, folder: _Folder, kind: str, value: str) -> str | None:
    """Register what a name stands for; return the problem if there is none."""
    if kind == "ref":
        book.refs[value] = _ids(book, value)
        if not book.refs[value] and value not in book.relations.unmodelled:
            return f"{value} is no provision of this rulebook{_near(value, [*book.nodes, *(f'set:{name}' for name in book.relations.sets)])}"
        return None
    if kind == "list":
        return _resolve_list(book, folder, value)
    known: dict[str, Any] = {"fact": book.facts, "slice": book.slices, "instrument": book.instruments}
    if kind in known:
        return None if value in known[kind] else f"{value} is no {kind} of this rulebook{_near(value, known[kind])}"
    if value.startswith("group:"):
        return None if value[6:] in book.groups else f"{value} is no origin group{_near(value, [f'group:{name}' for name in book.groups])}"
    return None if not book.countries or value in book.countries else f"{value} is no ISO 3166 country code"


def _resolve_list(book: Book, folder: _Folder, value: str) -> str | None:
    match = LIST.match(value)
    name = match.group(1) if match else ""
    if name not in book.tables:
        path = f"lists/{name}.csv"
        if path not in folder.texts:
            return f"{name} has no file {path}"
        table = read_table(path, folder.texts[path])
        unknown = sorted({act for row in table.rows for act in (row.by, row.withdrawn_by) if act and act not in book.instruments})
        if unknown:
            return f"{path} names {unknown[0]}, no instrument of this rulebook{_near(unknown[0], book.instruments)}"
        book.tables[name] = table
    if match and value not in book.tables:
        base, wanted = book.tables[name], list[tuple[str, frozenset[str]]]()
        for pair in match.group(2).split():
            column, _, values = pair.partition("=")
            if column not in base.columns:
                return f"{name} has no column {column}{_near(column, base.columns)}"
            wanted.append((column, frozenset(values.split("|"))))
        book.tables[value] = base.select(value, wanted)
        if not book.tables[value].rows:
            return f"{value} selects no row"
    return None


def _ids(book: Book, ref: str) -> tuple[str, ...]:
    if ref.startswith("program:"):
        return tuple(name for name, node in book.nodes.items() if node.program.program == ref[8:])
    if ref.startswith("set:"):
        return tuple(dict.fromkeys(name for inner in book.relations.sets.get(ref[4:], []) for name in _ids(book, inner)))
    if ".." in ref:
        low, _, high = ref.partition("..")
        return tuple(name for name, node in book.nodes.items() if low <= node.heading <= high)
    return tuple(name for name, node in book.nodes.items() if ref in {name, node.heading})


def _near(word: str, known: Any) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _countries(text: str) -> dict[str, str]:
    return {row["iso2"]: row["name"] for row in csv.DictReader(io.StringIO(text))}


def _problems(path: str, document: Document, kind: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """Word pydantic's findings as file:line: path: what to write instead; branches of a union are told once."""
    told: set[str] = set()
    for item in error.errors(include_url=False):
        line, trail = document.locate(item["loc"])
        if item["type"] == "extra_forbidden":
            key = str(item["loc"][-1])
            message = f"{key} is no key of the notation here{_near(key, _keys(kind))}"
        elif item["type"] == "missing":
            message = f"{item['loc'][-1]} is missing"
        else:
            message = item["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
            message = message if "not " in message or not isinstance(item["input"], str | int) else f"{message}, not {item['input']!r}"
        text = f"{path}:{line}: {trail}: {message}"
        if text not in told:
            told.add(text)
            yield text


def _keys(kind: type[BaseModel]) -> set[str]:
    """Every key that the notation knows, to guess what was meant."""
    found: set[str] = set()
    for model in [kind, *Strict.__subclasses__(), *(inner for outer in Strict.__subclasses__() for inner in outer.__subclasses__())]:
        found |= {info.alias or name for name, info in model.model_fields.items()}
    return found


def _content_hash(folder: _Folder) -> str:
    """Hash what the rules say, not how they are laid out: comments, spacing and line ends do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.texts):
        if path in folder.documents or path.endswith(".yaml"):
            document = folder.documents.get(path) or read_document(path, folder.texts[path])
            content = json.dumps(document.value, sort_keys=True, default=_plain, separators=(",", ":"), ensure_ascii=False)
        else:
            content = "\n".join(folder.texts[path].splitlines())
        digest.update(f"{path}\0{len(content)}\0{content}\0".encode())
    return f"sha256:{digest.hexdigest()}"


def _plain(value: object) -> str:
    if isinstance(value, date | Decimal | Fraction):
        return str(value)
    message = f"no canonical form for {type(value).__name__}"
    raise TypeError(message)
