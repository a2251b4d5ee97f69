"""How often: a share for each key, rows of batches included, and wrong keys by address."""

from __future__ import annotations

import pytest
from tests.service.security.conftest import Make

from tariff_service import keys
from tariff_service.api.callers import LOCAL
from tariff_service.api.limits import Bucket, Failures, LimitedCaller, charge, network_of
from tariff_service.store.store import AuditStore


class _Time:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_that_used_up_its_share_is_told_when_to_go_on(guarded: Make, store: AuditStore) -> None:
    text = keys.create(store, "acme", ["assess"], rate=3).text
    other = keys.create(store, "other", ["assess"], rate=3).text
    client = guarded(auth=True).client
    left = []
    for _ in range(3):
        found = client.get("/who", headers={"X-API-Key": text})
        assert found.status_code == 200
        assert found.headers["x-ratelimit-limit"] == "3"
        assert 1 <= int(found.headers["x-ratelimit-reset"]) <= 60
        left.append(found.headers["x-ratelimit-remaining"])
    assert left == ["2", "1", "0"]
    refused = client.get("/who", headers={"X-API-Key": text})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert client.get("/who", headers={"X-API-Key": other}).status_code == 200, "another key has a share of its own"


def test_a_key_that_names_no_rate_has_that_of_the_server(guarded: Make, store: AuditStore) -> None:
    text = keys.create(store, "acme", ["assess"]).text
    found = guarded(auth=True, rate_per_minute=41).client.get("/who", headers={"X-API-Key": text})
    assert found.headers["x-ratelimit-limit"] == "41"


def test_a_bucket_fills_evenly_and_never_beyond_a_minute() -> None:
    clock = _Time()
    bucket = Bucket(60, clock)
    assert bucket.take(60)
    assert not bucket.take()
    clock.now = 10
    assert bucket.take(10)
    assert not bucket.take()
    assert bucket.wait == 1
    clock.now = 10_000
    assert bucket.take(60)
    assert not bucket.take()


def test_rows_of_a_batch_count_and_are_slowed_down() -> None:
    clock = _Time()
    caller = LimitedCaller("acme", frozenset({"assess"}), "k", bucket=Bucket(60, clock))
    assert charge(caller, 60) == 0.0
    assert charge(caller, 30) == pytest.approx(30.0)
    assert not caller.bucket.take(), "what a batch owes delays the next request"
    assert caller.bucket.wait == 31
    clock.now = 31
    assert caller.bucket.take()
    assert charge(LOCAL, 1_000_000) == 0.0


def test_wrong_keys_from_one_address_are_slowed_down_and_a_right_key_still_opens(guarded: Make, store: AuditStore) -> None:
    """Many callers may stand behind one proxy: an attacker among them must not lock out the others."""
    text = keys.create(store, "acme", ["assess"]).text
    client = guarded(auth=True).client
    codes = [client.get("/who", headers={"X-API-Key": f"tk_{'a' * 12}_{'a' * 52}"}).status_code for _ in range(30)]
    assert codes[:20] == [401] * 20
    assert codes[-1] == 429
    refused = client.get("/who", headers={"X-API-Key": "wrong"})
    assert "retry-after" in refused.headers
    assert client.get("/who", headers={"X-API-Key": text}).status_code == 200


def test_the_memory_for_addresses_is_bounded() -> None:
    failures = Failures(5, most=100)
    for number in range(10_000):
        failures.count(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")
    assert len(failures) == 100
    many = Failures(5, most=100)
    for number in range(1000):
        many.count(f"2001:db8::{number:x}")
    assert len(many) == 1, "a client has a whole network of IPv6 addresses to choose from"


@pytest.mark.parametrize(
    ("address", "name"), [("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::"), ("", ""), ("socket", "socket")]
)
def test_an_address_of_any_form_stands_for_a_client(address: str, name: str) -> None:
    assert network_of(address) == name
