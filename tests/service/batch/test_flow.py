"""A batch in motion: bounded memory, others served meanwhile, and every way in which it can break off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from tests.service.batch.talking import GOOD, Talk, eventually, lines, send, single

from tariff_service.api import batch, ndjson_batch, row_stream, row_window
from tariff_service.api.state import Service
from tariff_service.store.faults import StoreBusy, StoreError
from tariff_service.store.records import Draft, Receipt

ROW = lines([GOOD])
OLD = {**GOOD, "value": "42"}


@contextmanager
def setting(service: Service, **changes: Any) -> Iterator[None]:
    """Run with other settings."""
    before = service.settings
    service.settings = replace(before, **changes)
    try:
        yield
    finally:
        service.settings = before


class FakeWriter:
    """A writer that keeps what the test says."""

    def __init__(self, put: Callable[[Draft], Coroutine[Any, Any, Receipt]]) -> None:
        """Take what happens to a draft."""
        self.put = put


@contextmanager
def writer(service: Service, put: Callable[[Draft], Coroutine[Any, Any, Receipt]]) -> Iterator[None]:
    """Run with another writer."""
    before = service.writer
    service.writer = FakeWriter(put)  # type: ignore[assignment]
    try:
        yield
    finally:
        service.writer = before


def receipt(draft: Draft) -> Receipt:
    """Return a receipt such as the store gives."""
    return Receipt(draft.id, 1, "", "")


async def quiet() -> None:
    """Check that nothing of a batch runs on."""
    for _ in range(20):
        await asyncio.sleep(0)
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert others == []


def test_no_row_is_answered_before_it_is_stored(app: FastAPI, service: Service) -> None:
    async def run() -> None:
        release = asyncio.Event()
        begun = 0

        async def put(draft: Draft) -> Receipt:
            nonlocal begun
            begun += 1
            await release.wait()
            return receipt(draft)

        with writer(service, put):
            talk = Talk(app)
            talk.say(ROW * 20, last=True)
            await eventually(lambda: begun == 20)
            assert talk.status == 200
            assert talk.content == b""
            release.set()
            await talk.end()
            assert [row["status"] for row in talk.rows()] == [201] * 20

    asyncio.run(run())


def test_rows_keep_their_order_whichever_the_store_keeps_first(app: FastAPI, service: Service) -> None:
    async def run() -> None:
        async def put(draft: Draft) -> Receipt:
            await asyncio.sleep(hash(draft.request) % 7 / 200)
            return receipt(draft)

        with writer(service, put):
            talk = await send(app, lines({**GOOD, "id": str(n)} for n in range(120)))
        assert [row["id"] for row in talk.rows()] == [str(n) for n in range(120)]

    asyncio.run(run())


def test_a_client_that_takes_no_answers_stops_the_work_and_then_the_reading(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_stream.Intake.__init__, "__defaults__", (20_000,))

    async def run() -> None:
        talk = Talk(app, query={"store": "false", "explain": "none"})
        talk.listening.clear()
        rows = 20_000
        part = lines([GOOD] * 20)
        for _ in range(rows // 20):
            talk.say(part)
        talk.say(b"", last=True)
        left = [0, 0]
        while left[0] != left[1] or talk.inbox.qsize() > rows // 20:
            left = [left[1], talk.inbox.qsize()]
            await asyncio.sleep(0.2)
        taken = rows - left[1] * 20
        assert taken < row_window.WINDOW_ROWS + 20_000 / len(part) * 20 + 400
        talk.listening.set()
        await talk.until(1_000)
        talk.leave()
        while not talk.inbox.empty():
            talk.inbox.get_nowait()
        talk.leave()
        await talk.end()
        await quiet()

    asyncio.run(run())


def test_single_requests_are_answered_while_long_batches_run(app: FastAPI) -> None:
    async def run() -> None:
        batches = [Talk(app, query={"store": "false"}) for _ in range(4)]
        for talk in batches:
            talk.say(ROW * 3_000, last=True)
        turns = 0
        for _ in range(20):
            before = sum(len(talk.content) for talk in batches)
            found = await single(app, ROW, store="false")
            assert found.status == 200
            after = sum(len(talk.content) for talk in batches)
            turns = max(turns, (after - before) // len(found.content))
        assert not any(talk.ended for talk in batches), "the batches ran on all the time"
        assert turns < 400, "a single request waits for a few rows, not for batches"
        for talk in batches:
            talk.leave()
            await talk.end()
        await quiet()

    asyncio.run(run())


@pytest.mark.parametrize("moment", ["before the first row", "between rows", "in the middle of a row", "while the store works"])
def test_a_client_that_leaves_ends_the_work(app: FastAPI, service: Service, moment: str) -> None:
    async def run() -> None:
        stored = 0

        async def put(draft: Draft) -> Receipt:
            nonlocal stored
            stored += 1
            if moment == "while the store works":
                await asyncio.sleep(3_600)
            return receipt(draft)

        with writer(service, put):
            talk = Talk(app)
            if moment != "before the first row":
                talk.say(ROW * 10 + (ROW[:30] if moment == "in the middle of a row" else b""))
                await eventually(lambda: stored == 10)
            talk.leave()
            await talk.end()
            await quiet()
            assert stored in {0, 10}

    asyncio.run(run())


def test_a_cancelled_batch_leaves_nothing_behind(app: FastAPI) -> None:
    async def run() -> None:
        talk = Talk(app, query={"store": "false"})
        talk.say(ROW * 5_000)
        await talk.until(10)
        talk.task.cancel()
        await asyncio.gather(talk.task, return_exceptions=True)
        await quiet()

    asyncio.run(run())


def test_a_server_that_stops_answers_what_was_begun_and_says_where_it_stopped(app: FastAPI, service: Service) -> None:
    async def run() -> None:
        talk = Talk(app)
        talk.say(ROW * 2_000)
        await talk.until(5)
        service.stopping = True
        try:
            await talk.end()
        finally:
            service.stopping = False
        *rows, last = talk.rows()
        assert [row["row"] for row in rows] == list(range(1, len(rows) + 1))
        assert {row["status"] for row in rows} == {201}
        assert len(rows) < 2_000
        assert (last["row"], last["id"], last["status"], last["problem"]["code"]) == (None, None, 503, "stopping")

    asyncio.run(run())


def test_a_server_that_stops_does_not_wait_for_a_client_that_is_silent(app: FastAPI, service: Service) -> None:
    async def run() -> None:
        talk = Talk(app)
        talk.say(ROW)
        await talk.until(1)
        service.stopping = True
        try:
            await asyncio.wait_for(talk.end(), 5)
        finally:
            service.stopping = False
        assert talk.rows()[-1]["problem"]["code"] == "stopping"

    asyncio.run(run())


def test_a_client_that_stops_sending_hears_so(app: FastAPI, service: Service) -> None:
    async def run() -> tuple[Talk, Talk]:
        with setting(service, body_timeout=0.3):
            begun, silent = Talk(app), Talk(app)
            begun.say(ROW + ROW[:20])
            return await begun.end(), await silent.end()

    begun, silent = asyncio.run(run())
    assert [(row["row"], row["status"]) for row in begun.rows()] == [(1, 201), (None, 408)]
    assert (silent.status, json.loads(silent.content)["code"]) == (408, "body_too_slow")


def test_a_client_that_sends_all_before_it_reads_hears_that_its_answers_were_not_read(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even the bounds between both sides hold them, the rest of the body is taken and thrown away, so that the client can hear."""
    monkeypatch.setattr(row_stream.Intake.__init__, "__defaults__", (5_000,))
    monkeypatch.setattr(batch, "_PATIENCE", 0.3)

    async def run() -> Talk:
        talk = Talk(app, query={"store": "false"})
        talk.listening.clear()
        for _ in range(500):
            talk.say(ROW * 20)
        await eventually(talk.inbox.empty)
        talk.say(b"", last=True)
        talk.listening.set()
        return await talk.end()

    *rows, last = asyncio.run(run()).rows()
    assert {row["status"] for row in rows} == {200}
    assert 0 < len(rows) < 10_000
    assert (last["row"], last["status"], last["problem"]["code"]) == (None, 408, "answers_unread")


