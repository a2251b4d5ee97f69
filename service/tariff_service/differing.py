"""What differs between two answers on a line: headings that came, went or changed, and the dollars of each program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Answer = Mapping[str, Any]
BASE = "base"  # the program of the chapter 1-97 number, as answers name it
GATE = "de_minimis"  # low-value treatment, beside the programs


def money(before: str | None, after: str | None) -> str | None:
    """Return the difference of two amounts in dollars; unknown where either is."""
    return None if before is None or after is None else f"{Decimal(after) - Decimal(before):f}"


def dollars(answer: Answer) -> dict[str, str | None]:
    """Return the duty of each program on a line; the parts add up to the duty of the line."""
    found: dict[str, str | None] = {}
    for row in answer["headings"]:
        known = found.get(row["program"], "0.00")
        found[row["program"]] = None if known is None or row["duty"] is None else f"{Decimal(known) + Decimal(row['duty']):f}"
    return found


def heading_rows(answer: Answer) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
    """Return the rows of an answer by program, heading and kind; law that treats parts of the value apart can file a heading twice."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in answer.get("headings", ()):
        found.setdefault((row["program"], row["heading"], row["kind"]), []).append(row)
    return found


def heading_changes(before: Answer, after: Answer) -> list[dict[str, Any]]:
    """Return which headings began, ended, or changed in rate, base or dollars, in the order of the later answer; those that ended last."""
    old, new = heading_rows(before), heading_rows(after)
    found = []
    for key in dict.fromkeys([*new, *old]):
        was, now = old.get(key, []), new.get(key, [])
        if _said(was) != _said(now):
            program, heading, kind = key
            what = "changed" if was and now else "began" if now else "ended"
            found.append(
                {
                    "program": program,
                    "heading": heading,
                    "kind": kind,
                    "what": what,
                    "rate": {"from": _rates(was), "to": _rates(now)},
                    "duty": {"from": _sum(was), "to": _sum(now)},
                }
            )
    return found


def _said(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(row["rate"], row["base_value"], row["duty"]) for row in rows]


def _rates(rows: Sequence[Mapping[str, Any]]) -> str | None:
    return ", ".join(dict.fromkeys(row["rate"] for row in rows)) or None


def _sum(rows: Sequence[Mapping[str, Any]]) -> str | None:
    if not rows or any(row["duty"] is None for row in rows):
        return None
    return f"{sum((Decimal(row['duty']) for row in rows), Decimal(0)):f}"


def short_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a heading of an answer with what a table shows of it."""
    kept = ("heading", "program", "kind", "rate", "base_value", "duty", "since", "instrument", "announced", "retroactive")
    return {key: row[key] for key in kept if key in row}


def gate_change(before: Answer, after: Answer) -> dict[str, Any] | None:
    """Return how low-value treatment changed between two answers on one shipment: the result, or the postal duty; None where it did not."""
    was, now = before[GATE], after[GATE]
    duty = {"from": was.get("postal_duty", {}).get("duty"), "to": now.get("postal_duty", {}).get("duty")}
    if was["result"] == now["result"] and duty["from"] == duty["to"]:
        return None
    rate = {"from": was.get("postal_duty", {}).get("rate"), "to": now.get("postal_duty", {}).get("rate")}
    return {
        "program": GATE,
        "heading": "",
        "kind": GATE,
        "what": "changed",
        "result": {"from": was["result"], "to": now["result"]},
        "rate": rate,
        "duty": duty,
    }
