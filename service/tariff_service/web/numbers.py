"""Find a number of the schedule: by its first digits, and by words where an edition carries descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge

_MOST = 20
_LEAST = 2  # digits or letters that a search needs


def find_numbers(knowledge: Knowledge, text: str, on: date | None = None, most: int = _MOST) -> list[tuple[str, str]]:
    """Return numbers with a description or else their general rate, those of the edition that governs a day."""
    wanted = text.strip()[:100]
    digits = wanted.replace(".", "").replace(" ", "")
    if len(digits) < _LEAST:
        return []
    schedule = knowledge.law.schedule
    day = on or knowledge.law.horizon
    described: Mapping[str, str] = getattr(schedule, "descriptions", {})  # of imported editions; the editions of the book print rates alone
    if digits.isascii() and digits.isdigit():
        return [(_shown(code), described.get(code) or rate) for code, rate in schedule.starting(digits, day, most)]
    parts = wanted.casefold().split()
    hits = (code for code, words in described.items() if all(part in words.casefold() for part in parts))
    return [(_shown(code), described[code]) for _, code in zip(range(most), hits, strict=False)]


def _shown(code: str) -> str:
    """Return a number with its dots.

    >>> _shown("8544429090"), _shown("85444290")
    ('8544.42.90.90', '8544.42.90')
    """
    return ".".join(part for part in (code[:4], code[4:6], code[6:8], code[8:]) if part)
