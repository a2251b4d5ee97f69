"""The impact of a change of law as a person reads it: the total, programs and origins, and the largest differences with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tariff_service.impact_out import signed
from tariff_service.paper import plural

if TYPE_CHECKING:
    from tariff_service.paper import Paper

_MOST = 15  # rows of a table; the files hold all
_STATUSES = {
    "more": "owe more",
    "less": "owe less",
    "filed_otherwise": "owe the same under other headings",
    "same": "do not change",
    "not_told": "owe what cannot be told: a quantity that nobody stated, or another line of the entry that cannot be assessed",
    "refused": "cannot be assessed",
    "refused_by_one": "can be assessed by one of the laws only",
}


def show_impact(paper: Paper, found: Mapping[str, Any]) -> None:
    """Write the report."""
    old, new, totals = found["from"], found["to"], found["totals"]
    paper.title(f"{signed(totals['difference'])}", f"from {old['name']} ({old['edition']}) to {new['name']} ({new['edition']})")
    paper.line(
        f"{signed(totals['from'])} owed before, {signed(totals['to'])} after, on {plural(totals['lines'], 'line')} that both answer."
    )
    for status, count in found["statuses"].items():
        paper.item(f"{plural(count, 'line')}: {_STATUSES[status]}")
    for word, title in (("program", "By program"), ("provision", "By provision"), ("origin", "By origin")):
        rows = [one for one in found[f"by_{word}"] if one["difference"] != "0.00"]
        if rows:
            paper.head(title)
            amounts = [
                (one[word], f"{one['lines']:,}", *(signed(one[name]) for name in ("from", "to", "difference"))) for one in rows[:_MOST]
            ]
            columns = ((word.capitalize(), "left"), ("Lines", "right"), ("From", "right"), ("To", "right"), ("Difference", "right"))
            paper.table(columns, amounts)  # type: ignore[arg-type]  # the literals of a tuple in a loop
            if len(rows) > _MOST:
                paper.line(f"and {len(rows) - _MOST:,} more")
    if found["largest"]:
        paper.head("The largest differences")
    for line in found["largest"]:
        paper.pair(line["id"], f"{line['hts']} of {line['origin']}, {line['entry_date']}: {signed(line['from'])} -> {signed(line['to'])}")
        for one in line["programs"]:
            rates = " -> ".join(", ".join(one["rates"][side]) or "nothing" for side in ("from", "to"))
            provisions = ", ".join(one["provisions"])
            words = f"{one['program']} {signed(one['difference'])}" + (f" ({rates}; {provisions})" if provisions else "")
            paper.item(f"{words}: {one['because']}", indent=4)
