"""What a second process gains: for `tariff bulk --jobs 2`, and for work that shares nothing, which is the most that the machine gives.

python3 run.py python benchmarks/bulk/jobs.py 10000000
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types

sys.path.insert(0, str(Path(__file__).resolve().parent))
from book import batches

from tariff_service.rulebook import open_engine

ROUNDS = 3


def count() -> None:
    """Add up numbers one by one: nothing but the interpreter."""
    total = 0
    for number in range(30_000_000):
        total += number & 7


def columns() -> None:
    """Sort, look up and add columns of the size that bulk work has."""
    keys = np.random.default_rng(1).integers(0, 2**40, 40_000)
    for _ in range(800):
        _, places = np.unique(keys, return_inverse=True)
        (keys[places % len(keys)] * 3 // 7).sum()


def gain(work: Callable[[int], float]) -> float:
    """Return how much more is done by two in the time of one: the median of some rounds, in turn."""
    found = sorted(2 * work(1) / work(2) for _ in range(ROUNDS))
    return found[ROUNDS // 2]


def at_once(work: Callable[[], None]) -> Callable[[int], float]:
    """Return the seconds that some processes take which all do the same."""

    def run(processes: int) -> float:
        context = multiprocessing.get_context("spawn")
        began = time.perf_counter()
        made = [context.Process(target=work) for _ in range(processes)]
        for one in made:
            one.start()
        for one in made:
            one.join()
        return time.perf_counter() - began

    return run


def main(lines: int) -> None:
    """Make the book, and print what two processes gain."""
    for work in (count, columns):
        print(f"two processes that share nothing, {work.__name__}: {gain(at_once(work)):.2f}x of one", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        source, writer = Path(folder, "book.parquet"), None
        for batch in batches(open_engine(None).at().law, "realistic", lines):
            writer = writer or pq.ParquetWriter(source, batch.schema, compression="zstd")
            writer.write_batch(batch)
        if writer is not None:
            writer.close()
        taken = {}
        for jobs in (1, 2):
            command = [str(Path(sysconfig.get_path("scripts"), "tariff")), "bulk", str(source), str(Path(folder, f"out{jobs}.parquet"))]
            began = time.perf_counter()
            subprocess.run([*command, "--no-ranges", "--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL)
            taken[jobs] = time.perf_counter() - began
            print(f"tariff bulk, {lines:,} realistic lines, --jobs {jobs}: {taken[jobs]:.1f} s", flush=True)
        print(f"two processes: {taken[1] / taken[2]:.2f}x of one")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
