"""The coverage map: every heading 9903 of the official text, in spans that share one answer, and the page of the documentation made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tariff_engine.coverage import Covered, coverage

if TYPE_CHECKING:
    from tariff_engine.book import Book

BEGIN, END = "<!-- coverage: begin -->\n", "<!-- coverage: end -->\n"
REASONS = {
    "quota_only": "a quantity, no duty of its own",
    "ended_before": "ended before the first day of the book",
    "suspended": "suspended by the schedule itself",
    "reduction": "lowers the base duty for a while",
    "bond": "under bond, nothing is collected",
    "by_reference": "the rate of another number",
    "to_come": "not yet in force",
    "doubtful": "whether it is collected is doubtful",
}


def coverage_map(book: Book) -> dict[str, Any]:
    """Return the headings in order, spans of those that share one answer, and the counts."""
    found = coverage(book)
    modelled = [one for one in found if one.programs]
    return {
        "counts": {
            "headings": len(found),
            "modelled": len(modelled),
            "not_modelled": len([one for one in found if one.reason]),
            "unaccounted": len([one for one in found if not one.programs and not one.reason]),
        },
        "spans": [_span(list(ones)) for _, ones in groupby(found, _answer)],
        "headings": [_plain(one) for one in found],
    }


def page(book: Book) -> str:
    """Return the made part of docs/coverage.md: what is held, what is not, in Markdown."""
    found = coverage_map(book)
    return BEGIN + "\n".join(_lines(found)) + "\n" + END


def _lines(found: dict[str, Any]) -> Iterator[str]:
    counts = found["counts"]
    yield f"{counts['headings']:,} headings: {counts['modelled']:,} in the book, {counts['not_modelled']:,} not, each with its reason."
    yield ""
    yield "| headings | program |"
    yield "| --- | --- |"
    yield from (f"| {span['headings']} | {', '.join(span['programs'])} |" for span in found["spans"] if span["programs"])
    yield ""
    yield "| headings not in the book | why | source |"
    yield "| --- | --- | --- |"
    for span in found["spans"]:
        if not span["programs"]:
            yield f"| {span['headings']} | {REASONS.get(span['reason'], 'unaccounted')}. {span['because']} | {'; '.join(span['cite'])} |"


def _answer(one: Covered) -> tuple[object, ...]:
    return one.programs, one.reason, one.because


def _span(ones: Sequence[Covered]) -> dict[str, Any]:
    first, last = ones[0], ones[-1]
    name = first.heading if first is last else f"{first.heading} to {last.heading}"
    return {
        "headings": name,
        "count": len(ones),
        **{key: value for key, value in _plain(first).items() if key not in {"heading", "printed_in"}},
    }


def _plain(one: Covered) -> dict[str, Any]:
    return {
        "heading": one.heading,
        "printed_in": one.printed_in or None,
        "programs": list(one.programs),
        "reason": one.reason or None,
        "because": one.because,
        "cite": list(one.cite),
    }
