"""From the fields of a form to what the API takes, and back into a permalink."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.page.asks import CABLE

from tariff_engine.law import Law
from tariff_service.web.asking import MAX_FIELDS, MAX_LINES, MAX_TEXT, country, read_ask, settle


def test_fields_become_what_the_api_takes(law: Law) -> None:
    ask = read_ask(
        law,
        [
            ("hts", " 8544.42.90.90 "),
            ("origin", "China"),
            ("value", "$10,000.50"),
            ("entry_date", "2025-08-15"),
            ("usmca_qualifying", "false"),
            ("quantity.kg", "12"),
            ("quantity.No.", "3"),
            ("exclusion_claims", "9903.88.69, 9903.88.70"),
            ("mode", ""),
        ],
    )
    assert ask.troubles == []
    assert ask.entry == {
        "hts": "8544.42.90.90",
        "origin": "CN",
        "value": "10000.50",
        "entry_date": "2025-08-15",
        "usmca_qualifying": False,
        "quantity": {"kg": "12", "No.": "3"},
        "exclusion_claims": ["9903.88.69", "9903.88.70"],
    }


def test_further_lines_stand_behind_their_number_and_share_the_facts_of_the_entry(law: Law) -> None:
    ask = read_ask(
        law, [*CABLE.items(), ("2.hts", "6403.99.60.15"), ("2.origin", "Viet Nam"), ("2.value", "2500"), ("2.quantity.prs", "10")]
    )
    assert ask.lines == 2
    assert ask.entry == {
        "entry_date": "2025-08-15",
        "mode": "ocean",
        "lines": [
            {"hts": "8544.42.90.90", "origin": "CN", "value": "10000"},
            {"hts": "6403.99.60.15", "origin": country(law, "Viet Nam"), "value": "2500", "quantity": {"prs": "10"}},
        ],
    }


def test_cases_are_written_with_their_rates(law: Law) -> None:
    ask = read_ask(law, [*CABLE.items(), ("adcvd", "A-570-979 30.66%, c-570-980 4")])
    assert ask.entry["adcvd"] == [{"case": "A-570-979", "rate_pct": "30.66"}, {"case": "C-570-980", "rate_pct": "4"}]
    assert read_ask(law, [*CABLE.items(), ("adcvd", "true")]).entry["adcvd"] is True


def test_the_same_question_has_one_permalink_whatever_the_order_and_the_spelling(law: Law) -> None:
    one = read_ask(law, CABLE.items())
    other = read_ask(
        law, [("mode", "ocean"), ("value", "$10,000"), ("origin", "china"), *[(key, CABLE[key]) for key in ("entry_date", "hts")]]
    )
    for ask in (one, other):
        settle(ask)
    assert one.address() == other.address() == "/line/8544.42.90.90?origin=CN&value=10000&entry_date=2025-08-15&mode=ocean"


def test_a_permalink_asks_again_what_was_asked(law: Law) -> None:
    pairs = [
        *CABLE.items(),
        ("copper_content_value", "0"),
        ("2.hts", "6403996015"),
        ("2.origin", "VN"),
        ("2.value", "1"),
        ("known_on", "2025-06-01"),
    ]
    ask = read_ask(law, pairs)
    parts = urlsplit(ask.address())
    again = read_ask(law, [("hts", parts.path.rpartition("/")[2]), *parse_qsl(parts.query)])
    assert (again.entry, again.known_on, again.address()) == (ask.entry, "2025-06-01", ask.address())


def test_who_somebody_is_never_stands_in_an_address(law: Law) -> None:
    ask = read_ask(law, [*CABLE.items(), ("consignee", "Jane Roe"), ("2.consignee", "John Roe")])
    assert [trouble.code for trouble in ask.troubles] == ["personal_fact", "personal_fact"]
    assert "Roe" not in ask.address() + ask.form_address() + repr(ask.entry)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("cn", "CN"), ("China", "CN"), ("CHINA", "CN"), ("DE Germany", "DE"), ("Germ", "DE"), ("Narnia", "Narnia"), ("", ""), ("Ko", "KO")],
)
def test_a_country_is_named_by_code_or_name_and_never_guessed_from_what_fits_two(law: Law, typed: str, code: str) -> None:
    assert country(law, typed) == code


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("nonsense", "1")], "unknown_fact"),
        ([("2.nonsense.x", "1")], "unknown_fact"),
        ([("value", "1"), ("value", "2")], "fact_stated_twice"),
        ([("value", "9" * (MAX_TEXT + 1))], "text_too_long"),
        ([(f"quantity.{place}", "1") for place in range(MAX_FIELDS + 1)], "too_many_facts"),
        ([(f"{MAX_LINES + 1}.hts", "1")], "too_many_lines"),
        ([("99.hts", "1")], "too_many_lines"),
        ([("adcvd", "some order")], "malformed_json"),
    ],
)
def test_what_cannot_be_asked_is_told_and_never_dropped(law: Law, pairs: list[tuple[str, str]], code: str) -> None:
    assert code in {trouble.code for trouble in read_ask(law, pairs).troubles}
