"""The files of the schedule: the tables of the editions, and the successors of discontinued numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml

from tariff_engine.dated_table import DatedTable, Row
from tariff_engine.plain_table import PlainTable
from tariff_engine.problems import RulebookError
from tariff_engine.schedule import Edition, Schedule
from tariff_engine.succession import Table

_PLAIN = ["hts", "units", "general", "special", "column2"]
_DATED = ["hts", "from", "until", "units", "general", "special", "column2", "doubts"]
_TEXTS = ["special", "text"]
_LINE = 8  # digits of the numbers of a dated table


def load_schedule(folder: Traversable | Path) -> Schedule:
    """Read the tables of a folder: `editions.yaml`, the CSV files that it names, `discontinued.csv`.

    A file whose header names `from` and `until` is a dated table, which several editions may share; its special texts stand in a second
    file, `<name>_special.csv`, and its rows name them by key. Raises `RulebookError` where a file is malformed.
    """
    document = yaml.safe_load((folder / "editions.yaml").read_text(encoding="utf-8"))
    try:
        found = [Edition(e["name"], e["from"], e["published"], e["cite"], e["file"]) for e in document["editions"]]
    except (KeyError, TypeError) as error:
        raise RulebookError(f"editions.yaml: each edition needs name, from, published, cite and file; missing or wrong: {error}") from None
    if not found or any(type(day) is not date for edition in found for day in (edition.starts, edition.published)):
        raise RulebookError("editions.yaml: editions: state at least one edition, its days as YYYY-MM-DD")
    editions = tuple(sorted(found, key=lambda edition: edition.starts))
    shared: dict[str, str] = {}
    tables: dict[str, Table] = {}
    for edition in editions:
        if edition.file not in tables:
            tables[edition.file] = _read(folder, edition.file, shared)
    rows = csv.DictReader((folder / "discontinued.csv").read_text(encoding="utf-8").splitlines())
    successors = {row["hts"]: tuple(row["successors"].split(";")) for row in rows}
    return Schedule(editions, tuple(tables[edition.file] for edition in editions), successors)


def _read(folder: Traversable | Path, name: str, shared: dict[str, str]) -> Table:
    rows = _sheet(folder / name, name)
    header = next(rows, (1, []))[1]
    if header == _PLAIN:
        return _plain(rows, name, shared)
    if header == _DATED:
        return _dated(rows, name, folder)
    raise RulebookError(f"{name}:1: {','.join(_PLAIN)}: state these columns, or those of a dated table: {','.join(_DATED)}")


def _sheet(file: Traversable | Path, name: str) -> Iterator[tuple[int, list[str]]]:
    try:
        reader = csv.reader(file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise RulebookError(f"{name}:1: file: it cannot be read: {error.__class__.__name__}") from None
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise RulebookError(f"{name}:{reader.line_num}: not CSV: {error}") from None


def _plain(rows: Iterator[tuple[int, list[str]]], name: str, shared: dict[str, str]) -> PlainTable:
    """Read the table of one edition; equal texts become one object, so that the whole stays small in memory and in a pickle."""
    table: dict[str, Row] = {}
    same: dict[Row, Row] = {}
    for line, fields in rows:
        if len(fields) != len(_PLAIN) or not fields[0].isdigit() or fields[0] in table:
            raise RulebookError(f"{name}:{line}: five fields, the first a code of digits that stands once; found {fields}")
        code, *texts = (shared.setdefault(text, text) for text in fields)
        row = (texts[0], texts[1], texts[2], texts[3])
        table[code] = same.setdefault(row, row)
    return PlainTable(table)


def _dated(rows: Iterator[tuple[int, list[str]]], name: str, folder: Traversable | Path) -> DatedTable:
    """Read a dated table: eight-digit codes, spans in order that do not overlap, special texts by key."""
    second = f"{name.removesuffix('.csv')}_special.csv"
    texts = _sheet(folder / second, second)
    if next(texts, (1, []))[1] != _TEXTS:
        raise RulebookError(f"{second}:1: {','.join(_TEXTS)}: state these columns")
    specials = {cells[0]: cells[1] for _, cells in texts if len(cells) == len(_TEXTS)}
    spans: dict[str, list[str]] = {}
    code = until = ""
    for line, cells in rows:
        if len(cells) != len(_DATED) or len(cells[0]) != _LINE or not cells[0].isdigit() or any("\t" in cell for cell in cells):
            raise RulebookError(f"{name}:{line}: eight fields, the first a code of eight digits; found {cells}")
        if not _is_day(cells[1]) or not (not cells[2] or (_is_day(cells[2]) and cells[1] < cells[2])):
            raise RulebookError(
                f"{name}:{line}: from and until are days as YYYY-MM-DD, the second after the first or blank; found {cells[1:3]}"
            )
        if cells[0] in spans and (cells[0] != code or not until or cells[1] < until):
            raise RulebookError(f"{name}:{line}: the spans of {cells[0]} stand together, in order, and do not overlap; found {cells}")
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
