"""The drawings say what the answer says: bars add up, steps stand where their days are, and nothing leaves the chart."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tariff_service.pictures.timechart import chart
from tariff_service.web.waterfall import waterfall


def row(program: str, duty: str | None, heading: str = "9903.00.00") -> dict[str, Any]:
    return {"heading": heading, "program": program, "rate": "1%", "duty": duty}


def test_each_bar_begins_where_the_one_before_ended_and_the_last_is_the_duty() -> None:
    line = {"duty": "90.00", "headings": [row("b", "-10.00"), row("a", "60.00"), row("base", "40.00")]}
    bars = waterfall(line)
    assert [(bar.left, bar.width) for bar in bars] == [("0.00", "40.00"), ("40.00", "60.00"), ("90.00", "10.00"), ("0.00", "90.00")]
    assert [bar.color for bar in bars] == ["base", "p0", "p1", "sum"]
    assert [bar.negative for bar in bars] == [False, False, True, False]


@pytest.mark.parametrize(
    "line",
    [
        {"duty": None, "headings": [row("a", None)]},
        {"duty": "0.00", "headings": [row("a", "0.00")]},
        {"duty": "0.00", "headings": []},
        {"duty": "5.00", "headings": [row("a", "5.00"), row("b", None)]},
    ],
)
def test_what_is_not_known_or_not_owed_has_no_bars(line: dict[str, Any]) -> None:
    assert waterfall(line) == []


def step(start: str, until: str | None, *rows: dict[str, Any]) -> dict[str, Any]:
    duty = sum((Decimal(one["duty"]) for one in rows), Decimal(0))
    return {"from": start, "until": until, "duty": f"{duty}", "rate": f"{duty}%", "headings": list(rows), "changes": []}


TIME = {
    "from": "2020-01-01",
    "rulebook": {"horizon": "2021-12-31"},
    "steps": [step("2020-01-01", "2021-01-01", row("base", "5.00")), step("2021-01-01", None, row("a", "25.00"), row("base", "5.00"))],
    "withdrawn": [{**step("2020-07-01", "2020-08-01", row("a", "50.00")), "withdrawn_by": [{"cite": "an act"}]}],
}


def test_a_chart_stacks_its_programs_and_reaches_from_the_first_day_to_the_horizon() -> None:
    found = chart(TIME, {}, "100", date(2021, 6, 1))
    assert found is not None
    assert [(block.x, block.color) for block in found.blocks] == [("0.00", "base"), ("50.07", "base"), ("50.07", "p0")]
    assert [block.height for block in found.blocks] == ["10.00", "10.00", "50.00"], "the scale ends at 50%"
    (hatched,) = found.hatched
    assert (hatched.height, hatched.y) == ("100.00", "0.00")
    assert [mark.number for mark in found.marks] == [1, 2]
    assert found.entry == "70.73"
    assert found.horizon == "", "the chart ends with what was read"
    for block in (*found.blocks, *found.hatched):
        assert 0 <= Decimal(block.x) <= Decimal(block.x) + Decimal(block.width) <= 101
        assert 0 <= Decimal(block.y) <= Decimal(block.y) + Decimal(block.height) <= 101


def test_a_day_of_entry_beyond_the_horizon_is_shown_beyond_it() -> None:
    found = chart(TIME, {}, "100", date(2022, 6, 1))
    assert found is not None
    assert 0 < Decimal(found.horizon) < Decimal(found.entry) < 100


def test_a_closer_chart_begins_where_it_is_told_and_marks_what_is_in_it() -> None:
    found = chart(TIME, {}, "100", None, date(2020, 12, 1))
    assert found is not None
    assert [mark.number for mark in found.marks] == [2]
    assert found.hatched == ()


def test_a_line_without_value_or_without_known_duties_has_no_chart() -> None:
    assert chart(TIME, {}, "0", None) is None
    assert chart({**TIME, "steps": [{**TIME["steps"][0], "duty": None}]}, {}, "100", None) is None  # type: ignore[index]
