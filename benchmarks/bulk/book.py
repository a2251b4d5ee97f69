"""Books of entry lines with real codes, made with a fixed seed: what an importer really files, and a book in which every line is another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from tariff_engine.law import Law

COMBINATIONS = 20_000  # of product and origin, of which few make most of the lines
DAYS = 400
FIRST = date(2025, 2, 1)
BATCH = 65_536
_ZIPF = 1.05
_MODES = ("ocean", "ocean", "ocean", "air", "air", "truck")
_ORIGINS = ("CN", "MX", "CA", "DE", "JP", "VN", "KR", "TW", "IN", "IT", "GB", "TH", "FR", "MY", "ID", "CH", "BR", "IE", "TR", "BD")
KINDS = ("realistic", "adversarial")
COLUMNS = ("id", "hts", "origin", "entry_date", "value", "mode", "usmca_qualifying")


def numbers_in_force(law: Law, first: date, days: int) -> list[str]:
    """Return the ten-digit numbers whose line stands in the schedule on all days of a book."""
    last = date.fromordinal(first.toordinal() + days)
    found = []
    for number in law.schedule.numbers():
        lives = law.schedule.lives(number)
        if len(number) == 10 and any(start <= first and (until is None or until > last) for start, until in lives):
            found.append(number)
    return found


def batches(law: Law, kind: str, lines: int, seed: int = 1) -> Iterator[pa.RecordBatch]:
    """Yield a book of so many lines: `realistic` (combinations by Zipf's law) or `adversarial` (any number, origin and day)."""
    rng = np.random.default_rng(seed)
    numbers = np.array(numbers_in_force(law, FIRST, DAYS))
    origins = np.array(_ORIGINS if kind == "realistic" else sorted(law.countries))
    likely = 1.0 / np.arange(1, COMBINATIONS + 1) ** _ZIPF
    product, source = rng.integers(0, len(numbers), COMBINATIONS), rng.integers(0, len(origins), COMBINATIONS)
    for start in range(0, lines, BATCH):
        count = min(BATCH, lines - start)
        if kind == "realistic":
            which = rng.choice(COMBINATIONS, count, p=likely / likely.sum())
            hts, origin = numbers[product[which]], origins[source[which]]
        else:
            hts, origin = numbers[rng.integers(0, len(numbers), count)], origins[rng.integers(0, len(origins), count)]
        days = rng.integers(0, DAYS, count) + (FIRST.toordinal() - date(1970, 1, 1).toordinal())
        value = np.exp(rng.normal(9.0, 1.5, count)).astype(np.int64) + 900
        claims = np.isin(origin, ("CA", "MX")) & (rng.random(count) < 0.7)
        columns = [
            pa.array([f"L{number}" for number in range(start, start + count)]),
            pa.array(hts),
            pa.array(origin),
            pa.array(days.astype(np.int32)).cast(pa.date32()),
            pa.array(value),
            pa.array(np.array(_MODES)[rng.integers(0, len(_MODES), count)]),
            pa.array(claims, mask=~np.isin(origin, ("CA", "MX"))),
        ]
        yield pa.RecordBatch.from_arrays(columns, names=list(COLUMNS))
