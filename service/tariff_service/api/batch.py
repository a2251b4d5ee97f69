"""`POST /v1/assessments:batch`: rows in, answers out, in order and at the same time, each row with a status of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tariff_service.api import arrow_batch, openapi
from tariff_service.api.assessing import read_asked
from tariff_service.api.assessments import idempotency_key
from tariff_service.api.batch_answering import Assessor, refusal_of_row
from tariff_service.api.batch_same_day import Adder
from tariff_service.api.bodies import media_type, refuse_media
from tariff_service.api.callers import Caller, caller_of
from tariff_service.api.limits import charge
from tariff_service.api.ndjson_batch import JSONL, NDJSON, NdjsonOutput, ndjson_rows
from tariff_service.api.problems import Refusal
from tariff_service.api.row_stream import Intake
from tariff_service.api.row_window import RowAnswer, Window, turns_of
from tariff_service.api.state import Service, service_of

router = APIRouter()
_TYPES = (NDJSON, JSONL, arrow_batch.MEDIA)
_LONGEST_KEY = 240  # characters; with the number of a row it is still a key
_TICK = 0.25  # seconds between two looks at the clock while nothing happens
_CHUNK = 65_536  # bytes of answers that are sent at once
_PATIENCE = 60.0  # seconds that a client may take none of its answers
STORE_FAILURES = 1_000  # rows in a row that the store did not take, before the batch is given up


class Output(Protocol):
    """How answers are written."""

    media: str

    def begin(self) -> bytes:
        """Return what stands before the answers."""

    def add(self, answers: Sequence[RowAnswer]) -> bytes:
        """Take answers; return what can be sent of them and of those before."""

    def flush(self, *, idle: bool) -> bytes:
        """Return what was kept back: all of it when the end is near, what has waited long enough when `idle`."""

    def end(self) -> bytes:
        """Return what stands behind the answers."""


def rows_allowed(service: Service, caller: Caller) -> float:  # noqa: ARG001  the service is where another limit would stand
    """Count a row against the caller's share; return the seconds to wait before it is answered."""
    return charge(caller, 1)


@router.post("/v1/assessments:batch", **openapi.BATCH)
async def assess_batch(request: Request) -> Response:
    """Assess many entries or lines, one a row; each answered row is kept in the audit store before it is answered."""
    caller = caller_of(request, "assess")
    service = service_of(request)
    served = service.rulebooks.current
    key = idempotency_key(request)
    if key is not None and len(key) > _LONGEST_KEY:
        raise Refusal("bad_header", f"the Idempotency-Key of a batch is at most {_LONGEST_KEY} characters: each row adds its number")
    refuse_media(request, frozenset(_TYPES))
    sent = media_type(request)
    wanted = accepted(request.headers.get("accept", "*/*"), sent)
    asked = read_asked(request.query_params, plain="none" if wanted == arrow_batch.MEDIA else "full", batch=True)
    if sent == arrow_batch.MEDIA:
        arrow_batch.needed("unsupported_media")
    if wanted == arrow_batch.MEDIA:
        arrow_batch.needed("not_acceptable")
    if arrow_batch.MEDIA in {sent, wanted}:
        await asyncio.to_thread(arrow_batch.load)
    await service.rulebooks.knowledge(served, asked.known_on)
    assessor = Assessor(service, served, caller, asked, key, turns_of(service.extra))
    output = arrow_batch.ArrowOutput() if wanted == arrow_batch.MEDIA else NdjsonOutput(wanted)
    batch = Batch(assessor, Intake(request.receive), output)
    if not await batch.intake.first(service.settings.body_timeout):
        raise Refusal("file_empty", "the body is empty", fix="send one entry or line a row", pointer="")
    if sent == arrow_batch.MEDIA:
        batch.rows = await arrow_batch.read(batch.part, served, service.settings)
    return batch


def accepted(header: str, sent: str) -> str:
    """Return the media type to answer with: what the client likes best, and of that the one it sent. Raises Refusal.

    >>> accepted("*/*", "application/jsonl")
    'application/jsonl'
    >>> accepted("application/jsonl;q=0.5, application/vnd.apache.arrow.stream", "application/x-ndjson")
    'application/vnd.apache.arrow.stream'
    """
    likes: dict[str, float] = {}
    for one in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in one.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        with suppress(ValueError):
            likes[name] = float(weight)
    best, found = 0.0, ""
    for kind in sorted(_TYPES, key=lambda kind: kind != sent):
        weighed = next((likes[name] for name in (kind, "application/*", "*/*") if name in likes), 0.0)
        if weighed > best:
            best, found = weighed, kind
    if not found:
        raise Refusal("not_acceptable", f"a batch is answered as {', '.join(_TYPES)}", fix="send one of them as Accept")
    return found


