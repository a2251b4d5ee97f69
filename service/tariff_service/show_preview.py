"""What a draft would do, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tariff_service.paper import plural
from tariff_service.show_impact import show_impact
from tariff_service.show_law_diff import diff_lines

if TYPE_CHECKING:
    from tariff_service.paper import Paper


def show_preview(paper: Paper, found: Mapping[str, Any]) -> None:
    """Write the preview."""
    paper.title("What the draft adds")
    for depth, words in diff_lines(found["diff"]):
        paper.line(words, indent=2 * depth)
    paper.head("Its examples")
    for one in found["examples"]:
        paper.item(f"{one['program']}: {one['says']}")
        for side in ("before", "after"):
            paper.line(f"{side}: {_said(one[side])}", indent=4)
        if one["differs"]:
            paper.line(f"written: {_said(one['written'])}", indent=4)
    paper.head("Examples of the book that it changes")
    told = found["book_examples"]
    if told["changed"]:
        show_impact(paper, told)
    else:
        paper.line(f"none of {plural(told['rows'], 'example')}")
    if found["lines"] is not None:
        paper.head("Your lines")
        show_impact(paper, found["lines"])
    if found["problems"]:
        paper.head(f"{plural(len(found['problems']), 'problem')} before it can be merged")
        for problem in found["problems"]:
            paper.item(problem)
        paper.line("tariff rules check --draft explains them.")


def _said(side: Mapping[str, Any]) -> str:
    if "problem" in side:
        return f"refused: {side['problem']['message']}" if side["problem"] else "refused"
    return f"{', '.join(side['headings']) or 'no heading'}, duty {side['duty'] or 'not told'}"
