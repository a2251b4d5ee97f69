"""The document: whole, consistent, made of the rulebook in use, and of the routes that are there."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from fastapi import FastAPI
from starlette.testclient import TestClient

from tariff_engine.engine import Knowledge
from tariff_service import api
from tariff_service.api import openapi, schemas_request
from tariff_service.api.document import document as document_of
from tariff_service.api.document import operations
from tariff_service.api.problems import MEDIA, catalogue

KEYLESS = {"/healthz", "/readyz"}  # whoever watches the server has no key


def every(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return list(operations(document["paths"]))


def references(value: Any) -> Iterator[str]:
    """Yield every reference that stands anywhere in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {"title", "version", "summary", "description", "license"} <= set(document["info"])


def test_every_reference_leads_somewhere_and_every_component_is_used(document: dict[str, Any]) -> None:
    used = set(references(document))
    for one in used:
        place: Any = document
        for part in one.removeprefix("#/").split("/"):
            place = place[part.replace("~1", "/")]
    named = {f"#/components/{kind}/{name}" for kind in ("schemas", "headers", "examples") for name in document["components"][kind]}
    assert named - used == set()


def test_every_operation_has_an_id_of_its_own_a_summary_and_a_tag_that_is_explained(document: dict[str, Any]) -> None:
    found = every(document)
    assert len({one["operationId"] for _, _, one in found}) == len(found)
    tags = {tag["name"] for tag in document["tags"]}
    for _, _, one in found:
        assert one["summary"]
        assert set(one["tags"]) <= tags


def test_every_route_of_every_module_is_in_the_application_and_described(document: dict[str, Any]) -> None:
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        router = getattr(importlib.import_module(module.name), "router", None)
        found |= {re.sub(r":\w+}", "}", route.path): module.name for route in getattr(router, "routes", ()) if route.include_in_schema}
    assert len(found) > 15
    assert {path: module for path, module in found.items() if path not in document["paths"]} == {}


def test_every_parameter_of_a_path_is_declared(document: dict[str, Any]) -> None:
    for path, _, one in every(document):
        declared = {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_every_refusal_is_a_problem_by_its_status_and_names_its_codes(document: dict[str, Any]) -> None:
    for path, method, one in every(document):
        refusals = {int(status): response for status, response in one["responses"].items() if int(status) >= 400}
        assert {403, 421, 429, 500, 503} <= set(refusals), (path, method)
        for status, response in refusals.items():
            assert MEDIA in response["content"]
            assert response["content"][MEDIA]["schema"] == {"$ref": "#/components/schemas/Problem"}
            codes = set(re.findall(r"`(\w+)`", response["description"]))
            assert codes == {kind.code for kind in catalogue().values() if kind.status == status}


def test_every_response_names_the_request_id(document: dict[str, Any]) -> None:
    assert all("X-Request-Id" in response["headers"] for _, _, one in every(document) for response in one["responses"].values())


def test_with_keys_every_operation_that_needs_one_says_which_scope(client: TestClient, knowledge: Knowledge) -> None:
    found = document_of(cast("FastAPI", client.app), knowledge, authenticated=True)
    for path, _, one in operations(found["paths"]):
        assert (path not in KEYLESS) == bool(one["security"]), path
        for scheme in one["security"]:
            assert all(scopes[0] in {"assess", "read", "admin"} for scopes in scheme.values())
            assert "401" in one["responses"], path


def test_without_keys_none_is_needed(document: dict[str, Any]) -> None:
    assert all({} in one["security"] for _, _, one in every(document))


def test_links_lead_from_an_assessment_to_everything_about_it(document: dict[str, Any]) -> None:
    known = {one["operationId"] for _, _, one in every(document)}
    links = document["paths"]["/v1/assessments"]["post"]["responses"]["201"]["links"]
    assert {link["operationId"] for link in links.values()} == {"read_assessment", "read_record", "read_request", "replay_assessment"}
    assert known >= {
        link["operationId"] for _, _, one in every(document) for r in one["responses"].values() for link in r.get("links", {}).values()
    }


def test_no_operation_is_deprecated_without_saying_so_in_every_answer(document: dict[str, Any]) -> None:
    made = openapi.operation("old", "An old way", tag="service", answers={200: "Record"}, deprecated=True)["openapi_extra"][openapi.WHOLE]
    for one in (made, *(one for _, _, one in every(document) if one.get("deprecated"))):
        assert one["deprecated"] is True
        assert {"Deprecation", "Sunset"} <= set(one["responses"]["200"]["headers"])


# ---------------------------------------------------------------- the request, made of the dictionary
def test_every_fact_and_every_other_name_of_it_stands_in_the_request(document: dict[str, Any], knowledge: Knowledge) -> None:
    schemas = document["components"]["schemas"]
    for spec in knowledge.law.facts.values():
        for name in (spec.name, *spec.aliases):
            assert name in schemas["Line"]["properties"]
            assert (name in schemas["Entry"]["properties"]) == (spec.level == "entry")
            assert name in schemas["LineOfEntry"]["properties"]
    assert all(not schemas[name]["additionalProperties"] for name in ("Line", "Entry", "LineOfEntry"))


def test_a_new_fact_of_the_law_book_appears_without_a_line_of_code(knowledge: Knowledge) -> None:
    law = knowledge.law
    old = law.facts["mode"]
    new = replace(old, name="vessel", what="name of the vessel", level="entry", values=("tramp", "liner"), aliases=("ship",))
    made = schemas_request.components(replace(law, facts={**law.facts, "vessel": new}, memory={}))
    found = made["Entry"]["properties"]["vessel"]
    assert found == {"anyOf": [{"type": "string", "enum": ["tramp", "liner"]}, {"type": "null"}], "description": "Name of the vessel."}
    assert "ship" in made["Line"]["properties"]


def test_a_personal_fact_is_asked_for_and_never_repeated(document: dict[str, Any], knowledge: Knowledge) -> None:
    schemas = document["components"]["schemas"]
    personal = knowledge.reader.personal
    assert personal
    assert personal <= set(schemas["Entry"]["properties"])
    assert personal.isdisjoint(schemas["EntryEcho"]["properties"])
