"""The refund view as a person reads it on a terminal: the sums, entries with their windows, lines, what stands in the way, what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tariff_service.paper import Paper, money, plural

_MOST_LINES = 25  # a table of more is for --csv
_MOST_ENTRIES = 10
_MOST_WARNINGS = 12
_STATES = {
    "open": "open",
    "over": "over",
    "closed": "closed",
    "not_begun": "not begun",
    "unknown": "day needed",
    "expected": "expected",
    "past": "past, day needed",
    "done": "done",
}
_STATUS = {
    "refund": "",
    "outside_period": "outside the period",
    "nothing_paid": "nothing paid",
    "no_number": "no number of it",
}
Data = Mapping[str, Any]


def show_refund(paper: Paper, report: Data) -> None:
    """Write the view."""
    action, totals = report["action"], report["totals"]
    paper.title(action["title"], f"entries of {action['from']} to before {action['until']}; day of the claim {report['on']}")
    paper.line(action["says"])
    _totals(paper, report)
    _headings(paper, report["headings"])
    _lines(paper, report["lines"])
    for entry in report["entries"][:_MOST_ENTRIES]:
        _entry(paper, entry)
    if len(report["entries"]) > _MOST_ENTRIES:
        paper.line(f"{len(report['entries']) - _MOST_ENTRIES:,} more entries: see --json.")
    _claim_file(paper, report["claim_file"])
    _warnings(paper, report)
    _facts(paper, report["lines"])
    _process(paper, action)
    _columns(paper, report["columns"])
    _problems(paper, report["problems"])
    if totals["refused"]:
        paper.line(
            f"{plural(totals['refused'], 'line')} of {totals['lines']:,} could not be read and are in no sum.", indent=0, style="bold"
        )


def _range(ends: Data | None) -> str:
    if ends is None:
        return "?"
    return money(ends["low"]) if ends["low"] == ends["high"] else f"{money(ends['low'])} to {money(ends['high'])}"


def _totals(paper: Paper, report: Data) -> None:
    totals = report["totals"]
    paid = "as the law known at filing had it" if report["paid_from"] == "law_known_when_filed" else "as today's law has it"
    rows = [
        (f"Paid, {paid} or as stated", money(totals["paid"])),
        ("  of it under the numbers of the action", money(totals["paid_under"])),
        ("Owed by the law as known today", money(totals["today"])),
        ("Owed without the action", money(totals["without"])),
        ("Refund by later law that reaches back", money(totals["retroactive"])),
        ("Refund by the action", _range(totals["by_action"])),
    ]
    paper.head(f"All {plural(totals['answered'], 'line')}")
    paper.table((("", "left"), ("Dollars", "right")), rows, foot=("Refund without interest", _range(totals["refund"])))
    if not totals["complete"]:
        paper.line("Some lines wait for a fact; what they would get is not in the sums.", style="bold")
    if totals["refund"]["low"] != totals["refund"]["high"]:
        paper.line("The lower figure counts duties that would come back without the action, the higher one does not.")


def _headings(paper: Paper, headings: Iterable[Data]) -> None:
    rows = [
        (row["heading"], "taken out" if row["stripped"] else "", *(money(row[name]) for name in ("paid", "today", "without", "difference")))
        for row in headings
        if any(row[name] != "0.00" for name in ("paid", "today", "without"))
    ]
    if rows:
        paper.head("By number")
        columns = (("Number", "left"), ("", "left"), ("Paid", "right"), ("Today", "right"), ("Without", "right"), ("Difference", "right"))
        paper.table(columns, rows)  # type: ignore[arg-type]  # the words are of the Literal


def _lines(paper: Paper, lines: list[Data]) -> None:
    rows = [
        (
            line["id"],
            line["hts"],
            line["origin"],
            line["entry_date"],
            *(money(line[name]) for name in ("paid", "without")),
            _range(line["refund"]),
            _STATUS[line["status"]],
        )
        for line in lines[:_MOST_LINES]
    ]
    if not rows:
        return
    paper.head("Lines")
    names = (("Line", "left"), ("HTS", "left"), ("Of", "left"), ("Entered", "left"))
    amounts = (("Paid", "right"), ("Without", "right"), ("Refund", "right"), ("", "left"))
    paper.table((*names, *amounts), rows)  # type: ignore[arg-type]  # as above
    if len(lines) > _MOST_LINES:
        paper.line(f"{len(lines) - _MOST_LINES:,} more lines: see --csv or --json.")


def _entry(paper: Paper, entry: Data) -> None:
    paper.head(f"Entry {entry['entry_number']}: refund {_range(entry['refund'])}")
    if "problem" in entry:
        paper.line(entry["problem"]["message"])
        return
    rows = []
    for window in entry["windows"]:
        last = window["last_day"] or "-"
        left = f", {plural(window['days_left'], 'day')} left" if "days_left" in window else ""
        rows.append((window["title"], _STATES[window["state"]] + left, last, "; ".join(window["cites"])))
    if rows:
        paper.table((("Window", "left"), ("State", "left"), ("Last day", "left"), ("Legal basis", "left")), rows, wraps=3)
    for check in entry["checks"]:
        paper.item(f"Would not be taken: {check['says']} ({'; '.join(check['cites'])})")
    for warning in entry["warnings"]:
        paper.item(warning["message"])
    if entry.get("questions"):
        paper.line("To be sure: " + " ".join(question["asks"] for question in entry["questions"]))


def _claim_file(paper: Paper, claim: Data | None) -> None:
    if claim is None:
        return
    paper.head(f'Claim file, one column "{claim["column"]}"')
    paper.line(
        f"{plural(len(claim['entries']), 'entry').replace('entrys', 'entries')} in {plural(claim['files'], 'file')} of at most {claim['most']:,}."
    )
    for path in claim.get("written", ()):
        paper.item(path)
    for entry in claim["apart"][:_MOST_LINES]:
        paper.item(f"Apart: {entry['entry_number']}: " + " ".join(why["says"] for why in entry["reasons"]))
    if len(claim["apart"]) > _MOST_LINES:
        paper.line(f"{len(claim['apart']) - _MOST_LINES:,} more apart: see --json.")
    if claim["lines_without_entry_number"]:
        count = plural(len(claim["lines_without_entry_number"]), "line")
        paper.item(f"{count} with a refund and no entry number: {', '.join(claim['lines_without_entry_number'][:10])}")


def _warnings(paper: Paper, report: Data) -> None:
    counted: Counter[str] = Counter()
    first: dict[str, str] = {}
    for line in report["lines"]:
        for warning in line["warnings"]:
            counted[warning["message"]] += 1
            first.setdefault(warning["message"], line["id"])
    if counted:
        paper.head("Warnings")
    for message, count in counted.most_common(_MOST_WARNINGS):
        where = f"line {first[message]}" + (f" and {count - 1:,} more" if count > 1 else "")
        paper.item(f"{message} ({where})")
    if len(counted) > _MOST_WARNINGS:
        paper.line(f"{len(counted) - _MOST_WARNINGS:,} more: see --json.")


def _facts(paper: Paper, lines: list[Data]) -> None:
    """Say what was taken for facts that nobody stated, and in how many lines."""
    counted = Counter(one["fact"] for line in lines for one in line["assumed"])
    taken = {one["fact"]: one for line in lines for one in line["assumed"]}
    asked = {one["fact"]: one["asks"] for line in lines for one in line["questions"]}
    if counted or asked:
        paper.head("Facts that nobody stated")
    for fact, count in counted.most_common(_MOST_WARNINGS):
        paper.item(f"{fact}: {taken[fact]['because']} ({plural(count, 'line')})")
    for fact, asks in asked.items():
        paper.item(f"{fact} moves a duty: {asks}")


def _process(paper: Paper, action: Data) -> None:
    process = action["process"]
    paper.head(f"{process['name']}, {process['title']}, as known up to {process['known_until']}")
    paper.line(f"Where: {process['where']}.")
    for event in process["history"]:
        doubt = f" ({event['confidence']['because']})" if "confidence" in event else ""
        paper.pair(event["on"], f"{event['says']}{doubt} [{'; '.join(event['cites'])}]")
    for question in process["open"]:
        paper.item(f"Not known: {question}")
    paper.head("What the claim needs")
    for need in action["needs"]:
        paper.item(f"{need['says']} [{'; '.join(need['cites'])}]")
    paper.item(f"{action['interest']['says']} [{'; '.join(action['interest']['cites'])}]")


def _columns(paper: Paper, columns: Data | None) -> None:
    if columns and columns["not_read"]:
        paper.head("Columns that were not read, since nobody knows what they hold")
        paper.line(", ".join(columns["not_read"]))


def _problems(paper: Paper, problems: list[Data]) -> None:
    if problems:
        paper.head("Rows that could not be read")
    for problem in problems:
        rows = ", ".join(map(str, problem["rows"]))
        for one in (problem, *problem.get("also", ())):
            paper.item(f"row {rows}: {one['field']}: {one['message']}" + (f" -> {one['fix']}" if one["fix"] else ""))
