"""What four times the provisions cost: the real rulebook beside a synthetic enlargement of it, on the same lines, in one process.

python3 run.py python benchmarks/enlarged.py [LINES] [LINES_OF_A_BOOK] [WAY ...]

How the book is enlarged is told in enlarging.py; WAY is one of days, origins, displaced, adding; without one all are measured. No lines of a book
(0) leave bulk out. Figures are microseconds of CPU a line and the ratio of the enlarged book to the real one. Rounds of both books take turns, so
that whatever else the machine does meets both; each ratio is the median of the rounds. *New* is the first line of its situation in a law that has
answered nothing yet. Above the table stand how many headings a line files, and how many lines the enlarged book answers otherwise than the real one.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parent / "bulk"))
from book import batches
from enlarging import WAYS, enlarge
from scalar import lines

from tariff_engine.build import build_law
from tariff_engine.bulk import BulkAssessor
from tariff_engine.engine import Knowledge
from tariff_engine.notation.load import load_book
from tariff_rules import ROOT

ROUNDS = 3


@dataclass
class Side:
    """One of the two books, with what was measured of it by round."""

    root: Path
    found: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Load and compile."""
        began = time.process_time()
        self.book = load_book(self.root)
        self.law = build_law(self.book, self.root)
        self.took = time.process_time() - began

    def fresh(self) -> Knowledge:
        """Return the law with nothing remembered."""
        return Knowledge(replace(self.law, memory={}))

    def time(self, what: str, count: int, work: Callable[[], object]) -> None:
        """Keep the microseconds of CPU a line that some work took."""
        gc.collect()
        began = time.process_time()
        work()
        self.found.setdefault(what, []).append((time.process_time() - began) / count * 1e6)


def each(work: Callable[[Any], object], items: Sequence[Any]) -> Callable[[], object]:
    """Return the work on all items."""

    def run() -> None:
        for item in items:
            work(item)

    return run


def measure_lines(side: Side, raws: Sequence[dict[str, Any]]) -> None:
    """A round of single lines."""
    known, count = side.fresh(), len(raws)
    read = [known.read(raw) for raw in raws]
    side.time("assess, new", count, each(known.evaluate, read))
    evaluated = [known.evaluate(line)[0] for line in read]
    side.time("explain, new", count, each(known.verdicts, evaluated))
    for _ in range(3):
        side.time("read and assess, known", count, each(lambda raw: known.evaluate(known.read(raw)), raws))
        side.time("explain, known", count, each(known.verdicts, evaluated))
        side.time("explain, known, every verdict written out", count, each(lambda one: known.verdicts(one).rows, evaluated))


def measure_bulk(side: Side, table: Sequence[pa.RecordBatch]) -> None:
    """A round of a book: with a law that has nothing remembered, and once more."""
    count = sum(batch.num_rows for batch in table)
    assessor = BulkAssessor(side.fresh(), ranges=False)
    side.time("bulk, first time", count, each(assessor.assess, table))
    side.time("bulk, again", count, each(assessor.assess, table))


def differing(sides: Sequence[Side], raws: Sequence[dict[str, Any]]) -> tuple[float, float, int]:
    """Return how many headings a line files in each book, and how many lines differ in headings or duty."""
    found = [
        [(one.headings, one.duty) for one in (known.evaluate(known.read(raw))[0] for raw in raws)]
        for known in (side.fresh() for side in sides)
    ]
    small, large = (sum(len(headings) for headings, _ in side) / len(raws) for side in found)
    return small, large, sum(one != other for one, other in zip(*found, strict=True))


def main(count: int, size: int, ways: Sequence[str]) -> None:
    small = Side(Path(str(ROOT)))
    raws = lines(small.fresh(), count, seed=1)
    table = list(batches(small.law, "realistic", size))
    with tempfile.TemporaryDirectory() as folder:
        for way in ways:
            small.found.clear()
            large = Side(enlarge(Path(str(ROOT)), Path(folder, way), way))
            gc.freeze()  # as the server does with its law
            sides = (small, large)
            for _ in range(ROUNDS):
                for side in sides:
                    measure_lines(side, raws)
            for _ in range(ROUNDS - 1 if size else 0):
                for side in sides:
                    measure_bulk(side, table)
            report(way, small, large, differing(sides, raws))
            gc.unfreeze()


def report(way: str, small: Side, large: Side, answers: tuple[float, float, int]) -> None:
    """Print what was measured."""
    programs, provisions = len(large.book.programs), len(large.book.nodes)
    print(f"\n{way}: {programs} programs, {provisions} provisions beside {len(small.book.programs)} and {len(small.book.nodes)}; ", end="")
    print(f"headings a line {answers[1]:.2f} beside {answers[0]:.2f}; {answers[2]} lines differ", flush=True)
    print(f"  {'us of CPU a line':44} {'real':>8} {'4 x':>8} {'ratio':>6}")
    for what, mine in small.found.items():
        theirs = large.found[what]
        ratio = statistics.median(other / one for one, other in zip(mine, theirs, strict=True))
        print(f"  {what:44} {statistics.median(mine):8.1f} {statistics.median(theirs):8.1f} {ratio:6.2f}", flush=True)
    print(f"  {'load and compile, s':44} {small.took:8.1f} {large.took:8.1f} {large.took / small.took:6.2f}")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(*(numbers + [1000, 200_000][len(numbers) :]), [word for word in sys.argv[1:] if not word.isdigit()] or WAYS)
