"""A rate in place of the rate of the column: it lowers as well as raises, needs no quantity, and takes the base duty off what it reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.entry import assess_row

if TYPE_CHECKING:
    from tests.law.naive_knowledge import NaiveKnowledge

    from tariff_engine.engine import Knowledge

LUMBER = {"hts": "4407110001", "origin": "RU", "entry_date": "2025-06-03", "value": 10000}  # column 2: $1.70 per cubic meter
PARTS = {"hts": "9403910080", "origin": "RU", "entry_date": "2025-06-03", "value": 10000}  # column 2: 40%


def both(knowledge: Knowledge, naive: NaiveKnowledge, line: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of the compiled evaluator, after that of the naive one was found to owe the same."""
    found, defined = assess_row(knowledge, dict(line), "full"), assess_row(naive, dict(line), "none")
    assert [row["heading"] for row in found["headings"]] == [row["heading"] for row in defined["headings"]]
    assert (found["duty"], found["base"], found["filing"]) == (defined["duty"], defined["base"], defined["filing"])
    return found


def test_a_higher_rate_of_the_column_is_replaced_too(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    found = both(knowledge, naive, PARTS)
    assert (found["base"]["full_duty"], found["base"]["duty"], found["duty"]) == ("4000.00", "0.00", "3500.00")
    assert found["additional_duty"] == "-500.00"


def test_no_quantity_is_asked_for_that_no_duty_depends_on(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    found = both(knowledge, naive, LUMBER)
    assert (found["duty"], found["base"]["duty"], found["base"]["full_duty"]) == ("3500.00", "0.00", None)
    assert found["range"] == {"low": "3500.00", "high": "3500.00"}
    assert "quantity" not in {row["fact"] for row in [*found["questions"], *found["assumptions"]]}


def test_a_quantity_that_is_sent_changes_nothing_but_what_is_told(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    found = both(knowledge, naive, LUMBER | {"quantity": {"m3": "20"}})
    assert (found["duty"], found["base"]["full_duty"]) == ("3500.00", "34.00")


def test_the_same_goods_of_another_column_2_country_need_their_quantity(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    found = both(knowledge, naive, LUMBER | {"origin": "BY"})
    assert found["duty"] is None
    assert "quantity" in {row["fact"] for row in found["questions"]}


def test_split_lines_each_lose_their_base_duty(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    found = both(
        knowledge, naive, {"hts": "7318152095", "origin": "RU", "entry_date": "2025-07-01", "value": 10000, "steel_content_value": 4000}
    )
    lines = found["filing"]["lines"]
    assert [line["value"] for line in lines] == ["4000", "6000"] or [line["value"] for line in lines] == ["6000", "4000"]
    assert all(line["numbers"][-1]["duty"] == "0.00" for line in lines)
    assert {row["heading"]: row["duty"] for row in found["headings"]}["9903.90.09"] == "7000.00"


def test_a_repair_pays_in_place_of_the_column_on_the_repair(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    found = both(knowledge, naive, PARTS | {"chapter98": "9802.00.50", "processing_value": 2000})
    assert (found["base"]["duty"], found["duty"]) == ("0.00", "700.00")


@pytest.mark.parametrize("order", [(PARTS, LUMBER), (LUMBER, PARTS)], ids=["known_first", "unknown_first"])
def test_lines_of_known_and_unknown_base_duty_do_not_lend_each_other_questions(
    order: tuple[dict[str, Any], ...], knowledge: Knowledge, naive: NaiveKnowledge
) -> None:
    for line in order:
        found = both(knowledge, naive, line)
        assert found["duty"] == found["range"]["low"] == found["range"]["high"] == "3500.00"


def test_a_share_below_zero_is_told_as_such(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    assert both(knowledge, naive, PARTS)["additional_rate"] == "-5%"
