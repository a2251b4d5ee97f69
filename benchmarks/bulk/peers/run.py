"""Peers and this engine on the same lines, in the same run: microseconds of CPU a line, and ratios. README.md says what each of them computes.

python run.py [LINES] [OPENFISCA_LINES]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import peers
import pyarrow as pa
from matching import Matching, lines

from tariff_engine.build import build_law
from tariff_engine.bulk import BulkAssessor
from tariff_engine.engine import Knowledge
from tariff_engine.notation.load import load_book
from tariff_rules import ROOT

ROUNDS = 3
PEERS = {"durable-rules": peers.Durable, "zen-engine": peers.Zen, "datalogic-py": peers.Datalogic}


def micros(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """The median of some rounds: microseconds of CPU an item."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for item in items:
            work(item)
        found.append((time.process_time() - began) / len(items) * 1e6)
    return statistics.median(found)


def main(count: int = 300, many: int = 1_000_000) -> None:
    book = load_book(ROOT)
    known = Knowledge(build_law(book, ROOT))
    matching = Matching(book)
    raws = lines(known, max(count, 2000))
    told = [matching.told(known, known.read(raw)) for raw in raws[:count]]
    expected = [matching.expected(one) for one in told]
    print(f"{len(book.nodes)} provisions, {len(matching.rules)} conditions on {len(matching.names)} terms; {count} lines\n")

    read = [known.read(raw) for raw in raws[:count]]
    ours = {
        "duties, headings and cents": micros(known.evaluate, read),
        "the same, with a verdict on every program": micros(lambda line: known.verdicts(known.evaluate(line)[0]), read),
    }
    for what, took in ours.items():
        print(f"this engine: {what:42} {took:10.1f} us a line")
    full = ours["the same, with a verdict on every program"]
    for name, kind in PEERS.items():
        try:
            peer: Any = kind(matching.rules, matching.names)
        except ImportError as error:
            print(f"{name}: not here ({error})")
            continue
        prepared = [peer.prepare(one) for one in told]
        wrong = sum(peer.match(one) != want for one, want in zip(prepared, expected, strict=True))
        took = micros(peer.match, prepared)
        print(f"{name + ': conditions met':55} {took:10.1f} us a line, {took / full:6.1f} x; {wrong} lines differ")
    batches(known, matching, raws, told, expected, many)


def batches(known: Knowledge, matching: Matching, raws: Sequence[Any], told: Sequence[Any], expected: Sequence[Any], many: int) -> None:
    """OpenFisca is made for batches: as many lines at a time for both."""
    table = table_of(raws)
    size = table.num_rows

    bulk = BulkAssessor(known, ranges=False)

    def assess() -> None:
        for place in range(0, many, size):
            for found in bulk.reader(table.slice(0, min(size, many - place)).to_batches()):
                del found

    began = time.process_time()
    assess()
    print(
        f"\n{'this engine in batches: headings, duties, fees':55} {(took := (time.process_time() - began) / many * 1e6):10.2f} us a line of {many:,}"
    )
    try:
        fisca = peers.OpenFisca(matching.rules, matching.names)
    except ImportError as error:
        print(f"OpenFisca-core: not here ({error})")
        return
    columns = fisca.columns(told)
    count, run = fisca.count(columns)
    _, met = run()
    wrong = sum(len(want) != found for want, found in zip(expected, met, strict=True))
    count, run = fisca.count(columns, max(1, min(many, 100_000) // count))
    began = time.process_time()
    run()
    theirs = (time.process_time() - began) / count * 1e6
    print(
        f"{'OpenFisca-core: conditions met, on arrays':55} {theirs:10.2f} us a line of {count:,}, {theirs / took:6.1f} x; {wrong} lines differ"
    )


def table_of(raws: Sequence[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for raw in raws for name in raw)
    text = [{name: None if raw.get(name) is None else str(raw[name]) for name in names} for raw in raws]
    return pa.Table.from_pylist(text, pa.schema([(name, pa.string()) for name in names]))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
