"""POST /v1/assessments: the answer of the engine, byte for byte, kept before it is given; and a typed problem for everything else."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tariff_engine.entry import assess_entry
from tariff_service.api.problems import pointer_of
from tariff_service.output import encode

PATH = "/v1/assessments"


def refused(response: Any, status: int, code: str) -> list[dict[str, Any]]:
    """Check a problem, and return its errors."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    body = response.json()
    assert body["code"] == code
    assert (body["type"], body["status"]) == (f"/problems/{code}", status)
    assert body["instance"] == f"urn:tariff:request:{response.headers['x-request-id']}"
    errors: list[dict[str, Any]] = body.get("errors", [])
    return errors


def test_the_answer_is_that_of_the_engine_byte_for_byte(client: TestClient, app: FastAPI, entry: dict[str, Any]) -> None:
    response = client.post(PATH, json=entry)
    assert response.status_code == 201
    assert response.content == encode(assess_entry(app.state.service.rulebooks.current.latest, entry))


@pytest.mark.parametrize("body", [b'{"hts": "7318.15.20.61"}', b"{", b"", None], ids=["incomplete", "no JSON", "empty", "whole"])
def test_the_short_way_to_an_answer_and_the_router_say_the_same(
    client: TestClient, app: FastAPI, screws: dict[str, Any], body: bytes | None
) -> None:
    """Under a root path, which the short way does not know, the router finds the same endpoint."""
    routed = TestClient(app, base_url="http://localhost", root_path="/behind")
    sent: dict[str, Any] = {"json": screws} if body is None else {"content": body, "headers": {"Content-Type": "application/json"}}
    short, long = (one.post(PATH, params={"store": "false"}, **sent) for one in (client, routed))
    own = {"instance": ""}  # the id of the request
    assert (short.status_code, {**short.json(), **own}) == (long.status_code, {**long.json(), **own})
    assert {**short.headers, "x-request-id": ""} == {**long.headers, "x-request-id": ""}


def test_dotted_and_undotted_numbers_are_one_question_to_the_law(client: TestClient, screws: dict[str, Any]) -> None:
    dotted, plain = (client.post(PATH, json={**screws, "hts": hts}).json() for hts in ("7318.15.20.61", "7318152061"))
    assert dotted["lines"] == plain["lines"]
    assert dotted["lines"][0]["hts"] == "7318.15.20.61"


@pytest.mark.parametrize("level", ["none", "summary", "full"])
def test_the_explanation_is_as_long_as_was_asked(client: TestClient, app: FastAPI, screws: dict[str, Any], level: str) -> None:
    found = client.post(PATH, params={"explain": level}, json=screws).json()
    programs = len(found["lines"][0].get("programs", []))
    everything = len(app.state.service.rulebooks.current.latest.law.compiled.programs)
    assert {"none": programs == 0, "summary": 0 < programs < everything, "full": programs == everything}[level]


def test_the_law_as_known_on_a_day_is_asked_for_by_query(client: TestClient, screws: dict[str, Any]) -> None:
    shoes = {**screws, "hts": "6403.99.60.15", "origin": "CA", "entry_date": "2025-02-05", "mode": "truck"}
    duties = {day: client.post(PATH, params={"known_on": day}, json=shoes).json()["totals"]["duty"] for day in ("2025-02-02", "2025-02-04")}
    base = client.post(PATH, json=shoes).json()["totals"]["duty"]
    assert duties["2025-02-04"] == base
    assert float(duties["2025-02-02"]) == float(base) + 2500  # announced on 1 February, called off on 3 February


def test_the_server_keeps_a_few_knowledge_days_and_still_answers_all(client: TestClient, app: FastAPI, screws: dict[str, Any]) -> None:
    days = ["2025-02-02", "2025-03-05", "2025-04-03", "2025-05-15", "2025-02-02"]
    first, *_, last = [client.post(PATH, params={"known_on": day}, json=screws).json()["lines"] for day in days]
    assert first == last
    kept = [day for day in set(days) if app.state.service.rulebooks.current.engine.has(date.fromisoformat(day))]
    assert len(kept) == 2


