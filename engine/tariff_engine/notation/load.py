"""Read a rules folder, strictly: a bad file never gets past this module, and every error names file, line and path."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib.resources.abc import Traversable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tariff_engine.book import Book
from tariff_engine.notation.link import link
from tariff_engine.notation.model import BookFile, Facts, Filing, Instruments, OriginGroups, Relations
from tariff_engine.notation.program import Program
from tariff_engine.notation.wording import defects
from tariff_engine.notation.yaml_reader import Document, read_document
from tariff_engine.problems import RulebookError

_Model = TypeVar("_Model", bound=BaseModel)


class _Folder:
    """The files of a rules folder by their path in it, read once."""

    def __init__(self, root: Traversable) -> None:
        self.texts: dict[str, str] = {}
        self.documents: dict[str, Document] = {}
        self.problems: list[str] = []
        self._read(root, "")

    def _read(self, folder: Traversable, prefix: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir() and not entry.name.startswith(("_", ".")):
                self._read(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith((".yaml", ".csv")):
                self._read_text(entry, prefix + entry.name)

    def _read_text(self, file: Traversable, path: str) -> None:
        raw = file.read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            self.problems.append(f"{path}:{line}: file: not UTF-8 text at byte {error.start}; save the file as UTF-8")
            return
        if text.startswith("\ufeff"):
            self.problems.append(f"{path}:1: file: it begins with a byte order mark; save the file as UTF-8 without one")
        self.texts[path] = text.replace("\r\n", "\n").replace("\r", "\n")

    def model(self, path: str, kind: type[_Model]) -> _Model | None:
        """Return a file as its type, or None and note its problems."""
        if path not in self.texts:
            if not any(problem.startswith(f"{path}:") for problem in self.problems):
                self.problems.append(f"{path}:1: file: it is missing; a rulebook needs it")
            return None
        try:
            document = self.documents[path] = read_document(path, self.texts[path])
        except RulebookError as error:
            self.problems.append(str(error))
            return None
        if document.value is None:
            self.problems.append(f"{path}:1: file: it is empty; write the keys of the notation, or remove the file")
            return None
        try:
            return kind.model_validate(document.value)
        except ValidationError as error:
            self.problems.extend(defects(path, document, kind, error))
            return None


def load_book(root: Traversable) -> Book:
    """Load and link a rules folder. Raises RulebookError: one line per defect, `file:line: path: what to write instead`.

    Every file is read before anything is raised, so that one run tells all that is wrong with the form of the files; names are looked up
    once the form is right.
    """
    folder = _Folder(root)
    frame = folder.model("book.yaml", BookFile)
    facts = folder.model("facts.yaml", Facts)
    filing = folder.model("filing.yaml", Filing)
    instruments = folder.model("instruments.yaml", Instruments)
    origins = folder.model("origins.yaml", OriginGroups)
    relations = folder.model("relations.yaml", Relations)
    paths = [path for path in folder.texts if path.startswith("programs/") and path.endswith(".yaml")]
    programs = {path: program for path in paths if (program := folder.model(path, Program)) is not None}
    countries = _countries(folder)
    if folder.problems or frame is None or facts is None or filing is None or instruments is None or origins is None or relations is None:
        raise RulebookError("\n".join(folder.problems))
    book = Book(
        id="",
        edition=frame.edition,
        horizon=frame.horizon,
        instruments=instruments.instruments,
        facts=facts.facts,
        slices=facts.slices,
        groups=origins.groups,
        countries=countries,
        filing=filing.filing,
        limits=filing.limits,
        splits=tuple(filing.splits.order) if filing.splits else (),
        relations=relations,
        programs=list(programs.values()),
        nodes={},
        refs={},
        tables={},
        contradictions=facts.contradictions,
        absent=frame.absent,
        files=folder.texts,
    )
    problems = list(link(book, folder.documents, programs))
    if problems:
        raise RulebookError("\n".join(problems))
    book.id = _content_hash(folder)
    return book


def _countries(folder: _Folder) -> dict[str, str]:
    path = "countries.csv"
    rows = csv.DictReader(io.StringIO(folder.texts.get(path, "")))
    if not {"iso2", "name"} <= set(rows.fieldnames or ()):
        folder.problems.append(f"{path}:1: file: it is missing or names other columns than iso2,name; a rulebook needs it")
        return {}
    return {row["iso2"]: row["name"] for row in rows}


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
