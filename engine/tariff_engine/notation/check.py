"""Check a whole rulebook: its form, its names, its sources, its lists, its order, its facts, and every example. Changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from time import perf_counter
from typing import Any

from pydantic import BaseModel, ValidationError

from tariff_engine.adcvd_order_rules import FILE as ORDERS
from tariff_engine.adcvd_order_rules import read_orders
from tariff_engine.book import Book
from tariff_engine.build import build_law
from tariff_engine.deminimis_rules import DeMinimis
from tariff_engine.fee_rules import FeeRules, parse_fees
from tariff_engine.law import Law
from tariff_engine.notation.check_coverage import check_coverage
from tariff_engine.notation.check_examples import check_examples
from tariff_engine.notation.check_facts import check_facts
from tariff_engine.notation.check_graph import check_graph
from tariff_engine.notation.check_lists import check_lists
from tariff_engine.notation.check_places import Places
from tariff_engine.notation.check_programs import check_frame, check_programs
from tariff_engine.notation.check_refunds import check_refunds
from tariff_engine.notation.check_sheets import check_sheets
from tariff_engine.notation.check_sources import check_sources
from tariff_engine.notation.check_unfinished import check_unfinished
from tariff_engine.notation.load import load_book
from tariff_engine.notation.model import Chapter98File, EditionsFile
from tariff_engine.notation.wording import defects
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.problems import RulebookError
from tariff_engine.refund_rules import Refunds

_EDITIONS = "schedule/editions.yaml"
_KINDS: dict[str, type[BaseModel]] = {
    "fees.yaml": FeeRules,
    "de_minimis.yaml": DeMinimis,
    "chapter98.yaml": Chapter98File,
    _EDITIONS: EditionsFile,
}
_OPTIONAL: dict[str, type[BaseModel]] = {"refunds.yaml": Refunds}
_FRAME = (*_KINDS, "chapter98.csv", "mpf.csv", "schedule/preferences.csv", "schedule/discontinued.csv")


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

    Nothing is looked up while the form of a file is wrong, and no example is run while the lists, the facts, the programs or their order are wrong.
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
    phase("frame", lambda: [*_frame(places, frame), *check_frame(places)])
    phase("lists", lambda: check_lists(places))
    phase("facts", lambda: check_facts(places))
    phase("order", lambda: check_graph(places))
    phase("programs", lambda: check_programs(places))
    phase("refunds", lambda: check_refunds(places, frame.get("refunds.yaml")))
    told = len(problems)
    phase("coverage", lambda: check_coverage(places))
    phase("sources", lambda: check_sources(places, frame))
    phase("unfinished", lambda: check_unfinished(places))
    if not told:
        laws: list[Law] = []
        phase("build", lambda: _keep(laws, build_law(book, root)))
        if laws:
            phase("examples", lambda: check_examples(places, laws[0]))
    return Report(tuple(dict.fromkeys(problems)), _counts(book), seconds)


def _keep(into: list[Any], made: Any) -> tuple[str, ...]:
    into.append(made)
    return ()


def _frame(places: Places, frame: dict[str, Any]) -> Iterable[str]:
    """Read the files of the frame into their types; yield which are missing and what is wrong with their form."""
    book = places.book
    missing = [path for path in _FRAME if path not in book.files]
    yield from (f"{path}:1: file: it is missing; a rulebook needs it" for path in missing)
    sheets = list(check_sheets(book.files))
    yield from sheets
    told = len(missing) + len(sheets)
    for path, kind in {**_KINDS, **_OPTIONAL}.items():
        if path in book.files:
            document = read_document(path, book.files[path])
            try:
                frame[path] = kind.model_validate(document.value)
            except ValidationError as error:
                told += 1
                yield from defects(path, document, kind, error)
    for place, edition in enumerate(getattr(frame.get(_EDITIONS), "editions", ())):
        if f"schedule/{edition.file}" not in book.files:
            told += 1
            yield places.at(_EDITIONS, ("editions", place, "file"), f"there is no schedule/{edition.file}; write the name of its table")
    if not told:  # the yearly amounts are read as the engine reads them
        tree = read_document("fees.yaml", book.files["fees.yaml"]).value
        parse_fees(tree, list(csv.DictReader(io.StringIO(book.files["mpf.csv"]))))
        if ORDERS in book.files:
            read_orders(book.files[ORDERS])


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
