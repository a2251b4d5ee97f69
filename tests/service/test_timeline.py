"""Timelines: their steps are exactly those of looking at every single day, and what was called off is told apart."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from tests.law.rulebook import the_book
from tests.service.law import the_engine

from tariff_engine.problems import ProblemError
from tariff_engine.testing import random_line, space
from tariff_service.boundary_days import boundary_days
from tariff_service.dated_answers import Window, answer_on, merged, state
from tariff_service.stepping import Plain
from tariff_service.timeline import timeline

DAY = timedelta(days=1)
FIRST, LAST = date(2025, 1, 1), date(2027, 1, 1)
SHOES = {"hts": "6403.99.60.15", "origin": "CA", "value": 10000, "mode": "truck"}
SCREWS = {"hts": "7318.15.20.61", "origin": "CN", "value": 10000, "mode": "ocean"}
TOYS = {"hts": "9503.00.00.73", "origin": "CN", "value": 10000, "mode": "ocean"}
CAR = {"hts": "8703.23.01.90", "origin": "JP", "value": 30000, "mode": "ocean", "manufacture_year": 2001}
PARCEL = {
    "hts": "6109.10.00.12",
    "origin": "CN",
    "value": 500,
    "mode": "postal",
    "export_country": "CN",
    "postal_method": "ad_valorem",
    "de_minimis_claimed": True,
}
LINES: dict[str, dict[str, Any]] = {
    "a line of one border program": SHOES,
    "several programs at once": SCREWS,
    "a car whose age grows with the year": CAR,
    "mail under a table of postal duties": PARCEL,
    "goods loaded on a day, which cannot be entered before it": {**SCREWS, "origin": "VN", "loaded_date": "2025-04-04"},
    "goods out of a zone": {**SCREWS, "ftz_pf_admission_date": "2025-05-20"},
    "a preference that lapses": {"hts": "0804.50.40.80", "origin": "ZA", "value": 50000, "spi": "D", "mode": "ocean"},
    "a specific rate without a quantity": {"hts": "2204.21.50.40", "origin": "FR", "value": 10000, "mode": "ocean"},
    "fees at their yearly maximum": {"hts": "8471.30.01.00", "origin": "MX", "value": 900000, "mode": "truck"},
}


def by_day(facts: dict[str, Any], first: date, last: date) -> list[tuple[str, Any]]:
    """Return the days from which an answer differs from that of the day before, by looking at every day."""
    knowledge = Plain(the_engine().at())
    found: list[tuple[str, Any]] = []
    before: Any = None
    for number in range((last - first).days):
        day = first + number * DAY
        now = state(answer_on(knowledge, facts, day))
        if now != before:
            found.append((day.isoformat(), now))
        before = now
    return found


def by_boundary(facts: dict[str, Any], first: date, last: date) -> list[tuple[str, Any]]:
    """Return the same by looking at boundary days alone."""
    knowledge = the_engine().at()
    read = {
        name: date.fromisoformat(value) if name.endswith("_date") and isinstance(value, str) else value for name, value in facts.items()
    }
    days = boundary_days(knowledge.law, read, first, last)
    answers = {day: answer_on(Plain(knowledge), facts, day) for day in days}
    return [(start.isoformat(), state(answers[start])) for start, _ in merged(answers, Window(first, last, open=False))]


@pytest.mark.parametrize("facts", LINES.values(), ids=LINES)
def test_the_steps_are_exactly_the_days_on_which_the_answer_changes(facts: dict[str, Any]) -> None:
    assert by_boundary(facts, FIRST, LAST) == by_day(facts, FIRST, LAST)


def test_lines_drawn_at_random_change_on_no_day_that_is_not_looked_at() -> None:
    knowledge, rng = the_engine().at(), random.Random(11)
    where = space(knowledge)
    changed = 0
    for _ in range(12):
        facts = {name: value for name, value in random_line(where, rng).items() if name != "entry_date"}
        first = rng.choice((date(2018, 1, 1), date(2021, 6, 1), FIRST, date(2026, 1, 1)))
        found = by_day(facts, first, first + 540 * DAY)
        assert by_boundary(facts, first, first + 540 * DAY) == found
        changed += len(found) - 1
    assert changed > 12


def test_a_timeline_covers_its_days_without_gap_and_each_step_differs_from_the_one_before() -> None:
    last = date(2025, 7, 1)
    found = timeline(the_engine(), the_book(), SCREWS, first=FIRST, until=last)
    steps = found["steps"]
    assert (steps[0]["from"], steps[-1]["until"]) == ("2025-01-01", "2025-07-01")
    assert all(one["until"] == other["from"] for one, other in pairwise(steps))
    assert [step["from"] for step in steps] == [day for day, _ in by_day(SCREWS, FIRST, last)]
    assert all(step["changes"] for step in steps[1:])
    assert all(step["range"]["low"] <= step["duty"] for step in steps)


def test_each_step_says_what_began_ended_or_changed_by_which_act_and_when_that_was_announced() -> None:
    steps = {step["from"]: step for step in timeline(the_engine(), the_book(), SHOES, first=FIRST)["steps"]}
    assert [(day, step["rate"]) for day, step in steps.items()] == [
        ("2025-01-01", "8.5%"),
        ("2025-03-04", "33.5%"),
        ("2025-04-05", "33.5%"),
        ("2025-08-01", "43.5%"),
        ("2026-02-24", "18.5%"),
        ("2026-07-24", "18.5%"),
    ]
    (began,) = steps["2025-03-04"]["changes"]
    assert (began["what"], began["program"], began["heading"], began["rate"]) == (
        "began",
        "ieepa-canada",
        "9903.01.10",
        {"from": None, "to": "25%"},
    )
    assert (began["instrument"]["id"], began["announced"]) == ("eo-14197", "2025-02-03")
    (raised,) = steps["2025-08-01"]["changes"]
    assert (raised["what"], raised["rate"], raised["instrument"]["id"]) == ("changed", {"from": "25%", "to": "35%"}, "eo-14325")
    ended = {change["heading"]: change for change in steps["2026-02-24"]["changes"] if change["what"] == "ended"}
    assert ended["9903.01.10"]["instrument"]["id"] == "eo-14389"
    assert ended["9903.01.10"]["announced"] == "2026-02-20"
    assert steps["2026-07-24"]["until"] is None


def test_a_step_that_was_announced_and_called_off_is_told_apart_from_the_law() -> None:
    found = timeline(the_engine(), the_book(), SHOES, first=FIRST)
    assert all(step["status"] == "law" for step in found["steps"])
    one = next(step for step in found["withdrawn"] if step["from"] == "2025-02-04")
    assert (one["status"], one["known_on"], one["withdrawn_on"], one["duty"]) == ("withdrawn", "2025-02-02", "2025-02-03", "3350.00")
    assert [act["id"] for act in one["withdrawn_by"]] == ["eo-14197"]
    assert one["instead"] == {"duty": "850.00", "difference": "-2500.00"}
    (change,) = one["changes"]
    assert (change["heading"], change["instrument"]["id"], change["announced"]) == ("9903.01.10", "eo-14193", "2025-02-01")


def test_a_rate_of_a_list_that_was_replaced_before_its_day_is_a_withdrawn_step_too() -> None:
    found = timeline(the_engine(), the_book(), TOYS, first=date(2025, 4, 1), until=date(2025, 5, 1))
    one = next(step for step in found["withdrawn"] if step["from"] == "2025-04-09")
    (change,) = [change for change in one["changes"] if change["what"] == "began"]
    assert (change["heading"], change["rate"]["to"], change["instrument"]["id"]) == ("9903.01.63", "34%", "eo-14257")
    assert [act["id"] for act in one["withdrawn_by"]] == ["eo-14259"]
    law = next(step for step in found["steps"] if step["from"] == "2025-04-09")
    assert next(row["rate"] for row in law["headings"] if row["heading"] == "9903.01.63") == "84%"


@pytest.mark.parametrize("facts", [SHOES, TOYS, PARCEL], ids=["shoes", "toys", "parcel"])
def test_what_is_told_as_withdrawn_was_owed_by_the_law_of_the_day_before_and_by_no_later_one(facts: dict[str, Any]) -> None:
    withdrawn = timeline(the_engine(), the_book(), facts, first=FIRST, until=date(2025, 7, 1))["withdrawn"]
    assert withdrawn
    for step in withdrawn:
        day, known_on, dropped = (date.fromisoformat(step[name]) for name in ("from", "known_on", "withdrawn_on"))
        assert dropped == known_on + DAY <= day
        then = answer_on(the_engine().at(known_on), facts, day)
        assert then["totals"]["duty"] == step["duty"]
        now = answer_on(the_engine().at(dropped), facts, day)
        assert state(then) != state(now)
        law = answer_on(the_engine().at(), facts, day)
        assert step["instead"]["duty"] == law["totals"]["duty"]
        if step["duty"] is not None and law["totals"]["duty"] is not None:
            assert Decimal(step["instead"]["difference"]) == Decimal(law["totals"]["duty"]) - Decimal(step["duty"])


def test_as_known_before_it_was_called_off_the_step_is_law() -> None:
    found = timeline(the_engine(), the_book(), SHOES, first=FIRST, until=date(2025, 3, 1), known_on=date(2025, 2, 2))
    assert [(step["from"], step["duty"]) for step in found["steps"]] == [("2025-01-01", "850.00"), ("2025-02-04", "3350.00")]
    assert found["withdrawn"] == []
    assert found["known_on"] == "2025-02-02"


def test_days_without_an_answer_stand_as_steps_with_their_problem() -> None:
    facts = {**SCREWS, "loaded_date": "2025-04-04"}
    steps = timeline(the_engine(), the_book(), facts, first=FIRST, until=date(2025, 5, 1))["steps"]
    assert steps[0]["problem"]["code"] == "contradictory_facts"
    assert steps[0]["until"] == steps[1]["from"] == "2025-04-04"
    assert steps[1]["duty"]


def test_an_unknown_fact_is_named_with_the_range_it_leaves_and_a_missing_quantity_is_no_zero() -> None:
    wine = timeline(the_engine(), the_book(), LINES["a specific rate without a quantity"], first=FIRST, until=date(2025, 3, 1))["steps"][0]
    assert (wine["duty"], wine["rate"], wine["range"]["high"]) == (None, None, None)
    assert "quantity" in wine["unknown"]


def test_fees_and_low_value_treatment_are_among_the_changes() -> None:
    fees = timeline(the_engine(), the_book(), LINES["fees at their yearly maximum"], first=date(2025, 6, 1), until=date(2025, 12, 1))[
        "steps"
    ]
    change = next(change for step in fees for change in step["changes"] if change["program"] == "fees")
    assert (change["heading"], change["what"]) == ("mpf", "changed")
    parcel = timeline(the_engine(), the_book(), PARCEL, first=FIRST, until=date(2025, 6, 1))["steps"]
    change = next(change for step in parcel for change in step["changes"] if change["program"] == "de_minimis" and change["duty"]["to"])
    assert (change["result"], change["rate"], change["instrument"]["id"]) == (
        {"from": "exempt", "to": "postal_duty"},
        {"from": None, "to": "120%"},
        "eo-14266",
    )


def test_the_consignee_is_never_echoed() -> None:
    found = timeline(the_engine(), the_book(), {**SHOES, "consignee": "Somebody"}, first=FIRST, until=date(2025, 3, 1))
    assert found["facts"] == SHOES
    assert "Somebody" not in str(found)


@pytest.mark.parametrize(
    ("facts", "span", "code", "field"),
    [
        ({**SHOES, "entry_date": "2025-03-04"}, {}, "contradictory_facts", "entry_date"),
        ({**SHOES, "hts": "9999.99.99.99"}, {}, "unknown_hts", "hts"),
        ({**SHOES, "orgin": "CA"}, {}, "unknown_fact", "orgin"),
        ({"hts": "6403.99.60.15", "origin": "CA"}, {}, "fact_missing", "value"),
        (SHOES, {"until": date(2025, 1, 1)}, "out_of_range", "until"),
        (SHOES, {"until": date(2999, 1, 1)}, "out_of_range", "until"),
    ],
)
def test_a_line_that_no_day_answers_is_refused_with_its_problem(
    facts: dict[str, Any], span: dict[str, date], code: str, field: str
) -> None:
    with pytest.raises(ProblemError) as raised:
        timeline(the_engine(), the_book(), facts, **{"first": FIRST, **span})
    assert (raised.value.problem.code, raised.value.problem.field) == (code, field)
