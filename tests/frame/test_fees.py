"""Fees: the cases of data/fees.yaml, the bounds for every value, what is unknown, and knowledge time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.entry_type import FeeLine
from tariff_engine.fee_law import Fees, Manner, Visible
from tariff_engine.fees import FeeAnswer, assess_fees
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.problems import ProblemError

_FILE = Path(__file__).parent / "data" / "fees.yaml"
CASES: list[dict[str, Any]] = read_document(_FILE.name, _FILE.read_text(encoding="utf-8")).value["cases"]
DAY = date(2025, 11, 1)


def line(value: int = 50000, origin: str = "DE", **facts: Any) -> FeeLine:
    return FeeLine(facts.pop("number", 1), value, origin, **facts)


def assess(fees: Fees, *lines: FeeLine, day: date = DAY, mode: Any = "air", **more: Any) -> FeeAnswer:
    return assess_fees(fees, entry_date=day, mode=mode, entry_type=more.pop("entry_type", None), lines=lines, **more)


def codes(answer: FeeAnswer) -> list[str]:
    return [warning.code for warning in answer.warnings]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_entry_pays_what_its_case_says(fees: Fees, case: dict[str, Any]) -> None:
    facts = case["given"]
    one = FeeLine(
        number=1,
        value=facts["value"],
        origin=facts["origin"],
        hts=str(facts.get("hts", "")),
        spi=facts.get("spi"),
        originating=facts.get("originating"),
        usmca_qualifying=facts.get("usmca"),
        chapter98=facts.get("chapter98"),
        dutiable_value=facts.get("dutiable"),
        chapter99=facts.get("chapter99", False),
        adcvd=facts.get("adcvd", False),
        quota=facts.get("quota", False),
    )
    more = {"manner": Manner(facts.get("method"), facts.get("bills"), facts.get("mail")), "treatment": facts.get("treatment", "entry")}
    answer = assess(fees, one, day=facts["date"], mode=facts["mode"], **more)
    found = {"type": answer.entry.code, "mpf": str(answer.mpf.amount), "hmf": str(answer.hmf.amount), "low": str(answer.mpf.low)}
    expected = {key: case[key] for key in found if key in case}
    assert expected
    assert {key: found[key] for key in expected} == expected
    assert answer.mpf.says
    assert answer.mpf.cites


@given(value=st.integers(2501, 10**9), day=st.dates(date(2016, 1, 1), date(2027, 12, 31)))
def test_the_fee_of_a_formal_entry_is_between_the_minimum_and_the_maximum_of_its_year(fees: Fees, value: int, day: date) -> None:
    year = max((year for year in fees.years if year.from_ <= day), key=lambda year: year.from_)
    assert year.min <= assess(fees, line(value), day=day).mpf.amount <= year.max


@given(value=st.integers(0, 10**7), more=st.integers(0, 10**6), day=st.dates(date(2016, 1, 1), date(2026, 9, 30)))
def test_the_fee_never_falls_when_the_value_rises(fees: Fees, value: int, more: int, day: date) -> None:
    low, high = (assess(fees, line(size), day=day, entry_type="01").mpf.amount for size in (value, value + more))
    assert low <= high


@given(values=st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_the_fee_is_one_for_the_entry_however_its_value_is_cut_into_lines(fees: Fees, values: list[int]) -> None:
    lines = [line(value, number=number) for number, value in enumerate(values, 1)]
    whole = line(sum(values))
    cut = assess(fees, *lines, mode="ocean", entry_type="01")
    assert (cut.mpf.amount, cut.hmf.amount) == tuple(
        fee.amount
        for fee in (assess(fees, whole, mode="ocean", entry_type="01").mpf, assess(fees, whole, mode="ocean", entry_type="01").hmf)
    )


@given(value=st.integers(0, 10**9))
def test_the_harbor_fee_is_linear_in_the_value_and_has_no_bounds(fees: Fees, value: int) -> None:
    fee = assess(fees, line(value * 800), mode="ocean").hmf
    assert fee.amount == value
    assert fee.amount.as_tuple().exponent == -2


@pytest.mark.parametrize("mode", ["air", "truck", "rail", "postal", "express", "other"])
def test_only_cargo_from_a_vessel_pays_the_harbor_fee(fees: Fees, mode: str) -> None:
    assert assess(fees, line(), mode=mode).hmf.amount == 0


def test_half_a_cent_goes_up(fees: Fees) -> None:
    assert assess(fees, line(12500), mode="air").mpf.amount == Decimal("43.30")
    assert assess(fees, line(2004), mode="ocean").hmf.amount == Decimal("2.51")  # 2.505


def test_an_unknown_mode_pays_the_harbor_fee_on_an_assumption_and_asks(fees: Fees) -> None:
    answer = assess(fees, line(), mode=None)
    assert (answer.hmf.amount, answer.hmf.low) == (Decimal("62.50"), Decimal(0))
    assert [one.fact for one in answer.assumptions] == ["mode"]
    assert [one.fact for one in answer.questions] == ["mode"]


def test_exempt_lines_leave_the_value_and_the_rest_still_pays_the_minimum(fees: Fees) -> None:
    answer = assess(fees, line(50000, "KR", spi="KR", originating=True), line(3000, number=2))
    assert (answer.mpf.amount, answer.mpf.base) == (Decimal("33.58"), 3000)
    assert [(note.line, note.row) for note in answer.mpf.exempt] == [(1, "korea")]


def test_a_claim_whose_origin_is_not_stated_frees_on_an_assumption(fees: Fees) -> None:
    answer = assess(fees, line(spi="CL", origin="CL"))
    assert answer.mpf.amount == 0
    assert [one.fact for one in answer.assumptions] == ["originating"]


def test_a_claim_that_frees_nothing_is_explained(fees: Fees) -> None:
    answer = assess(fees, line(spi="JO", origin="JO", originating=True))
    assert [note.row for note in answer.mpf.claims_without_effect] == ["jordan"]


def test_the_dutiable_part_that_is_not_stated_is_the_whole_on_an_assumption(fees: Fees) -> None:
    answer = assess(fees, line(100000, "HN", chapter98="9802.00.80"))
    assert answer.mpf.amount == Decimal("346.40")
    assert [one.fact for one in answer.assumptions] == ["dutiable_value"]


def test_waybills_that_are_not_counted_are_one_on_an_assumption(fees: Fees) -> None:
    answer = assess(fees, line(500), mode="express")
    assert answer.mpf.amount == Decimal("1.34")
    assert [one.fact for one in answer.questions] == ["bills"]


def test_an_amount_that_no_notice_was_read_for_says_so(fees: Fees) -> None:
    assert "mpf_amount" in [one.fact for one in assess(fees, line(2000), day=date(2025, 1, 15)).assumptions]
    assert assess(fees, line(2000)).assumptions == ()


def test_a_fiscal_year_without_a_notice_takes_the_last_one_and_warns(fees: Fees) -> None:
    assert codes(assess(fees, line(500000), day=date(2026, 9, 30))) == []
    answer = assess(fees, line(500000), day=date(2026, 10, 1))
    assert answer.mpf.amount == Decimal("651.50")
    assert codes(answer) == ["mpf_unknown_fiscal_year"]
    assert [one.fact for one in answer.assumptions] == ["mpf_amounts"]


def test_before_the_notice_of_a_year_its_amounts_were_not_known(fees: Fees, known_on: Callable[[str], Visible]) -> None:
    early = assess(fees, line(500000), visible=known_on("2025-07-22"))
    later = assess(fees, line(500000), visible=known_on("2025-07-23"))
    assert (early.mpf.amount, codes(early)) == (Decimal("634.62"), ["mpf_unknown_fiscal_year"])
    assert (later.mpf.amount, codes(later)) == (Decimal("651.50"), [])


def test_before_the_message_the_limit_for_chapter_99_had_no_end(fees: Fees, known_on: Callable[[str], Visible]) -> None:
    one = line(300, "CN", chapter99=True)
    kinds = [assess(fees, one, day=date(2025, 5, 5), visible=known_on(day)).entry.code for day in ("2025-04-27", "2025-04-28")]
    assert kinds == ["01", "11"]


def test_the_first_and_last_day_of_every_fiscal_year_have_its_amounts(fees: Fees) -> None:
    for year in fees.years:
        for day in (year.from_, year.until - timedelta(days=1)):
            assert assess(fees, line(10**8), day=day).mpf.amount == year.max


def test_derived_amounts_follow_the_published_maximum(fees: Fees) -> None:
    base, cent = fees.years[0], Decimal("0.01")
    for year in fees.years:
        for column in ("informal_automated", "informal_manual", "informal_by_cbp", "manual_surcharge", "dutiable_mail", "express_bill"):
            exact = getattr(base, column) * year.max / base.max
            assert abs(exact - getattr(year, column)) <= cent / 2, (year.fiscal_year, column)


def test_an_informal_entry_that_must_be_formal_is_kept_as_stated_with_a_warning(fees: Fees) -> None:
    answer = assess(fees, line(3000), entry_type="11")
    assert (answer.entry.code, answer.mpf.amount, codes(answer)) == ("11", Decimal("2.69"), ["formal_entry_required"])


def test_a_formal_entry_may_be_made_of_goods_that_need_none(fees: Fees) -> None:
    answer = assess(fees, line(2000), entry_type="01")
    assert (answer.entry.formal, answer.mpf.amount, codes(answer)) == (True, Decimal("33.58"), [])


def test_formal_mail_pays_only_if_it_is_express_mail(fees: Fees) -> None:
    answer = assess(fees, line(3000), mode="postal")
    assert (answer.mpf.amount, answer.mpf.low, answer.mpf.row) == (Decimal("33.58"), Decimal(0), "formal-mail")


@pytest.mark.parametrize(
    ("code", "lines", "more"),
    [
        ("no_lines", (), {}),
        ("value_negative", (line(-1),), {}),
        ("unknown_entry_type", (line(),), {"entry_type": "99"}),
        ("bills_not_positive", (line(500),), {"mode": "express", "manner": Manner(bills=0)}),
        ("fee_not_known", (line(),), {"day": date(2015, 12, 31)}),
    ],
)
def test_what_has_no_fees_is_refused_by_name(fees: Fees, code: str, lines: tuple[FeeLine, ...], more: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as caught:
        assess(fees, *lines, **more)
    assert caught.value.problem.code == code
