"""Alive is not ready: what makes a server say that requests should go elsewhere."""

from __future__ import annotations

import threading

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from tests.service.operations.conftest import InProcess

from tariff_service.api import health
from tariff_service.api.state import Service
from tariff_service.store.faults import StoreError
from tariff_service.store.writer import Lag


def codes(answer: httpx.Response) -> list[str]:
    return [one["code"] for one in answer.json()["reasons"]]


def test_server_that_can_answer_and_store_is_ready(in_process: InProcess) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        alive = await client.get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"alive": True})
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "rulebook": service.rulebooks.current.id, "reasons": []})
        assert ready.headers["cache-control"] == "no-store"

    in_process(asking)


def test_stopping_server_is_alive_and_not_ready(in_process: InProcess) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        service.stopping = True
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
        assert (answer.status_code, codes(answer)) == (503, ["stopping"])
        assert answer.headers["retry-after"] == "5"

    in_process(asking)


@pytest.mark.parametrize("error", [StoreError("store_read_only", "a-secret-host"), RuntimeError("a-secret-host")])
def test_store_that_takes_nothing_is_a_reason_that_names_no_host(
    in_process: InProcess, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        def ping() -> None:
            raise error

        monkeypatch.setattr(service.store, "ping", ping)
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert codes(answer) == [error.code if isinstance(error, StoreError) else "store_unreachable"]
        assert "a-secret-host" not in answer.text

    in_process(asking)


def test_store_that_does_not_answer_within_a_second_is_asked_once_and_by_one_thread(
    in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        asked, over = list[int](), threading.Event()

        def ping() -> None:
            asked.append(1)
            over.wait(60)

        monkeypatch.setattr(service.store, "ping", ping)
        monkeypatch.setattr(health, "PING_LIMIT", 0.2)
        try:
            for _ in range(6):  # each is answered while the store is still silent
                assert codes(await client.get("/readyz")) == ["store_unreachable"]
            assert len(asked) == 1
        finally:
            over.set()

    in_process(asking)


def test_store_is_asked_once_a_second_however_many_ask(in_process: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        asked: list[int] = []
        monkeypatch.setattr(service.store, "ping", lambda: asked.append(1))
        for _ in range(20):
            assert (await client.get("/readyz")).status_code == 200
        assert len(asked) <= 2

    in_process(asking)


def test_store_that_does_not_keep_up_is_a_reason(in_process: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asking(client: httpx.AsyncClient, service: Service, _app: FastAPI) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(service.writer, "lag", lambda: Lag(12, 11.0))
            answer = await client.get("/readyz")
        assert (answer.status_code, codes(answer)) == (503, ["store_behind"])
        assert (await client.get("/readyz")).status_code == 200

    in_process(asking)
