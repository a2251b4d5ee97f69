"""Reads `decisions/orders.yaml`: which duties give way to which, written down from the official text, apart from the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from tests.law.decision_table import FOLDER

if TYPE_CHECKING:
    from tariff_engine.evaluate.derivation import Derivation, Row


@dataclass(frozen=True, slots=True)
class Order:
    """Where a heading of `pays` is filed, none of `frees` charges: on the same part of the value, or on the article as a whole."""

    start: date
    end: date
    pays: re.Pattern[str]
    frees: re.Pattern[str]
    owed: bool
    article: bool
    origins: frozenset[str]
    cite: str

    def reaches(self, line: Mapping[str, Any]) -> bool:
        """Whether the order holds on the day and for the origin of a line."""
        return self.start <= line["entry_date"] < self.end and (not self.origins or line["origin"] in self.origins)

    def broken(self, derivation: Derivation) -> Iterator[tuple[Row, Row]]:
        """Yield the rows that charge together against the order."""
        payers = [row for row in derivation.rows if self.pays.fullmatch(row.heading) and (row.duty > 0 or not self.owed)]
        for payer in payers:
            for row in derivation.rows:
                if self.frees.fullmatch(row.heading) and row.duty > 0 and (self.article or payer.parts & row.parts):
                    yield payer, row


@cache
def orders() -> tuple[Order, ...]:
    """Return the orders of the table."""
    raw = yaml.safe_load((FOLDER / "orders.yaml").read_text(encoding="utf-8"))
    sets: dict[str, str] = raw["sets"]

    def pattern(names: list[str]) -> re.Pattern[str]:
        return re.compile("|".join(sets[name] for name in names))

    return tuple(
        Order(
            row.get("from", date.min),
            row.get("until", date.max),
            pattern(row["pays"]),
            pattern(row["frees"]),
            row.get("test", "owed") == "owed",
            row.get("reach", "article") == "article",
            frozenset(row.get("origin", ())),
            row["cite"],
        )
        for row in raw["orders"]
    )
