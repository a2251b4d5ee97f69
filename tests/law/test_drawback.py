"""Whether duties come back as drawback, and authority that nobody used: both are told by day, and by what was known."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tariff_engine.engine import Engine

SHOES = {"hts": "6403996000", "value": 10_000}
PART = {"hts": "8708305090", "value": 10_000, "origin": "MX", "is_auto_part": True, "usmca_qualifying": False}


def drawback(engine: Engine, facts: dict[str, Any], known_on: date | None = None) -> dict[str, str]:
    """Return what an answer says of drawback, by heading; headings of which it says nothing are left out."""
    knowledge = engine.at(known_on)
    answer = knowledge.answer(knowledge.read(facts), "1", "none")
    return {row["heading"]: row["drawback"]["allowed"] for row in answer["headings"] if "drawback" in row}


@pytest.mark.parametrize(
    ("origin", "day", "told"),
    [
        ("CA", "2025-06-01", {"9903.01.10": "none"}),
        ("MX", "2025-06-01", {"9903.01.01": "none"}),
        ("CN", "2025-06-01", {"9903.01.24": "none", "9903.01.25": "all"}),
        ("BR", "2025-09-01", {"9903.01.77": "all", "9903.02.09": "all"}),
        ("IN", "2025-09-01", {"9903.01.84": "all", "9903.02.26": "all"}),
    ],
)
def test_the_orders_on_drugs_bar_drawback_and_the_others_do_not(engine: Engine, origin: str, day: str, told: dict[str, str]) -> None:
    assert drawback(engine, {**SHOES, "origin": origin, "entry_date": day}) == told


def test_what_the_law_read_does_not_say_is_not_said(engine: Engine) -> None:
    """List 4A of section 301 stands beside the duty on opioids: of its drawback no source was read."""
    knowledge = engine.at()
    answer = knowledge.answer(knowledge.read({**SHOES, "origin": "CN", "entry_date": "2025-02-10"}), "1", "none")
    rows = {row["heading"]: row for row in answer["headings"]}
    assert "drawback" not in rows["9903.88.15"]
    assert rows["9903.01.20"]["drawback"] == {"allowed": "none", "cites": ("EO 14195 s.2(f)", "CSMS 63988468")}


def test_a_doubt_about_drawback_is_told_with_it(engine: Engine) -> None:
    knowledge = engine.at()
    answer = knowledge.answer(knowledge.read({**SHOES, "origin": "BR", "entry_date": "2025-09-01"}), "1", "none")
    told = next(row["drawback"] for row in answer["headings"] if row["heading"] == "9903.01.77")
    assert (told["confidence"], bool(told["because"])) == ("medium", True)


def test_drawback_of_car_parts_opens_for_manufacture_on_its_day_once_that_is_known(engine: Engine) -> None:
    assert drawback(engine, {**PART, "entry_date": "2025-10-31"}) == {"9903.94.05": "none"}
    assert drawback(engine, {**PART, "entry_date": "2025-11-01"}) == {"9903.94.05": "manufacturing"}
    assert drawback(engine, {**PART, "entry_date": "2025-11-01"}, date(2025, 10, 16)) == {"9903.94.05": "none"}


def test_goods_that_are_exempt_have_nothing_to_draw_back(engine: Engine) -> None:
    assert drawback(engine, {**SHOES, "origin": "CA", "entry_date": "2025-06-01", "usmca_qualifying": True}) == {}


# ---------------------------------------------------------------- authority that nobody used
def verdict(engine: Engine, program: str, day: str, known_on: date | None = None) -> dict[str, Any]:
    """Return the verdict on a program for shoes of Spain."""
    knowledge = engine.at(known_on)
    answer = knowledge.answer(knowledge.read({**SHOES, "origin": "ES", "entry_date": day}), "1", "full")
    return next(found for found in answer["programs"] if found["program"] == program)


@pytest.mark.parametrize(
    ("program", "act", "before", "first", "last", "after"),
    [
        ("ieepa-venezuela-oil", "eo-14245", "2025-04-01", "2025-04-02", "2026-02-23", "2026-02-24"),
        ("ieepa-cuba-oil", "eo-14380", "2026-01-29", "2026-01-30", "2026-02-19", "2026-02-20"),
        ("ieepa-iran-trade", "eo-14382", "2026-02-06", "2026-02-07", "2026-02-19", "2026-02-20"),
    ],
)
def test_an_authority_that_nobody_used_is_told_on_its_days(
    engine: Engine, program: str, act: str, before: str, first: str, last: str, after: str
) -> None:
    for day in (first, last):
        told = verdict(engine, program, day)
        assert told["verdict"] == "never_imposed"
        assert f"ran from {first} until {after}, and nothing was owed" in told["because"]
        assert "no country" in told["because"]
        assert told["instruments"] == (act,)
        assert "would_be" not in told
    for day in (before, after):
        assert verdict(engine, program, day)["verdict"] == "not_in_force"


def test_an_authority_is_told_as_far_as_it_was_known(engine: Engine) -> None:
    assert verdict(engine, "ieepa-venezuela-oil", "2025-05-01", date(2025, 3, 23))["verdict"] == "not_in_force"
    told = verdict(engine, "ieepa-venezuela-oil", "2025-05-01", date(2025, 5, 1))
    assert "ran from 2025-04-02 on, and nothing was owed" in told["because"]


def test_an_authority_is_no_noise_in_a_summary(engine: Engine) -> None:
    knowledge = engine.at()
    line = knowledge.read({**SHOES, "origin": "ES", "entry_date": "2026-02-10"})
    assert not {"never_imposed"} & {found["verdict"] for found in knowledge.answer(line, "1", "summary")["programs"]}
