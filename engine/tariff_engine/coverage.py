"""Which headings of chapter 99 the book holds, and why it does not hold the others.

`chapter99.csv` names every heading that the official text prints, and the edition in which it was read; `coverage.yaml` says of those that no
program holds why that is. Together they leave none out: the check of the rules sees to it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tariff_engine.notation.model import CoverageFile
from tariff_engine.notation.wording import defects
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.problems import RulebookError

if TYPE_CHECKING:
    from tariff_engine.book import Book

PRINTED = "chapter99.csv"
REASONS = "coverage.yaml"
_ROW_HEADINGS = ("heading", "at_floor", "transit_heading")


@dataclass(frozen=True, slots=True)
class Covered:
    """One heading of chapter 99: the programs that hold it, or the reason why none does. Neither: it is a gap."""

    heading: str
    printed_in: str  # the edition of the schedule in which it was read; empty: only the book names it, as of an earlier or later edition
    programs: tuple[str, ...]
    reason: str = ""
    because: str = ""
    cite: tuple[str, ...] = ()


def coverage(book: Book) -> tuple[Covered, ...]:
    """Return every heading that the official text prints or the book holds, in order. Raises RulebookError where a file is not readable."""
    in_programs, names = held(book), printed(book)
    why: dict[str, dict[str, Any]] = {}
    for item in reasons(book).not_modelled:
        for span in item.headings:
            for heading in within(span, names):
                why.setdefault(heading, {"reason": item.reason, "because": item.because, "cite": tuple(item.cite)})
    return tuple(
        Covered(heading, names.get(heading, ""), tuple(sorted(in_programs[heading])))
        if heading in in_programs
        else Covered(heading, names[heading], (), **why.get(heading, {}))
        for heading in sorted(names.keys() | in_programs.keys())
    )


def printed(book: Book) -> dict[str, str]:
    """Return the headings that the official text prints, each with the edition in which it was read. Raises RulebookError."""
    rows = csv.DictReader(io.StringIO(book.files.get(PRINTED, ""), newline=""), strict=True)
    try:
        return {row["heading"]: row["printed_in"] for row in rows}
    except (csv.Error, KeyError) as error:
        message = f"{PRINTED}:{rows.line_num}: row: name the columns heading and printed_in, and give both ({error})"
        raise RulebookError(message) from None


def reasons(book: Book) -> CoverageFile:
    """Return coverage.yaml as its type; a book without it gives no reason. Raises RulebookError."""
    if REASONS not in book.files:
        return CoverageFile(not_modelled=[])
    document = read_document(REASONS, book.files[REASONS])
    try:
        return CoverageFile.model_validate(document.value)
    except ValidationError as error:
        raise RulebookError("\n".join(defects(REASONS, document, CoverageFile, error))) from None


def within(span: str, names: dict[str, str]) -> list[str]:
    """Return the printed headings of a span such as 9903.17.01..9903.17.33, or the one heading."""
    first, _, last = span.partition("..")
    return [heading for heading in names if first <= heading <= (last or first)]


def held(book: Book) -> dict[str, set[str]]:
    """Return the programs that hold each heading: as a provision, a twin at the floor, a companion on the other line, or a row of a table."""
    found: dict[str, set[str]] = {}
    for node in book.nodes.values():
        names = {node.heading}
        for step in node.provision.steps:
            names |= {step.at_floor or "", step.companion.heading if step.companion else ""}
        for table in node.provision.table or ():
            names |= {row[column] for row in book.tables[table].rows for column in _ROW_HEADINGS}
        for name in names - {""}:
            found.setdefault(name, set()).add(node.program.program)
    return found
