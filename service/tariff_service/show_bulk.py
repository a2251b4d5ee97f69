"""What a run over a file came to, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tariff_service.paper import Paper, money, plural


def show_bulk(paper: Paper, found: Mapping[str, Any]) -> None:
    """Write how many lines were answered and what they owe, what was rejected and mended, and the files."""
    totals = found["totals"]
    paper.title(plural(found["answered"], "line"), f"answered by the law book {found['rulebook']['edition']}")
    paper.table(
        [("", "left"), ("Dollars", "right")],
        [
            ["Entered value", money(totals["value"])],
            ["Duty", money(totals["duty"])],
            ["Merchandise processing fee", money(totals["mpf"])],
            ["Harbor maintenance fee", money(totals["hmf"])],
        ],
        foot=["Duty, fees and postal duty", money(totals["total"])],
    )
    if totals["unknown"]:
        paper.item(f"{plural(totals['unknown'], 'line')} whose duty cannot be known as stated; in no sum")
    if totals["fees_unknown"]:
        paper.item(
            f"{plural(totals['fees_unknown'], 'line')} of entries with a rejected row, whose fees are not known; not in the last sum"
        )
    if totals["open"]:
        paper.item(f"{plural(totals['open'], 'line')} whose duty depends on a fact that is not stated: low and high tell by how much")
    if totals["prohibited"]:
        paper.item(f"{plural(totals['prohibited'], 'line')} of goods that may not be entered")
    read = found["input"]
    if read.get("not_read"):
        paper.item(f"Columns not read: {', '.join(read['not_read'])[:300]}")
    for title, name in (("Rejected", "rejected"), ("Notes", "notes")):
        if found[name]:
            paper.head(f"{title}: {plural(found[name], 'row')}")
            for code, count in found[f"{name}_by"].items():
                paper.pair(f"{count:,}", code.replace("_", " "), width=10)
    paper.head("Files")
    for name, path in found["files"].items():
        paper.pair(name, path, width=10)
