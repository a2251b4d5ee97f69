"""What a request and its answer pass on their way: the body as it comes, and the answer as it leaves."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from tariff_service.api.bodies import read_whole
from tariff_service.api.headers import STATED
from tariff_service.api.joining import JoiningTransport
from tariff_service.api.problems import Refusal
from tariff_service.api.settings import Settings


def reading(parts: list[tuple[bytes, float]], **settings: Any) -> bytes:
    """Read a body whose parts come so many seconds one after the other; a negative wait comes without any turn of the loop."""
    left = list(parts)

    async def receive() -> dict[str, Any]:
        part, wait = left.pop(0)
        if wait >= 0:
            await asyncio.sleep(wait)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def send(_message: Any) -> None:
        """Nothing is sent."""

    scope = {"type": "http", STATED: {b"content-type": b"application/json"}}
    return asyncio.run(read_whole(Request(scope, receive, send), Settings(**settings)))


@pytest.mark.parametrize("wait", [-1, 0, 0.01], ids=["at once", "after a turn", "later"])
@pytest.mark.parametrize("parts", [[b"{}"], [b"{", b"}"], [b"{", b"", b" ", b"}"], [b""]])
def test_a_body_is_read_whole_however_it_comes(parts: list[bytes], wait: float) -> None:
    assert reading([(part, wait) for part in parts]) == b"".join(parts)


@pytest.mark.parametrize("waits", [[30.0], [-1, 30.0], [0, 30.0]], ids=["the first part", "the second part", "after a turn"])
def test_a_body_that_does_not_come_is_given_up(waits: list[float]) -> None:
    with pytest.raises(Refusal, match="was not there") as refused:
        reading([(b"{", wait) for wait in waits], body_timeout=0.05)
    assert refused.value.code == "body_too_slow"


@pytest.mark.parametrize("wait", [-1, 0])
@pytest.mark.parametrize("parts", [[b"x" * 11], [b"x" * 6, b"x" * 5]])
def test_a_body_that_is_too_large_is_refused_in_one_part_or_several(parts: list[bytes], wait: float) -> None:
    assert len(reading([(part[:5], wait) for part in parts], max_body=10)) == 5 * len(parts)
    with pytest.raises(Refusal) as refused:
        reading([(part, wait) for part in parts], max_body=10)
    assert refused.value.code == "file_too_large"


def test_whoever_waits_for_a_body_can_be_cancelled() -> None:
    ended = []

    async def receive() -> Any:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("inside")

    async def play() -> None:
        scope = {"type": "http", STATED: {b"content-type": b"application/json"}}
        task = asyncio.ensure_future(read_whole(Request(scope, receive), Settings()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())
    assert ended == ["inside"]


class _Wire:
    """A transport that notes what leaves it, and in how many turns."""

    def __init__(self) -> None:
        self.turns: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.turns.append(data)

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        self.turns.append(b"".join(parts))

    def close(self) -> None:
        self.turns.append(b"closed")

    def is_closing(self) -> bool:
        return False


def test_an_answer_leaves_with_its_head_in_one_turn() -> None:
    wire, cycle = _Wire(), SimpleNamespace(response_started=False)
    way = JoiningTransport(cycle, cast("asyncio.Transport", wire))
    way.write(b"interim ")
    cycle.response_started = True
    way.write(b"head ")
    assert wire.turns == [b"interim "]
    way.write(b"body ")
    way.write(b"more")
    way.close()
    assert wire.turns == [b"interim ", b"head body ", b"more", b"closed"]


def test_a_head_whose_body_never_comes_leaves_before_the_connection_is_closed() -> None:
    wire, cycle = _Wire(), SimpleNamespace(response_started=True)
    way = JoiningTransport(cycle, cast("asyncio.Transport", wire))
    way.write(b"head")
    way.close()
    assert wire.turns == [b"head", b"closed"]
