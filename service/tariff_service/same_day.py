"""The rows of a batch that are goods of one person on one day, added up for the test of 19 USC 1321(a)(2).

A row speaks of itself alone, but the exemption is for everything that one person imports on one day. So each row is told, as the fact
`other_goods_same_day_value`, what the other rows of its consignee and day of entry are worth. The fact then stands in the row's own question:
its answer can be had, stored and computed again without the batch.

Rows are told apart by `consignee`, letter case and blanks aside, and `entry_date`, both as stated; rows without a consignee stand alone.
Names are kept as keyed digests only, and of at most `MOST_PERSONS` persons and days, so memory does not grow with the rows.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from tariff_engine.facts import exact
from tariff_engine.problems import ProblemError, refuse

FACT: Final = "other_goods_same_day_value"
MOST_PERSONS: Final = 250_000
_MOST_NAME = 1_000  # characters of a name that are looked at; the reader of facts refuses longer ones


@dataclass(slots=True)
class Sum:
    """What rows of one person and day are worth, how many they are, and the first of them."""

    value: Decimal
    rows: int
    first: int


class SameDay:
    """Adds up rows by person and day."""

    def __init__(self, most: int = MOST_PERSONS) -> None:
        """Take how many persons and days are kept apart."""
        self._most = most
        self._secret = os.urandom(16)  # a digest must not tell a name to whoever guesses it
        self._sums: dict[bytes, Sum] = {}

    def __len__(self) -> int:
        """Return how many persons and days were met."""
        return len(self._sums)

    def key(self, raw: object) -> bytes | None:
        """Return whose goods a row holds on which day; None where the row does not say it."""
        if not isinstance(raw, Mapping):
            return None
        name, day = _of_entry(raw, "consignee"), _of_entry(raw, "entry_date")
        if not isinstance(name, str) or not name.strip() or len(name) > _MOST_NAME or day is None:
            return None
        text = f"{' '.join(name.casefold().split())}\0{day}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()

    def add(self, raw: object, number: int) -> None:
        """Count a row. Raises ProblemError: more persons and days than are kept apart."""
        key, value = self.key(raw), worth(raw)
        if key is None or value is None:
            return
        found = self._sums.get(key)
        if found is not None:
            found.value += value
            found.rows += 1
            return
        if len(self._sums) >= self._most:
            message = f"the rows name more than {self._most:,} persons and days, which are not kept apart any more"
            raise refuse("too_many_persons", "consignee", message, "send the rows of fewer days at a time")
        self._sums[key] = Sum(value, 1, number)

    def others(self, raw: object, *, counted: bool) -> Sum | None:
        """Return what the other rows of a row's person and day are worth so far; `counted`: the row itself was added before.

        None where the row stands alone, is worth nothing that can be read, or states the fact itself.
        """
        key, value = self.key(raw), worth(raw)
        found = None if key is None else self._sums.get(key)
        if found is None or value is None or (isinstance(raw, Mapping) and FACT in raw):
            return None
        return Sum(found.value - value, found.rows - 1, found.first) if counted else replace(found)


def told(raw: Mapping[str, Any], others: Sum) -> dict[str, Any]:
    """Return a row that states what the other goods of its person and day are worth."""
    return {**raw, FACT: f"{others.value:f}"}


def _of_entry(raw: Mapping[str, Any], name: str) -> Any:
    """Return a fact of an entry: stated for it, or by its first line."""
    if name in raw:
        return raw[name]
    lines = raw.get("lines")
    first = lines[0] if isinstance(lines, list) and lines else None
    return first.get(name) if isinstance(first, Mapping) else None


def worth(raw: object) -> Decimal | None:
    """Return the retail value of a row in dollars, else the sum of its line values; None where it cannot be read."""
    if not isinstance(raw, Mapping):
        return None
    retail = _of_entry(raw, "fair_retail_value")
    lines = raw.get("lines", [raw])
    stated: Iterable[Any] = [retail] if retail is not None else _values(lines)
    try:
        amounts = [exact("value", value) for value in stated]
    except ProblemError:
        return None  # the row is refused for it when its turn comes
    return sum(amounts, Decimal(0)) if amounts and min(amounts) >= 0 else None


def _values(lines: object) -> Iterator[Any]:
    for line in lines if isinstance(lines, list) else ():
        yield line.get("value") if isinstance(line, Mapping) else None
