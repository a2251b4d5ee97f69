"""A store on each database, fresh for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.store.drafts import keep_small_book
from tests.store.postgres import Server, postgres_server

from tariff_service.store.store import AuditStore

__all__ = ["postgres_server"]

Opener = Callable[..., AuditStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a store that is not there yet, on each database."""
    if request.param == "sqlite":
        yield str(tmp_path / "audit.db")
        return
    server: Server = request.getfixturevalue("postgres_server")
    with server.database() as address:
        yield address


@pytest.fixture
def opener() -> Iterator[Opener]:
    """Return a way to open stores that are closed at the end of the test."""
    with ExitStack() as stack:

        def open_store(*args: object, **options: object) -> AuditStore:
            store = AuditStore.open(*args, **options)  # type: ignore[arg-type]
            stack.callback(store.close)
            return store

        yield open_store


@pytest.fixture
def store(url: str, opener: Opener) -> AuditStore:
    """Return an empty store that keeps the small rulebook, on each database."""
    found = opener(url)
    keep_small_book(found)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a SQLite store may be made."""
    return tmp_path / "audit.db"


@pytest.fixture
def lite(file: Path, opener: Opener) -> AuditStore:
    """Return an empty SQLite store that keeps the small rulebook."""
    found = opener(str(file))
    keep_small_book(found)
    return found
