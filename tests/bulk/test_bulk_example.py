"""The file in examples/ as a newcomer runs it: with the real evaluator, in one process and in two, and what the guide says of it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from tariff_engine.entry import assess_entry
from tariff_service.rulebook import open_engine

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "broker-extract.csv"


def tariff(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command as a process of its own."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))
    environment = {**os.environ, "PYTHONPATH": paths, "TARIFF_BULK_PIECE": "300"}
    command = [sys.executable, "-m", "tariff_service.cli", "bulk", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_the_example_is_answered_line_by_line_as_assess_does_and_alike_in_two_processes(tmp_path: Path) -> None:
    code, out = tariff(tmp_path, str(EXAMPLE), "duties.csv", "--long", "headings.jsonl")
    found = json.loads(out)
    assert (code, found["answered"], found["rejected_by"]) == (2, 5, {"wrong_type": 1})
    assert found["notes_by"] == {"hts_zero_added": 1, "row_below_table": 2}
    assert found["input"]["not_read"] == ["PO Reference"]
    lines = list(csv.DictReader((tmp_path / "duties.csv").read_text(encoding="utf-8").splitlines()))
    facts = {
        "ABC-0000001-0/1": {"hts": "7318.15.20.61", "origin": "CN", "value": "10000.00"},
        "ABC-0000001-0/2": {"hts": "6403.99.60.15", "origin": "VN", "value": "2500.00"},
    }
    entry = {"entry_date": "2025-09-10", "mode": "ocean", "lines": [{"id": name, **line} for name, line in facts.items()]}
    answer = assess_entry(open_engine(None).at(), entry, "none")
    assert [(line["id"], line["duty"]) for line in answer["lines"]] == [(line["id"], line["duty"]) for line in lines[:2]]
    assert (lines[0]["mpf"], lines[0]["hmf"]) == (answer["fees"]["mpf"], answer["fees"]["hmf"])
    code, _ = tariff(tmp_path, str(EXAMPLE), "again.csv", "--long", "again.jsonl", "--jobs", "2")
    assert code == 2
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "duties.csv").read_bytes()
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "headings.jsonl").read_bytes()


def test_the_example_stands_in_the_readme_of_the_examples() -> None:
    assert EXAMPLE.name in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
