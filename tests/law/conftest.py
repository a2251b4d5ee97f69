"""The law book, loaded once for all tests of this folder."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from tests.law.naive_knowledge import NaiveKnowledge
from tests.law.probe import Prober
from tests.law.rulebook import the_book

from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Engine, Knowledge
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.law import Law


@pytest.fixture(scope="session")
def book() -> Book:
    """Return the rulebook of this repository."""
    return the_book()


@pytest.fixture(scope="session")
def engine(book: Book) -> Engine:
    """Return an engine for it."""
    final = build_law(book, ROOT)

    def load(known_on: date) -> Law:
        return final if known_on == date.max else refit_law(final, book, known_on)

    return Engine(load)


@pytest.fixture(scope="session")
def knowledge(engine: Engine) -> Knowledge:
    """Return everything known."""
    return engine.at()


@pytest.fixture(scope="session")
def naive(book: Book, knowledge: Knowledge) -> NaiveKnowledge:
    """Return everything known, evaluated by the definition."""
    return NaiveKnowledge(knowledge.law, book)


@pytest.fixture(scope="session")
def prober(book: Book, knowledge: Knowledge) -> Prober:
    """Return the tool that looks at single provisions."""
    return Prober(book, knowledge)
