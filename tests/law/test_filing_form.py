"""What a line of the entry summary may hold: how many numbers by date, which number carries the duty, and what stands beside the numbers."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row

SCREWS: dict[str, Any] = {
    "hts": "7318.15.20.61",
    "origin": "CN",
    "entry_date": "2025-09-10",
    "value": 10000,
    "mode": "ocean",
    "melt_pour_country": "CN",
}


def codes(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


def numbers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    (line,) = answer["filing"]["lines"]
    return [(number["heading"], number["duty"]) for number in line["numbers"]]


def test_the_limits_are_those_of_the_message(knowledge: Knowledge) -> None:
    assert knowledge.law.limits == ((date(2018, 7, 6), 8), (date(2025, 6, 28), 16))


@pytest.fixture(scope="module")
def narrow(knowledge: Knowledge) -> Knowledge:
    """The law with so low a limit that lines reach it."""
    return Knowledge(dataclasses.replace(knowledge.law, limits=((date(2018, 7, 6), 4), (date(2025, 6, 28), 5)), memory={}))


@pytest.mark.parametrize(
    ("facts", "count", "warned"),
    [
        ({"entry_date": "2025-06-27"}, 5, True),
        ({"entry_date": "2025-06-28"}, 5, False),
        ({}, 5, False),
        ({"chapter98": "9802.00.60", "processing_value": 4000}, 5, True),
        ({"adcvd": [{"case": "A-570-909", "rate_pct": "5"}]}, 5, False),
    ],
)
def test_more_numbers_than_the_limit_of_the_day_are_warned_of(narrow: Knowledge, facts: dict[str, Any], count: int, warned: bool) -> None:
    """A chapter 98 number counts; case numbers are no HTS numbers."""
    answer = assess_row(narrow, {**SCREWS, **facts}, "none")
    if "chapter98" not in facts:
        assert max(len(line["numbers"]) for line in answer["filing"]["lines"]) == count
    assert ("too_many_numbers" in codes(answer)) == warned


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"hts": "8481.80.30.90", "origin": "DE"}, [("9903.02.20", "1500.00"), ("8481.80.30.90", "0.00")]),
        ({"hts": "6109.10.00.12", "origin": "DE"}, [("9903.02.19", "0.00"), ("6109.10.00.12", "1650.00")]),
        ({"hts": "8481.80.30.90", "origin": "VN"}, [("9903.02.69", "2000.00"), ("8481.80.30.90", "560.00")]),
    ],
)
def test_a_total_puts_the_duty_on_its_own_number(knowledge: Knowledge, facts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    base = {"entry_date": "2025-09-10", "value": 10000, "mode": "ocean", "steel_content_value": 0, "aluminum_content_value": 0}
    assert numbers(assess_row(knowledge, {**base, **facts}, "none")) == expected


def test_what_is_stated_beside_the_numbers_is_in_the_filing(knowledge: Knowledge) -> None:
    more = {"chapter98": "9802.00.80", "us_content_value": 6000, "spi": "P", "quantity": {"doz": "100", "kg": 250}}
    line = {"hts": "6109.10.00.12", "origin": "HN", "value": 10000, "entry_date": "2024-09-10", "mode": "ocean"}
    filing = assess_row(knowledge, {**line, **more}, "none")["filing"]
    assert (filing["chapter98"], filing["spi"], filing["quantity"]) == ("9802.00.80", "P", {"doz": "100", "kg": "250"})
    assert set(assess_row(knowledge, line, "none")["filing"]) == {"lines", "entry_type"}


def test_goods_that_pass_free_file_no_line(knowledge: Knowledge) -> None:
    parcel = {"hts": "6109.10.00.12", "origin": "DE", "value": 100, "entry_date": "2024-06-03", "mode": "air", "de_minimis_claimed": True}
    answer = assess_row(knowledge, parcel, "none")
    assert answer["filing"]["lines"] == []
    assert answer["filing"]["entry_type"]["code"] == ""


@pytest.mark.parametrize(
    ("facts", "parts"),
    [
        ({"steel_content_value": 8000}, [["rest"], ["steel"]]),
        ({"hts": "9403.20.00.86", "steel_content_value": 3000, "aluminum_content_value": 2000}, [["rest"], ["steel"], ["aluminum"]]),
        ({"hts": "6109.10.00.12", "origin": "VN", "us_content_value": 4000}, [["us_content"], ["rest"]]),
    ],
)
def test_us_content_stands_before_the_rest_and_metal_content_after_it(
    knowledge: Knowledge, facts: dict[str, Any], parts: list[list[str]]
) -> None:
    answer = assess_row(knowledge, {**SCREWS, **facts}, "none")
    assert [list(line["parts"]) for line in answer["filing"]["lines"]] == parts
    assert sum(int(line["value"]) for line in answer["filing"]["lines"]) == 10000
