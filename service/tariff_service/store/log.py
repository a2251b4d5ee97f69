"""The one hot path: append rows to the chain in one transaction.

The statements are SQLAlchemy's, compiled once for the database at hand, and run on the driver's own cursor: a commit of one record then
costs a third of what it costs through the whole of SQLAlchemy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Integer, bindparam, insert, select, update

from tariff_service.store.faults import typed
from tariff_service.store.tables import head, records

READ_HEAD = select(head.c.seq, head.c.hash)  # the table has one row
LOCK_HEAD = READ_HEAD.with_for_update()  # SQLite has no such lock and needs none: BEGIN IMMEDIATE was it
ADVANCE = update(head).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
INSERT = insert(records)
BY_KEY = select(records).where(records.c.key_sha256 == bindparam("wanted"))
BY_ID = select(records).where(records.c.id == bindparam("wanted"))
PAGE = (
    select(records)
    .where(records.c.seq > bindparam("after"), records.c.seq <= bindparam("last"))
    .order_by(records.c.seq)
    .limit(bindparam("count", type_=Integer))
)
NOTICES = select(records).where(records.c.kind != "assessment").order_by(records.c.seq)
_AT_ONCE = 128  # rows of one statement; their values stay far below SQLite's 32,766
_COLUMNS = tuple(column.name for column in records.columns)


Row = Mapping[str, Any]


def before_commit(_connection: object) -> None:
    """Do nothing: tests lose connections here."""


class LogTransaction:
    """A transaction that holds the end of the chain."""

    def __init__(self, cursor: Any, log: Log) -> None:
        """Take the cursor of a connection in a transaction."""
        self._cursor = cursor
        self._log = log
        self.committing = False

    def lock(self) -> tuple[int, str]:
        """Wait for the end of the chain and return its number and hash: nobody else appends until this transaction ends."""
        self._cursor.execute(self._log.lock_head)
        seq, found = self._cursor.fetchone()
        return seq, found

    def by_key(self, key: str) -> Row | None:
        """Return the row that holds the hash of an idempotency key."""
        return self._one(self._log.by_key, key)

    def by_id(self, record_id: str) -> Row | None:
        """Return the row of a record."""
        return self._one(self._log.by_id, record_id)

    def _one(self, statement: str, wanted: str) -> Row | None:
        self._cursor.execute(statement, {"wanted": wanted})
        row = self._cursor.fetchone()
        return None if row is None else dict(zip(_COLUMNS, row, strict=True))

    def insert(self, rows: Sequence[Row]) -> None:
        """Insert rows that were chained, and move the head to the last of them."""
        self._log.insert_all(self._cursor, rows)
        self._cursor.execute(self._log.advance, {"new_seq": rows[-1]["seq"], "new_hash": rows[-1]["hash"]})


class Log:
    """The statements of the log for one database."""

    def __init__(self, engine: Engine) -> None:
        """Compile them."""
        self._engine = engine
        self._begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else None  # psycopg begins by itself

        def text(statement: Any) -> str:
            return str(statement.compile(dialect=engine.dialect))

        self.lock_head = text(LOCK_HEAD)
        self.by_key, self.by_id = text(BY_KEY), text(BY_ID)
        self._page, self._notices = PAGE.compile(dialect=engine.dialect), NOTICES.compile(dialect=engine.dialect)
        self.insert = text(INSERT)
        self.advance = text(ADVANCE)

    def insert_all(self, cursor: Any, rows: Sequence[Row]) -> None:
        """Insert rows. On SQLite in one statement, since the driver lets go of the interpreter for each, while requests want it."""
        if self._begin is None:
            cursor.executemany(self.insert, rows)
            return
        for place in range(0, len(rows), _AT_ONCE):
            some = rows[place : place + _AT_ONCE]
            cursor.execute(_many(len(some)), [row[name] for row in some for name in _COLUMNS])

    def read_by_key(self, key: str) -> Row | None:
        """Return the row that holds the hash of an idempotency key."""
        found = self._read(self.by_key, {"wanted": key})
        return found[0] if found else None

    def read_by_id(self, record_id: str) -> Row | None:
        """Return the row of a record."""
        found = self._read(self.by_id, {"wanted": record_id})
        return found[0] if found else None

    def page(self, after: int, last: int, count: int) -> list[Row]:
        """Return rows in their order: those behind a number, up to another one, at most so many."""
        return self._read(str(self._page), {**self._page.params, "after": after, "last": last, "count": count})

    def notices(self) -> list[Row]:
        """Return the rows that tell of removals, in their order."""
        return self._read(str(self._notices), dict(self._notices.params))

    def _read(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        """Read rows as the driver gives them: whatever stands in a damaged column, a proof must see it."""
        connection = self._engine.raw_connection()
        try:
            return _fetch(connection.cursor(), statement, values)
        except Exception as error:
            fault = typed(error)
            if fault is not None and fault.code == "store_unreachable":
                connection.invalidate()
            raise
        finally:
            connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[LogTransaction]:
        """Give a transaction, committed at the end of the block; `committing` tells an error of the commit from one before it."""
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            if self._begin is not None:
                cursor.execute(self._begin)
            found = LogTransaction(cursor, self)
            yield found
            found.committing = True
            before_commit(connection)
            connection.commit()
        except BaseException as error:
            fault = typed(error)
            if fault is not None and fault.code == "store_unreachable":
                connection.invalidate()  # also closes it, which ends its transaction
            else:
                with contextlib.suppress(Exception):
                    connection.rollback()
            raise
        finally:
            connection.close()


@lru_cache(maxsize=_AT_ONCE)
def _many(count: int) -> str:
    """Return the statement that inserts so many rows into a SQLite store. Names and marks alone stand in it, no value."""
    one = f"({', '.join('?' * len(_COLUMNS))})"
    return f"INSERT INTO {records.name} ({', '.join(_COLUMNS)}) VALUES {', '.join([one] * count)}"  # noqa: S608


def _fetch(cursor: Any, statement: str, values: Mapping[str, object]) -> list[Row]:
    cursor.execute(statement, values)
    found: list[Row] = [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    cursor.close()
    return found
