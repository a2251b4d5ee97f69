"""The application with an audit store of its own, and its OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tariff_engine.engine import Knowledge
from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings

Errors = Callable[[Any], list[str]]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Return the application; it is not open until a client enters it."""
    place = tmp_path_factory.mktemp("openapi") / "audit.sqlite"
    return create_app(Settings(store=f"sqlite:///{place}", rate_per_minute=10_000_000, known_days=2))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """Return a client of the open application."""
    with TestClient(app, base_url="http://localhost") as found:
        yield found


@pytest.fixture(scope="session")
def document(client: TestClient) -> dict[str, Any]:
    """Return the OpenAPI document as it is served."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="session")
def knowledge(client: TestClient) -> Knowledge:
    """Return the law that the application answers from."""
    found: Knowledge = cast("Any", client.app).state.service.rulebooks.current.latest
    return found


@pytest.fixture(scope="session")
def errors(document: dict[str, Any]) -> Callable[[str], Errors]:
    """Return what tells the errors of a value against a schema of the document, by the name of the schema."""
    made: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def of(name: str) -> Errors:
        if name not in made:
            whole = {"components": document["components"], "$ref": f"#/components/schemas/{name}"}
            made[name] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return lambda value: [f"{list(error.instance_path)}: {error.message[:300]}" for error in made[name].iter_errors(value)]

    return of


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the repository."""
    return Path(__file__).resolve().parents[3]
