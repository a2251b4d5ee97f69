"""The decision table of small shipments, row by row, in whole answers: what passes, what the goods owe, and which entry they need."""

from __future__ import annotations

from typing import Any

import pytest

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry, assess_row

SHIRT = {"hts": "6109.10.00.12", "value": "100", "de_minimis_claimed": True}
AIR, MAIL = {"mode": "air"}, {"mode": "postal"}
BY_VALUE, BY_ITEM = {**MAIL, "postal_method": "ad_valorem"}, {**MAIL, "postal_method": "specific"}

# row of the table; what is stated; result, deciding row, duty of the entry, entry type ("" where no entry is made)
TABLE: list[tuple[str, dict[str, Any], tuple[str, str, str, str]]] = [
    ("DM01", {"origin": "DE", "entry_date": "2024-06-03", "value": "800", **AIR}, ("exempt", "DM01", "0.00", "")),
    ("DM02", {"origin": "DE", "entry_date": "2024-06-03", "value": "800.01", **AIR}, ("entry_required", "DM02", "132.00", "11")),
    ("DM03", {"origin": "CN", "entry_date": "2025-02-05", "mode": "express"}, ("entry_required", "DM03", "34.00", "11")),
    ("DM04", {"origin": "HK", "entry_date": "2025-02-06", **MAIL}, ("entry_required", "DM04", "26.50", "11")),
    ("DM05", {"origin": "CN", "entry_date": "2025-05-01", **AIR}, ("exempt", "DM05", "0.00", "")),
    ("DM06", {"origin": "CA", "entry_date": "2025-03-10", "mode": "truck"}, ("exempt", "DM06", "0.00", "")),
    ("DM07", {"origin": "MX", "entry_date": "2025-08-28", "mode": "truck"}, ("exempt", "DM07", "0.00", "")),
    ("DM08", {"origin": "MO", "entry_date": "2025-08-28", "mode": "express"}, ("exempt", "DM08", "0.00", "")),
    ("DM09", {"origin": "CN", "entry_date": "2025-05-02", "mode": "express"}, ("entry_required", "DM09", "169.00", "11")),
    ("DM10", {"origin": "CN", "entry_date": "2025-05-13", "export_country": "CN", **BY_VALUE}, ("postal_duty", "DM10", "120.00", "")),
    ("DM11", {"origin": "HK", "entry_date": "2025-05-14", "export_country": "CN", **BY_VALUE}, ("postal_duty", "DM11", "54.00", "")),
    (
        "DM12",
        {"origin": "CN", "entry_date": "2025-08-28", "export_country": "CN", "items": 2, **BY_ITEM},
        ("postal_duty", "DM12", "200.00", ""),
    ),
    (
        "DM13",
        {"origin": "CN", "entry_date": "2025-05-05", "export_country": "CN", "entry_type": "01", **BY_VALUE},
        ("entry_required", "DM13", "169.00", "01"),
    ),
    ("DM14", {"origin": "DE", "entry_date": "2025-08-29", "mode": "express"}, ("entry_required", "DM14", "16.50", "11")),
    ("DM15", {"origin": "BR", "entry_date": "2025-09-10", **BY_VALUE}, ("postal_duty", "DM15", "50.00", "")),
    ("DM16", {"origin": "JP", "entry_date": "2025-10-01", "items": 1, **BY_ITEM}, ("postal_duty", "DM16-DM18", "80.00", "")),
    ("DM17", {"origin": "TW", "entry_date": "2025-10-01", "items": 1, **BY_ITEM}, ("postal_duty", "DM16-DM18", "160.00", "")),
    ("DM18", {"origin": "CA", "entry_date": "2025-10-01", "items": 1, **BY_ITEM}, ("postal_duty", "DM16-DM18", "200.00", "")),
    ("DM19", {"origin": "VN", "entry_date": "2026-02-24", **AIR}, ("entry_required", "DM19", "26.50", "11")),
    ("DM20", {"origin": "VN", "entry_date": "2026-06-24", **AIR}, ("entry_required", "DM20", "26.50", "11")),
    ("DM21", {"origin": "CN", "entry_date": "2026-07-23", **MAIL}, ("postal_duty", "DM21", "10.00", "")),
    ("DM22", {"origin": "FR", "entry_date": "2026-07-24", **MAIL}, ("entry_required", "DM22", "16.50", "11")),
    ("DM23", {"origin": "FR", "entry_date": "2026-10-22", **MAIL}, ("entry_required", "DM23", "16.50", "11")),
    ("DM24", {"origin": "FR", "entry_date": "2026-09-01", "bona_fide_gift": True, **MAIL}, ("exempt", "DM24", "0.00", "")),
    (
        "DM25",
        {"origin": "FR", "entry_date": "2026-09-01", "value": "200", "personal_use_accompanied_baggage": True, **AIR},
        ("exempt", "DM25", "0.00", ""),
    ),
    ("DM26", {"origin": "CN", "entry_date": "2025-10-01", "donation_relief": True, **AIR}, ("exempt", "DM26", "0.00", "")),
    ("DM27", {"origin": "DE", "entry_date": "2025-10-10", "adcvd": True, **MAIL}, ("entry_required", "DM27-adcvd", "16.50", "03")),
    ("DM27", {"origin": "DE", "entry_date": "2025-10-10", "quota_status": "in", **MAIL}, ("entry_required", "DM27-quota", "16.50", "02")),
    ("DM28", {"origin": "DE", "entry_date": "2024-06-03", "value": "2500.51", **AIR}, ("entry_required", "DM28", "412.67", "01")),
    ("DM29", {"origin": "DE", "entry_date": "2027-07-01", **AIR}, ("entry_required", "DM29", "16.50", "11")),
]


