"""Keys: how they are made, kept, recognised, exchanged and ended."""

from __future__ import annotations

import asyncio
import hmac
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.security.conftest import Make
from typer.testing import CliRunner

from tariff_engine.problems import ProblemError
from tariff_service import keys
from tariff_service.api import keyring
from tariff_service.api.keyring import KeyRing
from tariff_service.api.problems import Refusal
from tariff_service.keys_cli import keys_app
from tariff_service.store.records import now, stamp
from tariff_service.store.store import AuditStore


def _make(store: AuditStore, *scopes: str, **more: Any) -> keys.Issued:
    return keys.create(store, "acme", scopes or ("assess",), **more)


def _bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


# ---------------------------------------------------------------- made and kept
def test_a_key_has_256_bits_of_chance_and_the_store_never_holds_it(store: AuditStore, tmp_path: Path) -> None:
    issued = [_make(store) for _ in range(20)]
    secrets = {one.text.split("_")[2] for one in issued}
    assert len(secrets) == 20
    assert all(len(secret) * 5 >= 256 for secret in secrets)
    store.close()
    held = b"".join(path.read_bytes() for path in tmp_path.glob("audit.db*"))
    assert issued[0].key.id.encode() in held
    assert not any(secret.encode() in held for secret in secrets)
    assert not any(one.text in repr(one) or one.text.split("_")[2] in repr(one) for one in issued)


