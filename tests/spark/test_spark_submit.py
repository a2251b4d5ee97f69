"""`spark-submit`, as on a cluster, with the engine from its wheel. It starts a Java of its own, so the default profile leaves it out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from tariff_engine.bulk import SUMMARY_SCHEMA, BulkAssessor
from tariff_service.rulebook import open_engine

PROJECT = Path(__file__).resolve().parents[2]
LINE = {"hts": "7318.15.20.10", "origin": "CN", "entry_date": "2025-08-15", "value": "10000", "entry_number": "E1"}


def test_the_example_runs_under_spark_submit_from_the_wheel(tmp_path: Path) -> None:
    import pyspark  # noqa: PLC0415  it may not be installed

    build = [sys.executable, "-P", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=PROJECT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    engine = wheel.rename(tmp_path / "tariff_engine.zip")  # Spark's workers take no .whl
    lines = pa.Table.from_pylist([{"id": f"L{number}", **LINE} for number in range(5)])
    pq.write_table(lines, tmp_path / "lines.parquet")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = os.pathsep.join(path for path in paths if path and not Path(path).is_relative_to(PROJECT))
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": kept}
    options = ["--conf", "spark.ui.enabled=false", "--conf", "spark.driver.host=127.0.0.1", "--driver-memory", "600m"]
    submit = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", "local[2]", *options, "--py-files", str(engine)]
    script = tmp_path / "job.py"
    example = str(PROJECT / "examples" / "spark_job.py")
    script.write_text(
        f"import runpy, tariff_engine\nassert 'tariff_engine.zip' in tariff_engine.__file__\nrunpy.run_path({example!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [*submit, str(script), str(tmp_path / "lines.parquet"), str(tmp_path / "out")],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    schema = SUMMARY_SCHEMA.remove(0)
    found = pq.read_table(tmp_path / "out" / "summary").select(schema.names).cast(schema).sort_by("id")
    local = BulkAssessor(open_engine(None).at()).reader(lines.to_batches()).read_all().drop_columns(["row"])
    assert found.equals(local.sort_by("id"))
