"""The JSON Schemas of refusals and of stored assessments."""

from __future__ import annotations

from tariff_service.api.schemas import COUNT, DAY, ENTRY_ID, FLAG, RECORD_ID, TEXT, WORDS, Schema, listed, maybe, one_of, record

_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_PATH: Schema = {"type": "string", "pattern": "^/"}
CURSOR: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_=-]{4,28}$"}


_ROW: Schema = {
    "row": maybe({"type": "integer", "minimum": 1}),
    "id": maybe(ENTRY_ID),
    "status": {"type": "integer", "minimum": 200, "maximum": 599},
}


def page_of(item: Schema | str, **more: Schema | str) -> Schema:
    """Return the schema of a page of a list."""
    return record(
        {**more, "items": listed(item), "next": maybe(CURSOR)}, what="A page; `next` is the cursor of the next one, null at the end."
    )


def components() -> dict[str, Schema]:
    """Return the schemas by name."""
    return {
        "Problem": record(
            {
                "type": {"type": "string", "pattern": "^/problems/[a-z0-9_]+$", "format": "uri-reference"},
                "title": WORDS,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": TEXT,
                "code": "Code",
            },
            {"instance": WORDS, "errors": listed("Fault")},
            "RFC 9457. `type` is a page of this server; `instance` names the request.",
        ),
        "Fault": record(
            {"code": "Code", "detail": TEXT},
            {
                "pointer": {"type": "string", "pattern": "^(/.*)?$", "description": "JSON pointer into what was sent"},
                "fix": {"type": "string", "description": "what to send instead"},
            },
        ),
        "Record": record(
            {
                "id": RECORD_ID,
                "at": _MOMENT,
                "caller": WORDS,
                "rulebook": WORDS,
                "engine": WORDS,
                "known_on": maybe(DAY),
                "explain": one_of("none", "summary", "full"),
                "entry_id": ENTRY_ID,
                "entry_date": maybe(DAY),
                "problems": {**COUNT, "description": "how many problems the answer has"},
                "redacted": {**FLAG, "description": "whether personal parts of the request were redacted"},
                "sequence": {"type": "integer", "minimum": 1},
                "hash": {**_HASH, "description": "SHA-256 of the record; the next one names it as `previous`"},
                "previous": _HASH,
                "links": record({"answer": _PATH, "record": _PATH, "request": _PATH, "replay": _PATH}),
            },
            what="What the audit store knows of an assessment.",
        ),
        "RecordList": page_of("Record"),
        "BatchRow": {
            "description": "The answer to a row: its number from 1, its id, and the status that it would have had as a request of its own.",
            "anyOf": [
                record({**_ROW, "answer": "Answer"}, {"assessment": {**RECORD_ID, "description": "the id under which it is stored"}}),
                record({**_ROW, "problem": "Problem"}),
            ],
        },
        "Replay": record(
            {
                "id": RECORD_ID,
                "rulebook": WORDS,
                "equal": {**FLAG, "description": "whether the bytes are the same"},
                "engine_then": WORDS,
                "engine_now": WORDS,
                "differences": listed(
                    record(
                        {
                            "pointer": {"type": "string", "pattern": "^(/.*)?$"},
                            "then": {},
                            "now": {},
                            "kind": one_of("changed", "added", "gone"),
                        },
                        what="A place of the answer that differs: what stood there, and what stands there now.",
                    )
                ),
            },
            what="A stored assessment computed again with the rulebook of then.",
        ),
    }
