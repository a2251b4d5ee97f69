"""Check a whole rulebook: its form, its names, its sources, its lists, its order, its facts, and every example. Changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from time import perf_counter
from typing import Any

from tariff_engine.book import Book
from tariff_engine.deminimis_rules import parse_de_minimis
from tariff_engine.fee_rules import parse_fees
from tariff_engine.law import Law, build_law
from tariff_engine.notation.check_examples import check_examples
from tariff_engine.notation.check_facts import check_facts
from tariff_engine.notation.check_graph import check_graph
from tariff_engine.notation.check_lists import check_lists
from tariff_engine.notation.check_places import Places
from tariff_engine.notation.check_programs import check_frame, check_programs
from tariff_engine.notation.check_sources import check_sources
from tariff_engine.notation.load import load_book
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.problems import RulebookError

_FRAME = ("fees.yaml", "mpf.csv", "de_minimis.yaml", "chapter98.yaml", "schedule/editions.yaml", "schedule/preferences.csv")


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found: one line per problem, `file:line: path: what is wrong and what to write instead`.

    `counts` says how much was checked, `seconds` how long each phase took.
    """

    problems: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(root: Traversable) -> Report:
    """Check the rules folder and report every problem.

    Nothing is looked up while the form of a file is wrong, and no example is run while the lists, the facts or the order are wrong.
    """
    seconds: dict[str, float] = {}
    problems: list[str] = []

    def phase(name: str, work: Callable[[], Iterable[str]]) -> None:
        begun = perf_counter()
        try:
            problems.extend(work())
        except RulebookError as error:
            problems.extend(str(error).splitlines())
        seconds[name] = perf_counter() - begun

    books: list[Book] = []
    phase("load", lambda: _keep(books, load_book(root)))
    if not books:
        return Report(tuple(problems), {}, seconds)
    book = books[0]
    places = Places(book)
    frame: dict[str, Any] = {}
    phase("frame", lambda: [*_frame(book, frame), *check_frame(places)])
    phase("lists", lambda: check_lists(places))
    phase("facts", lambda: check_facts(places))
    phase("order", lambda: check_graph(places))
    told = len(problems)
    phase("programs", lambda: check_programs(places))
    phase("sources", lambda: check_sources(places, frame))
    if not told:
        laws: list[Law] = []
        phase("build", lambda: _keep(laws, build_law(book, root)))
        if laws:
            phase("examples", lambda: check_examples(places, laws[0]))
    return Report(tuple(dict.fromkeys(problems)), _counts(book), seconds)


def _keep(into: list[Any], made: Any) -> tuple[str, ...]:
    into.append(made)
    return ()


def _frame(book: Book, frame: dict[str, Any]) -> Iterable[str]:
    """Read the files on fees and de minimis; yield which files of the frame are missing."""
    missing = [path for path in _FRAME if path not in book.files]
    yield from (f"{path}:1: file: it is missing; a rulebook needs it" for path in missing)
    if missing:
        return
    documents = {path: read_document(path, book.files[path]) for path in _FRAME if path.endswith(".yaml")}
    rows = list(csv.DictReader(io.StringIO(book.files["mpf.csv"])))
    try:
        fees = parse_fees(documents["fees.yaml"].value, rows)
        frame |= {"fees.yaml": fees.rules, "mpf.csv": list(fees.years)}
    except RulebookError as error:
        yield from _located(str(error), documents)
    try:
        frame["de_minimis.yaml"] = parse_de_minimis(documents["de_minimis.yaml"].value)
    except RulebookError as error:
        yield from _located(str(error), documents)


def _located(text: str, documents: dict[str, Any]) -> Iterable[str]:
    """Give the problems of files that are read elsewhere, `file: path: words`, the line at which the path stands."""
    for line in text.splitlines():
        path, _, rest = line.partition(": ")
        trail, _, words = rest.partition(": ")
        if path in documents and words:
            steps = tuple(int(step) if step.isdigit() else step for step in trail.split("."))
            number, shown = documents[path].locate(steps)
            yield f"{path}:{number}: {shown}: {words}"
        else:
            yield line


def _counts(book: Book) -> dict[str, int]:
    lists = [table for name, table in book.tables.items() if not name.startswith("list:")]
    provisions = [node.provision for node in book.nodes.values()]
    return {
        "programs": len(book.programs),
        "provisions": len(provisions),
        "steps": sum(len(provision.steps) for provision in provisions),
        "relations": len(book.relations.relations),
        "facts": len(book.facts),
        "instruments": len(book.instruments),
        "lists": len(lists),
        "list rows": sum(len(table.rows) for table in lists),
        "examples": sum(len(program.examples) for program in book.programs),
    }
