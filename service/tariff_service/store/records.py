"""The records of the log: what a caller hands in, what is kept, and the header whose hash makes the chain."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from tariff_service.store.bodies import DamagedBodyError, join, pack, split, unpack
from tariff_service.store.faults import DraftError as DraftError  # noqa: PLC0414  part of what callers of this module handle
from tariff_service.store.faults import IdempotencyConflict as IdempotencyConflict  # noqa: PLC0414
from tariff_service.store.faults import StoreError as StoreError  # noqa: PLC0414
from tariff_service.store.ids import new_id
from tariff_service.store.spans import cut, splice

TAG = "tariff-audit-1"  # of the header's form; another form needs another tag
GENESIS = hashlib.sha256(b"tariff-audit-1 begins").hexdigest()  # what the first record names as the one before it
REMOVABLE = ("parts", "salt", "request", "answer")  # columns that may be emptied; none of them is hashed as it stands
HEADER = (
    "seq",
    "kind",
    "id",
    "at",
    "caller",
    "rulebook",
    "engine",
    "known_on",
    "explain",
    "key_sha256",
    "entry_id",
    "entry_date",
    "problems",
    "request_type",
    "request_sha256",
    "places",
    "parts_sha256",
    "answer_sha256",
    "detail",
    "prev",
)
Kind = Literal["assessment", "redaction", "retention"]
_SALT = 16
_PIECE = 2_047  # bytes
_MOST = 65_536  # bytes; what is longer is worth the wait
_NOT_ASCII = b"\xff"
_HEADER_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def now() -> datetime:
    """Return the time of the clock, UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with microseconds: texts of equal length, which sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Draft:
    """An assessment to be stored.

    `request` holds the exact bytes that were sent and `answer` those that were answered; `known_on` and `entry_date` are ISO days.
    `personal` names the facts whose values are kept apart from the request, so that they can be redacted. `problems` counts the problems
    of the answer.
    """

    caller: str
    rulebook: str
    engine: str
    known_on: str | None
    explain: str
    request: bytes
    request_type: str
    answer: bytes
    entry_id: str = ""
    entry_date: str | None = None
    problems: int = 0
    idempotency_key: str | None = None
    personal: frozenset[str] = frozenset()
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a caller gets for a draft. `replayed`: an idempotency key returned an earlier record, whose answer is given if it is kept."""

    record_id: str
    seq: int
    at: str
    hash: str
    replayed: bool = False
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record as kept.

    `request` reads as it was sent, or with "[redacted]" in the place of each personal value once those are redacted (`redacted`). Bodies
    are None where they were not asked for, and once they were removed (`removed`).
    """

    seq: int
    kind: Kind
    id: str
    at: str
    caller: str
    rulebook: str
    engine: str
    known_on: str | None
    explain: str
    key_sha256: str | None
    entry_id: str
    entry_date: str | None
    problems: int
    request_type: str
    request_sha256: str
    places: str
    parts_sha256: str
    answer_sha256: str
    detail: str
    prev: str
    hash: str
    request: bytes | None = None
    answer: bytes | None = None
    redacted: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the number and the hash of the last record. Both can be noted elsewhere, to prove later what was there."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records to list. Moments are as `stamp` writes them, days are ISO; `until` is excluded, `entry_until` included."""

    caller: str | None = None
    kind: Kind | None = "assessment"
    rulebook: str | None = None
    entry_id: str | None = None
    entry_from: str | None = None
    entry_until: str | None = None
    stored_from: str | None = None
    stored_until: str | None = None
    problems: bool | None = None


