"""What the official text prints, read by rule: headings with rates, countries and windows; numbers that notes list; orders and their days.

The texts are in `texts/` (README.md there says where they come from). Nothing here knows the rule files, but for the names of countries.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from tariff_rules import ROOT

TEXTS = Path(__file__).parent / "texts"

# Names that the text writes otherwise than countries.csv.
NAMES = {
    "Brunei Darussalam": "BN",
    "Burma": "MM",
    "Burma (Myanmar)": "MM",
    "Cote d'Ivoire": "CI",
    "Côte d`Ivoire": "CI",
    "Democratic Republic of the Congo": "CD",
    "the Democratic Republic of the Congo": "CD",
    "Myanmar (Burma)": "MM",
    "the Falkland Islands": "FK",
    "the Philippines": "PH",
    "the United Kingdom": "GB",
}
CHINA = ("CN", "HK", "MO")
EU = tuple(re.findall("..", "ATBEBGHRCYCZDKEEFIFRDEGRHUIEITLVLTLUMTNLPLPTROSKSIESSE"))
_DAY = re.compile(r"(January|February|March|April|May|June|July|August|September|October|November|December) (\d{1,2}), (\d{4})")
_HEADING = re.compile(r"(9903\.\d\d\.\d\d) 1/ ")
_NUMBER = re.compile(r"\b\d{4}(?:\.\d\d){0,2}(?:\d\d)?\b")


def text(name: str) -> str:
    """Return one of the texts."""
    return (TEXTS / name).read_text(encoding="utf-8")


def days(words: str) -> tuple[date, ...]:
    """Return the days that a text names, in their order."""
    return tuple(datetime.strptime(" ".join(found), "%B %d %Y").date() for found in _DAY.findall(words))  # noqa: DTZ007


# ---------------------------------------------------------------- countries
@cache
def countries() -> dict[str, str]:
    """Return name -> code, as the book's sheet of countries has them."""
    sheet = (ROOT / "countries.csv").read_text(encoding="utf-8")
    return {row["name"]: row["iso2"] for row in csv.DictReader(sheet.splitlines())}


def codes(words: str) -> tuple[str, ...]:
    """Return the codes of one named country, of China with its regions, or of the European Union. Raises KeyError for any other words."""
    if words in {"European Union", "the European Union"}:
        return EU
    if words == "China, including Hong Kong and Macau":
        return CHINA
    return (NAMES.get(words) or countries()[words],)


def several(words: str) -> tuple[str, ...]:
    """Return the codes of an enumeration: `A, B, or C`, `A or B`, `A`."""
    try:
        return codes(words)
    except KeyError:
        parts = [part for part in re.split(r",? or |, ", words) if part]
        return tuple(code for part in parts for code in codes(part))


# ---------------------------------------------------------------- headings
@dataclass(frozen=True, slots=True)
class Heading:
    """One heading as printed. `rate`: percent, None where no rate is added; `total`: the rate stands in place of the base duty."""

    number: str
    words: str
    rate: int | None
    total: bool
    origins: tuple[str, ...]
    loaded_before: date | None
    entered_before: date | None
    note: str

    @property
    def at_floor(self) -> bool:
        """Whether it is the twin for goods whose base rate reaches the floor."""
        return "equal to or greater than 15 percent" in self.words


@cache
def headings() -> Mapping[str, Heading]:
    """Return the printed headings 9903.01.25 to .76 and 9903.02.01 to .91 by number."""
    blocks: list[list[str]] = []
    for line in text("reciprocal_headings.txt").splitlines():
        if _HEADING.match(line):
            blocks.append([line])
        else:
            blocks[-1].append(line)
    return {found.number: found for found in map(_heading, blocks)}


