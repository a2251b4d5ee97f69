"""The schedule of every entry date: spans of days, numbers that began and ended, what was known, both sides of every boundary."""

from __future__ import annotations

import random
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from tariff_engine.dated_table import DatedTable
from tariff_engine.problems import Problem, ProblemError, RulebookError
from tariff_engine.rates import rate_text
from tariff_engine.schedule import Schedule
from tariff_engine.schedule_files import load_schedule

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules" / "schedule"
DAY = timedelta(days=1)


@cache
def schedule() -> Schedule:
    return load_schedule(FOLDER)


def dated() -> DatedTable:
    return next(table for table in schedule().tables if isinstance(table, DatedTable))


def general(hts: str, on: date) -> str:
    return rate_text(schedule().find(hts, on).general)


def special(hts: str, on: date, symbol: str) -> str | None:
    return next((rate_text(rate) for symbols, rate in schedule().find(hts, on).special if symbol in symbols), None)


def problem(hts: str, on: date) -> Problem:
    with pytest.raises(ProblemError) as caught:
        schedule().find(hts, on)
    return caught.value.problem


@pytest.mark.parametrize(
    ("hts", "day", "before", "after"),
    [
        ("16042005", date(2020, 8, 1), "10%", "7%"),  # the agreed cuts of 2020 and 2021
        ("16042005", date(2021, 8, 1), "7%", "5%"),
        ("96131000", date(2020, 8, 1), "8%", "5%"),
        ("96131000", date(2021, 8, 1), "5%", "4%"),
        ("70134150", date(2020, 8, 1), "6%", "3%"),
        ("32151110", date(2019, 7, 1), "0.4%", "Free"),  # the last stage of the expanded information technology agreement
        ("35069110", date(2019, 7, 1), "0.5%", "Free"),
    ],
)
def test_a_general_rate_changes_on_its_day(hts: str, day: date, before: str, after: str) -> None:
    assert (general(hts, day - DAY), general(hts, day)) == (before, after)


def test_the_stages_of_an_agreement_are_those_of_their_year() -> None:
    stages = [special("02011050", date(year, 3, 1), "KR") for year in (2018, 2019, 2021, 2022, 2023, 2024)]
    assert stages == ["14%", "12.3%", "8.8%", "7%", "5.2%", "3.5%"]


def test_the_answer_names_the_edition_of_the_entry_date() -> None:
    names = {year: schedule().find("0101.30.0000", date(year, 9, 9)).edition for year in range(2018, 2027)}
    assert names[2018] == "USITC tariff database 2018"
    assert names[2020] == "USITC tariff databases 2019 and 2021"
    assert names[2024] == "USITC tariff database 2024"
    assert (names[2025], names[2026]) == ("HTS 2025 basic edition", "HTS 2026 revision 3")
    assert [note.code for year in names for note in schedule().find("0101300000", date(year, 9, 9)).warnings] == []


def test_what_was_not_yet_published_is_answered_from_the_last_day_of_the_edition_before() -> None:
    line = schedule().find("16042005", date(2021, 9, 1), date(2020, 9, 1))
    assert (line.edition, rate_text(line.general)) == ("USITC tariff databases 2019 and 2021", "7%")
    assert [note.code for note in line.warnings] == ["schedule_gap"]


def test_a_number_that_ended_names_what_may_have_taken_its_place_and_the_other_way_round() -> None:
    ended = problem("8541.40.60", date(2022, 1, 27))
    assert ended.code == "hts_not_in_force"
    assert "2022-01-26" in ended.message
    assert "possible successors" in ended.fix
    assert "8541.43.00" in ended.fix
    unborn = problem("8541.43.0010", date(2022, 1, 26))
    assert unborn.code == "hts_not_in_force"
    assert "2022-01-27" in unborn.message
    assert "possible predecessors" in unborn.fix
    assert "8541.40.60" in unborn.fix
    assert general("8541.40.60", date(2022, 1, 26)) == general("8541.43.00", date(2022, 1, 27)) == "Free"


def test_a_number_without_relatives_in_its_heading_says_so() -> None:
    found = problem("8524.11.90", date(2021, 6, 1))  # a heading that began in 2022
    assert found.code == "hts_not_in_force"
    assert "anew" in found.fix


def test_any_suffix_is_taken_under_a_number_of_a_yearly_table_and_one_that_no_edition_prints_is_told() -> None:
    assert schedule().find("0101.30.0000", date(2019, 1, 1)).warnings == ()
    assert schedule().find("8541.40.6000", date(2019, 1, 1)).warnings == ()
    odd = schedule().find("0101.30.0055", date(2019, 1, 1))
    assert [note.code for note in odd.warnings] == ["statistical_suffix_unknown"]
    assert odd.rate_line == "01013000"
    assert odd.units == ("No.",)


def test_special_rates_of_2020_that_no_table_holds_are_named_by_their_symbols() -> None:
    shirt = schedule().find("61091000", date(2020, 3, 1))
    assert shirt.special_doubts == {"KR"}
    assert special("61091000", date(2020, 3, 1), "KR") == special("61091000", date(2019, 3, 1), "KR") == "3.3%"
    assert schedule().find("61091000", date(2021, 1, 1)).special_doubts == frozenset()


