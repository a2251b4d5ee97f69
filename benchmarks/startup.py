"""Time `tariff assess` on one line as a process: the first time (an empty cache) and warm."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
LINE = json.dumps({"id": "1", "hts": "8703.23.01.90", "origin": "CA", "entry_date": "2025-04-10", "value": 30000, "mode": "truck"})


def run(cache: Path) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "tariff_service.cli", "assess", "-"]
    subprocess.run(command, input=LINE, text=True, capture_output=True, check=True, env={**os.environ, "TARIFF_CACHE_DIR": str(cache)})
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = [run(Path(folder) / str(n)) for n in range(3)]
        warm = [run(Path(folder) / "0") for _ in range(ROUNDS)]
    print(f"first time {statistics.median(first):.2f} s   warm {statistics.median(warm):.2f} s   (medians)")


if __name__ == "__main__":
    main()
