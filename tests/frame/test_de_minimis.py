"""The de minimis gate: the cases of data/de_minimis.yaml, the parcel at the limit on every day of change, each row at its edges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.deminimis import Gate, gate, rows_reaching
from tariff_engine.deminimis_law import DeMinimis, Row
from tariff_engine.entry_type import FeeLine
from tariff_engine.fee_law import Fees, Visible, all_known
from tariff_engine.fees import assess_fees
from tariff_engine.money import whole_dollars
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.postal import PostalDuty, postal_duty
from tariff_engine.problems import ProblemError

_FILE = Path(__file__).parent / "data" / "de_minimis.yaml"
CASES: list[dict[str, Any]] = read_document(_FILE.name, _FILE.read_text(encoding="utf-8")).value["cases"]
IEEPA = {"ieepa-canada", "ieepa-mexico", "ieepa-china-fentanyl", "ieepa-reciprocal", "ieepa-brazil", "ieepa-india"}


def ask(rules: DeMinimis, day: str | date, value: str = "100.00", *origins: str, **facts: Any) -> Gate:
    when = date.fromisoformat(day) if isinstance(day, str) else day
    given_facts: dict[str, Any] = {"visible": all_known, "mode": "express", "claimed": True, "value_is_retail": True, **facts}
    return gate(rules, entry_date=when, origins=origins or ("CN",), value_total=Decimal(value), **given_facts)


def pay(answer: Gate, value: int = 100, items: int | None = 1, rate: Fraction = Fraction(0)) -> PostalDuty:
    return postal_duty(answer, value=value, items=items, effective_rate=lambda _: rate)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_parcel_passes_or_pays_as_its_case_says(de_minimis: DeMinimis, fees: Fees, case: dict[str, Any]) -> None:
    facts = case["given"]
    hts = str(facts.get("hts", "6109100012"))
    answer = ask(
        de_minimis,
        facts["date"],
        facts["value"],
        facts["origin"],
        mode=facts["mode"],
        postal_method=facts.get("method"),
        export_country=facts.get("export"),
        gift=facts.get("gift"),
        traveller=facts.get("traveller"),
        adcvd=facts.get("adcvd", False),
        quota=facts.get("quota", False),
        exempt_articles=facts.get("exempt_articles", False),
        formal_entry=facts.get("formal_entry", False),
        hts=(hts,),
    )
    assert answer.result == case["result"]
    assert answer.row == case.get("row", answer.row)
    assert answer.entry == case.get("entry", answer.entry)
    assert answer.says
    assert answer.cites
    dollars = whole_dollars(Decimal(facts["value"]))
    if "duty" in case:
        rate = Fraction(facts.get("ieepa", "0%").rstrip("%")) / 100
        duty = pay(answer, dollars, facts.get("items"), rate)
        assert str(duty.amount) == case["duty"]
        assert duty.rate == case.get("rate", duty.rate)
    if "entry_type" in case:
        one = FeeLine(
            1, dollars, facts["origin"], hts, chapter99=facts.get("chapter99", False), adcvd="adcvd" in facts, quota="quota" in facts
        )
        found = assess_fees(fees, entry_date=facts["date"], mode=facts["mode"], entry_type=None, lines=[one])
        assert found.entry.code == case["entry_type"]


# day, then the row for express, and the rows for mail on its value and by the item
SHENZHEN = [
    ("2025-01-15", "DM01", "DM01", "DM01"),
    ("2025-02-05", "DM03", "DM04", "DM04"),
    ("2025-03-01", "DM05", "DM05", "DM05"),
    ("2025-05-01", "DM05", "DM05", "DM05"),
    ("2025-05-02", "DM09", "DM10", "DM12"),
    ("2025-05-14", "DM09", "DM11", "DM12"),
    ("2025-08-28", "DM09", "DM11", "DM12"),
    ("2025-08-29", "DM14", "DM15", "DM16-DM18"),
    ("2026-02-24", "DM19", "DM21", "DM21"),
    ("2026-07-24", "DM20", "DM22", "DM22"),
]
EXEMPT = {"DM01", "DM05"}
POSTAL = {"DM10": "960.00", "DM11": "432.00", "DM12": "100.00", "DM15": "240.00", "DM16-DM18": "200.00", "DM21": "80.00"}


@pytest.mark.parametrize(("day", "express", "ad_valorem", "specific"), SHENZHEN)
def test_the_parcel_from_shenzhen_at_the_limit(de_minimis: DeMinimis, day: str, express: str, ad_valorem: str, specific: str) -> None:
    """$799.99 and $800.00 are within the limit, $800.01 is not; mail of $800 at an effective IEEPA rate of 30%."""
    for expected, facts in (
        (express, {"mode": "express"}),
        (ad_valorem, {"mode": "postal", "postal_method": "ad_valorem"}),
        (specific, {"mode": "postal", "postal_method": "specific"}),
    ):
        for value in ("799.99", "800.00"):
            answer = ask(de_minimis, day, value, export_country="CN", **facts)
            assert (answer.row, answer.result == "exempt", answer.result == "postal_duty") == (
                expected,
                expected in EXEMPT,
                expected in POSTAL,
            )
            if expected in POSTAL:
                assert str(pay(answer, 800, rate=Fraction(3, 10)).amount) == POSTAL[expected]
        above = ask(de_minimis, day, "800.01", export_country="CN", **facts)
        assert (above.row, above.result) == ("DM02", "entry_required")


def _facts_for(row: Row) -> tuple[str, dict[str, Any]]:
    origin = row.origin[0] if isinstance(row.origin, tuple) else "DE"
    mode = row.mode[0] if isinstance(row.mode, tuple) else "express"
    facts: dict[str, Any] = {"mode": mode, "postal_method": row.postal_method or "ad_valorem", "adcvd": row.adcvd, "quota": row.quota}
    facts |= {"export_country": row.export[0] if row.export else "DE" if row.subject == "shipment" else None, "hts": tuple(row.hts or ())}
    facts |= {"gift": row.subject == "gift", "traveller": row.subject == "traveller", "exempt_articles": row.subject == "exempt_articles"}
    facts["formal_entry"] = row.subject == "formal_entry"
    return origin, facts


def _published(row: Row, published: dict[str, date]) -> date:
    return published[row.by] if row.by else date(2016, 1, 1)


def test_each_row_decides_from_its_first_day_and_not_on_the_day_before(de_minimis: DeMinimis, published: dict[str, date]) -> None:
    """As known on the day on which the row's act was published, which shows the rows that were called off later too."""
    for row in de_minimis.rows:
        known = _published(row, published)

        def visible(by: str | None, withdrawn_by: str | None, known: date = known) -> bool:
            return (by is None or published[by] <= known) and not (withdrawn_by is not None and published[withdrawn_by] <= known)

        origin, facts = _facts_for(row)
        value = "3000" if row.over == 2500 else "900" if row.over == 800 else "50"
        on = ask(de_minimis, row.from_, value, origin, visible=visible, **facts)
        assert on.row == row.id, (row.id, on)
        assert (on.by, on.from_, on.cites) == (row.by, row.from_, row.cite)
        if row.from_ > date(2016, 3, 10):
            assert ask(de_minimis, row.from_ - timedelta(days=1), value, origin, visible=visible, **facts).row != row.id
        if row.until is not None:
            assert ask(de_minimis, row.until - timedelta(days=1), value, origin, visible=visible, **facts).row == row.id
            assert ask(de_minimis, row.until, value, origin, visible=visible, **facts).row != row.id


