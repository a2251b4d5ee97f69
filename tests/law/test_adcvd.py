"""Antidumping and countervailing duties: computed as the filer states them, filed below the number of the goods, warned of and never inferred."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.law.rulebook import the_book

from tariff_engine.adcvd import allotted
from tariff_engine.adcvd_order_rules import COLUMNS, read_orders
from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row
from tariff_engine.problems import ProblemError, RulebookError

NAILS: dict[str, Any] = {"hts": "7317.00.55.02", "origin": "CN", "entry_date": "2025-09-10", "value": "10000", "mode": "ocean"}
SPLIT = {**NAILS, "steel_content_value": "3000"}


def cases(knowledge: Knowledge, *stated: dict[str, Any], **facts: Any) -> list[tuple[str, str, str]]:
    answer = assess_row(knowledge, {**NAILS, **facts, "adcvd": list(stated)}, "none")
    return [(row["heading"], row["rate"], row["duty"]) for row in answer["headings"] if row["kind"] == "adcvd"]


def codes(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


def test_deposits_stand_behind_chapter_99_antidumping_first(knowledge: Knowledge) -> None:
    stated = [{"case": "C-570-910", "rate_pct": "5"}, {"case_number": "A-570-909", "rate": "118.04%"}]
    answer = assess_row(knowledge, {**NAILS, "adcvd": stated}, "none")
    kinds = [row["kind"] for row in answer["headings"]]
    assert kinds[-3:] == ["adcvd", "adcvd", "base"]
    assert [row["heading"] for row in answer["headings"]][-3:-1] == ["A-570-909", "C-570-910"]
    without = assess_row(knowledge, {**NAILS, "adcvd": False}, "none")
    assert Decimal(answer["duty"]) - Decimal(without["duty"]) == Decimal("12304.00")
    assert answer["filing"]["entry_type"]["code"] == "03"


def test_a_deposit_by_quantity_and_one_on_a_part_of_the_value(knowledge: Knowledge) -> None:
    by_weight = {"case": "A-570-831", "amount": "4.71", "unit": "kg"}
    assert cases(knowledge, by_weight, quantity={"KG": "1000.5"}) == [("A-570-831", "$4.71/kg", "4712.36")]
    assert cases(knowledge, {"case": "A-570-106", "rate_pct": "10", "value": "2500.40"}) == [("A-570-106", "10%", "250.00")]


@pytest.mark.parametrize(
    ("code", "case"),
    [
        ("fact_needed", {"case": "A-570-831", "amount": "4.71", "unit": "kg"}),
        ("wrong_type", {"case": "A-570-831"}),
        ("wrong_type", {"case": "A-570-831", "rate_pct": "5", "amount": "1", "unit": "kg"}),
        ("wrong_type", {"case": "A-570-831", "amount": "1"}),
        ("wrong_type", {"case": "A-570-831", "rate_pct": "5", "country": "CN"}),
        ("unknown_value", {"case": "X-570-831", "rate_pct": "5"}),
        ("out_of_range", {"case": "A-570-831", "rate_pct": "-5"}),
        ("out_of_range", {"case": "A-570-831", "rate_pct": "5", "value": "10001"}),
    ],
)
def test_a_case_that_is_not_understood_is_refused(knowledge: Knowledge, code: str, case: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as caught:
        cases(knowledge, case)
    assert caught.value.problem.code == code


def test_one_case_twice_is_refused(knowledge: Knowledge) -> None:
    with pytest.raises(ProblemError) as caught:
        cases(knowledge, {"case": "A-570-909", "rate_pct": "5"}, {"case": "A-570-909", "rate_pct": "6"})
    assert caught.value.problem.code == "fact_stated_twice"


def test_split_lines_carry_their_part_of_each_deposit(knowledge: Knowledge) -> None:
    answer = assess_row(knowledge, {**SPLIT, "adcvd": [{"case": "A-570-909", "rate_pct": "118.04"}]}, "none")
    filed = [case["duty"] for line in answer["filing"]["lines"] for case in line["adcvd"]]
    assert len(filed) == 2
    assert sum(map(Decimal, filed)) == Decimal("11804.00")


@given(duties=st.lists(st.integers(0, 10**9), min_size=1, max_size=3), values=st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_what_is_allotted_adds_up_and_is_never_negative(duties: list[int], values: list[int]) -> None:
    rows = [{"heading": "A-570-909", "rate": "1%", "duty": f"{duty // 100}.{duty % 100:02d}"} for duty in duties]
    found = allotted(rows, values)
    for place, duty in enumerate(duties):
        parts = [Decimal(line[place]["duty"]) for line in found]
        assert sum(parts) == Decimal(duty) / 100
        assert min(parts) >= 0


# ---------------------------------------------------------------- orders that are known
def test_an_order_that_names_the_number_and_the_origin_is_named_and_nothing_is_charged(knowledge: Knowledge) -> None:
    answer = assess_row(knowledge, NAILS, "none")
    (warning,) = [warning for warning in answer["warnings"] if warning["code"] == "adcvd_possible"]
    assert "A-570-909" in warning["message"]
    assert "written description" in warning["message"]
    assert not [row for row in answer["headings"] if row["kind"] == "adcvd"]


@pytest.mark.parametrize(
    ("facts", "warned"),
    [
        ({"adcvd": [{"case": "A-570-909", "rate_pct": "5"}]}, []),
        ({"adcvd": [{"case": "A570909003", "rate_pct": "5"}]}, []),
        ({"adcvd": [{"case": "A-570-900", "rate_pct": "5"}]}, ["adcvd_possible"]),
        ({"adcvd": True}, ["adcvd_rate_needed"]),
        ({"adcvd": False}, []),
        ({"origin": "DE"}, []),
        ({"hts": "6109.10.00.12"}, []),
    ],
)
def test_the_warning_gives_way_to_what_the_filer_states(knowledge: Knowledge, facts: dict[str, Any], warned: list[str]) -> None:
    found = codes(assess_row(knowledge, {**NAILS, **facts}, "none"))
    assert [code for code in found if code.startswith("adcvd")] == warned


def test_an_order_is_named_from_its_day_on(knowledge: Knowledge) -> None:
    honey = {"hts": "0409.00.00.10", "origin": "AR", "value": "10000", "mode": "ocean", "quantity": {"kg": "5000"}}
    for day, warned in (("2022-06-09", False), ("2022-06-10", True), ("2026-06-01", True)):
        assert ("adcvd_possible" in codes(assess_row(knowledge, {**honey, "entry_date": day}, "none"))) == warned


def test_every_number_of_an_order_is_in_the_schedule(knowledge: Knowledge) -> None:
    """Some only in an earlier edition."""
    known = {code[:8] for table in knowledge.law.schedule.tables for code in table.codes}
    for orders in knowledge.law.orders.by_origin.values():
        for order in orders:
            for number in order.numbers:
                assert any(code.startswith(number[:8]) for code in known), (order.case, number)


HEADER = ",".join(COLUMNS)
GOOD = "A-570-909,AD,CN,Steel nails,73170055,2008-08-01,,73 FR 44961,high"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("B-570-909,AD,CN,Steel nails,73170055,2008-08-01,,x,high", "case"),
        ("A-570-909,CVD,CN,Steel nails,73170055,2008-08-01,,x,high", "kind"),
        (f"{GOOD}\n{GOOD}", "twice"),
        ("A-570-909,AD,CN,Steel nails,731,2008-08-01,,x,high", "hts"),
        ("A-570-909,AD,China,Steel nails,73170055,2008-08-01,,x,high", "origin"),
        ("A-570-909,AD,CN,Steel nails,73170055,August,,x,high", "no day"),
        ("A-570-909,AD,CN,Steel nails,73170055,2008-08-01,2008-08-01,x,high", "not after"),
        ("A-570-909,AD,CN,Steel nails,73170055,2008-08-01,,,high", "cite"),
    ],
)
def test_a_wrong_row_of_the_orders_is_refused_with_its_line(row: str, said: str) -> None:
    with pytest.raises(RulebookError) as caught:
        read_orders(f"{HEADER}\n{row}\n")
    assert str(caught.value).startswith("adcvd_orders.csv:")
    assert said in str(caught.value)


def test_the_orders_of_the_rulebook_can_be_read() -> None:
    orders = read_orders(the_book().files["adcvd_orders.csv"])
    assert {order.case for order in orders.by_origin["CA"]} == {"A-122-857", "C-122-858"}
