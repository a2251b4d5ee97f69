"""Where a store is, and how to connect to it: SQLite in a file of the user, or a PostgreSQL server, both so that a commit is on disk."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from tariff_service.store.faults import StoreError

PATIENCE = 5.0  # seconds to wait for a lock that another program holds
_SCHEME = re.compile(r"[a-z][a-z0-9+]*://", re.IGNORECASE)
_POSTGRESQL = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


def default_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the store of a user who named none: `tariff-engine/audit.db` in the folder where programs of the system keep data."""
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        place = Path(environ.get(name, ""))
        if place.is_absolute():
            return place / "tariff-engine" / "audit.db"
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "")
    if not home.is_absolute():
        raise StoreError("store_wrong_url", "there is no folder for the data of the user", "name the store: --store FILE, or TARIFF_STORE")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "tariff-engine" / "audit.db"
    return home / ".local" / "share" / "tariff-engine" / "audit.db"


def store_url(name: str | None, environ: Mapping[str, str] = os.environ) -> URL:
    """Return the address of a store from what was asked for: a URL or a file name; else from TARIFF_STORE; else the user's own store.

    Raises StoreError (store_wrong_url).
    """
    text = name or environ.get("TARIFF_STORE") or str(default_file(environ))
    if not _SCHEME.match(text):
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("store_wrong_url", "the address of the store cannot be read") from None
    if url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        if not url.database or url.database == ":memory:" or "mode=memory" in str(url):
            raise StoreError("store_wrong_url", "a store in memory keeps nothing")
        return url.set(drivername="sqlite")
    raise StoreError("store_wrong_url", f"{url.drivername} is no kind of store")


def shown(url: URL) -> str:
    """Return an address that may be shown: without its password."""
    return str(url.database) if url.drivername == "sqlite" and not url.query else url.render_as_string(hide_password=True)


def connect(url: URL, *, create: bool, patience: float = PATIENCE) -> Engine:
    """Return the engine of a store. Raises StoreError where a file is to be opened that is not there, or its folder cannot be made."""
    if url.drivername == "sqlite":
        _make_file(url, create=create)
        arguments = {"timeout": patience, "check_same_thread": False}
        engine = create_engine(url, connect_args=arguments, pool_size=10, max_overflow=30, paramstyle="named")
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(url, connect_args={"connect_timeout": 5}, pool_size=10, max_overflow=30, pool_pre_ping=True)

    def set_up(connection: Any, _record: object) -> None:
        """Ask for commits on disk, however the server is configured; a server that waits for its replicas too is left so."""
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            if cursor.fetchone()[0] not in {"on", "remote_apply"}:
                cursor.execute("SET synchronous_commit = on")
            cursor.execute(f"SET lock_timeout = {int(patience * 1000)}")
        connection.commit()

    event.listen(engine, "connect", set_up)
    return engine


def let_go(engine: Engine, *, for_good: bool = False) -> None:
    """Close the connections that are idle, and those in use when they come back: SQLAlchemy forgets these with the pool they came from.

    `for_good`: close later ones after their use too, such as that of a thread that began to read just now.
    """
    event.listen(engine.pool, "checkin", _close)
    engine.dispose()
    if for_good:
        event.listen(engine.pool, "checkin", _close)


def _close(_connection: Any, record: ConnectionPoolEntry | None) -> None:
    if record is not None:
        record.close()


def writing(engine: Engine) -> Engine:
    """Return the engine whose transactions write from their first statement, so that SQLite need not refuse them later."""
    return engine.execution_options(tariff_writes=True)


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says so, and nowhere else
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "trusted_schema = OFF", "cache_size = -8000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tariff_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_file(url: URL, *, create: bool) -> None:
    """Make the file, if it is to be made, so that nobody but this user can read it."""
    name = str(url.database)
    if name.startswith("file:"):
        return
    path = Path(name)
    if path.exists():
        return
    if not create:
        raise StoreError("store_unreachable", f"there is no store {name}", "name another with --store, or TARIFF_STORE")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError("store_unreachable", f"{name} cannot be made: {error.strerror or error}") from None


def use_write_ahead_log(engine: Engine, patience: float = PATIENCE) -> None:
    """Let readers and the writer of a SQLite file not wait for each other. Another process that does the same now is waited for."""
    end = time.monotonic() + patience
    while True:
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                cursor.execute("PRAGMA journal_mode = WAL").fetchone()
            cursor.close()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        else:
            return
        finally:
            connection.close()
        time.sleep(0.02)


def forget_old_pages(engine: Engine) -> None:
    """Write the log of a SQLite file back and empty it, so that what was removed stands in no file any more; readers may keep it busy."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
