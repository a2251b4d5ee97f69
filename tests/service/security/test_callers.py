"""One caller sees nothing of another, and a key opens what its scopes say: the whole application, with keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.service.security.raw import LINE

from tariff_service import keys
from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings
from tariff_service.store.store import AuditStore


@dataclass(frozen=True)
class Desk:
    """A client of the application, and the headers of each key by its name."""

    client: TestClient
    keys: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return the application with keys on and a few keys made."""
    place = str(tmp_path_factory.mktemp("callers") / "audit.db")
    store = AuditStore.open(place)
    made = {
        "a": keys.create(store, "alpha", ["assess", "read"]),
        "a assess": keys.create(store, "alpha", ["assess"]),
        "a read": keys.create(store, "alpha", ["read"]),
        "b": keys.create(store, "beta", ["assess", "read"]),
        "admin": keys.create(store, "operator", ["admin"]),
    }
    store.close()
    headers = {name: {"Authorization": f"Bearer {issued.text}"} for name, issued in made.items()}
    with TestClient(create_app(Settings(store=place, auth=True)), base_url="http://localhost") as client:
        yield Desk(client, headers)


def test_a_caller_sees_its_own_records_and_an_administrator_all(desk: Desk) -> None:
    made = desk.client.post("/v1/assessments", json=LINE, headers=desk.keys["a"])
    assert made.status_code == 201
    place = made.headers["location"]
    for path in (place, f"{place}/record", f"{place}/request", f"{place}/replay"):
        assert desk.client.get(path, headers=desk.keys["a"]).status_code == 200
        assert desk.client.get(path, headers=desk.keys["a read"]).status_code == 200
        assert desk.client.get(path, headers=desk.keys["admin"]).status_code == 200
        hidden = desk.client.get(path, headers=desk.keys["b"])
        missing = desk.client.get(path.replace(place, "/v1/assessments/asm_00000000000000000000000000"), headers=desk.keys["b"])
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert hidden.json()["detail"] == missing.json()["detail"], "nobody learns that it exists"
    assert [one["caller"] for one in desk.client.get("/v1/assessments", headers=desk.keys["b"]).json()["items"]] == []
    assert desk.client.get("/v1/assessments?caller=alpha", headers=desk.keys["b"]).status_code == 403
    assert desk.client.get("/v1/assessments?caller=alpha", headers=desk.keys["admin"]).json()["items"]


def test_a_key_opens_what_its_scopes_say(desk: Desk) -> None:
    assert desk.client.post("/v1/assessments", json=LINE, headers=desk.keys["a read"]).status_code == 403
    assert desk.client.get("/v1/assessments", headers=desk.keys["a assess"]).status_code == 403
    assert desk.client.post("/v1/assessments", json=LINE, headers=desk.keys["a assess"]).status_code == 201
    assert desk.client.get("/v1/assessments", headers=desk.keys["a read"]).status_code == 200


def test_idempotency_keys_of_two_callers_have_nothing_to_do_with_each_other(desk: Desk) -> None:
    """Else one could read the answer of the other by guessing its key."""
    first = desk.client.post("/v1/assessments", json={**LINE, "value": "1234"}, headers={**desk.keys["a"], "Idempotency-Key": "monday"})
    second = desk.client.post("/v1/assessments", json={**LINE, "value": "99"}, headers={**desk.keys["b"], "Idempotency-Key": "monday"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["location"] != second.headers["location"]


def test_every_operation_asks_for_a_key(desk: Desk) -> None:
    """Also those that are added later: what is open is listed in one place."""
    document = desk.client.get("/openapi.json").json()
    open_paths = []
    for path, methods in document["paths"].items():
        for method in methods:
            found = desk.client.request(method, path.replace("{", "").replace("}", ""))
            if found.status_code != 401:
                open_paths.append(path)
    assert sorted(set(open_paths)) == sorted({"/healthz", "/readyz"} & set(document["paths"]))


def test_a_file_of_keys_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "audit.db"
    store = AuditStore.open(str(place))
    keys.create(store, "acme", ["admin"])
    store.close()
    assert place.stat().st_mode & 0o077 == 0
