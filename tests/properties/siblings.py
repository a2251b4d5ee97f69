"""Lines that differ from one another in little: in what the compiled evaluator remembers lines by, or just does not.

It keeps a plan for every pattern of facts that it has met, so a line may be answered by what another one left behind. Lines drawn one by one are
too unlike each other to meet in that memory: these share goods, origin and day, and differ in contents, value, quantity, and the day of loading.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

_SHARES = (None, 0, 1, 10, 25, 50, 100)  # of the value in percent; None: not stated
_DAYS = (None, 0, 1, 30, 60, 90)  # loaded so many days before entry


def siblings(line: dict[str, Any], contents: Sequence[str], rng: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Yield a line and so many of its siblings, each another time."""
    day = date.fromisoformat(str(line["entry_date"]))
    stated = [name for name in contents if name in line] or rng.sample(contents, 2)
    yield line
    for _ in range(count):
        other = {name: value for name, value in line.items() if name not in stated}
        other["value"] = rng.choice((line["value"], line["value"], 10_000, 250, 0))
        for name in stated:
            share = rng.choice(_SHARES)
            if share is not None:
                other[name] = int(other["value"]) * share // 100 // len(stated)
        other |= {"quantity": {unit: rng.choice((1, 900, 40_000)) for unit in ("kg", "each")}} if rng.random() < 0.3 else {}
        before = rng.choice(_DAYS)
        if rng.random() < 0.3 and before is not None:
            other |= {"loaded_date": (day - timedelta(days=before)).isoformat(), "final_mode_differs": rng.random() < 0.5}
        yield other
