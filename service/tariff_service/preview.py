"""What a draft would do before it is merged: whether the book with it is in order, its own examples by both laws, and lines that it changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tariff_service.line_stream import Sent
from tariff_service.many import assess_many

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Knowledge

Data = dict[str, Any]


def own_examples(book: Book, programs: set[str], before: Knowledge, after: Knowledge) -> list[Data]:
    """Return the examples of some programs, with what each files by the law without the draft and with it, and what it should file."""
    found = []
    for program in book.programs:
        for example in program.examples if program.program in programs else ():
            answers = [assess_many(law, [example.line])[0] for law in (before, after)]
            shown = [
                {"problem": one.problem.as_dict() if one.problem else None}
                if one.answer is None
                else {
                    "headings": [row["heading"] for row in one.answer["headings"] if row["program"] != "base"],
                    "duty": one.answer["duty"],
                }
                for one in answers
            ]
            wanted = {"headings": list(example.headings), "duty": example.duty}
            told = example.known_on is None and shown[1] != wanted
            found.append(
                {
                    "program": program.program,
                    "says": example.says,
                    "before": shown[0],
                    "after": shown[1],
                    "written": wanted,
                    "differs": told,
                }
            )
    return found


def book_examples(book: Book, programs: set[str]) -> Iterator[Sent]:
    """Yield the examples of all other programs as lines: a draft should change none of them unless its act does."""
    number = 0
    for program in book.programs:
        for place, example in enumerate(program.examples, 1):
            number += 1
            if program.program not in programs and example.known_on is None:
                yield Sent(number, f"{program.program}, example {place}", dict(example.line))


def drafted_programs(old: Book, new: Book) -> set[str]:
    """Return the programs that are new by a draft, or written otherwise in it."""
    was = {one.program: repr(one) for one in old.programs}
    return {one.program for one in new.programs if was.get(one.program) != repr(one)}
