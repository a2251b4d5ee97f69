"""The reader of adcvd_orders.csv: refuses what is wrong, and gives what is right as the plain orders of adcvd_orders.py."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date

from tariff_engine.adcvd_orders import Order, Orders
from tariff_engine.problems import RulebookError

FILE = "adcvd_orders.csv"
COLUMNS = ("case", "kind", "origin", "product", "hts", "from", "until", "cite", "confidence")
_CASE = re.compile(r"[AC]-[0-9]{3}-[0-9]{3}")
_KINDS = {"A": "AD", "C": "CVD"}
_LEVELS = frozenset({"high", "medium", "low"})


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
