"""The recipes of docs/spark.md for DuckDB and Polars are run as they are printed, and answer as the evaluator of batches does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from tariff_engine.bulk import BulkAssessor
from tariff_service.rulebook import open_engine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spark.md"
ROWS: list[tuple[Any, ...]] = [
    ("a", "E1", 1, "7318.15.20.10", "CN", "2025-08-15", "10000"),
    ("b", "E1", 2, "8471.30.01.00", "VN", "2025-08-15", "250000"),
    ("c", None, 1, "6109.10.00.12", "Atlantis", "2025-08-15", "900"),
    ("d", None, 1, "8703.23.01.90", "DE", "2025-08-15", "31000"),
]
LINES = pa.table(
    dict(zip(("id", "entry_number", "line", "hts", "origin", "entry_date", "value"), map(list, zip(*ROWS, strict=True)), strict=True))
)


def blocks(heading: str) -> list[str]:
    """Return the Python under a heading of the page."""
    text = PAGE.read_text(encoding="utf-8")
    (section,) = [part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(heading + "\n")]
    return re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    return list(BulkAssessor(open_engine(None).at()).reader(LINES.drop_columns(["line"]).to_batches()).read_all().to_pylist())


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the blocks of a section define, in a folder with the lines."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(LINES, "lines.parquet")
    found: dict[str, Any] = {}
    yield found
    if "connection" in found:  # its function holds these names, and they hold it
        found["connection"].remove_function("us_duty").close()
    found.clear()


def test_duckdb_reads_answers_as_a_table_and_asks_for_a_line_in_a_query(names: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    for block in blocks("From DuckDB"):
        exec(block, names)  # noqa: S102  the page is the project's own
    duties = {row["id"]: row["duty"] for row in expected}
    by_program = dict(names["by_program"].fetchall())
    assert sum(by_program.values()) == sum(duties.values())
    assert "base" in by_program or len(by_program) > 1
    assert dict(names["dearest"].fetchall()) == {**duties, "c": None}
    written = pq.read_table("answers.parquet", columns=["id", "duty", "total"]).to_pylist()
    assert written == [{name: row[name] for name in ("id", "duty", "total")} for row in expected]


def test_polars_reads_answers_as_a_frame_and_in_a_lazy_query(names: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    names["BulkAssessor"], names["known"] = BulkAssessor, open_engine(None).at()
    for block in blocks("From Polars"):
        exec(block, names)  # noqa: S102  the page is the project's own
    assert names["answers"].to_dicts() == expected
    by_origin = names["by_origin"]
    assert isinstance(by_origin, pl.DataFrame)
    assert dict(by_origin.iter_rows()) == {row["origin"]: row["duty"] for row in expected}
