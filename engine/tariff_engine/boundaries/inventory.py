"""The inventory: the boundaries of programs, lists, and the frame around them, in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tariff_engine.boundaries.boundary import Boundary, unique
from tariff_engine.boundaries.frame import frame_boundaries
from tariff_engine.boundaries.lists import list_boundaries
from tariff_engine.boundaries.numbers import Numbers
from tariff_engine.boundaries.programs import program_boundaries
from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.law import Law


def inventory(book: Book, law: Law, program: str | None = None) -> list[Boundary]:
    """Return every boundary of the book, or those of one program (its provisions, its lists, relations that name it).

    `law` is the law compiled from the book: it holds the schedule, fees and de minimis rules. Days before the book begins are left out but
    for the first, since such a line is refused. Raises ProblemError `unknown_program`.
    """
    if program is not None and program not in {one.program for one in book.programs}:
        raise refuse("unknown_program", "program", f"{program} is no program of this rulebook", "`tariff rules list` names every program")
    numbers = Numbers(law.schedule)
    found: list[Boundary] = []
    for one in book.programs:
        if program in {None, one.program}:
            found += program_boundaries(book, one, numbers)
    found += list_boundaries(book, numbers)
    found += frame_boundaries(book, law)
    first = law.start.isoformat()
    return [
        one
        for one in unique(found)
        if (program is None or program in one.programs) and (one.fact != "entry_date" or str(one.sides[-1]) >= first) and len(one.sides) > 1
    ]
