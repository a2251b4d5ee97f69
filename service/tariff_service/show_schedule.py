"""A number of the schedule as a person reads it: rates, what stood before and after, the column 1 rate over time; and what an import did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tariff_service.paper import Paper, plural

Data = Mapping[str, Any]
_NAMED = 20


def show_entry(paper: Paper, found: Data) -> None:
    """Write what the schedule says of a number on a day."""
    paper.title(found["hts"], f"on {found['on']}" + (f", as known on {found['known_on']}" if found["known_on"] else ""))
    paper.line(f"{found['edition']['name']} ({found['edition']['cite']})")
    rows = [("General", found["general"])]
    rows += [("Special", f"{one['rate']} ({', '.join(one['symbols'])})") for one in found["special"]]
    rows += [("Column 2", found["column2"]), ("Units", ", ".join(found["units"]) or "none printed")]
    if found["rate_line"] != found["hts"]:
        rows.append(("Rates printed at", found["rate_line"]))
    if found["special_doubts"]:
        rows.append(("Not known", f"the special rates of {', '.join(found['special_doubts'])} on this day"))
    paper.head("Rates")
    for name, text in rows:
        paper.pair(name, text, width=17)
    paper.head("In force")
    for life in found["in_force"]:
        paper.item(f"from {life['from']} until {life['until'] or 'further notice'} (as far as the tables go)")
    for name in ("predecessors", "successors"):
        if found[name] is not None:
            paper.item(f"{_succession(found[name], name)}")
    paper.head("General and column 2 over time")
    for span in found["history"]:
        paper.item(f"from {span['from']}: {span['general']}; column 2 {span['column2']} ({', '.join(span['editions'])})")
    for note in found["warnings"]:
        paper.line(f"{note['code']}: {note['message']}. {note['fix']}.", indent=0, style="yellow")


def _succession(found: Data, name: str) -> str:
    sure = name if found["official"] else f"possible {name}, of the same heading"
    return f"{sure}: {', '.join(found['numbers']) or 'none known'}" + (f" ({found['day']})" if found["day"] else "")


def show_import(paper: Paper, done: Data) -> None:
    """Write what an import did."""
    paper.title(done["name"], f"governs entry dates from {done['from']}")
    paper.line(f"{plural(done['rows'], 'row')} written to {done['table']}, the edition added to {done['editions']}.")
    if done["descriptions"]:
        paper.line(
            f"{plural(done['descriptions'], 'description')} kept beside it: numbers can be searched by words on the page of the service."
        )
    else:
        paper.line("The export prints no descriptions: numbers can be searched by their digits only.")
    changes = done["changes"]
    if changes:
        words = f"{plural(changes['added'], 'number')} added, {changes['removed']:,} removed, {changes['rates']:,} with other rates"
        paper.line(f"Against {changes['against']}: {words}.")
    for one in done["unread"][:_NAMED]:
        paper.item(f"not understood, refused when it is asked for: {one['hts']} {one['column']}: {one['text']}", style="yellow")
    if len(done["unread"]) > _NAMED:
        paper.line(f"and {len(done['unread']) - _NAMED} more texts that are not understood")
