"""What the OpenAPI document says of each operation: `operation` for route modules, and the operations on assessments.

A route states `@router.get(path, **openapi.operation(...))`. Bodies are read strictly by the engine, never by pydantic: what stands here is
the contract, and tests/service/openapi holds the service to it. `document.py` puts the whole together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from tariff_service.api.paging import DEFAULT, MOST
from tariff_service.api.problems import MEDIA
from tariff_service.api.schemas import DAY, FLAG, RECORD_ID, TEXT, Schema, ref
from tariff_service.reading import MAX_ENTRY

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
) -> dict[str, Any]:
    """Return the keyword arguments of a route.

    `answers` are the responses by status, a name standing for a JSON component. `problems` are the statuses of refusals beyond those that
    any operation can answer. `body` is the schema of a JSON body, or schemas by media type. `cached`: the answer has an ETag, and
    If-None-Match is understood. `scope` is what the key must allow; None needs no key.
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


# ---------------------------------------------------------------- assessments
_ID = in_path("record_id", RECORD_ID, "The id of a stored assessment, as Location of the response told it.")
_IN_LOCATION = "$response.header.Location#regex:/v1/assessments/(.+)"
_ITEM = "$response.body#/items/0/id"
_FOLLOW = (
    ("read_assessment", "Read the answer again, byte by byte."),
    ("read_record", "Read what the audit store knows of it."),
    ("read_request", "Read the request that was sent."),
    ("replay_assessment", "Compute it again with the rulebook of then."),
)


def _links(place: str) -> dict[str, Any]:
    return {name: linked(name, what, record_id=place) for name, what in _FOLLOW}


_ASSESSMENTS = "assessments"
ASSESS: dict[str, Any] = operation(
    "assess",
    "Assess an entry",
    tag=_ASSESSMENTS,
    what="Says which duties apply to each line, how much each is, in filing order, and why, or why not. The answer is stored before it is "
    "sent, unless `store` is false. Lines with a problem have it in their place; the others are answered.",
    scope="assess",
    query=(EXPLAIN, KNOWN_ON, STORE),
    headers=(IDEMPOTENCY_KEY,),
    body="Request",
    body_what=f"One entry: facts of the entry and its lines, or one line alone. At most {MAX_ENTRY:,} bytes.",
    answers={
        200: Told(
            "Answered; not stored, or stored before under the same Idempotency-Key.",
            "Answer",
            headers=("Location", "ETag", "Idempotent-Replayed"),
        ),
        201: Told("Answered and stored.", "Answer", headers=("Location", "ETag"), links=_links(_IN_LOCATION)),
    },
    problems=(410, 507),
)
LIST: dict[str, Any] = operation(
    "list_assessments",
    "List stored assessments",
    tag=_ASSESSMENTS,
    what="Newest first. A key without the scope admin sees the records of its own caller.",
    query=(
        Parameter("entry_id", TEXT, "Of the entry with this id."),
        Parameter("entry_date_from", DAY, "Of entries on or after this day."),
        Parameter("entry_date_to", DAY, "Of entries on or before this day."),
        Parameter("stored_from", DAY, "Stored on or after this day (UTC)."),
        Parameter("stored_to", DAY, "Stored on or before this day (UTC)."),
        Parameter("rulebook", TEXT, "Answered from this rulebook."),
        Parameter("problems", FLAG, "With problems in their lines, or without any."),
        Parameter("caller", TEXT, "Of this caller; only a key with the scope admin may name others."),
        *PAGING,
    ),
    answers={200: Told("A page of records.", "RecordList", headers=("Link",), links=_links(_ITEM))},
)
READ: dict[str, Any] = operation(
    "read_assessment",
    "Read an answer again",
    tag=_ASSESSMENTS,
    what="The bytes that were answered, whatever rulebook is in use today.",
    path=(_ID,),
    answers={200: Told("The answer as it was given.", "Answer", headers=("Cache-Control",))},
    problems=(404, 410),
    cached=True,
)
RECORD: dict[str, Any] = operation(
    "read_record",
    "Read what the audit store knows of an assessment",
    tag=_ASSESSMENTS,
    path=(_ID,),
    answers={200: Told("Who asked when, under which rulebook, and the place in the hash chain.", "Record")},
    problems=(404,),
)
REQUEST: dict[str, Any] = operation(
    "read_request",
    "Read the request of an assessment",
    tag=_ASSESSMENTS,
    what="The bytes that were sent; what was redacted is marked.",
    path=(_ID,),
    answers={200: Told("The request as it was sent.", {"type": "object"})},
    problems=(404, 410),
)
REPLAY: dict[str, Any] = operation(
    "replay_assessment",
    "Compute an assessment again",
    tag=_ASSESSMENTS,
    what="With the rulebook of then, which the audit store keeps; the bytes are compared with those that were answered.",
    path=(_ID,),
    answers={200: Told("Whether the bytes are the same, and where they differ.", "Replay")},
    problems=(404, 410),
)


def _rows(row: str, what: str) -> Schema:
    return {"type": "string", "description": what, "x-row": ref(row)}


_SENT = _rows("Request", "One JSON object a line, each an entry or a line that is an entry of its own.")
_TOLD = _rows("BatchRow", "One JSON object a line, in the order of the rows.")
_ARROW: Schema = {
    "type": "string",
    "format": "binary",
    "description": "An Arrow IPC stream with a column for each fact; see docs/batch.md.",
}
BATCH_KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]([ -~]{0,238}[!-~])?$", "maxLength": 240},
    "A name of your choice for this batch; with the number of a row it is that of the row.",
    "header",
)
BATCH: dict[str, Any] = operation(
    "assess_batch",
    "Assess many entries, one a row",
    tag=_ASSESSMENTS,
    what="Rows in, answers out, in order and at the same time: read answers while you send. Each row has a status of its own, and is stored "
    "before it is answered.",
    scope="assess",
    query=(EXPLAIN, KNOWN_ON, STORE),
    headers=(BATCH_KEY,),
    body={NDJSON: _SENT, JSONL: _SENT, ARROW: _ARROW},
    answers={
        200: Told(
            "The answers; the media type is the one that was sent, or the one that Accept prefers.",
            {NDJSON: _TOLD, JSONL: _TOLD, ARROW: _ARROW},
        )
    },
    problems=(406,),
)