def test_without_storing_the_answer_is_the_same_and_has_no_address(client: TestClient, screws: dict[str, Any]) -> None:
    stored, not_stored = (client.post(PATH, params={"store": text}, json=screws) for text in ("true", "false"))
    assert (stored.status_code, not_stored.status_code) == (201, 200)
    assert stored.content == not_stored.content
    assert stored.headers["etag"] == not_stored.headers["etag"]
    assert "location" not in not_stored.headers


def test_an_etag_tells_rulebook_and_question(client: TestClient, screws: dict[str, Any]) -> None:
    one, same, other = (client.post(PATH, json={**screws, "value": value}).headers["etag"] for value in (10, 10, 11))
    assert one == same != other


# ---------------------------------------------------------------- problems
def test_every_fact_at_fault_is_told_with_its_pointer(client: TestClient, screws: dict[str, Any]) -> None:
    errors = refused(client.post(PATH, json={**screws, "origin": "XX", "value": -1, "orgin": 1}), 422, "unknown_country")
    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("/origin", "unknown_country"),
        ("/value", "out_of_range"),
        ("/orgin", "unknown_fact"),
    }
    assert all(error["fix"] for error in errors)


def test_a_missing_fact_is_named(client: TestClient, screws: dict[str, Any]) -> None:
    del screws["origin"]
    assert refused(client.post(PATH, json=screws), 422, "fact_missing")[0]["pointer"] == "/origin"


def test_one_bad_line_does_not_stop_the_others(client: TestClient, entry: dict[str, Any]) -> None:
    entry["lines"][1]["origin"] = "XX"
    response = client.post(PATH, json=entry)
    found = response.json()
    assert response.status_code == 201
    assert [problem["line"] for problem in found["problems"]] == ["shoes"]
    assert "headings" in found["lines"][0]
    assert found["lines"][1]["problem"]["code"] == "unknown_country"
    assert found["totals"] is None


def test_an_entry_of_nothing_but_bad_lines_is_refused_with_all_their_errors(client: TestClient, entry: dict[str, Any]) -> None:
    for line in entry["lines"]:
        line["origin"] = "XX"
    entry["lines"][1]["usmca"] = "perhaps"
    errors = refused(client.post(PATH, json=entry), 422, "entry_refused")
    assert [error["pointer"] for error in errors] == ["/lines/0/origin", "/lines/1/origin", "/lines/1/usmca"]


def test_an_entry_full_of_errors_is_refused_with_each_of_them_told_once(client: TestClient) -> None:
    wrong = {f"no such fact {number}": 1 for number in range(40)}
    lines = [{"hts": "1", "origin": "XX", "value": 1, "entry_date": "2025-09-10", **wrong} for _ in range(500)]
    errors = refused(client.post(PATH, json={"lines": lines}), 422, "entry_refused")
    assert len(errors) == len({(error["pointer"], error["code"]) for error in errors}) == 500 * 42


def test_lines_that_are_no_one_entry_are_refused(client: TestClient, entry: dict[str, Any]) -> None:
    del entry["entry_date"]
    for day, line in zip(("2025-09-10", "2025-09-11"), entry["lines"], strict=True):
        line["entry_date"] = day
    errors = refused(client.post(PATH, json=entry), 422, "contradictory_facts")
    assert errors[0]["pointer"] == "/entry_date"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b" \n", "file_empty"),
        (b"{", "malformed_json"),
        (b'{"value": 1, "value": 2}', "duplicate_key"),
        (b'{"value": NaN}', "not_a_number"),
        (b'{"value": 1e999999999}', None),
        (b'{"value": ' + b"9" * 100 + b"}", "not_a_number"),
        (b"[" * 100_000, "too_deep"),
        (b'{"x": ' * 100 + b"1" + b"}" * 100, "too_deep"),
        (b"\xff\xfe{\x00}\x00", "not_utf8"),
        (b'{"hts": "\xff"}', "not_utf8"),
        (b'{"hts": "\x00"}', "not_text"),
        (b'{"hts": "\\ud800"}', "not_text"),
    ],
)
def test_what_cannot_be_read_is_400(client: TestClient, content: bytes, code: str | None) -> None:
    response = client.post(PATH, content=content, headers={"content-type": "application/json"})
    if code is None:
        assert response.status_code == 422
    else:
        refused(response, 400, code)


