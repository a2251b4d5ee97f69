"""What can go wrong with a store, as typed errors: each says what happened and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

Code = Literal["store_full", "store_read_only", "store_locked", "store_damaged", "store_unreachable", "store_newer", "store_wrong_url"]

_FIXES: dict[Code, str] = {
    "store_full": "make room on the disk of the store; nothing that was acknowledged is lost",
    "store_read_only": "give the service the right to write the store and its folder",
    "store_locked": "end the program that holds the store; a backup should use the database's own backup command",
    "store_damaged": "restore a backup, then run `tariff audit verify`; keep the damaged file",
    "store_unreachable": "check that the database server or the disk is there, and its address",
    "store_newer": "install the release that wrote this store, or a later one",
    "store_wrong_url": "write a file name, sqlite:///FILE, or postgresql://USER@HOST/NAME",
}
_WORDS: dict[Code, str] = {
    "store_full": "the store takes no more",
    "store_read_only": "the store cannot be written",
    "store_locked": "another program holds the store",
    "store_damaged": "the store is damaged",
    "store_unreachable": "the store cannot be reached",
    "store_newer": "the store was written by a later release",
    "store_wrong_url": "this is no address of a store",
}
_SQLITE: dict[int, Code] = {
    sqlite3.SQLITE_FULL: "store_full",
    sqlite3.SQLITE_READONLY: "store_read_only",
    sqlite3.SQLITE_PERM: "store_read_only",
    sqlite3.SQLITE_AUTH: "store_read_only",
    sqlite3.SQLITE_BUSY: "store_locked",
    sqlite3.SQLITE_LOCKED: "store_locked",
    sqlite3.SQLITE_PROTOCOL: "store_locked",
    sqlite3.SQLITE_CORRUPT: "store_damaged",
    sqlite3.SQLITE_NOTADB: "store_damaged",
    sqlite3.SQLITE_FORMAT: "store_damaged",
    sqlite3.SQLITE_CANTOPEN: "store_unreachable",
    sqlite3.SQLITE_IOERR: "store_unreachable",
}
# What a limit on the size of files or a quota does to a write; a full disk proper is SQLITE_FULL.
_NO_ROOM = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE})
_POSTGRESQL: dict[str, Code] = {
    "53100": "store_full",
    "53200": "store_full",
    "25006": "store_read_only",
    "42501": "store_read_only",
    "55P03": "store_locked",
    "40P01": "store_locked",
    "40001": "store_locked",
    "57014": "store_locked",
    "XX001": "store_damaged",
    "XX002": "store_damaged",
    "42P01": "store_damaged",
    "3D000": "store_unreachable",
    "53300": "store_unreachable",
}
_BROKEN = frozenset({"OperationalError", "InterfaceError"})
_UNREACHABLE_CLASSES = ("08", "28", "57P")


class StoreError(Exception):
    """The store as a whole does not do what was asked.

    `code` names the fault, `message` says what happened, `fix` what to do. `unknown` is true where a commit may or may not have been
    kept and the database could not be asked: only sending the same idempotency key again is safe then.
    """

    def __init__(self, code: Code, message: str = "", fix: str = "", *, unknown: bool = False) -> None:
        """Take the code; message and fix have words of their own for each code."""
        self.code: Code = code
        self.message = message or _WORDS[code]
        self.fix = fix or _FIXES[code]
        self.unknown = unknown
        super().__init__(f"{self.message} ({code})")


class StoreBusy(Exception):  # noqa: N818  it is a state of the service, which answers "try again"
    """More records wait for the store than may wait: the caller should try again later."""


class DraftError(ValueError):
    """One draft cannot be stored, whatever the state of the store: it is not what its type says."""


class IdempotencyConflict(Exception):  # noqa: N818  the name is part of the service's contract
    """The same idempotency key came with another request."""

    def __init__(self, record_id: str) -> None:
        """Take the id of the record that holds the key."""
        self.record_id = record_id
        super().__init__(f"this idempotency key was used for another request, stored as {record_id}")


def typed(error: BaseException) -> StoreError | None:
    """Return the fault of the store behind an error of a driver, or None where the store is not at fault."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, PoolTimeoutError):
        return StoreError("store_locked", "no connection to the store came free in time")
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        return _of_sqlite(origin)
    if not isinstance(error, (DBAPIError, OSError)) and type(error).__module__.partition(".")[0] != "psycopg":
        return None
    code = _of_postgresql(getattr(origin, "sqlstate", None), error)
    return None if code is None else StoreError(code, f"{_WORDS[code]}: {_one_line(origin)}")


def _of_sqlite(error: sqlite3.Error) -> StoreError | None:
    number = getattr(error, "sqlite_errorcode", None)
    code: Code | None = None
    if number is not None:
        code = "store_full" if number in _NO_ROOM else _SQLITE.get(number & 0xFF)
    elif "decode" in str(error):  # text that is none, found by Python's own module
        code = "store_damaged"
    return None if code is None else StoreError(code, f"{_WORDS[code]}: {_one_line(error)}")


def _of_postgresql(state: str | None, error: BaseException) -> Code | None:
    if state is not None:
        return _POSTGRESQL.get(state) or ("store_unreachable" if state.startswith(_UNREACHABLE_CLASSES) else None)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    broken = isinstance(error, (OperationalError, InterfaceError, OSError))
    # The drivers' own classes of these names, without importing a driver that may not be in use.
    broken = broken or any(kind.__module__ == "psycopg" and kind.__name__ in _BROKEN for kind in type(error).__mro__)
    return "store_unreachable" if lost or broken else None


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:200]


@contextmanager
def faults() -> Iterator[None]:
    """Turn what a driver raises about the store as a whole into StoreError."""
    try:
        yield
    except Exception as error:
        fault = typed(error)
        if fault is None or fault is error:
            raise
        raise fault from error
