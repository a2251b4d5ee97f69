"""The files of the schedule: the tables of the editions, and the successors of discontinued numbers."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml

from tariff_engine.problems import RulebookError
from tariff_engine.schedule import Edition, Row, Schedule


def load_schedule(folder: Traversable | Path) -> Schedule:
    """Read the tables of a folder: `editions.yaml`, one CSV per edition, `discontinued.csv`. Raises `RulebookError` where they are malformed."""
    document = yaml.safe_load((folder / "editions.yaml").read_text(encoding="utf-8"))
    try:
        found = [Edition(e["name"], e["from"], e["published"], e["cite"], e["file"]) for e in document["editions"]]
    except (KeyError, TypeError) as error:
        raise RulebookError(f"editions.yaml: each edition needs name, from, published, cite and file; missing or wrong: {error}") from None
    if not found or any(type(day) is not date for edition in found for day in (edition.starts, edition.published)):
        raise RulebookError("editions.yaml: editions: state at least one edition, its days as YYYY-MM-DD")
    editions = tuple(sorted(found, key=lambda edition: edition.starts))
    shared: dict[str, str] = {}
    tables = tuple(_read_table(folder / edition.file, edition.file, shared) for edition in editions)
    rows = csv.DictReader((folder / "discontinued.csv").read_text(encoding="utf-8").splitlines())
    successors = {row["hts"]: tuple(row["successors"].split(";")) for row in rows}
    return Schedule(editions, tables, successors)


def _read_table(file: Traversable | Path, name: str, shared: dict[str, str]) -> dict[str, Row]:
    """Read one table; equal texts become one object, so that the whole stays small in memory and in a pickle."""
    table: dict[str, Row] = {}
    rows: dict[Row, Row] = {}
    reader = csv.reader(file.read_text(encoding="utf-8").splitlines())
    if next(reader, None) != ["hts", "units", "general", "special", "column2"]:
        raise RulebookError(f"{name}:1: hts,units,general,special,column2: state these columns")
    for fields in reader:
        if len(fields) != 5 or not fields[0].isdigit() or fields[0] in table:  # noqa: PLR2004 - the five columns
            raise RulebookError(f"{name}:{reader.line_num}: five fields, the first a code of digits that stands once; found {fields}")
        code, *texts = (shared.setdefault(text, text) for text in fields)
        row = (texts[0], texts[1], texts[2], texts[3])
        table[code] = rows.setdefault(row, row)
    return table
