"""Refunds: what was paid, what is owed today, and what is owed by the law without the programs of an action."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.naive_knowledge import NaiveKnowledge

from tariff_engine.build import build_law, refit_law
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry_number import check_digit, read_entry_number
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.refund import Laws, programs_of, read_paid, refund_line
from tariff_engine.refund_entry import reasons, settle_facts, windows
from tariff_engine.refund_law import Action
from tariff_engine.testing import random_line, space
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.law import Law

LINES = 400
Refund = Callable[..., dict[str, Any]]
STEEL = {"hts": "7208.39.00.20", "origin": "CA", "value": 10000}
SHOES = {"hts": "6403.99.60.15", "value": 10000}


@pytest.fixture(scope="module")
def action(knowledge: Knowledge) -> Action:
    return next(one for one in knowledge.law.refunds.actions if one.action == "ieepa")


@pytest.fixture(scope="module")
def lacking(knowledge: Knowledge, book: Book, action: Action) -> Law:
    return refit_law(knowledge.law, book, without=frozenset(action.programs))


@pytest.fixture(scope="module")
def without(lacking: Law) -> Knowledge:
    return Knowledge(lacking)


@pytest.fixture(scope="module")
def refund(knowledge: Knowledge, book: Book, without: Knowledge, action: Action) -> Refund:
    """Answer a line; what was filed follows from the law known on its day, or on another."""
    known = Engine(lambda day: knowledge.law if day == date.max else refit_law(knowledge.law, book, day))

    def answer(line: dict[str, Any], filed_on: str | None = None, **stated: Any) -> dict[str, Any]:
        read = knowledge.read(line)
        filed = known.at(date.fromisoformat(filed_on) if filed_on else read.day)
        return refund_line(action, Laws(filed, knowledge, without), read, "1", **stated)

    return answer


def amounts(answer: dict[str, Any]) -> tuple[str, str, str, str]:
    return answer["paid"], answer["today"], answer["without"], answer["refund"]["low"]


def rows(answer: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {row["heading"]: (row["paid"], row["today"], row["without"]) for row in answer["headings"]}


# ---------------------------------------------------------------- single lines
def test_footwear_of_vietnam_gets_the_reciprocal_duty_back_and_keeps_its_base_duty(refund: Refund) -> None:
    found = refund({**SHOES, "origin": "VN", "entry_date": "2025-06-10"})
    assert amounts(found) == ("1850.00", "1850.00", "850.00", "1000.00")
    assert found["refund"] == {"low": "1000.00", "high": "1000.00"}
    assert found["numbers"] == ["9903.01.25"]
    assert found["status"] == "refund"


def test_goods_of_china_get_two_programs_back_and_keep_section_301(refund: Refund) -> None:
    found = rows(refund({**SHOES, "origin": "CN", "entry_date": "2025-06-10"}))
    assert found["9903.01.24"] == ("2000.00", "2000.00", "0.00")
    assert found["9903.01.25"] == ("1000.00", "1000.00", "0.00")
    assert found["9903.88.15"] == ("750.00", "750.00", "750.00")


@pytest.mark.parametrize(
    ("origin", "day", "headings", "low"),
    [
        ("BR", "2025-09-10", {"9903.01.77", "9903.02.09"}, "5000.00"),
        ("IN", "2025-09-10", {"9903.01.84", "9903.02.26"}, "5000.00"),
        ("MX", "2025-04-10", {"9903.01.01"}, "2500.00"),
        ("CA", "2025-08-10", {"9903.01.10"}, "3500.00"),
    ],
)
def test_every_ieepa_program_is_taken_out(refund: Refund, origin: str, day: str, headings: set[str], low: str) -> None:
    found = refund({**SHOES, "origin": origin, "entry_date": day})
    assert {row["heading"] for row in found["headings"] if row["stripped"] and row["paid"] != "0.00"} == headings
    assert found["refund"] == {"low": low, "high": low}


def test_the_first_and_the_last_day_of_the_period_count_and_the_days_around_it_do_not(refund: Refund) -> None:
    def status(day: str) -> tuple[str, str]:
        found = refund({**SHOES, "origin": "CN", "entry_date": day})
        return found["status"], found["by_action"]["high"]

    assert status("2025-02-03") == ("outside_period", "0.00")
    assert status("2025-02-04") == ("refund", "1000.00")
    assert status("2026-02-23") == ("refund", "2000.00")
    assert status("2026-02-24") == ("outside_period", "0.00")


def test_a_floor_that_included_the_base_duty_gives_it_back_when_it_goes(refund: Refund) -> None:
    """Japan, 15% in all from 7 August 2025 by a notice of 16 September: as filed 15% on top, as owed today 15% in all."""
    found = refund({**SHOES, "origin": "JP", "entry_date": "2025-09-10"})
    assert rows(found) == {
        "9903.02.30": ("1500.00", "0.00", "0.00"),
        "9903.02.73": ("0.00", "1500.00", "0.00"),
        "6403.99.60.15": ("850.00", "0.00", "850.00"),
    }
    assert (found["retroactive"], found["by_action"]["low"], found["refund"]["low"]) == ("850.00", "650.00", "1500.00")
    assert found["numbers"] == ["9903.02.30"]


# ---------------------------------------------------------------- the trap
@pytest.mark.parametrize("day", ["2025-03-12", "2025-05-20", "2025-06-03"])
def test_without_ieepa_the_displaced_steel_duty_comes_back_and_both_readings_stand(refund: Refund, day: str) -> None:
    found = refund({**STEEL, "entry_date": day}, filed_on="2025-12-31")
    assert rows(found)["9903.81.87"] == ("0.00", "0.00", "2500.00")
    assert found["refund"] == {"low": "0.00", "high": "2500.00"}
    assert found["revived"] == [{"heading": "9903.81.87", "program": "s232-steel-2025", "duty": "2500.00"}]
    (warning,) = [one for one in found["warnings"] if one["code"] == "duty_revived"]
    assert "EO 14289 s.3(a)(ii)" in warning["message"]


def test_the_refund_may_be_less_than_nothing(refund: Refund) -> None:
    """Energy of Canada paid 10% where the steel duty, had it applied, is 25%: claiming can cost money."""
    found = refund({**STEEL, "entry_date": "2025-05-20", "energy_resource": True}, filed_on="2025-12-31")
    assert found["refund"] == {"low": "-1500.00", "high": "1000.00"}


@pytest.mark.parametrize("day", ["2025-03-11", "2025-06-04"])
def test_on_the_days_around_the_trap_nothing_comes_back(refund: Refund, day: str) -> None:
    found = refund({**STEEL, "entry_date": day}, filed_on="2025-12-31")
    assert found["revived"] == []
    assert found["refund"]["low"] == found["refund"]["high"]


def test_who_filed_both_before_the_stacking_order_gets_one_back_in_any_case(refund: Refund) -> None:
    """On 20 March 2025 both duties were filed; the order of 29 April reaches back. Which of the two stays is the open question."""
    found = refund({**STEEL, "entry_date": "2025-03-20"})
    assert amounts(found) == ("5000.00", "2500.00", "2500.00", "2500.00")
    assert found["retroactive"] == "2500.00"
    assert found["refund"] == {"low": "2500.00", "high": "5000.00"}


# ---------------------------------------------------------------- what was paid
def test_a_stated_amount_counts_and_a_difference_is_a_warning(refund: Refund) -> None:
    line = {**SHOES, "origin": "VN", "entry_date": "2025-06-10"}
    right = refund(line, paid=read_paid({"9903.01.25": "1000.00"}))
    assert [one["code"] for one in right["warnings"]] == []
    more = refund(line, paid=read_paid({"99030125": "1200"}))
    assert more["refund"]["low"] == "1200.00"
    assert "paid_differs" in [one["code"] for one in more["warnings"]]
    none = refund(line, paid=read_paid({"6403.99.60": "850.00"}))
    assert none["refund"]["low"] == "0.00"
    assert "paid_differs" in [one["code"] for one in none["warnings"]]


def test_a_number_that_the_law_does_not_have_on_the_line_counts_as_paid_and_is_told(refund: Refund) -> None:
    line = {**SHOES, "origin": "VN", "entry_date": "2025-06-10"}
    found = refund(line, paid=read_paid({"9903.01.24": "500.00", "9903.01.25": "1000.00"}))
    assert found["refund"]["low"] == "1500.00"
    assert found["numbers"] == ["9903.01.25", "9903.01.24"]
    foreign = refund(line, paid=read_paid({"9903.01.25": "1000.00", "9903.88.03": "2500.00"}))
    assert foreign["refund"]["low"] == "3500.00"  # paid and not owed, whatever becomes of the action
    assert foreign["numbers"] == ["9903.01.25"]


@pytest.mark.parametrize("total", [0, 1, 100_000, 120_000, 10**12])
def test_a_stated_sum_is_the_sum_under_the_numbers_of_the_action(refund: Refund, total: int) -> None:
    found = refund({**SHOES, "origin": "CN", "entry_date": "2025-06-10"}, paid_total=total)
    assert int(found["paid_under"].replace(".", "")) == total
    assert all(not row["paid"].startswith("-") for row in found["headings"])


@pytest.mark.parametrize(
    "stated", [[], {"9903.01.25": "-1"}, {"9903.01.25": "1.001"}, {"9903": "1"}, {"x": "1"}, {"9903.01.25": "1", "99030125": "1"}]
)
def test_what_was_paid_is_read_strictly(stated: Any) -> None:
    with pytest.raises(ProblemError):
        read_paid(stated)


def test_a_duty_that_waits_for_a_quantity_is_left_out_where_the_action_does_not_touch_it(refund: Refund) -> None:
    found = refund({"hts": "0402.10.50.00", "origin": "NZ", "entry_date": "2025-09-10", "value": 10000})
    assert found["complete"]
    assert found["refund"]["low"] == "1500.00"
    assert "duty_unknown" in [one["code"] for one in found["warnings"]]
    assert "quantity" in [question["fact"] for question in found["questions"]]


# ---------------------------------------------------------------- the law without programs
def test_the_law_without_programs_is_built_alike_in_both_ways(book: Book, lacking: Law, action: Action) -> None:
    built = build_law(book, ROOT, without=frozenset(action.programs))
    assert built.without == lacking.without == frozenset(action.programs)
    assert [one.name for one in built.compiled.programs] == [one.name for one in lacking.compiled.programs]
    assert not {one.name for one in built.compiled.programs} & set(action.programs)
    assert built.id == lacking.id == book.id


def test_a_program_that_is_not_in_the_book_cannot_be_taken_out(book: Book) -> None:
    with pytest.raises(ProblemError, match="no program of this rulebook"):
        book.lacking(frozenset({"ieepa-atlantis"}))


def test_both_evaluators_agree_on_the_law_without_the_programs(
    book: Book, knowledge: Knowledge, lacking: Law, without: Knowledge, action: Action
) -> None:
    naive = NaiveKnowledge(lacking, book.lacking(frozenset(action.programs)))
    where, rng = space(knowledge), random.Random(14389)
    told = 0
    for _ in range(LINES):
        raw = random_line(where, rng)
        try:
            line = without.read(raw)
            expected = naive.answer(line, "1")
        except (ProblemError, LawConflictError):
            continue
        found = without.answer(line, "1", "none", inquire=False)
        mine = [(row["heading"], row["rate"], row["base_value"], row["duty"]) for row in found["headings"]]
        assert mine == [(row["heading"], row["rate"], row["base_value"], row["duty"]) for row in expected["headings"]], raw
        told += 1
    assert told > LINES // 4


def test_refunds_of_random_lines_add_up_and_never_leave_the_period(
    knowledge: Knowledge, without: Knowledge, action: Action, refund: Refund
) -> None:
    """Paid less the refund is what the law without the programs demands; the headings sum to the refund; outside the period there is none."""
    where, rng = space(knowledge), random.Random(232)
    refunds = 0
    for number in range(LINES):
        raw = random_line(where, rng)
        if number % 3:  # most of them inside the period
            raw["entry_date"] = (action.from_ + timedelta(rng.randrange((action.until - action.from_).days))).isoformat()
        try:
            line = knowledge.read(raw)
            found = refund(raw, filed_on="2026-09-28")
            bare = without.answer(line, "1", "none", inquire=False)
        except (ProblemError, LawConflictError):
            continue
        if not found["complete"] or bare["duty"] is None:
            continue
        assert found["without"] == bare["duty"] if action.covers(line.day) else found["by_action"] == {"low": "0.00", "high": "0.00"}, raw
        cents = [int(row["difference"].replace(".", "")) for row in found["headings"]]
        low, high = (int(found["refund"][end].replace(".", "")) for end in ("low", "high"))
        assert sum(cents) == low <= high, raw
        back = sum(int(row["duty"].replace(".", "")) for row in found["revived"])
        assert low + back == high, raw
        assert all(not row["stripped"] or row["without"] == "0.00" for row in found["headings"]), raw
        refunds += high > 0
    assert refunds > LINES // 20


def test_every_number_of_the_law_knows_its_programs(knowledge: Knowledge) -> None:
    owners = programs_of(knowledge.law)
    assert owners["9903.01.25"] == {"ieepa-reciprocal"}
    assert owners["9903.02.73"] == {"ieepa-reciprocal"}
    assert owners["9903.81.87"] == {"s232-steel-2025"}


# ---------------------------------------------------------------- entries
NUMBERS = ["002-6110316-2", "002-6111115-7", "002-6111223-9", "002-6111109-0", "002-6111082-9", "002-6110748-6", "002-6111267-6"]


@pytest.mark.parametrize("number", [*NUMBERS, "179-0374591-1", "SP7-0000001-4", "ABC-1234567-6", "999-9999999-0"])
def test_entry_numbers_of_published_rulings_have_the_check_digit_that_is_computed(number: str) -> None:
    """The first seven are in CBP ruling HQ H005628, the next one in HQ 229670."""
    assert read_entry_number(number) == read_entry_number(number.replace("-", "").lower()) == number


@pytest.mark.parametrize("number", NUMBERS)
def test_every_other_check_digit_and_every_changed_digit_is_refused(number: str) -> None:
    base, right = number[:-2].replace("-", ""), int(number[-1])
    for digit in set(range(10)) - {right}:
        with pytest.raises(ProblemError, match="check digit"):
            read_entry_number(f"{base}{digit}")
    for place in range(10):
        changed = base[:place] + str((int(base[place]) + 1) % 10) + base[place + 1 :]
        assert check_digit(changed) != right


@pytest.mark.parametrize(
    "text",
    ["", "123", "ABC-12345678-6", "AB-1234567-6", "ABC 1234567 6", "=ABC-1234567-6", "ABC-123456\u0667-6", None, 12345678901, "A" * 99],
)
def test_what_is_no_entry_number_is_refused(text: Any) -> None:
    with pytest.raises(ProblemError, match="no entry number"):
        read_entry_number(text)


def spans(action: Action, on: str, **facts: Any) -> dict[str, tuple[str, str | None]]:
    read = {name: date.fromisoformat(value) if isinstance(value, str) and name.endswith("date") else value for name, value in facts.items()}
    return {window["window"]: (window["state"], window["last_day"]) for window in windows(action.windows, read, date.fromisoformat(on))}


def test_windows_are_computed_from_the_days_of_the_entry(action: Action) -> None:
    found = spans(action, "2026-02-01", entry_date="2025-06-10", liquidation_date="2026-01-20", liquidated=True)
    assert found == {
        "psc": ("over", "2026-01-20"),
        "liquidation": ("done", "2026-01-20"),
        "deemed-liquidation": ("done", "2026-01-20"),
        "cape": ("open", "2026-04-10"),
        "reliquidation": ("open", "2026-04-20"),
        "protest": ("open", "2026-07-19"),
        "court": ("open", "2027-06-10"),
    }


def test_a_correction_ends_with_the_first_of_its_days_and_is_closed_once_the_process_opened(action: Action) -> None:
    entry = {"entry_date": "2025-10-10"}
    assert spans(action, "2026-01-01", **entry)["psc"] == ("open", "2026-08-06")
    assert spans(action, "2026-01-01", **entry, scheduled_liquidation_date="2026-03-02")["psc"] == ("open", "2026-02-15")
    assert spans(action, "2026-04-20", **entry)["psc"] == ("closed", "2026-08-06")


def test_a_window_without_its_day_asks_for_it(action: Action) -> None:
    day = date(2026, 6, 1)
    told = {window["window"]: window for window in windows(action.windows, {"entry_date": date(2025, 3, 4)}, day)}
    assert (told["protest"]["state"], told["protest"]["asks"]) == ("unknown", ["liquidation_date"])
    assert (told["liquidation"]["state"], told["liquidation"]["asks"]) == ("past", ["liquidation_date"])
    told = {window["window"]: window for window in windows(action.windows, {"entry_date": date(2025, 3, 4), "liquidated": False}, day)}
    assert told["cape"]["state"] == "not_begun"
    assert all(window["cites"] for window in told.values())


@pytest.mark.parametrize(("last", "state"), [("2026-04-10", "open"), ("2026-04-11", "over")])
def test_the_last_day_is_the_last_day(action: Action, last: str, state: str) -> None:
    assert spans(action, last, entry_date="2025-06-10", liquidation_date="2026-01-20", liquidated=True)["cape"][0] == state


def test_days_at_the_ends_of_time_and_leap_days_do_no_harm(action: Action) -> None:
    assert spans(action, "2026-01-01", entry_date="2024-02-29")["court"] == ("open", "2026-02-28")
    assert spans(action, "9999-12-31", entry_date="9999-12-31")["court"] == ("open", "9999-12-31")


@pytest.mark.parametrize(
    ("facts", "on", "failed"),
    [
        ({"entry_type": "01"}, "2026-05-01", []),
        ({"entry_type": "08"}, "2026-05-01", ["type-08"]),
        ({"entry_type": "09"}, "2026-05-01", ["type-09"]),
        ({"entry_type": "47", "drawback": True}, "2026-05-01", ["type-47", "drawback"]),
        ({"protest_open": True}, "2026-05-01", ["protest"]),
        ({"adcvd_pending": True}, "2026-05-01", ["adcvd"]),
        ({"liquidation_date": date(2026, 2, 10)}, "2026-05-01", []),
        ({"liquidation_date": date(2026, 2, 9)}, "2026-05-01", ["liquidated-80-days"]),
        ({"reconciliation": True, "entry_type": "01"}, "2026-06-28", ["reconciliation"]),
        ({"reconciliation": True, "entry_type": "01"}, "2026-06-29", []),
        ({"reconciliation": True, "entry_type": "03"}, "2026-06-29", ["reconciliation-type"]),
        ({"reconciliation": True, "reconciliation_filed": True, "entry_type": "02"}, "2026-06-29", ["reconciliation-filed"]),
    ],
)
def test_entries_that_the_process_would_not_take_are_known_by_the_reason(
    action: Action, facts: dict[str, Any], on: str, failed: list[str]
) -> None:
    assert [check["check"] for check in reasons(action, facts, date.fromisoformat(on))[0]] == failed


def test_a_liquidation_that_is_still_to_come_is_none_and_says_so(knowledge: Knowledge) -> None:
    law, on = knowledge.law.refunds, date(2026, 5, 1)
    facts, warnings = settle_facts(law, {"liquidation_date": date(2026, 8, 1)}, on)
    assert facts == {"scheduled_liquidation_date": date(2026, 8, 1)}
    assert [warning.code for warning in warnings] == ["day_to_come"]
    facts, warnings = settle_facts(law, {"liquidation_date": date(2026, 5, 1)}, on)
    assert facts == {"liquidation_date": date(2026, 5, 1), "liquidated": True}
    with pytest.raises(ProblemError, match="stated as no"):
        settle_facts(law, {"liquidation_date": date(2026, 5, 1), "liquidated": False}, on)
