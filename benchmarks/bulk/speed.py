"""Time a book: lines a second and CPU in one process, beside DuckDB that reads and writes as much; and the most memory it took.

python3 run.py python benchmarks/bulk/speed.py realistic 1000000
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types

sys.path.insert(0, str(Path(__file__).resolve().parent))
from book import BATCH, KINDS, batches

from tariff_engine.bulk import SUMMARY_SCHEMA, BulkAssessor
from tariff_service.collector import settled
from tariff_service.rulebook import open_engine


def main(kind: str, lines: int, *, ranges: bool) -> None:
    """Make the book, assess it, and print what it took."""
    if kind not in KINDS:
        raise SystemExit(f"the book is one of {', '.join(KINDS)}")
    known = open_engine(None).at()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "book.parquet"), Path(folder, "summary.parquet")
        writer = None
        for batch in batches(known.law, kind, lines):
            writer = writer or pq.ParquetWriter(source, batch.schema, compression="zstd")
            writer.write_batch(batch)
        if writer is not None:
            writer.close()
        assessor, started, cpu = BulkAssessor(known, ranges=ranges), time.perf_counter(), time.process_time()
        read, told, rejected = 0, cpu, 0
        with settled(), pq.ParquetWriter(target, SUMMARY_SCHEMA, compression="zstd") as out:  # as `tariff bulk` does
            for batch in pq.ParquetFile(source).iter_batches(BATCH):
                done = assessor.assess(batch)
                out.write_batch(done.summary)
                read, rejected = read + batch.num_rows, rejected + done.rejected.num_rows
                if read % (BATCH * 4) == 0 or read == lines:
                    now = time.process_time()
                    print(f"  {read:>10,} lines, {now - told:6.1f} s CPU for the last, {assessor.alone:,} alone so far", flush=True)
                    told = now
        ours, wall = time.process_time() - cpu, time.perf_counter() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        base = _duckdb(source, Path(folder, "copy.parquet")) + _duckdb(target, Path(folder, "copy.parquet"))
    print(
        f"{kind}, {lines:,} lines, ranges {'tried' if ranges else 'not tried'}: {ours:.1f} s CPU, {wall:.1f} s, {lines / ours:,.0f} lines a CPU second"
    )
    print(f"answered alone {assessor.alone:,}, rejected {rejected:,}; most memory {memory:.0f} MB (it holds the maker of the book too)")
    print(f"DuckDB that reads and writes the book and the summary: {base:.2f} s CPU; ratio {ours / base:.1f}")


def _duckdb(source: Path, target: Path) -> float:
    """Return the CPU seconds of DuckDB that copies a file."""
    before = time.process_time()
    duckdb.read_parquet(str(source)).write_parquet(str(target), compression="zstd")
    return time.process_time() - before


if __name__ == "__main__":
    arguments = [one for one in sys.argv[1:] if one != "--without-ranges"]
    main(
        arguments[0] if arguments else "realistic",
        int(arguments[1]) if len(arguments) > 1 else 1_000_000,
        ranges="--without-ranges" not in sys.argv,
    )
