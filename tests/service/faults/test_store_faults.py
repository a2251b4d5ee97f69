"""The store fails under the service: a typed refusal instead of an answer that is on no record, and nothing lost once it is mended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings
from tariff_service.store.faults import StoreError
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify

PATH = "/v1/assessments"
LINE: dict[str, Any] = {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}


@contextmanager
def every_connection(store: AuditStore, *statements: str) -> Iterator[None]:
    """Make every connection of a store execute statements first, and forget them with the block."""

    def spoil(connection: Any, _record: object) -> None:
        for statement in statements:
            connection.execute(statement).close()

    event.listen(store.engine, "connect", spoil)
    store.refresh()
    yield
    event.remove(store.engine, "connect", spoil)
    store.refresh()


@contextmanager
def full_disk(store: AuditStore) -> Iterator[None]:
    """SQLite refuses to grow the file, as it does when the disk is full."""
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with every_connection(store, f"PRAGMA max_page_count = {pages}"):
        yield


@contextmanager
def read_only(store: AuditStore) -> Iterator[None]:
    with every_connection(store, "PRAGMA query_only = ON"):
        yield


@contextmanager
def locked(store: AuditStore) -> Iterator[None]:
    """Another program holds the database."""
    other = AuditStore.open(store.name)
    with other.writing():
        yield
    other.close()


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Settings(store=str(tmp_path / "audit.db"), log_level="error"))


@pytest.mark.parametrize(
    ("fault", "tries", "status", "code"),
    [(full_disk, 4, 507, "store_full"), (read_only, 1, 503, "store_read_only"), (locked, 1, 503, "store_locked")],
)
def test_a_store_that_fails_costs_no_acknowledged_record(app: FastAPI, fault: Any, tries: int, status: int, code: str) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        store = app.state.service.store
        kept = [client.post(PATH, json={**LINE, "value": value}).headers["location"] for value in range(1, 4)]
        with fault(store):
            refused = [
                client.post(PATH, json={**LINE, "value": value}) for value in range(10, 10 + tries)
            ]  # the last page may have had room
            not_stored = client.post(PATH, params={"store": "false"}, json=LINE)
            read = client.get(kept[0])
        assert (refused[-1].status_code, refused[-1].json()["code"]) == (status, code)
        assert refused[-1].json()["errors"][0]["fix"]
        assert refused[-1].headers["retry-after"]
        assert not_stored.status_code == 200
        assert read.status_code == 200
        kept += [response.headers["location"] for response in refused if response.status_code == 201]
        kept.append(client.post(PATH, json=LINE).headers["location"])
        assert [client.get(place).status_code for place in kept] == [200] * len(kept)
        report = verify(store)
        assert report.ok, report.findings
        assert report.records == len(kept)


def test_a_damaged_page_is_told_and_never_taken_for_an_answer(app: FastAPI, tmp_path: Path) -> None:
    with TestClient(app, base_url="http://localhost") as client:
        places = [client.post(PATH, json={**LINE, "value": value}).headers["location"] for value in range(1, 30)]
    file = tmp_path / "audit.db"
    content = bytearray(file.read_bytes())
    for page in range(len(content) // 8192 * 4096, len(content), 4096):  # the second half: the last records
        content[page : page + 200] = os.urandom(200)
    file.write_bytes(content)
    with TestClient(
        create_app(Settings(store=str(file), log_level="error")), base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        answers = [client.get(place) for place in places]
        codes = {answer.status_code for answer in answers}
    assert 503 in codes
    assert {answer.json()["code"] for answer in answers if answer.status_code == 503} == {"store_damaged"}
    store = AuditStore.open(str(file))
    assert not whole(store)
    store.close()


def whole(store: AuditStore) -> bool:
    """Whether a store can be read to its end, and is what its chain says."""
    try:
        return verify(store).ok
    except StoreError as error:
        assert error.code == "store_damaged"  # noqa: PT017  either way of finding out will do
        return False


def test_a_clock_that_jumps_back_changes_no_order_and_is_noted(tmp_path: Path) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    clock = iter(now + timedelta(days=days) for days in (0, 1, -400, 2, 3, 4, 5, 6, 7, 8))
    path = str(tmp_path / "audit.db")
    app = create_app(Settings(store=path, log_level="error"))
    with TestClient(app, base_url="http://localhost") as client:
        store = app.state.service.store
        store._clock = lambda: next(clock)  # noqa: SLF001  the clock of the machine, as the store sees it
        made = [client.post(PATH, json={**LINE, "value": value}).headers["location"].rpartition("/")[2] for value in (1, 2, 3, 4)]
        listed = [item["id"] for item in client.get(PATH).json()["items"]]
        assert listed == made[::-1]
        report = verify(store)
        assert report.ok
        assert report.notes == 1
