"""A timeline as a person reads it: a bar of the rate in all, then every step with what it owes and why it came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tariff_service import bars
from tariff_service.output import clean
from tariff_service.paper import Paper, money
from tariff_service.show_explanation import act_words

Data = Mapping[str, Any]
_LABEL = 11
_NARROWEST = 20
_DAY = timedelta(days=1)
_WHAT = {"began": "begins", "ended": "ends", "changed": "changes"}


def show_timeline(paper: Paper, found: Data) -> None:
    """Write a timeline, as `timeline` returns it."""
    facts = found["facts"]
    stated = ", ".join(f"{name} {value}" for name, value in facts.items() if name not in {"hts", "origin"})
    paper.title(f"{facts.get('hts', '?')} of {facts.get('origin', '?')}", stated)
    if found["known_on"]:
        paper.line(f"By the law as it was known on {found['known_on']}.", indent=0)
    _picture(paper, found)
    paper.head("Steps by the day of entry")
    _steps(paper, found["steps"])
    if found["withdrawn"]:
        paper.head("Announced, and called off before it came")
        _withdrawn(paper, found["withdrawn"])
    if any(step.get("unknown") for step in found["steps"]):
        paper.head("Assumed, since nobody stated it")
        names = dict.fromkeys(name for step in found["steps"] for name in step.get("unknown", ()))
        paper.line(f"{', '.join(names)}; state them with --fact to narrow the ranges.")
    horizon = found["rulebook"]["horizon"]
    paper.line(f"The law book ends on {horizon}: later law is not in it.", indent=0)


# ---------------------------------------------------------------- the picture
def _picture(paper: Paper, found: Data) -> None:
    spans = [
        {"from": step["from"], "until": step["until"], "rate": step.get("rate"), "effect": "?"}
        for step in found["steps"]
        if "problem" not in step
    ]
    if not spans:
        return
    first = date.fromisoformat(found["from"])
    ends = [*(span["until"] or span["from"] for span in spans), found["until"] or found["rulebook"]["horizon"]]
    last = max(date.fromisoformat(max(ends)), first + _DAY)
    width = max(paper.console.width - _LABEL - 1, _NARROWEST)
    marks = [step["from"] for step in found["withdrawn"]]
    paper.head("All duties on the value, over the days of entry")
    for label, text in (("Duty", bars.bar(spans, (), first, last, width)), ("", bars.axis(first, last, width))):
        paper.console.print(Text(f"{label:<{_LABEL}}", style="bold").append(text, style="not bold"), no_wrap=True, crop=True)
    if marks:
        off = ["."] * width
        for day in marks:
            off[bars.column(min(max(date.fromisoformat(day), first), last), first, last, width)] = "x"
        paper.console.print(Text(f"{'Never came':<{_LABEL}}", style="bold").append("".join(off), style="not bold"), no_wrap=True, crop=True)


# ---------------------------------------------------------------- the steps
def _table(paper: Paper, columns: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold", expand=True)
    for name, justify in columns:
        table.add_column(name, no_wrap=True, justify="right" if justify == "right" else "left")
    table.add_column("What changed, and by which act" if paper.console.width else "", ratio=1, overflow="fold")
    return table


def _steps(paper: Paper, steps: Sequence[Data]) -> None:
    table = _table(paper, (("Entries from", "left"), ("Rate", "right"), ("Duty", "right")))
    for step in steps:
        words = Text()
        for style, text in _words(step):
            words.append(f"{clean(text)}\n", style=style)
        words.rstrip()
        rate = Text(str(step.get("rate") or "?"), style="bold")
        table.add_row(Text(step["from"]), rate, Text(_owed(step)), words)
    paper.console.print(table)


def _owed(step: Data) -> str:
    if "problem" in step:
        return "-"
    span = step.get("range") or {}
    low, high = span.get("low"), span.get("high")
    return money(step["duty"]) if low in {None, high} else f"{money(step['duty'])}\n({money(low)} to {money(high)})"


def _words(step: Data) -> Iterator[tuple[str, str]]:
    if "problem" in step:
        yield "", f"{step['problem']['message']} -> {step['problem']['fix']}"
        return
    if step["status"] != "law":
        yield "bold", step["status"].replace("_", " ")
    if step.get("prohibited"):
        yield "bold", "These goods may not be imported."
    for change in step["changes"]:
        yield from _change(change)
    if not step["changes"]:
        numbers = ", ".join(row["heading"] for row in step["headings"] if row["kind"] in {"additional", "total"})
        yield "dim", f"{numbers} in force" if numbers else "the ordinary duty alone"


def _change(change: Data) -> Iterator[tuple[str, str]]:
    one, two = change["rate"]["from"], change["rate"]["to"]
    rates = f" {one} to {two}" if one and two and one != two else f" {two or one}" if two or one else ""
    yield "", f"{change['heading'] or change['program']} {_WHAT.get(change['what'], change['what'])}{rates} ({change['program']})"
    act = change.get("instrument")
    if act:
        yield "dim", f"by {act_words(act)}"


def _withdrawn(paper: Paper, steps: Sequence[Data]) -> None:
    for step in steps:
        ends = f" to {date.fromisoformat(step['until']) - _DAY}" if step["until"] else " on"
        acts = "; ".join(act_words(act) for act in step["withdrawn_by"])
        numbers = ", ".join(f"{change['heading']} {change['rate']['to'] or ''}".strip() for change in step["changes"])
        instead = step.get("instead") or {}
        paper.item(
            f"Entries from {step['from']}{ends}: {numbers or 'another duty'}, {step['rate']} in all, known from {step['known_on']}; "
            f"called off on {step['withdrawn_on']} by {acts}. Owed instead: {money(instead.get('duty'))}."
        )
