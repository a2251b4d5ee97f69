"""The file of the preferences: who may claim which symbol, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from tariff_engine.problems import ProblemError, RulebookError
from tariff_engine.rates import parse_rate
from tariff_engine.schedule_files import csv_rows, rule_text
from tariff_engine.special_programs import USMCA, Exclusion, Grant, Preference, Preferences

_COLUMNS: Final = (
    *("symbol", "program", "prints", "rate", "claimed_by", "origin", "from", "until"),
    *("effect", "known_from", "unchecked", "by", "confidence", "needs"),
)
_EXCLUSIONS: Final = "preference_exclusions.csv"  # a rulebook may do without


def load_preferences(folder: Traversable | Path) -> Preferences:
    """Read `preferences.csv` of a folder. Raises `RulebookError` naming the line at fault."""
    found = csv_rows(rule_text(folder, "preferences.csv"), "preferences.csv")
    header = tuple(next(found, (0, list[str]()))[1])
    if header != _COLUMNS:
        raise RulebookError(f"preferences.csv:1: the columns are {','.join(_COLUMNS)}")
    by_symbol = _read(found)
    facts = {program.claimed_by for program in by_symbol.values()} - {""}
    return Preferences(
        by_symbol,
        {fact: tuple(s for s, program in by_symbol.items() if program.claimed_by == fact) for fact in facts | {USMCA}},
        _exclusions(folder),
        tuple(sorted({program.needs for program in by_symbol.values()} - {""})),
    )


def _exclusions(folder: Traversable | Path) -> dict[str, dict[str, tuple[Exclusion, ...]]]:
    """Read the countries that a printed symbol leaves out, line by line."""
    file = folder / _EXCLUSIONS
    found: dict[str, dict[str, tuple[Exclusion, ...]]] = {}
    if not file.is_file():
        return found
    rows = csv_rows(rule_text(folder, _EXCLUSIONS), _EXCLUSIONS)
    header = next(rows, (0, list[str]()))[1]
    for number, fields in rows:
        if len(fields) != len(header):
            raise RulebookError(f"{_EXCLUSIONS}:{number}: {len(fields)} fields where the header names {len(header)} columns")
        row = dict(zip(header, fields, strict=True))
        try:
            starts, until = date.fromisoformat(row["from"]), date.fromisoformat(row["until"]) if row["until"] else None
        except ValueError as error:
            raise RulebookError(f"{_EXCLUSIONS}:{number}: {error}") from None
        one = Exclusion(row["origin"], starts, until, row["by"], row["confidence"] == "high")
        lines = found.setdefault(row["symbol"], {})
        lines[row["hts"]] = (*lines.get(row["hts"], ()), one)
    return found


def _read(rows: Iterable[tuple[int, list[str]]]) -> dict[str, Preference]:
    found: dict[str, Preference] = {}
    for number, fields in rows:
        if not fields:
            continue
        if len(fields) != len(_COLUMNS):
            raise RulebookError(f"preferences.csv:{number}: {len(fields)} fields where the header names {len(_COLUMNS)} columns")
        row = dict(zip(_COLUMNS, fields, strict=True))
        try:
            starts, until, known = (date.fromisoformat(row[key]) if row[key] else None for key in ("from", "until", "known_from"))
            rate = parse_rate(row["rate"]) if row["rate"] else None
            if starts is None or (until is not None and until <= starts):
                raise ValueError("from: state the first day, before until")  # noqa: TRY301 - joined below with the line it stands on
        except (ValueError, ProblemError) as error:
            raise RulebookError(f"preferences.csv:{number}: {error}") from None
        if row["effect"] not in ("", "refund"):
            raise RulebookError(f"preferences.csv:{number}: effect: leave blank or write refund, not {row['effect']!r}")
        grant = Grant(row["origin"], starts, until, row["effect"] == "refund", known, row["by"], row["unchecked"])
        prints = tuple(row["prints"].split(";")) if row["prints"] else ()
        before = found.get(row["symbol"])
        grants = before.grants if before else {}
        grants[grant.origin] = (*grants.get(grant.origin, ()), grant)
        found[row["symbol"]] = Preference(row["symbol"], row["program"], prints, rate, row["claimed_by"], row["needs"], grants)
    return found
