"""The law book of this repository with its engine, for the tests that read, compare and follow it over time."""

from __future__ import annotations

from datetime import date
from functools import cache

from tests.law.rulebook import the_book

from tariff_engine.build import refit_law
from tariff_engine.engine import Engine
from tariff_engine.law import Law
from tariff_engine.testing import Rulebook

EVERYTHING = date.max


@cache
def the_engine() -> Engine:
    """Return an engine that keeps the law of a few earlier days; all of them share what does not depend on what was known."""
    final = Rulebook.installed().knowledge.law

    def load(known_on: date) -> Law:
        return final if known_on == EVERYTHING else refit_law(final, the_book(), known_on)

    return Engine(load, keep=12)
