"""The figures of docs/accuracy.md, from the cases and the book. `python -m tests.law.accuracy` in the project's folder writes them there."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.law.case_files import Case, read_cases, read_table
from tests.law.rulebook import the_book

from tariff_engine.coverage import held

if TYPE_CHECKING:
    from tariff_engine.book import Book

DOCUMENT = Path(__file__).parents[2] / "docs" / "accuracy.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
NO_PROGRAM = "base duty, fees and de minimis alone"


def programs_of(book: Book) -> dict[str, str]:
    """Return the program of every heading that the book can file."""
    return {heading: max(programs) for heading, programs in held(book).items()}


def reached(case: Case, owners: dict[str, str]) -> set[str]:
    """Return the programs that a case says something about."""
    want = case.expect
    names = [heading for entry in want.get("headings", ()) for heading in ([entry] if isinstance(entry, str) else entry)]
    names += [*want.get("rates", ()), *want.get("amounts", ()), *want.get("not_applied", ())]
    found = {name.removeprefix("program:") if name.startswith("program:") else owners.get(name, "") for name in names}
    found |= {program for group in want.get("programs", ()) for program in group.split(" + ")}
    return found - {""} or {NO_PROGRAM}


def figures() -> str:
    """Return the tables in Markdown."""
    book, cases = the_book(), read_cases()
    disputes = {row["case"]: row for row in read_table("disputes.yaml")}
    left_out = read_table("not_covered.yaml")
    lines = [
        *_all(cases, disputes, left_out),
        "",
        "## By program",
        "",
        "A case counts for every program of which it states a heading, a rate, an amount or that it does not apply.",
        "",
        *_by_program(book, cases, disputes),
        "",
        "## Where a case and the book differ",
        "",
        *_disputes(disputes),
        "",
        "## Cases that are not covered",
        "",
        *(f"- {len(row['cases'])}: {row['because']} ({', '.join(row['cases'])})" for row in left_out["reasons"]),
        "",
        "## Cases that were completed or corrected",
        "",
        *_changed(cases),
        "",
        "## What the book itself is unsure of",
        "",
        "An answer that rests on one of these provisions carries a warning `confidence_medium` or `confidence_low`.",
        "",
        *_doubts(book),
    ]
    return "\n".join(lines) + "\n"


def _all(cases: tuple[Case, ...], disputes: dict[str, Any], left_out: dict[str, Any]) -> Iterator[str]:
    collected = [case for case in cases if not case.own]
    yield f"{left_out['total']} cases were collected; {len(collected)} are covered, {left_out['total'] - len(collected)} are not."
    yield f"{len(cases) - len(collected)} more are our own."
    yield ""
    yield "| file | cases | agree | differ, by name | outcome stated by somebody else |"
    yield "| --- | --- | --- | --- | --- |"
    for name in [*dict.fromkeys(case.file for case in cases), ""]:
        mine = [case for case in cases if name in {case.file, ""}]
        differ = sum(case.id in disputes for case in mine)
        yield f"| {name or 'all'} | {len(mine)} | {len(mine) - differ} | {differ} | {sum(case.independent for case in mine)} |"


def _by_program(book: Book, cases: tuple[Case, ...], disputes: dict[str, Any]) -> Iterator[str]:
    owners = programs_of(book)
    steps = Counter(node.program.program for node in book.nodes.values() for _ in node.provision.steps)
    yield "| program | provisions | steps | cases | agree | differ, by name | outcome stated by somebody else |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name in [*(program.program for program in book.programs), NO_PROGRAM]:
        mine = [case for case in cases if name in reached(case, owners)]
        differ = sum(case.id in disputes for case in mine)
        provisions = sum(node.program.program == name for node in book.nodes.values())
        shown = f"{provisions} | {steps[name]}" if provisions else " | "
        yield f"| {name} | {shown} | {len(mine)} | {len(mine) - differ} | {differ} | {sum(case.independent for case in mine)} |"


def _disputes(disputes: dict[str, Any]) -> Iterator[str]:
    yield "| case | kind | our answer | the text | decision |"
    yield "| --- | --- | --- | --- | --- |"
    for name, row in disputes.items():
        text = f'"{row["text"]}"' if row["quoted"] else row["text"]
        yield f"| {name} | {row['kind']} | {'; '.join(row['answers'])} | {text} ({row['where']}) | {row['decision']} |"


def _changed(cases: tuple[Case, ...]) -> Iterator[str]:
    completed = [f"{case.id} ({', '.join(case.completed)})" for case in cases if case.completed]
    yield f"{len(completed)} cases state no product, or an invented one; a product that fits was added: {', '.join(completed)}."
    yield ""
    reasons: dict[str, list[str]] = {}
    for case in cases:
        if case.corrected:
            reasons.setdefault(case.corrected, []).append(case.id)
    yield f"{sum(map(len, reasons.values()))} cases were corrected against the official text:"
    yield ""
    for reason, names in reasons.items():
        yield f"- {reason}: {', '.join(names)}"
    unsure = [case.id for case in cases if case.confidence != "high"]
    yield ""
    yield f"{len(unsure)} cases are of medium or low confidence by their collectors: {', '.join(unsure)}."


def _doubts(book: Book) -> Iterator[str]:
    for node in book.nodes.values():
        doubt = node.provision.confidence
        if doubt and doubt.level != "high":
            yield f"- {node.id} ({node.program.program}), {doubt.level}: {doubt.because}"


def document(current: str) -> str:
    """Return the document with its figures renewed."""
    before, _, rest = current.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{figures()}{END}{after}"


def main() -> None:
    """Write the figures into the document."""
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT} written\n")


if __name__ == "__main__":
    main()
