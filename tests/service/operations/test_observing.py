"""The outermost layer: every request has an id, a line in the log and a place in the metrics; a fault is answered and tells nothing."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send
from tests.service.operations.conftest import WIDGET, InProcess

from tariff_service.api.callers import KEY, LOCAL
from tariff_service.api.logs import AccessLog, Lines
from tariff_service.api.metrics import Metrics
from tariff_service.api.observing import NOBODY, Observing
from tariff_service.api.state import Service

NAME = "a-name-that-nobody-may-read"


class Seen:
    """A service around an application, and what it sent and logged."""

    def __init__(self, app: Any, *, stopping: bool = False) -> None:
        """Put the layer around an application."""
        self.metrics = Metrics()
        self.lines: list[str] = []
        self.sent: list[Message] = []
        current = SimpleNamespace(id="sha256:" + "0123456789abcdef" * 4)
        service = SimpleNamespace(metrics=self.metrics, stopping=stopping, rulebooks=SimpleNamespace(current=current))
        self.owner = SimpleNamespace(state=SimpleNamespace(service=service))
        self.layer = Observing(app, log=AccessLog("debug", "json", Lines(self.lines.append)))

    async def _ask(self, scope: dict[str, Any], times: int) -> None:
        async def send(message: Message) -> None:
            self.sent.append(message)

        async def receive() -> Message:
            return {"type": "http.request"}

        for _ in range(times):
            await self.layer({**scope}, receive, send)
        await asyncio.sleep(0.05)

    def ask(self, *, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = (), times: int = 1) -> Seen:
        """Send requests."""
        asyncio.run(self._ask({"type": "http", "method": method, "headers": list(headers), "app": self.owner}, times))
        return self

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines that were logged."""
        return [json.loads(line) for line in "".join(self.lines).splitlines()]

    def header(self, name: bytes) -> bytes:
        """Return a header of the first answer."""
        return bytes(dict(self.sent[0]["headers"])[name])


HEADERS = [(b"content-type", b"application/json"), (b"location", b"/v1/assessments/asm_01ABC")]


async def good(scope: Scope, _receive: Receive, send: Send) -> None:
    scope["route"] = SimpleNamespace(path="/v1/assessments")
    scope[KEY] = LOCAL
    await send({"type": "http.response.start", "status": 201, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"0123", "more_body": True})
    await send({"type": "http.response.body", "body": b"456789"})


def test_request_has_one_line_with_everything_that_finds_it_again() -> None:
    seen = Seen(good).ask(method="POST")
    (line,) = seen.log
    assert line.pop("time").endswith("Z")
    assert line.pop("ms") >= 0
    assert line.pop("request_id") == seen.header(b"x-request-id").decode()
    assert line == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "endpoint": "/v1/assessments",
        "status": 201,
        "bytes": 10,
        "caller": "local",
        "rulebook": "0123456789ab",
        "assessment": "asm_01ABC",
    }
    assert seen.metrics.whole()[0]["tariff_http_requests_total"] == {("/v1/assessments", "POST", "201"): 1.0}


@pytest.mark.parametrize("name", ["abc", "A.b_c-9", "x" * 64])
def test_sane_request_id_is_taken_over(name: str) -> None:
    assert Seen(good).ask(headers=((b"x-request-id", name.encode()),)).header(b"x-request-id") == name.encode()


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "a\u00e9", "<script>", 'a"b', "a\n"])
def test_other_request_ids_are_replaced(name: str) -> None:
    seen = Seen(good).ask(headers=((b"x-request-id", name.encode("latin-1")),))
    assert seen.header(b"x-request-id") != name.encode("latin-1")
    assert len(seen.log) == 1


def test_made_request_ids_differ() -> None:
    seen = Seen(good).ask(times=100)
    assert len({line["request_id"] for line in seen.log}) == 100


def test_headers_that_belong_to_somebody_else_are_not_changed() -> None:
    before = list(HEADERS)
    Seen(good).ask(times=3)
    assert before == HEADERS


def test_stopping_server_closes_connections_after_their_answer() -> None:
    assert Seen(good, stopping=True).ask().header(b"connection") == b"close"


