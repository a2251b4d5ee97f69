"""An explanation as a person reads it: verdicts by kind, each with its deciding condition, the value seen, the act and its dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tariff_service.paper import Paper, money

Data = Mapping[str, Any]

_GROUPS = {
    "prohibited": "Prohibits the goods",
    "applies": "Applies",
    "exempt": "Exempt",
    "displaced": "Displaced by another duty",
    "fact_unknown": "Depends on a fact that is not stated",
    "fact_not_met": "A fact decides against it",
    "not_claimed": "Not claimed",
    "condition_not_met": "A condition is not met",
    "no_change_in_column": "Adds nothing in this column",
    "nothing_to_charge": "Nothing to charge it on",
    "outside": "Outside the program",
    "product_not_listed": "Product not listed",
    "origin_not_covered": "Origin not covered",
    "never_imposed": "Authorized, and never imposed",
    "not_in_force": "Not in force",
}


def show_explanation(paper: Paper, found: Data) -> None:
    """Write an explanation, as `explain_entry` returns it."""
    if found["known_on"]:
        paper.line(f"By the law as it was known on {found['known_on']}.", indent=0)
    for place, line in enumerate(found["lines"]):
        if place:
            paper.console.rule(style="dim")
        _line(paper, line)
    for problem in found["problems"]:
        if problem["line"] is None:
            paper.line(f"{problem['field']}: {problem['message']}", indent=0)


def _line(paper: Paper, line: Data) -> None:
    if "problem" in line:
        paper.title(f"Line {line['id']} cannot be assessed")
        paper.line(f"{line['problem']['field']}: {line['problem']['message']}")
        paper.line(f"-> {line['problem']['fix']}")
        return
    value, duty = money(line["value"]), money(line["duty"])
    paper.title(f"Line {line['id']}", f"{line['hts']} of {line['origin']}, entered {line['entry_date']}, value {value}: duty {duty}")
    for warning in line["warnings"]:
        paper.line(f"Note: {warning['message']}" + (f" -> {warning['fix']}" if warning["fix"] else ""))
    for earlier in line["by_earlier_law"]:
        _earlier(paper, line, earlier)
    known = [*_GROUPS, *(program["verdict"] for program in line["programs"] if program["verdict"] not in _GROUPS)]
    for verdict in dict.fromkeys(known):
        programs = [program for program in line["programs"] if program["verdict"] == verdict]
        if programs:
            paper.head(_GROUPS.get(verdict, verdict.replace("_", " ").capitalize()))
            for program in programs:
                _program(paper, program)


def _program(paper: Paper, program: Data) -> None:
    paper.item(f"{program['program']}: {program['title']}")
    words = program["because"]
    headings = program.get("headings", ())
    if program["verdict"] == "applies" and headings:
        words = f"{', '.join(headings)}: {words}"
    paper.line(words, indent=4)
    if program.get("facts"):
        seen = ", ".join(f"{name} = {'not stated' if value is None else value}" for name, value in program["facts"].items())
        paper.line(f"seen: {seen}", indent=4)
    if "would_be" in program:
        paper.line(f"would have cost {money(program['would_be'])}", indent=4)
    if "doubt" in program:
        paper.line(f"{program['confidence']} confidence: {program['doubt']}", indent=4)
    for act in program["instruments"]:
        paper.line(act_words(act), indent=4, style="dim")
    if program["cites"]:
        paper.line(f"see {'; '.join(program['cites'])}", indent=4, style="dim")


def act_words(act: Data) -> str:
    """Return a legal act with its dates and where it stands."""
    published = f", published {act['published']}" if act["published"] != act["signed"] else ""
    return f"{act['cite']} ({act['title']}), signed {act['signed']}{published}"


def _earlier(paper: Paper, line: Data, earlier: Data) -> None:
    headings = f" ({', '.join(earlier['headings'])})" if earlier["headings"] else ""
    words = f"As known on {earlier['known_on']} this line would have owed {money(earlier['duty'])}{headings}; as known now it owes {money(line['duty'])}"
    if earlier["difference"] is not None:
        sign = "less" if earlier["difference"].startswith("-") else "more"
        words += f", {money(earlier['difference'].removeprefix('-'))} {sign}"
    paper.line(f"{words}.")
    if earlier["called_off"]:
        paper.line(f"Called off since: {', '.join(earlier['called_off'])}.")
    for act in earlier["instruments"]:
        paper.line(act_words(act), indent=4, style="dim")
