"""Every example of the document, sent to the application: the answer is the one that stands beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tariff_service.api.document import operations, shipments
from tariff_service.output import encode
from tariff_service.reading import read_entry

NAMES = sorted(shipments())
Errors = Callable[[str], Callable[[Any], list[str]]]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_answered_as_the_document_says(client: TestClient, document: dict[str, Any], name: str) -> None:
    examples = document["components"]["examples"]
    answer = client.post("/v1/assessments", json=examples[name]["value"])
    assert answer.status_code == 201
    assert answer.json() == examples[f"{name}.answer"]["value"]
    unstored = client.post("/v1/assessments", params={"store": "false"}, json=examples[name]["value"])
    assert (unstored.status_code, unstored.content) == (200, answer.content)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_as_the_schemas_say(document: dict[str, Any], errors: Errors, name: str) -> None:
    examples = document["components"]["examples"]
    assert errors("Entry")(examples[name]["value"]) == []
    assert errors("Answer")(examples[f"{name}.answer"]["value"]) == []


def test_the_examples_are_the_shipments_of_the_repository(repository: Path) -> None:
    files = {path.stem: path for path in (repository / "examples").glob("*.yaml")}
    assert sorted(files) == NAMES
    for name, path in files.items():
        assert shipments()[name]["entry"] == json.loads(encode(read_entry(str(path)))), name


def test_the_examples_stand_where_an_entry_is_sent_and_where_it_is_answered(document: dict[str, Any]) -> None:
    one = document["paths"]["/v1/assessments"]["post"]
    assert sorted(one["requestBody"]["content"]["application/json"]["examples"]) == NAMES
    assert sorted(one["responses"]["201"]["content"]["application/json"]["examples"]) == NAMES


def test_the_examples_of_parameters_and_of_other_bodies_are_taken(client: TestClient, document: dict[str, Any]) -> None:
    """An example of a parameter or a body is no decoration: a request with it is answered, and not refused."""
    for path, method, one in operations(document["paths"]):
        sent = one.get("requestBody", {}).get("content", {}).get("application/json", {})
        shown = {p["name"]: p["example"] for p in one["parameters"] if "example" in p}
        needed = {p["name"] for p in one["parameters"] if p.get("required")}
        if not needed <= set(shown) or (sent and "example" not in sent) or (not shown and not sent):
            continue
        inside = {p["name"]: shown[p["name"]] for p in one["parameters"] if p["in"] == "path"}
        query = {p["name"]: shown[p["name"]] for p in one["parameters"] if p["in"] == "query" and p["name"] in shown}
        answer = client.request(method, path.format(**inside), params=query, **({"json": sent["example"]} if sent else {}))
        assert answer.status_code in {200, 201}, (path, answer.text)
