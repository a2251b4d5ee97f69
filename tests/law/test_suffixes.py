"""Eight digits where law names ten: what reaches only some of the statistical numbers is never left out in silence."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row
from tariff_engine.problems import ProblemError

SEAT = {"hts": "94016960", "origin": "CN", "entry_date": date(2026, 4, 10), "value": 10000}


def _told(answer: dict[str, Any]) -> list[str]:
    return [warning["message"] for warning in answer["warnings"] if warning["code"] == "ten_digits_matter"]


def test_a_number_whose_suffixes_stand_on_different_lists_says_so_and_names_them(knowledge: Knowledge) -> None:
    (told,) = _told(assess_row(knowledge, SEAT, "none"))
    assert "9903.88.04" in told
    assert "9401.69.60.31" in told


def test_ten_digits_are_asked_nothing(knowledge: Knowledge) -> None:
    assert _told(assess_row(knowledge, {**SEAT, "hts": "9401696031"}, "none")) == []


def test_a_line_that_is_told_nothing_owes_the_same_under_every_suffix(knowledge: Knowledge) -> None:
    """Five hundred numbers of the schedule, on days and from origins drawn by a fixed seed: no warning, no difference."""
    chance = random.Random(20180706)
    schedule = knowledge.law.schedule
    numbers = sorted({code for table in schedule.tables for code in table.codes if len(code) == 8})
    compared = warned = 0
    for number in chance.sample(numbers, 500):
        day = date(2018, 7, 6) + timedelta(days=chance.randrange(2990))
        line = {"hts": number, "origin": chance.choice(["CN", "DE", "JP", "MX", "RU", "BR", "TW"]), "entry_date": day, "value": 10000}
        try:
            answer = assess_row(knowledge, line, "none")
        except ProblemError:
            continue
        if _told(answer):
            warned += 1
            continue
        for full in schedule.below(number, day):
            other = assess_row(knowledge, {**line, "hts": full}, "none")
            assert [row["heading"] for row in other["headings"]][:-1] == [row["heading"] for row in answer["headings"]][:-1], (
                number,
                full,
                line,
            )
            assert other["additional_duty"] == answer["additional_duty"], (number, full, line)
            compared += 1
    assert compared > 500
    assert warned > 2
