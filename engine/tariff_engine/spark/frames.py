"""What the driver does: look at the columns, keep the lines of an entry together and in order, send the rulebook, ask for the rows."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Literal, get_args

from tariff_engine.packed import archive
from tariff_engine.problems import ProblemError, refuse
from tariff_rules import ROOT

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
    from pyspark.sql import Column, DataFrame

    from tariff_engine.bulk import BulkAssessor
    from tariff_engine.engine import Engine, Knowledge

Output = Literal["summary", "long", "rejected"]
"""Which rows are wanted: one a line, one a line and heading, or one a line that could not be answered."""
INSTALL = "pip install 'tariff-engine[spark]'; Spark itself needs Java"
ENTRY, IDENTITY = "entry_number", "id"
_PLACE = "__tariff_place"  # where a line stood before its entry was brought together; gone before the engine sees the lines


def missing() -> str | None:
    """Return which package of the extra is not installed here, without loading any; None where all are."""
    for name in ("pyspark", "pandas", "pyarrow", "numpy"):  # PySpark runs no function on Arrow batches without pandas
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed"
    return None


def assess(
    df: DataFrame,
    *,
    output: Output = "summary",
    known_on: date | None = None,
    order: str | Sequence[str] = (),
    partitions: int | None = None,
    ranges: bool = True,
    rules: Traversable = ROOT,
) -> DataFrame:
    """Return the answers to the lines of a DataFrame: the rows of `tariff_engine.bulk` for the same lines on one machine, without `row`.

    Each column is a fact, or one of its other names; `id` names a line in what comes out. Lines with the same `entry_number` are one entry:
    they are brought into one partition, in the order of the columns `order`, else in that of the DataFrame. An `order` that is no fact is left
    out of the facts. `known_on` asks by the law as known on a day, `partitions` says into how many parts the lines are put (else Spark decides),
    `ranges` is that of `BulkAssessor`, `rules` is the folder of another rulebook. As everything in Spark this is lazy: it runs, for each
    output anew, when rows are asked for.

    Raises ProblemError for what would go wrong with every line: `spark_missing`, `spark_connect`, `unknown_output`, `id_missing`,
    `unknown_column` (of `order`), `unknown_fact` and `fact_missing` (columns), and what `tariff_engine.bulk` says of their types.
    """
    reason = missing()
    if reason:
        raise refuse("spark_missing", "spark", reason, INSTALL)
    from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, BulkAssessor  # noqa: PLC0415  an extra
    from tariff_engine.spark.job import Task, engine_code, run  # noqa: PLC0415

    if output not in get_args(Output):
        raise refuse("unknown_output", "output", f"there is no output {output!r}", f"ask for one of {', '.join(get_args(Output))}")
    context = _context(df)
    book = _sent(rules)
    knowledge = book.engine.at(known_on)
    lines = _together(df, knowledge, [order] if isinstance(order, str) else list(order), partitions)
    _check(lines.facts, knowledge, BulkAssessor(knowledge))
    wanted = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}[output]
    schema = wanted.remove(wanted.get_field_index("row"))  # a DataFrame has no numbers of rows
    task = Task(book.rulebook, engine_code(), known_on, output, ranges, schema)
    rules_sent = context.broadcast(book.content)

    def job(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return run(task, lambda: rules_sent.value, batches)

    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415

    return lines.frame.mapInArrow(job, from_arrow_schema(schema))


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines as they go to the executors, and the Arrow schema of their facts."""

    frame: DataFrame
    facts: pa.Schema


@dataclass(frozen=True, slots=True)
class _Sent:
    """A rulebook to be sent: its id, the bytes of its archive, and its law, by which the driver judges the columns."""

    rulebook: str
    content: bytes
    engine: Engine


def _context(df: DataFrame) -> Any:
    """Return what can broadcast. Raises ProblemError `spark_connect` where the session cannot."""
    from pyspark.errors import PySparkException  # noqa: PLC0415  an extra

    try:
        return df.sparkSession.sparkContext
    except (PySparkException, AttributeError):
        message = "Spark Connect has no broadcast, by which the rulebook reaches the executors"
        raise refuse("spark_connect", "df", message, "run the job with spark-submit, or from a session of its own") from None


def _sent(rules: Traversable) -> _Sent:
    return _packed(archive(rules))


@lru_cache(maxsize=2)
def _packed(content: bytes) -> _Sent:
    from tariff_engine.spark.job import engine_of, read_book  # noqa: PLC0415

    book, root = read_book(content)
    return _Sent(book.id, content, engine_of(book, root))


def _together(df: DataFrame, knowledge: Knowledge, order: list[str], partitions: int | None) -> Lines:
    """Return the lines with those of an entry in one partition, in order, and no column that is no fact of a line but its id and entry."""
    from pyspark.sql import functions as f  # noqa: PLC0415  an extra
    from pyspark.sql.pandas.types import to_arrow_schema  # noqa: PLC0415

    for name in order:
        if name not in df.columns:
            raise refuse(
                "unknown_column", name[:60], f"order names {name[:60]}, which is no column", f"name some of {', '.join(df.columns)[:300]}"
            )
    extra = {problem.field for problem in knowledge.reader.wrong_names(order) if problem.code == "unknown_fact"} - {IDENTITY, ENTRY}
    columns = [_column(name) for name in df.columns if name not in extra]
    if ENTRY in df.columns:
        entry = _column(ENTRY).cast("string")
        apart = f.coalesce(entry, f.col(_PLACE).cast("string"))  # a line without an entry number is an entry alone: those are spread
        placed = df.withColumn(_PLACE, f.monotonically_increasing_id())
        brought = placed.repartition(apart) if partitions is None else placed.repartition(partitions, apart)
        df = brought.sortWithinPartitions(entry, *map(_column, order), _PLACE)
    elif partitions is not None:
        df = df.repartition(partitions)
    kept = df.select(*columns)
    return Lines(kept, to_arrow_schema(kept.schema))


def _column(name: str) -> Column:
    from pyspark.sql import functions as f  # noqa: PLC0415  an extra

    return f.col("`" + name.replace("`", "``") + "`")  # a dot in a name is no field of a struct


def _check(schema: pa.Schema, knowledge: Knowledge, assessor: BulkAssessor) -> None:
    """Refuse columns with which no line could be answered: before the job, not after it. Raises ProblemError."""
    if IDENTITY not in schema.names:
        fix = "name every line in a column id, such as the entry number with the number of the line"
        raise refuse("id_missing", IDENTITY, "there is no column id: rows of answers come in no order, and could not be told apart", fix)
    import pyarrow as pa  # noqa: PLC0415  an extra

    assessor.assess(pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema))
    wrong = knowledge.reader.wrong_names(name for name in schema.names if name not in {IDENTITY, ENTRY})
    if wrong:
        raise ProblemError(replace(wrong[0], also=tuple(wrong[1:])))
