"""Find a number of the schedule: by its first digits, and by words where the edition in use has descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tariff_service.api.state import Served

_MOST = 20
_LEAST = 2  # digits or letters that a search needs
_LONGEST = 100  # characters of a search that are read


def find_numbers(served: Served, text: str, most: int = _MOST) -> list[tuple[str, str]]:
    """Return numbers with a description or else their general rate, those of the edition that governs the last day of the law book."""
    wanted = text.strip()[:_LONGEST]
    digits = wanted.replace(".", "").replace(" ", "")
    if len(digits) < _LEAST:
        return []
    words, law = served.words, served.latest.law
    if digits.isascii() and digits.isdigit():
        hits = law.schedule.starting(digits, law.horizon, most)
        return [(_shown(code), (words.of(code) if words else "") or rate) for code, rate in hits]
    return [(_shown(code), says) for code, says in words.search(wanted, most)] if words else []


def _shown(code: str) -> str:
    """Return a number with its dots.

    >>> _shown("8544429090"), _shown("85444290")
    ('8544.42.90.90', '8544.42.90')
    """
    return ".".join(part for part in (code[:4], code[4:6], code[6:8], code[8:]) if part)
