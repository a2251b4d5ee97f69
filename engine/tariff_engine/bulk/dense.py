"""Which of some small numbers occur: without sorting, as they are places in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


def distinct(numbers: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Return the numbers that occur, in order, and the place of each number among them. All are at least 0 and below `size`."""
    occurs = np.zeros(size, dtype=np.bool_)
    occurs[numbers] = True
    met = np.flatnonzero(occurs)
    places = np.zeros(size, dtype=np.int64)
    places[met] = np.arange(len(met))
    return met, places[numbers]


def first_places(places: Numbers, count: int) -> Numbers:
    """Return where each of the numbers 0 to `count` - 1 occurs first."""
    found = np.zeros(count, dtype=np.int64)
    found[places[::-1]] = np.arange(len(places))[::-1]
    return found
