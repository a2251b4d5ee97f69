"""The audit store: append, look up, list. Removals are in removal.py, the proof in verify.py."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from tariff_service.store import removal, schema
from tariff_service.store.engines import PATIENCE, connect, let_go, shown, store_url, use_write_ahead_log, writing
from tariff_service.store.faults import DraftError, IdempotencyConflict, StoreError, faults
from tariff_service.store.listing import query_of
from tariff_service.store.log import ADVANCE, INSERT, LOCK_HEAD, READ_HEAD, Log, LogTransaction
from tariff_service.store.records import (
    Draft,
    Filter,
    Head,
    Receipt,
    Record,
    chain,
    key_hash,
    now,
    prepare,
    record_of,
    same_request,
    stamp,
)
from tariff_service.store.rulebooks import KeptRulebook
from tariff_service.store.tables import head as head_table
from tariff_service.store.tables import rulebooks

Outcome = Receipt | IdempotencyConflict | DraftError
_TRIAL = update(head_table).values(seq=head_table.c.seq + 1)
_REFUSED: Final = frozenset({"IntegrityError", "DataError", "OverflowError"})  # of every driver: a record is at fault, not the store
_RESOLVE: Final = 15.0  # seconds in which a lost server may come back and say whether it kept a commit
_INSERT_RULEBOOK = insert(rulebooks)


class AuditStore:
    """An open store. Every thread may use it; each call takes a connection of its own. Every method raises StoreError for a fault."""

    def __init__(self, engine: Engine, name: str, *, clock: Callable[[], datetime] = now) -> None:
        """Take an engine whose tables are current; `open` is the way to get a store."""
        self.engine = engine
        self.name = name
        self._writes = writing(engine)
        self.log = Log(engine)
        self._clock = clock

    @classmethod
    def open(
        cls, url: str | None = None, *, create: bool = True, patience: float = PATIENCE, clock: Callable[[], datetime] = now
    ) -> AuditStore:
        """Open a store and bring its tables up to date. `url` is a file or a URL; without it TARIFF_STORE, else the user's own file.

        `patience` is how many seconds to wait for another program's lock, `clock` the time to stamp records with.
        """
        address = store_url(url)
        engine = connect(address, create=create, patience=patience)
        try:
            with faults():
                if not schema.is_current(engine):
                    schema.upgrade(engine)
                if engine.dialect.name == "sqlite":
                    use_write_ahead_log(engine, patience)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, shown(address), clock=clock)

    # ------------------------------------------------------------ transactions
    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection whose reads see one state of the store."""
        with faults(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that writes, committed at the end of the block. For other tables than the log."""
        with faults(), self._writes.begin() as connection:
            yield connection

    # ------------------------------------------------------------ the log
    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Store drafts in one transaction; after the return they are on disk.

        Each draft gets a receipt, or an IdempotencyConflict or a DraftError of its own, which leave the others alone. Raises DraftError
        where the database itself refuses one of them, such as an id that is there already: then none is stored.
        """
        prepared: list[dict[str, Any] | DraftError] = []
        for draft in drafts:
            try:
                prepared.append(prepare(draft))
            except (DraftError, UnicodeEncodeError) as error:
                prepared.append(error if isinstance(error, DraftError) else DraftError(str(error)))
        outcomes: list[Outcome] = []
        fresh: list[dict[str, Any]] = []
        transaction: LogTransaction | None = None
        try:
            with faults(), self.log.transaction() as transaction:
                fresh = self._add(transaction, drafts, prepared, outcomes)
        except StoreError as error:
            lost = error.code == "store_unreachable" and transaction is not None and transaction.committing
            if not (lost and fresh and self._kept(fresh[0]["id"])):
                raise
        except Exception as error:
            if not any(kind.__name__ in _REFUSED for kind in type(error).__mro__):
                raise
            raise DraftError(f"the database refuses a record: {error}") from error
        return outcomes

    def _add(
        self, transaction: LogTransaction, drafts: Sequence[Draft], prepared: Sequence[dict[str, Any] | DraftError], outcomes: list[Outcome]
    ) -> list[dict[str, Any]]:
        """Give each draft its outcome, insert what is new, and return it."""
        seq, prev = transaction.lock()
        at = stamp(self._clock())
        fresh: list[dict[str, Any]] = []
        keyed: dict[str, Mapping[str, Any]] = {}
        for draft, row in zip(drafts, prepared, strict=True):
            if isinstance(row, DraftError):
                outcomes.append(row)
                continue
            key = row["key_sha256"]
            if key is not None:
                known = keyed.get(key) or transaction.by_key(key)
                if known is not None:
                    outcomes.append(_replayed(known, draft))
                    continue
                keyed[key] = row
            seq += 1
            prev = chain(row, seq, at, prev)
            fresh.append(row)
            outcomes.append(Receipt(draft.id, seq, at, prev))
        if fresh:
            transaction.insert(fresh)
        return fresh

    def add_notice(self, connection: Connection, row: dict[str, Any]) -> Receipt:
        """Append a record that tells of a removal, in a transaction of `writing`."""
        seq, prev = connection.execute(LOCK_HEAD).one()
        at = stamp(self._clock())
        found = chain(row, seq + 1, at, prev)
        connection.execute(INSERT, [row])
        connection.execute(ADVANCE, {"new_seq": seq + 1, "new_hash": found})
        return Receipt(row["id"], seq + 1, at, found)

    def _kept(self, record_id: str) -> bool:
        """Whether a commit was kept whose answer was lost with the connection. Raises StoreError, `unknown`, if nobody can tell."""
        end = time.monotonic() + _RESOLVE
        while True:
            try:
                with faults(), self.log.transaction() as transaction:
                    transaction.lock()  # waits until the lost transaction has ended, one way or the other
                    return transaction.by_id(record_id) is not None
            except StoreError as error:
                if time.monotonic() > end:
                    message = f"whether the last records were kept is not known: {error.message}"
                    raise StoreError(error.code, message, "send them again with the same idempotency key", unknown=True) from error
            time.sleep(0.1)

    def head(self) -> Head:
        """Return the end of the chain."""
        with self.reading() as connection:
            seq, found = connection.execute(READ_HEAD).one()
            return Head(seq, found)

    # ------------------------------------------------------------ reading
    def get(self, record_id: str, caller: str | None = None) -> Record | None:
        """Return a record with its bodies; None if there is none, or it is another caller's."""
        with faults():
            found = self.log.read_by_id(record_id)
        return _record(found) if found is not None and caller in {None, found["caller"]} else None

    def by_key(self, caller: str, key: str) -> tuple[str, Record] | None:
        """Return the record that holds an idempotency key, behind the SHA-256 of its request as it reads now.

        Personal parts that were redacted are gone from that request: `recall` compares what is left.
        """
        row = self._by_key(caller, key)
        if row is None:
            return None
        record = _record(row)
        return hashlib.sha256(record.request or b"").hexdigest(), record

    def recall(self, draft: Draft) -> Receipt | IdempotencyConflict | None:
        """Return what `append` would say of a draft's idempotency key, without storing anything: None if the key is new.

        The draft's answer does not count, so that it need not be computed first. Raises DraftError.
        """
        row = None if draft.idempotency_key is None else self._by_key(draft.caller, draft.idempotency_key)
        return None if row is None else _replayed(row, draft)

    def _by_key(self, caller: str, key: str) -> Mapping[str, Any] | None:
        with faults():
            return self.log.read_by_key(key_hash(caller, key))

    def find(self, wanted: Filter, before: int | None = None, limit: int = 50) -> list[Record]:
        """Return records without their bodies, newest first, of those numbered below `before`."""
        with self.reading() as connection:
            found = connection.execute(query_of(wanted, before, limit)).mappings().all()
        return [record_of(dict(row), bodies=False) for row in found]

    # ------------------------------------------------------------ rulebooks
    def keep_rulebook(self, rulebook: str, edition: str, horizon: str, content: bytes) -> bool:
        """Keep a rulebook whole (an archive of rulebooks.archive); False if it was kept before. What was kept first stays."""
        row = {
            "id": rulebook,
            "edition": edition,
            "horizon": horizon,
            "first_kept_at": stamp(self._clock()),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content,
        }
        known = select(rulebooks.c.id).where(rulebooks.c.id == rulebook)
        if self.keeps_rulebook(rulebook):
            return False
        with self.writing() as connection:
            connection.execute(LOCK_HEAD).one()  # one at a time, on every database
            if connection.execute(known).first() is not None:
                return False
            connection.execute(_INSERT_RULEBOOK, row)
        return True

    def keeps_rulebook(self, rulebook: str) -> bool:
        """Whether a rulebook is kept already."""
        with self.reading() as connection:
            return connection.execute(select(rulebooks.c.id).where(rulebooks.c.id == rulebook)).first() is not None

    def rulebook(self, rulebook: str) -> bytes | None:
        """Return the archive of a kept rulebook."""
        with self.reading() as connection:
            found = connection.execute(select(rulebooks.c.content).where(rulebooks.c.id == rulebook)).scalar()
        return None if found is None else bytes(found)

    def rulebooks(self) -> list[KeptRulebook]:
        """Return the rulebooks that are kept, without their content, the first one first."""
        columns = (rulebooks.c.id, rulebooks.c.edition, rulebooks.c.horizon, rulebooks.c.first_kept_at, rulebooks.c.sha256)
        with self.reading() as connection:
            found = connection.execute(select(*columns).order_by(rulebooks.c.first_kept_at, rulebooks.c.id)).all()
        return [KeptRulebook(*row) for row in found]

    # ------------------------------------------------------------ removals
    def redact(
        self,
        actor: str,
        reason: str,
        *,
        ids: Sequence[str] = (),
        entry_id: str | None = None,
        caller: str | None = None,
        before: datetime | None = None,
    ) -> removal.Removed:
        """Empty the personal parts of requests, for good, and say so in the chain: of records by id, of an entry, or stored before a moment.

        `caller` narrows the choice to one caller's records. Raises ValueError if nothing says which records.
        """
        return removal.redact(self, actor, reason, removal.Choice(tuple(ids), entry_id, caller, before))

    def prune(self, before: datetime, actor: str, reason: str, *, caller: str | None = None) -> removal.Removed:
        """Empty requests and answers stored before a moment, for good, and say so in the chain, which stays whole."""
        return removal.prune(self, actor, reason, removal.Choice(caller=caller, before=before))

    # ------------------------------------------------------------ life
    def ping(self) -> None:
        """Check that the store answers and takes a write, which is not kept. Raises StoreError."""
        with faults(), self._writes.connect() as connection, connection.begin() as transaction:
            connection.execute(LOCK_HEAD).one()
            connection.execute(_TRIAL)
            transaction.rollback()

    def refresh(self) -> None:
        """Let go of the connections there are: after a fault the next call connects anew."""
        let_go(self.engine)

    def close(self) -> None:
        """Let go of every connection, of those in use when they come back."""
        let_go(self.engine, for_good=True)


def _record(row: Mapping[str, Any]) -> Record:
    try:
        return record_of(row)
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError("store_damaged", f"record {row['id']} is damaged: {error}") from error


def _replayed(row: Mapping[str, Any], draft: Draft) -> Receipt | IdempotencyConflict:
    if not same_request(row, draft):
        return IdempotencyConflict(row["id"])
    return Receipt(row["id"], row["seq"], row["at"], row["hash"], replayed=True, answer=_record(row).answer)
