"""Where the things of a rulebook stand in its files. Documents are parsed again only where there is something to tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tariff_engine.book import Book
from tariff_engine.notation.program import Example
from tariff_engine.notation.terms import Strict
from tariff_engine.notation.yaml_reader import Document

Trail = tuple[int | str, ...]


@dataclass(eq=False)
class Places:
    """The files of a book: which program and which provision stands where."""

    book: Book
    programs: dict[str, str] = field(init=False)
    nodes: dict[str, tuple[str, Trail]] = field(init=False)
    _documents: dict[str, Document] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Pair the programs, which keep the order of the files, with their files."""
        paths = [path for path in self.book.files if path.startswith("programs/") and path.endswith(".yaml")]
        self.programs = {program.program: path for program, path in zip(self.book.programs, paths, strict=True)}
        self.nodes = {
            provision.id: (self.programs[program.program], ("provisions", place))
            for program in self.book.programs
            for place, provision in enumerate(program.provisions)
        }

    def at(self, path: str, trail: Trail, words: str) -> str:
        """Return a problem in one line: file, line, path in the file, what is wrong and what to write instead."""
        if path not in self._documents:
            self._documents[path] = Document(self.book.files[path])
        line, shown = self._documents[path].locate(trail)
        return f"{path}:{line}: {shown}: {words}"

    def node(self, name: str, trail: Trail, words: str) -> str:
        """Return a problem of a provision."""
        path, start = self.nodes[name]
        return self.at(path, (*start, *trail), words)

    def models(self) -> Iterator[tuple[str, Strict]]:
        """Yield the files that hold law, with what they say."""
        for program in self.book.programs:
            yield self.programs[program.program], program
        yield "relations.yaml", self.book.relations


def inside(model: Any, trail: Trail = ()) -> Iterator[tuple[Trail, Strict]]:
    """Yield every object of the notation inside another, itself first, with its place; examples are no law."""
    if isinstance(model, Strict):
        if isinstance(model, Example):
            return
        yield trail, model
        for name, info in type(model).model_fields.items():
            value = getattr(model, name)
            if isinstance(value, Strict | list | dict):
                yield from inside(value, (*trail, info.alias or name))
    elif isinstance(model, list | tuple):
        for place, item in enumerate(model):
            if isinstance(item, Strict | list | dict):
                yield from inside(item, (*trail, place))
    elif isinstance(model, dict):
        for key, item in model.items():
            if isinstance(item, Strict | list | dict):
                yield from inside(item, (*trail, key))