@pytest.mark.parametrize(
    "wrong",
    [
        {"caller": ""},
        {"caller": "local"},
        {"caller": "a b"},
        {"caller": "a\n"},
        {"caller": "x" * 65},
        {"scopes": ()},
        {"scopes": ("root",)},
        {"rate": 0},
        {"days": 0},
        {"name": "a\x1b[0m"},
        {"name": "x" * 101},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(store: AuditStore, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"caller": "acme", "scopes": ("assess",), **wrong}
    with pytest.raises(ProblemError):
        keys.create(store, given.pop("caller"), given.pop("scopes"), **given)
    assert keys.list_keys(store) == []


# ---------------------------------------------------------------- recognised
def test_a_key_opens_by_either_header_and_says_who_asks(guarded: Make, store: AuditStore) -> None:
    issued = _make(store)
    client = guarded(auth=True).client
    for headers in (_bearer(issued.text), {"Authorization": f"bearer {issued.text}"}, {"X-API-Key": issued.text}):
        found = client.get("/who", headers=headers)
        assert found.status_code == 200
        assert found.json() == {"caller": "acme", "key": issued.key.id}
    assert client.get("/who", headers={**_bearer(issued.text), "X-API-Key": issued.text}).status_code == 200
    two = client.get("/who", headers={**_bearer(issued.text), "X-API-Key": _make(store).text})
    assert (two.status_code, two.json()["code"]) == (400, "bad_header")


def test_without_a_right_key_nobody_gets_in(guarded: Make, store: AuditStore) -> None:
    text = _make(store).text
    client = guarded(auth=True).client
    none = client.get("/who")
    assert (none.status_code, none.json()["code"], none.headers["www-authenticate"]) == (401, "unauthenticated", "Bearer")
    prefix, key_id, secret = text.split("_")
    changed = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    wrong = (
        f"{prefix}_{key_id}_{changed}",
        f"{prefix}_{'a' * 12}_{secret}",
        f"{prefix}_{key_id}_",
        f"{prefix}_{key_id}_{secret}_x",
        text.upper(),
        text[3:],
        "tk__",
        "tk_' OR '1'='1_x",
        "x" * 10_000,
        "é",
    )
    for one in wrong:
        found = client.get("/who", headers=[(b"X-API-Key", one.encode("latin-1"))])
        assert (found.status_code, found.json()["code"]) == (401, "key_refused"), one[:40]
        assert one[:40] not in found.text or len(one) < 4
    basic = client.get("/who", headers={"Authorization": f"Basic {text}"})
    assert basic.json()["code"] == "unauthenticated"


def test_what_is_public_needs_no_key_and_everything_else_does(guarded: Make) -> None:
    client = guarded(auth=True).client
    for path in ("/static/page.css", "/healthz", "/readyz", "/problems/not_found", "/openapi.json"):
        found = client.get(path)
        assert found.status_code == 200
        assert path in {"/static/page.css", "/problems/not_found"} or found.json()["caller"] is None, "nobody is taken for the local user"
    for path in (
        "/",
        "/line/x",
        "/browse",
        "/static",
        "/who",
        "/metrics",
        "/healthz/",
        "/problems",
        "/openapi.json/x",
        "/HEALTHZ",
        "/%2fhealthz",
        "/nowhere",
        "/who;/healthz",
    ):
        assert client.get(path).status_code == 401, "who has no key does not even learn what there is"
    assert client.get("/problems/..%2fwho").status_code == 404


def test_on_loopback_without_keys_the_caller_is_local(guarded: Make) -> None:
    assert guarded().client.get("/who").json()["caller"] == "local"
    assert guarded(host="0.0.0.0").client.get("/who").status_code == 401  # noqa: S104  keys are on by themselves beyond loopback


def test_a_wrong_id_costs_what_a_wrong_secret_costs(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the time of a refusal would tell which ids exist."""
    issued = _make(store)
    known = {issued.key.id: issued.key}
    done: list[str] = []
    real = hmac.compare_digest

    def counted(one: str, other: str) -> bool:
        done.append(other)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for text in (f"tk_{issued.key.id}_{'a' * 52}", f"tk_{'a' * 12}_{'a' * 52}", "tk_nothing", ""):
        assert keys.recognise(known, text, stamp(now())) is None
    assert len(done) == 4, "each was hashed and compared, in constant time"
    assert {len(other) for other in done} == {64}


# ---------------------------------------------------------------- exchanged and ended
def test_a_rotated_key_opens_for_its_grace_beside_its_successor(store: AuditStore) -> None:
    old = _make(store, "assess", "read", rate=77, days=10)
    new = keys.rotate(store, old.key.id, grace=1)
    assert (new.key.caller, new.key.scopes, new.key.rate_per_minute) == ("acme", frozenset({"assess", "read"}), 77)
    assert keys.verify(store, old.text) is not None
    assert keys.verify(store, new.text) is not None
    held = {key.id: key for key in keys.list_keys(store)}
    assert held[old.key.id].replaced_by == new.key.id
    later = stamp(now() + timedelta(hours=1, seconds=1))
    assert keys.recognise(held, old.text, later) is None
    assert keys.recognise(held, new.text, later) is not None
    assert keys.recognise(held, new.text, stamp(now() + timedelta(days=11))) is None, "a key for ten days has a successor for ten days"
    with pytest.raises(ProblemError, match="rotated"):
        keys.rotate(store, old.key.id)
    immediate = keys.rotate(store, new.key.id, grace=0)
    assert keys.verify(store, new.text) is None
    assert keys.verify(store, immediate.text) is not None


def test_a_revoked_or_expired_key_opens_nothing(store: AuditStore) -> None:
    one, two = _make(store), _make(store, days=1)
    first = keys.revoke(store, one.key.id)
    assert keys.verify(store, one.text) is None
    assert keys.revoke(store, one.key.id).revoked_at == first.revoked_at
    held = {key.id: key for key in keys.list_keys(store)}
    assert keys.recognise(held, two.text, stamp(now())) is not None
    assert keys.recognise(held, two.text, stamp(now() + timedelta(days=1, seconds=1))) is None
    with pytest.raises(ProblemError, match="no key"):
        keys.revoke(store, "' OR 1=1 --")
    with pytest.raises(ProblemError, match="revoked"):
        keys.rotate(store, one.key.id)


def test_a_revoked_key_is_refused_by_a_running_server_within_five_seconds(guarded: Make, store: AuditStore) -> None:
    issued = _make(store)
    client = guarded(auth=True).client
    assert client.get("/who", headers=_bearer(issued.text)).status_code == 200
    keys.revoke(store, issued.key.id)
    began = time.monotonic()
    while client.get("/who", headers=_bearer(issued.text)).status_code == 200:
        assert time.monotonic() - began < 5
        time.sleep(0.05)


class _Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _admitted(ring: KeyRing, text: str) -> bool:
    async def ask() -> bool:
        if not ring.fresh:
            await ring.renew()
            await asyncio.sleep(0.05)  # what was begun in the thread ends
        return ring.find(text) is not None

    return asyncio.run(ask())


def test_a_revoked_key_is_refused_after_an_idle_time_at_once(store: AuditStore) -> None:
    """The copy may be hours old where nobody asked; then the next request waits for a new one."""
    issued, clock = _make(store), _Time()
    ring = KeyRing(lambda: keys.list_keys(store, valid=True), 60, clock)
    assert _admitted(ring, issued.text)
    keys.revoke(store, issued.key.id)
    clock.now += 3600
    assert not _admitted(ring, issued.text)
    ring.close()


def test_a_database_that_is_away_for_less_than_a_minute_locks_nobody_out(store: AuditStore) -> None:
    issued, clock, away = _make(store), _Time(), False

    def load() -> list[keys.ApiKey]:
        if away:
            raise OSError
        return keys.list_keys(store, valid=True)

    ring = KeyRing(load, 60, clock)
    assert _admitted(ring, issued.text)
    away = True
    for _ in range(19):
        clock.now += 3
        assert _admitted(ring, issued.text), clock.now
    clock.now += 10
    with pytest.raises(Refusal) as caught:
        _admitted(ring, issued.text)
    assert (caught.value.code, caught.value.status) == ("keys_unavailable", 503)
    away = False
    clock.now += 3
    assert _admitted(ring, issued.text)
    ring.close()


def test_a_database_that_hangs_holds_up_no_request_for_longer_than_a_second(store: AuditStore, monkeypatch: pytest.MonkeyPatch) -> None:
    issued, clock, hang = _make(store), _Time(), threading.Event()
    hang.set()
    monkeypatch.setattr(keyring, "PATIENCE", 0.2)

    def load() -> list[keys.ApiKey]:
        hang.wait(20)
        return keys.list_keys(store, valid=True)

    ring = KeyRing(load, 60, clock)
    assert _admitted(ring, issued.text)
    hang.clear()
    clock.now += 10
    began = time.monotonic()
    assert _admitted(ring, issued.text)
    assert time.monotonic() - began < 10  # the database hangs for 20
    clock.now += 61
    with pytest.raises(Refusal):
        _admitted(ring, issued.text)
    hang.set()
    ring.close()


def test_a_server_that_never_read_its_keys_lets_nobody_in(guarded: Make, store: AuditStore) -> None:
    issued = _make(store)
    made = guarded(auth=True)
    with sqlite3.connect(store.name) as connection:
        connection.execute("ALTER TABLE api_keys RENAME TO gone")
    connection.close()
    found = made.client.get("/who", headers=_bearer(issued.text))
    assert (found.status_code, found.json()["code"]) == (503, "keys_unavailable")
    assert "retry-after" in found.headers


def test_what_a_key_has_used_up_stays_used_up_when_the_keys_are_read_again(store: AuditStore) -> None:
    issued, clock = _make(store, rate=60), _Time()
    ring = KeyRing(lambda: keys.list_keys(store, valid=True), 1, clock)
    assert _admitted(ring, issued.text)
    caller = ring.find(issued.text)
    assert caller is not None
    caller.bucket.take(60)
    clock.now += 5
    assert _admitted(ring, issued.text)
    again = ring.find(issued.text)
    assert again is not None
    assert again.bucket.take(5)
    assert not again.bucket.take()
    ring.close()


# ---------------------------------------------------------------- commands
@pytest.fixture
def tariff_keys(tmp_path: Path) -> Callable[..., Any]:
    """Return what runs `tariff keys` on a store of its own."""
    place = str(tmp_path / "keys.db")

    def run(command: str, *options: str) -> Any:
        return CliRunner().invoke(keys_app, [command, *options, "--store", place])

    return run


def test_the_commands_make_list_rotate_and_revoke_and_show_a_key_once(tariff_keys: Callable[..., Any]) -> None:
    made = tariff_keys("create", "--caller", "acme", "--scope", "assess", "--scope", "read", "--rate", "600", "--expires", "90", "--json")
    assert made.exit_code == 0, made.output
    key = json.loads(made.stdout)
    assert key["key"].startswith(f"tk_{key['id']}_")
    assert key["scopes"] == ["assess", "read"]
    listed = tariff_keys("list", "--json")
    assert [one["id"] for one in json.loads(listed.stdout)] == [key["id"]]
    table = tariff_keys("list", "--no-json")
    assert key["id"] in table.stdout
    secret = key["key"].split("_")[2]
    assert secret not in listed.output + table.output
    plain = tariff_keys("rotate", key["id"], "--grace", "2", "--no-json")
    assert plain.exit_code == 0
    assert plain.stdout.strip().startswith("tk_"), "alone on standard output, to be piped into a safe place"
    ended = tariff_keys("revoke", key["id"], "--json")
    assert json.loads(ended.stdout)["state"] == "revoked"
    assert [one["state"] for one in json.loads(tariff_keys("list", "--json").stdout)] == ["revoked", "active"]


def test_the_commands_say_what_is_wrong(tariff_keys: Callable[..., Any]) -> None:
    assert tariff_keys("list", "--json").exit_code == 2, "there is no store yet"
    assert tariff_keys("create", "--caller", "local", "--scope", "read", "--json").exit_code == 2
    assert tariff_keys("create", "--caller", "acme", "--scope", "root").exit_code == 2
    assert tariff_keys("create", "--caller", "acme", "--scope", "read").exit_code == 0
    unknown = tariff_keys("revoke", "nothing", "--json")
    assert unknown.exit_code == 2
    assert json.loads(unknown.stdout)["problem"]["code"] == "unknown_key"
