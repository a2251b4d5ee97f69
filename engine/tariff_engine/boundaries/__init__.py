"""The boundaries of the law: every date, threshold, list edge and fact at which an answer can change, told by the book itself.

    for one in inventory(book, law):
        print(one.fact, one.sides, one.says)

Whoever tests a system that computes duties tries both sides of each; `tariff_engine.testing` draws its lines there.
"""

from __future__ import annotations

from tariff_engine.boundaries.boundary import KINDS, Boundary, Side
from tariff_engine.boundaries.inventory import inventory

__all__ = ["KINDS", "Boundary", "Side", "inventory"]
