"""The command as the tests call it: in this process where that is enough, as a process of its own where it is not."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tariff_service import rulebook
from tariff_service.cli import main

ROOT = Path(__file__).resolve().parents[2]
PATHS = os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))

# Footwear of Canada entered on 5 February 2025: announced at 25% on 1 February, called off on 3 February.
CANADIAN: dict[str, Any] = {"hts": "6403.99.60.15", "origin": "CA", "entry_date": "2025-02-05", "value": 10000, "mode": "truck"}
# Steel screws of China: three programs and an exemption.
SCREWS: dict[str, Any] = {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Tariff = Callable[..., Result]


@pytest.fixture
def canadian() -> dict[str, Any]:
    return dict(CANADIAN)


@pytest.fixture
def screws() -> dict[str, Any]:
    return dict(SCREWS)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> None:
    """Keep the user's own cache and terminal out of the tests."""
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(shared_cache / "python"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("TARIFF_CACHE_DIR", str(shared_cache))
    monkeypatch.delenv("TARIFF_CACHE", raising=False)
    monkeypatch.delenv("TARIFF_TRACEBACK", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PYTHONPATH", PATHS)


OPEN_BOOK, OPEN_ENGINE = cache(rulebook.open_book), cache(partial(rulebook.open_engine, keep=6))  # the installed rules are read once


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Let go of the rules that were read for this folder after its last test."""
    if nextitem is None or item.path.parent != nextitem.path.parent:
        OPEN_BOOK.cache_clear()
        OPEN_ENGINE.cache_clear()


@pytest.fixture
def tariff(monkeypatch: pytest.MonkeyPatch) -> Tariff:
    """Run the command in this process. Opening the installed rules is left to the tests that start a process."""
    open_book, open_engine = rulebook.open_book, rulebook.open_engine
    monkeypatch.setattr(rulebook, "open_book", lambda folder: open_book(folder) if folder else OPEN_BOOK(None))
    monkeypatch.setattr(rulebook, "open_engine", lambda folder: open_engine(folder) if folder else OPEN_ENGINE(None))

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        out, err = io.BytesIO(), io.BytesIO()
        with monkeypatch.context() as patch:
            streams = {
                "stdin": io.TextIOWrapper(io.BytesIO(stdin)),
                "stdout": io.TextIOWrapper(out, encoding="utf-8", write_through=True),
                "stderr": io.TextIOWrapper(err, encoding="utf-8", write_through=True),
            }
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            code = main(list(arguments))
            result = Result(code, out.getvalue().decode(), err.getvalue().decode())
        assert "Traceback" not in result.err + result.out
        return result

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command as a process of its own."""

    def start(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tariff_service.cli", *arguments], **streams)

    return start
