"""The shipments in examples/ and their printed answers: what a newcomer sees is what the engine says.

`TARIFF_RENEW_EXAMPLES=1 python3 run.py test tests/examples` prints them anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ANSWERS = EXAMPLES / "answers"
SHIPMENTS = sorted(path.name for path in EXAMPLES.glob("*.yaml"))
RENEW = bool(os.environ.get("TARIFF_RENEW_EXAMPLES"))
KNOWN = {"canadian-entry-of-5-february.yaml": ("2025-02-02", "2025-02-04")}  # also answered as known on these days


def printed(*arguments: str, given: str = "") -> str:
    """Run the command as a newcomer does, in examples/, on a page of 100 columns."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "tariff_service.cli", *arguments]
    done = subprocess.run(
        command, cwd=EXAMPLES, env=environment, input=given, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


def holds(name: str, text: str) -> None:
    path = ANSWERS / name
    if RENEW:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPMENTS)
def test_the_printed_answer_is_the_answer(name: str) -> None:
    holds(name.replace(".yaml", ".txt"), printed("assess", name, "--no-json"))


@pytest.mark.parametrize(("name", "day"), [(name, day) for name, days in KNOWN.items() for day in days])
def test_the_printed_answer_as_known_on_a_day_is_the_answer(name: str, day: str) -> None:
    holds(name.replace(".yaml", f".known-on-{day}.txt"), printed("assess", name, "--no-json", "--known-on", day))


def test_the_parcels_from_shenzhen_are_answered_row_by_row() -> None:
    holds("shenzhen-parcels.jsonl", printed("assess", "--jsonl", "--explain", "none", "shenzhen-parcels.jsonl"))


def test_every_example_is_told_in_the_readme() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in [*SHIPMENTS, "shenzhen-parcels.jsonl"] if name not in readme] == []


def test_there_are_answers_for_the_examples_and_for_nothing_else() -> None:
    wanted = {name.replace(".yaml", ".txt") for name in SHIPMENTS} | {"shenzhen-parcels.jsonl"}
    wanted |= {name.replace(".yaml", f".known-on-{day}.txt") for name, days in KNOWN.items() for day in days}
    assert {path.name for path in ANSWERS.iterdir()} == wanted
