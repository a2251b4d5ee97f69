"""The second engine under test. Where it is not installed its tests are not collected, and the summary says so; where it is required that fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.durable.worker import INSTALL, Worker, missing
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book

REQUIRED = os.environ.get("TARIFF_REQUIRE_DURABLE", "") not in {"", "0"}
ABSENT = missing()
collect_ignore = ["test_same_answers.py", "test_workers.py", "test_assess_by_durable.py"] if ABSENT and not REQUIRED else []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say plainly that a proof did not run."""
    if ABSENT:
        terminalreporter.write_line(f"{ABSENT}: the proofs by a second engine did NOT run ({INSTALL})", yellow=True)


@pytest.fixture(scope="session")
def worker(book: Book) -> Iterator[Worker]:
    with Worker(ROOT, book.id) as made:
        yield made
