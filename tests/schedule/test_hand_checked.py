"""Specific and compound lines worked out by hand: watches, sugar, cheese, footwear, petroleum, alcohol, textiles."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tariff_engine.rates import duty, rate_text
from tariff_engine.schedule import Schedule
from tariff_engine.schedule_files import load_schedule

ROOT = Path(__file__).resolve().parents[2]
LINES = yaml.safe_load(Path(__file__).with_name("hand_checked.yaml").read_text(encoding="utf-8"))["lines"]


@cache
def schedule() -> Schedule:
    return load_schedule(ROOT / "rules" / "tariff_rules" / "schedule")


def worked_out(arithmetic: str) -> Fraction:
    """Return what a sum of products comes to."""
    total, sign = Fraction(0), 1
    for piece in re.split(r" ([+-]) ", arithmetic):
        if piece in {"+", "-"}:
            sign = 1 if piece == "+" else -1
            continue
        product = Fraction(1)
        for factor in piece.split(" * "):
            product *= Fraction(factor)
        total += sign * product
    return total


def test_sixty_lines_of_every_kind_are_worked_out() -> None:
    assert len(LINES) >= 60
    assert {line["hts"][:2] for line in LINES} >= {"91", "17", "04", "64", "27", "22", "61", "54"}
    assert {line["day"].year for line in LINES} == set(range(2018, 2027))


@pytest.mark.parametrize("line", LINES, ids=[f"{line['hts']}-{line['day']}-{line['column']}" for line in LINES])
def test_the_duty_is_what_the_arithmetic_beside_it_comes_to(line: dict[str, Any]) -> None:
    found = schedule().find(line["hts"], line["day"])
    rate = found.column2 if line["column"] == "column2" else found.general
    assert rate_text(rate) == line["rate"], line["says"]
    assert worked_out(line["arithmetic"]) == Fraction(line["duty"]), line["says"]
    quantities = {name: Decimal(amount) for name, amount in line["quantity"].items()}
    assert duty(rate, line["value"], quantities, line.get("parts", {})) == Fraction(line["duty"]), line["says"]
    assert found.warnings == ()
