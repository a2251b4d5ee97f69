"""What a Spark executor runs: the rulebook from the bytes that the driver sent, built once in a worker process, and the bulk evaluator."""

from __future__ import annotations

import hashlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain
from typing import TYPE_CHECKING

from tariff_engine import __version__
from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Engine
from tariff_engine.notation.load import load_book
from tariff_engine.packed import PackedRules
from tariff_engine.problems import refuse

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_engine.book import Book
    from tariff_engine.bulk import BulkAssessor
    from tariff_engine.spark.frames import Output

_KEPT = 2  # assessors of a worker process: a job that reads the lines under two laws, such as two days of knowledge, does not build them in turn
_assessors: OrderedDict[tuple[str, date | None, bool], BulkAssessor] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Task:
    """What every executor is told: rulebook (its id), engine (its code), day of knowledge, the rows wanted, with ranges or not, their schema."""

    rulebook: str
    engine: str
    known_on: date | None
    output: Output
    ranges: bool
    schema: pa.Schema


def run(task: Task, rules: Callable[[], bytes], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Assess the lines of a partition. Raises ProblemError where this executor would answer by another rulebook or with another engine."""
    first = next(batches, None)
    if first is None:
        return
    import pyarrow as pa  # noqa: PLC0415  an extra

    here = assessor(task, rules)
    here.finish()  # a task that was broken off in this process may have left lines of an entry: they are not of this one
    lines = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
    for found in here.reader(lines, output=task.output):
        yield found.select(task.schema.names)


def assessor(task: Task, rules: Callable[[], bytes]) -> BulkAssessor:
    """Return the assessor of this process for a task, building it from the bytes of the rulebook where it is not there yet."""
    from tariff_engine.bulk import BulkAssessor  # noqa: PLC0415  an extra

    here = engine_code()
    if here != task.engine:
        message = f"the executor has {here}, the driver {task.engine}: their answers could differ"
        raise refuse("engine_differs", "executor", message, "give both the same release, as docs/spark.md shows")
    key = (task.rulebook, task.known_on, task.ranges)
    if key in _assessors:
        _assessors.move_to_end(key)
        return _assessors[key]
    book, root = read_book(rules())
    if book.id != task.rulebook:
        message = f"the executor was sent rulebook {book.id}, the driver named {task.rulebook}"
        raise refuse("rulebook_differs", "executor", message, "start the job anew; report it if it happens again")
    found = BulkAssessor(engine_of(book, root).at(task.known_on), ranges=task.ranges)
    _assessors[key] = found
    while len(_assessors) > _KEPT:
        _assessors.popitem(last=False)
    return found


def read_book(content: bytes) -> tuple[Book, Traversable]:
    """Return the rulebook in an archive, and the folder of its files. Raises WrongArchiveError and RulebookError."""
    root = PackedRules.unpack(content)
    return load_book(root), root


def engine_of(book: Book, root: Traversable) -> Engine:
    """Return the engine of a rulebook. Earlier days of knowledge share with the last what does not depend on them."""
    final = build_law(book, root)
    return Engine(lambda day: final if day == date.max else refit_law(final, book, day))


@cache
def engine_code() -> str:
    """Return the engine that runs here: its version, and a digest of its code, since two builds of a version may differ."""
    digest = hashlib.sha256()
    for name, content in _code(files("tariff_engine"), ""):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"tariff-engine {__version__} ({digest.hexdigest()[:16]}, Python {sys.version_info[0]}.{sys.version_info[1]})"


def _code(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _code(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield prefix + entry.name, entry.read_bytes()
