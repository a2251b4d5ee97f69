"""Who may address the server, from which pages, and how many at once."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send
from tests.service.security.conftest import Held, Make

from tariff_service import keys
from tariff_service.api.guarding import Guard
from tariff_service.api.settings import Settings
from tariff_service.store.store import AuditStore


# ---------------------------------------------------------------- names of the server
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8000"])
def test_a_server_on_loopback_answers_to_its_own_names(guarded: Make, host: str) -> None:
    assert guarded().client.get("/who", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "localhost.rebound.example",
        "127.0.0.1.rebound.example",
        "localhost@rebound.example",
        "[::2]",
        "10.0.0.1",
        "a:b:c",
        "localhost:x",
        "localhost:8000,rebound.example",
        "localhost:123456",
        "[::1",
        "::1",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(guarded: Make, host: str) -> None:
    """A page of another site could read this server if it answered to the name of that site."""
    found = guarded().client.get("/who", headers={"Host": host})
    assert (found.status_code, found.json()["code"]) == (421, "host_refused")


def test_names_that_the_operator_lists_are_answered(guarded: Make) -> None:
    client = guarded(allowed_hosts=("duty.example",)).client
    assert client.get("/who", headers={"Host": "duty.example:8443"}).status_code == 200
    assert client.get("/who", headers={"Host": "other.example"}).status_code == 421


def test_with_keys_only_listed_names_are_checked(guarded: Make) -> None:
    assert guarded(auth=True).client.get("/problems/x", headers={"Host": "any.example"}).status_code == 200
    client = guarded(auth=True, allowed_hosts=("duty.example",)).client
    assert client.get("/problems/x", headers={"Host": "any.example"}).status_code == 421
    assert client.get("/healthz", headers={"Host": "10.1.2.3:8000"}).status_code == 200, "supervisors ask by address"


def test_beyond_loopback_without_keys_an_address_is_no_name_that_could_be_rebound(guarded: Make) -> None:
    client = guarded(auth=False, host="0.0.0.0").client  # noqa: S104  that is what is tested
    assert client.get("/who", headers={"Host": "192.0.2.7:8000"}).status_code == 200
    assert client.get("/who", headers={"Host": "rebound.example"}).status_code == 421


@pytest.mark.parametrize("name", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_a_proxy_on_the_same_machine_does_not_open_a_server_without_keys_by_accident(guarded: Make, name: str) -> None:
    """To this server everybody who reaches the proxy looks like a program of its own machine."""
    assert guarded().client.get("/who", headers={name: "198.51.100.7"}).status_code == 421
    assert guarded(auth=True).client.get("/who", headers={name: "198.51.100.7"}).status_code == 401
    assert guarded(auth=False).client.get("/who", headers={name: "198.51.100.7"}).status_code == 200, "the operator said so"


# ---------------------------------------------------------------- pages of other origins
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "file://localhost"]
)
def test_a_page_of_another_origin_may_not_ask_by_any_method(guarded: Make, method: str, origin: str) -> None:
    found = guarded().client.request(method, "/who", headers={"Origin": origin})
    assert found.status_code == 403
    assert "access-control-allow-origin" not in found.headers


def test_a_page_of_the_server_itself_may_ask(guarded: Make) -> None:
    assert guarded().client.post("/who", headers={"Origin": "http://localhost"}).status_code == 200


def test_what_another_site_embeds_is_refused_and_a_link_to_us_is_not(guarded: Make) -> None:
    """Images and scripts are asked for without an Origin."""
    client = guarded().client
    assert client.get("/who", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert client.get("/who", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200
    assert client.get("/who", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}).status_code == 200


def test_an_origin_that_the_operator_lists_may_ask_and_no_other(guarded: Make) -> None:
    client = guarded(cors_origins=("https://desk.example",)).client
    found = client.get("/who", headers={"Origin": "https://desk.example"})
    assert found.headers["access-control-allow-origin"] == "https://desk.example"
    assert "Origin" in found.headers["vary"]
    assert "access-control-allow-credentials" not in found.headers
    assert client.get("/who").headers["vary"] == "Origin", "a cache must tell answers to pages from others"
    for other in ("https://desk.example.evil.example", "http://desk.example", "https://desk.example:444"):
        refused = client.get("/who", headers={"Origin": other})
        assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (403, None)


def test_a_preflight_is_answered_for_listed_origins_methods_and_headers_alone(guarded: Make) -> None:
    client = guarded(auth=True, cors_origins=("https://desk.example",)).client
    asked = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    found = client.options("/who", headers=asked)
    assert found.status_code == 204
    assert found.headers["access-control-allow-origin"] == "https://desk.example"
    assert "POST" in found.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in found.headers
    for change in (
        {"Origin": "https://evil.example"},
        {"Access-Control-Request-Method": "DELETE"},
        {"Access-Control-Request-Headers": "x-api-key, x-forwarded-host"},
    ):
        refused = client.options("/who", headers={**asked, **change})
        assert refused.status_code == 403


@pytest.mark.parametrize("origin", ["*", "https://*.example", "desk.example", "https://desk.example/", "https://a b"])
def test_an_origin_that_is_none_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        Guard(cast("Any", None), settings=Settings(cors_origins=(origin,)))


def test_a_web_socket_is_refused() -> None:
    """A page of any origin can open one, and no CORS stands before it."""
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(cast("Any", None), settings=Settings())({"type": "websocket"}, cast("Any", None), keep))
    assert sent == [{"type": "websocket.close", "code": 1008}]


# ---------------------------------------------------------------- headers
def test_every_answer_carries_the_headers_that_protect_its_reader(guarded: Make) -> None:
    made = guarded()
    for path, code in (("/who", 200), ("/nowhere", 404), ("/fault", 500), ("/healthz", 200)):
        found = made.client.get(path)
        assert found.status_code == code
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"
        assert found.headers["cache-control"] == "no-store"
        assert "server" not in found.headers
    assert made.client.get("/kept").headers["cache-control"] == "public, max-age=60", "what a route set stays"


def test_a_page_runs_no_script_and_stands_in_no_frame(guarded: Make) -> None:
    headers = guarded().client.get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "camera=()" in headers["permissions-policy"]


def test_a_fault_tells_nothing_of_the_inside(guarded: Make) -> None:
    found = guarded().client.get("/fault")
    assert found.json()["code"] == "internal_error"
    assert "secret" not in found.text


@pytest.mark.parametrize("name", ["Host", "Authorization", "X-API-Key", "Idempotency-Key", "Content-Type", "Origin"])
def test_a_header_that_decides_something_stands_once(guarded: Make, name: str) -> None:
    """Of two a proxy may look at one and this server at the other."""
    found = guarded().client.get("/who", headers=[(name, "localhost"), (name, "localhost")])
    assert (found.status_code, found.json()["code"]) == (400, "bad_header")


# ---------------------------------------------------------------- how many at once
def _scope(path: str = "/who") -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1)}


async def _ask(guard: Guard, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await guard(scope, cast("Any", None), keep)
    return sent


def test_beyond_its_share_of_work_the_server_says_so_and_counts_right_whatever_happens(store: AuditStore) -> None:
    held = Held(store)
    release = asyncio.Event()

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/fault":
            raise RuntimeError
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def run() -> None:
        guard = Guard(app, lambda _scope: cast("Any", held), Settings(max_concurrency=2))
        tasks = [asyncio.create_task(_ask(guard, _scope())) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert held.working == 2
        refused = await _ask(guard, _scope())
        assert refused[0]["status"] == 503
        assert (b"retry-after", b"1") in refused[0]["headers"]
        assert b'"overloaded"' in refused[1]["body"]
        tasks[0].cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)
        assert held.working == 1
        with pytest.raises(RuntimeError):
            await _ask(guard, _scope("/fault"))
        assert held.working == 1
        release.set()
        assert (await tasks[1])[0]["status"] == 200
        assert held.working == 0

    asyncio.run(run())


def test_a_server_that_stops_takes_nothing_new_and_still_says_that_it_lives(guarded: Make) -> None:
    made = guarded()
    made.held.stopping = True
    found = made.client.get("/who")
    assert (found.status_code, found.json()["code"]) == (503, "stopping")
    assert "retry-after" in found.headers
    assert made.client.get("/readyz").status_code == 200, "what it answers is the route's own"
    made.held.stopping = False
    made.held.working = 10_000
    assert made.client.get("/who").json()["code"] == "overloaded"
    assert made.client.get("/healthz").status_code == 200


def test_one_key_cannot_take_every_place(store: AuditStore) -> None:
    """Places are held by slow bodies and long batches; an eighth of them is always left to others."""
    held, release = Held(store), asyncio.Event()
    text, other = (keys.create(store, name, ["assess"]).text for name in ("acme", "other"))

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def scope(key: str) -> Scope:
        found = _scope()
        return {**found, "headers": [*found["headers"], (b"x-api-key", key.encode())]}

    async def run() -> None:
        guard = Guard(app, lambda _scope: cast("Any", held), Settings(auth=True, max_concurrency=8))
        tasks = [asyncio.create_task(_ask(guard, scope(text))) for _ in range(9)]
        for _ in range(600):  # the first reads the keys
            if held.working < 7:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        assert held.working == 7
        tasks.append(asyncio.create_task(_ask(guard, scope(other))))
        await asyncio.sleep(0.05)
        assert held.working == 8
        release.set()
        statuses = [(await task)[0]["status"] for task in tasks]
        assert sorted(statuses) == [200] * 8 + [503] * 2
        assert held.working == 0

    asyncio.run(run())
