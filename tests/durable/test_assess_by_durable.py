"""`tariff assess --engine durable`: the same bytes as by default."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tariff(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    paths = os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))
    command = [sys.executable, "-m", "tariff_service.cli", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, "PYTHONPATH": paths}, check=False, timeout=300)


def test_rows_have_the_same_answers_and_the_same_problems() -> None:
    good = {"hts": "7318152061", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
    rows = "\n".join(json.dumps(row) for row in (good, {**good, "origin": "China"}, {"hts": 1}, good | {"value": 800}))
    one = tariff("assess", "--jsonl", stdin=rows.encode())
    two = tariff("assess", "--jsonl", "--engine", "durable", stdin=rows.encode())
    assert one.returncode == two.returncode == 2
    assert one.stdout == two.stdout
