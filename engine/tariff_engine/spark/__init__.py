"""Lines on a Spark cluster: a DataFrame in, a DataFrame out, the answers of one machine to the byte (docs/spark.md).

`assess` is the door. `frames` is what runs in the driver: it looks at the columns, keeps the lines of an entry together and in order, and
sends the rulebook to the executors. `job` is what runs in their Python workers: it builds the law from the bytes that were sent, once in a
process, and is the same evaluator as everywhere. PySpark is an extra (`spark`) and is loaded when `assess` is called, not before.
"""

from __future__ import annotations

from tariff_engine.spark.frames import Output, assess, missing

__all__ = ["Output", "assess", "missing"]
