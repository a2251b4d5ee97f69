"""Group commit: an answer comes after the commit that holds its record, and never at the cost of another record."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import closing

import pytest
from tests.store.drafts import draft

from tariff_service.store import writer as writing
from tariff_service.store.faults import DraftError, IdempotencyConflict, StoreBusy, StoreError
from tariff_service.store.records import Draft, Receipt
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify
from tariff_service.store.writer import GroupCommit


async def gathered(writer: GroupCommit, drafts: Sequence[Draft]) -> list[Receipt | BaseException]:
    """Put drafts all at once."""
    return await asyncio.gather(*[writer.put(one) for one in drafts], return_exceptions=True)


def test_many_requests_at_once_share_commits_and_each_gets_its_own_receipt(store: AuditStore) -> None:
    with closing(GroupCommit(store, max_batch=50)) as writer:
        drafts = [draft(number) for number in range(300)]
        found = asyncio.run(gathered(writer, drafts))
        assert [one.record_id for one in found if isinstance(one, Receipt)] == [one.id for one in drafts]
        assert sorted(one.seq for one in found if isinstance(one, Receipt)) == list(range(1, 301))
        assert writer.counters.records == 300
        assert writer.counters.commits < 100
        assert writer.lag() == (0, 0.0)
    assert verify(store).ok


def test_what_is_wrong_with_one_record_is_told_to_it_alone(store: AuditStore) -> None:
    with closing(GroupCommit(store)) as writer:
        first = asyncio.run(gathered(writer, [draft(1, idempotency_key="k")]))[0]
        twin = draft(9)
        found = asyncio.run(
            gathered(
                writer,
                [
                    draft(2),
                    draft(6, entry_id="\0") if store.engine.dialect.name == "postgresql" else draft(6, problems=2**70),
                    draft(3, request=b"{consignee"),
                    draft(4, idempotency_key="k"),
                    draft(1, idempotency_key="k"),
                    twin,
                    twin,
                    draft(5),
                ],
            )
        )
    kinds = [type(one) for one in found]
    assert kinds == [Receipt, DraftError, DraftError, IdempotencyConflict, Receipt, Receipt, DraftError, Receipt]
    assert isinstance(first, Receipt)
    assert isinstance(found[4], Receipt)
    assert (found[4].replayed, found[4].record_id) == (True, first.record_id)
    assert store.head().seq == 4
    assert verify(store).ok


def test_a_commit_that_fails_fails_its_records_and_the_next_one_goes_on(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(GroupCommit(lite)) as writer:
        append = lite.append

        def fail(_: Sequence[Draft]) -> list[Receipt]:
            raise StoreError("store_full")

        monkeypatch.setattr(lite, "append", fail)
        found = asyncio.run(gathered(writer, [draft(1), draft(2)]))
        assert [one.code for one in found if isinstance(one, StoreError)] == ["store_full", "store_full"]
        assert str(writer.counters.last_error) == "the store takes no more (store_full)"
        monkeypatch.setattr(lite, "append", append)
        assert isinstance(asyncio.run(gathered(writer, [draft(3)]))[0], Receipt)
        assert str(writer.counters.last_error) == "None"
    assert lite.head().seq == 1


def test_a_full_queue_says_so_at_once_and_loses_nothing(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, taken, append = threading.Event(), threading.Event(), lite.append

    def wait(drafts: Sequence[Draft]) -> object:
        taken.set()
        gate.wait(10)
        return append(drafts)

    monkeypatch.setattr(lite, "append", wait)

    async def play(writer: GroupCommit) -> None:
        first = asyncio.ensure_future(writer.put(draft(0)))
        assert await asyncio.to_thread(taken.wait, 10)
        waiting = [asyncio.ensure_future(writer.put(draft(number))) for number in range(1, 4)]
        await asyncio.sleep(0.01)
        assert writer.lag().queued == 4
        assert writer.lag().oldest > 0
        with pytest.raises(StoreBusy):
            await writer.put(draft(9))
        waiting[0].cancel()
        assert not await writer.drain(0.02)
        gate.set()
        assert await writer.drain(10)
        assert [(await one).seq for one in (first, *waiting[1:])] == [1, 3, 4]

    with closing(GroupCommit(lite, max_queue=3)) as writer:
        asyncio.run(play(writer))
    assert lite.head().seq == 4


def test_closing_commits_what_waits_and_takes_no_more(lite: AuditStore) -> None:
    writer = GroupCommit(lite)

    async def play() -> None:
        waiting = [asyncio.ensure_future(writer.put(draft(number))) for number in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(writer.close)
        assert len(await asyncio.gather(*waiting)) == 20
        with pytest.raises(StoreBusy):
            await writer.put(draft(99))

    asyncio.run(play())
    assert lite.head().seq == 20


def test_a_record_that_comes_while_nothing_runs_waits_for_nobody(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No artificial delay: alone, a record takes as long as its commit."""
    monkeypatch.setattr(writing, "_GATHER", 60.0)
    with closing(GroupCommit(lite)) as writer:

        async def play() -> float:
            await writer.put(draft(0))
            begin = time.perf_counter()
            for number in range(1, 21):
                await writer.put(draft(number))
            return time.perf_counter() - begin

        assert asyncio.run(play()) < 10
        assert writer.counters.commits == 21


def test_records_gather_while_the_loop_brings_more(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit costs as much as several records: a busy loop makes few of them."""
    monkeypatch.setattr(writing, "_GATHER", 60.0)

    async def play(writer: GroupCommit) -> None:
        waiting = []
        for number in range(60):
            waiting.append(asyncio.ensure_future(writer.put(draft(number))))
            await asyncio.sleep(0)
        assert [one.seq for one in await asyncio.gather(*waiting)] == list(range(1, 61))

    with closing(GroupCommit(lite, max_batch=50)) as writer:
        asyncio.run(play(writer))
        assert writer.counters.commits == 2


def test_a_loop_that_is_never_quiet_keeps_nobody_waiting(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_GATHER", 0.05)
    monkeypatch.setattr(writing, "_QUIET", 10**9)
    with closing(GroupCommit(lite)) as writer:
        begin = time.monotonic()
        assert isinstance(asyncio.run(gathered(writer, [draft(1)]))[0], Receipt)
        assert 0.05 <= time.monotonic() - begin < 30


def test_a_loop_that_ended_leaves_the_next_one_alone(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody counts the rounds of a loop that is gone."""
    monkeypatch.setattr(writing, "_GATHER", 60.0)
    monkeypatch.setattr(writing, "_QUIET", 10)

    async def leave(writer: GroupCommit) -> None:
        task = asyncio.ensure_future(writer.put(draft(1)))
        await asyncio.sleep(0)
        task.cancel()

    with closing(GroupCommit(lite)) as writer:
        asyncio.run(leave(writer))
        begin = time.monotonic()
        found = asyncio.run(gathered(writer, [draft(2)]))[0]
        assert isinstance(found, Receipt)
        assert (found.seq, time.monotonic() - begin < 30) == (2, True)
