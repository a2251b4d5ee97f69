"""The history over HTTP: every program's, and those of headings of each kind, are as the document says."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from starlette.testclient import TestClient

HEADINGS = ("9903.01.10", "99030163", "9903.02.19", "9903.01.33", "9903.88.16", "9903.88.69", "9903.94.40", "family:economy-exemption")


def test_every_history_is_as_the_schema_says_and_shows_all_of_it(client: TestClient, document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/history/{name}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    whole = jsonschema_rs.Draft202012Validator({"components": document["components"], **schema}, validate_formats=True)
    programs = [one["program"] for one in client.get("/v1/programs", params={"limit": 500}).json()["items"]]
    events: list[dict[str, Any]] = []
    for name in (*programs, *HEADINGS):
        for options in ({}, {"all": "true", "by": "effect"}, {"known_on": "2025-09-10"}):
            answer = client.get(f"/v1/history/{name}", params=options)
            assert answer.status_code == 200, (name, options)
            assert [error.message[:300] for error in whole.iter_errors(answer.json())] == [], (name, options)
            events += answer.json()["events"]
    shown = schema["properties"]["events"]["items"]["properties"]
    for key in ("kind", "about", "outcome"):
        assert {one[key] for one in events} == set(shown[key]["enum"]), key
    assert {key for one in events for key in one} == set(shown)
