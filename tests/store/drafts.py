"""Drafts, a small rulebook to store with them, and processes that work on a store."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tariff_engine.notation.load import load_book
from tariff_service.store.ids import new_id
from tariff_service.store.records import Draft
from tariff_service.store.rulebooks import archive
from tariff_service.store.store import AuditStore

ROOT = Path(__file__).resolve().parents[2]
SMALL_BOOK = ROOT / "tests" / "notation" / "good"
PERSONAL = frozenset({"consignee"})
_PATHS = os.pathsep.join([*(str(ROOT / name) for name in ("rules", "engine", "service")), str(ROOT)])


@cache
def small_book() -> tuple[str, str, str, bytes]:
    """Return a small rulebook as a store keeps it."""
    book = load_book(SMALL_BOOK)
    return book.id, book.edition, book.horizon.until.isoformat(), archive(SMALL_BOOK)


def keep_small_book(store: AuditStore) -> None:
    """Keep the rulebook that drafts name."""
    store.keep_rulebook(*small_book())


def draft(number: int = 0, **changes: Any) -> Draft:
    """Return a draft with a consignee, unlike every other one."""
    made = Draft(
        caller="broker",
        rulebook=small_book()[0],
        engine="1.0",
        known_on=None,
        explain="full",
        request=b'{"consignee": "Jane Doe %d", "lines": [{"hts": "1"}]}' % number,
        request_type="application/json",
        answer=b'{"duty":"%d.00"}\n' % number,
        entry_id=f"entry-{number}",
        entry_date="2025-06-04",
        personal=PERSONAL,
        id=new_id(),
    )
    return replace(made, **changes)


def child(code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a process that runs Python code with the project and `tests.store.drafts` at hand."""
    environment = {**os.environ, "PYTHONPATH": _PATHS}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(process: subprocess.Popen[str], wait: float = 60) -> str:
    """Wait for a process to end well, and return what it wrote."""
    out, err = process.communicate(timeout=wait)
    assert process.returncode == 0, err
    return out
