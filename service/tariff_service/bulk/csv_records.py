"""Records of a CSV text, strictly: quotes stand where a cell begins and ends. One that breaks the rules costs one line, never the rest."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tariff_engine.problems import Problem

MOST_LINES = 200  # of one record: cells may hold line ends, but not a file
MOST_LETTERS = 100_000  # of one record
_WIDE = 2_000


@dataclass(frozen=True, slots=True)
class Record:
    """A record: the place of its first line, how many lines it has, and its cells, or why there are none."""

    line: int
    lines: int
    cells: list[str]
    problem: Problem | None = None


def records(lines: Sequence[str], delimiter: str, width: int | None = None) -> Iterator[Record]:
    """Yield the records of lines that keep their line ends.

    A quote that nobody closes within the bounds, or that closes in the middle of a cell, costs its own line: reading goes on with the next one.
    So does a record over several lines that has another number of cells than `width`: its quote belonged to no cell.
    """
    at = 0
    while at < len(lines):
        line = lines[at]
        if '"' not in line and "\r" not in line.rstrip("\r\n"):
            yield Record(at, 1, line.rstrip("\r\n").split(delimiter) if line.rstrip("\r\n") else [])
            at += 1
            continue
        record = _quoted(lines, at, delimiter, width)
        yield record
        at += record.lines


def _quoted(lines: Sequence[str], at: int, delimiter: str, width: int | None) -> Record:
    reader = csv.reader(_bounded(lines, at), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        return _broken(lines, at, unclosed="end of data" in str(error) or reader.line_num > 1, words=str(error))
    if reader.line_num > 1 and width is not None and len(cells) != width:
        return _broken(lines, at, unclosed=True, words="")
    return Record(at, reader.line_num, cells)


def _bounded(lines: Sequence[str], at: int) -> Iterator[str]:
    room = MOST_LETTERS
    for line in islice(lines, at, at + MOST_LINES):
        room -= len(line)
        if room < 0:
            return
        yield line


def _broken(lines: Sequence[str], at: int, *, unclosed: bool, words: str) -> Record:
    if unclosed:
        message = "a quote opens in this line, and none closes the cell"
        problem = Problem("unclosed_quote", "row", message, "mend the quotes in this line; the lines after it were read")
    else:
        problem = Problem("malformed_csv", "row", f"the line is no CSV: {words}", "mend the quotes in this line")
    return Record(at, 1, [lines[at].rstrip("\r\n")[:_WIDE]], problem)
