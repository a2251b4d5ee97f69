"""Antidumping and countervailing orders that are known to touch a number and an origin: a warning, never a duty.

The scope of an order is its written description; the HTS numbers in it are for convenience. So an order is only named here, and a line
that no order is named for may still be subject to one: adcvd_orders.csv holds a small part of the orders in force.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from tariff_engine.problems import Problem, RulebookError

if TYPE_CHECKING:
    from tariff_engine.facts import Line

FILE = "adcvd_orders.csv"
COLUMNS = ("case", "kind", "origin", "product", "hts", "from", "until", "cite", "confidence")
_CASE = re.compile(r"[AC]-[0-9]{3}-[0-9]{3}")
_KINDS = {"A": "AD", "C": "CVD"}
_LEVELS = frozenset({"high", "medium", "low"})


@dataclass(frozen=True, slots=True)
class Order:
    """An order: its case number, the origin and the numbers that it names, and the days on which it is in force."""

    case: str
    origin: str
    product: str
    numbers: tuple[str, ...]
    start: date
    until: date | None
    cite: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of a rulebook by origin."""

    by_origin: Mapping[str, tuple[Order, ...]] = field(default_factory=dict)

    def touching(self, hts: str, origin: str, day: date, known_on: date) -> list[Order]:
        """Return the orders known on a day of knowledge that name a number for goods of an origin entered on a day."""
        return [
            order
            for order in self.by_origin.get(origin, ())
            if order.start <= min(day, known_on) and (order.until is None or day < order.until) and hts.startswith(order.numbers)
        ]


NO_ORDERS = Orders()


def read_orders(text: str) -> Orders:
    """Return the orders of a file. Raises RulebookError: one line per defect."""
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise RulebookError(f"{FILE}:1: file: the columns must be {', '.join(COLUMNS)}")
    found: dict[str, list[Order]] = {}
    wrong: list[str] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        defect = _defect(row, seen)
        if defect:
            wrong.append(f"{FILE}:{number}: {defect}")
            continue
        seen.add(row["case"])
        until = date.fromisoformat(row["until"]) if row["until"] else None
        numbers = tuple(row["hts"].split())
        order = Order(
            row["case"], row["origin"], row["product"], numbers, date.fromisoformat(row["from"]), until, row["cite"], row["confidence"]
        )
        found.setdefault(order.origin, []).append(order)
    if wrong:
        raise RulebookError("\n".join(wrong))
    return Orders({origin: tuple(orders) for origin, orders in found.items()})


def _defect(row: Mapping[str, str], seen: set[str]) -> str:
    """Return what is wrong with a row, empty where nothing is."""
    if not _CASE.fullmatch(row["case"] or "") or _KINDS[row["case"][0]] != row["kind"]:
        return f"case: {row['case']!r} of kind {row['kind']!r}; write A-NNN-NNN with AD, or C-NNN-NNN with CVD"
    if row["case"] in seen:
        return f"case: {row['case']} stands twice; keep one row"
    if not row["hts"] or not all(re.fullmatch(r"[0-9]{4,10}", number) for number in row["hts"].split()):
        return f"hts: {row['hts']!r}; write numbers of 4 to 10 digits, parted by blanks"
    if not re.fullmatch(r"[A-Z]{2}", row["origin"] or "") or not row["product"] or not row["cite"] or row["confidence"] not in _LEVELS:
        return "row: give origin (two letters), product, cite, and confidence high, medium or low"
    try:
        start = date.fromisoformat(row["from"])
        return f"until: {row['until']} is not after {start}" if row["until"] and date.fromisoformat(row["until"]) <= start else ""
    except ValueError:
        return f"from: {row['from']!r} or until: {row['until']!r} is no day; write YYYY-MM-DD"


def possible_orders(orders: Orders, line: Line, known_on: date) -> list[Problem]:
    """Return a warning for each order that may reach a line and that the filer neither states nor denies (`adcvd: false`)."""
    stated = line.facts.get("adcvd")
    if line.origin not in orders.by_origin or stated is True or ("adcvd" in line.facts and stated is None):
        return []
    cases = {_plain(case.get("case", case.get("case_number", ""))) for case in stated or () if isinstance(case, Mapping)}
    found = []
    for order in orders.touching(line.hts, line.origin, line.day, known_on):
        if any(case.startswith(_plain(order.case)) for case in cases):
            continue
        message = (
            f"case {order.case} ({order.product}) names numbers such as this for goods of {line.origin}. Its scope is its written description, "
            f"not the number: whether the goods are subject to it is not decided here, and no deposit is in this answer [{order.cite}]"
        )
        fix = f'send adcvd with {{"case": "{order.case}", "rate_pct": ...}} if they are, or adcvd: false if no order reaches them'
        found.append(Problem("adcvd_possible", "adcvd", message, fix))
    return found


def _plain(case: object) -> str:
    """Return a case number as it is compared: ACE writes it without hyphens and with the exporter's three digits."""
    return str(case).replace("-", "").upper()
