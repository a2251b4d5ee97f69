"""The OpenAPI document: the operations of the routes, the schemas of the rulebook in use, and examples that were really answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry
from tariff_engine.law import Law
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_service.api import schemas_answer, schemas_records, schemas_request
from tariff_service.api.openapi import JSON, WHOLE
from tariff_service.api.problems import MEDIA, catalogue
from tariff_service.api.schemas import Schema, ref
from tariff_service.output import encode
from tariff_service.reading import parse_yaml

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_TAGS = {
    "assessments": "Assess entries, and read again what was assessed.",
    "law": "The law book: programs, provisions, lists, facts, the schedule; how it changes over time.",
    "service": "Health, counters and the rulebook in use.",
}
_ABOUT = (
    "Which US customs duties apply to a shipment, how much each is, in which order they are filed, and why, or why not. "
    "Money and rates are decimal text; nothing in an answer depends on a clock. "
    "Errors are application/problem+json with JSON pointers. What this document does not name is refused, not ignored."
)


def document(app: FastAPI, knowledge: Knowledge, *, authenticated: bool) -> dict[str, Any]:
    """Return the document of an application that answers from a rulebook. `authenticated`: callers must show a key."""
    found = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", summary=app.summary, description=_ABOUT, routes=app.routes
    )
    paths = {path: {method: _operation(one, authenticated) for method, one in item.items()} for path, item in found["paths"].items()}
    used = {tag for _, _, one in operations(paths) for tag in one["tags"]}
    shown = examples(knowledge)
    return {
        "openapi": found["openapi"],
        "info": {**found["info"], "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": what} for name, what in _TAGS.items() if name in used],
        "paths": _with_examples(paths, shown),
        "components": {
            "schemas": schemas(knowledge.law),
            "examples": shown,
            "headers": {name: header for name, header in _HEADERS.items() if ref(name, "headers") in _headers_of(paths)},
            "securitySchemes": _SECURITY,
        },
    }


def schemas(law: Law) -> dict[str, Schema]:
    """Return every schema of the API by name, for a rulebook."""
    found: dict[str, Schema] = {}
    for part in (schemas_request.components(law), schemas_answer.components(), schemas_records.components()):
        twice = found.keys() & part.keys()
        if twice:
            message = f"two schemas named {sorted(twice)}"
            raise ValueError(message)
        found |= part
    return dict(sorted(found.items()))


def operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return the operations of a document with their paths and methods."""
    for path, item in paths.items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _operation(made: dict[str, Any], authenticated: bool) -> dict[str, Any]:
    """Return an operation as its module states it; what FastAPI would infer from a function that takes the raw request is dropped."""
    if WHOLE not in made:
        message = f"the route {made.get('operationId')} is not described with openapi.operation"
        raise ValueError(message)
    found: dict[str, Any] = deepcopy(made[WHOLE])
    scope = found.pop("x-scope", None)  # FastAPI drops what is null
    keys: list[dict[str, list[str]]] = [{name: [scope]} for name in _SECURITY] if scope else []
    found["security"] = keys if authenticated else [{}, *keys]
    for status, response in found["responses"].items():
        if MEDIA in response.get("content", {}):
            _tell_codes(response, int(status), found["operationId"])
    return found


def _headers_of(paths: dict[str, Any]) -> list[Schema]:
    return [header for _, _, one in operations(paths) for response in one["responses"].values() for header in response["headers"].values()]


def _tell_codes(response: dict[str, Any], status: int, operation_id: str) -> None:
    kinds = [kind for kind in catalogue().values() if kind.status == status]
    if not kinds and status >= HTTPStatus.BAD_REQUEST:
        message = f"{operation_id} answers {status}, and no problem of the catalogue has that status"
        raise ValueError(message)
    response["description"] = f"{response['description']}. One of: {', '.join(f'`{kind.code}`' for kind in kinds)}."


# ---------------------------------------------------------------- components
_SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY. A key has scopes: assess, read, admin."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key in a header of its own."},
}


def _header(what: str, schema: Schema, *, always: bool = False) -> dict[str, Any]:
    return {"description": what, "schema": schema, **({"required": True} if always else {})}


_TEXT: Schema = {"type": "string"}
_HEADERS: dict[str, Any] = {
    "X-Request-Id": _header("Yours, or the one that was made.", {"type": "string", "minLength": 1}, always=True),
    "ETag": _header("Names the answer by rulebook, request and engine.", {"type": "string", "pattern": '^"[^"]+"$'}),
    "Location": _header("Where the stored assessment stands.", {"type": "string", "pattern": "^/v1/assessments/"}),
    "Link": _header('The next page, as rel="next".', _TEXT),
    "Cache-Control": _header("How long the answer may be kept.", _TEXT),
    "Idempotent-Replayed": _header("The answer was stored before under this Idempotency-Key.", {"type": "string", "const": "true"}),
    "Retry-After": _header("Seconds after which to try again.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": _header("How to show a key.", _TEXT),
    "Deprecation": _header("Since when the operation is deprecated (RFC 9745).", {"type": "string", "pattern": "^@[0-9]+$"}, always=True),
    "Sunset": _header("After which moment it may be gone (RFC 8594).", _TEXT, always=True),
}


# ---------------------------------------------------------------- examples
def shipments() -> dict[str, dict[str, Any]]:
    """Return the example shipments by name: what each shows, and its entry."""
    text = files("tariff_service.api").joinpath("examples.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(encode(parse_yaml(text, "examples.yaml")))  # days as the text that is sent
    return found


def _asked() -> dict[str, Any]:
    """Return examples of requests that send no entry, by operation: values of parameters, and `body`."""
    text = files("tariff_service.api").joinpath("examples_law.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(encode(parse_yaml(text, "examples_law.yaml")))
    return found


def examples(knowledge: Knowledge) -> dict[str, Any]:
    """Return the shipments and their answers from a rulebook. One that the rulebook does not answer, such as a small one of a test, is left out."""
    found: dict[str, Any] = {}
    for name, shipment in shipments().items():
        answer = _answered(knowledge, shipment["entry"])
        if answer is not None:
            found[name] = {"summary": shipment["says"], "value": shipment["entry"]}
            found[f"{name}.answer"] = {"summary": f"The answer to {name}.", "value": answer}
    return found


def _answered(knowledge: Knowledge, entry: dict[str, Any]) -> dict[str, Any] | None:
    try:
        answer = assess_entry(knowledge, entry)
    except (ProblemError, LawConflictError):
        return None
    return None if answer["problems"] else answer


def _with_examples(paths: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Show the shipments where an entry is sent as JSON, and their answers where it is answered and stored."""
    names = [name for name in shown if f"{name}.answer" in shown]
    asked = _asked()
    for _, _, one in operations(paths):
        for parameter in one["parameters"]:
            if parameter["name"] in asked.get(one["operationId"], {}):
                parameter["example"] = asked[one["operationId"]][parameter["name"]]
        sent = one.get("requestBody", {}).get("content", {}).get(JSON, {})
        if sent.get("schema") == ref("Request"):
            sent["examples"] = {name: ref(name, "examples") for name in names}
            stored = one["responses"].get(str(int(HTTPStatus.CREATED)))
            if stored:
                stored["content"][JSON]["examples"] = {name: ref(f"{name}.answer", "examples") for name in names}
        elif "body" in asked.get(one["operationId"], {}):
            sent["example"] = asked[one["operationId"]]["body"]
    return paths
