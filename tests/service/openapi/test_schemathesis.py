"""Schemathesis on the whole document: data that it allows and data that it forbids, every check, and chains of requests along its links."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from tariff_service.api import rulebooks
from tariff_service.api.app import create_app
from tariff_service.api.reload import Reloaded
from tariff_service.api.settings import Settings
from tariff_service.api.state import Service

EXAMPLES, STEPS = {"default": (8, 12), "ci": (60, 60), "long": (1000, 1000)}[os.environ.get("HYPOTHESIS_PROFILE", "default")]
RANDOM = os.environ.get("HYPOTHESIS_PROFILE") == "long"

CONFIG = {
    "generation": {"deterministic": not RANDOM, "max-examples": EXAMPLES, "database": "none"},
    "checks": {},
}


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    """Return the document of an application of its own, as its tests read it."""
    place = tmp_path_factory.mktemp("schemathesis") / "audit.sqlite"
    app = create_app(Settings(store=f"sqlite:///{place}", allowed_hosts=("testserver",), rate_per_minute=10_000_000, log_level="error"))

    async def unchanged(service: Service) -> Reloaded:
        """The check of a rulebook takes seconds and has tests of its own; here the route counts."""
        return Reloaded("unchanged", "2026-01-01T00:00:00.000Z", 0.0, service.rulebooks.current.id)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rulebooks, "reload_rules", unchanged)
        yield schemathesis.openapi.from_asgi("/openapi.json", app, config=SchemathesisConfig.from_dict(CONFIG))


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=not RANDOM, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_what_the_document_promises(case: schemathesis.Case) -> None:
    case.call_and_validate()
