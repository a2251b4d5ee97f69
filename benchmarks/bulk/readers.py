"""CPU of reading a book into facts, headers known and cells mended, beside the CPU of others that only read the same file.

python3 run.py python benchmarks/bulk/readers.py 1000000 30000

The first number is lines of CSV, the second rows of a workbook. Polars reads CSV by itself and workbooks with Calamine by default, which is
measured through python-calamine, or with openpyxl. What reading costs but once (the law, what the distinct texts of a book mean) is in the figures.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import python_calamine
from pyarrow import csv

sys.path.insert(0, str(Path(__file__).resolve().parent))
from book import batches

from tariff_engine.engine import Knowledge
from tariff_service.bulk.lines import LineReader
from tariff_service.bulk.mapping import Mapped
from tariff_service.bulk.opening import open_input, open_source
from tariff_service.refund_columns import Dictionary
from tariff_service.rulebook import open_engine

_RUNS = 3


def read(known: Knowledge, path: Path) -> int:
    """Read a file as `tariff bulk` does, up to where lines are assessed; return how many lines it has."""
    dictionary, mapped = Dictionary(known.law, None), Mapped()
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(open_input(str(path), Path(folder)), dictionary, mapped)
        lines, found = LineReader(known.law, dictionary, mapped.dates), 0
        for piece in source.pieces():
            found += lines.lines(source.reader.table(piece), source.layout, last=piece.last).batch.num_rows
    return found


def seconds(work: Callable[[], object]) -> float:
    """Return the least CPU of some runs, of all threads."""
    found = []
    for _ in range(_RUNS):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


def main(lines: int, rows: int) -> None:
    """Make the books, read them, and print what it took."""
    known = open_engine(None).at()
    with tempfile.TemporaryDirectory() as folder:
        text, sheet = Path(folder, "book.csv"), Path(folder, "book.xlsx")
        csv.write_csv(pa.Table.from_batches(batches(known.law, "realistic", lines)), text)
        book = openpyxl.Workbook()
        made = book["Sheet"]
        some = pa.Table.from_batches(batches(known.law, "realistic", rows))
        made.append(list(some.schema.names))
        for row in some.to_pylist():
            made.append(list(row.values()))
        book.save(sheet)
        tried: list[tuple[str, int, Callable[[], object], list[tuple[str, Callable[[], object]]]]] = [
            (
                "CSV",
                lines,
                lambda: read(known, text),
                [
                    ("Polars", lambda: pl.read_csv(text)),
                    ("Polars, text as it is", lambda: pl.read_csv(text, infer_schema=False)),
                ],
            ),
            (
                "Excel",
                rows,
                lambda: read(known, sheet),
                [
                    (
                        "Calamine, the reader of Polars",
                        lambda: python_calamine.CalamineWorkbook.from_path(str(sheet)).get_sheet_by_index(0).to_python(),
                    ),
                    ("Polars with openpyxl", lambda: pl.read_excel(sheet, engine="openpyxl")),
                ],
            ),
        ]
        for name, count, ours, others in tried:
            mine = seconds(ours)
            print(f"{name}, {count:,} rows: ours {mine:.2f} s CPU, {mine / count * 1e6:.2f} us a row", flush=True)
            for other, work in others:
                theirs = seconds(work)
                print(f"  {other}: {theirs:.2f} s CPU, {theirs / count * 1e6:.2f} us a row; ratio {mine / theirs:.2f}", flush=True)


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    main(*(words + [1_000_000, 30_000][len(words) :]))