def test_every_act_named_is_known_to_the_rulebook(de_minimis: DeMinimis, fees: Fees, published: dict[str, date]) -> None:
    rules = fees.rules
    dated: list[Any] = [
        *de_minimis.rows,
        *fees.years,
        *rules.mpf.schedules,
        *rules.mpf.exemptions,
        *rules.entry_types.required,
        *rules.hmf.rules,
    ]
    assert {act for row in dated for act in (row.by, row.withdrawn_by) if act} <= set(published)


@pytest.mark.parametrize(
    ("known", "day", "method", "expected"),
    [
        ("2025-02-02", "2025-02-10", None, "CN-announced"),
        ("2025-02-05", "2025-02-10", None, "DM05"),
        ("2025-04-01", "2025-06-02", None, "DM05"),
        ("2025-04-02", "2025-06-02", "ad_valorem", "CN-post-30pct"),
        ("2025-04-08", "2025-06-02", "ad_valorem", "CN-post-90pct"),
        ("2025-04-09", "2025-06-02", "ad_valorem", "DM10"),
        ("2025-05-12", "2025-06-02", "ad_valorem", "DM11"),
        ("2025-04-02", "2025-05-31", "specific", "CN-post-25usd"),
        ("2025-04-02", "2025-06-01", "specific", "CN-post-50usd"),
        ("2025-04-08", "2025-05-31", "specific", "CN-post-75usd"),
        ("2025-04-08", "2025-06-01", "specific", "CN-post-150usd"),
        ("2025-04-09", "2025-06-01", "specific", "CN-post-200usd"),
        ("2025-05-12", "2025-06-01", "specific", "DM12"),
        ("2025-08-01", "2026-02-27", "specific", "DM16-DM18-planned"),
        ("2025-08-01", "2026-03-01", "specific", "post-sunset-planned"),
        ("2026-02-20", "2026-03-01", "specific", "DM21"),
        ("2026-03-01", "2026-08-01", "ad_valorem", "post-rate-expired"),
        ("2026-06-24", "2026-08-01", "ad_valorem", "DM22"),
    ],
)
def test_mail_from_china_as_the_law_was_known_on_a_day(
    de_minimis: DeMinimis, known_on: Callable[[str], Visible], known: str, day: str, method: Any, expected: str
) -> None:
    answer = ask(de_minimis, day, visible=known_on(known), mode="postal", postal_method=method, export_country="CN")
    assert answer.row == expected


