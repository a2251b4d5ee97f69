"""The law book as a person reads it: lists of provisions, the life of one, the dictionary of facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tariff_service.condition_words import join, refs_words
from tariff_service.paper import Paper, plural

Data = Mapping[str, Any]
_GROUPS = 20  # groups of rows of a table that are shown; JSON holds them all
_DRAWBACK = {"none": "none", "manufacturing": "of goods used in manufacture only", "all": "available"}
_NAMED = 40  # origins or products named of a group


def show_list(paper: Paper, provisions: Sequence[Data]) -> None:
    """Write a table of provisions, a table for each program."""
    for program in dict.fromkeys(one["program"] for one in provisions):
        mine = [one for one in provisions if one["program"] == program]
        paper.title(program, mine[0]["title"])
        columns = (("Provision", "left"), ("What it says", "left"), ("From", "left"), ("Until", "left"))
        rows = [(one["provision"], one["says"], one["from"], "called off" if one["withdrawn"] else one["until"] or "") for one in mine]
        paper.table(columns, rows, wraps=1)  # type: ignore[arg-type]  # the words are of the Literal
    paper.line(f"{plural(len(provisions), 'provision')}. `tariff rules show HEADING` tells the life of one.", indent=0)


def show_life(paper: Paper, found: Data) -> None:
    """Write what the book says of a heading."""
    if found["known_on"]:
        paper.line(f"By the law as it was known on {found['known_on']}.", indent=0)
    for place, one in enumerate(found["provisions"]):
        if place:
            paper.console.rule(style="dim")
        _provision(paper, one, found["heading"], found["on"])


def _provision(paper: Paper, one: Data, heading: str, on: str | None) -> None:
    paper.title(one["provision"], f"of {one['program']}: {one['title']}")
    paper.line(one["says"])
    if heading not in {one["provision"], one["provision"].partition("/")[0]}:
        paper.line(f"{heading} is a number under which it is filed.")
    if on is not None:
        _in_force(paper, one["in_force"], on)
    if one["when"]:
        paper.head("When")
        for words in one["when"]:
            paper.item(words)
    paper.head("Steps")
    for step in [*one["steps"], *([{**one["ended"], "effect": "the program ends"}] if "ended" in one else [])]:
        _step(paper, step)
    for table in one.get("table", ()):
        paper.item(f"its table is {table['list']}, {plural(table['rows'], 'row')}")
    _rows(paper, one.get("rows", ()))
    _drawback(paper, one.get("drawback", ()))
    _references(paper, "Unless one of these applies", ((join(refs_words(item["refs"])), item) for item in one["unless"]))
    _references(paper, "Relations", ((_relation(item), item) for item in one["relations"]))
    if one["if_unknown"]:
        paper.head("Where a fact is not stated")
        for name, taken in one["if_unknown"].items():
            paper.item(f"{name} is taken as {_taken(taken['take'])}: {taken['because']}")
    if one["lists"]:
        paper.head("Lists")
        for item in one["lists"]:
            paper.item(f"{item['list']}: {plural(item['rows'], 'row')}")
    confidence = one["confidence"]
    paper.head(f"Confidence: {confidence['level']}")
    if confidence.get("because"):
        paper.line(confidence["because"])


def _drawback(paper: Paper, told: Sequence[Data]) -> None:
    if told:
        paper.head("Drawback")
    for one in told:
        status = "" if one["status"] == "law" else f"  [{one['status']}]"
        span = f"{_span(one)}: " if one["from"] or one["until"] else ""
        paper.item(f"{span}{_DRAWBACK[one['allowed']]}{status}. {one['says']}".strip())
        paper.line(f"see {'; '.join(one['cites'])}", indent=6, style="dim")


def _taken(take: Any) -> str:
    return {True: "true", False: "false", None: "not shown"}[take] if take is None or isinstance(take, bool) else str(take)


def _in_force(paper: Paper, step: Data | None, on: str) -> None:
    if step is None:
        paper.line(f"On {on} no step of it is in force.")
    else:
        by = f", by {step['by']['cite']}" if step["by"] else ""
        paper.line(f"On {on} it {step['effect']} (since {step['from']}{by}).")


def _span(step: Data) -> str:
    return f"from {step['from'] or 'the start'}" + (f" until {step['until']}" if step["until"] else "")


def _step(paper: Paper, step: Data) -> None:
    status = "" if step["status"] == "law" else f"  [{step['status']}]"
    paper.item(f"{_span(step)}: {step['effect']}{status}", style="" if step["status"] == "law" else "dim")
    if step["by"]:
        paper.line(f"by {_act(step['by'])}", indent=6, style="dim")
    if step["withdrawn_by"]:
        paper.line(f"withdrawn by {_act(step['withdrawn_by'])}", indent=6)
    paper.line(f"see {'; '.join(step['cites'])}", indent=6, style="dim")


def _act(act: Data) -> str:
    dates = f"signed {act['signed']}" + (f", published {act['published']}" if act["published"] != act["signed"] else "")
    return f"{act['cite']} ({act['title']}), {dates}"


def _rows(paper: Paper, rows: Sequence[Data]) -> None:
    """Write the rows of a table; those that differ only in origin or product stand together."""
    together: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for row in rows:
        same = tuple((name, str(cell)) for name, cell in row.items() if name not in {"origin", "hts", "cite"})
        together.setdefault(same, []).append(" ".join(str(row[name]) for name in ("origin", "hts") if name in row) or "all")
    for number, (cells, who) in enumerate(together.items()):
        if number == _GROUPS:
            paper.line(f"and {plural(len(together) - number, 'more group')}; --json shows all")
            break
        more = f" and {len(who) - _NAMED:,} more" if len(who) > _NAMED else ""
        paper.item(f"{', '.join(who[:_NAMED]).replace('*', 'every other origin')}{more}:", indent=4)
        paper.line(", ".join(f"{name.replace('_', ' ')} {cell}" for name, cell in cells), indent=8)


def _references(paper: Paper, title: str, items: Iterable[tuple[str, Data]]) -> None:
    shown = list(items)
    if shown:
        paper.head(title)
    for words, item in shown:
        dates = f" ({_span(item)})" if item["from"] or item["until"] else ""
        status = "" if item["status"] == "law" else f"  [{item['status']}]"
        paper.item(f"{words}{dates}{status}")
        if item["withdrawn_by"]:
            paper.line(f"withdrawn by {_act(item['withdrawn_by'])}", indent=6)
        paper.line(f"see {'; '.join(item['cites'])}", indent=6, style="dim")


def _relation(item: Data) -> str:
    where = "on the part of the value it covers" if item["on"] == "part" else "on the whole article"
    owed = ", where more than nothing is owed" if item["test"] == "owed" else ""
    return f"{item['role']} {join(refs_words(item['refs']), 'and')}, {where}{owed}"


def show_facts(paper: Paper, facts: Sequence[Data], *, one: bool) -> None:
    """Write the dictionary of facts as a table, or one fact in full."""
    if not one:
        columns = (("Fact", "left"), ("Type", "left"), ("What it means", "left"))
        paper.table(columns, [(fact["name"], fact["type"], fact["what"]) for fact in facts], wraps=2)  # type: ignore[arg-type]  # the words are of the Literal
        paper.line(
            f"{plural(len(facts), 'fact')}. `tariff rules facts NAME` tells more of one. A fact left out is unknown, not false.", indent=0
        )
        return
    fact = facts[0]
    paper.title(fact["name"], fact["type"])
    for name, words in (
        ("means", fact["what"]),
        ("asks", fact["question"]),
        ("stated", f"for {'the entry' if fact['level'] == 'entry' else 'a line'}"),
        ("also called", ", ".join(fact["aliases"])),
        ("one of", ", ".join(fact["values"])),
        ("from, to", f"{fact['min']}, {fact['max']}" if fact["min"] is not None or fact["max"] is not None else ""),
        ("not stated", f"taken as {_taken(fact['take'])}: {fact['because']}"),
    ):
        if words:
            paper.pair(name, words, width=11)
