"""The schedule: tables, inheritance, editions, unknown numbers and statistical suffixes."""

from __future__ import annotations

import hashlib
import pickle
import timeit
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.plain_table import PlainTable
from tariff_engine.problems import Problem, ProblemError, RulebookError
from tariff_engine.rates import rate_text
from tariff_engine.schedule import Schedule, TariffLine, parse_special
from tariff_engine.schedule_files import load_schedule

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules" / "schedule"
IN_2025, IN_2026 = date(2025, 6, 1), date(2026, 6, 1)
ADDED = (-2, "4420190000")  # left out of the export of 2025 that was read; it stands in 2024 and in 2026


@cache
def schedule() -> Schedule:
    """Read the real tables once."""
    return load_schedule(FOLDER)


def codes(line: TariffLine) -> list[str]:
    return [warning.code for warning in line.warnings]


def problem(hts: str, on: date) -> Problem:
    with pytest.raises(ProblemError) as caught:
        schedule().find(hts, on)
    return caught.value.problem


@pytest.mark.parametrize(
    ("index", "rows", "digest"),
    [
        (-2, 22914, "446f74e2b4cb7bd9c0cf093df75ecde452a5be2dae072fb7662ccad5810d7c45"),
        (-1, 23065, "23343fcf9bdc653c13ab5c6532ded6deefea035762373a7914cb53904a49e313"),
    ],
)
def test_inheritance_reproduces_every_row_of_the_resolved_table(index: int, rows: int, digest: str) -> None:
    """The digest was taken over `hts|general|special|column2` lines that another program resolved from the official export."""
    table = schedule().tables[index]
    assert isinstance(table, PlainTable)
    numbers = [code for code in table.codes if (index, code) != ADDED]
    assert len(numbers) == rows
    found = hashlib.sha256()
    for code in numbers:
        _, (_, general, special, column2) = table.printed(code)
        found.update(f"{code}|{general}|{special}|{column2}\n".encode())
    assert found.hexdigest() == digest


def test_every_number_of_the_editions_with_ten_digits_is_found_with_all_rates_and_no_warning() -> None:
    for table, on in zip(schedule().tables[-2:], (IN_2025, IN_2026), strict=True):
        lines = [schedule().find(code, on) for code in table.codes]
        assert [line.hts for line in lines if line.warnings or not rate_text(line.general) or not rate_text(line.column2)] == []


def test_a_statistical_number_bears_the_rates_of_its_eight_digit_line() -> None:
    line = schedule().find("0702.00.2002", IN_2026)
    assert (line.hts, line.rate_line, line.units, rate_text(line.general)) == ("0702002002", "07020020", ("kg",), "3.9¢/kg")
    assert rate_text(line.column2) == "6.6¢/kg"
    assert line.edition == "HTS 2026 revision 3"
    free = next(rate for symbols, rate in line.special if "KR" in symbols)
    assert free.ad_valorem == (0, 1)


def test_a_number_that_prints_column_2_only_takes_general_from_the_line_above() -> None:
    for on in (IN_2025, IN_2026):
        line = schedule().find("9006.59.1520", on)
        assert (line.rate_line, rate_text(line.general), rate_text(line.column2), line.special) == ("90065915", "Free", "20%", ())


def test_an_eight_digit_number_is_answered_where_its_suffixes_bear_one_rate() -> None:
    assert schedule().find("8471.30.01", IN_2026).rate_line == "8471300100"
    assert schedule().find("9101.11.4000", IN_2026).rate_line == "91011140"  # a line without suffixes is reported with 00
    assert codes(schedule().find("9101.11.4000", IN_2026)) == []


def test_the_edition_is_that_of_the_entry_date_and_of_what_was_published_on_the_day_asked_about() -> None:
    find = schedule().find
    assert find("0101300000", date(2025, 12, 31)).edition == "HTS 2025 basic edition"
    assert find("0101300000", date(2026, 1, 1)).edition == "HTS 2026 revision 3"
    unpublished = find("0101300000", date(2026, 3, 1), date(2026, 2, 11))
    assert unpublished.edition == "HTS 2025 basic edition"
    assert codes(unpublished) == ["schedule_gap"]
    assert codes(find("0101300000", date(2026, 3, 1), date(2026, 2, 12))) == []


def test_an_entry_before_the_first_edition_bears_its_rates_with_a_warning(tmp_path: Path) -> None:
    line = made(tmp_path).find("1111222210", date(2024, 3, 1))
    assert line.edition == "E"
    assert codes(line) == ["schedule_gap"]


def test_a_number_of_another_edition_is_usable_and_the_warning_names_the_editions() -> None:
    late = schedule().find("0201.30.5085", IN_2026)  # split into .91 and .97
    assert codes(late) == ["schedule_gap"]
    assert rate_text(late.general) == "4.4¢/kg"
    for words in ("HTS 2025 basic edition", "HTS 2026 revision 3", "0201.30.5091", "0201.30.5097"):
        assert words in late.warnings[0].message
    early = schedule().find("0201.30.5091", IN_2025)
    assert codes(early) == ["schedule_gap"]
    assert early.edition == "HTS 2025 basic edition"


def test_an_unknown_suffix_under_a_line_of_one_rate_is_usable_and_the_valid_suffixes_are_listed() -> None:
    line = schedule().find("1604.20.0599", IN_2026)
    assert codes(line) == ["statistical_suffix_unknown"]
    assert "10, 90" in line.warnings[0].fix
    assert rate_text(line.general) == "5%"


