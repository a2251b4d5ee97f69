"""docs/http.md: every command in it is run, and answers what the page says; its tables name what is there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tariff_service.api.document import operations

_BLOCK = re.compile(r"```(sh|json)\n(.*?)```", re.DOTALL)
_FLAGS = {"-i": False, "-H": True, "-d": True}


@pytest.fixture(scope="module")
def guide(repository: Path) -> str:
    """Return the text of the guide."""
    return (repository / "docs" / "http.md").read_text(encoding="utf-8")


def holds(said: Any, found: Any) -> bool:
    """Whether an answer holds what the page says of it: members may be left out, items may not."""
    if isinstance(said, dict):
        return isinstance(found, dict) and all(key in found and holds(value, found[key]) for key, value in said.items())
    if isinstance(said, list):
        return isinstance(found, list) and len(said) == len(found) and all(map(holds, said, found))
    return bool(said == found)


def sent(client: TestClient, command: str, location: str) -> Any:
    """Do what a curl command would do."""
    words = shlex.split(command.replace("$LOCATION", location))
    assert words.pop(0) == "curl"
    url, headers, body = "", {}, None
    while words:
        word = words.pop(0)
        if word not in _FLAGS:
            url = word
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = words.pop(0)
    path = url.removeprefix("localhost:8000")
    return client.request("POST" if body is not None else "GET", path, headers=headers, content=body)


def test_every_command_of_the_guide_answers_what_the_guide_says(client: TestClient, guide: str) -> None:
    blocks = _BLOCK.findall(guide)
    assert len(blocks) >= 12
    location = ""
    for (kind, command), (of_answer, said) in zip(blocks[::2], blocks[1::2], strict=True):
        assert (kind, of_answer) == ("sh", "json")
        answer = sent(client, command, location)
        location = answer.headers.get("location", location)
        assert holds(json.loads(said), answer.json()), (command, answer.text)


def test_the_same_key_gives_the_stored_answer_and_another_request_is_refused(client: TestClient) -> None:
    line = {"hts": "8712.00.15.10", "origin": "CN", "value": 9000, "entry_date": "2025-09-02"}
    first, again = (client.post("/v1/assessments", json=line, headers={"Idempotency-Key": "guide"}) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 200, "true")
    assert first.content == again.content
    other = client.post("/v1/assessments", json={**line, "value": 1}, headers={"Idempotency-Key": "guide"})
    assert (other.status_code, other.json()["code"]) == (422, "key_conflict")


def test_the_table_of_endpoints_names_all_of_them_with_their_scopes(guide: str, document: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (`(?:GET|POST) .*?) \| .* \| (\w+) \|$", guide, re.MULTILINE)
    told = {tuple(name.split()): scope for names, scope in rows for name in re.findall(r"`(.*?)`", names)}
    found = {(method.upper(), path): one["security"][-1] for path, method, one in operations(document["paths"])}
    assert told == {name: scopes.get("key", ["none"])[0] for name, scopes in found.items()}


def test_the_table_of_statuses_names_every_status_of_a_refusal(guide: str, document: dict[str, Any]) -> None:
    told = {int(status) for row in re.findall(r"^\| ([45]\d\d(?:, \d{3})*) \|", guide, re.MULTILINE) for status in row.split(", ")}
    found = {int(status) for _, _, one in operations(document["paths"]) for status in one["responses"] if int(status) >= 400}
    assert found - told - {409, 421} == set()


def test_what_is_read_is_answered_304_to_who_has_it(client: TestClient, document: dict[str, Any]) -> None:
    """Every operation that promises 304 gives it, for its examples."""
    location = client.post(
        "/v1/assessments", json={"hts": "8712.00.15.10", "origin": "CN", "value": 1, "entry_date": "2025-09-02"}
    ).headers["location"]
    rulebook = client.get("/v1/rulebooks").json()["items"][0]["id"]
    names = {"record_id": location.rpartition("/")[2], "rulebook_id": rulebook, "id": rulebook, "name": "", "heading": "9903.01.24"}
    for path, method, one in operations(document["paths"]):
        if "304" not in one["responses"]:
            continue
        given = {p["name"]: p["example"] for p in one["parameters"] if p["in"] == "path" and "example" in p}
        if "name" in given:
            names["name"] = given["name"]
        elif path.endswith("{name}"):
            first = client.get(path.removesuffix("/{name}")).json()["items"][0]
            names["name"] = first.get("program") or first["list"]
        query = {p["name"]: p["example"] for p in one["parameters"] if p["in"] == "query" and "example" in p}
        first_answer = client.request(method, path.format(**names), params=query)
        assert first_answer.status_code == 200, (path, first_answer.text)
        again = client.request(method, path.format(**names), params=query, headers={"If-None-Match": first_answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
