"""What holds for every claim of a program or of a chapter 98 number: it never raises the duty, and it is never passed over in silence."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tariff_engine.engine import Knowledge
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line

SEEDS = st.integers(min_value=0, max_value=2**48)
CLAIMS = {
    "spi",
    "chapter98",
    "processing_value",
    "usmca_qualifying",
    "gsp_eligible",
    "agoa_eligible",
    "fta_originating",
    "civil_aircraft_gn6",
}
LOWERS = {"free", "bond", "work", "less_us"}


def answered(knowledge: Knowledge, raw: dict[str, Any]) -> dict[str, Any]:
    """Answer a drawn line, or let Hypothesis draw another where the line contradicts itself."""
    try:
        return knowledge.answer(knowledge.read(raw), "x", "none", inquire=False)
    except (ProblemError, LawConflictError):
        assume(condition=False)
        raise


def told(answer: dict[str, Any], *starts: str) -> set[str]:
    return {warning["code"] for warning in answer["warnings"] if warning["code"].startswith(starts)}


@given(seed=SEEDS)
def test_a_claim_never_raises_the_duty_and_is_never_passed_over(seed: int, knowledge: Knowledge, where: Space) -> None:
    rng = random.Random(seed)
    line = {name: value for name, value in random_line(where, rng).items() if name not in CLAIMS}
    programs = knowledge.law.preferences.by_symbol
    symbol = rng.choice(sorted(programs))
    origins = sorted(set(programs[symbol].grants) - {"*"})
    if origins and rng.random() < 0.7:
        line["origin"] = rng.choice(origins)
    without, claimed = answered(knowledge, line), answered(knowledge, {**line, "spi": symbol})
    if claimed["base"].get("special_program") is None:
        assert told(claimed, "special_", "general_already_free")
        assert claimed["base"]["rate"] == without["base"]["rate"]
    if without["duty"] is not None and claimed["duty"] is not None:
        assert Decimal(claimed["duty"]) <= Decimal(without["duty"])


@given(seed=SEEDS)
def test_a_chapter_98_number_that_frees_never_raises_the_duty_and_is_never_passed_over(
    seed: int, knowledge: Knowledge, where: Space
) -> None:
    rng = random.Random(seed)
    line = {name: value for name, value in random_line(where, rng).items() if name not in CLAIMS}
    claim = {"chapter98": rng.choice(where.chapter98), "processing_value": Decimal(line["value"]) * rng.randrange(0, 101) / 100}
    without, claimed = answered(knowledge, line), answered(knowledge, {**line, **claim})
    under = claimed["base"].get("chapter98")
    if under is None:
        assert told(claimed, "chapter98_")
        assert claimed["duty"] == without["duty"]
    elif under["treatment"] in LOWERS and without["duty"] is not None and claimed["duty"] is not None:
        assert Decimal(claimed["duty"]) <= Decimal(without["duty"])
