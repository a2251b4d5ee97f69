"""Time one line: reading, assessing, explaining, asking; in known and in new situations; and how long the book takes to load and compile."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from tariff_engine.build import build_law
from tariff_engine.compiled.compile import compile_book
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.notation.check import check
from tariff_engine.notation.load import load_book
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, space
from tariff_rules import ROOT

ROUNDS = 7


def realistic(where: Space, rng: random.Random, first: date) -> dict[str, Any]:
    """A line as brokers send them: few facts, any product, the book's origins, five hundred days."""
    value = rng.randrange(500, 250_000)
    line: dict[str, Any] = {
        "hts": rng.choice(where.codes),
        "origin": rng.choice(where.origins),
        "entry_date": first + timedelta(days=rng.randrange(500)),
        "value": value,
        "mode": rng.choice(("ocean", "air", "truck")),
    }
    if rng.random() < 0.2:
        line["steel_content_value"] = value // 3
    if rng.random() < 0.3:
        line["usmca_qualifying"] = False
    return line


def micros(work: Callable[[Any], object], items: Sequence[Any], rounds: int = ROUNDS) -> float:
    """Return the median microseconds an item over some rounds."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for item in items:
            work(item)
        found.append((time.perf_counter() - start) / len(items) * 1e6)
    return statistics.median(found)


def lines(known: Knowledge, count: int, seed: int) -> list[dict[str, Any]]:
    where, rng, found = space(known), random.Random(seed), list[dict[str, Any]]()
    first = known.law.horizon - timedelta(days=600)
    while len(found) < count:
        raw = realistic(where, rng, first)
        try:
            known.evaluate(known.read(raw))
        except (ProblemError, LawConflictError):
            continue
        found.append(raw)
    return found


def main(count: int = 3000) -> None:
    start = time.perf_counter()
    book = load_book(ROOT)
    loaded = time.perf_counter()
    compile_book(book)
    compiled = time.perf_counter()
    print(
        f"book: {len(book.programs)} programs, {len(book.nodes)} provisions, {sum(len(t.rows) for n, t in book.tables.items() if ' ' not in n)} list rows"
    )
    print(f"load and check references  {(loaded - start) * 1e3:8.0f} ms")
    print(f"compile                    {(compiled - loaded) * 1e3:8.0f} ms")
    checked = time.perf_counter()
    report = check(ROOT)
    print(f"check the whole book       {(time.perf_counter() - checked) * 1e3:8.0f} ms   {len(report.problems)} problems")
    raws = lines(Engine(lambda day: build_law(book, ROOT, day)).at(), count, seed=1)
    fresh = Engine(lambda day: build_law(book, ROOT, day)).at()
    read = [fresh.read(raw) for raw in raws]
    print(f"\n{'us a line':26} {'known':>8} {'new':>8}    (situations)")
    new = micros(fresh.evaluate, read, 1)
    print(f"read facts                 {micros(fresh.read, raws):8.1f}")
    print(f"assess                     {micros(fresh.evaluate, read):8.1f} {new:8.1f}")
    evaluated = [fresh.evaluate(line)[0] for line in read]
    new = micros(fresh.verdicts, evaluated, 1)
    print(f"explain every program      {micros(fresh.verdicts, evaluated):8.1f} {new:8.1f}")
    pairs = [(line, *fresh.evaluate(line)) for line in read[: count // 4]]
    new = micros(lambda pair: fresh.inquire(*pair), pairs, 1)
    print(f"questions and range        {micros(lambda pair: fresh.inquire(*pair), pairs, 3):8.1f} {new:8.1f}")
    print(f"whole answer, as data      {micros(lambda line: fresh.answer(line, '1'), read[: count // 4], 3):8.1f}")
    print(f"whole answer, no questions {micros(lambda line: fresh.answer(line, '1', inquire=False), read[: count // 4], 3):8.1f}")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
