"""Antidumping and countervailing duties: computed at the cash deposit rates that the filer states, never inferred.

`adcvd: true` says that the goods are subject to an order without saying at which rate: no duty is computed, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.facts import exact
from tariff_engine.money import cents, dollars_text, percent_text
from tariff_engine.problems import Problem, refuse

if TYPE_CHECKING:
    from tariff_engine.facts import Line

_KINDS = {"AD": "antidumping", "CVD": "countervailing"}
_PREFIXES = {"A-": "AD", "C-": "CVD"}  # how Commerce numbers its cases
_NAMES = {"case_number": "case", "rate": "rate_pct"}
_FIX = 'send {"case": "A-570-979", "kind": "AD", "rate_pct": "30.66"}'


def adcvd_rows(line: Line) -> tuple[list[dict[str, Any]], int, tuple[Problem, ...]]:
    """Return a row for each case stated on the line, their duty in cents, and warnings. Raises ProblemError where a case is not understood."""
    stated = line.facts.get("adcvd", ())
    if stated is True:
        message = "the goods are subject to an antidumping or countervailing order whose rate is not stated: its deposit is not computed"
        return [], 0, (Problem("adcvd_rate_needed", "adcvd", message, _FIX),)
    rows, total = [], 0
    for place, case in enumerate(stated or ()):
        row, duty = _row(line, f"adcvd[{place}]", case)
        rows.append(row)
        total += duty
    return rows, total, ()


def _row(line: Line, field: str, raw: object) -> tuple[dict[str, Any], int]:
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", field, "a case is not stated in full", _FIX)
    case = {_NAMES.get(str(key), str(key)): value for key, value in raw.items()}
    number = case.get("case")
    kind = case.get("kind", _PREFIXES.get(str(number)[:2]))
    if set(case) - {"case", "kind", "rate_pct"} or "rate_pct" not in case or not isinstance(number, str):
        raise refuse("wrong_type", field, "a case is not stated in full", _FIX)
    if kind not in _KINDS:
        raise refuse("unknown_value", f"{field}.kind", f"kind is {kind!r}", "send AD or CVD")
    text = case["rate_pct"]
    rate = Fraction(exact(f"{field}.rate_pct", text.removesuffix("%") if isinstance(text, str) else text)) / 100
    if rate < 0:
        raise refuse("out_of_range", f"{field}.rate_pct", "a cash deposit rate below zero", "send a rate from 0 upward")
    duty = cents(rate * line.value)
    row = {
        "heading": number[:20],
        "program": "adcvd",
        "rate": percent_text(rate),
        "kind": "adcvd",
        "base_value": str(line.value),
        "duty": dollars_text(duty),
        "says": f"The {_KINDS[kind]} cash deposit, as the filer states it.",
        "cites": ["19 CFR 159.41; cash deposit rate stated by the filer"],
    }
    return row, duty
