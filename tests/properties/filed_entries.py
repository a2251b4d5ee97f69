"""Extracts of filed entries, made of the engine's own right answers, with errors planted one a line: what was planted, where, and its dollars."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tariff_engine.engine import Knowledge
from tariff_engine.entry_number import check_digit
from tariff_engine.money import cents_of
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.refund import programs_of
from tariff_engine.testing import Space, random_line
from tariff_service.filed_owed import BASE, Owed, OwedNumber, owed

FIXED = ("Entry Number", "Entry Summary Line Number", "Tariff Ordinal Number", "HTS Number - Full", "Line Tariff Goods Value Amount")
PLANTS = ("clean", "missing_heading", "extra_heading", "wrong_rate", "wrong_base", "other_day", "out_of_sequence")
_CELLS = (str, bool, int, Decimal, date)
Row = list[Any]  # number, duty in cents, dollars of value or nothing


@dataclass(slots=True)
class Planted:
    """A line of an extract: the rows filed, the facts beside them, the error planted, and what was paid too much for it, in cents."""

    number: str
    raw: dict[str, Any]
    kind: str
    rows: list[Row]
    difference: int
    heading: str = ""
    right: Owed | None = field(default=None, repr=False)


def entry_number(sequence: int) -> str:
    """Return an entry number with its check digit."""
    base = f"ABC{sequence:07}"
    return f"ABC-{sequence:07}-{check_digit(base)}"


def drawn(knowledge: Knowledge, where: Space, dice: random.Random) -> tuple[dict[str, Any], Owed] | None:
    """Draw a line that one row a number can say: its facts fit in cells, its duties are known, and nothing is set off without a number."""
    raw = random_line(where, dice)
    quantity = raw.pop("quantity", {})
    claims = raw.pop("exclusion_claims", None)
    if not all(isinstance(value, _CELLS) for value in raw.values()) or raw["value"] < 100:
        return None
    raw["quantity"], raw["exclusion_claims"] = quantity, claims
    raw = {name: value for name, value in raw.items() if value}
    try:
        right = owed(knowledge, knowledge.read(raw), why=False)
    except (ProblemError, LawConflictError):
        return None
    rows = right.answer["headings"]
    if right.duty is None or any(not row["heading"] for row in rows) or any(row["kind"] == "credit" for row in rows):
        return None
    return raw, right


def plant(knowledge: Knowledge, where: Space, seed: int) -> Planted | None:
    """Return a line with one error, or a clean one; None where the line drawn cannot bear the error."""
    dice = random.Random(seed)
    found = drawn(knowledge, where, dice)
    kind = PLANTS[seed % len(PLANTS)]
    if found is None:
        return None
    raw, right = found
    rows: list[Row] = [[one.number, one.duty, None] for one in right.numbers.values()]
    rows[-1][2] = raw["value"]
    made = Planted(entry_number(seed), raw, kind, rows, 0, right=right)
    return made if kind == "clean" or _PLANTERS[kind](knowledge, made, right, dice) else None


# ---------------------------------------------------------------- one error each
def _missing(_: Knowledge, made: Planted, right: Owed, dice: random.Random) -> bool:
    beside = [one for one in right.numbers.values() if one.program != BASE]
    if not beside:
        return False
    gone = dice.choice(beside)
    made.rows = [row for row in made.rows if row[0] != gone.number]
    made.difference, made.heading = -(gone.duty or 0), gone.number
    return True


def _extra(knowledge: Knowledge, made: Planted, right: Owed, dice: random.Random) -> bool:
    claims = knowledge.law.compiled.claim_bits
    known = sorted(number for number in programs_of(knowledge.law) if number.startswith("99") and number not in claims)
    number = dice.choice([one for one in known if one not in right.numbers])
    made.difference, made.heading = dice.randrange(100, 100_000), number
    made.rows.insert(0, [number, made.difference, None])
    return True


def _charged(right: Owed, dice: random.Random) -> OwedNumber | None:
    able = [one for one in right.numbers.values() if one.share and one.duty and one.base >= 100]
    return dice.choice(able) if able else None


def _rate(_: Knowledge, made: Planted, right: Owed, dice: random.Random) -> bool:
    one = _charged(right, dice)
    if one is None or one.share is None:
        return False
    rate = one.share + Fraction(dice.choice((13, 27, 39)), 1000)
    return _paid(made, one, cents_of(rate, one.base), None)


def _base(_: Knowledge, made: Planted, right: Owed, dice: random.Random) -> bool:
    one = _charged(right, dice)
    if one is None or one.share is None or one.program == BASE:
        return False
    base = one.base + dice.choice((-1, 1)) * dice.randrange(1, max(2, one.base // 2))
    return _paid(made, one, cents_of(one.share, base), base)


def _paid(made: Planted, one: OwedNumber, duty: int, base: int | None) -> bool:
    row = next(row for row in made.rows if row[0] == one.number)
    if one.duty is None or duty == one.duty:
        return False
    row[1], made.difference, made.heading = duty, duty - one.duty, one.number
    row[2] = row[2] if base is None else base
    return True


def _other_day(knowledge: Knowledge, made: Planted, right: Owed, dice: random.Random) -> bool:
    """File all numbers that the line would have had on another day, up to a year away."""
    day = made.raw["entry_date"]
    try:
        moved = date.fromordinal(day.toordinal() + dice.choice((-1, 1)) * dice.randrange(1, 365))
        other = owed(knowledge, knowledge.read({**made.raw, "entry_date": moved}), why=False)
    except (ProblemError, LawConflictError):
        return False
    beside = [one for one in other.numbers.values() if one.program != BASE]
    if other.duty is None or any(not row["heading"] for row in other.answer["headings"]):
        return False
    if not {one.number for one in beside} - right.numbers.keys():
        return False
    made.rows = [*([one.number, one.duty, None] for one in beside), made.rows[-1]]
    made.difference = sum(row[1] for row in made.rows) - (right.duty or 0)
    return True


def _sequence(_: Knowledge, made: Planted, __: Owed, dice: random.Random) -> bool:
    if len(made.rows) < 3:
        return False
    first = dice.randrange(len(made.rows) - 2)
    made.rows[first], made.rows[first + 1] = made.rows[first + 1], made.rows[first]
    return True


_PLANTERS = {
    "missing_heading": _missing,
    "extra_heading": _extra,
    "wrong_rate": _rate,
    "wrong_base": _base,
    "other_day": _other_day,
    "out_of_sequence": _sequence,
}


# ---------------------------------------------------------------- the file
def extract(lines: list[Planted], dice: random.Random, summary_date: str = "") -> str:
    """Return lines as CSV in the columns of ES-003, a row a number, with a column for each further fact; rows of a line in any order."""
    facts = sorted({name for one in lines for name in one.raw} - {"hts", "value", "quantity", "entry_date", "origin", "exclusion_claims"})
    units = sorted({unit for one in lines for unit in one.raw.get("quantity", {})})
    header = [*FIXED, "Line Tariff Duty Amount", "Country of Origin Code", "Entry Date", "Entry Summary Date", *facts, "exclusion_claims"]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*header, *(f"Quantity {unit}" for unit in units)])
    for one in lines:
        rows = list(_cells(one, facts, units, summary_date))
        dice.shuffle(rows)
        writer.writerows(rows)
    return text.getvalue()


def _cells(one: Planted, facts: list[str], units: list[str], summary_date: str) -> Iterator[list[str]]:
    raw = one.raw
    for ordinal, (number, duty, value) in enumerate(one.rows, 1):
        goods = ordinal == len(one.rows)
        yield [
            one.number,
            "1",
            str(ordinal),
            number.replace(".", ""),
            "" if value is None else f"${value:,}.00",
            f"${duty // 100:,}.{duty % 100:02}",
            raw["origin"],
            raw["entry_date"].strftime("%m/%d/%Y"),
            summary_date,
            *(_cell(raw[name]) if goods and name in raw else "" for name in facts),
            " ".join(raw.get("exclusion_claims", ())) if goods else "",
            *(raw.get("quantity", {}).get(unit, "") if goods else "" for unit in units),
        ]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)
