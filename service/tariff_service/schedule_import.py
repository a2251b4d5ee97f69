"""Add an edition of the schedule to a folder of rules, from an export of the official site.

The table is written first, the edition is named last: whoever stops in between leaves a file that nothing reads.
"""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from tariff_engine.plain_table import PlainTable
from tariff_engine.problems import RulebookError, refuse
from tariff_engine.schedule import Schedule
from tariff_engine.schedule_files import load_schedule
from tariff_engine.schedule_words import COLUMNS, words_file
from tariff_engine.tariff_line import dotted
from tariff_engine.usitc_export import Export, read_export
from tariff_rules import ROOT
from tariff_service.law_cache import rule_files
from tariff_service.rulebook import rules_root

_MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class NewEdition:
    """The edition that an export is: its name, first entry date, day of publication, citation."""

    name: str
    starts: date
    published: date
    cite: str


def import_edition(file: Path, folder: Path | None, edition: NewEdition, *, copy: bool = False) -> dict[str, Any]:
    """Read an export and add it to a folder of rules; `copy` makes the folder from the installed rules if it is not there.

    Returns what was done. Raises ProblemError and RulebookError; then the folder is as it was before, but for the copy.
    """
    root = _own(folder)
    export = read_export(_text(file))
    if copy and not root.exists():
        _copy_installed(root)
    rules_root(root)
    schedule = load_schedule(root / "schedule")
    _fits(export, schedule, edition)
    table = root / "schedule" / f"{re.sub(r'[^a-z0-9]+', '_', edition.name.casefold()).strip('_')}.csv"
    if table.exists():
        raise refuse("edition_exists", "--name", f"{table} is there already", "give the edition another name")
    editions = root / "schedule" / "editions.yaml"
    before = editions.read_text(encoding="utf-8")
    words = table.with_name(words_file(table.name))
    try:
        table.write_text(_sheet(export), encoding="utf-8", newline="")
        if export.descriptions:
            words.write_text(_words(export), encoding="utf-8", newline="")
        editions.write_text(before.rstrip("\n") + "\n" + _entry(edition, table.name), encoding="utf-8")
        _read_again(root, edition)
    except BaseException:
        with suppress(OSError):
            editions.write_text(before, encoding="utf-8")
            table.unlink(missing_ok=True)
            words.unlink(missing_ok=True)
        raise
    return {
        "name": edition.name,
        "from": str(edition.starts),
        "published": str(edition.published),
        "rows": len(export.rows),
        "descriptions": len(export.descriptions),
        "table": str(table),
        "editions": str(editions),
        "changes": _changes(export, schedule),
        "unread": [{"hts": dotted(code), "column": column, "text": text} for code, column, text in export.unread],
    }


def _read_again(root: Path, edition: NewEdition) -> None:
    """Read the tables as the engine will. Raises RulebookError where they cannot be read or the edition is not among them."""
    if edition.name not in {known.name for known in load_schedule(root / "schedule").editions}:
        raise RulebookError("schedule/editions.yaml: the list of editions does not end the file as a block of lines")


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise refuse("export_not_understood", "FILE", f"{file} is larger than an export of the schedule", "send the export itself")
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise refuse("file_unreadable", "FILE", f"{file}: {error.strerror or 'it cannot be read'}", "name the exported file") from None
    except UnicodeDecodeError:
        raise refuse("export_not_understood", "FILE", f"{file} is not UTF-8 text", "save the export as JSON or CSV in UTF-8") from None


def _own(folder: Path | None) -> Path:
    """Return the folder of rules that is written to; never that of the installed package."""
    if folder is None or (folder.exists() and _installed(folder)):
        raise refuse(
            "rules_not_yours",
            "--rules",
            "the installed rulebook is not written to",
            "name a folder of your own: --rules DIR; with --copy it is made from the installed rules",
        )
    return folder


def _copy_installed(folder: Path) -> None:
    for name, source in rule_files(ROOT):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())


def _installed(folder: Path) -> bool:
    root: Traversable = ROOT
    return isinstance(root, Path) and folder.resolve() == root.resolve()


def _fits(export: Export, schedule: Schedule, edition: NewEdition) -> None:
    """Refuse an edition that is there already, or an export that leaves out chapters of the one before it."""
    for known in schedule.editions:
        if known.name == edition.name or known.starts == edition.starts:
            message = f"{known.name} is there already and governs from {known.starts}"
            raise refuse("edition_exists", "--name", message, "give another name and another first entry date")
    latest = _latest(schedule)
    missing = sorted({code[:2] for code in latest.codes} - export.chapters) if latest else []
    if missing:
        raise refuse(
            "export_incomplete",
            "FILE",
            f"the export has no numbers of chapters {', '.join(missing[:12])}{' and others' if len(missing) > 12 else ''}",  # noqa: PLR2004
            "export the whole schedule: numbers that are left out would be refused from the first entry date of the edition",
        )


def _latest(schedule: Schedule) -> PlainTable | None:
    return next((table for table in reversed(schedule.tables) if isinstance(table, PlainTable)), None)


def _changes(export: Export, schedule: Schedule) -> dict[str, Any] | None:
    latest = _latest(schedule)
    if latest is None:
        return None
    name = next(edition.name for edition, table in zip(schedule.editions, schedule.tables, strict=True) if table is latest)
    made = PlainTable(export.rows)
    both = [code for code in made.codes if code in latest]
    return {
        "against": name,
        "added": len(made.codes) - len(both),
        "removed": len(latest.codes) - len(both),
        "rates": sum(made.printed(code)[1][1:] != latest.printed(code)[1][1:] for code in both),
    }


def _sheet(export: Export) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("hts", "units", "general", "special", "column2"))
    writer.writerows((code, *row) for code, row in export.rows.items())
    return out.getvalue()


def _words(export: Export) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(export.descriptions.items())
    return out.getvalue()


def _entry(edition: NewEdition, file: str) -> str:
    """Return the line of `editions.yaml`: JSON strings are YAML."""
    name, cite = json.dumps(edition.name, ensure_ascii=False), json.dumps(edition.cite, ensure_ascii=False)
    return f"  - {{name: {name}, file: {file}, from: {edition.starts}, published: {edition.published}, cite: {cite}}}\n"
