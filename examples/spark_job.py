"""Assess lines in Parquet on Spark: a row a line into OUT/summary, a row a line and heading into OUT/long, what has no answer into OUT/rejected.

spark-submit examples/spark_job.py LINES OUT [DAY]

DAY (YYYY-MM-DD) asks by the law as it was known on that day. docs/spark.md tells of clusters.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import PurePosixPath

from pyspark.sql import SparkSession

from tariff_engine.spark import assess


def main(lines: str, out: str, day: str = "") -> None:
    spark = SparkSession.builder.appName("tariff").getOrCreate()
    read = spark.read.parquet(lines)
    known_on = date.fromisoformat(day) if day else None
    for output in ("summary", "long", "rejected"):
        assess(read, output=output, known_on=known_on).write.parquet(str(PurePosixPath(out) / output))


if __name__ == "__main__":
    main(*sys.argv[1:])
