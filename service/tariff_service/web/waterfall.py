"""How the duty of a line builds up, heading by heading: the numbers of a waterfall chart, in percent of its width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tariff_service.pictures.coloring import colors_of

_FULL = Decimal(100)


@dataclass(frozen=True, slots=True)
class Bar:
    """One heading: where its bar begins and how wide it is, in percent of the chart, and its place in the order of colors."""

    label: str
    program: str
    rate: str
    duty: str
    left: str
    width: str
    color: str
    negative: bool = False
    total: bool = False


def waterfall(line: Mapping[str, Any]) -> list[Bar]:
    """Return the bars of a line, the base duty first and the sum last; none where a duty is not known or nothing is owed."""
    rows = [row for row in line.get("headings", ()) if row["duty"] is not None]
    if not rows or line["duty"] is None or any(row["duty"] is None for row in line["headings"]):
        return []
    rows = [row for row in reversed(rows) if Decimal(row["duty"])]
    if not rows:
        return []
    at, edges = Decimal(0), [Decimal(0)]
    for row in rows:
        at += Decimal(row["duty"])
        edges.append(at)
    low, high = min(edges), max(edges)
    span = high - low or Decimal(1)
    colors = colors_of([row["program"] for row in rows])

    def share(amount: Decimal) -> str:
        return f"{(amount * _FULL / span):.2f}"

    found = []
    for row, start, end in zip(rows, edges, edges[1:], strict=False):
        found.append(
            Bar(
                row["heading"] or row["program"],
                row["program"],
                row["rate"],
                row["duty"],
                share(min(start, end) - low),
                share(abs(end - start)),
                colors[row["program"]],
                negative=end < start,
            )
        )
    total = Decimal(line["duty"])
    found.append(Bar("Duty", "", "", line["duty"], share(min(total, Decimal(0)) - low), share(abs(total)), "sum", total=True))
    return found