def test_fault_is_answered_with_its_request_id_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    async def faulty(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError(NAME)

    seen = Seen(faulty).ask(headers=((b"x-request-id", b"mine"),))
    body = json.loads(seen.sent[1]["body"])
    assert (seen.sent[0]["status"], body["code"], body["instance"]) == (500, "internal_error", "urn:tariff:request:mine")
    assert seen.header(b"content-type") == b"application/problem+json"
    assert NAME not in str(seen.sent)
    assert (seen.log[0]["status"], seen.log[0]["problem"], seen.log[0]["level"]) == (500, "internal_error", "error")
    assert seen.metrics.whole()[0]["tariff_problems_total"] == {("internal_error",): 1.0}
    assert seen.metrics.in_work == 0
    assert NAME not in capsys.readouterr().err


def test_fault_after_the_answer_has_begun_ends_it_without_an_end() -> None:
    async def faulty(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError(NAME)

    seen = Seen(faulty).ask()
    assert [message["type"] for message in seen.sent] == ["http.response.start", "http.response.body"]
    assert seen.log[0]["problem"] == "internal_error"


def test_sender_that_went_away_is_no_fault() -> None:
    async def gone(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    seen = Seen(gone).ask()
    assert seen.sent == []
    assert (seen.log[0]["status"], seen.log[0]["level"]) == (NOBODY, "info")


def test_request_that_is_given_up_is_counted_and_the_cancelling_goes_on() -> None:
    async def slow(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(10)

    seen = Seen(slow)

    async def work() -> None:
        task = asyncio.ensure_future(seen._ask({"type": "http", "method": "GET", "headers": [], "app": seen.owner}, 1))  # noqa: SLF001  its own helper
        await asyncio.sleep(0.01)
        assert seen.metrics.in_work == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert seen.metrics.in_work == 0
    assert seen.metrics.whole()[0]["tariff_http_requests_total"] == {("unmatched", "GET", str(NOBODY)): 1.0}


def test_the_layer_costs_microseconds() -> None:
    async def time_of(app: Any, owner: Any) -> float:
        async def send(_message: Message) -> None:
            pass

        async def receive() -> Message:
            return {"type": "http.request"}

        headers = [(b"host", b"x"), (b"user-agent", b"y"), (b"content-type", b"application/json"), (b"accept", b"*/*")]
        best = 1.0
        for _ in range(30):
            began = time.process_time()
            for _ in range(100):
                await app({"type": "http", "method": "POST", "headers": headers, "app": owner}, receive, send)
            best = min(best, (time.process_time() - began) / 100)
            await asyncio.sleep(0)
        return best

    async def work() -> None:
        seen = Seen(good)
        cost = await time_of(seen.layer, seen.owner) - await time_of(good, seen.owner)
        assert cost < 40e-6  # 8 to 15 measured; the room is for a busy machine

    asyncio.run(work())


def test_routes_are_named_by_their_template_and_refusals_by_their_code(in_process: InProcess, capfd: pytest.CaptureFixture[str]) -> None:
    async def asking(client: httpx.AsyncClient, _service: Service, app: FastAPI) -> None:
        async def fault() -> None:
            raise RuntimeError(NAME)

        app.add_api_route("/fault", fault, include_in_schema=False)
        answer = await client.get("/fault", headers={"X-Request-Id": "f-1"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (500, "f-1")
        assert answer.json()["code"] == "internal_error"
        assert NAME not in answer.text
        assert (await client.get(f"/v1/assessments/{NAME}?a={NAME}")).status_code == 422
        assert (await client.post("/v1/assessments", json={**WIDGET, "origin": "XX"})).status_code == 422
        stored = await client.post("/v1/assessments", json=WIDGET, headers={"X-Request-Id": "s-1"})
        assert stored.headers["x-request-id"] == "s-1"
        assert (await client.get("/openapi.json")).status_code == 200
        await asyncio.sleep(0.1)

    in_process(asking)
    err = capfd.readouterr().err
    assert NAME not in err
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    found = {(line["endpoint"], line["status"], line.get("problem")) for line in lines if line["event"] == "request"}
    assert found >= {
        ("/fault", 500, "internal_error"),
        ("/openapi.json", 200, None),
        ("/v1/assessments/{record_id}", 422, "unknown_parameter"),
        ("/v1/assessments", 422, "unknown_country"),
        ("/v1/assessments", 201, None),
    }
    stored = next(line for line in lines if line.get("request_id") == "s-1")
    assert stored["assessment"].startswith("asm_")
