"""What stands around the evaluator: reading, cells, tallying and writing a book of lines, with answers that are made beforehand.

python3 run.py python benchmarks/bulk/around.py 1000000 parquet:parquet csv:csv
"""

from __future__ import annotations

import cProfile
import json
import pstats
import resource
import sys
import tempfile
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.csv
import pyarrow.parquet as pq  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).resolve().parent))
from book import batches

import tariff_engine.bulk
from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, Assessed
from tariff_service.bulk.running import Options, run
from tariff_service.rulebook import open_engine

PATHS = ("parquet:parquet", "csv:csv", "csv:parquet", "jsonl:jsonl", "xlsx:xlsx")
_MOST = 200_000  # lines of a piece
_HEADINGS = 3  # of a line


class Canned:
    """Answers that were made beforehand, so that what is measured is what stands around them."""

    _summary: pa.Table | None = None

    def __init__(self, knowledge: object, *, ranges: bool = True) -> None:
        """Be made as the evaluator is."""
        del knowledge, ranges
        self._read = 0
        if Canned._summary is None:
            Canned._summary, Canned._long = _summary(), _long()

    def assess(self, batch: pa.RecordBatch) -> Assessed:
        """Answer each line with the row that its place has."""
        count, first = batch.num_rows, self._read + 1
        self._read += count
        own = {name: batch.column(name) for name in ("id", "entry_number") if name in batch.schema.names}
        rows = pa.array(np.arange(first, first + count))
        columns = {**dict(zip(SUMMARY_SCHEMA.names, Canned._summary.slice(0, count).columns, strict=True)), **own, "row": rows}
        made = pa.RecordBatch.from_arrays([columns[name] for name in SUMMARY_SCHEMA.names], schema=SUMMARY_SCHEMA)
        return Assessed(made, _none(REJECTED_SCHEMA), lambda: self._long_of(first, count, batch.column("id")))

    def finish(self) -> Assessed:
        """Hold nothing back."""
        return Assessed(_none(SUMMARY_SCHEMA), _none(REJECTED_SCHEMA), lambda: _none(LONG_SCHEMA))

    @staticmethod
    def _long_of(first: int, count: int, ids: pa.Array) -> pa.RecordBatch:
        places = pa.array(np.repeat(np.arange(count), _HEADINGS))
        columns = list(Canned._long.slice(0, count * _HEADINGS).columns)
        columns[0], columns[1] = pa.array(np.repeat(np.arange(first, first + count), _HEADINGS)), ids.take(places)
        return pa.RecordBatch.from_arrays(columns, schema=LONG_SCHEMA)


def _none(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _made(schema: pa.Schema, count: int, values: dict[str, list[Any]]) -> pa.RecordBatch:
    rng = np.random.default_rng(1)
    columns = []
    for field in schema:
        some = pa.array(values.get(field.name, [None]), field.type)
        columns.append(pa.array(np.arange(count)) if field.name == "row" else some.take(pa.array(rng.integers(0, len(some), count))))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _summary() -> pa.RecordBatch:
    rng = np.random.default_rng(2)
    amounts = [Decimal(int(cents)).scaleb(-2) for cents in rng.integers(0, 10_000_000, 50_000)]
    numbers = [f"{number:010}" for number in rng.integers(100_000_000, 9_999_999_999, 10_000)]
    heads = [[numbers[place], "9903.88.03", "9903.01.24"] for place in range(5_000)]
    values: dict[str, list[Any]] = {
        **dict.fromkeys(("duty", "base_duty", "additional_duty", "mpf", "hmf", "postal_duty", "total", "low", "high", "saves"), amounts),
        "hts": numbers,
        "origin": ["CN", "MX", "CA", "DE", "JP", "VN"],
        "entry_date": [date.fromordinal(739_000 + day) for day in range(400)],
        "value": list(range(900, 30_000)),
        "complete": [True, False],
        "prohibited": [False],
        "headings": heads,
        "questions": [[], [], ["usmca_qualifying"], ["melt_pour_country", "usmca_qualifying"]],
        "warnings": [[], [], ["rate_text"]],
        "saving": [None, None, "usmca_qualifying", "chapter98"],
        "de_minimis": ["entry_required"],
        "entry_type": ["01"],
    }
    return _made(SUMMARY_SCHEMA, _MOST, values)


def _long() -> pa.RecordBatch:
    values: dict[str, list[Any]] = {
        "place": [1, 2, 3],
        "heading": [f"9903.{number:02}.01" for number in range(80)],
        "program": ["base", "section-301", "section-232", "reciprocal"],
        "kind": ["additional", "base"],
        "rate": ["25%", "10%", "Free", "2.5%"],
        "base_value": list(range(900, 30_000)),
        "duty": [Decimal(cents).scaleb(-2) for cents in range(50_000)],
        "instrument": ["EO 14257", "Proclamation 10908", "HTS"],
        "since": [date(2025, 4, 5), date(2025, 8, 7)],
    }
    return _made(LONG_SCHEMA, _MOST * _HEADINGS, values)


# ---------------------------------------------------------------- books
def book(folder: Path, form: str, lines: int) -> Path:
    """Return a book in a format; made once."""
    path = folder / f"book-{lines}.{form}"
    if path.exists():
        return path
    law = open_engine(None).at().law
    if form == "parquet":
        writer = None
        for batch in batches(law, "realistic", lines):
            writer = writer or pq.ParquetWriter(path, batch.schema, compression="zstd")
            writer.write_batch(batch)
        if writer is not None:
            writer.close()
        return path
    table = pq.read_table(book(folder, "parquet", lines))
    if form == "csv":
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="needed"))
    elif form == "odd.csv":
        path.write_bytes(b"".join(_odd(table)))
    elif form == "entries.csv":
        path.write_bytes(b"".join(_entries(table)))
    elif form == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({k: v for k, v in row.items() if v is not None}, default=str) + "\n" for row in table.to_pylist())
    elif form == "arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    elif form == "xlsx":
        sheets = openpyxl.Workbook(write_only=True)
        sheet = sheets.create_sheet("Lines")
        sheet.append(table.schema.names)
        for row in table.to_pylist():
            sheet.append(list(row.values()))
        sheets.save(path)
    else:
        raise SystemExit(f"no such format: {form}")
    return path


