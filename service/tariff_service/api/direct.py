"""The endpoint that is asked most, answered before the others are looked through.

A layer that stands within the guard. FastAPI's way to a route, through its stacks, its router and dependencies that this one does not have,
costs as much as a third of an assessment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tariff_service.api.refusing import ANSWERED, response_of

Endpoint = Callable[[Request], Awaitable[Response]]


class Direct:
    """The layer. `app.add_middleware(Direct, path=..., method=..., endpoint=...)`; the endpoint is a route of the application too."""

    def __init__(self, app: ASGIApp, path: str, method: str, endpoint: Endpoint) -> None:
        """Take the application within, and what is answered here: a path without parts, a method, and the endpoint."""
        self._app = app
        self._method = method
        self._endpoint = endpoint
        self.path = path  # metrics and logs tell it as the template of the route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != self._method or scope.get("root_path"):
            await self._app(scope, receive, send)
            return
        scope["route"] = self
        request = Request(scope, receive, send)
        try:
            response = await self._endpoint(request)
        except ANSWERED as error:
            response = response_of(error, request)
        await response(scope, receive, send)
