"""Reads a decision table (`decisions/*.yaml`): who pays which heading when, written down from the official text by hand, apart from the rules.

A table is read from the top: the first row of a family that fits a line is its heading. This reader shares nothing with the evaluators; of the
rules it uses only the lists, to know which goods a row speaks of.

    program: s232-wood
    of: where the table was read
    taken: {is_cabinet_or_vanity_or_part: true}      # what is taken where nobody states it; a row may say otherwise in `taken`
    goods: {furniture: {in: ["list:s232_wood_37 heading=9903.76.02"]}}
    families:
      heading:
        - {goods: furniture, origin: GB, from: 2025-10-14, files: 9903.76.20, add: 10}
        - {lowest: [row, row]}                       # of the rows that fit, the one that costs least

A row files `files` (`none`: nothing) and does one of: `add` percent, `in_all` percent with the base duty (`at_floor`: what is filed where the
base rate reaches it), `free: true`, `banned: true`. `base` is the part of the value that it is charged on. Facts: a value, a list of values, or a
comparison such as `>=95`, `<2025-03-12`, several of which must all hold. `any` is a list of such facts. A fact that is neither stated nor taken
meets no test; one taken to be `unknown` meets that word alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tariff_engine.notation.conditions import Products

if TYPE_CHECKING:
    from tests.law.lines import LineMaker

FOLDER = Path(__file__).parent / "decisions"
EVER = date.max
EU = frozenset(["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT"])
EU |= frozenset(["NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"])
GROUPS = {"EU": EU, "column2": frozenset(["CU", "KP", "RU", "BY"])}
METALS = ("steel", "aluminum", "copper")
TESTS = ["from", "until", "goods", "and_goods", "not_goods", "origin", "not_origin", "facts", "any", "taken"]
KEYS = frozenset([*TESTS, "files", "files_from", "add", "in_all", "at_floor", "free", "banned", "base", "lowest"])


@dataclass(frozen=True, slots=True)
class Expected:
    """What a family of a table says of a line: a heading with what it does, on how many dollars."""

    family: str
    heading: str
    add: Fraction | None
    in_all: Fraction | None
    banned: bool
    dollars: int
    at_floor: str

    def extra(self, ave: Fraction) -> Fraction:
        """Return what it costs beyond the base duty, in dollars."""
        if self.add is not None:
            return self.add * self.dollars
        return max(Fraction(0), self.in_all - ave) * self.dollars if self.in_all is not None else Fraction(0)


class DecisionTable:
    """One table."""

    def __init__(self, path: Path, maker: LineMaker) -> None:
        """Read a table; `maker` reads the lists that its goods name."""
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.program, self.source = raw["program"], raw["of"]
        self.taken: dict[str, Any] = raw.get("taken", {})
        self.families: dict[str, list[dict[str, Any]]] = raw["families"]
        self._goods = {name: Products.model_validate(spec) for name, spec in raw["goods"].items()}
        self._maker = maker
        self._on = cache(self._listed)
        for rows in self.families.values():
            for row in rows:
                unknown = set(row) - KEYS
                assert not unknown, f"{path.name}: {unknown}"

    def _listed(self, goods: str, number: str, day: date) -> bool:
        return self._maker.on(number, self._goods[goods], day, EVER)

    def asks(self, day: date, origin: str, number: str) -> list[str]:
        """Return the facts that rows ask for which an origin and a product can reach on a day: what the rules forget is tried too."""
        line = {"entry_date": day, "origin": origin, "hts": number}
        found: dict[str, None] = {}
        for rows in self.families.values():
            for row in (one for outer in rows for one in outer.get("lowest", [outer])):
                if self._fits({key: value for key, value in row.items() if key not in {"facts", "any"}}, line):
                    for facts in (row.get("facts", {}), *row.get("any", ())):
                        found.update(dict.fromkeys(fact for fact in facts if fact not in {"age", "claims"}))
        return list(found)

    def expected(self, line: Mapping[str, Any], ave: Fraction) -> list[Expected]:
        """Return what the table says of a line with a base rate; families that say nothing are left out."""
        found = []
        for name, rows in self.families.items():
            row = self._first(rows, line, ave)
            if row is None or row.get("files") == "none":
                continue
            made = self._made(name, row, line)
            if made.dollars or row.get("free") or row.get("banned"):
                found.append(made)
        return found

    def _first(self, rows: list[dict[str, Any]], line: Mapping[str, Any], ave: Fraction) -> dict[str, Any] | None:
        for row in rows:
            if "lowest" in row:
                fit = [one for one in row["lowest"] if self._fits(one, line)]
                if fit:
                    least: dict[str, Any] = min(fit, key=lambda one: self._made("", one, line).extra(ave))
                    return least
            elif self._fits(row, line):
                return row
        return None

    def _fits(self, row: dict[str, Any], line: Mapping[str, Any]) -> bool:
        day = line["entry_date"]
        if not row.get("from", date.min) <= day < row.get("until", date.max):
            return False
        if "origin" in row and not _among(line["origin"], row["origin"]):
            return False
        if "not_origin" in row and _among(line["origin"], row["not_origin"]):
            return False
        for key in ("goods", "and_goods"):
            if key in row and not any(self._on(name, line["hts"], day) for name in _many(row[key])):
                return False
        if "not_goods" in row and self._on(row["not_goods"], line["hts"], day):
            return False
        if "files_from" in row and not self._listed_heading(row["files_from"], line["hts"]):
            return False
        taken = {**self.taken, **row.get("taken", {})}

        def holds(facts: Mapping[str, Any]) -> bool:
            return all(_meets(_stated(line, fact, taken), wanted) for fact, wanted in facts.items())

        return holds(row.get("facts", {})) and ("any" not in row or any(holds(facts) for facts in row["any"]))

    def _listed_heading(self, name: str, number: str) -> str:
        """Return the heading that a list names for a number, by its longest code."""
        rows = [row for row in self._maker.book.tables[name].rows if number.startswith(row.hts) and not number.startswith(row.excepted)]
        return str(max(rows, key=lambda row: len(row.hts))["heading"]) if rows else ""

    def _made(self, family: str, row: dict[str, Any], line: Mapping[str, Any]) -> Expected:
        return Expected(
            family,
            self._listed_heading(row["files_from"], line["hts"]) if "files_from" in row else row["files"],
            _percent(row.get("add")),
            _percent(row.get("in_all")),
            bool(row.get("banned")),
            dollars(row.get("base", "value"), line),
            row.get("at_floor", ""),
        )


def tables() -> list[str]:
    """Return the programs that have a table."""
    return sorted(path.stem for path in FOLDER.glob("s232-*.yaml"))


def dollars(part: str, line: Mapping[str, Any]) -> int:
    """Return the dollars of a part of the value. A metal that nobody states is all of it, or nothing where another metal is stated."""
    value = int(line["value"])
    if part == "value":
        return value
    if part.startswith("less us_content"):  # U.S. content must be shown
        cap = value * int(part.partition("up to ")[2] or 100) // 100
        share = line.get("commerce_approved_us_content")
        content = line.get("us_content_value", 0) if share is None else Decimal(value) * Decimal(share) / 100
        return value - min(int(content), cap)
    stated = line.get(f"{part}_content_value")
    if stated is not None:
        return int(stated)
    return 0 if any(line.get(f"{metal}_content_value") is not None for metal in METALS) else value


def _stated(line: Mapping[str, Any], fact: str, taken: Mapping[str, Any]) -> Any:
    if fact == "claims":
        return line.get("exclusion_claims", [])
    if fact == "age":
        made = line.get("manufacture_year")
        return None if made is None else line["entry_date"].year - made
    value = line.get(fact)
    if value is None and fact.endswith("_content_value") and any(line.get(f"{metal}_content_value") is not None for metal in METALS):
        return 0  # a metal left out where another is stated is none
    return taken.get(fact) if value is None else value


def _meets(value: Any, wanted: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, list):
        return wanted in value
    if isinstance(wanted, list):
        bounds = [one for one in wanted if str(one)[0] in "<>"]
        return all(_meets(value, bound) for bound in bounds) if bounds else value in wanted
    if isinstance(wanted, str) and wanted[0] in "<>":
        sign = wanted[:2] if wanted[1] == "=" else wanted[0]
        bound: Any = wanted[len(sign) :]
        bound = date.fromisoformat(bound) if "-" in bound else Decimal(bound)
        return bool({"<": value < bound, ">": value > bound, ">=": value >= bound}[sign])
    return bool(value == wanted)


def _among(origin: str, named: Any) -> bool:
    return any(origin in GROUPS[name] if name in GROUPS else origin == name for name in _many(named))


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _percent(value: Any) -> Fraction | None:
    return None if value is None else Fraction(str(value)) / 100
