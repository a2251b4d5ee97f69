"""A comparison as a person reads it: a row for each combination, then why it differs from the entry as stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tariff_service.paper import Paper, money

Data = Mapping[str, Any]
_SHORT = 19  # of the id of a rulebook: sha256 and twelve digits


def show_compare(paper: Paper, found: Data) -> None:
    """Write a comparison, as `compare` returns it."""
    base = found["base"]
    line = base["lines"][0]
    paper.title(f"{line['hts']} of {line['origin']}, entered {line['entry_date']}", f"value {money(line['value'])}")
    if found["known_on"]:
        paper.line(f"By the law as it was known on {found['known_on']}.", indent=0)
    if base["stated"]:
        paper.line(f"The entry does not state {', '.join(base['stated'])}: its first value stands for it.", indent=0)
    names = list(found["vary"])
    columns = [*((name, "left") for name in names), ("Rate", "right"), ("Duty", "right"), ("Total", "right"), ("Difference", "right")]
    rows = [["as stated", *[""] * (len(names) - 1), _rate(base), _total(base, "duty"), _total(base, "total"), ""]]
    for cell in found["cells"]:
        shown = [_word(cell["varied"][name]) for name in names]
        if _problems(cell):
            rows.append([*shown, "-", "-", "-", "cannot be assessed"])
        else:
            rows.append([*shown, _rate(cell), _total(cell, "duty"), _total(cell, "total"), _signed(cell["differences"]["total"])])
    paper.table(columns, rows)  # type: ignore[arg-type]  # the words are of the Literal
    for cell in found["cells"]:
        told = list(_reasons(cell))
        if told:
            paper.head(", ".join(f"{name} {_word(value)}" for name, value in cell["varied"].items()))
            for text in told:
                paper.item(text)


def _problems(cell: Data) -> Sequence[Data]:
    """What hinders a cell: the entry as a whole, or some of its lines."""
    found: Sequence[Data] = [cell["problem"]] if "problem" in cell else cell["problems"]
    return found


def _word(value: Any) -> str:
    if value is None:
        return "now"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_word(one)}" for name, one in value.items()) or "no claim"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text[:_SHORT] if text.startswith("sha256:") else text


def _rate(cell: Data) -> str:
    rates = dict.fromkeys(str(line.get("additional_rate", "?")) for line in cell["lines"])
    return " / ".join(rates)


def _total(cell: Data, name: str) -> str:
    totals = cell["totals"]
    return money(totals[name]) if totals else "?"


def _signed(amount: str | None) -> str:
    if amount is None:
        return "?"
    return money(amount) if amount.startswith("-") or not amount.strip("0.") else f"+{money(amount)}"


def _reasons(cell: Data) -> Iterator[str]:
    problems = _problems(cell)
    if problems:
        yield from (f"{problem['field']}: {problem['message']} -> {problem['fix']}" for problem in problems)
        return
    many = len(cell["lines"]) > 1
    for line in cell["differences"]["lines"]:
        where = f"line {line['id']}: " if many else ""
        for program in line.get("programs", ()):
            numbers = program["headings"]
            one, two = ", ".join(numbers["from"]) or "nothing", ", ".join(numbers["to"]) or "nothing"
            was, now = " / ".join(program["rates"]["from"]), " / ".join(program["rates"]["to"])
            filed = f"{one} becomes {two}" if one != two else f"{one} {was} becomes {now}" if was != now else one
            yield f"{where}{program['program']} {_signed(program['dollars'])}: {filed}. {program['because']}"
