"""The law book of this repository, read once for the fixtures and for the names of the tests."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tariff_engine.notation.load import load_book
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book


@cache
def the_book() -> Book:
    """Return the rulebook."""
    return load_book(ROOT)
