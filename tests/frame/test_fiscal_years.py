"""The processing fee of every fiscal year and manner of entry: the amounts as the notices print them, on the first and the last day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.entry_type import FeeLine
from tariff_engine.fee_law import Fees, Manner
from tariff_engine.fees import FeeAnswer, assess_fees

ON_PAPER, BY_CBP, EMS, OTHER_MAIL = Manner("manual"), Manner("prepared_by_cbp"), Manner(mail="ems"), Manner(mail="other")

# fiscal year: minimum, maximum; informal automated, on paper, by an officer; surcharge, dutiable mail, express waybill
YEARS: dict[int, tuple[str, ...]] = {
    2018: ("25.67", "497.99", "2.05", "6.16", "9.24", "3.08", "5.65", "1.03"),
    2019: ("26.22", "508.70", "2.10", "6.29", "9.44", "3.15", "5.77", "1.05"),
    2020: ("26.79", "519.76", "2.14", "6.43", "9.65", "3.22", "5.89", "1.07"),
    2021: ("27.23", "528.33", "2.18", "6.54", "9.80", "3.27", "5.99", "1.09"),
    2022: ("27.75", "538.40", "2.22", "6.66", "9.99", "3.33", "6.11", "1.11"),
    2023: ("29.66", "575.35", "2.37", "7.12", "10.68", "3.56", "6.52", "1.19"),
    2024: ("31.67", "614.35", "2.53", "7.60", "11.40", "3.80", "6.97", "1.27"),
    2025: ("32.71", "634.62", "2.62", "7.85", "11.78", "3.93", "7.20", "1.31"),
    2026: ("33.58", "651.50", "2.69", "8.06", "12.09", "4.03", "7.39", "1.34"),
}


def days(year: int) -> tuple[date, date]:
    """The first and the last day of a fiscal year; dutiable mail ended on 2026-07-24, before its year did."""
    return date(2018, 1, 1) if year == 2018 else date(year - 1, 10, 1), date(year, 9, 30)


def fee(fees: Fees, value: int, day: date, mode: Any = "air", entry_type: str | None = None, **more: Any) -> FeeAnswer:
    line = FeeLine(1, value, "DE")
    return assess_fees(fees, entry_date=day, mode=mode, entry_type=entry_type, lines=[line], **more)


@pytest.mark.parametrize("year", sorted(YEARS))
def test_the_amounts_of_a_fiscal_year(fees: Fees, year: int) -> None:
    least, most, automated, paper, officer, surcharge, mail, waybill = YEARS[year]
    for day in days(year):
        assert str(fee(fees, 2501, day).mpf.amount) == least
        assert str(fee(fees, 10**7, day).mpf.amount) == most
        assert str(fee(fees, 100000, day).mpf.amount) == "346.40"
        assert str(fee(fees, 900, day, entry_type="11").mpf.amount) == automated
        assert str(fee(fees, 900, day, entry_type="11", manner=ON_PAPER).mpf.amount) == paper
        assert str(fee(fees, 900, day, entry_type="11", manner=BY_CBP).mpf.amount) == officer
        assert fee(fees, 2501, day, manner=ON_PAPER).mpf.amount == Decimal(least) + Decimal(surcharge)
        assert fee(fees, 10**7, day, manner=ON_PAPER).mpf.amount == Decimal(most) + Decimal(surcharge)
        assert str(fee(fees, 900, day, "express", "11", manner=Manner(bills=1)).mpf.amount) == waybill
        if day < date(2026, 7, 24):
            assert str(fee(fees, 900, day, "postal", "11", manner=OTHER_MAIL).mpf.amount) == mail


@pytest.mark.parametrize("year", sorted(YEARS)[1:])
def test_a_fiscal_year_begins_on_the_first_of_october(fees: Fees, year: int) -> None:
    first, _ = days(year)
    before = fee(fees, 10**7, first - timedelta(days=1)).mpf.amount
    assert str(before) == YEARS[year - 1][1]


def test_the_surcharge_is_told_apart_from_the_fee(fees: Fees) -> None:
    found = fee(fees, 50000, date(2025, 11, 1), manner=ON_PAPER).mpf
    assert (str(found.amount), found.class_code) == ("177.23", "499")
    assert found.surcharge is not None
    assert (str(found.surcharge.amount), found.surcharge.class_code) == ("4.03", "500")


def test_goods_free_of_the_fee_are_free_of_the_surcharge(fees: Fees) -> None:
    line = FeeLine(1, 50000, "MX", usmca_qualifying=True)
    answer = assess_fees(fees, entry_date=date(2025, 11, 1), mode="truck", entry_type=None, lines=[line], manner=ON_PAPER)
    assert answer.mpf.amount == 0
    assert answer.mpf.surcharge is None


@pytest.mark.parametrize(
    ("entry_type", "manner", "amount", "assumed"),
    [
        ("01", EMS, "33.58", []),
        ("01", OTHER_MAIL, "0.00", []),
        ("01", Manner(), "33.58", ["mode"]),
        ("11", EMS, "0.00", []),
        ("11", OTHER_MAIL, "7.39", []),
        ("11", Manner(), "7.39", ["mode"]),
    ],
)
def test_mail_pays_by_its_kind(fees: Fees, entry_type: str, manner: Manner, amount: str, assumed: list[str]) -> None:
    answer = fee(fees, 900, date(2026, 7, 23), "postal", entry_type, manner=manner)
    assert (str(answer.mpf.amount), [one.fact for one in answer.assumptions]) == (amount, assumed)


@pytest.mark.parametrize(("mode", "kind"), [("air", "formal"), ("air", "informal"), ("express", "waybill")])
def test_fiscal_year_2027_is_not_known_and_never_a_silent_amount(fees: Fees, mode: str, kind: str) -> None:
    value = 50000 if kind == "formal" else 900
    before, after = (fee(fees, value, day, mode, manner=Manner(bills=1)) for day in (date(2026, 9, 30), date(2026, 10, 1)))
    assert after.mpf.amount == before.mpf.amount > 0
    assert (before.mpf.open_end, after.mpf.open_end) == (False, True)
    assert [one.code for one in after.warnings] == ["mpf_unknown_fiscal_year"]


SPI = st.sampled_from([None, "S", "KR", "A", "A+", "D", "JO", "AU", "9", "E*"])


@given(
    values=st.lists(st.integers(0, 10**7), min_size=1, max_size=5),
    spi=SPI,
    day=st.dates(date(2016, 1, 1), date(2028, 1, 1)),
    mode=st.sampled_from([None, "ocean", "air", "postal", "express", "truck"]),
    manner=st.builds(
        Manner,
        method=st.sampled_from([None, "automated", "manual", "prepared_by_cbp"]),
        bills=st.none() | st.integers(1, 9),
        mail=st.sampled_from([None, "ems", "other"]),
    ),
    entry_type=st.sampled_from([None, "01", "02", "03", "06", "07", "11", "12", "86"]),
)
def test_fees_are_never_negative_and_never_below_what_is_sure(
    fees: Fees, values: list[int], spi: str | None, day: date, mode: Any, manner: Manner, entry_type: str | None
) -> None:
    lines = [FeeLine(number, value, "KR", spi=spi) for number, value in enumerate(values, 1)]
    answer = assess_fees(fees, entry_date=day, mode=mode, entry_type=entry_type, lines=lines, manner=manner)
    for one in (answer.mpf, answer.hmf):
        assert 0 <= one.low <= one.amount
        assert one.says
        assert one.cites
    assert answer.hmf.amount <= sum(values) * Decimal("0.00125") + Decimal("0.005")