def test_the_table_is_whole() -> None:
    assert {name for name, _, _ in TABLE} == {f"DM{number:02d}" for number in range(1, 30)}


@pytest.mark.parametrize(("name", "facts", "expected"), TABLE, ids=[f"{place:02d}-{name}" for place, (name, _, _) in enumerate(TABLE)])
def test_a_row_decides_a_shipment(knowledge: Knowledge, name: str, facts: dict[str, Any], expected: tuple[str, ...]) -> None:
    answer = assess_row(knowledge, {**SHIRT, **facts}, "none")
    gate = answer["de_minimis"]
    assert (gate["result"], gate["row"], answer["totals"]["duty"], answer["filing"]["entry_type"]["code"]) == expected, name
    assert gate["says"]
    assert gate["cites"]
    assert answer["filing"]["entry_type"]["says"]


# ---------------------------------------------------------------- what one person imports on one day
GERMAN = {"hts": "6109.10.00.12", "origin": "DE", "entry_date": "2024-06-03", "mode": "air", "de_minimis_claimed": True}


@pytest.mark.parametrize(
    ("value", "others", "row"),
    [
        ("500", None, "DM01"),
        ("500", "0", "DM01"),
        ("500", "300.00", "DM01"),
        ("500", "300.01", "DM02"),
        ("500", "9000", "DM02"),
        ("2501", "0", "DM28"),
    ],
)
def test_other_goods_of_the_person_and_day_count(knowledge: Knowledge, value: str, others: str | None, row: str) -> None:
    """They never make an entry formal: shipments at different times are not combined for that (19 CFR 145.12(a)(3))."""
    more = {} if others is None else {"other_goods_same_day_value": others}
    answer = assess_row(knowledge, {**GERMAN, "value": value, **more}, "none")
    assert answer["de_minimis"]["row"] == row
    assert answer["de_minimis"].get("other_goods_same_day_value") == (None if others is None else f"{float(others):.2f}")
    assert ("advice" in answer["de_minimis"]) == (row == "DM28")
    assumed = [one["fact"] for one in answer["de_minimis"].get("assumptions", ())]
    assert ("other_goods_same_day_value" in assumed) == (others is None)


