"""A defect in fees.yaml, mpf.csv or de_minimis.yaml is refused with its place in the file."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from tariff_engine.deminimis_rules import parse_de_minimis
from tariff_engine.fee_rules import parse_fees
from tariff_engine.problems import RulebookError

ROW: dict[str, Any] = {
    "id": "X1",
    "subject": "shipment",
    "says": "A sentence.",
    "cite": "19 USC 1321",
    "confidence": "high",
    "entry": "ace",
}


def table(**row: Any) -> dict[str, Any]:
    whole = {**ROW, "from": date(2020, 1, 1), "result": "entry_required", **row}
    return {
        "value_basis": {"says": "The retail value.", "cite": "19 USC 1321"},
        "rows": [{key: item for key, item in whole.items() if item is not None}],
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"colour": "red"}, "rows.0.colour"),
        ({"from": "2020-01-01"}, "rows.0.from"),
        ({"cite": None}, "rows.0.cite"),
        ({"limit": 800}, "rows.0.limit"),
        ({"result": "postal_duty"}, "duty"),
        ({"result": "postal_duty", "duty": {"ad_valorem": "10%", "per_item": "$5"}}, "exactly one"),
        ({"result": "postal_duty", "duty": {"effective_rate_of": ["a"], "brackets": [{"below": "5%", "per_item": "$5"}]}}, "last bracket"),
        ({"result": "postal_duty", "duty": {"per_item": "$5", "brackets": [{"per_item": "$5"}]}}, "brackets need"),
        ({"subject": "over_limit"}, "over"),
        ({"mode": ["ship"]}, "rows.0.mode"),
    ],
)
def test_a_row_of_the_decision_table_that_is_wrong_is_refused(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RulebookError, match=words):
        parse_de_minimis(table(**row))


def test_a_row_that_stands_twice_is_refused() -> None:
    tree = table()
    tree["rows"] *= 2
    with pytest.raises(RulebookError, match="twice"):
        parse_de_minimis(tree)


def test_a_fixed_fee_without_its_column_is_refused(fee_tree: Any, mpf_rows: list[dict[str, str]]) -> None:
    tree = copy.deepcopy(fee_tree)
    del next(row for row in tree["mpf"]["schedules"] if row["kind"] == "fixed")["amount"]
    with pytest.raises(RulebookError, match=r"mpf\.schedules"):
        parse_fees(tree, mpf_rows)


def test_a_hole_between_fiscal_years_is_refused(fee_tree: Any, mpf_rows: list[dict[str, str]]) -> None:
    with pytest.raises(RulebookError, match="the year before ends"):
        parse_fees(fee_tree, mpf_rows[:3] + mpf_rows[4:])


def test_an_amount_that_is_no_number_is_refused(fee_tree: Any, mpf_rows: list[dict[str, str]]) -> None:
    with pytest.raises(RulebookError, match="min"):
        parse_fees(fee_tree, [{**mpf_rows[0], "min": "about 25"}, *mpf_rows[1:]])


def test_no_fiscal_year_at_all_is_refused(fee_tree: Any) -> None:
    with pytest.raises(RulebookError, match="no fiscal year"):
        parse_fees(fee_tree, [])