def test_an_unknown_number_is_refused_with_its_nearest_neighbours() -> None:
    found = problem("8471.30.9900", IN_2026)
    assert found.code == "unknown_hts"
    assert "8471.30.01" in found.fix
    assert "7013.37.60" in problem("7013399999", IN_2026).fix
    assert problem("9903.01.10", IN_2026).code == "unknown_hts"


@pytest.mark.parametrize("hts", ["", "12", "847130", "8471.30.01.0", "84713001001", "8471300l00", "8471\uff1300100"])
def test_what_is_no_number_is_refused(hts: str) -> None:
    assert problem(hts, IN_2026).code == "unknown_hts"


SPLIT = """hts,units,general,special,column2
11112222,,5%,Free (AU),20%
1111222210,No.,,,
1111222220,No.,3%,,
11113333,,,,30%
1111333310,kg,1%,,
1111333320,kg,2%,,
"""


def made(tmp_path: Path, table: str = SPLIT) -> Schedule:
    """Build a schedule of one small edition."""
    (tmp_path / "editions.yaml").write_text(
        "editions:\n  - {name: E, file: e.csv, from: 2025-01-01, published: 2024-12-31, cite: C}\n", encoding="utf-8"
    )
    (tmp_path / "e.csv").write_text(table, encoding="utf-8")
    (tmp_path / "discontinued.csv").write_text("hts,successors\n2222333344,1111222210;1111222220\n", encoding="utf-8")
    return load_schedule(tmp_path)


def test_where_suffixes_bear_different_rates_ten_digits_are_asked_for_and_listed(tmp_path: Path) -> None:
    book = made(tmp_path)
    for hts in ("11112222", "1111.33.33", "1111222230"):
        with pytest.raises(ProblemError) as caught:
            book.find(hts, IN_2025)
        assert caught.value.problem.code == "ten_digits_needed"
        assert "1111." in caught.value.problem.fix
    line = book.find("1111222220", IN_2025)
    assert (line.rate_line, rate_text(line.general), rate_text(line.column2)) == ("1111222220", "3%", "20%")
    assert [rate_text(rate) for _, rate in line.special] == ["Free"]
    assert (book.find("1111333310", IN_2025).rate_line, rate_text(book.find("1111333310", IN_2025).column2)) == ("1111333310", "30%")


def test_a_discontinued_number_without_a_line_names_its_successors(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        made(tmp_path).find("2222.33.3344", IN_2025)
    assert caught.value.problem.code == "hts_not_in_force"
    assert "1111.22.2210, 1111.22.2220" in caught.value.problem.fix


@pytest.mark.parametrize(
    "table",
    [
        "hts,general\n",
        SPLIT + "1111222210,No.,,,\n",
        SPLIT + "11x1222211,No.,,,\n",
        SPLIT + "1111222211,No.\n",
    ],
)
def test_a_malformed_table_is_an_error_that_names_its_line(tmp_path: Path, table: str) -> None:
    with pytest.raises(RulebookError, match=r"^e\.csv:\d+: "):
        made(tmp_path, table)


@pytest.mark.parametrize(
    "editions",
    [
        "editions: []",
        "editions: [{name: E}]",
        "editions: 3",
        "nothing: 1",
        "editions: [{name: E, file: e.csv, from: soon, published: 2024-12-31, cite: C}]",
    ],
)
def test_malformed_editions_are_an_error(tmp_path: Path, editions: str) -> None:
    (tmp_path / "editions.yaml").write_text(editions, encoding="utf-8")
    with pytest.raises(RulebookError, match=r"^editions\.yaml: "):
        load_schedule(tmp_path)


@pytest.mark.parametrize("text", ["(AU)", "Free (AU", "Free", "5% ()", "Free (AU) 5%", "x (AU)"])
def test_a_special_column_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_special(text)
    assert caught.value.problem.code == "rate_not_understood"


def test_the_special_column_is_read_through_its_noise() -> None:
    groups = parse_special("Free(A+, AU,.OM) (E IL) 7.5¢/kg (KR)See 9919.04.50, 9919.04.57 (PA (PA)")
    assert [(sorted(symbols), rate_text(rate)) for symbols, rate in groups] == [
        (["A+", "AU", "E", "IL", "OM"], "Free"),
        (["KR"], "7.5¢/kg"),
        (["PA"], "See 9919.04.50, 9919.04.57"),
    ]


def test_the_schedule_pickles_small_and_answers_the_same() -> None:
    schedule().find("8471300100", IN_2026)
    packed = pickle.dumps(schedule())
    assert len(packed) < 2_500_000
    copy = pickle.loads(packed)  # noqa: S301 - our own bytes
    assert copy.find("8471300100", IN_2026) == schedule().find("8471300100", IN_2026)


def test_a_number_asked_again_is_answered_within_microseconds() -> None:
    find = schedule().find
    find("8471300100", IN_2026)
    assert min(timeit.repeat(lambda: find("8471300100", IN_2026), number=1000, repeat=5)) / 1000 < 10e-6


@given(st.text(max_size=14) | st.from_regex(r"[0-9]{8}([0-9]{2})?", fullmatch=True), st.dates(date(2018, 1, 1), date(2027, 1, 1)))
def test_any_number_on_any_day_gives_a_line_or_a_typed_problem(hts: str, on: date) -> None:
    try:
        line = schedule().find(hts, on)
    except ProblemError as error:
        found = error.problem
        typed = found.code in {"unknown_hts", "hts_not_in_force", "ten_digits_needed"} and bool(found.fix)
    else:
        typed = line.hts == hts.replace(".", "") and line.hts.startswith(line.rate_line[:8])
    assert typed
