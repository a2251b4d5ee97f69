"""What the numbers of an edition are called, and the search for a number by words.

Rates never depend on it, so it is no part of the compiled law: the file beside the table of an edition is read when somebody first searches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from tariff_engine.problems import RulebookError
from tariff_engine.schedule import Schedule
from tariff_engine.schedule_files import csv_rows, is_code, rule_text

COLUMNS: Final = ("hts", "description")
_DIGITS: Final = (4, 6, 8, 10)
_LINE: Final = 8
_MOST_WORDS: Final = 8  # of a search; further ones are left out
_WORD = re.compile(r"[^\W_]+")
_SMALL: Final = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "other", "the", "to", "with"})
_OWN, _WHOLE = 4, 2  # what a word counts in the words of the number itself, and where it stands whole


def words_file(table: str) -> str:
    """Return the name of the file with the descriptions of a table.

    >>> words_file("hts_2026.csv")
    'hts_2026_descriptions.csv'
    """
    return f"{table.removesuffix('.csv')}_descriptions.csv"


@dataclass(frozen=True, slots=True)
class _Place:
    """A number that goods are declared under, prepared for the search: its own words, and all with those above it."""

    code: str
    own: str
    whole: str


class Words:
    """The descriptions of an edition by code; what a number is called begins with what the shorter codes above it are called."""

    def __init__(self, edition: str, own: Mapping[str, str]) -> None:
        """Take the name of the edition, and for each code its words without those above it."""
        self.edition = edition
        self._own = own
        above = {code[:length] for code in own for length in _DIGITS if length < len(code)}
        self._places = [_Place(code, _plain(own[code]), _plain(self.of(code))) for code in own if len(code) >= _LINE and code not in above]

    def __len__(self) -> int:
        """Return how many codes are described."""
        return len(self._own)

    def of(self, code: str) -> str:
        """Return what a code is called, from the heading down; empty where nothing is said of it.

        >>> Words("", {"0101": "Live horses:", "010121": "Horses: Purebred"}).of("0101210010")
        'Live horses: Horses: Purebred'
        """
        parts = [self._own[code[:length]] for length in _DIGITS if length <= len(code) and code[:length] in self._own]
        return " ".join(part if part.endswith((":", ";", ".")) else f"{part}:" for part in parts).rstrip(":")

    def search(self, text: str, most: int) -> list[tuple[str, str]]:
        """Return the numbers in whose description every word of a text stands, the nearest first, each with its description.

        A word is found by its beginning, in one number or many. Words in the line of the number itself count more than those above it.
        """
        stems = _stems(text)
        if not stems or most < 1:
            return []
        hits = [(rank, one.code) for one in self._places if (rank := _rank(one, stems)) is not None]
        return [(code, self.of(code)) for _, code in nsmallest(most, hits)]


def load_words(folder: Traversable | Path, schedule: Schedule) -> Words | None:
    """Read the descriptions of the last edition; None where it has none. Raises `RulebookError` where the file is malformed."""
    edition = schedule.editions[-1]
    name = words_file(edition.file)
    if not (folder / name).is_file():
        return None
    rows = csv_rows(rule_text(folder, name), name)
    if tuple(next(rows, (1, []))[1]) != COLUMNS:
        raise RulebookError(f"{name}:1: {','.join(COLUMNS)}: state these columns")
    found: dict[str, str] = {}
    for line, cells in rows:
        if len(cells) != len(COLUMNS) or len(cells[0]) not in _DIGITS or not is_code(cells[0]) or cells[0] in found:
            raise RulebookError(f"{name}:{line}: a code of 4, 6, 8 or 10 digits that stands once, and its words; found {str(cells)[:200]}")
        found[cells[0]] = cells[1]
    return Words(edition.name, found)


def _rank(one: _Place, stems: Iterable[tuple[str, str]]) -> tuple[int, int] | None:
    """Return how far a number is from the words: less is nearer; None where a word does not stand in it."""
    score = 0
    for stem, word in stems:
        if f" {stem}" not in one.whole:
            return None
        score += _OWN * (f" {stem}" in one.own) + _WHOLE * (f" {word} " in one.whole or f" {stem} " in one.whole)
    return -score, len(one.whole)


def _stems(text: str) -> list[tuple[str, str]]:
    """Return the words of a search, each with its beginning that stays in the plural; small words only where there are no others."""
    words = list(dict.fromkeys(_WORD.findall(_fold(text))))
    return [(_stem(word), word) for word in ([word for word in words if word not in _SMALL] or words)[:_MOST_WORDS]]


def _stem(word: str) -> str:
    """Return a word without the ending of the plural.

    >>> [_stem(word) for word in ("batteries", "boxes", "horses", "glass", "gas")]
    ['batter', 'box', 'horse', 'glass', 'gas']
    """
    if len(word) > 5 and word.endswith("ies"):  # noqa: PLR2004
        return word[:-3]
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):  # noqa: PLR2004
        return word[:-2]
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word  # noqa: PLR2004


def _fold(text: str) -> str:
    """Return a text in small letters without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))


def _plain(text: str) -> str:
    """Return the words of a text with single blanks, one at either end."""
    return f" {' '.join(_WORD.findall(_fold(text)))} "
