"""Every heading that the official text prints is held by a program, or coverage.yaml says why not; never both, never neither."""

from __future__ import annotations

from collections.abc import Iterator

from tariff_engine.coverage import PRINTED, REASONS, coverage, held, printed, reasons, within
from tariff_engine.notation.check_places import Places


def check_coverage(places: Places) -> Iterator[str]:
    """Yield what is not accounted for, or twice. A book without chapter99.csv claims nothing of the kind."""
    book = places.book
    if PRINTED not in book.files:
        return
    for found in coverage(book):
        if not found.programs and not found.reason:
            words = f"{found.heading} is printed in {found.printed_in} and no program holds it; model it, or say here why not"
            yield places.at(REASONS, ("not_modelled",), words)
    names, in_programs = printed(book), held(book)
    for place, item in enumerate(reasons(book).not_modelled):
        for spot, span in enumerate(item.headings):
            inside = within(span, names)
            taken = [heading for heading in inside if heading in in_programs]
            if not inside:
                yield places.at(REASONS, ("not_modelled", place, "headings", spot), f"{PRINTED} names no heading {span}; take it out")
            elif taken:
                yield places.at(REASONS, ("not_modelled", place, "headings", spot), f"a program holds {', '.join(taken)}; take it out here")
