"""A store with keys, the guard around a small application, the whole application, and a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router
from starlette.testclient import TestClient
from tests.service.security.raw import Raw, serving

from tariff_service.api.app import create_app
from tariff_service.api.callers import KEY
from tariff_service.api.guarding import Guard
from tariff_service.api.settings import Settings
from tariff_service.store.store import AuditStore


@dataclass
class Held:
    """What the guard needs of a service."""

    store: AuditStore
    working: int = 0
    stopping: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Guarded:
    """A small application behind the guard."""

    client: TestClient
    held: Held
    guard: Guard


Make = Callable[..., Guarded]


async def _who(request: Request) -> Response:
    caller = request.scope.get(KEY)
    return JSONResponse({"caller": caller and caller.name, "key": caller and caller.key})


async def _page(_request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>page</title>")


async def _kept(_request: Request) -> Response:
    return JSONResponse({}, headers={"Cache-Control": "public, max-age=60"})


async def _fault(_request: Request) -> Response:
    message = "secret inside"
    raise RuntimeError(message)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuditStore]:
    """Return an open store."""
    found = AuditStore.open(str(tmp_path / "audit.db"))
    yield found
    found.close()


@pytest.fixture
def guarded(store: AuditStore) -> Make:
    """Return what puts the guard around a small application."""

    def make(settings: Settings | None = None, client: str = "203.0.113.9", **more: Any) -> Guarded:
        routes = [
            Route("/who", _who, methods=["GET", "POST"]),
            Route("/metrics", _who),
            Route("/", _page),
            Route("/healthz", _who),
            Route("/readyz", _who),
            Route("/problems/{code}", _page),
            Route("/static/{name}", _page),
            Route("/openapi.json", _who),
            Route("/kept", _kept),
            Route("/fault", _fault),
        ]
        held = Held(store)
        guard = Guard(Router(routes, redirect_slashes=False), lambda _scope: cast("Any", held), settings or Settings(**more))
        found = TestClient(guard, base_url="http://localhost", client=(client, 50_000), raise_server_exceptions=False)
        return Guarded(found, held, guard)

    return make


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Return a client of the whole application, which asks for no key."""
    place = tmp_path_factory.mktemp("security") / "audit.db"
    with TestClient(create_app(Settings(store=str(place))), base_url="http://localhost", raise_server_exceptions=False) as found:
        yield found


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    """Return a real server with short times."""
    wire = {"HEAD_TIME": 1.0, "READ_TIME": 2.0}
    with serving(tmp_path_factory.mktemp("raw"), wire, body_timeout=1.0, auth=False) as found:
        yield found
