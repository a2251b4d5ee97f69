"""An official text of chapter 99 beside the book: headings that are new, gone or changed in rate or days, and not yet so in the book."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from tariff_engine.coverage import coverage
from tariff_engine.money import percent_text
from tariff_engine.notation.check_places import inside

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.coverage import Covered
    from tariff_engine.notation.tables import Row
    from tariff_engine.printed_text import Printed, PrintedText

Data = dict[str, Any]
_EDITION: Final = re.compile(r"(\d{4}) rev\. (\d+)")
_RATE_CELLS: Final = ("rate", "transit_rate")
_DAY_CELLS: Final = ("loaded_before", "entered_before")
_HEADING_CELLS: Final = ("heading", "at_floor", "transit_heading")
_SUBCHAPTER: Final = 4  # letters of a heading that tell its subchapter
_FAMILY: Final = 7  # letters of a heading that those of one subject share: 9903.45


def beside_text(book: Book, text: PrintedText) -> Data:
    """Return what a text prints that the book does not say, and what the book says is printed that the text lacks.

    A heading is gone only where the text prints others of its family, and where the book knows it from no later edition than the text.
    """
    known = {one.heading: one for one in coverage(book)}
    scope = {heading[:_SUBCHAPTER] for heading in known}  # what the book accounts for; other subchapters are not its own
    text = replace(text, headings={heading: one for heading, one in text.headings.items() if heading[:_SUBCHAPTER] in scope})
    families = {heading[:_FAMILY] for heading, one in text.headings.items() if one.row}
    strange = [one for heading, one in sorted(text.headings.items()) if not _accounted(known.get(heading))]
    table = any(one.row for one in text.headings.values())
    new = [one for one in strange if one.row or not table]  # a note alone, without the table, names what it makes
    later = [one for one in known.values() if one.printed_in and one.heading not in text.headings and _later(one.printed_in, text.edition)]
    gone = [
        one
        for one in known.values()
        if one.printed_in and one.heading not in text.headings and one.heading[:_FAMILY] in families and one not in later
    ]
    law = _Law(book)
    rows = [one for _, one in sorted(text.headings.items()) if one.row]
    beside = zip([None, *rows], rows, [*rows[1:], None], strict=False)
    changed = [
        difference
        for before, one, after in beside
        if one.heading in known and known[one.heading].programs
        for difference in law.differences(one, [] if text.export else [other for other in (before, after) if other is not None])
    ]
    return {
        "edition": f"HTS {text.edition[0]} rev. {text.edition[1]}" if text.edition else None,
        "form": "export" if text.export else "text",
        "counts": {
            "printed": len([one for one in text.headings.values() if one.row]),
            "named": len(text.headings),
            "new": len(new),
            "named_only": len(strange) - len(new),
            "gone": len(gone),
            "changed": len({one["heading"] for one in changed}),
            "later": len(later),
        },
        "new": [_printed(one) for one in new],
        "named_only": [one.heading for one in strange if one not in new],
        "gone": [{"heading": one.heading, "printed_in": one.printed_in, "programs": list(one.programs)} for one in gone],
        "changed": changed,
    }


def _accounted(one: Covered | None) -> bool:
    return one is not None and bool(one.programs or one.reason)


def _later(printed_in: str, edition: tuple[int, int] | None) -> bool:
    found = _EDITION.search(printed_in)
    return found is not None and edition is not None and (int(found[1]), int(found[2])) > edition


def _printed(one: Printed) -> Data:
    return {
        "heading": one.heading,
        "in_table": one.row,
        "rates": sorted(map(percent_text, one.rates)),
        "days": sorted(day.isoformat() for day in one.days),
        "text": one.text,
    }


class _Law:
    """What the book says of each heading: its rates and its days, whatever step or row they stand in."""

    def __init__(self, book: Book) -> None:
        self._rates: dict[str, set[Fraction]] = {}
        self._days: dict[str, set[date]] = {}
        for node in book.nodes.values():
            self._node(book, node)

    def _node(self, book: Book, node: Node) -> None:
        steps = [*node.provision.steps, *([node.program.ended] if node.program.ended else [])]
        days = {value for _, model in inside(node.provision) for value in vars(model).values() if isinstance(value, date)}
        days |= {day for step in steps for day in (step.from_, step.until) if day}
        days |= {day for unless in node.provision.unless for ref in unless.any for day in _of(book, ref)}
        self._add(node.heading, {step.rate or Fraction(0) for step in node.provision.steps if not step.table}, days)
        acts = [book.instruments[name] for step in steps for name in (step.by, step.withdrawn_by) if name]
        days |= {day for act in acts for day in (act.signed, act.published)}
        self._add(node.heading, set(), days)
        for step in node.provision.steps:
            self._add(step.at_floor or "", {Fraction(0), step.rate or Fraction(0)}, days)
            self._add(step.companion.heading if step.companion else "", {Fraction(0)}, days)
        for ref in node.provision.table or ():
            for row in book.tables[ref].rows:
                for column in _HEADING_CELLS:
                    self._add(
                        row[column], {_rate(row[cell]) for cell in _RATE_CELLS if row[cell]} | {Fraction(0)}, {*days, *_row_days(row)}
                    )

    def _add(self, heading: str, rates: set[Fraction], days: set[date]) -> None:
        if heading:
            self._rates.setdefault(heading, set()).update(rates)
            self._days.setdefault(heading, set()).update(days)

    def differences(self, printed: Printed, beside: Sequence[Printed]) -> Iterator[Data]:
        """Yield what a row prints and the book does not say: a rate that no step of the heading has, a day that none names.

        `beside` are the rows above and below in a text of columns, which often slip by a row: a rate of theirs counts as theirs where the
        heading's own rate stands with them.
        """
        rates, days = self._rates.get(printed.heading, set()), self._days.get(printed.heading, set())
        strange = printed.rates - rates
        theirs = {rate for one in beside for rate in self._rates.get(one.heading, ())}
        own = rates - {Fraction(0)}
        if strange <= theirs and (not own or own & {rate for one in (printed, *beside) for rate in one.rates}):
            strange = set()
        if strange:
            told = [sorted(map(percent_text, found)) for found in (strange, own)]
            yield {"heading": printed.heading, "what": "rate", "text": told[0], "book": told[1], "says": printed.text}
        near = {day + timedelta(days=shift) for day in days for shift in (-1, 0, 1)}  # "through" a day is before the next
        unknown = sorted(day for day in printed.days if day not in near)
        if unknown:
            told = [[day.isoformat() for day in unknown], sorted(day.isoformat() for day in days)]
            yield {"heading": printed.heading, "what": "days", "text": told[0], "book": told[1], "says": printed.text}


def _of(book: Book, ref: str) -> set[date]:
    return {
        value
        for name in book.refs.get(ref, ())
        for _, model in inside(book.nodes[name].provision.when)
        for value in vars(model).values()
        if isinstance(value, date)
    }


def _rate(cell: str) -> Fraction:
    return Fraction(Decimal(cell.rstrip("%"))) / 100


def _row_days(row: Row) -> Iterator[date]:
    for day in (row.from_, row.until):
        if day not in {date.min, date.max}:
            yield day
    for column in _DAY_CELLS:
        if row[column]:
            yield date.fromisoformat(row[column])
