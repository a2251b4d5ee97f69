"""The lines of the assessments that an audit store keeps, each assessment one entry, the newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tariff_engine.entry import read_entry
from tariff_engine.problems import Problem, ProblemError
from tariff_service.audit_options import opened_store
from tariff_service.line_stream import Sent
from tariff_service.reading import decode, parse_json
from tariff_service.store.records import Filter

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_service.store.records import Record
    from tariff_service.store.store import AuditStore

_PAGE = 200


@contextmanager
def stored_lines(url: str | None, knowledge: Knowledge) -> Iterator[Iterator[Sent]]:
    """Give the lines of every stored assessment whose request is still kept. Raises ProblemError: no store, or a fault of it."""
    with opened_store(url) as store:
        yield _lines(store, knowledge)


def _lines(store: AuditStore, knowledge: Knowledge) -> Iterator[Sent]:
    before: int | None = None
    while page := store.find(Filter(), before=before, limit=_PAGE):
        for listed in page:
            record = store.get(listed.id)
            if record is not None and record.request is not None:
                yield from _of_record(record, record.request, knowledge)
        before = page[-1].seq


def _of_record(record: Record, request: bytes, knowledge: Knowledge) -> Iterator[Sent]:
    try:
        raw = parse_json(decode(request, record.id), record.id)
        personal = knowledge.reader.personal
        for name, facts in read_entry(knowledge, raw).lines:
            yield Sent(
                record.seq, f"{record.id}/{name}", {key: value for key, value in facts.items() if key not in personal}, entry=record.id
            )
    except ProblemError as error:
        yield Sent(record.seq, record.id, problem=error.problem)
    except RecursionError:
        yield Sent(record.seq, record.id, problem=Problem("too_deep", "request", "the request is nested too deeply"))
