"""Antidumping and countervailing orders that are known to touch a number and an origin: a warning, never a duty.

The scope of an order is its written description; the HTS numbers in it are for convenience. So an order is only named here, and a line
that no order is named for may still be subject to one: adcvd_orders.csv holds a small part of the orders in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from tariff_engine.problems import Problem

if TYPE_CHECKING:
    from tariff_engine.facts import Line


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
