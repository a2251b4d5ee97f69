"""The files of the schedule: the tables of the editions, and the successors of discontinued numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path

from tariff_engine.dated_table import DatedTable, Row
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.plain_table import PlainTable
from tariff_engine.problems import RulebookError
from tariff_engine.schedule import Edition, Schedule
from tariff_engine.succession import Table

_PLAIN = ["hts", "units", "general", "special", "column2"]
_DATED = ["hts", "from", "until", "units", "general", "special", "column2", "doubts"]
_SPECIALS = ["special", "text"]
_LINE = 8  # digits of the numbers of a dated table
_TEXTS = ("name", "cite", "file")


def load_schedule(folder: Traversable | Path) -> Schedule:
    """Read the tables of a folder: `editions.yaml`, the CSV files that it names, `discontinued.csv`.

    A file whose header names `from` and `until` is a dated table, which several editions may share; its special texts stand in a second
    file, `<name>_special.csv`, and its rows name them by key. Raises `RulebookError` where a file is malformed.
    """
    document = read_document("editions.yaml", rule_text(folder, "editions.yaml")).value
    try:
        found = [Edition(e["name"], e["from"], e["published"], e["cite"], e["file"]) for e in document["editions"]]
    except (KeyError, TypeError) as error:
        raise RulebookError(f"editions.yaml: each edition needs name, from, published, cite and file; missing or wrong: {error}") from None
    if not found or any(type(day) is not date for edition in found for day in (edition.starts, edition.published)):
        raise RulebookError("editions.yaml: editions: state at least one edition, its days as YYYY-MM-DD")
    if any(not isinstance(getattr(edition, name), str) for edition in found for name in _TEXTS):
        raise RulebookError("editions.yaml: editions: write name, cite and file as texts")
    editions = tuple(sorted(found, key=lambda edition: edition.starts))
    shared: dict[str, str] = {}
    tables: dict[str, Table] = {}
    for edition in editions:
        if edition.file not in tables:
            tables[edition.file] = _read(folder, edition.file, shared)
    return Schedule(editions, tuple(tables[edition.file] for edition in editions), _successors(rule_text(folder, "discontinued.csv")))


def _read(folder: Traversable | Path, name: str, shared: dict[str, str]) -> Table:
    rows = csv_rows(rule_text(folder, name), name)
    header = next(rows, (1, []))[1]
    if header == _PLAIN:
        return _plain(rows, name, shared)
    if header == _DATED:
        return _dated(rows, name, folder)
    raise RulebookError(f"{name}:1: {','.join(_PLAIN)}: state these columns, or those of a dated table: {','.join(_DATED)}")


def rule_text(folder: Traversable | Path, name: str) -> str:
    """Return the text of a file of a folder. Raises RulebookError where there is none, or it is not UTF-8."""
    try:
        return (folder / name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RulebookError(f"{name}: not UTF-8 text at byte {error.start}; save the file as UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise RulebookError(f"{name}: it cannot be read: {error}") from None


def csv_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV text with the line each ends on. Raises RulebookError where it is no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:
        raise RulebookError(f"{name}:{reader.line_num}: not CSV: {error}") from None


def is_code(text: str) -> bool:
    """Whether a text is digits as the schedule writes them."""
    return text.isascii() and text.isdigit()


def _plain(rows: Iterator[tuple[int, list[str]]], name: str, shared: dict[str, str]) -> PlainTable:
    """Read the table of one edition; equal texts become one object, so that the whole stays small in memory and in a pickle."""
    table: dict[str, Row] = {}
    same: dict[Row, Row] = {}
    for line, fields in rows:
        if len(fields) != len(_PLAIN) or not is_code(fields[0]) or fields[0] in table:
            raise RulebookError(f"{name}:{line}: five fields, the first a code of digits that stands once; found {str(fields)[:200]}")
        code, *texts = (shared.setdefault(text, text) for text in fields)
        row = (texts[0], texts[1], texts[2], texts[3])
        table[code] = same.setdefault(row, row)
    return PlainTable(table)


def _dated(rows: Iterator[tuple[int, list[str]]], name: str, folder: Traversable | Path) -> DatedTable:
    """Read a dated table: eight-digit codes, spans in order that do not overlap, special texts by key."""
    second = f"{name.removesuffix('.csv')}_special.csv"
    texts = csv_rows(rule_text(folder, second), second)
    if next(texts, (1, []))[1] != _SPECIALS:
        raise RulebookError(f"{second}:1: {','.join(_SPECIALS)}: state these columns")
    specials = {cells[0]: cells[1] for _, cells in texts if len(cells) == len(_SPECIALS)}
    spans: dict[str, list[str]] = {}
    code = until = ""
    for line, cells in rows:
        if len(cells) != len(_DATED) or len(cells[0]) != _LINE or not is_code(cells[0]) or any("\t" in cell for cell in cells):
            raise RulebookError(f"{name}:{line}: eight fields, the first a code of eight digits; found {str(cells)[:200]}")
        if not _is_day(cells[1]) or not (not cells[2] or (_is_day(cells[2]) and cells[1] < cells[2])):
            raise RulebookError(
                f"{name}:{line}: from and until are days as YYYY-MM-DD, the second after the first or blank; found {cells[1:3]}"
            )
        if cells[0] in spans and (cells[0] != code or not until or cells[1] < until):
            raise RulebookError(
                f"{name}:{line}: the spans of {cells[0]} stand together, in order, and do not overlap; found {str(cells)[:200]}"
            )
        if cells[5] and cells[5] not in specials:
            raise RulebookError(f"{name}:{line}: special is blank or a key of {second}; found {cells[5]}")
        code, until = cells[0], cells[2]
        spans.setdefault(code, []).append("\t".join(cells[1:]))
    return DatedTable({code: "\n".join(lines) for code, lines in spans.items()}, specials)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _successors(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    rows = csv_rows(text, "discontinued.csv")
    header = next(rows, (0, list[str]()))[1]
    if not {"hts", "successors"} <= set(header):
        raise RulebookError("discontinued.csv:1: hts,successors: state these columns")
    code, after = header.index("hts"), header.index("successors")
    for number, fields in rows:
        if len(fields) != len(header):
            raise RulebookError(f"discontinued.csv:{number}: {len(fields)} fields where the header names {len(header)} columns")
        found[fields[code]] = tuple(fields[after].split(";"))
    return found