class Batch(Response):
    """The response to a batch: reads, answers and writes until the rows end, the client leaves, or the server stops."""

    def __init__(self, assessor: Assessor, intake: Intake, output: Output) -> None:
        """Take who answers rows, where they come from, and how answers are written."""
        super().__init__(None, 200, {"X-Accel-Buffering": "no"}, output.media)
        del self.headers["content-length"]
        self.intake = intake
        self._assessor = assessor
        self._service: Service = assessor.service
        self.rows = ndjson_rows(self.part, self._service.settings.max_row)
        self._output = output
        self._window = Window()
        self._running = False
        self._sent = time.monotonic()
        self._failures = 0
        self._adder = Adder() if assessor.asked.aggregate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the intake receives
        """Answer. Nothing of the batch is left running when this returns, however it ends."""
        self._running = True
        tasks = [asyncio.create_task(self.intake.run()), asyncio.create_task(self._answer_all())]
        try:
            await asyncio.sleep(0)  # the intake says "100 Continue" where the client waits for it
            await self._deliver(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send_all(send)
        except OSError:
            pass  # the client has left
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._window.abandon()

    # ------------------------------------------------------------ in
    async def part(self) -> bytes | None:
        """Return the next part of the body, or None at its end. Raises Refusal and ClientDisconnect."""
        limit = self._service.settings.body_timeout
        if not self._running:
            await self.intake.first(limit)
        while not self.intake.ready():
            self._check()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self.intake.arrival()
            if not self._window and time.monotonic() - max(self.intake.active, self._sent) > limit:
                raise Refusal("body_too_slow", f"no further part of the body within {limit:g} s of the last answer")
        if not self.intake.at_end:
            self._check()
        return self.intake.part()

    def _check(self) -> None:
        """Stop where nobody is there any more to answer, or to be answered."""
        if self.intake.gone:
            raise ClientDisconnect
        if self.intake.cut:
            fix = "read answers while rows are sent, or send fewer rows at a time; send the rows from here on again"
            raise Refusal("answers_unread", f"no answer was read for {_PATIENCE:g} s", fix=fix)
        if self._service.stopping:
            raise Refusal("stopping", "the server stops; the rows from here on were not begun", fix="send them again")

    # ------------------------------------------------------------ work
    async def _answer_all(self) -> None:
        try:
            async with aclosing(self.rows) as groups:
                async for sent in groups:
                    rows = sent if self._adder is None else [self._adder.told(row) for row in sent]
                    for row, earlier in zip(rows, await self._assessor.earlier(rows), strict=True):
                        await self._allowed()
                        await self._window.put(*await self._assessor.answer(row, earlier))
        except ClientDisconnect:
            pass
        except Exception as error:  # noqa: BLE001  the client is told why no more answers come
            await self._window.put(last_row(refusal_of_row(error)), 0)
        finally:
            self._window.close()

    async def _allowed(self) -> None:
        """Wait until the caller may have another row."""
        end = time.monotonic() + rows_allowed(self._service, self._assessor.caller)
        self._check()
        while (pause := end - time.monotonic()) > 0:
            await asyncio.sleep(min(pause, _TICK))
            self._check()

    # ------------------------------------------------------------ out
    async def _send_all(self, send: Send) -> None:
        """Send answers as they become ready. Raises OSError where the client takes none of them for long."""
        await self._send(send, self._output.begin())
        while not self.intake.gone and (answers := await self._window.take(_CHUNK, _TICK)) is not None:
            answers, given_up = self._watch_store(answers)
            if answers:
                await self._send(send, self._output.add(answers))
            if given_up:
                break
            await self._send(send, self._output.flush(idle=True))
        if not self.intake.gone:
            await self._send(send, self._output.flush(idle=False) + self._output.end())
            await self._deliver(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, content: bytes) -> None:
        if content:
            await self._deliver(send, {"type": "http.response.body", "body": content, "more_body": True})

    async def _deliver(self, send: Send, message: Message) -> None:
        """Send a message. A client that takes nothing for long is first relieved of its rows: perhaps it reads when those are off."""
        sending = asyncio.ensure_future(send(message))
        since, relieved = time.monotonic(), False
        try:
            while not (await asyncio.wait({sending}, timeout=_TICK))[0]:
                silence = time.monotonic() - (max(since, self.intake.active) if relieved else since)
                if self.intake.gone or (relieved and silence > _PATIENCE):
                    raise OSError("the client neither sends rows nor takes answers")
                if silence > _PATIENCE:
                    self.intake.discard()
                    since, relieved = time.monotonic(), True
        finally:
            sending.cancel()
        await sending
        self._sent = time.monotonic()

    def _watch_store(self, answers: list[RowAnswer]) -> tuple[list[RowAnswer], bool]:
        """Give a batch up whose rows the store does not take."""
        for place, answer in enumerate(answers):
            if answer.fault:
                self._failures += 1
            elif answer.refusal is None:
                self._failures = 0
            if self._failures >= STORE_FAILURES and answer.refusal is not None:
                return [*answers[: place + 1], last_row(answer.refusal)], True
        return answers, False


def last_row(refusal: Refusal) -> RowAnswer:
    """Return the row that says why a batch ends before its rows do."""
    return RowAnswer(None, None, refusal.status, refusal=refusal)
