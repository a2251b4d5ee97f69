"""The numbers of the schedule, in order: what lies at the edges of a code, and around a base rate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tariff_engine.schedule import Schedule

_NUMBER = 10  # digits of a statistical number


class Numbers:
    """The ten-digit numbers of all editions of a schedule, in order, and the base rates of the last."""

    def __init__(self, schedule: Schedule) -> None:
        """Take the numbers of every edition."""
        self.codes = schedule.numbers()
        self._schedule = schedule
        self._by_rate: list[tuple[Fraction, str]] | None = None

    def edge(self, code: str) -> tuple[str, ...]:
        """Return the number before a code, the first and the last under it, and the number after it, as far as there are such numbers."""
        low, high = bisect_left(self.codes, code), bisect_left(self.codes, code + ":")  # a colon sorts after every digit
        places = (low - 1, low, high - 1, high) if low < high else (low - 1, high)
        return tuple(dict.fromkeys(self.codes[place] for place in places if 0 <= place < len(self.codes)))

    def around_rate(self, rate: Fraction, words: str) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield a number with the next lower base rate, one with this rate, and one with the next higher."""
        if self._by_rate is None:
            self._by_rate = sorted(self._rates())
        low, high = bisect_left(self._by_rate, (rate, "")), bisect_left(self._by_rate, (rate, ":"))
        places = (low - 1, *((low,) if low < high else ()), high)
        found = tuple(self._by_rate[place][1] for place in places if 0 <= place < len(self._by_rate))
        if found:
            yield found, f"{words} {float(rate):.4%}".replace("00%", "%")

    def _rates(self) -> Iterator[tuple[Fraction, str]]:
        seen: set[Fraction] = set()
        edition = self._schedule.editions[-1]
        for code in self._schedule.tables[-1].codes:
            if len(code) == _NUMBER and code[0] != "9":
                rate = self._schedule.find(code, edition.starts).general
                plain = None if rate.ad_valorem is None else Fraction(*rate.ad_valorem)
                if plain is not None and plain not in seen:
                    seen.add(plain)
                    yield plain, code
