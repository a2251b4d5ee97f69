"""An invented law that has what the notation can say, close together: both evaluators agree on it, down to reasons, whatever was known.

The law of today leaves corners out: no order in it is turned by amounts, no condition asks for the base rate. Here every provision has another
beside it that changes it, numbers are few, days lie on boundaries, and lines share what is remembered of lines before them. Left out are
goods in transit asked for together with a column or the base rate: the evaluators then name another of several reasons.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tariff_engine.agreement import compare, compare_outcomes
from tariff_engine.book import Book
from tariff_engine.compiled.compile import compile_book
from tariff_engine.compiled.evaluate import CompiledEvaluator
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.charge import Base
from tariff_engine.evaluate.derivation import Derivation
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.notation.load import load_book
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_rules import ROOT as RULES

FEW = 900
LINES = FEW if os.environ.get("HYPOTHESIS_PROFILE", "default") == "default" else 12_000  # for each day of knowledge
INVENTED = Path(__file__).parent / "invented"
SHARED = ("facts.yaml", "filing.yaml", "instruments.yaml", "countries.csv")  # of the law of today: what its facts are called
KNOWN = (date.max, date(2025, 4, 1), date(2025, 8, 15))
NUMBERS = ("7308909590", "7308100000", "8708998180", "8703230190", "6403991500", "6403996015")
ORIGINS = ("VN", "DE", "JP", "CH", "BR", "CN")
EDGES = tuple(date.fromisoformat(day) for day in ("2025-02-01", "2025-03-01", "2025-04-15", "2025-06-01", "2025-09-01", "2026-01-01"))
DAYS = (date(2025, 1, 1), *(day - timedelta(days=before) for day in EDGES for before in (1, 0)), date(2026, 6, 1))
DATES = ("2025-01-15", "2025-01-31", "2025-02-01", "2025-02-14", "2025-02-15", "2025-02-28", "2025-03-01", "2025-05-14", "2025-08-31")
FLAGS = (
    "usmca_qualifying", "in_quota", "is_auto_part", "is_mhdv", "is_pharma_article", "knock_down_kit", "bulk", "imported_before_ban",
    "personal_use_accompanied_baggage", "particular_article_claim", "final_mode_differs",
)  # fmt: skip
CONTENTS = ("us_content_value", "steel_content_value", "aluminum_content_value")
SHARES = (0, 0, 1, 10, 20, 21, 40, 41, 50, 100)
RATES = tuple(Fraction(rate) for rate in ("0", "0.049", "0.05", "0.09", "0.1", "0.12", "0.15", "0.2"))


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder = tmp_path_factory.mktemp("invented")
    shutil.copytree(INVENTED, folder, dirs_exist_ok=True)
    for name in SHARED:
        (folder / name).write_bytes((RULES / name).read_bytes())
    return load_book(folder)


def made(rng: random.Random, law: random.Random) -> tuple[dict[str, Any], str]:
    """Return the facts of a line and its column; `law` draws what lines share: number, origin, day."""
    day = law.choice(DAYS)
    value = rng.choice((10_000, 10_000, 10_000, 333, 1, 0))
    raw: dict[str, Any] = {"hts": law.choice(NUMBERS), "origin": law.choice(ORIGINS), "entry_date": day.isoformat(), "value": value}
    raw |= {name: rng.random() < 0.5 for name in FLAGS if rng.random() < 0.25}
    left = value
    for name in CONTENTS:
        if rng.random() < 0.35:
            raw[name] = min(left, value * rng.choice(SHARES) // 100)
            left -= raw[name]
    if rng.random() < 0.2:
        raw["loaded_date"] = min(rng.choice(DATES), raw["entry_date"])
    if rng.random() < 0.2:
        raw["export_date"] = min(rng.choice(DATES), raw["entry_date"])
    if rng.random() < 0.1:
        raw["ftz_pf_admission_date"] = min(rng.choice(DATES), raw["entry_date"])
    for name, choices in (
        ("mode", ("ocean", "air", "truck")), ("end_use", ("repair", "rnd", "other")), ("melt_pour_country", ("US", "CN")),
        ("metal_weight_pct", ("10", "10.5", "14", "15")), ("manufacture_year", ("1985", "1989", "1990", "2000", "2001", "2020")),
        ("import_adjustment_offset", (0, 5, 100_000)), ("exclusion_claims", (["9903.00.46"], ["9903.00.47"], ["9903.00.46", "9903.00.47"])),
    ):  # fmt: skip
        if rng.random() < 0.2:
            raw[name] = rng.choice(choices)
    return raw, rng.choice(("general", "general", "special", "column2"))


def based(raw: dict[str, Any], rng: random.Random) -> Base:
    """Return a base duty: a rate, dollars, or not known; under chapter 98 at times, which then is a fact of the line."""
    value = int(raw["value"])
    entered, freed, bond, dutiable = "", False, False, value
    if rng.random() < 0.25:
        entered = raw["chapter98"] = rng.choice(("9802.00.60", "9801.00.10", "9802.00.80", "9823.01.01", "9808.00.30", "9813.00.05"))
        freed, bond = entered.startswith("9808"), entered.startswith("9813")
        dutiable = 0 if freed else rng.choice((value, value * 3 // 10, value // 2, 0))
    rate, duty = rng.choice(RATES), Fraction(rng.choice((0, 1, 500, 900, 1500)) * max(value, 1), 10_000)
    kind = rng.random()
    if kind < 0.7:
        return Base(None, rate, dutiable, entered, freed, bond)
    return Base(duty if kind < 0.9 else None, None, dutiable, entered, freed, bond)


@pytest.mark.parametrize("known_on", KNOWN, ids=str)
def test_both_evaluators_agree_on_an_invented_law(known_on: date, invented: Book, knowledge: Knowledge) -> None:
    compiled, parts, rng = compile_book(invented, known_on), Parts(invented), random.Random(str(known_on))
    evaluator, seen, compared = CompiledEvaluator(compiled), set[str](), 0
    for number in range(LINES):
        raw, column = made(rng, random.Random(number // 12))
        base = based(raw, rng)
        try:
            line = knowledge.read(raw)
        except ProblemError:
            continue
        compared += 1
        slow = NaiveEvaluation(invented, line, base, column, known_on, parts)
        expected, found = list[Derivation](), list[Derivation]()
        with suppress(LawConflictError):
            expected.append(slow.run())
        with suppress(LawConflictError):
            fast = evaluator.evaluate(line, base, column)
            found.append(fast.derivation())
        assert len(expected) == len(found), raw
        for one, two in zip(expected, found, strict=True):
            assert not compare(one, two), f"{raw} {base} {column}: {compare(one, two)}"
            outcomes = Outcomes(fast, evaluator.situations)
            theirs = [outcome for program in compiled.programs for outcome in outcomes.of_program(program.index)]
            difference = compare_outcomes(slow.outcomes(), theirs)
            assert not difference, f"{raw} {base} {column}: {difference}"
            seen |= {row.heading for row in one.rows}
    assert compared > LINES * 3 // 4
    assert known_on != date.max or len(seen) > 40


@pytest.mark.parametrize("facts", [{}, {"loaded_date": "2025-02-20"}], ids=["plain", "loaded"])
def test_an_order_that_amounts_turn_is_asked_again_of_other_amounts(facts: dict[str, Any], invented: Book, knowledge: Knowledge) -> None:
    """10% of the value or 25% of the steel, whichever is lower, the first on a tie: the same plan must not serve both sides."""
    evaluator, parts = CompiledEvaluator(compile_book(invented, date.max)), Parts(invented)
    raw = {
        "hts": "8703230190",
        "origin": "BR",
        "entry_date": "2025-09-02",
        "value": 10_000,
        "is_auto_part": True,
        "is_mhdv": False,
        **facts,
    }
    for steel, wins in ((1000, "9903.00.11"), (9000, "9903.00.10"), (3999, "9903.00.11"), (4000, "9903.00.10"), (1000, "9903.00.11")):
        line = knowledge.read({**raw, "in_quota": False, "is_pharma_article": True, "steel_content_value": steel})
        base = Base(None, Fraction(0), 10_000)
        found = evaluator.evaluate(line, base, "general").derivation()
        assert not compare(NaiveEvaluation(invented, line, base, "general", date.max, parts).run(), found)
        assert {row.heading for row in found.rows} & {"9903.00.10", "9903.00.11"} == {wins}, steel
