"""Lines for tests and benchmarks: drawn where the law changes its mind - listed products and their neighbours, boundary days, odd facts."""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tariff_engine.engine import Knowledge
from tariff_engine.succession import Life, stands

_LINE = 8  # digits of a number that bears rates
_TRIES = 20
_NEAR = 3  # codes on either side of a listed one


@dataclass(frozen=True, slots=True, repr=False)
class Space:
    """What lines of a law can be made of, in a fixed order: equal laws give equal spaces."""

    codes: tuple[str, ...]
    listed: tuple[str, ...]
    origins: tuple[str, ...]
    days: tuple[date, ...]
    flags: tuple[str, ...]
    words: tuple[tuple[str, tuple[Any, ...]], ...]
    contents: tuple[str, ...]
    claims: tuple[str, ...]
    chapter98: tuple[str, ...]
    lives: dict[str, tuple[Life, ...]]

    def __repr__(self) -> str:
        """Return a short form: failing tests print it."""
        return f"Space({len(self.codes)} codes, {len(self.days)} days)"

    def near(self, prefix: str) -> tuple[str, ...]:
        """Return the numbers of the schedule at the beginning of a code, and the one before it."""
        place = bisect_left(self.codes, prefix)
        return self.codes[max(0, place - 1) : place + _NEAR] or self.codes


def space(knowledge: Knowledge) -> Space:
    """Return the space of lines of a law: every number of its schedule, every boundary day and the days around it, every tested fact."""
    law, book = knowledge.law, knowledge.law.compiled
    codes = law.schedule.numbers()
    listed = tuple(sorted({*book.product_rows, *(code for rows in book.families.values() for code in rows if code.isdigit())}))
    named = {origin for _, plain, dated in book.origin_bits for origin in (*plain, *(who for who, _, _ in dated))}
    named |= {code for rows in book.families.values() for code in rows if code in law.countries}
    first, last = law.start.toordinal(), law.horizon.toordinal() + 400
    edges = {edge + shift for edge in book.bounds for shift in (-1, 0, 1)}
    days = tuple(date.fromordinal(edge) for edge in sorted(edges) if first <= edge <= last)
    inquirer = knowledge.inquirer
    flags = tuple(name for name, spec in law.facts.items() if spec.type == "bool")
    words = tuple(
        (name, values) for name, values in inquirer.representatives.items() if name not in flags and law.facts[name].type != "date"
    )
    return Space(
        codes,
        tuple(code for code in listed if len(code) >= 4),
        tuple(sorted(named & set(law.countries))),
        days,
        flags,
        tuple((name, values) for name, values in words if name not in book.ages.values()),
        tuple(piece.fact for piece in book.slices),
        tuple(sorted(book.claim_bits)),
        tuple(sorted({number.number for found in law.chapter98.numbers.values() for number in found})),
        {stem: law.schedule.lives(stem) for stem in dict.fromkeys(code[:_LINE] for code in codes)},
    )


def random_line(where: Space, rng: random.Random) -> dict[str, Any]:
    """Draw a line as a filer might send it; it may contradict itself, as filers' lines do."""
    value = rng.choice((10_000, 12_345, 800, 801, 1, 0, 999_999_999, rng.randrange(1, 100_000)))
    day = rng.choice(where.days)
    line: dict[str, Any] = {
        "hts": _standing(where, rng, day),
        "origin": rng.choice(where.origins),
        "entry_date": day,
        "value": value,
    }
    if rng.random() < 0.9:
        line["mode"] = rng.choice(("ocean", "ocean", "air", "truck", "rail", "express", "postal"))
    line |= {name: rng.random() < 0.5 for name in rng.sample(where.flags, rng.choice((0, 0, 1, 4)))}
    line |= {name: rng.choice(values) for name, values in rng.sample(where.words, rng.choice((0, 0, 1, 2)))}
    for name in rng.sample(where.contents, rng.choice((0, 0, 1, 2))):
        line[name] = Decimal(value) * rng.choice((0, 1, 10, 20, 25, 40, 50)) / 100
    if rng.random() < 0.15:
        line["loaded_date"] = line["entry_date"] - timedelta(days=rng.choice((0, 1, 20, 60, 200)))
    if rng.random() < 0.08:
        line["ftz_pf_admission_date"] = line["entry_date"] - timedelta(days=rng.choice((0, 1, 30, 100, 400)))
    if rng.random() < 0.08:
        line |= {"chapter98": rng.choice(where.chapter98), "processing_value": value // 3}
    if where.claims and rng.random() < 0.08:
        line["exclusion_claims"] = [rng.choice(where.claims)]
    if rng.random() < 0.5:
        line["quantity"] = {unit: str(rng.randrange(1, 500)) for unit in ("kg", "each", "liter", "doz", "m2", "pf_liter", "bbl")}
    return line


def _standing(where: Space, rng: random.Random, day: date) -> str:
    """A number that stands in the schedule of a day; the last one drawn if none of many does."""
    for _ in range(_TRIES):
        code = _code(where, rng)
        if stands(where.lives[code[:_LINE]], day):
            break
    return code


def _code(where: Space, rng: random.Random) -> str:
    """A number of the schedule: near a listed code three times in four."""
    if rng.random() < 0.25:
        return rng.choice(where.codes)
    return rng.choice(where.near(rng.choice(where.listed)))
