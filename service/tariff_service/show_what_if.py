"""What would change the duty, as a person reads it: each change with its dollars, what must be true and shown, and the law behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tariff_service.paper import Paper, money

_MOST = 12  # of one line, each way; more are in --json
Data = Mapping[str, Any]


def show_what_if(paper: Paper, found: Data) -> None:
    """Write the changes, as `what_if` returns them."""
    if found["known_on"]:
        paper.line(f"By the law as it was known on {found['known_on']}.", indent=0)
    for line in found["lines"]:
        paper.title(f"{line['hts']} of {line['origin']}, entered {line['entry_date']}", f"value {money(line['value'])}")
        numbers = ", ".join(row["heading"] for row in line["headings"] if row["heading"])
        paper.line(f"Duty {money(line['duty'])} under {numbers}.")
        _side(paper, "Lower, if true", line["lower"], "Nothing that is known of would lower the duty.")
        _side(paper, "Higher, if true", line["higher"], "Nothing that is known of would raise the duty.")
        paper.line()
    for one in found["never"]:
        paper.line(f"Never suggested: another {' or '.join(one['facts'])}. {one['because']} [{'; '.join(one['cites'])}]", indent=0)


def _side(paper: Paper, title: str, changes: list[Data], nothing: str) -> None:
    paper.head(title)
    if not changes:
        paper.line(nothing)
    for change in changes[:_MOST]:
        _change(paper, change)
    if len(changes) > _MOST:
        paper.line(f"{len(changes) - _MOST} more: see --json.")


def _change(paper: Paper, change: Data) -> None:
    difference = change["difference"]
    amount = f"{money(difference.lstrip('-'))} {'less' if difference.startswith('-') else 'more'}"
    paper.item(f"{amount}, {money(change['duty'])} in all, if true: {change['if_true'].rstrip('.')}.", style="bold")
    fees = change["totals"]["fees"]
    if fees and fees.strip("-0."):
        paper.line(f"Fees: {money(fees.lstrip('-'))} {'less' if fees.startswith('-') else 'more'}.", indent=4)
    if change.get("of_the_entry"):
        paper.line("It holds for all lines of the entry; the amount is that of this line.", indent=4)
    if change["kind"] not in {"entry_date", "exclusion"}:
        for proof in change["proof"]:
            paper.line(f"Show: {proof['asks']}" + (f" ({proof['because']})" if proof["because"] else ""), indent=4)
    for reason in change["reasons"]:
        cites = f" [{'; '.join(reason['cites'])}]" if reason["cites"] else ""
        because = (reason["because"] or "It is not owed any more.").rstrip(".")
        worth = f"{_signed(reason['dollars'])} " if reason["dollars"] and reason["dollars"].strip("-0.") else ""
        paper.line(f"{worth}{reason['title'] or 'Chapter 1-97 rate'}: {because}.{cites}", indent=4)


def _signed(amount: str) -> str:
    return money(amount) if amount.startswith("-") else f"+{money(amount)}"
