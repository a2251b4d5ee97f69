"""What durable-rules is told of a line: integers, short texts and booleans, each under the name that the rules of a ruleset use.

Lists are memberships (durable hangs on conditions of a thousand codes); numbers and days are ranks among the thresholds that the law names
(durable counts in binary floating point; a rank is exact). Reading a list and finding a rank is all that happens here: what follows from
them is decided by the rules.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.facts import Line

UNKNOWN = "?"
ENTERED, AVE = "entry_date", ""  # what has thresholds besides facts: the day of entry, the ad valorem equivalent of the base rate
Told = bool | int | str


def day_number(day: date) -> int:
    """Return a day as the integer that rules compare."""
    return day.toordinal()


@dataclass(frozen=True, slots=True)
class Term:
    """One property of the fact that describes a line: its kind, what it is about, and whether lists are read as of the day of admission."""

    kind: str
    about: tuple[str, ...] = ()
    admission: bool = False


class Teller:
    """Tells terms of lines. Thresholds are collected while rules are written: every number that a rule compares a fact with."""

    def __init__(self, book: Book, known_on: date) -> None:
        """Take the rulebook as known on a day."""
        self.book, self.known_on = book, known_on
        self.thresholds: dict[str, list[Fraction]] = {}
        self._listed: dict[str, dict[str, list[tuple[int, int, tuple[str, ...]]]]] = {}

    def threshold(self, fact: str, number: Fraction) -> None:
        """Note a number that the law compares a fact with; all must be noted before the first rank is told."""
        found = self.thresholds.setdefault(fact, [])
        if number not in found:
            found.insert(bisect_left(found, number), number)

    def rank(self, fact: str, value: Fraction) -> int:
        """Return the place of a number among the thresholds: 2n below the n-th, 2n + 1 on it."""
        found = self.thresholds[fact]
        place = bisect_left(found, value)
        return 2 * place + (place < len(found) and found[place] == value)

    def tell(self, term: Term, line: Line, column: str, ave: Fraction | None) -> Told:
        """Return the value of a term on a line."""
        kind, about = term.kind, term.about
        if kind in {"flag", "text", "rank", "known"}:
            return self._fact(kind, about[0], line)
        if kind == "some":
            return line.content.get(about[0], 0) > 0
        if kind == "origin":
            return any(self._from(name, line) for name in about)
        if kind == "listed":
            day = line.facts.get("ftz_pf_admission_date", line.day) if term.admission else line.day
            return self.listed(about[0], line.hts, day)
        if kind == "starts":
            return line.hts.startswith(about)
        if kind == "claim":
            return about[0] in (line.facts.get("exclusion_claims") or ())
        if kind == "ave":
            return -1 if ave is None else self.rank(AVE, ave)
        if kind == "entered":
            return self.rank(ENTERED, Fraction(day_number(line.day)))
        return column if kind == "column" else line.hts[:2]

    def _from(self, name: str, line: Line) -> bool:
        if not name.startswith("group:"):
            return name == line.origin
        for member in self.book.groups[name[6:]]:
            if isinstance(member, str):
                if member == line.origin:
                    return True
            elif member.origin == line.origin and (member.from_ or date.min) <= line.day < (member.until or date.max):
                return True
        return False

    def _fact(self, kind: str, name: str, line: Line) -> Told:
        value = self.value(name, line)
        if kind == "known":
            return value is not None
        if value is None:
            return -1 if kind == "rank" else UNKNOWN
        if kind == "flag":
            return "yes" if value else "no"
        if kind == "rank":
            return self.rank(name, Fraction(day_number(value) if isinstance(value, date) else value))
        return f"={value}"

    def value(self, name: str, line: Line) -> Any:
        """Return a fact as stated, or as it follows from others that were; None where nobody stated it."""
        stated = line.facts.get(name)
        if stated is not None:
            return stated
        spec = self.book.facts[name]
        if spec.ratio:
            part, whole = (self.value(source, line) for source in spec.ratio)
            return 100 * Fraction(part) / Fraction(whole) if part is not None and whole else None
        if spec.years_before_entry:
            year = self.value(spec.years_before_entry, line)
            return None if year is None else line.day.year - Decimal(year)
        return None

    def listed(self, name: str, number: str, day: date) -> bool:
        """Whether a product stands on a list on a day, as far as its rows are known."""
        index = self._listed.get(name)
        if index is None:
            index = self._listed[name] = {}
            for row in self.book.tables[name].rows:
                if self.book.visible(row.by or None, row.withdrawn_by or None, self.known_on):
                    index.setdefault(row.hts, []).append((day_number(row.from_), day_number(row.until), row.excepted))
        today = day_number(day)
        for size in range(2, len(number) + 1):
            for start, end, cut in index.get(number[:size], ()):
                if start <= today < end and not (cut and number.startswith(cut)):
                    return True
        return False
