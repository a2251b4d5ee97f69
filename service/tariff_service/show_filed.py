"""The audit of filed entries as a person reads it on a terminal: the sums, what was found on each line and why, and the days that are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tariff_service.paper import Paper, money, plural

_MOST_LINES = 40  # more of them are for --out
_MOST_ENTRIES = 12
STATES = {
    "open": "open",
    "over": "over",
    "closed": "closed",
    "not_begun": "not begun",
    "unknown": "day needed",
    "expected": "expected",
    "past": "past, day needed",
    "done": "done",
}
_DAYS = {"open": "until", "over": "since", "done": "on", "past": "since", "expected": "on"}
Data = Mapping[str, Any]


def words(kind: str) -> str:
    """Return the name of a kind of finding as a person reads it."""
    return kind.replace("_", " ")


def show_filed(paper: Paper, report: Data, written: Sequence[str] = ()) -> None:
    """Write the audit."""
    totals = report["totals"]
    paper.title(f"Audit of {report['file']}", f"{plural(totals['lines'], 'line')}; windows as of {report['on']}")
    _totals(paper, totals)
    _kinds(paper, report["kinds"])
    found = [line for line in report["lines"] if line["findings"]]
    for line in found[:_MOST_LINES]:
        _line(paper, line)
    if len(found) > _MOST_LINES:
        paper.line(f"{len(found) - _MOST_LINES:,} more lines with findings: see --out or --json.")
    _actions(paper, report["lines"])
    entries = [entry for entry in report["entries"] if entry["findings"]]
    for entry in entries[:_MOST_ENTRIES]:
        _entry(paper, entry)
    if len(entries) > _MOST_ENTRIES:
        paper.line(f"{len(entries) - _MOST_ENTRIES:,} more entries with findings: see --out or --json.")
    _rest(paper, report, written)


def _totals(paper: Paper, totals: Data) -> None:
    rows = [
        ("Paid as filed", money(totals["paid"])),
        ("Owed by the law known at filing", money(totals["owed_then"])),
        ("Owed by the law known today", money(totals["owed_today"])),
        ("Overpaid", money(totals["overpaid"])),
        ("Underpaid", money(totals["underpaid"])),
    ]
    if any(totals["needs_facts"][side].strip("0.") for side in ("overpaid", "underpaid")):
        more = totals["needs_facts"]
        rows.append(("Open, by facts not stated: over, under", f"{money(more['overpaid'])}, {money(more['underpaid'])}"))
    refund = totals["refund_by_action"]
    if refund["high"].strip("0."):
        rows.append(("Refund by an action, without interest", refund_words(refund)))
    paper.table((("", "left"), ("Dollars", "right")), rows, foot=("Net overpaid", money(totals["net"])))
    if not totals["complete"]:
        paper.line("A duty that waits for a quantity is in none of the sums owed.")


def refund_words(refund: Data) -> str:
    """Return a refund as one amount, or as a range."""
    return money(refund["high"]) if refund["low"] == refund["high"] else f"{money(refund['low'])} to {money(refund['high'])}"


def _kinds(paper: Paper, kinds: Sequence[Data]) -> None:
    rows = [(words(kind["type"]), f"{kind['count']:,}", money(kind["overpaid"]), money(kind["underpaid"])) for kind in kinds]
    if rows:
        paper.table((("Finding", "left"), ("Count", "right"), ("Overpaid", "right"), ("Underpaid", "right")), rows)


def _line(paper: Paper, line: Data) -> None:
    paper.head(f"{line['id']}  {line['hts']} of {line['origin']}, entered {line['entry_date']}, {money(line['value'])}")
    for one in line["findings"]:
        paper.item(f"{words(one['type'])}: {one['says']}")
        if one["cause"] == "refund_action":
            continue  # the same words on every line: they are told once, below
        paper.line(f"Why: {one['because']}{cited(one)}", indent=4)
        if one.get("doubt"):
            paper.line(f"The law book is not sure: {one['doubt']}.", indent=4)
        for fact in one.get("facts", ()):
            paper.line(f"Ask: {fact['asks']}", indent=4)
        paper.line(f"{amount_words(one)}{one['fix']}", indent=4)
    if line["questions"] and not any(one["cause"] == "facts" for one in line["findings"]):
        names = ", ".join(question["fact"] for question in line["questions"])
        paper.line(f"Other facts that nobody stated could change the duty: {names}.", indent=4)


def _actions(paper: Paper, lines: Sequence[Data]) -> None:
    """Tell each refund action that reaches a line, once."""
    told = {one["action"]: one for line in lines for one in line["findings"] if one["cause"] == "refund_action"}
    for name, one in told.items():
        paper.head(f"The refund action {name}")
        paper.line(f"{one['because']}{cited(one)}")
        paper.line(one["fix"])


def cited(finding: Data) -> str:
    """Return the citations of a finding, and the acts behind it, in brackets."""
    acts = [act["cite"] for act in finding["instruments"]]
    found = [*finding["cites"], *(act for act in acts if not any(cite.startswith(act.partition(",")[0]) for cite in finding["cites"]))]
    return f" [{'; '.join(dict.fromkeys(found))}]" if found else ""


def amount_words(finding: Data) -> str:
    """Return what a finding is worth, as the beginning of a sentence; nothing where no duty changes."""
    difference = finding["difference"]
    if difference is None or not difference.strip("-0."):
        return ""
    return f"{money(difference.lstrip('-'))} {'underpaid' if difference.startswith('-') else 'overpaid'}. "


def _entry(paper: Paper, entry: Data) -> None:
    paper.head(f"Entry {entry['entry_number']}: {money(entry['overpaid'])} overpaid, {money(entry['underpaid'])} underpaid")
    if "problem" in entry:
        paper.line(entry["problem"]["message"])
        return
    for window in entry["windows"]:
        paper.item(f"{window['title']}: {window_words(window)} [{'; '.join(window['cites'])}]")
    for warning in entry["warnings"]:
        paper.item(warning["message"])
    if entry["questions"]:
        paper.line("To be sure: " + " ".join(question["asks"] for question in entry["questions"]))


def window_words(window: Data) -> str:
    """Return the state of a window with its last day and the days left."""
    left = f", {plural(window['days_left'], 'day')} left" if "days_left" in window else ""
    day = f" {_DAYS[window['state']]} {window['last_day']}" if window["last_day"] and window["state"] in _DAYS else ""
    state, _, asks = STATES[window["state"]].partition(", ")
    return f"{state}{day}{left}" + (f", {asks}" if asks else "")


def _rest(paper: Paper, report: Data, written: Sequence[str]) -> None:
    if report["warnings"]:
        paper.head("Warnings")
    for warning in report["warnings"]:
        paper.item(f"{warning['message']} -> {warning['fix']}")
    columns = report["columns"]
    if columns and columns["not_read"]:
        paper.head("Columns that were not read")
        paper.line(", ".join(columns["not_read"]))
    if report["problems"]:
        paper.head("Rows that could not be read")
    for one in report["problems"]:
        rows = ", ".join(map(str, one["rows"]))
        for problem in (one["problem"], *one["problem"].get("also", ())):
            paper.item(f"row {rows}: {problem['field']}: {problem['message']}" + (f" -> {problem['fix']}" if problem["fix"] else ""))
    if written:
        paper.head("Written")
    for path in written:
        paper.item(path)