def _odd(table: pa.Table) -> Any:
    """Yield a book as brokers write it: days of America, dollars with thousands, numbers that lost their zero, names of countries."""
    yield b"Line ID,HTS Number,Country of Origin,Entry Date,Entered Value,Mode,USMCA Qualifying\n"
    for row in table.to_pylist():
        hts, day = row["hts"], row["entry_date"]
        claim = {None: "", True: "Y", False: "N"}[row["usmca_qualifying"]]
        value = f'"${row["value"]:,}.00"'
        number = hts.lstrip("0") if hts.startswith("0") else f"{hts[:4]}.{hts[4:6]}.{hts[6:8]}.{hts[8:]}"
        yield f"{row['id']},{number},{row['origin']},{day.month}/{day.day}/{day.year},{value},{row['mode']},{claim}\n".encode()


def _entries(table: pa.Table) -> Any:
    """Yield a book of entries of four lines."""
    yield b"Entry Number,Line,HTS,COO,Entry Date,Entered Value,Mode\n"
    for at, row in enumerate(table.to_pylist()):
        yield f"ABC-{at // 4:07}-0,{at % 4 + 1},{row['hts']},{row['origin']},{row['entry_date']},{row['value']}.50,{row['mode']}\n".encode()


def main(lines: int, paths: list[str], options: set[str]) -> None:
    """Run each path and print what it took."""
    tariff_engine.bulk.BulkAssessor = Canned  # type: ignore[misc,assignment]
    folder = Path(tempfile.gettempdir()) / "tariff-around"
    folder.mkdir(exist_ok=True)
    if "--profile" in options:
        open_engine(None).at()
    for path in paths:
        source, form = path.split(":")
        given = book(folder, source, lines)
        with tempfile.TemporaryDirectory(dir=folder) as into:
            out = Path(into, f"out.{form}")
            asked = Options(
                str(given),
                out,
                long=Path(into, f"long.{form}") if "--long" in options else None,
                report=Path(into, "report.html") if "--report" in options else None,
            )
            profile = cProfile.Profile(time.process_time) if "--profile" in options else None
            cpu, wall = time.process_time(), time.perf_counter()
            if profile:
                profile.enable()
            found = run(asked)
            if profile:
                profile.disable()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{path} {sorted(options)}: {cpu:.2f} s CPU, {cpu / lines * 1e6:.2f} us a line, {wall:.2f} s, {found['answered']:,} answered, {memory:.0f} MB",
                flush=True,
            )
            if profile:
                pstats.Stats(profile).sort_stats("tottime").print_stats(28)


if __name__ == "__main__":
    words = sys.argv[1:]
    main(int(words[0]), [one for one in words[1:] if ":" in one] or list(PATHS), {one for one in words if one.startswith("--")})
