"""One Spark session for all its tests, in a Java of its own that ends with them. Without Spark they are not collected, and the summary says so.

Where it is required (TARIFF_REQUIRE_SPARK) its absence fails instead.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.spark import missing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REQUIRED = os.environ.get("TARIFF_REQUIRE_SPARK", "") not in {"", "0"}
_HOME = os.environ.get("JAVA_HOME")
_JAVA = shutil.which("java", path=str(Path(_HOME) / "bin")) if _HOME else shutil.which("java")
ABSENT = missing() or (None if _JAVA else "there is no Java")
LONG = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"  # spark-submit starts a Java of its own
_needed = ["test_spark.py", "test_spark_submit.py"]
collect_ignore = _needed if ABSENT and not REQUIRED else [] if LONG else _needed[1:]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say plainly that a proof did not run."""
    if ABSENT:
        terminalreporter.write_line(
            f"{ABSENT}: the proofs on Spark did NOT run (pip install 'tariff-engine[spark]', and Java)", yellow=True
        )


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    assert not ABSENT, ABSENT
    from pyspark import SparkContext  # noqa: PLC0415  it may not be installed
    from pyspark.sql import SparkSession  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # the workers run what runs the tests
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        log = folder / "log4j2.properties"
        log.write_text("rootLogger.level = off\n", encoding="utf-8")
        options = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "600m",
            "spark.driver.extraJavaOptions": f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.configurationFile={log.as_uri()}",
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "3",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "40",  # so that batches cut entries
        }
        builder = SparkSession.builder.master("local[2]").appName("tests of tariff-engine")
        for name, value in options.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        gateway: Any = SparkContext._gateway  # noqa: SLF001  PySpark has no other way to end the Java that it starts
        try:
            yield session
        finally:
            session.stop()
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(timeout=60)
            SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
