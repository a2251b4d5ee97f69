"""The operations on assessments as the OpenAPI document has them, and what route modules need to state theirs."""

from __future__ import annotations

from typing import Any

from tariff_service.api.describing import (
    ARROW,
    CURSOR,
    EXPLAIN,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    JSON,
    JSONL,
    KNOWN_ON,
    LIMIT,
    NDJSON,
    PAGING,
    REQUEST_ID,
    STORE,
    WHOLE,
    Parameter,
    Scope,
    Told,
    in_path,
    linked,
    operation,
)
from tariff_service.api.schemas import DAY, FLAG, RECORD_ID, TEXT, Schema, ref
from tariff_service.reading import MAX_ENTRY

__all__ = [
    "ARROW",
    "ASSESS",
    "BATCH",
    "BATCH_KEY",
    "CURSOR",
    "EXPLAIN",
    "IDEMPOTENCY_KEY",
    "IF_NONE_MATCH",
    "JSON",
    "JSONL",
    "KNOWN_ON",
    "LIMIT",
    "LIST",
    "NDJSON",
    "PAGING",
    "READ",
    "RECORD",
    "REPLAY",
    "REQUEST",
    "REQUEST_ID",
    "STORE",
    "WHOLE",
    "Parameter",
    "Scope",
    "Told",
    "in_path",
    "linked",
    "operation",
]

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
AGGREGATE = Parameter(
    "aggregate",
    {"type": "boolean", "default": False},
    "The de minimis test counts the goods of earlier rows with the same `consignee` and `entry_date`: each row states them as "
    "`other_goods_same_day_value`.",
)
BATCH: dict[str, Any] = operation(
    "assess_batch",
    "Assess many entries, one a row",
    tag=_ASSESSMENTS,
    what="Rows in, answers out, in order and at the same time: read answers while you send. Each row has a status of its own, and is stored "
    "before it is answered.",
    scope="assess",
    query=(EXPLAIN, KNOWN_ON, STORE, AGGREGATE),
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
