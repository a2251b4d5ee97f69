"""A small rulebook that is fast to check, a service on it in this process, and lines that it answers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from tariff_service.api import reload
from tariff_service.api.app import create_app, open_service
from tariff_service.api.settings import Settings
from tariff_service.api.state import Service

SMALL = Path(__file__).parents[2] / "notation" / "good"
# A widget of China in the first days of the small rulebook: 2% and 10% on 500.
WIDGET: dict[str, Any] = {"hts": "85001010", "origin": "CN", "entry_date": "2020-03-01", "value": 500}
DUTY = "60.00"

Change = Callable[..., None]
Asking = Callable[[httpx.AsyncClient, Service, FastAPI], Coroutine[Any, Any, None]]
InProcess = Callable[[Asking], None]


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the garbage collector as it is: a reload in this process would settle it for a server, and a test session is none."""
    monkeypatch.setattr(reload, "settle", lambda: None)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the small rulebook, to be changed; with a harbor fee that is due for nobody, so that whole entries are answered."""
    copy = Path(shutil.copytree(SMALL, tmp_path / "rules"))
    fees = copy / "fees.yaml"
    row = "rules: [{id: nobody, treatment: [entry, exempt], from: 2020-01-01, due: false, says: Nobody pays., cite: TEST 406, confidence: high}]"
    text = fees.read_text(encoding="utf-8")
    assert text.count("  rules: []") == 1
    fees.write_text(text.replace("  rules: []", f"  {row}"), encoding="utf-8")
    return copy


@pytest.fixture
def change(rules: Path) -> Change:
    """Replace texts in files of the rulebook: `change((file, old, new), ...)`."""

    def replace(*edits: tuple[str, str, str]) -> None:
        for file, old, new in edits:
            text = (rules / file).read_text(encoding="utf-8")
            assert old in text, f"{file} does not hold {old!r}"
            (rules / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


EDITION = ("book.yaml", 'edition: "test"', 'edition: "next"')
DOUBLED = (("programs/widgets.yaml", "add: 10%", "add: 20%"), ("programs/widgets.yaml", '"120.00"', '"220.00"'))
BROKEN = ("programs/widgets.yaml", "add: 10%", "ad: 10%")


@asynccontextmanager
async def asked(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Start an application in this process, and give a client of it."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


@pytest.fixture
def in_process(tmp_path: Path, rules: Path) -> InProcess:
    """Run a coroutine with a client of a service on the small rulebook, the service, and the application."""

    def run(asking: Asking) -> None:
        async def whole() -> None:
            settings = Settings(store=str(tmp_path / "audit.db"), rules=rules)
            service = open_service(settings)
            app = create_app(settings, service)
            async with asked(app) as client:
                await asking(client, service, app)

        asyncio.run(whole())

    return run
