"""On Spark, with a real Java and worker processes: the same bytes as one machine, whatever the partitions, and nothing lost."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest

from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, BulkAssessor
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.spark import Output, assess
from tariff_engine.testing import random_line, space
from tariff_service.rulebook import open_engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMAS: dict[Output, pa.Schema] = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}
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
    while len(rows) < 150:
        line = random_line(where, rng)
        if all(isinstance(value, PLAIN) for value in line.values()):
            rows.append(line)
    for entry in range(30):
        first = rows[entry]
        several = {
            "entry_date": date(2025, 8, 1 + entry % 28),
            "mode": rng.choice(("ocean", "air")),
            "entry_number": f"E{entry % 29}x{entry}",
        }
        rows += [
            {**several, "hts": rng.choice(where.codes), "origin": rng.choice(("CN", "VN", "DE")), "value": rng.randrange(300, 90_000)}
            for _ in range(rng.randrange(2, 6))
        ]
        if entry == 3:
            rows.append({**first, "entry_number": several["entry_number"]})
    rows[5]["origin"] = "Atlantis"
    rows[160]["hts"] = "none"
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


@pytest.mark.parametrize("partitions", [None, 2, 7])
@pytest.mark.parametrize("output", SCHEMAS)
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
    answered, rejected = (assess(df, output=output).select("id").toArrow().column("id").to_pylist() for output in ("summary", "rejected"))
    assert sorted([*answered, *rejected]) == sorted(lines.column("id").to_pylist())
    assert {"wrong_type", "contradictory_facts"} & set(assess(df, output="rejected").toArrow().column("code").to_pylist())
