"""How much a run looks at: every proof always runs, a long one on a part of its lines by default and on all of them with HYPOTHESIS_PROFILE=ci.

The part is always the same, so that a red run is red again, and a prefix or an even share of the whole, so that what it finds the long run finds.
The profiles of Hypothesis itself are in tests/conftest.py.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
LONG = PROFILE != "default"


def many(short: int, long: int) -> int:
    """Return how many are drawn: `short` by default, `long` in the long profiles."""
    return long if LONG else short


def share(things: Sequence[Thing], every: int, begin: int = 0) -> Sequence[Thing]:
    """Return all things in the long profiles; by default one of so many, from the place `begin` on, evenly spread."""
    return things if LONG or len(things) <= every else things[begin % every :: every]