@pytest.mark.parametrize(
    ("origin", "known", "day", "expected"),
    [
        ("CA", "2025-02-02", "2025-02-10", "CA-announced"),
        ("CA", "2025-02-03", "2025-02-10", "DM01"),
        ("CA", "2025-02-03", "2025-03-10", "CA-paused"),
        ("CA", "2025-03-02", "2025-03-10", "DM06"),
        ("MX", "2025-02-02", "2025-02-10", "MX-announced"),
        ("MX", "2025-02-03", "2025-03-10", "MX-paused"),
        ("MX", "2025-03-02", "2025-03-10", "DM07"),
        ("DE", "2025-07-29", "2025-09-10", "DM08"),
        ("DE", "2025-07-30", "2025-09-10", "DM14"),
        ("DE", "2025-07-03", "2027-07-01", "DM08"),
        ("DE", "2025-07-04", "2027-07-01", "DM29"),
    ],
)
def test_a_parcel_as_the_law_was_known_on_a_day(
    de_minimis: DeMinimis, known_on: Callable[[str], Visible], origin: str, known: str, day: str, expected: str
) -> None:
    assert ask(de_minimis, day, "100", origin, visible=known_on(known)).row == expected


def test_an_exemption_that_is_not_claimed_is_not_applied_but_reported(de_minimis: DeMinimis) -> None:
    for claimed, questions in ((False, []), (None, ["de_minimis_claimed"])):
        answer = ask(de_minimis, "2024-06-03", claimed=claimed)
        assert (answer.result, answer.row) == ("available_unclaimed", "DM01")
        assert [one.fact for one in answer.questions] == questions


