"""What a chart stacks: the dollars of each program, and the color that each takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


def stack(headings: Sequence[Mapping[str, Any]]) -> list[tuple[str, Decimal]]:
    """Return the dollars of each program, the base duty first; what a credit takes away is taken from the tallest."""
    sums: dict[str, Decimal] = {}
    for row in reversed(headings):
        sums[row["program"]] = sums.get(row["program"], Decimal(0)) + Decimal(row["duty"] or 0)
    less = -sum(amount for amount in sums.values() if amount < 0)
    found = {program: amount for program, amount in sums.items() if amount > 0}
    if less and found:
        tallest = max(found, key=lambda program: found[program])
        found[tallest] = max(found[tallest] - less, Decimal(0))
    return list(found.items())


def colors_of(programs: list[str]) -> dict[str, str]:
    """Return the class of color of each program: the base duty is gray, the others take colors in order of appearance."""
    found: dict[str, str] = {}
    for program in programs:
        if program not in found:
            found[program] = "base" if program == "base" else f"p{sum(one != 'base' for one in found.values()) % 10}"
    return found
