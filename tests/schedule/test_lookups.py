"""Random lookups of a number, entry date, origin and claimed program: a typed answer each time, and no zero without its reason."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tariff_engine.base import LineBase, line_base
from tariff_engine.engine import Knowledge
from tariff_engine.problems import ProblemError
from tariff_engine.testing import Rulebook

LOOKUPS = {"default": 2_000}.get(os.environ.get("HYPOTHESIS_PROFILE", "default"), 100_000)
REFUSALS = {"hts_not_in_force", "ten_digits_needed", "quantity_conflict"}
FIRST, DAYS = date(2018, 7, 6), 3_000
QUANTITY = {name: Decimal(5000) for name in ("kg", "liter", "m2", "m3", "pf_liter", "bbl", "pair", "jewel", "clean_kg", "degree")} | {
    "each": Decimal(6000)
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return Knowledge(Rulebook.installed().knowledge.law)


def free_by_right(line: LineBase) -> bool:
    """Whether a duty of nothing is what the column that was chosen prints."""
    return not line.rate.terms or line.rate.ad_valorem == (0, 1)


def drawn(knowledge: Knowledge, chance: random.Random, codes: tuple[str, ...]) -> dict[str, Any]:
    law = knowledge.law
    code = chance.choice(codes)
    asked: dict[str, Any] = {
        "hts": code[:8] if chance.random() < 0.2 else code[:8] + f"{chance.randrange(100):02}" if chance.random() < 0.1 else code,
        "origin": chance.choice(ORIGINS) if chance.random() < 0.6 else chance.choice(sorted(law.countries)),
        "entry_date": FIRST + timedelta(days=chance.randrange(DAYS)),
        "value": 10_000,
    }
    if chance.random() < 0.5:
        asked["spi"] = chance.choice(sorted(law.preferences.by_symbol))
    if chance.random() < 0.6:
        asked["quantity"] = QUANTITY
    return asked


ORIGINS = (
    "CA",
    "MX",
    "KR",
    "CO",
    "PA",
    "PE",
    "AU",
    "SG",
    "CL",
    "JP",
    "IN",
    "TH",
    "BR",
    "KE",
    "HT",
    "RU",
    "BY",
    "CU",
    "KP",
    "CN",
    "DE",
    "VN",
)


def test_every_lookup_is_answered_or_refused_with_a_code_and_a_zero_is_explained(knowledge: Knowledge) -> None:
    chance = random.Random(1930)
    codes = knowledge.law.schedule.numbers()
    outcomes: Counter[str] = Counter()
    for _ in range(LOOKUPS):
        asked = drawn(knowledge, chance, codes)
        try:
            found = line_base(knowledge.law, knowledge.read(asked))
        except ProblemError as error:
            outcomes[error.problem.code if error.problem.fix else "a refusal that says nothing"] += 1
            continue
        outcomes[found.column] += 1
        assert found.tariff.edition, asked
        base = found.base
        if base.exact is None:  # what is not known is asked for or told, never nothing
            assert found.missing or found.rate.reference, asked
            outcomes["quantity asked for"] += 1
        elif not base.exact:
            assert free_by_right(found), (asked, found.rate)
            outcomes["free"] += 1
        if found.column == "column2":
            assert found.symbol is None, asked
        if found.column == "special":
            assert found.symbol is not None, asked
        elif "spi" in asked:
            assert found.warnings, asked  # a claim that was not granted says why
    assert set(outcomes) <= REFUSALS | {"general", "special", "column2", "free", "quantity asked for"}, outcomes
    assert {"general", "special", "column2", "free", "quantity asked for", "hts_not_in_force"} <= set(outcomes), outcomes
    assert outcomes["general"] > LOOKUPS // 2
