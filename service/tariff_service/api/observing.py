"""The outermost layer around every request: its id, its time, its place in metrics and log, and the answer where a fault was foreseen by nobody."""

from __future__ import annotations

import re
import secrets
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tariff_service.api.callers import KEY
from tariff_service.api.logs import AccessLog, event
from tariff_service.api.problems import MEDIA, Refusal, catalogue
from tariff_service.api.settings import Settings

if TYPE_CHECKING:
    from tariff_service.api.state import Service

REQUEST_ID: Final = "tariff.request_id"  # where the id stands in an ASGI scope
NOBODY: Final = 499  # the status in metrics and log of a request whose sender went away before it was answered
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_UNMATCHED: Final = "unmatched"
_SHORT: Final = 12  # characters of a rulebook's hash that tell it from others
_RECORDS: Final = b"/v1/assessments/"
_ASSESSMENT: Final = re.compile(rb"[A-Za-z0-9._-]{1,80}")


class _Watch:
    """The way back of one response."""

    __slots__ = ("_closing", "_header", "_problem", "_send", "assessment", "code", "done", "size", "status")

    def __init__(self, send: Send, header: tuple[bytes, bytes], *, closing: bool) -> None:
        self._send = send
        self._header = header
        self._closing = closing
        self._problem = False
        self.status = 0
        self.size = 0
        self.code = ""
        self.assessment = ""
        self.done = False

    async def send(self, message: Message) -> None:
        """Let a part of the response pass, and take notes."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.get("headers", ())
            for name, value in headers:
                if name == b"location" and value.startswith(_RECORDS):
                    found = value[len(_RECORDS) :]
                    if _ASSESSMENT.fullmatch(found):
                        self.assessment = found.decode()
                elif name == b"content-type" and value.startswith(MEDIA.encode()):
                    self._problem = True
            message["headers"] = [*headers, self._header]  # a new list: the response may belong to somebody who sends it again
            if self._closing:
                message["headers"].append((b"connection", b"close"))
        else:
            body = message.get("body", b"")
            self.size += len(body)
            self.done = not message.get("more_body", False)
            if self._problem:
                self._problem = False
                self.code = _code_of(body)
        await self._send(message)


def _code_of(body: bytes) -> str:
    """Return the code of a problem; one that the catalogue does not have is counted with others of its kind."""
    try:
        code = orjson.loads(body)["code"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "other"
    return code if code in catalogue() else "other"


def _template(scope: Scope, status: int) -> str:
    """Return the template of the route that a request found: never what stood in the path, which would be without bounds."""
    route = scope.get("route")
    if route is not None:
        return getattr(route, "path", _UNMATCHED)
    plain = "endpoint" in scope and not scope.get("path_params") and status < 400  # noqa: PLR2004  a route of Starlette's own, without parts
    return str(scope["path"]) if plain else _UNMATCHED


class Observing:
    """ASGI middleware. It is the outermost of the application's own: what the others refuse is counted and logged too."""

    def __init__(self, app: ASGIApp, settings: Settings | None = None, log: AccessLog | None = None) -> None:
        """Take the application; the settings say what is logged and how."""
        settings = settings or Settings()
        self.app = app
        self.log = log or AccessLog(settings.log_level, settings.log_format)
        self._prefix = secrets.token_hex(6)
        self._number = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        identity = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                identity = value if _SANE.fullmatch(value) else b""
                break
        request_id = scope[REQUEST_ID] = identity.decode() if identity else f"{self._prefix}-{next(self._number):x}"
        rulebook = service.rulebooks.current.id
        watch = _Watch(send, (b"x-request-id", identity or request_id.encode()), closing=service.stopping)
        metrics = service.metrics
        metrics.in_work += 1
        started = perf_counter()
        try:
            await self.app(scope, receive, watch.send)
        except ClientDisconnect:
            watch.status = watch.status or NOBODY
        except Exception as error:  # noqa: BLE001  whatever it is, the caller gets an answer and the operator a trace
            await self._answer(error, request_id, watch)
        finally:
            metrics.in_work -= 1
            seconds = perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            status = watch.status or NOBODY
            endpoint = _template(scope, status)
            metrics.observed(endpoint, method, status, seconds, watch.code)
            caller: Any = scope.get(KEY)
            self.log.write(
                request_id=request_id,
                method=method,
                endpoint=endpoint,
                status=status,
                seconds=seconds,
                size=watch.size,
                caller=None if caller is None else caller.name,
                rulebook=rulebook.rpartition(":")[2][:_SHORT],
                assessment=watch.assessment,
                problem=watch.code,
                quiet=endpoint in _QUIET,
            )

    async def _answer(self, error: Exception, request_id: str, watch: _Watch) -> None:
        """Answer a fault. A response that has begun is cut off by the server, which sees that it has no end."""
        event("fault", "error", error=error, request_id=request_id)
        if watch.status:
            watch.code = "internal_error"
            return
        refusal = Refusal("internal_error", "a fault of the service; nothing was stored", fix="report it with the request id")
        response = refusal.response(f"urn:tariff:request:{request_id}")
        await watch.send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await watch.send({"type": "http.response.body", "body": response.body})