@pytest.mark.parametrize("content", [b"[]", b"3", b'"entry"', b"null", b'{"lines": []}', b'{"lines": 3}', b'{"lines": [3]}', b"{}"])
def test_json_that_is_no_entry_is_422(client: TestClient, content: bytes) -> None:
    assert client.post(PATH, content=content, headers={"content-type": "application/json"}).status_code == 422


def test_an_entry_of_a_thousand_lines_is_more_than_ace_takes(client: TestClient, entry: dict[str, Any]) -> None:
    lines = [{**entry["lines"][0], "id": str(number)} for number in range(1000)]
    assert refused(client.post(PATH, json={**entry, "lines": lines}), 422, "wrong_type")[0]["pointer"] == "/lines"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("application/json;charset=UTF-8", 201),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_only_json_in_utf8_is_read(client: TestClient, screws: dict[str, Any], kind: str, status: int) -> None:
    response = client.post(PATH, content=json.dumps(screws), headers={"content-type": kind})
    assert response.status_code == status


def test_a_compressed_body_is_not_read(client: TestClient, screws: dict[str, Any]) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    refused(client.post(PATH, content=json.dumps(screws), headers=headers), 415, "unsupported_media")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"explain": "much"}, "bad_parameter"),
        ({"known_on": "yesterday"}, "bad_parameter"),
        ({"known_on": "2025-W05-1"}, "bad_parameter"),
        ({"known_on": "20250201"}, "bad_parameter"),
        ({"store": "yes"}, "bad_parameter"),
        ({"knownon": "2025-02-02"}, "unknown_parameter"),
    ],
)
def test_a_parameter_that_is_not_understood_is_refused(
    client: TestClient, screws: dict[str, Any], query: dict[str, str], code: str
) -> None:
    refused(client.post(PATH, params=query, json=screws), 422, code)


def test_what_is_refused_is_not_stored(client: TestClient, app: FastAPI, screws: dict[str, Any]) -> None:
    before = app.state.service.store.head()
    client.post(PATH, json={**screws, "origin": "XX"})
    client.post(PATH, params={"store": "false"}, json=screws)
    assert app.state.service.store.head() == before


@pytest.mark.parametrize(
    ("field", "raw", "line", "pointer"),
    [
        ("entry", {}, None, ""),
        ("usmca_qualifying", {"usmca": 1}, None, "/usmca"),
        ("usmca_qualifying", {"lines": [{}, {"usmca": 1}]}, 1, "/lines/1/usmca"),
        ("entry_date", {"entry_date": 1, "lines": [{}]}, 0, "/entry_date"),
        ("entry_date", {"lines": [{}]}, 0, "/lines/0/entry_date"),
        ("lines[2].id", {"lines": []}, None, "/lines/2/id"),
        ("a/b~c", {"a/b~c": 1}, None, "/a~1b~0c"),
        ("line", {"lines": [{}]}, 0, "/lines/0"),
    ],
)
def test_pointers_name_what_was_sent(field: str, raw: Any, line: int | None, pointer: str) -> None:
    assert pointer_of(field, raw=raw, line=line, aliases={"usmca_qualifying": ["usmca"]}) == pointer


def test_a_day_beyond_the_law_that_was_read_says_so_in_every_line_and_every_form(client: TestClient, entry: dict[str, Any]) -> None:
    entry["entry_date"] = "2026-09-29"
    for explain in ("none", "summary", "full"):
        answer = client.post(PATH, params={"explain": explain, "store": "false"}, json=entry).json()
        assert answer["rulebook"]["horizon"] == "2026-09-28"
        for line in answer["lines"]:
            assert [one["code"] for one in line["warnings"]].count("beyond_horizon") == 1
    rows = "\n".join(json.dumps({"entry_date": entry["entry_date"], **line}) for line in entry["lines"])
    batch = client.post(f"{PATH}:batch", params={"store": "false"}, content=rows, headers={"content-type": "application/x-ndjson"})
    for row in batch.text.splitlines():
        assert row.count('"beyond_horizon"') == 1
    assert len(batch.text.splitlines()) == len(entry["lines"])
