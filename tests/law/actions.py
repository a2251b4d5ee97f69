"""What the official text prints of the actions of 2026: the 60 economies, the surcharge, the duties and bans on products of Canada.

The texts are in `texts/` (README.md there says where they come from). Nothing here knows the rule files, but for the names of countries.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache

from tests.law import printed

_NAMES = {
    "Dominican Republic": "DO",
    "Hong Kong, China": "HK",
    "Russia": "RU",
    "South Korea": "KR",
    "Taiwan": "TW",
    "Trinidad and Tobago": "TT",
    "Türkiye": "TR",
    "Venezuela": "VE",
    "Vietnam": "VN",
    "the Bahamas": "BS",
    "the United Arab Emirates": "AE",
}
_NUMBER = re.compile(r"\b\d{4}\.\d\d\.\d\d(?:\d\d)?\b")


@dataclass(frozen=True, slots=True)
class Economy:
    """A country of the action: its heading and rate; `floor`: the rate is a total, and `at_floor` the heading where the base rate reaches it.

    `column_2` is what the heading adds to goods of column 2; `exempt` are the headings that it excepts.
    """

    heading: str
    rate: Fraction
    floor: bool
    at_floor: str
    column_2: Fraction
    exempt: tuple[str, ...]


@cache
def rows() -> tuple[dict[str, str], ...]:
    """Return the printed headings 9903.05.20 to .06.21 and 9903.03.12 to .16, each edition by itself."""
    with (printed.TEXTS / "economies_headings.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def percent(words: str) -> Fraction:
    """Return the rate that a column prints; none is zero."""
    found = re.search(r"(\d+(?:\.\d)?)%", words)
    return Fraction(found[1]) / 100 if found else Fraction(0)


def codes(name: str) -> tuple[str, ...]:
    """Return the codes of a country as these headings name it."""
    if name == "a member state of the European Union":
        return printed.EU
    return (_NAMES[name],) if name in _NAMES else printed.codes(name)


def headings(words: str) -> tuple[str, ...]:
    """Return the headings that a text names, those of ranges too."""
    found = list[str]()
    for first, last in re.findall(r"(99\d\d\.\d\d\.\d\d)(?:[\u2013-](99\d\d\.\d\d\.\d\d))?", words):
        if not last:
            found.append(first)
            continue
        at, end = (int(number.replace(".", "")) for number in (first, last))
        found += [f"{number // 10000}.{number // 100 % 100:02}.{number % 100:02}" for number in range(at, end + 1)]
    return tuple(found)


@cache
def economies() -> dict[str, Economy]:
    """Return code -> what products of the economy pay."""
    duties = [row for row in rows() if "9903.05.20" <= row["heading"] <= "9903.05.84"]
    floors: dict[str, str] = {}
    found: dict[str, Economy] = {}
    for row in duties:
        name = re.search(r"articles the product of (.+?), (?:as provided|with an ad valorem)", row["article"])
        assert name, row
        excepted = headings(row["article"].partition("articles the product")[0])
        twin = "equal to or greater" in row["article"]
        for code in codes(name[1]):
            if twin:
                floors[code] = row["heading"]
                continue
            assert code not in found, f"{code} stands in two headings"
            floor = not row["general"].startswith("The duty")
            found[code] = Economy(row["heading"], percent(row["general"]), floor, floors.get(code, ""), percent(row["column_2"]), excepted)
    assert all(one.floor == (code in floors) for code, one in found.items())
    return found


def windows(article: str) -> tuple[date, date]:
    """Return before which day goods were loaded, and before which they are entered."""
    loaded, entered = printed.days(article)
    return loaded, entered


def article(heading: str) -> str:
    """Return the description of a heading, in its first edition."""
    return next(row["article"] for row in rows() if row["heading"] == heading)


@cache
def note(name: str) -> str:
    """Return a note, its text as stored."""
    return printed.text(f"{name}_note.txt")


def part(name: str, begins: str, ends: str) -> str:
    """Return the part of a note from the words that begin a line up to the line that begins with others."""
    lines = note(name).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(begins))
    last = next((place for place in range(first + 1, len(lines)) if lines[place].startswith(ends)), len(lines)) if ends else len(lines)
    return "\n".join(lines[first:last])


def listed(words: str) -> frozenset[str]:
    """Return the numbers that a passage lists, without dots: its lines of numbers alone."""
    lines = [line for line in words.splitlines() if re.fullmatch(r"[\d. ]+", line)]
    return frozenset(number.replace(".", "") for line in lines for number in _NUMBER.findall(line))


def described(words: str) -> frozenset[str]:
    """Return the numbers under which a passage describes articles, without dots."""
    found = re.findall(r"classifiable in subheading\s+(\d{4}\.\d\d\.\d\d)", " ".join(words.split()))
    return frozenset(number.replace(".", "") for number in found)


__all__ = ["Economy", "article", "described", "economies", "headings", "listed", "note", "part", "rows", "windows"]
