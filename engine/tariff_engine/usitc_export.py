"""Read an edition of the schedule as the United States International Trade Commission exports it, JSON or CSV, into a table of rates.

An export prints a row for every line of the schedule, headings and plain text among them. A row lies under the nearest row above it with a
smaller indent; a number that prints no rate bears those of the nearest row above it in that sense that prints any. What a number is called
is read the same way: its own words, after those of the rows without a number above it, after those of the shorter code.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tariff_engine.dated_table import Row
from tariff_engine.problems import ProblemError, refuse
from tariff_engine.rates import parse_rate
from tariff_engine.tariff_line import parse_special

_KEPT = (8, 10)  # digits of the numbers that a table holds
_LAST_CHAPTER: Final = 97
_NAMES: Final = {
    "htsno": ("htsno", "hts number"),
    "indent": ("indent",),
    "units": ("units", "unit of quantity"),
    "general": ("general", "general rate of duty"),
    "special": ("special", "special rate of duty"),
    "other": ("other", "column 2 rate of duty"),
}
_CALLED: Final = ("description", "brief description")  # not asked for: an export without it makes a table without descriptions
_NAMED: Final = (4, 6, 8, 10)  # digits of the codes whose descriptions are kept
_LONGEST: Final = 2_000  # characters of a description; the longest that is printed has some 1,500
_TAG = re.compile(r"<[^<>]{1,80}>")
_FOOTNOTE = re.compile(r"(?<=[\s%)a-zA-Z])[1-9]/\Z")
_FIELD = "FILE"
_FIX = "export the whole schedule again from the official site, as JSON or CSV"


@dataclass(frozen=True, slots=True)
class Export:
    """A table of rates made from an export: rows by code of 8 or 10 digits, and texts of rates that the language of rates does not know.

    `unread` are (code, column, text): such a number is refused when it is asked for, the others are not touched by it. `descriptions` are
    by code of 4, 6, 8 or 10 digits, each without the words of the shorter codes above it; empty where the export prints none.
    """

    rows: dict[str, Row]
    unread: tuple[tuple[str, str, str], ...]
    descriptions: dict[str, str] = field(default_factory=dict)

    @property
    def chapters(self) -> frozenset[str]:
        """The chapters that have numbers."""
        return frozenset(code[:2] for code in self.rows)


@dataclass(slots=True)
class _Above:
    """A row on the way down to the present one."""

    indent: int
    code: str
    rates: tuple[str, str, str]
    says: str


def read_export(text: str) -> Export:
    """Return the table of chapters 1-97 that an export prints. Raises ProblemError `export_not_understood`."""
    stripped = text.lstrip("\ufeff \t\r\n")
    records = _json_rows(stripped) if stripped.startswith(("[", "{")) else _csv_rows(stripped)
    rows: dict[str, Row] = {}
    called: dict[str, str] = {}
    above: list[_Above] = []
    for place, record in records:
        code = re.sub(r"\D", "", record["htsno"]) if re.fullmatch(r"[\d.\s]*", record["htsno"], re.ASCII) else "?"
        if not record["indent"].isdecimal() or code == "?":
            found = f"{record['htsno'][:20]!r}, indent {record['indent'][:20]!r}"
            raise _not_understood(f"row {place} is no line of the schedule: {found}")
        indent, rates = int(record["indent"]), (record["general"], record["special"], record["other"])
        while above and above[-1].indent >= indent:
            above.pop()
        if len(code) in _KEPT and int(code[:2]) <= _LAST_CHAPTER:
            if code in rows:
                raise _not_understood(f"row {place}: {record['htsno']} stands twice")
            rows[code] = (record["units"], *_own(code, rates, above))
        above.append(_Above(indent, code, rates, record["description"]))
        if len(code) in _NAMED and int(code[:2]) <= _LAST_CHAPTER and record["description"]:
            called[code] = _called(above)
    if not rows:
        raise _not_understood("it holds no number of chapters 1-97")
    return Export(dict(sorted(rows.items())), tuple(_unread(rows)), dict(sorted(called.items())))


def _called(way: list[_Above]) -> str:
    """Return the words of the last row on a way, after those of the rows between it and the nearest shorter code."""
    code, parts = way[-1].code, [way[-1].says]
    for row in reversed(way[:-1]):
        if row.code and code.startswith(row.code):
            break
        if not row.code and row.says:
            parts.append(row.says)
    return " ".join(part if part.endswith((":", ".", ";")) else f"{part}:" for part in reversed(parts)).rstrip(":")[:_LONGEST]


def _own(code: str, rates: tuple[str, str, str], above: list[_Above]) -> tuple[str, str, str]:
    """Return the rates that the table prints at a number: its own; none where a shorter code of the table prints them; else those above it."""
    if any(rates):
        return rates
    bearer = next((row for row in reversed(above) if any(row.rates)), None)
    if bearer is None or (len(bearer.code) in _KEPT and code.startswith(bearer.code)):
        return rates
    return bearer.rates


def _unread(rows: Mapping[str, Row]) -> Iterator[tuple[str, str, str]]:
    known: dict[tuple[str, str], bool] = {}
    for code, (_, general, special, column2) in rows.items():
        for column, text in (("general", general), ("special", special), ("column 2", column2)):
            if text and not known.setdefault((column, text), _parses(column, text)):
                yield code, column, text


def _parses(column: str, text: str) -> bool:
    try:
        if column == "special":
            parse_special(text)
        else:
            parse_rate(text)
    except ProblemError:
        return False
    return True


# ---------------------------------------------------------------- the two forms
def _json_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _not_understood(f"it begins as JSON and is none: {str(error)[:80]}") from None
    if isinstance(document, dict):  # some of the site's answers wrap the list
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else None
    if not isinstance(document, list) or not document or not all(isinstance(row, dict) for row in document):
        raise _not_understood("a JSON export is a list of rows with htsno, indent, units, general, special and other")
    _demand(document[0])
    for place, row in enumerate(document, 1):
        yield place, _record({str(key).casefold(): value for key, value in row.items()})


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip().casefold() for name in next(reader, [])]
        _demand(header)
        for cells in reader:
            if any(cells):
                if len(cells) != len(header):
                    raise _not_understood(f"line {reader.line_num} has {len(cells)} cells where the header names {len(header)}")
                yield reader.line_num, _record(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise _not_understood(f"line {reader.line_num} is no CSV: {error}") from None


def _demand(names: Iterable[str]) -> None:
    """Refuse a file without the columns that make a table."""
    have = {str(name).casefold() for name in names}
    missing = [spellings[-1] for spellings in _NAMES.values() if not have.intersection(spellings)]
    if missing:
        raise _not_understood(f"it lacks {', '.join(missing)}")


def _record(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells that matter as plain text, whatever the form calls them."""
    found = {}
    for name, spellings in _NAMES.items():
        value = next((raw[spelling] for spelling in spellings if raw.get(spelling) is not None), "")
        found[name] = _units(value) if name == "units" else _plain(value)
    found["description"] = _plain(next((raw[spelling] for spelling in _CALLED if raw.get(spelling) is not None), ""))
    for name in ("general", "special", "other"):
        found[name] = _FOOTNOTE.sub("", found[name].strip()).strip()
    return found


def _units(value: Any) -> str:
    """Return units parted by ";": the forms give a list, a list written as text, or words parted by commas."""
    names: Any = value
    if isinstance(value, str):
        try:
            names = json.loads(value) if value.startswith("[") else value.split(",")
        except json.JSONDecodeError:
            names = value.strip("[]").split(",")
    return ";".join(filter(None, (_plain(name).strip("\"' ") for name in names))) if isinstance(names, list) else _plain(names)


def _plain(value: Any) -> str:
    """Return a cell without marks of the page and with single blanks."""
    if value is None or isinstance(value, (list, dict)):
        return ""
    return " ".join(html.unescape(_TAG.sub(" ", str(value))).split())


def _not_understood(message: str) -> ProblemError:
    return refuse("export_not_understood", _FIELD, f"the export is not understood: {message}", _FIX)
