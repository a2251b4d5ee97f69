"""Law books for the tests of authors' commands: the small invented one with changes, and the command run in this process."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tariff_rules import ROOT
from tariff_service.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = REPOSITORY / "tests" / "notation" / "good"
Edit = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Tariff = Callable[..., Result]
Changed = Callable[..., Path]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's own cache, store and terminal out of the tests."""
    monkeypatch.setenv("TARIFF_CACHE", "0")
    monkeypatch.setenv("TARIFF_STORE", str(tmp_path_factory.getbasetemp() / "none.db"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def tariff(monkeypatch: pytest.MonkeyPatch) -> Tariff:
    """Run the command in this process."""

    def run(*arguments: Any, stdin: bytes = b"") -> Result:
        out, err = io.BytesIO(), io.BytesIO()
        with monkeypatch.context() as patch:
            streams = {
                "stdin": io.TextIOWrapper(io.BytesIO(stdin)),
                "stdout": io.TextIOWrapper(out, encoding="utf-8", write_through=True),
                "stderr": io.TextIOWrapper(err, encoding="utf-8", write_through=True),
            }
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            code = main([str(argument) for argument in arguments])
        result = Result(code, out.getvalue().decode(), err.getvalue().decode())
        assert "Traceback" not in result.err + result.out
        return result

    return run


_FRAME = ("fees.yaml", "mpf.csv")
_ENTERED = """- {id: D2, from: 2020-01-01, subject: over_limit, over: "$800", result: entry_required, entry: ace, says: Others are entered., cite: TEST 302, confidence: high}
"""


def complete(folder: Path, *edits: Edit) -> Path:
    """Copy the small book with the fees of the installed one, so that it answers whole entries of any value; edit the copy."""
    edited(SMALL, folder, *edits)
    for name in _FRAME:
        shutil.copyfile(Path(str(ROOT)) / name, folder / name)
    gate = folder / "de_minimis.yaml"
    gate.write_text(gate.read_text(encoding="utf-8").rstrip("\n") + "\n" + _ENTERED, encoding="utf-8")
    frame = folder / "book.yaml"
    frame.write_text(frame.read_text(encoding="utf-8").replace("until: 2024-12-31", "until: 2026-12-31"), encoding="utf-8")
    return folder


def edited(source: Path, folder: Path, *edits: Edit) -> Path:
    """Copy a folder of rules and replace texts in it, each where it first stands."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in edits:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Changed:
    """Make a copy of the small book with texts replaced: `small("name", (file, text, other), ...)`."""
    return lambda name, *edits: edited(SMALL, tmp_path / name, *edits)


@pytest.fixture
def whole(tmp_path: Path) -> Changed:
    """Make a copy of the installed book with texts replaced."""
    return lambda name, *edits: edited(Path(str(ROOT)), tmp_path / name, *edits)
