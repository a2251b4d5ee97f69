"""Entries whose lines are put together by class owe what the engine says of each."""

from __future__ import annotations

import os
import random
from datetime import date
from typing import Any

import numpy as np

from tariff_engine.bulk.entries import Entries
from tariff_engine.entry_lines import entry_line
from tariff_engine.frame import frame
from tariff_engine.problems import ProblemError
from tariff_engine.testing import space
from tariff_service.rulebook import open_engine

ENTRIES = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 400
VALUES = (1, 4, 5, 6, 249, 250, 251, 799, 800, 801, 1250, 2499, 2500, 2501, 20_000, 500_000)
DAYS = ("2019-12-31", "2025-04-29", "2025-04-30", "2025-08-28", "2025-08-29", "2025-09-30", "2025-10-01", "2026-07-23", "2026-07-24")


def test_entries_owe_what_the_engine_says() -> None:
    known, rng = open_engine(None).at(), random.Random(7)
    where = space(known)
    products = [code for code in rng.sample(where.codes, 60) if len(code) == 10] + ["2204.21.50.40", "3303.00.30.00", "6109.10.00.12"]
    origins = ["CN", "CA", "MX", "IL", "HT", "GU", "VN", "DE"]
    entries, met, compared = Entries(known), dict[tuple[Any, ...], Any](), 0
    for _ in range(ENTRIES):
        day, mode = rng.choice(DAYS), rng.choice(("ocean", "air", "truck", "express", "postal", None))
        stated = {"entry_date": day, **({"mode": mode} if mode else {}), **rng.choice(({}, {}, {"entry_type": "01"}, {"entry_type": "11"}))}
        kinds = [(rng.choice(products), rng.choice(origins), rng.choice((None, None, True, False))) for _ in range(rng.randrange(1, 4))]
        read, numbers, values = [], [], []
        for place in range(rng.choice((1, 2, 3, 10, 30))):
            hts, origin, usmca = rng.choice(kinds)
            value = rng.choice(VALUES)
            facts = {**stated, "hts": hts, "origin": origin, **({} if usmca is None else {"usmca_qualifying": usmca})}
            key = tuple(sorted(facts.items()))
            try:
                if key not in met:  # a line of another value stands for all of its class
                    sample = known.read({**facts, "value": "10000"})
                    answer = known.answer(sample, "", "none", inquire=False)
                    met[key] = answer, entries.number(entry_line(known, sample, answer))
                read.append((str(place), known.read({**facts, "value": str(value)})))
            except ProblemError:
                continue
            numbers.append(met[key][1])
            values.append(value)
        if not read:
            continue
        days = np.full(len(read), date.fromisoformat(day).toordinal() - 719_163)
        owed = entries.assess(np.array([0]), np.array(numbers), np.array(values), days)
        if not owed.known[0]:
            continue
        expected = frame(known, read, [known.answer(line, name, "none", inquire=False) for name, line in read])
        found = (int(owed.mpf[0]), int(owed.hmf[0]), entries.types[int(owed.types[0])], entries.results[int(owed.results[0])])
        fees = expected["fees"]
        cents = [int(fees[name].replace(".", "")) for name in ("mpf", "hmf")]
        assert found == (*cents, fees["entry_type"]["code"], expected["de_minimis"]["result"]), (day, mode, read)
        compared += 1
    assert compared > ENTRIES * 0.7
