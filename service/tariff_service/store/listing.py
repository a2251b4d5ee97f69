"""Which records to list: a filter as a query."""

from __future__ import annotations

from operator import eq, ge, le, lt
from typing import Any

from sqlalchemy import Select, select

from tariff_service.store.records import HEADER, Filter
from tariff_service.store.tables import records

_LISTED = select(
    *[records.c[name] for name in HEADER],
    records.c.hash,
    records.c.parts.is_not(None).label("has_parts"),
    records.c.answer.is_not(None).label("has_answer"),
)


def query_of(wanted: Filter, before: int | None, limit: int) -> Select[Any]:
    """Return the query for records that a filter takes, newest first, without their bodies."""
    column = records.c
    query = _LISTED
    for compare, one, value in (
        (eq, column.kind, wanted.kind),
        (eq, column.caller, wanted.caller),
        (eq, column.rulebook, wanted.rulebook),
        (eq, column.entry_id, wanted.entry_id),
        (ge, column.entry_date, wanted.entry_from),
        (le, column.entry_date, wanted.entry_until),
        (ge, column.at, wanted.stored_from),
        (lt, column.at, wanted.stored_until),
    ):
        if value is not None:
            query = query.where(compare(one, value))
    if wanted.problems is not None:
        query = query.where(column.problems > 0 if wanted.problems else column.problems == 0)
    if before is not None:
        query = query.where(column.seq < before)
    return query.order_by(column.seq.desc()).limit(limit)
