"""The same question gives the same bytes: in another process, with another seed of hashing, after other questions."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import date
from decimal import Decimal

from tariff_engine.testing import Space, random_line

LINES = 60


def answers(rows: list[str], seed: int) -> list[str]:
    command = [sys.executable, "-m", "tariff_service.cli", "assess", "--jsonl", "-"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(command, input="\n".join(rows), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 2}, done.stderr
    return done.stdout.splitlines()


def test_answers_do_not_depend_on_the_process_or_on_what_was_asked_before(where: Space) -> None:
    rng, rows = random.Random(3), list[str]()
    for number in range(LINES):
        line = {"id": str(number), **random_line(where, rng)}
        rows.append(json.dumps({key: str(value) if isinstance(value, date | Decimal) else value for key, value in line.items()}))
    first, second = answers(rows, 1), answers(rows[::-1], 2)[::-1]
    for one, two in zip(first, second, strict=True):
        if "problem" not in json.loads(one):  # a problem names its row
            assert one == two
