"""Every distinct rate text, computed for a sample and compared with components that were read independently of the parser."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from tariff_engine.dated_table import DatedTable
from tariff_engine.problems import ProblemError
from tariff_engine.rates import AdValorem, Rate, Specific, duty, parse_rate
from tariff_engine.schedule import Schedule, parse_special
from tariff_engine.schedule_files import load_schedule
from tariff_engine.units import BASES, PARTS, UNITS

DATA = Path(__file__).parent / "data"
FOLDER = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules" / "schedule"
UNIT_NAMES = {"1000": "thousand", "1000_pins": "thousand", "piece": "other_piece", "lin_m": "m"}
VALUE, EACH, AMOUNT, DEGREES, PART = 100_000, 10, 1000, 96, 1_000
SENT = {
    name: Decimal(AMOUNT)
    for name in UNITS
    if name not in {"hundred", "gross", "head", "article", "doz", "thousand", "doz_pair", "g", "t", "cm2"}
}
SENT |= {f"{unit}_{basis}": Decimal(AMOUNT) for unit in UNITS for basis in BASES}
SENT |= {"each": Decimal(EACH), "degree": Decimal(DEGREES), "plate": Decimal(0)}
PARTS_SENT = dict.fromkeys(PARTS, PART)
SIZES = {name: unit.size for name, unit in UNITS.items()}


def quantity(unit: str, over: int) -> Fraction:
    """The quantity of a unit that the sample is, as the tables of units convert it: counts from ten articles, the others from a thousand."""
    family = UNITS[unit].family
    base = Fraction(EACH) if family == "count" else Fraction(AMOUNT)
    amount = base / SIZES[unit] if unit not in SENT else Fraction(SENT[unit])
    return amount - over * EACH


def expected(components: list[Any]) -> Fraction:
    """The duty of the sample by its components, each with plain arithmetic."""
    total = Fraction(0)
    for component in components:
        match component:
            case "free" | "cap":
                pass
            case ["%", percent]:
                total += VALUE * Fraction(percent) / 100
            case ["%", percent, _]:
                total += PART * Fraction(percent) / 100
            case ["$", dollars, unit, basis, over]:
                plain = basis in ("", "ethyl_alcohol")
                amount = quantity(UNIT_NAMES.get(unit, unit), over) if plain else Fraction(AMOUNT)
                scale = 1 if Fraction(dollars) <= 1 else 100
                total += Fraction(dollars) * Fraction(
                    (2 * scale * amount.numerator + amount.denominator) // (2 * amount.denominator), scale
                )
            case ["sugar", base, step, degrees, floor]:
                total += AMOUNT * max(Fraction(base) - (degrees - DEGREES) * Fraction(step), Fraction(floor))
            case _:
                raise AssertionError(component)
    return total


def computed(rate: Rate) -> Any:
    """The duty of the sample as the engine computes it, or the code of its refusal."""
    try:
        return duty(rate, VALUE, SENT, PARTS_SENT)
    except ProblemError as error:
        return error.problem.code


def wanted(components: list[Any]) -> Any:
    return "rate_by_reference" if any(isinstance(one, list) and one[0] == "ref" for one in components) else expected(components)


def rows() -> list[Mapping[str, str]]:
    with (DATA / "expressions.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_distinct_rate_text_comes_to_what_its_components_come_to() -> None:
    texts = [(row["text"], json.loads(row["components"])) for row in rows() if row["kind"] == "rate"]
    assert len(texts) > 1400
    assert [(text, computed(parse_rate(text)), wanted(parts)) for text, parts in texts if computed(parse_rate(text)) != wanted(parts)] == []


def test_every_rate_of_every_special_text_comes_to_what_its_components_come_to() -> None:
    seen = 0
    for row in rows():
        if row["kind"] == "special":
            found = {symbol: rate for symbols, rate in parse_special(row["text"]) for symbol in symbols}
            for symbols, parts in json.loads(row["components"]):
                assert {str(computed(found[symbol])) for symbol in symbols.split() if symbol in found} == {str(wanted(parts))}, row["text"]
                seen += 1
    assert seen > 1000


@cache
def schedule() -> Schedule:
    return load_schedule(FOLDER)


def test_general_rates_of_2018_to_2024_are_the_figures_that_the_yearly_databases_hold_beside_the_text() -> None:
    """Share of the value, dollars by the first and by the second quantity, as the databases print them in columns of figures."""
    wrong = []
    with (DATA / "annual_components.csv").open(encoding="utf-8", newline="") as handle:
        texts = list(csv.DictReader(handle))
    assert len(texts) > 600
    for row in texts:
        rate = parse_rate(row["text"])
        share = sum((term.percent for term in rate.terms if isinstance(term, AdValorem)), Fraction(0)) / 100
        amounts = [term.dollars for term in rate.terms if isinstance(term, Specific)]
        each = [term.dollars / (1000 if term.unit == "thousand" else 1) for term in rate.terms if isinstance(term, Specific)]
        printed = Fraction(row["specific"]) + Fraction(row["other"])
        if share != Fraction(row["share"]) or printed not in {sum(amounts), sum(each)}:  # of a thousand, or of one of them
            wrong.append(row["text"])
    assert wrong == []


def test_every_span_of_every_number_from_2018_to_2024_bears_rates_that_are_understood() -> None:
    book = schedule()
    (table,) = {table for table in book.tables if isinstance(table, DatedTable)}
    found = 0
    for number in table.codes:
        for span in table.spans(number):
            line = book.find(number, span.starts)
            assert line.hts == line.rate_line == number
            found += 1
    assert found > 24_000
