"""The choice of the column: claims granted, refused and why, by program, origin and day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.preferences import Choice, choose_column
from tariff_engine.preferences_files import load_preferences
from tariff_engine.problems import ProblemError, RulebookError
from tariff_engine.rates import parse_rate, rate_text
from tariff_engine.schedule import Schedule, TariffLine
from tariff_engine.schedule_files import load_schedule
from tariff_engine.special_programs import Preferences

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules" / "schedule"
DAY = date(2026, 6, 1)


@cache
def book() -> tuple[Schedule, Preferences]:
    """Read the real tables once."""
    return load_schedule(FOLDER), load_preferences(FOLDER)


def choose(
    hts: str,
    origin: str,
    on: date = DAY,
    *,
    spi: str | None = None,
    usmca: bool | None = None,
    column2: bool = False,
    known_on: date | None = None,
) -> Choice:
    schedule, preferences = book()
    return choose_column(
        schedule.find(hts, on), origin, on, spi=spi, usmca=usmca, column2=column2, preferences=preferences, known_on=known_on
    )


def told(choice: Choice) -> tuple[str, str, str | None, list[str]]:
    return choice.column, rate_text(choice.rate), choice.symbol, [warning.code for warning in choice.warnings]


SHOES, MOTOR, SHIRT, FERRO, CHEESE, LAPTOP = "6403996075", "8501104060", "6109100012", "7202111000", "0406909700", "8471300100"


def test_without_a_claim_the_general_rate_is_due_without_a_word() -> None:
    assert told(choose(SHOES, "KE")) == ("general", "8.5%", None, [])


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2025, 9, 30), ("special", "Free", "D", [])),
        (date(2025, 10, 1), ("general", "8.5%", None, ["special_refund_only"])),
        (date(2026, 2, 3), ("general", "8.5%", None, ["special_refund_only"])),
        (date(2026, 2, 4), ("special", "Free", "D", [])),
        (date(2026, 12, 31), ("special", "Free", "D", [])),
        (date(2027, 1, 1), ("general", "8.5%", None, ["special_not_in_force"])),
    ],
)
def test_agoa_lapsed_was_restored_for_refund_and_ends(on: date, expected: tuple[str, str, str | None, list[str]]) -> None:
    assert told(choose(SHOES, "KE", on, spi="D")) == expected


def test_the_restoration_of_agoa_was_not_known_before_it_was_law() -> None:
    lapsed = choose(SHOES, "KE", date(2025, 11, 15), spi="D", known_on=date(2026, 2, 2))
    assert told(lapsed) == ("general", "8.5%", None, ["special_not_in_force"])
    assert told(choose(SHOES, "KE", date(2025, 11, 15), spi="D", known_on=date(2026, 2, 3)))[3] == ["special_refund_only"]


def test_gsp_is_free_on_its_last_day_and_general_after_it() -> None:
    last = choose(FERRO, "PH", date(2020, 12, 31), spi="A*")
    assert told(last) == ("special", "Free", "A*", [])
    assert told(choose(FERRO, "PH", date(2020, 12, 31), spi="a"))[:3] == ("special", "Free", "A*")
    assert told(choose(FERRO, "PH", date(2021, 1, 1), spi="A*"))[3] == ["special_not_in_force"]
    assert told(choose(FERRO, "IN", date(2019, 6, 5), spi="A"))[3] == ["special_not_in_force"]
    assert told(choose(FERRO, "IN", date(2019, 6, 4), spi="A"))[0] == "special"


def test_a_claim_for_the_wrong_origin_leaves_the_general_rate_and_says_so() -> None:
    assert told(choose(MOTOR, "DE", spi="KR")) == ("general", "4.4%", None, ["special_wrong_origin"])
    assert told(choose(MOTOR, "KR", spi="KR")) == ("special", "Free", "KR", [])
    assert told(choose(SHIRT, "KR", spi="KR")) == ("special", "Free", "KR", [])


def test_a_claim_before_its_agreement_was_in_force_is_refused_by_its_days() -> None:
    early = choose(SHIRT, "CA", date(2020, 6, 30), usmca=True)
    assert told(early) == ("general", "16.5%", None, ["special_not_in_force"])
    assert "2020-07-01" in early.warnings[0].message
    assert told(choose(SHIRT, "CA", date(2020, 7, 1), usmca=True)) == ("special", "Free", "S", [])


def test_qualifying_under_the_usmca_claims_its_symbol_for_its_origins_only() -> None:
    assert told(choose(SHIRT, "MX", usmca=True)) == ("special", "Free", "S", [])
    assert told(choose(SHIRT, "MX", spi="S+", usmca=True)) == ("special", "Free", "S", [])
    assert told(choose(SHIRT, "MX", usmca=False)) == ("general", "16.5%", None, [])
    assert told(choose(SHIRT, "MX")) == ("general", "16.5%", None, [])
    assert told(choose(SHIRT, "CN", usmca=True)) == ("general", "16.5%", None, ["special_wrong_origin"])


def test_a_claim_on_a_line_that_is_free_in_general_is_only_noted_and_stays_in_force() -> None:
    choice = choose(LAPTOP, "MX", usmca=True)
    assert told(choice) == ("general", "Free", None, ["general_already_free"])
    assert choice.in_force == ("S",)


def test_a_symbol_that_the_line_does_not_print_is_refused_with_those_it_prints() -> None:
    choice = choose(SHIRT, "KE", spi="D")
    assert told(choice) == ("general", "16.5%", None, ["special_not_on_line"])
    assert "KR" in choice.warnings[0].message


def test_a_quota_provision_in_the_special_column_is_not_taken_as_free() -> None:
    choice = choose(CHEESE, "MX", usmca=True)
    assert told(choice) == ("general", "$1.509/kg", None, ["special_needs_heading"])
    assert "9823.04.01" in choice.warnings[0].message
    assert told(choose(CHEESE, "AU", spi="AU"))[3] == ["special_needs_heading"]


def test_column_2_origins_bear_column_2_rates_whatever_is_claimed() -> None:
    assert told(choose(SHIRT, "CU", column2=True)) == ("column2", "90%", None, [])
    assert told(choose(SHIRT, "CU", spi="A", column2=True)) == ("column2", "90%", None, ["special_column2_origin"])


def test_a_note_can_free_goods_without_a_symbol_in_the_column() -> None:
    assert told(choose(SHIRT, "JO", spi="N")) == ("special", "Free", "N", [])
    assert told(choose(SHIRT, "DE", spi="N"))[3] == ["special_wrong_origin"]
    assert told(choose(SHIRT, "GU", spi="Y")) == ("special", "Free", "Y", [])


def test_sector_agreements_cover_every_column_1_origin() -> None:
    assert told(choose("91040005", "DE", spi="C")) == ("special", "Free", "C", [])
    assert told(choose("91040005", "DE", spi="C#")) == ("special", "Free", "C", [])
    assert told(choose(SHIRT, "DE", spi="C"))[3] == ["special_not_on_line"]


def test_a_program_whose_end_is_doubtful_warns_of_it() -> None:
    line = replace(book()[0].find(SHIRT, DAY), special=((frozenset({"NP"}), parse_rate("Free")),))
    choice = choose_column(line, "NP", date(2025, 12, 31), spi="NP", usmca=None, column2=False, preferences=book()[1])
    assert told(choice) == ("special", "Free", "NP", ["special_not_checked"])


def test_an_unknown_symbol_is_refused_with_the_list_of_symbols() -> None:
    with pytest.raises(ProblemError) as caught:
        choose(SHIRT, "KR", spi="QQ")
    assert caught.value.problem.code == "unknown_spi"
    assert "KR" in caught.value.problem.fix


def made(special: str, general: str = "10%") -> TariffLine:
    """Build a line with other rates."""
    groups = tuple((frozenset(pair.split("=")[0].split(",")), parse_rate(pair.split("=")[1])) for pair in special.split(";"))
    return replace(book()[0].find(SHIRT, DAY), general=parse_rate(general), special=groups)


def test_of_several_granted_claims_the_lowest_rate_is_taken() -> None:
    line = made("B=3%;S=2%")
    choice = choose_column(line, "CA", DAY, spi="B", usmca=True, column2=False, preferences=book()[1])
    assert told(choice) == ("special", "2%", "S", [])
    line = made("B=1%;S=2%")
    assert told(choose_column(line, "CA", DAY, spi="B", usmca=True, column2=False, preferences=book()[1])) == ("special", "1%", "B", [])


def test_a_special_rate_above_the_general_one_is_not_taken() -> None:
    choice = choose_column(made("KR=12%"), "KR", DAY, spi="KR", usmca=None, column2=False, preferences=book()[1])
    assert told(choice) == ("general", "10%", None, ["special_not_lower"])


def test_cafta_claims_use_either_of_their_symbols() -> None:
    for symbols, claim in (("P", "P+"), ("P+", "P"), ("P", "P")):
        choice = choose_column(made(f"{symbols}=Free"), "HN", DAY, spi=claim, usmca=None, column2=False, preferences=book()[1])
        assert told(choice) == ("special", "Free", symbols, [])


@given(
    st.sampled_from([SHOES, MOTOR, SHIRT, FERRO, CHEESE, LAPTOP]),
    st.sampled_from(["CA", "MX", "KR", "KE", "PH", "JO", "DE", "CU"]),
    st.dates(date(2018, 7, 6), date(2027, 12, 31)),
    st.sampled_from([None, *sorted(load_preferences(FOLDER).by_symbol)]),
    st.sampled_from([None, True, False]),
)
def test_a_claim_is_granted_or_answered_never_passed_over(hts: str, origin: str, on: date, spi: str | None, usmca: bool | None) -> None:
    choice = choose(hts, origin, on, spi=spi, usmca=usmca)
    assert (choice.symbol is not None) == (choice.column == "special")
    if choice.column == "general" and (spi or usmca):
        assert choice.warnings
    if not spi and not usmca:
        assert told(choice)[2:] == (None, [])


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("from", "soon", "Invalid isoformat"),
        ("from", "", "state the first day"),
        ("until", "1990-01-01", "before until"),
        ("effect", "maybe", "effect"),
    ],
)
def test_a_malformed_row_of_the_programs_is_an_error_that_names_its_line(tmp_path: Path, column: str, value: str, complaint: str) -> None:
    head = (FOLDER / "preferences.csv").read_text(encoding="utf-8").splitlines()[0]
    fields = dict(
        zip(head.split(","), ["KR", "Korea", "KR", "", "", "KR", "2012-03-15", "", "", "", "", "GN 33", "high", ""], strict=True)
    ) | {column: value}
    (tmp_path / "preferences.csv").write_text(f"{head}\n{','.join(fields.values())}\n", encoding="utf-8")
    with pytest.raises(RulebookError, match=rf"^preferences\.csv:2: .*{complaint}"):
        load_preferences(tmp_path)
