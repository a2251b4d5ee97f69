"""Redaction and retention: bodies are emptied in the records, and a record of the chain says which, by whom and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, or_, select, update

from tariff_engine import __version__
from tariff_service.store.engines import forget_old_pages
from tariff_service.store.records import Kind, Receipt, notice, stamp
from tariff_service.store.tables import head, records

if TYPE_CHECKING:
    from tariff_service.store.store import AuditStore

_BATCH = 500  # records of one transaction, so that nobody waits long for the lock
_LOCK = select(head.c.seq).where(head.c.one == 1).with_for_update()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records: those with these ids, of this entry, of this caller, stored before this moment; all that is stated must hold."""

    ids: tuple[str, ...] = ()
    entry_id: str | None = None
    caller: str | None = None
    before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the choice as conditions, but for the ids. Raises ValueError if it chooses nothing, or everything."""
        found: list[ColumnElement[bool]] = [records.c.kind == "assessment"]
        if self.before is not None:
            if self.before.tzinfo is None:
                raise ValueError("the moment has no time zone")
            found.append(records.c.at < stamp(self.before))
        if self.entry_id is not None:
            found.append(records.c.entry_id == self.entry_id)
        if len(found) == 1 and not self.ids:
            raise ValueError("say which records: ids, an entry, or a moment")
        if self.caller is not None:
            found.append(records.c.caller == self.caller)
        return found


@dataclass(frozen=True, slots=True)
class Removed:
    """How many records were emptied, and the records of the chain that say so."""

    records: int
    receipts: tuple[Receipt, ...]


def redact(store: AuditStore, actor: str, reason: str, choice: Choice) -> Removed:
    """Empty the personal parts of the requests chosen."""
    full = records.c.parts.is_not(None)
    return _remove(store, "redaction", actor, reason, choice, full, {"parts": None, "salt": None})


def prune(store: AuditStore, actor: str, reason: str, choice: Choice) -> Removed:
    """Empty the requests and answers chosen, personal parts included."""
    full = or_(records.c.request.is_not(None), records.c.answer.is_not(None))
    return _remove(store, "retention", actor, reason, choice, full, {"parts": None, "salt": None, "request": None, "answer": None})


def _remove(
    store: AuditStore, kind: Kind, actor: str, reason: str, choice: Choice, full: ColumnElement[bool], emptied: dict[str, None]
) -> Removed:
    common = [*choice.conditions(), full]
    receipts, count = [], 0
    for named in _batches(choice.ids):
        narrowed = [*common, records.c.id.in_(named)] if named else common
        after = 0
        while True:
            with store.writing() as connection:
                connection.execute(_LOCK).one()
                chosen = select(records.c.seq).where(*narrowed, records.c.seq > after).order_by(records.c.seq).limit(_BATCH)
                found = list(connection.execute(chosen).scalars())
                if found:
                    connection.execute(update(records).where(records.c.seq.in_(found)).values(emptied))
                    detail: dict[str, Any] = {"reason": reason, "removed": sorted(emptied), "records": ranges(found)}
                    receipts.append(store.add_notice(connection, notice(kind, actor, __version__, detail)))
            count += len(found)
            if len(found) < _BATCH:
                break
            after = found[-1]
    if count:
        forget_old_pages(store.engine)
    return Removed(count, tuple(receipts))


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)] or [()]


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Return rising numbers as pairs of first and last.

    >>> ranges([1, 2, 3, 7])
    [[1, 3], [7, 7]]
    """
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
