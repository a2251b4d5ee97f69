"""A service with a store of its own, without a server around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tariff_service.api.app import create_app, open_service
from tariff_service.api.settings import Settings
from tariff_service.api.state import Service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the store."""
    return tmp_path_factory.mktemp("batch")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    """A service with the installed rulebook and an empty store."""
    found = open_service(Settings(store=str(folder / "audit.db"), max_row=20_000))
    yield found
    found.writer.close()
    found.replays.close()
    found.store.close()
    found.rulebooks.current.close()


@pytest.fixture(scope="module")
def app(service: Service) -> FastAPI:
    """Return the application around the service."""
    found = create_app(service.settings, service)
    found.state.service = service
    return found