def test_a_client_that_is_slow_to_read_loses_no_rows_that_were_all_taken(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_PATIENCE", 0.4)

    async def run() -> Talk:
        talk = Talk(app, query={"store": "false"})
        talk.say(ROW * 20, last=True)
        talk.listening.clear()
        await asyncio.sleep(0.6)
        talk.listening.set()
        return await talk.end()

    assert [row["status"] for row in asyncio.run(run()).rows()] == [200] * 20


def test_a_server_that_stops_says_nothing_where_all_rows_were_answered(app: FastAPI, service: Service) -> None:
    async def run() -> list[dict[str, Any]]:
        async def put(draft: Draft) -> Receipt:
            service.stopping = True
            return receipt(draft)

        with writer(service, put):
            talk = Talk(app)
            talk.say(ROW[:-1], last=True)
            return (await talk.end()).rows()

    try:
        assert [row["status"] for row in asyncio.run(run())] == [201]
    finally:
        service.stopping = False


def test_a_client_that_neither_sends_nor_reads_is_left(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_PATIENCE", 0.2)

    async def run() -> None:
        talk = Talk(app, query={"store": "false"})
        talk.say(ROW)
        await talk.until(1)
        talk.listening.clear()
        talk.say(ROW)
        await asyncio.wait_for(talk.end(), 10)
        assert not talk.ended
        await quiet()

    asyncio.run(run())


def test_rows_that_the_store_does_not_take_get_its_problem_and_the_others_their_answers(app: FastAPI, service: Service) -> None:
    async def run() -> list[dict[str, Any]]:
        count = 0

        async def put(draft: Draft) -> Receipt:
            nonlocal count
            count += 1
            if count % 3 == 0:
                raise StoreError("store_full")
            return receipt(draft)

        with writer(service, put):
            return (await send(app, ROW * 9)).rows()

    rows = asyncio.run(run())
    assert [row["status"] for row in rows] == [201, 201, 507] * 3
    assert rows[2]["problem"]["code"] == "store_full"
    assert "answer" not in rows[2]


def test_a_batch_is_given_up_when_the_store_fails_on_and_on(app: FastAPI, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "STORE_FAILURES", 40)

    async def run() -> list[dict[str, Any]]:
        async def put(_: Draft) -> Receipt:
            raise StoreError("store_read_only")

        with writer(service, put):
            talk = Talk(app)
            talk.say(ROW * 3_000)
            await talk.end()
            await quiet()
            return talk.rows()

    *rows, last = asyncio.run(run())
    assert [(row["row"], row["status"]) for row in rows] == [(n, 503) for n in range(1, 41)]
    assert (last["row"], last["status"], last["problem"]["code"]) == (None, 503, "store_read_only")


def test_a_busy_store_is_waited_for(app: FastAPI, service: Service) -> None:
    async def run() -> list[dict[str, Any]]:
        refused: set[str] = set()

        async def put(draft: Draft) -> Receipt:
            if draft.id not in refused:
                refused.add(draft.id)
                raise StoreBusy("full")
            return receipt(draft)

        with writer(service, put):
            return (await send(app, ROW * 5)).rows()

    assert [row["status"] for row in asyncio.run(run())] == [201] * 5


def test_a_fault_of_ours_in_one_row_is_that_rows_problem(app: FastAPI, service: Service) -> None:
    async def run() -> list[dict[str, Any]]:
        async def put(draft: Draft) -> Receipt:
            if b'"42"' in draft.request:
                raise ZeroDivisionError
            return receipt(draft)

        with writer(service, put):
            return (await send(app, lines([GOOD, OLD, GOOD]))).rows()

    rows = asyncio.run(run())
    assert [row["status"] for row in rows] == [201, 500, 201]
    assert rows[1]["problem"]["code"] == "internal_error"


def test_rows_are_slowed_down_to_the_share_of_the_caller(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    charged = 0

    def allowed(*_: object) -> float:
        nonlocal charged
        charged += 1
        return 0.05 if charged % 5 == 0 else 0.0

    monkeypatch.setattr(batch, "rows_allowed", allowed)

    async def run() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert len((await send(app, ROW * 20, store="false")).rows()) == 20
        return loop.time() - begun

    assert asyncio.run(run()) >= 0.19
    assert charged == 20


def test_a_row_that_takes_too_long_is_given_up_alone(app: FastAPI, service: Service) -> None:
    async def run() -> list[dict[str, Any]]:
        entry = {"lines": [{**GOOD, "id": str(n), "value": str(n + 1)} for n in range(100)]}
        with setting(service, time_limit=0.0, max_row=1_000_000):
            return (await send(app, lines([GOOD, entry, GOOD]), store="false")).rows()

    rows = asyncio.run(run())
    assert [row["status"] for row in rows] == [200, 503, 200]
    assert rows[1]["problem"]["code"] == "too_slow"


def test_the_window_holds_few_large_answers() -> None:
    async def run() -> None:
        window = row_window.Window(rows=10, size=100)
        answer = row_window.RowAnswer(1, None, 200)
        await window.put(answer, 500)  # the first always fits
        waiting = asyncio.create_task(window.put(answer, 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert await window.take(1, 1.0) == [answer]
        await waiting
        window.close()
        assert await window.take(1, 1.0) == [answer]
        assert await window.take(1, 1.0) is None

    asyncio.run(run())


def test_a_source_that_fails_ends_the_batch_with_a_row_that_says_so(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(part: ndjson_batch.Part, most: int) -> AsyncGenerator[Sequence[row_stream.Row], None]:  # noqa: ARG001
        yield [row_stream.Row(1, ROW)]
        raise ZeroDivisionError

    monkeypatch.setattr(batch, "ndjson_rows", broken)

    async def run() -> list[dict[str, Any]]:
        return (await send(app, ROW, store="false")).rows()

    assert [(row["row"], row["status"]) for row in asyncio.run(run())] == [(1, 200), (None, 500)]
