"""Antidumping and countervailing duties: computed at the cash deposit rates that the filer states, never inferred."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.facts import exact
from tariff_engine.money import cents, dollars_text, percent_text
from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from tariff_engine.facts import Line

_KINDS = {"AD": "antidumping", "CVD": "countervailing"}
_KEYS = frozenset({"case", "kind", "rate_pct"})


def adcvd_rows(line: Line) -> tuple[list[dict[str, Any]], int]:
    """Return a row for each case stated on the line and their duty in cents. Raises ProblemError where a case is not stated in full."""
    rows, total = [], 0
    for place, case in enumerate(line.facts.get("adcvd", ())):
        field = f"adcvd[{place}]"
        if not isinstance(case, Mapping) or set(case) - _KEYS or not {"case", "kind", "rate_pct"} <= set(case):
            raise refuse(
                "wrong_type", field, "a case is not stated in full", 'send {"case": "A-570-979", "kind": "AD", "rate_pct": "30.66"}'
            )
        if case["kind"] not in _KINDS or not isinstance(case["case"], str):
            raise refuse("unknown_value", f"{field}.kind", f"kind is {case['kind']!r}", "send AD or CVD, and the case number as text")
        rate = Fraction(exact(f"{field}.rate_pct", case["rate_pct"])) / 100
        if rate < 0:
            raise refuse("out_of_range", f"{field}.rate_pct", "a cash deposit rate below zero", "send a rate from 0 upward")
        duty = cents(rate * line.value)
        total += duty
        rows.append(
            {
                "heading": case["case"][:20],
                "program": "adcvd",
                "rate": percent_text(rate),
                "kind": "adcvd",
                "base_value": str(line.value),
                "duty": dollars_text(duty),
                "says": f"The {_KINDS[case['kind']]} cash deposit, as the filer states it.",
                "cites": ["19 CFR 159.41; cash deposit rate stated by the filer"],
            }
        )
    return rows, total
