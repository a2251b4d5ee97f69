"""On Spark, with a real Java and worker processes: the same bytes as one machine, whatever the partitions, and nothing lost."""

from __future__ import annotations

import random
import re
import runpy
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, BulkAssessor
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.problems import ProblemError
from tariff_engine.spark import Output, assess
from tariff_engine.testing import random_line, space
from tariff_rules import ROOT
from tariff_service.rulebook import open_engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMAS: dict[Output, pa.Schema] = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}
PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT / "examples" / "spark_job.py"
SMALLEST_FEE = ("32.71,634.62", "33.99,634.62")
PLAIN = (str, int, Decimal, date)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return open_engine(None)


@pytest.fixture(scope="module")
def known(engine: Engine) -> Knowledge:
    return engine.at()


@pytest.fixture(scope="module")
def lines(known: Knowledge) -> pa.Table:
    """Lines alone, entries of two to five lines, an entry that cannot be read as one, and lines with a wrong fact."""
    rng, where = random.Random(7), space(known)
    rows: list[dict[str, Any]] = []
    while len(rows) < 60:
        line = random_line(where, rng)
        if all(isinstance(value, PLAIN) for value in line.values()):
            rows.append(line)
    for entry in range(12):
        several = {
            "entry_date": date(2025, 8, 1 + entry % 28),
            "mode": rng.choice(("ocean", "air")),
            "entry_number": f"E{entry % 11}x{entry}",
        }
        rows += [
            {**several, "hts": rng.choice(where.codes), "origin": rng.choice(("CN", "VN", "DE")), "value": rng.randrange(300, 90_000)}
            for _ in range(rng.randrange(2, 6))
        ]
        if entry == 3:
            rows.append({**rows[-1], "entry_date": date(2025, 9, 30)})
    rows[5]["origin"] = "Atlantis"
    rows[80]["hts"] = "none"
    rng.shuffle(names := [f"L{number:04}" for number in range(len(rows))])
    names_of_columns = dict.fromkeys(["id", "line", "entry_number", *(name for row in rows for name in row)])
    text = [{name: _text(row.get(name)) for name in names_of_columns} | {"id": name} for row, name in zip(rows, names, strict=True)]
    schema = pa.schema([(name, pa.int32() if name == "line" else pa.string()) for name in names_of_columns])
    return pa.Table.from_pylist([{**row, "line": number} for number, row in enumerate(text)], schema)


def _text(value: object) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def local(known: Knowledge, lines: pa.Table, output: Output) -> bytes:
    """Return what one machine answers, as Arrow bytes."""
    facts = lines.drop_columns(["line"]) if "line" in lines.column_names else lines
    return as_bytes(BulkAssessor(known).reader(facts.to_batches(max_chunksize=64), output).read_all(), output)


def as_bytes(found: pa.Table, output: Output) -> bytes:
    """Return rows as the bytes of an Arrow file: by id, in the order of the schema, without numbers of rows."""
    schema = SCHEMAS[output].remove(0)
    table = found.select(schema.names).cast(schema).sort_by([(name, "ascending") for name in ("id", "place") if name in schema.names])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def frame(spark: SparkSession, lines: pa.Table) -> DataFrame:
    return spark.createDataFrame(lines)


@pytest.mark.parametrize(("output", "partitions"), [("summary", None), ("summary", 7), ("long", 2), ("rejected", 7)])
def test_spark_answers_the_same_bytes_as_one_machine(
    spark: SparkSession, known: Knowledge, lines: pa.Table, output: Output, partitions: int | None
) -> None:
    df = frame(spark, lines.drop_columns(["line"]))
    found = assess(df, output=output, partitions=partitions).toArrow()
    assert found.num_rows > 0
    assert as_bytes(found, output) == local(known, lines, output)


def test_lines_that_lie_about_in_any_order_are_put_into_that_of_a_column(spark: SparkSession, known: Knowledge, lines: pa.Table) -> None:
    shuffled = lines.take(random.Random(3).sample(range(lines.num_rows), lines.num_rows))
    df = frame(spark, shuffled).repartition(5)
    assert as_bytes(assess(df, order="line", partitions=3).toArrow(), "summary") == local(known, lines, "summary")
    assert as_bytes(assess(frame(spark, shuffled), output="long", order=["entry_date", "line"]).toArrow(), "long") == local(
        known, lines, "long"
    )


def test_no_line_is_lost_each_is_answered_or_rejected_once(spark: SparkSession, lines: pa.Table) -> None:
    df = frame(spark, lines.drop_columns(["line"]))
    answered = assess(df).select("id").toArrow().column("id").to_pylist()
    rejected = assess(df, output="rejected").toArrow()
    assert sorted([*answered, *rejected.column("id").to_pylist()]) == sorted(lines.column("id").to_pylist())
    assert set(rejected.column("code").to_pylist()) >= {"wrong_type", "contradictory_facts"}


