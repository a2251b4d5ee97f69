"""Antidumping and countervailing duties: computed at the cash deposit rates that the filer states, never inferred.

`adcvd: true` says that the goods are subject to an order without saying at which rate: no duty is computed, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.facts import exact
from tariff_engine.money import cents, dollars_text, percent_text, whole_dollars
from tariff_engine.problems import Problem, refuse

if TYPE_CHECKING:
    from tariff_engine.facts import Line

_KINDS = {"AD": "antidumping", "CVD": "countervailing"}
_PREFIXES = {"A": "AD", "C": "CVD"}  # how Commerce numbers its cases
_NAMES = {"case_number": "case", "rate": "rate_pct", "type": "kind"}
_KEYS = frozenset({"case", "kind", "rate_pct", "amount", "unit", "value"})
_FIX = 'send {"case": "A-570-979", "kind": "AD", "rate_pct": "30.66"}, or "amount" and "unit" for a deposit by quantity'


def adcvd_rows(line: Line) -> tuple[list[dict[str, Any]], int, tuple[Problem, ...]]:
    """Return a row for each case stated on the line (antidumping first), their duty in cents, and warnings.

    A case has a rate on the entered value, or on the `value` of the part that is subject to it, or an `amount` in dollars for each `unit` of
    the quantity stated. Raises ProblemError where a case is not understood, stands twice, or needs a quantity that is not stated.
    """
    stated = line.facts.get("adcvd", ())
    if stated is True:
        message = "the goods are subject to an antidumping or countervailing order whose rate is not stated: its deposit is not computed"
        return [], 0, (Problem("adcvd_rate_needed", "adcvd", message, _FIX),)
    rows, total, seen = [], 0, set[str]()
    for place, case in enumerate(stated or ()):
        kind, row, duty = _row(line, f"adcvd[{place}]", case)
        if row["heading"] in seen:
            raise refuse(
                "fact_stated_twice", f"adcvd[{place}].case", f"case {row['heading']} stands twice on the line", "send each case once"
            )
        seen.add(row["heading"])
        rows.append((kind, row))
        total += duty
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])], total, ()


def allotted(rows: Sequence[Mapping[str, Any]], values: Sequence[int]) -> list[list[dict[str, Any]]]:
    """Return the cases for each of the lines on which goods of some values are filed; the deposits of a case add up to its row, to the cent."""
    whole = sum(values)
    found: list[list[dict[str, Any]]] = []
    reached, before = 0, [0] * len(rows)
    for place, value in enumerate(values):
        reached += value
        shown = []
        for number, row in enumerate(rows):
            duty = int(row["duty"].replace(".", ""))  # as `dollars_text` wrote it: always with two decimals
            upto = duty if place == len(values) - 1 else cents(Fraction(duty * reached, 100 * whole)) if whole else 0
            shown.append({"case": row["heading"], "rate": row["rate"], "duty": dollars_text(upto - before[number])})
            before[number] = upto
        found.append(shown)
    return found


def _row(line: Line, field: str, raw: object) -> tuple[str, dict[str, Any], int]:
    if not isinstance(raw, Mapping):
        raise refuse("wrong_type", field, "a case is not stated in full", _FIX)
    case = {_NAMES.get(str(key), str(key)): value for key, value in raw.items()}
    number = case.get("case")
    kind = case.get("kind", _PREFIXES.get(str(number)[:1]))
    if (
        set(case) - _KEYS
        or ("rate_pct" in case) == ("amount" in case)
        or ("amount" in case) != ("unit" in case)
        or not isinstance(number, str)
    ):
        raise refuse("wrong_type", field, "a case is not stated in full", _FIX)
    if kind not in _KINDS:
        raise refuse("unknown_value", f"{field}.kind", f"kind is {str(kind)[:20]!r}", "send AD or CVD")
    base = _base(line, field, case.get("value"))
    rate, duty = _by_value(field, case["rate_pct"], base) if "rate_pct" in case else _by_quantity(line, field, case)
    row = {
        "heading": number[:20],
        "program": "adcvd",
        "rate": rate,
        "kind": "adcvd",
        "base_value": str(base),
        "duty": dollars_text(duty),
        "says": f"The {_KINDS[kind]} cash deposit, as the filer states it.",
        "cites": ["19 CFR 159.41; cash deposit rate stated by the filer"],
    }
    return kind, row, duty


def _base(line: Line, field: str, stated: object) -> int:
    """Return the dollars on which a case is charged: the entered value, or the part of it that is stated to be subject to the case."""
    if stated is None:
        return line.value
    value = exact(f"{field}.value", stated)
    if not 0 <= value <= max(line.facts["value"], line.value):
        raise refuse("out_of_range", f"{field}.value", f"the value under the case is {value}", "send at most the entered value of the line")
    return min(whole_dollars(value), line.value)


def _by_value(field: str, text: object, base: int) -> tuple[str, int]:
    rate = Fraction(exact(f"{field}.rate_pct", text.removesuffix("%") if isinstance(text, str) else text)) / 100
    if rate < 0:
        raise refuse("out_of_range", f"{field}.rate_pct", "a cash deposit rate below zero", "send a rate from 0 upward")
    return percent_text(rate), cents(rate * base)


def _by_quantity(line: Line, field: str, case: Mapping[str, Any]) -> tuple[str, int]:
    amount, unit = exact(f"{field}.amount", case["amount"]), str(case["unit"])[:20]
    if amount < 0:
        raise refuse("out_of_range", f"{field}.amount", "a cash deposit below zero", "send an amount from 0 upward")
    quantity = next((number for name, number in line.facts.get("quantity", {}).items() if name.lower() == unit.lower()), None)
    if quantity is None:
        raise refuse("fact_needed", "quantity", f"the deposit of {case['case']} is due for each {unit}", f"send quantity in {unit}")
    return f"${amount:f}/{unit}", cents(Fraction(amount) * Fraction(quantity))
