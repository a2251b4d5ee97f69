"""What would change a duty: each kind of change on goods that are known to have it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.service.law import the_engine

from tariff_engine.problems import ProblemError
from tariff_service.what_if import what_if

Data = dict[str, Any]
SHOES: Data = {"hts": "6403.99.60.15", "origin": "CA", "entry_date": "2025-08-20", "value": 10000, "mode": "truck"}
FURNITURE: Data = {"hts": "9403.20.00.50", "origin": "DE", "entry_date": "2025-08-20", "value": 10000, "mode": "ocean"}
PART: Data = {"hts": "8708.29.51.60", "origin": "KR", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
PUMP: Data = {"hts": "8414.30.80.30", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
SCREWS: Data = {"hts": "7318.15.20.61", "origin": "DE", "entry_date": "2025-05-30", "value": 10000, "mode": "ocean"}


def side(line: Data, which: str = "lower", **options: Any) -> dict[tuple[str, tuple[str, ...]], Data]:
    """Return the changes of one line by kind and facts; of several on one fact the largest."""
    (found,) = what_if(the_engine(), line, **options)["lines"]
    return {(one["kind"], tuple(one["change"])): one for one in reversed(found[which])}


def test_a_claim_that_nobody_made_tells_its_dollars_proof_and_law() -> None:
    one = side(SHOES)["claim", ("usmca_qualifying",)]
    assert (one["difference"], one["duty"]) == ("-4350.00", "0.00")
    assert one["totals"] == {"duty": "-4350.00", "fees": "-34.64", "total": "-4384.64"}
    assert one["proof"][0]["asks"] == "Do the goods qualify under the USMCA, and is that claimed?"
    assert one["headings"][0] == "9903.01.14"
    assert {reason["program"]: reason["dollars"] for reason in one["reasons"]} == {"ieepa-canada": "-3500.00", "base": "-850.00"}
    assert "US note 2(j)" in one["cites"]


def test_an_entry_date_near_a_step_lies_on_its_other_side() -> None:
    one = side(SHOES)["entry_date", ("entry_date",)]
    assert (one["change"], one["stated"], one["difference"]) == ({"entry_date": "2025-07-31"}, "2025-08-20", "-1000.00")
    assert "is not made yet" in one["if_true"]
    assert "20 days earlier" in one["if_true"]
    assert ("entry_date", ("entry_date",)) not in side(SHOES, days=19)
    later = side(SCREWS, "higher")["entry_date", ("entry_date",)]
    assert (later["change"], later["difference"]) == ({"entry_date": "2025-06-04"}, "2500.00")
    assert all(kind != "entry_date" for kind, _ in side(SHOES, days=0))


def test_a_special_program_names_its_claim_and_grant() -> None:
    one = side(PART)["special_program", ("spi", "fta_originating")]
    assert (one["change"], one["difference"]) == ({"spi": "KR", "fta_originating": True}, "-250.00")
    assert "Korea FTA" in one["if_true"]
    assert "GN 33" in one["cites"]


def test_an_exclusion_is_named_by_its_heading() -> None:
    one = side(PUMP)["exclusion", ("exclusion_claims",)]
    assert (one["change"], one["difference"]) == ({"exclusion_claims": ["9903.88.69"]}, "-2500.00")
    assert "9903.88.69" in one["if_true"]


def test_a_metal_content_stated_instead_of_unknown_splits_the_value() -> None:
    (line,) = what_if(the_engine(), FURNITURE)["lines"]
    contents = [one for one in line["lower"] if one["kind"] == "content"]
    assert {tuple(one["change"]) for one in contents} == {("steel_content_value",), ("aluminum_content_value",)}
    half = next(one for one in contents if one.get("example"))
    assert (half["change"], half["difference"]) == ({"steel_content_value": "5000"}, "-6750.00")


def test_two_facts_that_only_together_lower_the_duty_are_told_together() -> None:
    """Aluminum smelted in the United States pays only if it was cast there too, and the other way round."""
    line = {**FURNITURE, "steel_content_value": "0"}
    one = side(line)["together", ("smelt_country", "cast_country")]
    assert one["change"] == {"smelt_country": "US", "cast_country": "US"}
    assert [proof["fact"] for proof in one["proof"]] == ["smelt_country", "cast_country"]


def test_a_measure_near_a_threshold_tells_the_step_and_what_is_stated() -> None:
    line = {"hts": "9403.20.00.50", "origin": "VN", "entry_date": "2025-08-20", "value": 10000, "steel_content_value": "0"}
    line |= {"aluminum_content_value": "0", "us_content_value": "1900", "mode": "ocean"}
    one = side(line)["threshold", ("us_content_value",)]
    assert (one["stated"], one["change"]) == ("1900", {"us_content_value": "2000"})
    assert "measured again it is 2000, not 1900" in one["if_true"]


def test_lines_of_one_entry_are_told_by_themselves_and_dates_for_all() -> None:
    entry = {"entry_date": "2025-08-20", "mode": "truck"}
    lines = [{name: value for name, value in one.items() if name not in entry} for one in (SHOES, {**SHOES, "value": 5000})]
    found = what_if(the_engine(), {**entry, "lines": lines})
    first, second = found["lines"]
    assert [one["duty"] for one in (first, second)] == ["4350.00", "2175.00"]
    dates = [one for line in (first, second) for one in line["lower"] if one["kind"] == "entry_date"]
    assert [one["difference"] for one in dates] == ["-1000.00", "-500.00"]
    assert [one["totals"]["duty"] for one in dates] == ["-1500.00", "-1500.00"]
    assert all(one["of_the_entry"] for one in dates)


def test_why_number_origin_and_value_are_never_suggested_is_told() -> None:
    (never,) = what_if(the_engine(), SHOES)["never"]
    assert never["facts"] == ["hts", "origin", "value"]
    assert "19 U.S.C. 1592(a)" in never["cites"]


@pytest.mark.parametrize(
    ("entry", "options", "code"),
    [
        ([], {}, "wrong_type"),
        ({**SHOES, "colour": "red"}, {}, "unknown_fact"),
        ({**SHOES, "hts": "6403.99.99.99"}, {}, "unknown_hts"),
        (SHOES, {"days": -1}, "out_of_range"),
        (SHOES, {"days": 401}, "out_of_range"),
        ({"entry_date": "2025-08-20", "lines": [{"hts": "6403.99.60.15", "origin": "CA", "value": 1}] * 51}, {}, "too_many_cells"),
    ],
)
def test_what_cannot_be_assessed_is_refused(entry: Any, options: Data, code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        what_if(the_engine(), entry, **options)
    assert caught.value.problem.code == code