def test_the_postal_duty_needs_no_claim(de_minimis: DeMinimis) -> None:
    assert ask(de_minimis, "2026-05-01", mode="postal", claimed=None).result == "postal_duty"


def test_every_origin_in_a_shipment_must_qualify(de_minimis: DeMinimis) -> None:
    assert ask(de_minimis, "2025-05-05", "100", "DE", "VN").result == "exempt"
    answer = ask(de_minimis, "2025-05-05", "100", "DE", "CN")
    assert (answer.result, answer.row, answer.origin) == ("entry_required", "DM09", "CN")


def test_a_value_that_is_not_the_retail_value_is_taken_for_it_and_said_so(de_minimis: DeMinimis) -> None:
    answer = ask(de_minimis, "2024-06-03", value_is_retail=False)
    assert [one.fact for one in answer.assumptions] == ["fair_retail_value"]


def test_an_unknown_mode_is_asked_for_only_where_it_matters(de_minimis: DeMinimis) -> None:
    assert ask(de_minimis, "2024-06-03", mode=None).questions == ()
    answer = ask(de_minimis, "2026-05-01", mode=None)
    assert answer.result == "entry_required"
    assert [(one.fact, one.taken) for one in answer.assumptions] == [("mode", "not postal")]
    assert [one.fact for one in answer.questions] == ["mode"]


def test_a_method_that_is_not_stated_takes_the_costlier_one_and_asks(de_minimis: DeMinimis) -> None:
    answer = ask(de_minimis, "2025-05-05", mode="postal", export_country="CN")
    assert [row.id for row in answer.duties] == ["DM10", "DM12"]
    assert [one.fact for one in answer.questions] == ["postal_method"]
    cheap, dear = pay(answer, 50), pay(answer, 200)
    assert (cheap.method, cheap.amount, cheap.low) == ("specific", Decimal("100.00"), Decimal("60.00"))
    assert (dear.method, dear.amount, dear.low) == ("ad_valorem", Decimal("240.00"), Decimal("100.00"))


def test_a_method_that_is_no_longer_open_is_replaced_with_a_warning(de_minimis: DeMinimis) -> None:
    answer = ask(de_minimis, "2026-05-01", mode="postal", postal_method="specific")
    assert (answer.row, [one.code for one in answer.warnings]) == ("DM21", ["postal_method_not_open"])


def test_items_that_are_not_counted_are_one_and_asked_for(de_minimis: DeMinimis) -> None:
    duty = pay(ask(de_minimis, "2025-05-05", mode="postal", postal_method="specific", export_country="CN"), items=None)
    assert duty.amount == 100
    assert [one.fact for one in duty.questions] == ["items"]


def test_mail_whose_sender_is_not_stated_is_taken_to_come_from_its_origin(de_minimis: DeMinimis) -> None:
    answer = ask(de_minimis, "2025-05-05", mode="postal", postal_method="ad_valorem")
    assert (answer.row, [one.fact for one in answer.assumptions]) == ("DM10", ["export_country"])


def test_the_effective_rate_is_asked_for_the_programs_of_the_order(de_minimis: DeMinimis) -> None:
    asked: list[tuple[str, ...]] = []
    answer = ask(de_minimis, "2025-09-10", "100", "JP", mode="postal", postal_method="ad_valorem")

    def rate(programs: tuple[str, ...]) -> Fraction:
        asked.append(programs)
        return Fraction(15, 100)

    assert postal_duty(answer, value=100, items=None, effective_rate=rate).amount == 15
    assert [set(programs) for programs in asked] == [IEEPA]


def test_a_gift_above_its_limit_says_so_and_falls_back_to_the_shipment(de_minimis: DeMinimis) -> None:
    answer = ask(de_minimis, "2025-09-10", "101", "DE", gift=True)
    assert (answer.result, answer.row) == ("entry_required", "DM14")
    assert len(answer.not_applied) == 1