def test_lines_without_entries_are_answered_where_they_are(spark: SparkSession, known: Knowledge, lines: pa.Table) -> None:
    alone = lines.drop_columns(["line", "entry_number"])
    found = assess(frame(spark, alone))
    assert "Exchange" not in plan(found)
    assert "Exchange" in plan(assess(frame(spark, lines), order="line"))
    assert as_bytes(found.toArrow(), "summary") == local(known, alone, "summary")


def plan(df: DataFrame) -> str:
    return str(cast("Any", df)._jdf.queryExecution().toString())  # noqa: SLF001  what `explain` prints


def test_executors_answer_by_the_bytes_sent_though_the_folder_is_gone(
    spark: SparkSession, known: Knowledge, lines: pa.Table, tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(str(ROOT), folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    fees = folder / "mpf.csv"
    fees.write_text(fees.read_text(encoding="utf-8").replace(*SMALLEST_FEE), encoding="utf-8")
    other = open_engine(folder).at()
    answers = assess(frame(spark, lines.drop_columns(["line"])), rules=folder, partitions=1)
    shutil.rmtree(folder)
    found = as_bytes(answers.toArrow(), "summary")
    assert found == local(other, lines, "summary")
    assert found != local(known, lines, "summary")


@pytest.mark.parametrize(
    ("columns", "options", "code", "field", "fix"),
    [
        ({"orgin": "CN", "origin": "CN"}, {}, "unknown_fact", "orgin", "did you mean origin?"),
        ({"value": None}, {}, "fact_missing", "value", "send value"),
        ({"value": 10.5}, {}, "inexact_number", "value", "decimal128(18, 2)"),
        ({"id": None}, {}, "id_missing", "id", "name every line"),
        ({}, {"order": "number"}, "unknown_column", "number", "name some of id"),
        ({}, {"output": "all"}, "unknown_output", "output", "summary, long, rejected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_go_wrong_with_every_line_is_told_before_the_job_by_column_and_fix(
    spark: SparkSession, columns: dict[str, Any], options: dict[str, Any], code: str, field: str, fix: str
) -> None:
    row = {"id": "a", "hts": "7318.15.20.10", "origin": "CN", "entry_date": "2025-08-15", "value": "10000"} | columns
    df = frame(spark, pa.Table.from_pylist([{name: value for name, value in row.items() if value is not None}]))
    with pytest.raises(ProblemError) as raised:
        assess(df, **options)
    problem = raised.value.problem
    assert (problem.code, problem.field) == (code, field)
    assert fix in problem.fix


def test_a_session_without_broadcast_is_refused() -> None:
    class Connected:
        """As far as a DataFrame of Spark Connect is like others."""

        columns = ("id",)

        class sparkSession:  # noqa: N801  so it is called
            """It has no context."""

    with pytest.raises(ProblemError, match="Spark Connect"):
        assess(cast("Any", Connected()))


def test_a_column_whose_name_has_a_dot_is_told_as_it_is(spark: SparkSession) -> None:
    with pytest.raises(ProblemError, match=r"hts\.code"):
        assess(frame(spark, pa.table({"id": ["a"], "hts.code": ["7318.15.20.10"], "entry_number": ["E"]})))


# ---------------------------------------------------------------- the page and the example
def test_the_first_lines_of_the_page_run(spark: SparkSession, known: Knowledge, lines: pa.Table, tmp_path: Path) -> None:
    section = (PROJECT / "docs" / "spark.md").read_text(encoding="utf-8").split("\n## ")[1]
    (block,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    pq.write_table(lines.drop_columns(["line"]), tmp_path / "lines.parquet")
    exec(re.sub(r'"(\w+\.parquet)"', lambda name: repr(str(tmp_path / name[1])), block), {"spark": spark})  # noqa: S102  the page is the project's own
    assert as_bytes(pq.read_table(tmp_path / "summary.parquet"), "summary") == local(known, lines, "summary")


def test_the_example_writes_all_three_outputs_by_the_law_of_a_day_of_knowledge(
    spark: SparkSession, engine: Engine, lines: pa.Table, tmp_path: Path
) -> None:
    assert spark.version  # the example takes the session that there is
    pq.write_table(lines.drop_columns(["line"]), tmp_path / "lines.parquet")
    runpy.run_path(str(EXAMPLE))["main"](str(tmp_path / "lines.parquet"), str(tmp_path / "out"), "2025-02-03")
    assert local(engine.at(date(2025, 2, 3)), lines, "summary") != local(engine.at(), lines, "summary")
    for output in SCHEMAS:
        assert as_bytes(pq.read_table(tmp_path / "out" / output), output) == local(engine.at(date(2025, 2, 3)), lines, output)
