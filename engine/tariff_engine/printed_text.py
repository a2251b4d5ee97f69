"""The headings that an official text of chapter 99 prints, with the rates and the days that stand beside each: a text of the PDF, or an export.

A row of the text begins with its heading at the left margin and goes on to the next row. Notes name headings too; a heading that is only
named has no rates. Texts are in UTF-8 or ISO-8859-1, of any size up to `MAX_TEXT`, and nothing in them is ever taken for more than words.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from tariff_engine.problems import ProblemError, refuse

MAX_TEXT: Final = 40_000_000  # bytes; the whole chapter as text is a tenth of it
_HEADING: Final = r"99\d{2}\.\d{2}\.\d{2}"
_ROW: Final = re.compile(rf"[ \t]{{0,12}}({_HEADING})(?: +\d{{1,2}}/ | {{2,}}(?=[A-Z\[])|\t+| *$)(.*)\Z")
_NAMED: Final = re.compile(rf"(?<![\d.])({_HEADING})(?![\d.])")
_PERCENT: Final = re.compile(r"(?<![\d.])(\d{1,4}(?:\.\d{1,4})?) ?%")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAY: Final = re.compile(rf"({'|'.join(_MONTHS)})\s{{1,40}}(\d{{1,2}}),\s{{1,40}}(\d{{4}})")
_EDITION: Final = re.compile(r"[Rr]ev(?:ision|\.)? (\d{1,3}),? \(?((?:20)\d{2})\)?|\b(20\d{2}) [Rr]ev(?:ision|\.)? (\d{1,3})\b")
_FURNITURE: Final = re.compile(
    r"Harmonized Tariff Schedule of the United States|Annotated for Statistical|Rates of Duty|^\s*\d+/ See |^\s*XXII\s*$"
)
_LONGEST: Final = 400  # lines of one row; a longer one has run into a note
_NUMBERS: Final = ("htsno", "hts number")
_SHOWN: Final = 300
_COLUMNS: Final = 60  # blanks before a line that belongs to the columns alone


@dataclass(slots=True)
class Printed:
    """A heading as a text prints it. `row`: it stands in the table, not in a note alone; `days` are those that its row names."""

    heading: str
    row: bool = False
    rates: set[Fraction] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    text: str = ""


@dataclass(frozen=True, slots=True)
class PrintedText:
    """What a text prints: its headings by their numbers, and the edition that it says it is of (year and revision), if it does."""

    headings: dict[str, Printed]
    edition: tuple[int, int] | None
    export: bool = False


def read_printed(data: bytes) -> PrintedText:
    """Read an official text or an export. Raises ProblemError `text_not_understood`: too large, binary, or no heading of chapter 99 in it."""
    if len(data) > MAX_TEXT:
        raise _wrong(f"it is larger than {MAX_TEXT:,} bytes", "send the text of chapter 99 alone")
    if b"\0" in data or data.startswith(b"%PDF"):
        raise _wrong(
            "it is a binary file", "save the PDF as text, for example with pdftotext -layout, or export the schedule as CSV or JSON"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("iso-8859-1")
    records = _records(text)
    headings = _of_table(records) if records is not None else _of_text(text)
    if not headings:
        raise _wrong("no heading of chapter 99 stands in it", "send the text of chapter 99, or an export that holds it")
    return PrintedText(headings, _edition(text), export=records is not None)


def _wrong(message: str, fix: str) -> ProblemError:
    return refuse("text_not_understood", "TEXT", message, fix)


def _edition(text: str) -> tuple[int, int] | None:
    found = _EDITION.search(text[:20_000])
    if found is None:
        return None
    return (int(found[2]), int(found[1])) if found[1] else (int(found[3]), int(found[4]))


# ---------------------------------------------------------------- text
def _of_text(text: str) -> dict[str, Printed]:
    found: dict[str, Printed] = {}
    current: list[str] = []
    heading = ""
    for line in text.splitlines():
        for name in _NAMED.findall(line):
            found.setdefault(name, Printed(name))
        match = _ROW.match(line)
        if match is not None:
            _close(found, heading, current)
            heading, current = match[1], [match[2]]
        elif heading and len(current) < _LONGEST and not _FURNITURE.search(line):
            if re.match(r"\s*[A-Z]\. |\s*U\.S\. Note|\s*Compiler's Note", line):
                _close(found, heading, current)
                heading, current = "", []
            else:
                current.append(line)
    _close(found, heading, current)
    return found


def _close(found: dict[str, Printed], heading: str, lines: list[str]) -> None:
    if heading:
        _fill(found.setdefault(heading, Printed(heading)), " ".join(map(_left, lines)), "\n".join(lines))


def _left(line: str) -> str:
    """Return what a line holds of the description: what stands left of the columns of units and rates."""
    words = line.lstrip()
    return re.split(r" {4,}", words, maxsplit=1)[0] if len(line) - len(words) < _COLUMNS else ""


def _fill(printed: Printed, description: str, rates: str) -> None:
    printed.row = True
    printed.rates |= {Fraction(Decimal(number)) / 100 for number in _PERCENT.findall(rates)}
    for month, day, year in _DAY.findall(description):
        try:
            printed.days.add(date(int(year), _MONTHS.index(month) + 1, int(day)))
        except ValueError:
            continue  # no day of the calendar
    printed.text = printed.text or re.sub(r"\.{3,}.*", "", re.sub(r"\s+", " ", description).strip())[:_SHOWN]


# ---------------------------------------------------------------- exports
def _records(text: str) -> Iterator[Mapping[str, Any]] | None:
    """Return the rows of an export, or None where the text is none."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        try:
            rows = json.loads(start)
        except (ValueError, RecursionError):
            raise _wrong("it begins as JSON and is none", "export the schedule again") from None
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return iter(rows)
        raise _wrong("it is JSON, and no list of rows", "export the schedule again")
    head = start.partition("\n")[0].lower()
    if not any(name in head for name in _NUMBERS) or "," not in head:
        return None
    try:
        return iter(list(csv.DictReader(io.StringIO(start, newline=""), strict=True)))
    except csv.Error as error:
        raise _wrong(f"it is no CSV: {error}", "export the schedule again") from None


def _of_table(records: Iterator[Mapping[str, Any]]) -> dict[str, Printed]:
    found: dict[str, Printed] = {}
    for record in records:
        row = {str(key).strip().lower(): "" if value is None else str(value) for key, value in record.items()}
        number = next((row[name] for name in _NUMBERS if row.get(name)), "").strip()
        match = re.match(rf"{_HEADING}(?=\.|\Z)", number)
        if match is not None:
            rates = " ".join(row.get(name, "") for name in ("general", "general rate of duty", "other", "column 2 rate of duty"))
            _fill(found.setdefault(match[0], Printed(match[0])), row.get("description", ""), rates)
    return found
