"""What the refund view writes into files: its rows as CSV, and the claim files. No cell is a formula, and no file is written over."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import ProblemError, refuse
from tariff_service.refund_columns import safe_cell

if TYPE_CHECKING:
    from tariff_engine.refund_law import ClaimFile

_LINE = ("id", "entry_number", "hts", "origin", "entry_date", "value", "status")
_AMOUNTS = ("filed", "stated", "paid", "today", "without", "difference")
_COLUMNS = ("rows", *_LINE, "heading", "program", "stripped", *_AMOUNTS, "revived", "problem")
Data = Mapping[str, Any]


def rows_csv(report: Data) -> str:
    """Return the view as CSV, a row a heading of a line, and a row a refused line: differences sum to the low refund, with `revived` to the high."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows(_rows(report))
    return text.getvalue()


def _rows(report: Data) -> Iterator[list[str]]:
    for line in report["lines"]:
        head = [" ".join(map(str, line["rows"])), *(safe_cell(line[name]) for name in _LINE)]
        revived = {row["heading"]: row["duty"] for row in line["revived"]}
        for row in line["headings"]:
            amounts = ["" if row.get(name) is None else row[name] for name in _AMOUNTS]  # our own numbers: a minus is a minus
            stripped = "yes" if row["stripped"] else "no"
            yield [*head, safe_cell(row["heading"]), safe_cell(row["program"]), stripped, *amounts, revived.get(row["heading"], ""), ""]
    for problem in report["problems"]:
        head = [" ".join(map(str, problem["rows"])), safe_cell(problem["id"])]
        words = safe_cell(f"{problem['code']}: {problem['field']}: {problem['message']}")
        yield [*head, *[""] * (len(_COLUMNS) - len(head) - 1), words]


def write_text(path: Path, text: str) -> None:
    """Write a new file of text. Raises ProblemError: there is one of that name, or it cannot be written."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a new file. Raises ProblemError as `write_text` does."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise _there_is(path) from None
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: Exception) -> ProblemError:
    reason = getattr(error, "strerror", None) or error
    return refuse("file_unwritable", "file", f"{path} cannot be written: {reason}", "name a file in a folder that you may write to")


def refuse_old_files(out: Path | None, folder: Path | None, file: ClaimFile | None) -> None:
    """Say before the work what could not be written after it. Raises ProblemError: a file is there already, or the action has no claim file."""
    if folder is not None and file is None:
        raise refuse("no_claim_file", "--cape", "the process of the action takes no file", "leave --cape out")
    if out is not None and os.path.lexists(out):
        raise _there_is(out)
    if folder is not None and file is not None:
        _refuse_old_claims(folder, file)


def _there_is(path: Path) -> ProblemError:
    return refuse("file_exists", "file", f"there is already a file {path}", "name another, or move it away")


def _refuse_old_claims(folder: Path, file: ClaimFile) -> None:
    try:
        old = sorted(path.name for path in folder.glob(f"{file.name}-*.csv"))
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from None
    if old:
        raise refuse("file_exists", "--cape", f"{folder} holds {old[0]} already", "name an empty folder")


def write_claim_files(folder: Path, file: ClaimFile, claim: Data) -> list[str]:
    """Write the claim files into a folder, at most so many numbers in each, and beside them what stayed out. Return the paths.

    Raises ProblemError where the folder holds claim files already: an old one must not be filed with the new ones.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from None
    _refuse_old_claims(folder, file)
    numbers: list[str] = claim["entries"]
    written: list[str] = []
    for part, start in enumerate(range(0, len(numbers), file.most), 1):
        path = folder / f"{file.name}-{part:03}.csv"
        shown = (number if file.number == "dashed" else number.replace("-", "") for number in numbers[start : start + file.most])
        write_text(path, "".join(f"{cell}\r\n" for cell in (file.column, *shown)))
        written.append(str(path))
    if claim["apart"]:
        path = folder / f"{file.name}-apart-do-not-upload.csv"
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([file.column, "Reason", "Why"])
        for entry in claim["apart"]:
            writer.writerows(
                [safe_cell(entry["entry_number"]), safe_cell(why["reason"]), safe_cell(why["says"])] for why in entry["reasons"]
            )
        write_text(path, text.getvalue())
        written.append(str(path))
    return written
