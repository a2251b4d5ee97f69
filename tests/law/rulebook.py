"""The law book of this repository for the names of tests: the one that their fixtures hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tariff_engine.testing import Rulebook

if TYPE_CHECKING:
    from tariff_engine.book import Book


def the_book() -> Book:
    """Return the rulebook."""
    return Rulebook.installed().book
