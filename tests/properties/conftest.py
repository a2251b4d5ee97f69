"""The law, loaded once for the property tests."""

from __future__ import annotations

from datetime import date

import pytest

from tariff_engine.book import Book
from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.evaluate.parts import Parts
from tariff_engine.notation.load import load_book
from tariff_engine.testing import Space, space
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
def parts(book: Book) -> Parts:
    return Parts(book)


@pytest.fixture(scope="session")
def where(knowledge: Knowledge) -> Space:
    return space(knowledge)


@pytest.fixture(scope="session")
def publications(knowledge: Knowledge) -> list[date]:
    """The days on which acts, and editions of the schedule, became known."""
    law = knowledge.law
    return sorted({act.published for act in law.instruments.values()} | {edition.published for edition in law.schedule.editions})
