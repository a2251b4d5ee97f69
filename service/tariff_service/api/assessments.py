"""`/v1/assessments`: assess and keep, list, read again byte by byte, and compute again from the rulebook of then."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_engine.entry import ENGINE
from tariff_service.api import openapi
from tariff_service.api.assessing import Answered, Asked, assess, etag, read_asked, read_body, read_day, read_flag
from tariff_service.api.bodies import read_whole
from tariff_service.api.caching import unchanged
from tariff_service.api.callers import Caller, caller_of
from tariff_service.api.headers import STATED, stated
from tariff_service.api.paging import read_limit, read_place, shown_page
from tariff_service.api.problems import Refusal, allowed_parameters
from tariff_service.api.state import Served, Service, service_of
from tariff_service.output import encode
from tariff_service.store.faults import DraftError, IdempotencyConflict
from tariff_service.store.records import Draft, Filter, Receipt, Record, stamp

router = APIRouter()
_JSON = "application/json"
_KEY_HEADER = b"idempotency-key"
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_FILTERS = ("entry_id", "entry_date_from", "entry_date_to", "stored_from", "stored_to", "rulebook", "problems", "caller")


@router.post("/v1/assessments", **openapi.ASSESS)
async def create(request: Request) -> Response:
    """Assess an entry, and keep the assessment in the audit store before it is answered."""
    caller = caller_of(request, "assess")
    service = service_of(request)
    served = service.rulebooks.current
    key = idempotency_key(request)
    asked = read_asked(request.query_params if request.scope["query_string"] else {})
    content = await read_whole(request, service.settings)
    if key is not None and asked.store:
        earlier = await recall(service, draft_of(served, caller, content, None, asked, key))
        if earlier is not None:
            return replayed(earlier)
    found = await assess(service, served, read_body(content), asked)
    service.metrics.assessed(found.answer)
    answer, tag = found.content, found.etag
    if not asked.store:
        return Response(answer, 200, {"ETag": tag}, _JSON)
    draft = draft_of(served, caller, content, found, asked, key)
    del found  # while the store works, others use the memory of what the answer was made of
    receipt = await put(service, draft)
    if receipt.replayed:
        return replayed(receipt)
    return Response(answer, 201, {"Location": f"/v1/assessments/{receipt.record_id}", "ETag": tag}, _JSON)


def idempotency_key(request: Request) -> str | None:
    """Return the Idempotency-Key of a request. Raises Refusal."""
    if _KEY_HEADER not in request.scope[STATED]:
        return None
    key = stated(request, _KEY_HEADER)
    if not _KEY.fullmatch(key):
        raise Refusal("bad_header", "Idempotency-Key is 1 to 255 printable ASCII characters")
    return key


def draft_of(served: Served, caller: Caller, content: bytes, found: Answered | None, asked: Asked, key: str | None) -> Draft:
    """Return what the audit store keeps of an assessment; before there is an answer, what its key is looked up with."""
    return Draft(
        caller=caller.name,
        rulebook=served.id,
        engine=ENGINE,
        known_on=asked.known_on.isoformat() if asked.known_on else None,
        explain=asked.explain,
        request=content,
        request_type=_JSON,
        answer=found.content if found else b"",
        entry_id=found.entry_id if found else "",
        entry_date=found.entry_date if found else None,
        problems=len(found.answer["problems"]) if found else 0,
        idempotency_key=key,
        personal=served.personal,
    )


async def recall(service: Service, draft: Draft) -> Receipt | None:
    """Return the receipt of an earlier request with the same key. Raises Refusal where that was another request, and StoreError."""
    try:
        found = await asyncio.to_thread(service.store.recall, draft)
    except DraftError as error:
        raise unreadable(error) from None
    if isinstance(found, IdempotencyConflict):
        raise conflict()
    return found


async def put(service: Service, draft: Draft) -> Receipt:
    """Return when an assessment is safely kept. Raises Refusal and StoreError."""
    try:
        return await service.writer.put(draft)
    except IdempotencyConflict:
        raise conflict() from None
    except DraftError as error:
        raise unreadable(error) from None


def replayed(receipt: Receipt) -> Response:
    """Return the answer that was given before. Raises Refusal where retention removed it."""
    if receipt.answer is None:
        raise removed("answer")
    return Response(receipt.answer, 200, {"Location": f"/v1/assessments/{receipt.record_id}", "Idempotent-Replayed": "true"}, _JSON)


def removed(what: str) -> Refusal:
    """Return the refusal to show what retention removed."""
    return Refusal("request_removed", f"the {what} was removed by retention; its record and hashes remain")


def unreadable(error: DraftError) -> Refusal:
    """Return the refusal of a request whose personal facts cannot be told from the others."""
    return Refusal("malformed_json", str(error), pointer="")


def conflict() -> Refusal:
    """Return the refusal of a key that was used for another request."""
    return Refusal("key_conflict", "this Idempotency-Key was used for another request", fix="send a new key with a new request")


# ---------------------------------------------------------------- what was kept
async def _record(request: Request, record_id: str) -> Record:
    caller = caller_of(request, "read")
    allowed_parameters(request.query_params, ())
    record = await asyncio.to_thread(service_of(request).store.get, record_id, caller.sees)
    if record is None or record.kind != "assessment":
        raise Refusal("not_found", "no stored assessment has this id, or it belongs to another caller")
    return record


def _bytes(record: Record) -> bytes:
    if record.answer is None:
        raise removed("answer")
    return record.answer


def _shown(record: Record) -> dict[str, Any]:
    """Return a record without its bodies."""
    return {
        "id": record.id,
        "at": record.at,
        "caller": record.caller,
        "rulebook": record.rulebook,
        "engine": record.engine,
        "known_on": record.known_on,
        "explain": record.explain,
        "entry_id": record.entry_id,
        "entry_date": record.entry_date,
        "problems": record.problems,
        "redacted": record.redacted,
        "sequence": record.seq,
        "hash": record.hash,
        "previous": record.prev,
        "links": {name: f"/v1/assessments/{record.id}{path}" for name, path in _LINKS},
    }


_LINKS = (("answer", ""), ("record", "/record"), ("request", "/request"), ("replay", "/replay"))


@router.get("/v1/assessments", **openapi.LIST)
async def find(request: Request) -> Response:
    """List stored assessments, newest first."""
    caller = caller_of(request, "read")
    query = request.query_params
    allowed_parameters(query, (*_FILTERS, "limit", "cursor"))
    limit = read_limit(query)
    wanted = query.get("caller")
    if caller.sees is not None and wanted not in {None, caller.sees}:
        raise Refusal("forbidden", "only a key with the scope admin sees the records of others")
    chosen = Filter(
        caller=caller.sees or wanted,
        rulebook=query.get("rulebook"),
        entry_id=query.get("entry_id"),
        entry_from=_day(query, "entry_date_from"),
        entry_until=_day(query, "entry_date_to"),
        stored_from=_moment(query, "stored_from", 0),
        stored_until=_moment(query, "stored_to", 1),
        problems=read_flag(query["problems"], "problems") if "problems" in query else None,
    )
    before = read_place(query)
    records = await asyncio.to_thread(service_of(request).store.find, chosen, before, limit + 1)
    return shown_page(request, [_shown(record) for record in records[:limit]], records[limit - 1].seq if len(records) > limit else None)


def _day(query: Mapping[str, str], name: str) -> str | None:
    found = read_day(query.get(name), name)
    return found.isoformat() if found else None


def _moment(query: Mapping[str, str], name: str, more: int) -> str | None:
    """Return the first moment of a day, UTC, or of the day after: both ends of a range are included."""
    found = read_day(query.get(name), name)
    if found is None:
        return None
    try:
        return stamp(datetime.combine(found + timedelta(days=more), time(), UTC))
    except OverflowError:
        raise Refusal("bad_parameter", f"{name} lies beyond the calendar") from None


@router.get("/v1/assessments/{record_id}", **openapi.READ)
async def read(request: Request, record_id: str) -> Response:
    """Return the bytes that were answered."""
    record = await _record(request, record_id)
    content = _bytes(record)
    headers = {"ETag": etag(orjson.loads(content)), "Cache-Control": "private, immutable, max-age=31536000"}
    return unchanged(request, headers) or Response(content, 200, headers, _JSON)


@router.get("/v1/assessments/{record_id}/record", **openapi.RECORD)
async def read_record(request: Request, record_id: str) -> Response:
    """Return what the audit store knows of an assessment: who asked when, under which rulebook, and its place in the chain."""
    return Response(encode(_shown(await _record(request, record_id))), 200, None, _JSON)


@router.get("/v1/assessments/{record_id}/request", **openapi.REQUEST)
async def read_request(request: Request, record_id: str) -> Response:
    """Return the bytes that were sent; what was redacted is marked."""
    record = await _record(request, record_id)
    if record.request is None:
        raise removed("request")
    return Response(record.request, 200, None, _JSON)


@router.get("/v1/assessments/{record_id}/replay", **openapi.REPLAY)
async def replay(request: Request, record_id: str) -> Response:
    """Compute an assessment again with the rulebook of then, and compare the bytes."""
    record = await _record(request, record_id)
    if record.request is None or record.answer is None:
        raise removed("request or the answer")
    service = service_of(request)
    async with service.replaying:  # its engines are for one thread at a time, and others need the processor too
        found = await asyncio.to_thread(service.replays.replay, record)
    return Response(encode({"id": record.id, "rulebook": record.rulebook, **asdict(found)}), 200, None, _JSON)
