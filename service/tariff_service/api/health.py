"""`/healthz`: the process lives. `/readyz`: it can answer and store. `/metrics`: what it counted."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tariff_service.api import openapi
from tariff_service.api.callers import caller_of
from tariff_service.api.openapi import Told
from tariff_service.api.problems import allowed_parameters
from tariff_service.api.state import Service, service_of
from tariff_service.output import encode
from tariff_service.store.records import StoreError

PING_LIMIT: Final = 1.0  # seconds within which the store must answer
PING_EVERY: Final = 1.0  # seconds for which an answer of the store is taken for granted: the question waits for the store's one writer
STUCK: Final = 10.0  # seconds; a record that waits longer says that the store does not keep up
_PINGER: Final = "health.pinger"
_REASON: Final = {
    "type": "object",
    "required": ["code", "detail"],
    "properties": {"code": {"type": "string"}, "detail": {"type": "string"}},
}
_READY: Final = {
    "type": "object",
    "required": ["ready", "rulebook", "reasons"],
    "properties": {"ready": {"type": "boolean"}, "rulebook": {"type": "string"}, "reasons": {"type": "array", "items": _REASON}},
}
_ALIVE: Final = {"type": "object", "required": ["alive"], "properties": {"alive": {"const": True}}}

router = APIRouter()


@dataclass(eq=False)
class _Pinger:
    """Asks the store whether it is there: one question at a time, however often somebody wants to know."""

    service: Service
    asking: asyncio.Task[str] | None = None
    asked: float = 0.0

    async def ask(self) -> str:
        """Return what is wrong with the store, as the code of its error, or nothing."""
        old = self.asking is not None and self.asking.done() and time.monotonic() - self.asked > PING_EVERY
        if self.asking is None or old:
            self.asked = time.monotonic()
            self.asking = asyncio.ensure_future(asyncio.to_thread(self._ping))
        done, _ = await asyncio.wait([self.asking], timeout=max(0.0, PING_LIMIT - (time.monotonic() - self.asked)))
        return self.asking.result() if done else "store_unreachable"

    def _ping(self) -> str:
        try:
            self.service.store.ping()
        except StoreError as error:
            return error.code
        except Exception:  # noqa: BLE001  a store that fails in a way of its own is no store to rely on
            return "store_unreachable"
        return ""


async def reasons(service: Service) -> list[dict[str, str]]:
    """Return why the service should get no requests now; nothing says that it should. Details name no database and no file."""
    found = []
    if service.stopping:
        found.append({"code": "stopping", "detail": "the server is stopping"})
    pinger: _Pinger = service.extra.setdefault(_PINGER, _Pinger(service))
    if wrong := await pinger.ask():
        found.append({"code": wrong, "detail": "the audit store does not take records"})
    lag = service.writer.lag()
    if lag.oldest > STUCK:
        found.append(
            {"code": "store_behind", "detail": f"{lag.queued} records wait for the audit store, the oldest for {lag.oldest:.0f} s"}
        )
    return found


_LIVE: dict[str, Any] = openapi.operation(
    "alive", "Whether the process lives", tag="service", scope=None, answers={200: Told("It does.", _ALIVE)}
)
_READYZ: dict[str, Any] = openapi.operation(
    "ready",
    "Whether the server takes requests",
    tag="service",
    what="Yes once the rulebook is loaded, while the audit store answers within a second and keeps up, and until the server stops.",
    scope=None,
    answers={200: Told("It does.", _READY), 503: Told("It does not, and why.", _READY)},
)
_METRICS: dict[str, Any] = openapi.operation(
    "metrics",
    "Counters for Prometheus",
    tag="service",
    what="Of all workers. No label ever holds what a request said.",
    answers={200: Told("The text form of Prometheus, or OpenMetrics where it is asked for.", {"type": "string"}, media=("text/plain",))},
)


@router.get("/healthz", **_LIVE)
async def healthz() -> Response:
    """Answer as long as the process lives."""
    return Response(_ALIVE_BODY, 200, None, "application/json")


_ALIVE_BODY: Final = encode({"alive": True})


@router.get("/readyz", **_READYZ)
async def readyz(request: Request) -> Response:
    """Say whether requests should come here."""
    service = service_of(request)
    wrong = await reasons(service)
    body = {"ready": not wrong, "rulebook": service.rulebooks.current.id, "reasons": wrong}
    headers = {"Cache-Control": "no-store", **({"Retry-After": "5"} if wrong else {})}
    return Response(encode(body), 503 if wrong else 200, headers, "application/json")


@router.get("/metrics", **_METRICS)
async def metrics(request: Request) -> Response:
    """Return the counters of all workers."""
    caller_of(request, "read")
    allowed_parameters(request.query_params, ())
    service = service_of(request)
    service.metrics.watch(service)
    content, media = service.metrics.exposition(request.headers.get("accept", ""))
    return Response(content, 200, {"Cache-Control": "no-store"}, media)
