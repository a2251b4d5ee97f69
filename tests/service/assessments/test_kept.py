"""What was kept: read again byte by byte, listed, computed again; and an Idempotency-Key that asks once."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify

PATH = "/v1/assessments"


def test_a_stored_assessment_is_read_again_byte_by_byte(client: TestClient, screws: dict[str, Any]) -> None:
    sent = json.dumps({**screws, "consignee": "Jane Roe, 5 High St"}, indent=3).encode()
    made = client.post(PATH, content=sent, headers={"content-type": "application/json"})
    place = made.headers["location"]
    read = client.get(place)
    assert read.content == made.content
    assert read.headers["etag"] == made.headers["etag"]
    assert client.get(f"{place}/request").content == sent
    assert client.get(place, headers={"if-none-match": read.headers["etag"]}).status_code == 304
    record = client.get(f"{place}/record").json()
    assert (record["id"], record["caller"], record["entry_date"]) == (place.rpartition("/")[2], "local", "2025-09-10")
    assert client.get(f"{place}/replay").json()["equal"] is True
    assert b"Jane" not in made.content


def test_a_redacted_request_still_replays_to_the_same_bytes(client: TestClient, app: FastAPI, screws: dict[str, Any]) -> None:
    place = client.post(PATH, json={**screws, "consignee": "Jane Roe"}).headers["location"]
    app.state.service.store.redact("tester", "asked to be forgotten", ids=[place.rpartition("/")[2]])
    shown = client.get(f"{place}/request")
    assert shown.json()["consignee"] == "[redacted]"
    assert client.get(f"{place}/record").json()["redacted"] is True
    assert client.get(f"{place}/replay").json()["equal"] is True
    assert verify(app.state.service.store).ok


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    for path in ("asm_nothing", "asm_01ARZ3NDEKTSV4RRFFQ69G5FAV", "%00", "..%2f..%2fetc%2fpasswd"):
        assert client.get(f"{PATH}/{path}").status_code == 404


def test_the_list_is_newest_first_in_pages_that_hold_everything_once(client: TestClient, entry: dict[str, Any]) -> None:
    name = "pages"
    made = [client.post(PATH, json={**entry, "id": name}).headers["location"].rpartition("/")[2] for _ in range(5)]
    found: list[str] = []
    page: dict[str, Any] = {"next": None}
    query: dict[str, str] = {"entry_id": name, "limit": "2"}
    while True:
        response = client.get(PATH, params=query)
        page = response.json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            assert "link" not in response.headers
            break
        assert 'rel="next"' in response.headers["link"]
        follow = response.headers["link"].partition(">")[0].removeprefix("<")
        assert client.get(follow).json()["items"] == client.get(PATH, params={**query, "cursor": page["next"]}).json()["items"]
        query["cursor"] = page["next"]
    assert found == made[::-1]


def test_the_list_is_filtered(client: TestClient, entry: dict[str, Any], app: FastAPI) -> None:
    bad = {**entry, "id": "bad one"}
    bad["lines"] = [entry["lines"][0], {**entry["lines"][1], "origin": "XX"}]
    made = client.post(PATH, json=bad).headers["location"].rpartition("/")[2]

    def ids(**query: str) -> list[str]:
        return [item["id"] for item in client.get(PATH, params=query).json()["items"]]

    assert ids(entry_id="bad one", problems="true") == [made]
    assert ids(entry_id="bad one", problems="false") == []
    assert ids(entry_id="bad one", entry_date_from="2025-09-10", entry_date_to="2025-09-10") == [made]
    assert ids(entry_id="bad one", entry_date_from="2025-09-11") == []
    assert ids(entry_id="bad one", rulebook=app.state.service.rulebooks.current.id, caller="local") == [made]
    assert ids(entry_id="bad one", rulebook="other") == []
    today = client.get(f"{PATH}/{made}/record").json()["at"][:10]
    assert ids(entry_id="bad one", stored_from=today, stored_to=today) == [made]
    assert ids(entry_id="bad one", stored_to="2020-01-01") == []


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "cDE"}, {"stored_to": "9999-12-31"}]
)
def test_a_page_that_cannot_be_is_refused(client: TestClient, query: dict[str, str]) -> None:
    assert client.get(PATH, params=query).status_code == 422


# ---------------------------------------------------------------- idempotency
def test_the_same_key_and_request_give_the_same_bytes_and_one_record(client: TestClient, app: FastAPI, screws: dict[str, Any]) -> None:
    headers = {"idempotency-key": "once"}
    first = client.post(PATH, json=screws, headers=headers)
    head = app.state.service.store.head()
    again = client.post(PATH, json=screws, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert app.state.service.store.head() == head


@pytest.mark.parametrize("other", [{"value": 10001}, {"params": {"explain": "none"}}, {"params": {"known_on": "2025-03-05"}}])
def test_the_same_key_with_another_request_is_refused(client: TestClient, screws: dict[str, Any], other: dict[str, Any]) -> None:
    headers = {"idempotency-key": "conflict"}
    client.post(PATH, json=screws, headers=headers)
    changed = {**screws, **{name: value for name, value in other.items() if name != "params"}}
    response = client.post(PATH, json=changed, params=other.get("params"), headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "key_conflict")


def test_a_key_survives_a_restart(tmp_path: Path, screws: dict[str, Any]) -> None:
    headers, answers = {"idempotency-key": "k"}, []
    for _ in range(2):
        with TestClient(create_app(Settings(store=str(tmp_path / "a.db"))), base_url="http://localhost") as client:
            answers.append(client.post(PATH, json=screws, headers=headers))
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a\tb"])
def test_a_key_that_is_none_is_refused(client: TestClient, screws: dict[str, Any], key: str) -> None:
    response = client.post(PATH, json=screws, headers=[(b"idempotency-key", key.encode())])
    assert (response.status_code, response.json()["code"]) == (400, "bad_header")


def test_a_hundred_requests_at_once_with_one_key_make_one_record(app: FastAPI, client: TestClient, screws: dict[str, Any]) -> None:
    head = app.state.service.store.head().seq
    found: list[Any] = []

    def ask() -> None:
        found.extend(client.post(PATH, json=screws, headers={"idempotency-key": "all at once"}) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({response.content for response in found}) == 1
    assert sorted({response.status_code for response in found}) == [200, 201]
    assert app.state.service.store.head().seq == head + 1


# ---------------------------------------------------------------- a store that does not do
def test_an_answer_that_cannot_be_recorded_is_not_given(tmp_path: Path, screws: dict[str, Any]) -> None:
    with TestClient(create_app(Settings(store=str(tmp_path / "a.db"))), base_url="http://localhost") as client:
        client.post(PATH, json=screws)
        other = AuditStore.open(str(tmp_path / "a.db"))
        with other.writing():
            response = client.post(PATH, json=screws)
        other.close()
        assert (response.status_code, response.json()["code"]) == (503, "store_locked")
        assert response.headers["retry-after"]
        assert client.post(PATH, json=screws).status_code == 201
