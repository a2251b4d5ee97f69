"""Two ways to look at the law, for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.law.naive_knowledge import NaiveKnowledge
from tests.law.probe import Prober

from tariff_engine.engine import Knowledge

if TYPE_CHECKING:
    from tariff_engine.book import Book


@pytest.fixture(scope="session")
def naive(book: Book, knowledge: Knowledge) -> NaiveKnowledge:
    """Return everything known, evaluated by the definition."""
    return NaiveKnowledge(knowledge.law, book)


@pytest.fixture(scope="session")
def prober(book: Book, knowledge: Knowledge) -> Prober:
    """Return the tool that looks at single provisions."""
    return Prober(book, knowledge)
