"""The coverage map as a person reads it: spans of headings, the program that holds them, or the reason why none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tariff_service.covering import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tariff_service.paper import Paper


def show_coverage(paper: Paper, found: Mapping[str, Any]) -> None:
    """Write the map."""
    held = [span for span in found["spans"] if span["programs"]]
    if held:
        paper.title("In the book")
        paper.table((("Headings", "left"), ("Count", "right"), ("Program", "left")), [_held(span) for span in held], wraps=2)
    paper.title("Not in the book")
    rows = [(span["headings"], str(span["count"]), _why(span)) for span in found["spans"] if not span["programs"]]
    paper.table((("Headings", "left"), ("Count", "right"), ("Why not", "left")), rows, wraps=2)
    counts = found["counts"]
    words = f"{counts['headings']:,} headings: {counts['modelled']:,} in the book, {counts['not_modelled']:,} not, each with its reason"
    paper.line(f"{words}; {counts['unaccounted']:,} unaccounted for.", indent=0)


def _held(span: Mapping[str, Any]) -> tuple[str, str, str]:
    return span["headings"], str(span["count"]), ", ".join(span["programs"])


def _why(span: Mapping[str, Any]) -> str:
    if not span["reason"]:
        return "unaccounted for: nobody has said why"
    return f"{REASONS[span['reason']]}. {span['because']} ({'; '.join(span['cite'])})"
