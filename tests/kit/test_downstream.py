"""The sample suite of another system passes against a real server, and without a server says what is missing; the kit says it needs Hypothesis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.service.server import environment, running

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "examples" / "downstream"


def run(folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run the sample suite as its user would, in a process of its own."""
    env = {**environment(folder), "TARIFF_URL": url, "DOWNSTREAM_EXAMPLES": "3", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        "-c",
        os.devnull,
        f"--rootdir={SUITE}",
        str(SUITE),
    ]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_sample_suite_passes_against_a_server(tmp_path: Path) -> None:
    with running(tmp_path) as served:
        result = run(tmp_path, served.url)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert " passed" in result.stdout


def test_without_a_server_it_says_what_to_start(tmp_path: Path) -> None:
    result = run(tmp_path, "")
    assert result.returncode == 2
    assert "TARIFF_URL" in result.stdout + result.stderr


def test_without_hypothesis_the_invariants_serve_and_the_strategies_say_what_to_install(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["hypothesis"] = None
from tariff_engine.testing import Rulebook, check_line
line = {"hts": "9403608093", "origin": "VN", "entry_date": "2025-11-03", "value": 10000}
check_line(line, Rulebook.installed().ask(line))
try:
    from tariff_engine.testing import lines
except ImportError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], env=environment(tmp_path), capture_output=True, text=True, check=True)
    assert result.stdout.strip() == 'the strategies of tariff_engine.testing need Hypothesis: pip install "tariff-engine[testing]"'
