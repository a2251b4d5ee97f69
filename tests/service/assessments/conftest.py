"""The application with an audit store of its own, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assessments")


@pytest.fixture(scope="session")
def app(folder: Path) -> FastAPI:
    return create_app(Settings(store=str(folder / "audit.db"), known_days=2, log_level="warning"))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as found:
        yield found


@pytest.fixture
def screws() -> dict[str, Any]:
    """Steel screws of China: three programs and an exemption."""
    return {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}


@pytest.fixture
def entry() -> dict[str, Any]:
    return {
        "id": "E-1",
        "entry_date": "2025-09-10",
        "lines": [
            {"id": "screws", "hts": "7318.15.20.61", "origin": "CN", "value": 10000},
            {"id": "shoes", "hts": "6403.99.60.15", "origin": "VN", "value": 2500},
        ],
    }
