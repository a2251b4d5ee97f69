"""What the property tests take of the law."""

from __future__ import annotations

from datetime import date

import pytest

from tariff_engine.book import Book
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.parts import Parts


@pytest.fixture(scope="session")
def parts(book: Book) -> Parts:
    return Parts(book)


@pytest.fixture(scope="session")
def publications(knowledge: Knowledge) -> list[date]:
    """The days on which acts, and editions of the schedule, became known."""
    law = knowledge.law
    return sorted({act.published for act in law.instruments.values()} | {edition.published for edition in law.schedule.editions})
