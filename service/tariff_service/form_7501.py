"""An entry summary as text that reads like CBP Form 7501: its blocks by their numbers, one row for each HTS number.

It is a view for people who check or key in an entry, no form to file: names, bonds, carriers and taxes are not in it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from tariff_service.entry_summary import CENTS, Number, Summary, SummaryLine
from tariff_service.output import clean

_WIDTHS = (5, 16, 16, 17, 16, 16, 16)
_ALIGN = "<<<>>>>"
_HEAD = (
    ("27", "28", "29A HTSUS no.", "31 Net quantity", "32A Entered", "33A HTSUS rate", "34 Duty"),
    ("Line", "Description", "29B AD/CVD no.", "in HTSUS units", "value", "33B AD/CVD rate", ""),
)
_WIDE = sum(_WIDTHS) + len(_WIDTHS) - 1
_UNKNOWN = "not known"


def form_7501(summary: Summary) -> str:
    """Return the view, lines ended by line feeds."""
    return "\n".join(line.rstrip() for line in _page(summary)) + "\n"


def _page(summary: Summary) -> Iterator[str]:
    facts = summary.facts
    origins = sorted({line.origin for line in summary.lines})
    yield "ENTRY SUMMARY in the blocks of CBP Form 7501 (a view; not for filing)"
    yield "=" * _WIDE
    yield _blocks(
        ("1 Entry no.", summary.entry_number or "-"),
        ("2 Entry type", summary.entry_type),
        ("7 Entry date", american(summary.entry_date)),
        ("9 Mode of transport", facts.get("mode", "-")),
    )
    yield _blocks(
        ("10 Country of origin", origins[0] if len(origins) == 1 else "MULTI"),
        ("14 Exporting country", facts.get("export_country", "-")),
        ("15 Export date", american(facts["export_date"]) if "export_date" in facts else "-"),
    )
    yield "-" * _WIDE
    for head in _HEAD:
        yield _row(head)
    yield "-" * _WIDE
    for line in summary.lines:
        yield from _line(line, several=len(origins) > 1)
        yield "-" * _WIDE
    yield from _totals(summary)
    for note in summary.notes:
        yield from textwrap.wrap(f"* {clean(note)}", _WIDE, subsequent_indent="  ", break_on_hyphens=False)


def _blocks(*blocks: tuple[str, str]) -> str:
    return "   ".join(f"{name}: {clean(value)}" for name, value in blocks)


def _line(line: SummaryLine, *, several: bool) -> Iterator[str]:
    goods = _goods(line)
    left = [
        f"{line.number:03d}",
        *filter(None, (f"O {line.origin}" if several else "", clean(line.spi))),
    ]  # in column 27, one below the other
    for place, number in enumerate(line.numbers):
        words = clean(line.id)[: _WIDTHS[1]] if place == 0 else ""
        quantity = ", ".join(f"{amount} {unit}" for unit, amount in line.quantity.items()) if number is goods else ""
        value = f"{number.value:,}" if number.value or number is goods else ""
        for row in _wrapped(
            (words, clean(number.number) or "(no number)", clean(quantity), value, clean(number.rate), _money(number.duty))
        ):
            yield _row((left.pop(0) if left else "", *row))
    for rest in left:
        yield _row((rest, *("",) * (len(_WIDTHS) - 1)))


def _wrapped(cells: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield a row whose long cells go on below."""
    pieces = [textwrap.wrap(cell, width, break_on_hyphens=False) for cell, width in zip(cells, _WIDTHS[1:], strict=True)]
    yield from zip_longest(*pieces, fillvalue="")


def _goods(line: SummaryLine) -> Number:
    """Return the number of chapters 1 to 97, the last one that is no case."""
    return next(number for number in reversed(line.numbers) if number.number and not number.case)


def _totals(summary: Summary) -> Iterator[str]:
    fees = sum(fee.amount for fee in summary.fees)
    for fee in summary.fees:
        yield _sum(f"39 Other: {fee.class_code} {fee.name}".replace("  ", " "), _money(fee.amount))
    yield _sum("35 Total entered value", f"{summary.value:,}")
    yield _sum("37 Duty", _money(summary.duty))
    yield _sum("38 Tax", "not computed")
    yield _sum("39 Other", _money(fees))
    yield _sum("40 Total, without tax", _money(None if summary.duty is None else summary.duty + fees))


def _sum(name: str, amount: str) -> str:
    return f"{name:>{_WIDE - 17}} {amount:>16}"


def _row(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:{align}{width}}" for cell, align, width in zip(cells, _ALIGN, _WIDTHS, strict=True))


def _money(amount: int | None) -> str:
    if amount is None:
        return _UNKNOWN
    return f"{'-' if amount < 0 else ''}{abs(amount) // CENTS:,}.{abs(amount) % CENTS:02d}"


def american(day: str) -> str:
    """Return a day as the form writes it, MM/DD/YYYY."""
    year, month, rest = day.split("-")
    return f"{month}/{rest}/{year}"
