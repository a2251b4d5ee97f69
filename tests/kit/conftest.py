"""The law, loaded once for the tests of the kit."""

from __future__ import annotations

import pytest

from tariff_engine.book import Book
from tariff_engine.boundaries import Boundary
from tariff_engine.engine import Knowledge
from tariff_engine.testing import Rulebook


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    """The installed rulebook, as the kit reads it."""
    return Rulebook.installed()


@pytest.fixture(scope="session")
def book(rulebook: Rulebook) -> Book:
    return rulebook.book


@pytest.fixture(scope="session")
def knowledge(rulebook: Rulebook) -> Knowledge:
    return rulebook.knowledge


@pytest.fixture(scope="session")
def edges(rulebook: Rulebook) -> list[Boundary]:
    """The whole inventory."""
    return list(rulebook.boundaries)
