"""Group commit: many requests at once wait for one write to disk, and each is answered only when its own record is there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tariff_service.store.faults import IdempotencyConflict, StoreBusy, StoreError
from tariff_service.store.records import Draft, Receipt
from tariff_service.store.store import AuditStore

_GATHER: Final = 0.01  # seconds that a batch may wait for more while requests keep the loop busy
_QUIET: Final = 3  # rounds of the loop without a new record, after which nobody is about to bring one


class Lag(NamedTuple):
    """How many records wait, and since how many seconds the oldest of them does."""

    queued: int
    oldest: float


@dataclass(slots=True)
class Counters:
    """What the writer did since it was made."""

    commits: int = 0
    records: int = 0
    failures: int = 0
    last_error: StoreError | None = None


@dataclass(slots=True, eq=False)
class _Waiting:
    draft: Draft
    future: asyncio.Future[Receipt]
    loop: asyncio.AbstractEventLoop
    since: float = field(default_factory=time.monotonic)


class GroupCommit:
    """One thread that commits. While it commits, the next batch gathers, and goes on gathering for as long as the loop brings records.

    A commit costs as much as several records, in time of the processor too, which requests want: so a busy loop makes the thread wait for
    more, for `_GATHER` at the most. Once the loop has nothing to do but to wait for the store, nobody waits for anything else: a record that
    comes alone is committed at once.
    """

    def __init__(self, store: AuditStore, *, max_batch: int = 128, max_queue: int = 10_000) -> None:
        """Take a store; `max_batch` bounds the records of a commit, `max_queue` those that may wait for one."""
        self._store = store
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._queue: deque[_Waiting] = deque()
        self._running: Sequence[_Waiting] = ()
        self._wake = threading.Event()
        self._asleep = False
        self._quiet = threading.Event()  # no more records are about to come
        self._watched: asyncio.AbstractEventLoop | None = None  # whose rounds are counted
        self._arrived = 0
        self._closed = False
        self._ended = False
        self.counters = Counters()
        self._thread = threading.Thread(target=self._work, name="audit-store", daemon=True)
        self._thread.start()

    async def put(self, draft: Draft) -> Receipt:
        """Store a draft; the return means that it is on disk. Raises IdempotencyConflict, DraftError, StoreError, StoreBusy.

        Whoever is cancelled here may find the record stored all the same.
        """
        if self._closed:
            raise StoreBusy("the store is closing")
        if len(self._queue) >= self._max_queue:
            raise StoreBusy(f"{self._max_queue:,} records wait for the store")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(draft, loop.create_future(), loop)
        self._queue.append(waiting)
        self._arrived += 1
        if self._watched is not loop:
            if self._watched is not None and self._asleep:  # another loop's rounds are counted no longer: the thread counts the time
                self._wake.set()
            self._watched = loop
            self._quiet.clear()
            loop.call_soon(self._look, loop, waiting.since, self._arrived, 0)
        if self._ended:  # the thread looked for the last time, perhaps before this one came
            raise StoreBusy("the store is closing")
        return await waiting.future

    def _look(self, loop: asyncio.AbstractEventLoop, since: float, arrived: int, rounds: int) -> None:
        """Count rounds of the loop in which no record came; after some of them, or when its time is up, the batch is whole.

        Only then is the thread woken, once: woken by the first record, it would take the interpreter from those who bring the next.
        """
        if self._watched is not loop:
            return
        rounds = rounds + 1 if arrived == self._arrived else 0
        if rounds < _QUIET and len(self._queue) < self._max_batch and time.monotonic() - since < _GATHER:
            loop.call_soon(self._look, loop, since, self._arrived, rounds)
        else:
            self._watched = None
            self._quiet.set()
            if self._asleep:  # read after the records came, as the thread reads the queue after it said that it sleeps
                self._wake.set()

    def lag(self) -> Lag:
        """Return how far the store is behind."""
        running = self._running
        try:
            oldest = running[0] if running else self._queue[0]
        except IndexError:
            return Lag(0, 0.0)
        return Lag(len(self._queue) + len(running), time.monotonic() - oldest.since)

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109  the caller's one word for it
        """Wait until nothing waits; False if that took longer than `timeout` seconds."""
        end = time.monotonic() + timeout
        while self.lag().queued:
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.005)
        return True

    def close(self, timeout: float = 10.0) -> None:
        """Commit what waits, take nothing more, and end the thread."""
        self._closed = True
        self._quiet.set()
        self._wake.set()
        self._thread.join(timeout)

    # ------------------------------------------------------------ the thread
    def _work(self) -> None:
        try:
            while not self._closed:
                self._wake.clear()
                self._asleep = True
                if not self._queue and not self._closed:
                    self._wake.wait()
                self._asleep = False
                self._empty_queue()
        finally:
            self._ended = True
            self._empty_queue()

    def _empty_queue(self) -> None:
        while self._queue:
            if not self._closed:
                self._quiet.wait(_GATHER)
            self._running = [self._queue.popleft() for _ in range(min(len(self._queue), self._max_batch))]
            self._commit(self._running)

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        outcomes: Sequence[Receipt | Exception]
        try:
            outcomes = self._store.append([waiting.draft for waiting in batch])
        except StoreError as error:
            outcomes = self._failed(batch, error)
        except Exception as error:  # noqa: BLE001  one record must not fail the others, whatever is wrong with it
            outcomes = [error] if len(batch) == 1 else self._one_by_one(batch)
        else:
            self._count(outcomes)
        self._running = ()
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Receipt | Exception]]] = {}
        for waiting, outcome in zip(batch, outcomes, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
        for loop, settled in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, settled)
            except RuntimeError:  # the loop ended before its answers came; the records are stored
                continue

    def _one_by_one(self, batch: Sequence[_Waiting]) -> list[Receipt | Exception]:
        found: list[Receipt | Exception] = []
        for number, waiting in enumerate(batch):
            try:
                outcome = self._store.append([waiting.draft])
            except StoreError as error:
                return [*found, *self._failed(batch[number:], error)]
            except Exception as error:  # noqa: BLE001  this is the one
                found.append(error)
            else:
                found.extend(outcome)
                self._count(outcome)
        return found

    def _failed(self, batch: Sequence[_Waiting], error: StoreError) -> list[Exception]:
        self.counters.failures += 1
        self.counters.last_error = error
        self._store.refresh()
        return [error] * len(batch)

    def _count(self, outcomes: Sequence[Receipt | Exception]) -> None:
        self.counters.commits += 1
        self.counters.records += sum(isinstance(outcome, Receipt) and not outcome.replayed for outcome in outcomes)
        self.counters.last_error = None


def _settle(settled: Sequence[tuple[asyncio.Future[Receipt], Receipt | Exception]]) -> None:
    """Answer a batch, in the loop's own thread."""
    for future, outcome in settled:
        if future.done():
            continue
        if isinstance(outcome, Receipt):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)


__all__ = ["Counters", "GroupCommit", "IdempotencyConflict", "Lag", "StoreBusy", "StoreError"]
