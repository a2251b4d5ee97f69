"""The law, loaded once for the tests of the kit."""

from __future__ import annotations

from datetime import date

import pytest

from tariff_engine.book import Book
from tariff_engine.boundaries import Boundary, inventory
from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.notation.load import load_book
from tariff_rules import ROOT


@pytest.fixture(scope="session")
def book() -> Book:
    return load_book(ROOT)


@pytest.fixture(scope="session")
def engine(book: Book) -> Engine:
    final = build_law(book, ROOT)
    return Engine(lambda day: final if day == date.max else refit_law(final, book, day))


@pytest.fixture(scope="session")
def knowledge(engine: Engine) -> Knowledge:
    return engine.at()


@pytest.fixture(scope="session")
def edges(book: Book, knowledge: Knowledge) -> list[Boundary]:
    """The whole inventory."""
    return inventory(book, knowledge.law)
