"""How a route says what it does: its parameters, bodies and responses, for the OpenAPI document.

A route states `@router.get(path, **openapi.operation(...))`. Bodies are read strictly by the engine, never by pydantic: what is stated is
the contract, and tests/service/openapi holds the service to it. `document.py` puts the whole together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from tariff_service.api.paging import DEFAULT, MOST
from tariff_service.api.problems import MEDIA
from tariff_service.api.schemas import DAY, FLAG, TEXT, Schema, ref

JSON = "application/json"
NDJSON = "application/x-ndjson"
JSONL = "application/jsonl"
ARROW = "application/vnd.apache.arrow.stream"
WHOLE = "x-tariff-operation"  # where an operation waits until the document is put together
Scope = Literal["assess", "read", "admin"]

_ALWAYS = (403, 421, 429, 500, 503)  # origin or host refused, too many requests, a fault, too busy: any operation may answer so
_KEYED = (401,)
_WITH_BODY = (400, 408, 413, 415)
_RETRY = frozenset({429, 503})
_EMPTY = 304


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query, a path or a header. `what` says what it does; `example` is a value of it."""

    name: str
    schema: Schema
    what: str
    place: Literal["query", "path", "header"] = "query"
    required: bool = False
    example: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return the parameter as the document says it."""
        found: dict[str, Any] = {"name": self.name, "in": self.place, "description": self.what, "schema": self.schema}
        if self.required or self.place == "path":
            found["required"] = True
        if self.example is not None:
            found["example"] = self.example
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """A response that is no problem: its schema (a component's name, a schema, or schemas by media type), media types, headers, links."""

    what: str
    schema: str | Schema | None
    media: Sequence[str] = (JSON,)
    headers: Sequence[str] = ()
    links: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the response as the document says it."""
        found: dict[str, Any] = {
            "description": self.what,
            "headers": {name: ref(name, "headers") for name in ("X-Request-Id", *self.headers)},
        }
        if self.schema is not None:
            found["content"] = _content(self.schema, self.media)
        if self.links:
            found["links"] = dict(self.links)
        return found


def _content(schema: str | Schema, media: Sequence[str]) -> dict[str, Any]:
    """Return what a body holds: one schema for some media types, or a schema for each, where the keys are media types."""
    if isinstance(schema, dict) and schema and all("/" in name for name in schema):
        return {name: {"schema": ref(one) if isinstance(one, str) else one} for name, one in schema.items()}
    return {name: {"schema": ref(schema) if isinstance(schema, str) else schema} for name in media}


def operation(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    what: str = "",
    scope: Scope | None = "read",
    path: Sequence[Parameter] = (),
    query: Sequence[Parameter] = (),
    headers: Sequence[Parameter] = (),
    body: str | Schema | None = None,
    body_what: str = "",
    answers: Mapping[int, str | Told] | None = None,
    problems: Sequence[int] = (),
    cached: bool = False,
    deprecated: bool = False,
) -> dict[str, Any]:
    """Return the keyword arguments of a route.

    `answers` are the responses by status, a name standing for a JSON component. `problems` are the statuses of refusals beyond those that
    any operation can answer. `body` is the schema of a JSON body, or schemas by media type. `cached`: the answer has an ETag, and
    If-None-Match is understood. `scope` is what the key must allow; None needs no key. `deprecated`: the operation is to go, and says so with
    the headers Deprecation (RFC 9745) and Sunset (RFC 8594), which its route sends.
    """
    told = {status: Told(HTTPStatus(status).phrase, one) if isinstance(one, str) else one for status, one in (answers or {}).items()}
    asked = [*path, *query, *headers, *([IF_NONE_MATCH] if cached else []), REQUEST_ID]
    refused = {*_ALWAYS, *(_KEYED if scope else ()), *(_WITH_BODY if body is not None else ()), *([422] if scope else ()), *problems}
    responses = {str(status): one.as_dict() for status, one in told.items()}
    if cached:
        for status in told:
            responses[str(status)]["headers"] |= {"ETag": ref("ETag", "headers")}
            if status == HTTPStatus.OK:
                responses[str(_EMPTY)] = Told("What you have is what would be sent.", None, headers=("ETag",)).as_dict()
    if deprecated:
        for response in responses.values():
            response["headers"] |= {name: ref(name, "headers") for name in ("Deprecation", "Sunset")}
    for status in refused:
        problem = _refusal(status)
        if str(status) not in responses:
            responses[str(status)] = problem
        else:  # the operation has an answer of its own with that status
            responses[str(status)]["content"] |= problem["content"]
            responses[str(status)]["headers"] |= problem["headers"]
    whole: dict[str, Any] = {"operationId": operation_id, "summary": summary, "tags": [tag]}
    if what:
        whole["description"] = what
    whole["parameters"] = [one.as_dict() for one in asked]
    if body is not None:
        whole["requestBody"] = {"required": True, **({"description": body_what} if body_what else {}), "content": _content(body, (JSON,))}
    whole["responses"] = dict(sorted(responses.items()))
    if deprecated:
        whole["deprecated"] = True
    whole["x-scope"] = scope
    return {"operation_id": operation_id, "summary": summary, "tags": [tag], "openapi_extra": {WHOLE: whole}}


def _refusal(status: int) -> dict[str, Any]:
    """Return the response of a refusal, without the codes it may name: the document fills them in from the catalogue."""
    names = (
        "X-Request-Id",
        *(["Retry-After"] if status in _RETRY else []),
        *(["WWW-Authenticate"] if status == HTTPStatus.UNAUTHORIZED else []),
    )
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {name: ref(name, "headers") for name in names},
        "content": {MEDIA: {"schema": ref("Problem")}},
    }


# ---------------------------------------------------------------- parameters that several operations share
REQUEST_ID = Parameter(
    "X-Request-Id",
    TEXT,
    "Your name for the request: 1 to 64 letters, digits, dots, dashes or underscores. It comes back in the response and stands in the logs. "
    "In the place of any other, one is made.",
    "header",
)
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    TEXT,
    "The ETag of the answer that you have, with its quotes: where it is still the answer, the response is 304 without a body.",
    "header",
)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$", "maxLength": 255},
    "A name of your choice for this request. Sent again with the same request it gives the stored answer and stores nothing; "
    "with another request it is refused. It is kept as long as the assessment.",
    "header",
)
EXPLAIN = Parameter(
    "explain",
    {"type": "string", "enum": ["none", "summary", "full"], "default": "full"},
    "How much of the why: `none` no verdicts, `summary` the programs that reach the line, `full` every program of the book.",
)
STORE = Parameter("store", {**FLAG, "default": True}, "Whether the assessment is kept in the audit store.")
KNOWN_ON = Parameter("known_on", DAY, "Answer by what was published on or before this day. Left out: by everything that is known.")
LIMIT = Parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}, "How many items a page has at most.")
CURSOR = Parameter(
    "cursor",
    {"type": "string", "pattern": "^[A-Za-z0-9_=-]{4,28}$"},
    "Where the page begins: `next` of the page before, unchanged.",
)
PAGING = (LIMIT, CURSOR)


def in_path(name: str, schema: Schema, what: str, example: Any = None) -> Parameter:
    """Return a parameter of the path."""
    return Parameter(name, schema, what, "path", required=True, example=example)


def linked(operation_id: str, what: str, **parameters: str) -> dict[str, Any]:
    """Return a link: from a response to the operation that goes on with it."""
    return {"operationId": operation_id, "description": what, "parameters": parameters}
