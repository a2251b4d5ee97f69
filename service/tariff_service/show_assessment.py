"""An assessment as a person reads it on a terminal: headings in filing order, what is open, what it depends on, totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tariff_service.output import clean
from tariff_service.paper import Paper, money, plural

_TOLD = {"applies": "applies", "prohibited": "prohibits", "exempt": "exempt", "displaced": "displaced"}
_RESULTS = {
    "exempt": "Released free of duty",
    "postal_duty": "The postal duty is due",
    "entry_required": "No de minimis exemption",
}
_DRAWBACK = {"none": "No drawback", "manufacturing": "Drawback of goods used in manufacture only", "all": "Drawback is available"}
Data = Mapping[str, Any]


def show_assessment(paper: Paper, answer: Data, source: str) -> None:
    """Write the answer on an entry. `source` is the file it came from, for the advice on how to see more."""
    lines: list[Data] = answer["lines"]
    if answer["known_on"]:
        paper.line(f"By the law as it was known on {answer['known_on']}.", indent=0)
    for place, line in enumerate(lines):
        if place:
            paper.console.rule(style="dim")
        if "problem" in line:
            _problem(paper, f"Line {line['id']} cannot be assessed", line["problem"])
        else:
            _line(paper, line)
    for problem in answer["problems"]:
        if problem["line"] is None:
            _problem(paper, "The entry cannot be assessed as a whole", problem)
    if answer["totals"]:
        _frame(paper, answer)
    _more(paper, answer, source)


def _problem(paper: Paper, title: str, problem: Data) -> None:
    paper.title(title)
    for one in (problem, *problem.get("also", ())):
        paper.line(f"{one['field']}: {one['message']}")
        if one["fix"]:
            paper.line(f"-> {one['fix']}")


# ---------------------------------------------------------------- one line
def _line(paper: Paper, line: Data) -> None:
    paper.title(f"Line {line['id']}", f"{line['hts']} of {line['origin']}, entered {line['entry_date']}, value {money(line['value'])}")
    if line.get("prohibited"):
        paper.head("These goods may not be imported.")
    if "released_by" in line:
        otherwise = line["otherwise"]
        numbers = ", ".join(filter(None, otherwise["headings"]))
        paper.line(f"Owes none of its own duties, see below. Otherwise it would owe {money(otherwise['duty'])} ({numbers}).")
    else:
        _headings(paper, line)
    _warnings(paper, line["warnings"])
    _questions(paper, line)
    _savings(paper, line["savings"])
    _filing(paper, line["filing"]["lines"])
    _programs(paper, line.get("programs", ()))


def _headings(paper: Paper, line: Data) -> None:
    rows = [(row["heading"] or "-", row["says"], row["rate"], money(row["base_value"]), money(row["duty"])) for row in line["headings"]]
    columns = (("Number", "left"), ("What it says", "left"), ("Rate", "right"), ("Base", "right"), ("Duty", "right"))
    share = f"additional duties {line['additional_rate']} of the value"
    paper.table(columns, rows, foot=("Duty", share, "", "", money(line["duty"])), wraps=1)  # type: ignore[arg-type]  # the words are of the Literal
    _drawback(paper, line["headings"])
    if line["duty"] is None:
        paper.line("The duty is not known: a fact that it is computed from is missing, see below.")


def _drawback(paper: Paper, headings: Sequence[Data]) -> None:
    """Say which duties come back as drawback; nothing of those of which the law read says nothing."""
    for allowed, words in _DRAWBACK.items():
        numbers = [row["heading"] or row["program"] for row in headings if row.get("drawback", {}).get("allowed") == allowed]
        if numbers:
            paper.line(f"{words}: {', '.join(dict.fromkeys(numbers))}.", style="dim")


def _warnings(paper: Paper, warnings: Sequence[Data]) -> None:
    if warnings:
        paper.head("Warnings")
        for warning in warnings:
            paper.item(warning["message"] + (f" -> {warning['fix']}" if warning["fix"] else ""))


def _questions(paper: Paper, line: Data) -> None:
    questions, span = line["questions"], line["range"]
    if not questions:
        return
    if span["high"] is None:
        paper.head(f"Not stated, and it matters: at least {money(span['low'])} is owed")
    elif span["low"] == span["high"]:
        paper.head("Not stated, and it matters")
    else:
        paper.head(f"Not stated, and it matters: the duty lies between {money(span['low'])} and {money(span['high'])}")
    for question in questions:
        stake = _stake(question["answers"])
        paper.item(f"{question['asks']}" + (f" Up to {stake} at stake." if stake else ""))
        paper.line(_taken(question), indent=6, style="dim")
        for answer in question["answers"]:
            numbers = ", ".join(filter(None, answer["headings"])) or "no additional heading"
            paper.line(f"{_word(answer['answer'])}: {money(answer['duty'])}, {_signed(answer['difference'])} ({numbers})", indent=6)
        if question.get("together_with"):
            paper.line(f"matters together with {', '.join(question['together_with'])}", indent=6)


def _stake(answers: Sequence[Data]) -> str:
    sizes = [answer["difference"].removeprefix("-") for answer in answers]
    return money(max(sizes, key=lambda size: (len(size), size))) if sizes else ""


def _taken(question: Data) -> str:
    words = question["fact"]
    if question.get("units"):
        words += f": send {', '.join(question['units'])}"
    elif question.get("taken") is not None:
        words += f" (taken: {_word(question['taken'])})"
    return f"{words}; {question['because']}"


def _word(value: Any) -> str:
    return {True: "yes", False: "no", None: "not stated"}[value] if value is None or isinstance(value, bool) else clean(value)


def _signed(difference: str) -> str:
    return f"{money(difference.removeprefix('-'))} {'less' if difference.startswith('-') else 'more'}"


def _savings(paper: Paper, savings: Sequence[Data]) -> None:
    if savings:
        paper.head("It would cost less, if true")
        for saving in savings:
            paper.item(f"{money(saving['saves'])} less if {saving['fact']} is {_word(saving['answer'])}: {money(saving['duty'])} in all")


def _filing(paper: Paper, lines: Sequence[Data]) -> None:
    if len(lines) < 2:  # noqa: PLR2004  one line is filed as it stands above
        return
    paper.head(f"Proposed filing: {len(lines)} lines")
    rows: list[tuple[str, ...]] = []
    for number, line in enumerate(lines, 1):
        for place, part in enumerate(line["numbers"]):
            first = place == 0
            parts = ", ".join(line["parts"]).replace("_", " ")
            rows.append(
                (
                    str(number) if first else "",
                    parts if first else "",
                    money(line["value"]) if first else "",
                    part["heading"],
                    part["rate"],
                    money(part["duty"]),
                )
            )
    columns = (("Line", "left"), ("Part", "left"), ("Value", "right"), ("Number", "left"), ("Rate", "right"), ("Duty", "right"))
    paper.table(columns, rows)  # type: ignore[arg-type]  # the words are of the Literal


def _programs(paper: Paper, programs: Sequence[Data]) -> None:
    told = [program for program in programs if program["verdict"] in _TOLD]
    if told:
        paper.head("Programs")
        for program in told:
            words = f"{program['program']} {_TOLD[program['verdict']]}: {program['because']}"
            if "would_be" in program:
                words += f" It would have cost {money(program['would_be'])}."
            paper.item(words)


# ---------------------------------------------------------------- the entry
def _frame(paper: Paper, answer: Data) -> None:
    fees, gate, totals = answer["fees"], answer["de_minimis"], answer["totals"]
    paper.console.rule(style="dim")
    paper.title("Entry", f"type {fees['entry_type']['code']}: {fees['entry_type']['says']}")
    for reason in answer["filing"]["entry_type"].get("reasons", ()):
        if reason["type"] != fees["entry_type"]["code"]:  # the others ask for the type that stands above
            names = ", ".join(str(answer["lines"][number - 1]["id"]) for number in reason["lines"])
            paper.item(f"{reason['says']} (type {reason['type']}; {'line' if len(reason['lines']) == 1 else 'lines'} {names})")
    for name, key in (("Processing fee", "mpf"), ("Harbor fee", "hmf")):
        fee = fees["detail"][key]
        low = " or more" if "high" in fee else ""
        low += f" (or {money(fee['low'])}, see below)" if "low" in fee else ""
        paper.item(f"{name} {money(fee['amount'])}{low}, rate {fee['rate']}: {fee['says']}")
        for note in fee.get("exempt_lines", ()):
            paper.line(f"line {answer['lines'][note['line'] - 1]['id']} pays none: {note['says']}", indent=4)
    postal = gate.get("postal_duty")
    paper.item(f"{_RESULTS.get(gate['result'], gate['result'])}: {gate['says']}")
    if postal:
        paper.line(f"Postal duty {money(postal['duty'])} ({postal['rate']}): {postal['working']}", indent=4)
    if "other_goods_same_day_value" in gate:
        paper.item(f"{money(gate['other_goods_same_day_value'])} of other goods of the same person and day are counted with it.")
    for advice in gate.get("advice", ()):
        paper.item(advice)
    for part in (gate, fees):
        for note in part.get("assumptions", ()):
            paper.item(f"{note['fact']} is taken as {_word(note['taken'])}: {note['because']}")
        for question in part.get("questions", ()):
            paper.item(f"{question['fact']} matters: {question['matters']}")
        for warning in part.get("warnings", ()):
            paper.item(f"{warning['message']}" + (f" -> {warning['fix']}" if warning["fix"] else ""))
    paper.head(f"Duty {money(totals['duty'])} + fees {money(totals['fees'])} = {money(totals['total'])}")


def _more(paper: Paper, answer: Data, source: str) -> None:
    silent = sum(program["verdict"] not in _TOLD for line in answer["lines"] for program in line.get("programs", ()))
    name = source if source.isprintable() and " " not in source else f'"{clean(source)}"'
    paper.console.print()
    if silent:
        paper.line(
            f"Why not: `tariff explain {name}` tells it of {plural(silent, 'more verdict')}, with the acts and their dates.", indent=0
        )
    book = answer["rulebook"]
    paper.line(
        f"Law book {book['edition']}, law read to {book['horizon']}. {plural(len(answer['lines']), 'line')}. {answer['engine']}.",
        indent=0,
        style="dim",
    )