def test_the_agreement_that_followed_nafta_grants_from_its_first_day() -> None:
    assert special("61091000", date(2020, 6, 30), "S") is None
    assert special("61091000", date(2020, 7, 1), "S") == "Free"
    assert special("61091000", date(2020, 6, 30), "CA") == "Free"


def test_both_sides_of_every_boundary_say_what_the_table_says() -> None:
    """Five hundred numbers by a fixed seed, on the first day and the day before of each of their spans and of every edition."""
    chance = random.Random(1991)
    book, table = schedule(), dated()
    last = book.periods[-3].until
    assert last is not None
    seen = 0
    for number in chance.sample(table.codes, 500):
        for day in book.days_of(number):
            for on in (day - DAY, day):
                if on < book.periods[0].starts or on >= last:
                    continue
                spans = [span for span in table.spans(number) if span.starts <= on and (span.until is None or on < span.until)]
                assert len(spans) <= 1
                if not spans:
                    assert problem(number, on).code == "hts_not_in_force"
                    continue
                line = book.find(number, on)
                assert (rate_text(line.general), rate_text(line.column2)) == (spans[0].row[1], spans[0].row[3])
                assert line.edition == max((edition for edition in book.editions if edition.starts <= on), key=lambda one: one.starts).name
                seen += 1
    assert seen > 5000


def test_numbers_go_over_from_the_last_yearly_table_into_the_edition_of_2025_with_one_general_rate() -> None:
    book, eve, day = schedule(), date(2024, 12, 31), date(2025, 1, 1)
    differ = []
    for number in dated().codes:
        if dated().at(number, eve) is None:
            continue
        try:
            after = book.find(number, day)
        except ProblemError as error:
            differ += [] if error.problem.code == "ten_digits_needed" else [number]
            continue
        before = book.find(number, eve)
        pairs = ((before.general, after.general), (before.column2, after.column2))
        if any(one != other and not (one.reference and other.reference) for one, other in pairs):  # references are worded in several ways
            differ.append(number)
    assert differ == []


HEADER = "hts,from,until,units,general,special,column2,doubts\n"


def made(tmp_path: Path, rows: str, specials: str = "special,text\n1,Free (AU)\n") -> Schedule:
    """Build a schedule of one small dated table that two editions share."""
    (tmp_path / "editions.yaml").write_text(
        "editions:\n  - {name: A, file: a.csv, from: 2020-01-01, published: 2020-01-01, cite: C}\n"
        "  - {name: B, file: a.csv, from: 2021-01-01, published: 2021-01-01, cite: C}\n",
        encoding="utf-8",
    )
    (tmp_path / "a.csv").write_text(HEADER + rows, encoding="utf-8")
    (tmp_path / "a_special.csv").write_text(specials, encoding="utf-8")
    (tmp_path / "discontinued.csv").write_text("hts,successors\n", encoding="utf-8")
    return load_schedule(tmp_path)


def test_editions_may_share_a_dated_table(tmp_path: Path) -> None:
    book = made(tmp_path, "11112222,2020-01-01,2021-06-01,kg,5%,1,20%,AU\n11113333,2021-06-01,,kg,5%,,20%,\n")
    assert book.find("1111222200", date(2021, 5, 31)).edition == "B"
    assert book.find("11112222", date(2020, 5, 31)).special_doubts == {"AU"}
    assert book.lives("11112222") == ((date(2020, 1, 1), date(2021, 6, 1)),)
    assert book.successors_of("11112222", date(2021, 6, 1)) == (("11113333",), False)
    assert book.predecessors_of("11113333", date(2021, 5, 31)) == ("11112222",)


@pytest.mark.parametrize(
    "rows",
    [
        "1111222,2020-01-01,,kg,5%,,20%,\n",
        "11112222,2020-01-32,,kg,5%,,20%,\n",
        "11112222,2020-02-01,2020-02-01,kg,5%,,20%,\n",
        "11112222,2020-01-01,2020-03-01,kg,5%,,20%,\n11112222,2020-02-01,,kg,5%,,20%,\n",
        "11112222,2020-01-01,,kg,5%,,20%,\n11112222,2020-02-01,,kg,5%,,20%,\n",
        "11112222,2020-01-01,,kg,5%,7,20%,\n",
        "11112222,2020-01-01,,kg,5%\n",
    ],
)
def test_a_malformed_dated_table_is_an_error_that_names_its_line(tmp_path: Path, rows: str) -> None:
    with pytest.raises(RulebookError, match=r"^a\.csv:\d+: "):
        made(tmp_path, rows)


def test_a_dated_table_without_its_special_texts_is_an_error(tmp_path: Path) -> None:
    made(tmp_path, "11112222,2020-01-01,,kg,5%,,20%,\n")
    (tmp_path / "a_special.csv").unlink()
    with pytest.raises(RulebookError, match=r"^a_special\.csv: it cannot be read"):
        load_schedule(tmp_path)


def test_a_file_of_special_texts_without_its_columns_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match=r"^a_special\.csv:1: "):
        made(tmp_path, "11112222,2020-01-01,,kg,5%,,20%,\n", "text\n")
