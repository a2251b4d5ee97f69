"""An end is known with the act that made it: a duty must not stop, for who did not know yet, on a day that only a later act chose."""

from __future__ import annotations

from datetime import date

from tariff_engine.book import Book

# Safeguards are proclaimed year by year for a term (19 U.S.C. 2253(e)); a later act may extend them from the day on which they end anyway.
FOR_A_TERM = ("9903.45.",)


def test_no_duty_ends_on_a_day_that_only_a_later_act_made_its_end(book: Book) -> None:
    steps = [(node.program.program, node.id, step) for node in book.nodes.values() for step in node.provision.steps]
    first: dict[tuple[str, date], date] = {}  # when it was first known that something begins on a day
    for program, _, step in steps:
        known, key = book.published(step.by), (program, step.from_)
        first[key] = min(first.get(key, known), known)
    found = [
        f"{name}: {step.by} ends on {step.until}, where nothing begins but by an act published later"
        for program, name, step in steps
        if step.until and not step.withdrawn_by and not name.startswith(FOR_A_TERM)
        if step.add is not None or step.up_to is not None
        if first.get((program, step.until), date.min) > book.published(step.by)
    ]
    assert found == []