# ---------------------------------------------------------------- the chain
def header_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of a record: SHA-256 of its header, a compact JSON list that begins with the tag."""
    return _hash([TAG, *[row[name] for name in HEADER]])


def _hash(header: list[Any]) -> str:
    """Return the hash of a header. Text of plain ASCII, which nearly all of them are, orjson writes as `json` does, in an eighth of the time."""
    try:
        text = orjson.dumps(header)
    except orjson.JSONEncodeError:
        text = _NOT_ASCII
    if not text.isascii() or b"\x7f" in text:
        text = _HEADER_JSON(header).encode()
    return hashlib.sha256(text).hexdigest()


def digest(content: bytes) -> str:
    """Return the SHA-256 of a body.

    Python lets go of the interpreter to hash more than 2,047 bytes at once, and waits for its turn again. The writer would do so for every
    record while requests are served; it hashes in shorter pieces instead, which takes no longer.
    """
    if len(content) > _MOST:
        return hashlib.sha256(content).hexdigest()
    found = hashlib.sha256()
    for place in range(0, len(content), _PIECE):
        found.update(content[place : place + _PIECE])
    return found.hexdigest()


def key_hash(caller: str, key: str) -> str:
    """Return the hash under which an idempotency key of a caller is kept."""
    return hashlib.sha256(f"{len(caller)}:{caller}{key}".encode()).hexdigest()


def prepare(draft: Draft) -> dict[str, Any]:
    """Return a draft as columns, all but `seq`, `at`, `prev` and `hash`, which the log gives. Raises DraftError."""
    found = cut(draft.request, draft.personal)
    row: dict[str, Any] = {
        "kind": "assessment",
        "id": draft.id,
        "caller": draft.caller,
        "rulebook": draft.rulebook,
        "engine": draft.engine,
        "known_on": draft.known_on,
        "explain": draft.explain,
        "key_sha256": None if draft.idempotency_key is None else key_hash(draft.caller, draft.idempotency_key),
        "entry_id": draft.entry_id,
        "entry_date": draft.entry_date,
        "problems": draft.problems,
        "request_type": draft.request_type,
        "request_sha256": digest(found.rest),
        "places": "",
        "parts_sha256": "",
        "answer_sha256": digest(draft.answer),
        "detail": "",
        "parts": None,
        "salt": None,
        "request": pack(found.rest),
        "answer": pack(draft.answer),
    }
    if found.places:
        row["places"] = ",".join(map(str, found.places))
        row["parts"] = join(found.parts)
        row["salt"] = os.urandom(_SALT)
        row["parts_sha256"] = parts_hash(row["salt"], row["parts"])
    return row


def parts_hash(salt: bytes, parts: bytes) -> str:
    """Return the hash of the personal parts: without the salt, which goes when they go, nobody can try names against it."""
    return hashlib.sha256(salt + parts).hexdigest()


def notice(kind: Kind, actor: str, engine: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a record that tells of a redaction or of a removal of bodies."""
    return {
        "kind": kind,
        "id": new_id("red_" if kind == "redaction" else "ret_"),
        "caller": actor,
        "rulebook": "",
        "engine": engine,
        "known_on": None,
        "explain": "",
        "key_sha256": None,
        "entry_id": "",
        "entry_date": None,
        "problems": 0,
        "request_type": "",
        "request_sha256": "",
        "places": "",
        "parts_sha256": "",
        "answer_sha256": "",
        "detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
        "parts": None,
        "salt": None,
        "request": None,
        "answer": None,
    }


def chain(row: dict[str, Any], seq: int, at: str, prev: str) -> str:
    """Give a row its place in the chain, and return its hash."""
    row["seq"], row["at"], row["prev"] = seq, at, prev
    row["hash"] = found = header_hash(row)
    return found


# ---------------------------------------------------------------- reading
def places_of(row: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the offsets at which personal parts stood in the rest of the request."""
    text = row["places"]
    try:
        return tuple(map(int, text.split(","))) if text else ()
    except ValueError as error:
        raise DamagedBodyError("the places of the personal parts are no numbers") from error


def full_request(row: Mapping[str, Any]) -> bytes | None:
    """Return the request of a row as it is to be read. Raises DamagedBodyError."""
    if row["request"] is None:
        return None
    rest, places = unpack(row["request"]), places_of(row)
    parts = None if row["parts"] is None else split(row["parts"])
    if parts is not None and len(parts) != len(places):
        raise DamagedBodyError("the personal parts do not fit their places")
    return splice(rest, places, parts)


def record_of(row: Mapping[str, Any], *, bodies: bool = True) -> Record:
    """Return the record of a row. Raises DamagedBodyError."""
    return Record(
        **{name: row[name] for name in HEADER},
        hash=row["hash"],
        request=full_request(row) if bodies else None,
        answer=unpack(row["answer"]) if bodies and row["answer"] is not None else None,
        redacted=bool(row["places"]) and (row["parts"] is None if bodies else not row["has_parts"]),
        removed=row["kind"] == "assessment" and (row["answer"] is None if bodies else not row["has_answer"]),
    )


def same_request(row: Mapping[str, Any], draft: Draft) -> bool:
    """Whether a draft asks what a stored record asked, as far as that is still known: redacted parts no longer count. Raises DraftError."""
    if (row["known_on"], row["explain"], row["request_type"]) != (draft.known_on, draft.explain, draft.request_type):
        return False
    found = cut(draft.request, draft.personal)
    if hashlib.sha256(found.rest).hexdigest() != row["request_sha256"] or ",".join(map(str, found.places)) != row["places"]:
        return False
    return not found.places or row["salt"] is None or parts_hash(row["salt"], join(found.parts)) == row["parts_sha256"]
