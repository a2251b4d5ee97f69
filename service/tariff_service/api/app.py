"""The ASGI application: routes, the layers around them, and what begins and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from tariff_engine import __version__
from tariff_service.api import assessments, batch, compare_routes, health, history_routes, law_routes, rulebooks
from tariff_service.api.caching import KEEP, etag_of, unchanged
from tariff_service.api.direct import Direct
from tariff_service.api.document import document
from tariff_service.api.guarding import Guard, service_at
from tariff_service.api.metrics import Metrics
from tariff_service.api.observing import Observing
from tariff_service.api.problems import page
from tariff_service.api.refusing import ANSWERED, response_of
from tariff_service.api.settings import Settings
from tariff_service.api.state import Rulebooks, Served, Service
from tariff_service.output import encode
from tariff_service.store.replay import ReplayEngines
from tariff_service.store.store import AuditStore
from tariff_service.store.writer import GroupCommit
from tariff_service.web import browse_routes, line_routes, view_routes


def open_service(settings: Settings) -> Service:
    """Open the rulebook and the store. Raises ProblemError, RulebookError and StoreError."""
    served = Served.open(settings.rules, settings.known_days)
    try:
        store = AuditStore.open(settings.store)
        served.keep(store)
    except BaseException:
        served.close()
        raise
    return Service(settings, Rulebooks(served), store, GroupCommit(store), ReplayEngines(store), Metrics())


def create_app(settings: Settings | None = None, service: Service | None = None) -> FastAPI:
    """Make the application. Without a service it opens one, by the settings, when it starts."""
    settings = settings or Settings()

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        opened = await asyncio.to_thread(open_service, settings) if service is None else service
        app.state.service = opened
        try:
            yield
        finally:
            opened.stopping = True
            await opened.writer.drain(settings.drain)
            opened.writer.close()
            opened.replays.close()
            opened.store.close()
            opened.rulebooks.current.close()

    app = FastAPI(
        title="tariff-engine",
        version=__version__,
        summary="Which US customs duties apply to a shipment, how much, in which order they are filed, and why.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # what is told of requests is told by observing.py
        redirect_slashes=False,
    )
    for module in (
        assessments,
        batch,
        compare_routes,
        law_routes,
        history_routes,
        rulebooks,
        health,
        line_routes,
        view_routes,
        browse_routes,
    ):
        app.include_router(module.router)
    app.add_api_route("/problems/{code}", _problem_page, include_in_schema=False)
    _answer_errors(app)
    _describe(app, settings)
    app.add_middleware(Direct, path="/v1/assessments", method="POST", endpoint=assessments.create)
    app.add_middleware(Guard, service_getter=service_at, settings=settings)
    app.add_middleware(Observing, settings=settings)
    return app


def _describe(app: FastAPI, settings: Settings) -> None:
    """Make the OpenAPI document from the rulebook in use, once for each rulebook, when it is first asked for: most servers never are."""
    made: dict[str, tuple[dict[str, Any], bytes]] = {}

    def of(served: Served) -> tuple[dict[str, Any], bytes]:
        if served.id not in made:
            found = document(app, served.latest, authenticated=settings.authenticated)
            made.clear()
            made[served.id] = found, encode(found)
        return made[served.id]

    async def show(request: Request) -> Response:
        served = app.state.service.rulebooks.current
        headers = {"ETag": etag_of(served, request), "Cache-Control": KEEP}
        return unchanged(request, headers) or Response(of(served)[1], 200, headers, "application/json")

    app.openapi = lambda: of(app.state.service.rulebooks.current)[0]  # type: ignore[method-assign]  # as FastAPI's own documentation does
    app.add_api_route("/openapi.json", show, include_in_schema=False)


def _problem_page(code: str) -> Response:
    return page(code)


def _answer_errors(app: FastAPI) -> None:
    """Whatever goes wrong is answered with a problem."""

    async def refused(request: Request, error: Any) -> Response:
        return response_of(error, request)

    for kind in ANSWERED:
        app.add_exception_handler(kind, refused)