def test_the_days_that_no_text_settles_carry_a_warning(de_minimis: DeMinimis) -> None:
    answer = ask(de_minimis, "2026-02-21", mode="postal", postal_method="ad_valorem")
    assert (answer.row, [one.code for one in answer.warnings]) == ("post-after-decision", ["law_unsettled"])


def test_above_2500_dollars_the_gate_advises_a_formal_entry(de_minimis: DeMinimis) -> None:
    assert ask(de_minimis, "2024-06-03", "2500.00").advice == ()
    assert len(ask(de_minimis, "2024-06-03", "2500.01").advice) == 1


@given(
    value=st.decimals(0, 5000, places=2), day=st.dates(date(2018, 7, 6), date(2028, 1, 1)), mode=st.sampled_from(["air", "postal", None])
)
def test_nothing_above_the_limit_ever_passes_and_the_table_has_no_hole(de_minimis: DeMinimis, value: Decimal, day: date, mode: Any) -> None:
    answer = ask(de_minimis, day, str(value), "CN", mode=mode)
    assert value <= 800 or answer.result == "entry_required"
    assert isinstance(answer.duties, tuple)
    assert (answer.result == "postal_duty") == bool(answer.duties)


@given(rate=st.fractions(0, 2), value=st.integers(0, 800), items=st.integers(1, 20))
def test_mail_pays_its_effective_rate_or_its_bracket(de_minimis: DeMinimis, rate: Fraction, value: int, items: int) -> None:
    by_value = ask(de_minimis, "2025-09-10", "100", "JP", mode="postal", postal_method="ad_valorem")
    exact = rate * value
    assert abs(Fraction(pay(by_value, value, rate=rate).amount) - exact) <= Fraction(1, 200)
    by_item = ask(de_minimis, "2025-09-10", "100", "JP", mode="postal", postal_method="specific")
    each = 80 if rate < Fraction(16, 100) else 160 if rate <= Fraction(25, 100) else 200
    assert pay(by_item, value, items, rate).amount == each * items


@pytest.mark.parametrize(
    ("code", "call"),
    [
        (
            "origin_missing",
            lambda rules: gate(
                rules, entry_date=date(2025, 1, 1), visible=all_known, mode=None, origins=(), value_total=Decimal(1), claimed=True
            ),
        ),
        ("value_negative", lambda rules: ask(rules, "2025-01-01", "-1")),
        ("before_de_minimis_table", lambda rules: ask(rules, "2016-03-09")),
        ("no_postal_duty", lambda rules: pay(ask(rules, "2025-01-01"))),
        ("items_not_positive", lambda rules: pay(ask(rules, "2026-05-01", mode="postal"), items=0)),
        ("value_negative", lambda rules: pay(ask(rules, "2026-05-01", mode="postal"), -1)),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(de_minimis: DeMinimis, code: str, call: Callable[[DeMinimis], object]) -> None:
    with pytest.raises(ProblemError) as caught:
        call(de_minimis)
    assert caught.value.problem.code == code


def test_what_the_rows_see_of_a_line_tells_origins_and_numbers_apart_as_the_rows_do(de_minimis: DeMinimis) -> None:
    of = {row.id: place for place, row in enumerate(de_minimis.rows)}

    def seen(name: str, origin: str, hts: str) -> tuple[bool, bool, bool]:
        return rows_reaching(de_minimis, origin=origin, hts=hts)[of[name]]

    assert seen("DM05", "CN", "6109.10.00.12") == (True, False, False)
    assert seen("DM05", "VN", "6109.10.00.12") == (False, False, False)
    assert seen("DM10", "HK", "6109.10.00.12") == (True, True, False)
    assert seen("perfume", "VN", "3303.00.10.00") == seen("perfume", "VN", "3303001000") == (True, False, True)
    assert seen("alcohol-tobacco", "VN", "3303.00.10.00") == (True, False, False)
