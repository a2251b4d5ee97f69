"""From a row of a batch to its answer: the same path as a single request takes, and whatever fails is the row's own problem."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tariff_service.api.assessing import Answered, Asked, assess, read_body
from tariff_service.api.assessments import conflict, draft_of, put, replayed
from tariff_service.api.callers import Caller
from tariff_service.api.problems import Refusal
from tariff_service.api.refusing import refusal_for
from tariff_service.api.row_stream import Row
from tariff_service.api.row_window import RowAnswer, Turns, Work
from tariff_service.api.state import Served, Service
from tariff_service.rows import identity
from tariff_service.store.faults import DraftError, IdempotencyConflict, StoreBusy, StoreError
from tariff_service.store.records import Draft, Receipt

_LOG = logging.getLogger(__name__)
_STORED, _GIVEN = 201, 200
_AGAIN = 0.05  # seconds until the store is asked again after it was busy

Earlier = Receipt | Exception | None


@dataclass(frozen=True, slots=True)
class Assessor:
    """Answers the rows of one batch: of one caller, under one rulebook, as `asked`. Row n has the idempotency key `key#n`."""

    service: Service
    served: Served
    caller: Caller
    asked: Asked
    key: str | None
    turns: Turns

    async def earlier(self, rows: Sequence[Row]) -> Sequence[Earlier]:
        """Return what was stored for each of the rows when the batch, or a part of it, was sent before."""
        if self.key is None or not self.asked.store:
            return (None,) * len(rows)
        return await asyncio.to_thread(self._recall, rows)

    def _recall(self, rows: Sequence[Row]) -> list[Earlier]:
        found: list[Earlier] = []
        for row in rows:
            try:
                found.append(None if row.refusal else self.service.store.recall(self._draft(row, None)))
            except DraftError:
                found.append(None)  # no JSON, as reading it will say
            except StoreError as error:
                found.append(error)
        return found

    def _draft(self, row: Row, found: Answered | None) -> Draft:
        key = None if self.key is None else f"{self.key}#{row.number}"
        return draft_of(self.served, self.caller, row.content, found, self.asked, key)

    async def answer(self, row: Row, earlier: Earlier) -> tuple[Work, int]:
        """Answer a row, or hand its answer to the store; return it with its size in memory. Only faults of the row are caught here."""
        if row.refusal:
            return self._refused(row, row.id, row.refusal), 0
        raw = name = None
        try:
            async with self.turns:
                try:
                    raw = read_body(row.content)
                finally:
                    name = identity(raw, row.content)
                if earlier is not None:
                    return self._earlier(row, name, earlier), len(row.content)
                found = await assess(self.service, self.served, raw, self.asked)
        except Exception as error:  # noqa: BLE001  a fault in one row must not cost the others their answers
            return self._refused(row, name, error), len(row.content)
        self.service.metrics.assessed(found.answer)
        if not self.asked.store:
            return RowAnswer(row.number, name, _GIVEN, content=found.content), len(found.content)
        await self.turns.to_store.acquire()
        kept = asyncio.create_task(self._keep(row, name, found.content, self._draft(row, found)))
        kept.add_done_callback(self._let_next)
        return kept, len(row.content) + len(found.content)

    def _let_next(self, _: object) -> None:
        self.turns.to_store.release()

    async def _keep(self, row: Row, name: str | None, content: bytes, draft: Draft) -> RowAnswer:
        """Return the answer when the assessment is safely kept. A busy store is waited for, as long as an answer may take."""
        end = time.monotonic() + self.service.settings.time_limit
        try:
            while True:
                try:
                    receipt = await put(self.service, draft)
                    break
                except StoreBusy:
                    if time.monotonic() > end:
                        raise
                    await asyncio.sleep(_AGAIN)
            if receipt.replayed:
                return self._earlier(row, name, receipt)
        except Exception as error:  # noqa: BLE001  as above
            return self._refused(row, name, error)
        return RowAnswer(row.number, name, _STORED, receipt.record_id, content)

    def _earlier(self, row: Row, name: str | None, found: Receipt | Exception) -> RowAnswer:
        """Return the answer that was given before. Raises what stands in its place."""
        if isinstance(found, IdempotencyConflict):
            raise conflict()
        if isinstance(found, Exception):
            raise found
        content = bytes(replayed(found).body)
        return RowAnswer(row.number, name, _GIVEN, found.record_id, content)

    def _refused(self, row: Row, name: str | None, error: Exception) -> RowAnswer:
        refusal = refusal_of_row(error)
        return RowAnswer(row.number, name, refusal.status, refusal=refusal, fault=isinstance(error, StoreError | StoreBusy))


def refusal_of_row(error: Exception) -> Refusal:
    """Return what went wrong with a row as a refusal."""
    found = refusal_for(error)
    if found.code == "internal_error":
        _LOG.error("a row of a batch failed: %s", type(error).__name__)
    return found
