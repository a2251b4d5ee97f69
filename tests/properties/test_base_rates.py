"""Conditions on the base rate, which the notation has and no rule of today uses: both evaluators agree on every side of both bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from tests.mutation.books import changed, with_program
from tests.properties.test_differential import disagreement

from tariff_engine.book import Book
from tariff_engine.compiled.compile import compile_book
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.parts import Parts
from tariff_engine.notation.conditions import BaseRate
from tariff_engine.problems import ProblemError

DAY = date(2026, 3, 2)
HEADING = "9903.03.01"  # section 122, on nearly all goods
RATES = ("0", "0.049", "0.05", "0.051", "0.085", "0.1", "0.12", "0.2")


def bounded(book: Book, bounds: BaseRate) -> Book:
    """Return a book in which the duty of section 122 falls only on goods of such base rates."""
    place, program = next((place, one) for place, one in enumerate(book.programs) if one.program == "s122")
    number = next(number for number, one in enumerate(program.provisions) if one.heading == HEADING)
    return with_program(book, place, changed(program, ("provisions", number, "when"), base_rate=bounds))


def numbers(knowledge: Knowledge) -> dict[str, str]:
    """Return a number of each of some base rates, and one whose base duty is by the piece."""
    wanted = {Fraction(rate): rate for rate in RATES}
    found: dict[str, str] = {}
    for code in knowledge.law.schedule.numbers():
        if len(code) == 10 and code[:2] in {"42", "62", "64", "71", "84", "85", "91", "95"}:
            try:
                rate = knowledge.law.schedule.find(code, DAY).general.ad_valorem
            except ProblemError:
                continue
            name = "by the piece" if rate is None else wanted.get(Fraction(*rate), "")
            if name:
                found.setdefault(name, code)
    return found


@pytest.mark.parametrize(
    ("bounds", "inside"),
    [
        (BaseRate.model_validate({"at_least": "5%", "below": "10%"}), {"0.05", "0.051", "0.085"}),
        (BaseRate.model_validate({"at_least": "5%"}), {"0.05", "0.051", "0.085", "0.1", "0.12", "0.2"}),
        (BaseRate.model_validate({"below": "10%"}), {"0", "0.049", "0.05", "0.051", "0.085"}),
    ],
)
def test_a_condition_on_the_base_rate_holds_from_one_bound_to_below_the_other(
    bounds: BaseRate, inside: set[str], book: Book, knowledge: Knowledge
) -> None:
    other = bounded(book, bounds)
    law = replace(knowledge.law, compiled=compile_book(other, date.max), memory={})
    known, charged, seen = Knowledge(law), set[str](), numbers(knowledge)
    for rate, number in seen.items():
        for facts in ({}, {"quantity": {"each": 100, "kg": 50}}):
            line = {"hts": number, "origin": "MY", "entry_date": DAY.isoformat(), "value": 10000, **facts}
            assert disagreement(other, Parts(other), known, line) is None
            if any(row.heading == HEADING for row in known.evaluate(known.read(line))[0].derivation().rows):
                charged.add(rate)
    assert "by the piece" in seen
    assert charged - {"by the piece"} == inside & seen.keys()
    assert {"0", "0.05", "0.1"} <= seen.keys()