def test_the_lines_of_an_entry_are_added_up(knowledge: Knowledge) -> None:
    facts = {"entry_date": "2024-06-03", "mode": "air", "de_minimis_claimed": True}
    for values, result in ((("400", "400"), "exempt"), (("400", "400.01"), "entry_required"), (("300", "300", "300"), "entry_required")):
        lines = [{"hts": "6109.10.00.12", "origin": "DE", "value": value} for value in values]
        answer = assess_entry(knowledge, {**facts, "lines": lines}, "none")
        assert answer["de_minimis"]["result"] == result


# ---------------------------------------------------------------- which entry, and why
@pytest.mark.parametrize(
    ("facts", "code", "reasons"),
    [
        ({"value": "2500"}, "11", []),
        ({"value": "2501"}, "01", ["over-limit"]),
        ({"value": "900", "quota_status": "in_quota"}, "02", ["quota"]),
        ({"value": "900", "in_quota": True}, "02", ["quota"]),
        ({"value": "900", "quota_status": "over_quota"}, "01", ["over-quota"]),
        ({"value": "900", "quota_status": "filled"}, "01", ["over-quota"]),
        ({"value": "900", "adcvd": True}, "03", ["adcvd"]),
        ({"value": "900", "adcvd": True, "quota_status": "in"}, "07", ["adcvd-quota", "adcvd", "quota"]),
        ({"value": "9000", "adcvd": True, "quota_status": "over"}, "03", ["adcvd", "over-quota", "over-limit"]),
        ({"value": "900", "other_agency": True}, "11", []),
        ({"value": "900", "other_agency": True, "mode": "postal", "entry_date": "2026-10-21"}, "11", []),
        ({"value": "900", "other_agency": True, "mode": "postal", "entry_date": "2026-10-22"}, "01", ["mail-other-agency"]),
        ({"value": "900", "spi": "KR", "origin": "KR", "mode": "postal", "entry_date": "2026-10-22"}, "01", ["mail-preference"]),
        ({"value": "900", "chapter98": "9801.00.10", "mode": "postal", "entry_date": "2026-10-21"}, "11", []),
        ({"value": "900", "chapter98": "9801.00.10", "mode": "postal", "entry_date": "2026-10-22"}, "01", ["mail-chapter-98"]),
    ],
)
def test_the_advice_on_the_entry_type_gives_every_reason(
    knowledge: Knowledge, facts: dict[str, Any], code: str, reasons: list[str]
) -> None:
    answer = assess_row(knowledge, {**GERMAN, "de_minimis_claimed": False, **facts}, "none")
    advice = answer["filing"]["entry_type"]
    found = [one["row"] for one in advice.get("reasons", ())]
    if facts.get("mode") == "postal" and "mail-chapter-99" in found:  # where the goods owe a duty of chapter 99 too
        found.remove("mail-chapter-99")
    assert (advice["code"], found) == (code, reasons)
    assert advice["formal"] == (code != "11")
    assert all(one["lines"] == (1,) and one["cites"] for one in advice.get("reasons", ()))


def test_a_reason_names_the_lines_that_it_is_true_of(knowledge: Knowledge) -> None:
    lines = [{"hts": "6109.10.00.12", "origin": "DE", "value": 100, **more} for more in ({}, {"quota_status": "over"}, {"adcvd": True})]
    advice = assess_entry(knowledge, {"entry_date": "2024-06-03", "lines": lines}, "none")["filing"]["entry_type"]
    assert {one["row"]: one["lines"] for one in advice["reasons"]} == {"adcvd": (3,), "over-quota": (2,)}


def test_type_86_is_only_for_goods_that_pass_free(knowledge: Knowledge) -> None:
    row = {**GERMAN, "value": "500", "entry_type": "86"}
    free = assess_row(knowledge, {**row, "entry_date": "2025-08-28"}, "none")
    assert (free["de_minimis"]["result"], free["fees"].get("warnings")) == ("exempt", None)
    entered = assess_row(knowledge, {**row, "entry_date": "2025-08-29"}, "none")
    assert entered["filing"]["entry_type"]["code"] == "11"
    assert [one["code"] for one in entered["fees"]["warnings"]] == ["low_value_entry_refused"]
