"""Two ways to look at the law, for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.law.naive_knowledge import NaiveKnowledge
from tests.law.probe import Prober

from tariff_engine.engine import Knowledge

if TYPE_CHECKING:
    from tariff_engine.book import Book


PROBERS: list[Prober] = []


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Let go of the laws of earlier days after the last test of this folder."""
    if nextitem is None or item.path.parent != nextitem.path.parent:
        for prober in PROBERS:
            prober.forget()


@pytest.fixture(scope="session")
def naive(book: Book, knowledge: Knowledge) -> NaiveKnowledge:
    """Return everything known, evaluated by the definition."""
    return NaiveKnowledge(knowledge.law, book)


@pytest.fixture(scope="session")
def prober(book: Book, knowledge: Knowledge) -> Prober:
    """Return the tool that looks at single provisions."""
    PROBERS.append(Prober(book, knowledge))
    return PROBERS[-1]
