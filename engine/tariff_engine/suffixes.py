"""Lists of law name ten-digit numbers; a line that states eight digits is told where those below it are not all alike.

Law reaches a number at the digits that it prints (US note 20(g), for one). An eight-digit number is none of the ten-digit numbers below it, so
what reaches only some of them is not charged; the warning says so, for a duty left out must never look like none.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from tariff_engine.evaluate.words import dotted
from tariff_engine.problems import Problem

if TYPE_CHECKING:
    from tariff_engine.compiled.situation import Situations
    from tariff_engine.facts import Line
    from tariff_engine.law import Law

FULL = 10
_LISTED = "ten-digit numbers of lists"  # where the law remembers them
_NAMED = 4  # headings and numbers that are named


def told_apart(law: Law, situations: Situations, line: Line) -> list[Problem]:
    """Return a warning where law reaches some statistical numbers below the line's number and not others."""
    if len(line.hts) >= FULL:
        return []
    interval = situations.interval(line.day.toordinal())
    admitted = line.facts.get("ftz_pf_admission_date")
    admission = interval if admitted is None else situations.interval(admitted.toordinal())
    stated = situations.find(interval, admission, line.hts, line.origin).live
    apart: dict[int, None] = {}
    numbers: list[str] = []
    for number in law.schedule.below(line.hts, line.day, law.known_on) or _listed(law, line.hts):
        other = situations.find(interval, admission, number, line.origin).live
        different = () if other is stated else [place for place in stated.keys() | other.keys() if stated.get(place) != other.get(place)]
        if different:
            apart |= dict.fromkeys(different)
            numbers.append(dotted(number))
    if not numbers:
        return []
    names = list(dict.fromkeys(law.compiled.provisions[place].id for place in sorted(apart)))
    reached = _named(names)
    message = (
        f"{reached} reach some of the statistical numbers below {dotted(line.hts)} and not others: {_named(numbers)} are not as the rest"
    )
    return [Problem("ten_digits_matter", "hts", message, "state all ten digits; with eight, what reaches only some of them is left out")]


def _listed(law: Law, stem: str) -> tuple[str, ...]:
    """Return the ten-digit numbers below a line that lists of the law name: no edition prints those of a line that ended before."""
    listed: tuple[str, ...] | None = law.memory.get(_LISTED)
    if listed is None:
        listed = law.memory[_LISTED] = tuple(sorted(code for code in law.compiled.product_rows if len(code) == FULL))
    return listed[bisect_left(listed, stem) : bisect_left(listed, f"{stem}:")]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