def _heading(block: list[str]) -> Heading:
    """Read a block: the description stands in the first column and ends with the second `1/`; percent signs stand in the rate columns only."""
    number, words, rates, open_ = block[0][:10], list[str](), set[str](), True
    for place, line in enumerate(block):
        if line.startswith("1/ See chapter 99") or "Harmonized Tariff Schedule of the United States Revision" in line:
            break
        columns = (line[13:] if place == 0 else line.strip()).strip().split("  ")
        rates |= {found for column in columns for found in re.findall(r"(?:\+ ?)?\d+%", column)}
        if open_:
            words.append(columns[0])
            open_ = not re.search(r"\.\.\s*1/$|\.\s1/$", columns[0])
    whole = re.sub(r"\.{3,}\s*1/$", "", " ".join(words)).strip()
    percents = {found.lstrip("+ ").rstrip("%") for found in rates}
    assert len(percents) <= 1, f"{number}: {rates}"
    window = re.search(r"^Except for goods loaded onto a vessel(.*?), ?except for products", whole)
    spans = days(window[1]) if window else ()
    origin = re.search(r"articles the product of (.+?),? (?:as provided|with an ad valorem)", whole, re.IGNORECASE)
    named = origin[1] if origin else ""
    return Heading(
        number,
        whole,
        int(percents.pop()) if percents else None,
        total=bool(rates) and not any(found.startswith("+") for found in rates),
        origins=several(named) if named and "any country" not in named else (),
        loaded_before=spans[0] if spans else None,
        entered_before=spans[1] if len(spans) > 1 else None,
        note="; ".join(re.findall(r"Compiler's note: (.+?)\.?\]", whole)),
    )


# ---------------------------------------------------------------- notes
def subdivision(begins: str, ends: str) -> str:
    """Return the part of U.S. note 2(v) from the line that begins with some words up to the line that begins with others."""
    lines = text("reciprocal_note.txt").splitlines()
    first = next(place for place, line in enumerate(lines) if line.strip().startswith(begins))
    last = (
        next((place for place in range(first + 1, len(lines)) if lines[place].strip().startswith(ends)), len(lines)) if ends else len(lines)
    )
    return "\n".join(lines[first:last])


def listed(begins: str, ends: str) -> frozenset[str]:
    """Return the numbers that a subdivision lists, without dots: its lines of numbers alone."""
    rows = [line for line in subdivision(begins, ends).splitlines() if re.fullmatch(r"[\d. ]+", line.strip())]
    return frozenset(number.replace(".", "") for line in rows for number in _NUMBER.findall(line))


def first_rates() -> dict[str, int]:
    """Return code -> percent of the country rates of April 2025, as note 2(v)(xviii) lists them."""
    found = re.findall(r"\(\d+\) (.+?), subject to an additional duty of (\d+)%", subdivision("(xviii)", "(xix)"))
    return {code: int(percent) for name, percent in found for code in codes(name)}


# ---------------------------------------------------------------- orders
def orders(name: str) -> str:
    """Return the passages kept of an order, on one line."""
    parts = text("reciprocal_orders.txt").split("## ")
    return " ".join(" ".join(part.split("\n")[1:]) for part in parts if part.startswith(name))


def adjusted() -> dict[str, tuple[int, bool]]:
    """Return code -> percent and whether it is a total, as Annex I of EO 14326 lists them."""
    rows = re.findall(r"^(.+?) \| (.+)$", text("reciprocal_orders.txt").partition("ANNEX I")[2], re.MULTILINE)
    found: dict[str, tuple[int, bool]] = {}
    for name, rate in rows:
        if name.startswith("European Union"):
            found |= dict.fromkeys(EU, (15, True))
        elif re.fullmatch(r"\d+%", rate):
            found |= dict.fromkeys(codes(name), (int(rate[:-1]), False))
    return found


def raised(name: str, heading: str) -> tuple[date, int, int]:
    """Return from which day an order amends the rate of a heading, from what to what."""
    words = orders(name)
    found = re.search(
        rf'heading {re.escape(heading)} of the HTSUS shall be amended by deleting "(\d+)%" each place that it appears and by inserting "(\d+)%"',
        words,
    )
    assert found, f"{name} does not amend {heading}"
    return days(words[: found.start()])[-1], int(found[1]), int(found[2])


def union(groups: Iterable[Iterable[str]]) -> frozenset[str]:
    """Return the members of all groups; none may stand in two."""
    members = [one for group in groups for one in group]
    assert len(members) == len(set(members)), "a country is named twice"
    return frozenset(members)
