"""The application with an audit store of its own, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tariff_engine.engine import Knowledge
from tariff_engine.law import Law
from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Return a client that follows no redirect."""
    app = create_app(Settings(store=str(tmp_path_factory.mktemp("page") / "audit.db"), known_days=8, log_level="warning"))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as found:
        yield found


@pytest.fixture(scope="session")
def knowledge(client: TestClient) -> Knowledge:
    found: Knowledge = client.app.state.service.rulebooks.current.latest  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="session")
def law(knowledge: Knowledge) -> Law:
    return knowledge.law
