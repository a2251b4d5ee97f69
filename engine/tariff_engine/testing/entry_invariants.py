"""What holds for the answer on every entry, and for every refusal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tariff_engine.testing.invariants import check_line
from tariff_engine.testing.problems import InvariantError


def the_entry_sums_its_lines(entry: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Duties of the lines (and a postal duty) and fees sum to the totals; an entry with a problem has no totals."""
    totals, name = answer["totals"], "the_entry_sums_its_lines"
    if answer["problems"]:
        if totals is not None:
            raise InvariantError(name, "a line of the entry was refused, and yet the entry has totals", entry)
        return
    if totals is None:
        raise InvariantError(name, "no line was refused, and yet the entry has no totals", entry)
    rows = [row for line in answer["lines"] for row in line["headings"]]
    duties = [line["duty"] for line in answer["lines"]]
    if (totals["duty"] is None) != any(duty is None for duty in duties):
        raise InvariantError(name, "the total is unknown exactly where the duty of a line is", entry, rows)
    fees = Decimal(answer["fees"]["mpf"]) + Decimal(answer["fees"]["hmf"])
    if fees != Decimal(totals["fees"]) or fees < 0:
        raise InvariantError(name, f"the fees sum to {fees}, the entry says {totals['fees']}", entry, rows)
    if totals["duty"] is not None:
        postal = Decimal(answer["de_minimis"].get("postal_duty", {}).get("duty") or 0)
        duty = sum((Decimal(duty) for duty in duties if duty is not None), postal)
        if duty != Decimal(totals["duty"]) or duty + fees != Decimal(totals["total"]):
            raise InvariantError(name, f"the lines owe {duty} and {fees} in fees, the entry says {totals}", entry, rows)


def a_refusal_says_what_to_mend(sent: Mapping[str, Any], problem: Mapping[str, Any]) -> None:
    """A problem has a stable code, the field at fault, a sentence and the fix, and so has every further one that it carries."""
    for one in (problem, *problem.get("also", ())):
        for key in ("code", "field", "message", "fix"):
            if not isinstance(one.get(key), str) or (key != "fix" and not one[key]):
                raise InvariantError("a_refusal_says_what_to_mend", f"the problem {dict(one)} has no {key}", sent)


def check_entry(entry: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Hold every invariant of an entry, of each of its lines, and of each refusal. Raises InvariantError."""
    the_entry_sums_its_lines(entry, answer)
    sent = entry.get("lines", [entry])
    around = {key: value for key, value in entry.items() if key != "lines"}
    for raw, line in zip(sent, answer["lines"], strict=True):
        whole = {**around, **raw}
        if "problem" in line:
            a_refusal_says_what_to_mend(whole, line["problem"])
        else:
            check_line(whole, line)
    for problem in answer["problems"]:
        a_refusal_says_what_to_mend(entry, problem)
