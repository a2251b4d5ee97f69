"""The law of another day of knowledge, made from one that is there, is the law that is built from the files.

All parts of both are compared; of a hundred lines, every fourth is answered by both by default, and each in the long profiles.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest
from tests.profile import share

from tariff_engine.book import Book
from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row
from tariff_rules import ROOT

SHARED_OR_COMPILED = frozenset({"compiled", "schedule", "preferences", "fees", "de_minimis", "refunds", "memory"})
LINES = tuple(
    {"hts": hts, "origin": origin, "entry_date": day, "value": 10000}
    for hts in ("6403996015", "7318152061", "8703230190", "9401696031", "0901110025")
    for origin in ("CA", "CN", "JP", "BR")
    for day in (date(2019, 6, 1), date(2025, 3, 10), date(2025, 4, 9), date(2025, 9, 10), date(2026, 3, 1))
)


@pytest.mark.parametrize("known_on", [date(2019, 5, 31), date(2025, 2, 2), date(2025, 4, 30), date(2025, 9, 12), date.max], ids=str)
def test_a_law_made_from_another_answers_as_the_one_that_is_built(known_on: date, book: Book, knowledge: Knowledge) -> None:
    built, made = build_law(book, ROOT, known_on), refit_law(knowledge.law, book, known_on)
    for field in fields(built):
        if field.name not in SHARED_OR_COMPILED:
            assert getattr(made, field.name) == getattr(built, field.name), field.name
    one, other = Knowledge(built), Knowledge(made)
    for line in share(LINES, 4, known_on.toordinal()):
        assert assess_row(other, line, "full") == assess_row(one, line, "full"), line
