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


def show_text(paper: Paper, found: Mapping[str, Any]) -> None:
    """Write what a text prints beside the book."""
    counts = found["counts"]
    paper.title(f"The {found['form']}, {found['edition'] or 'of an edition that it does not name'}", "beside the law book")
    paper.line(f"{counts['printed']:,} headings in its table, {counts['named']:,} named in all.", indent=0)
    for one in found["new"]:
        rates, days = ", ".join(one["rates"]), ", ".join(one["days"])
        more = "; ".join(filter(None, (f"rates {rates}" if rates else "", f"days {days}" if days else "", one["text"])))
        paper.item(f"{one['heading']} is new: neither a program nor coverage.yaml holds it" + (f" ({more})" if more else ""))
    for one in found["gone"]:
        paper.item(f"{one['heading']} is gone: the book has it from {one['printed_in']} ({', '.join(one['programs']) or 'not modelled'})")
    for one in found["changed"]:
        prints, says = ", ".join(one["text"]), ", ".join(one["book"]) or "none"
        paper.item(
            f"{one['heading']}: its {'rate' if one['what'] == 'rate' else 'days'} {prints} in the text; in the book {says}. {one['says'][:160]}"
        )
    if found["named_only"]:
        paper.line(f"Named in notes only, in no table and not in the book: {', '.join(found['named_only'])}.")
    if counts["later"]:
        paper.line(f"{counts['later']:,} headings of the book are of a later edition than this text.")
    if not any(found[name] for name in ("new", "gone", "changed")):
        paper.line("The book says all that it prints.")
