"""The inventory of boundaries, for the tests of the kit."""

from __future__ import annotations

import pytest

from tariff_engine.boundaries import Boundary
from tariff_engine.testing import Rulebook


@pytest.fixture(scope="session")
def edges(rulebook: Rulebook) -> list[Boundary]:
    """The whole inventory."""
    return list(rulebook.boundaries)
