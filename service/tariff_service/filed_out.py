"""The audit of filed entries as files: Excel, HTML, CSV and JSON. No cell is a formula, and no file is written over."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tariff_engine.problems import refuse
from tariff_service.output import encode
from tariff_service.refund_columns import safe_cell
from tariff_service.refund_out import write_bytes
from tariff_service.show_filed import STATES, words

SUFFIXES = (".xlsx", ".html", ".csv", ".json")
FINDING_COLUMNS = (
    *("Line ID", "Entry Number", "Rows", "HTS", "Origin", "Entry Date", "Value", "Finding", "Cause"),
    *("Filed Number", "Owed Number", "Program", "Filed", "Owed", "Difference", "At Stake", "Refund Low", "Refund High"),
    *("What", "Why", "Acts and Citations", "What to Do"),
)
LINE_COLUMNS = (
    *("Line ID", "Entry Number", "HTS", "Origin", "Entry Date", "Filed On", "Value", "Status", "Paid", "Owed When Filed", "Owed Today"),
    *("Overpaid", "Underpaid", "Filed Numbers", "Owed Numbers"),
)
WINDOW_COLUMNS = ("Entry Number", "Entry Date", "Overpaid", "Underpaid", "Window", "State", "Last Day", "Days Left", "Why", "Legal Basis")
Data = Mapping[str, Any]


def refuse_out(paths: Iterable[Path]) -> None:
    """Say before the work what could not be written after it. Raises ProblemError: an unknown kind of file, or one that is there already."""
    seen: set[Path] = set()
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise refuse("unknown_value", "--out", f"{path} is of no kind that is written", f"end the name with {', '.join(SUFFIXES)}")
        if os.path.lexists(path) or path in seen:
            raise refuse("file_exists", "file", f"there is already a file {path}", "name another, or move it away")
        if path.suffix.lower() == ".xlsx":
            from tariff_service.filed_workbook import need_openpyxl  # noqa: PLC0415  an extra

            need_openpyxl()
        seen.add(path)


def write_out(path: Path, report: Data) -> None:
    """Write the audit into a new file, in the form that its name asks for. Raises ProblemError."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        data = encode(report, indent=2)
    elif suffix == ".csv":
        data = findings_csv(report).encode()
    elif suffix == ".html":
        from tariff_service.filed_html import html  # noqa: PLC0415  only this needs templates

        data = html(report).encode()
    else:
        from tariff_service.filed_workbook import workbook  # noqa: PLC0415  an extra

        data = workbook(report)
    write_bytes(path, data)


def findings_csv(report: Data) -> str:
    """Return the findings as CSV, a row each; lines that match have one row too, and rows that were not read."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(FINDING_COLUMNS)
    writer.writerows([safe_cell(cell) if place not in _AMOUNTS else cell for place, cell in enumerate(row)] for row in finding_rows(report))
    return text.getvalue()


_AMOUNTS = frozenset(
    FINDING_COLUMNS.index(name) for name in ("Value", "Filed", "Owed", "Difference", "At Stake", "Refund Low", "Refund High")
)


def finding_rows(report: Data, *, matches: bool = True) -> Iterator[list[str]]:
    """Yield a row for each finding; for each line that matches, if they are wanted; and for each line that was not read."""
    for line in report["lines"]:
        head = [line["id"], line["entry_number"] or "", " ".join(map(str, line["rows"]))]
        head += [line["hts"], line["origin"], line["entry_date"], line["value"]]
        if not line["findings"] and matches:
            yield [*head, "match", "", "", "", "", line["paid"], line["owed_today"] or "", "0.00", *[""] * 7]
        for one in line["findings"]:
            refund = one.get("refund", {})
            yield [
                *head,
                words(one["type"]),
                words(one["cause"]),
                *(one[name] or "" for name in ("filed_number", "owed_number", "program", "filed", "owed", "difference")),
                one.get("at_stake") or "",
                refund.get("low", ""),
                refund.get("high", ""),
                one["says"],
                one["because"],
                "; ".join(dict.fromkeys([*one["cites"], *(f"{act['title']} ({act['cite']})" for act in one["instruments"])])),
                one["fix"],
            ]
    for one in report["problems"]:
        problem = one["problem"]
        head = [one["id"], one["entry_number"] or "", " ".join(map(str, one["rows"]))]
        yield [
            *head,
            *[""] * 4,
            "not read",
            problem["code"],
            *[""] * 9,
            f"{problem['field']}: {problem['message']}",
            "",
            "",
            problem["fix"],
        ]


def line_rows(report: Data) -> Iterator[list[str]]:
    """Yield a row for each line that was read."""
    for line in report["lines"]:
        kinds = ", ".join(dict.fromkeys(words(one["type"]) for one in line["findings"])) or "match"
        yield [
            *(line[name] or "" for name in ("id", "entry_number", "hts", "origin", "entry_date", "filed_on", "value")),
            kinds,
            *(line[name] or "" for name in ("paid", "owed_then", "owed_today", "overpaid", "underpaid")),
            *(", ".join(one["number"] for one in line[name]) for name in ("filed_numbers", "owed_numbers")),
        ]


def window_rows(report: Data) -> Iterator[list[str]]:
    """Yield a row for each window of each entry with findings."""
    for entry in report["entries"]:
        for window in entry["windows"]:
            yield [
                entry["entry_number"],
                entry["entry_date"] or "",
                entry["overpaid"],
                entry["underpaid"],
                window["title"],
                STATES[window["state"]],
                window["last_day"] or "",
                str(window.get("days_left", "")),
                window["because"],
                "; ".join(window["cites"]),
            ]
