"""The tables come to be by migrations alone, on both databases, and are what the code takes them for."""

from __future__ import annotations

import subprocess
import sys
import threading

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select
from tests.store.conftest import Opener
from tests.store.drafts import draft

from tariff_service.store import schema
from tariff_service.store.log import _COLUMNS
from tariff_service.store.records import GENESIS, HEADER, REMOVABLE, Head
from tariff_service.store.store import AuditStore
from tariff_service.store.tables import api_keys, metadata


def test_a_store_comes_to_be_from_nothing(url: str, opener: Opener) -> None:
    store = opener(url)
    assert store.head() == Head(0, GENESIS)
    with store.reading() as connection:
        assert schema.version(connection) == schema.scripts().get_current_head()
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_migrations_make_the_tables_that_the_code_declares(store: AuditStore) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_every_column_is_hashed_or_removable_and_none_is_forgotten() -> None:
    assert set(_COLUMNS) == {*HEADER, "hash", *REMOVABLE}


def test_opening_again_changes_nothing_and_threads_that_open_at_once_agree(url: str, opener: Opener) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            opener(url, patience=60.0).append([draft()])  # that they agree is the matter, not how fast the machine is
        except BaseException as error:  # noqa: BLE001  told by the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert opener(url).head().seq == 4


def test_keys_of_callers_live_in_the_same_store(store: AuditStore) -> None:
    row = {"id": "k1", "caller": "c", "name": "n", "secret_sha256": "x", "scopes": "read", "created_at": "2026-01-01T00:00:00.000000Z"}
    with store.writing() as connection:
        connection.execute(insert(api_keys), [row])
    with store.reading() as connection:
        found = connection.execute(select(api_keys)).mappings().one()
    assert {**found} == {**row, "rate_per_minute": None, "expires_at": None, "revoked_at": None, "replaced_by": None}


def test_a_store_that_is_current_is_opened_without_the_tool_that_changes_tables(url: str, opener: Opener) -> None:
    """The start of a server must stay fast."""
    assert schema.scripts().get_current_head() == schema.CURRENT
    opener(url).close()
    code = "import sys; from tariff_service.store.store import AuditStore; AuditStore.open(sys.argv[1]).close(); print('alembic' in sys.modules)"
    command = [sys.executable, "-c", code, url]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout == "False\n"
