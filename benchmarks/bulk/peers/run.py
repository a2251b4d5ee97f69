"""Peers and this engine on the same lines, in the same run: microseconds of CPU a line, and ratios. README.md says what each of them computes.

python run.py [LINES] [OPENFISCA_LINES]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

import peers
import pyarrow as pa
from book import batches as batches_of_book
from matching import Matching, lines

from tariff_engine.build import build_law
from tariff_engine.bulk import BulkAssessor
from tariff_engine.engine import Knowledge
from tariff_engine.notation.load import load_book
from tariff_rules import ROOT

ROUNDS = 5
BATCH = 100_000  # lines that OpenFisca computes at a time; it takes no less for a million at once
PEERS: dict[str, Callable[[Matching], Any]] = {
    "durable-rules": lambda matching: peers.Durable(matching.rules, matching.names),
    "zen-engine": lambda matching: peers.Zen(matching.rules, matching.names),
    "datalogic-py": lambda matching: peers.Datalogic(matching.rules, matching.names),
    "datalogic-py that reads the lists": lambda matching: peers.DatalogicLists(matching.rules, matching.names, matching.lists()),
}


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
        "headings, duties and cents": micros(known.evaluate, read),
        "the same, with a verdict on every program": micros(lambda line: known.verdicts(known.evaluate(line)[0]), read),
        "the same, from reading the facts": micros(lambda raw: known.verdicts(known.evaluate(known.read(raw))[0]), raws[:count]),
        "the same, with every verdict written out": micros(
            lambda raw: known.verdicts(known.evaluate(known.read(raw))[0]).rows, raws[:count]
        ),
    }
    for what, took in ours.items():
        print(f"{'this engine: ' + what:55} {took:10.1f} us a line")
    print(f"{'':55} {'':19} ratios to these four")
    for name, make in PEERS.items():
        try:
            peer = make(matching)
        except ImportError as error:
            print(f"{name}: not here ({error})")
            continue
        prepared = [peer.prepare(one | {"hts": line.hts}) for one, line in zip(told, read, strict=True)]
        wrong = sum(peer.match(one) != want for one, want in zip(prepared, expected, strict=True))
        took = micros(peer.match, prepared)
        ratios = " ".join(f"{took / mine:7.1f}" for mine in ours.values())
        print(f"{name + ': conditions met':55} {took:10.1f} us a line {ratios}; {wrong} lines differ", flush=True)
    if many:
        numbered = [one | {"hts": line.hts} for one, line in zip(told, read, strict=True)]
        batches(known, matching, raws, numbered, expected, many)


def batches(known: Knowledge, matching: Matching, raws: Sequence[Any], told: Sequence[Any], expected: Sequence[Any], many: int) -> None:
    """OpenFisca is made for batches: as many lines at a time for both.

    What it takes does not depend on what the lines say, so it repeats those that were told. This engine is given a book of so many lines in
    which few say the same, of 20,000 pairs of product and origin on 400 days, and at last the lines that were told, a fifth of which state a
    content of steel.
    """
    theirs = dict[str, float]()
    for what, lists in (("conditions met", None), ("conditions met, reading the lists", matching.lists())):
        try:
            fisca: Any = peers.OpenFisca(matching.rules, matching.names, lists)
        except ImportError as error:
            print(f"OpenFisca-core: not here ({error})")
            return
        columns = fisca.columns(told)
        _, run = fisca.count(columns)
        wrong = sum(len(want) != found for want, found in zip(expected, run()[1], strict=True))
        count, run = fisca.count(columns, max(1, min(many, BATCH) // len(told)))
        times = max(1, many // count)
        theirs[what] = cpu(lambda run=run, times=times: [run() for _ in range(times)]) / (times * count)
        print(f"{f'OpenFisca-core: {what}, on arrays':65} {theirs[what]:8.2f} us a line of {many:,}; {wrong} lines differ", flush=True)
    book = list(batches_of_book(known.law, "realistic", many))
    assessor = BulkAssessor(known, ranges=False)
    for when in ("for the first time", "once more"):
        took = cpu(lambda: [assessor.assess(piece).summary.num_rows for piece in book]) / many
        ratios = " ".join(f"{one / took:7.2f} x" for one in theirs.values())
        print(f"{f'this engine: headings, duties, fees, {when}':65} {took:8.2f} us a line of {many:,}; {ratios}", flush=True)
    told_table = pa.concat_tables([table_of(raws)] * max(1, min(many, BATCH) // len(raws))).combine_chunks()
    took = cpu(lambda: [assessor.assess(piece).summary.num_rows for piece in told_table.to_batches()]) / told_table.num_rows
    ratios = " ".join(f"{one / took:7.2f} x" for one in theirs.values())
    print(f"{'this engine: the lines above, repeated':65} {took:8.2f} us a line of {told_table.num_rows:,}; {ratios}", flush=True)


def cpu(work: Callable[[], object]) -> float:
    """Return the microseconds of CPU that some work takes."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e6


def table_of(raws: Sequence[dict[str, Any]]) -> pa.Table:
    """Return lines as a table, each fact in the type that it has."""
    names = dict.fromkeys(name for raw in raws for name in raw)
    return pa.table({name: pa.array([raw.get(name) for raw in raws]) for name in names})


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
