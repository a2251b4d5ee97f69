"""Lists: codes at the digits that law prints, days that are days, and the longest code first."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.notation.tables import read_table
from tariff_engine.problems import RulebookError

HEADER = "hts,except,from,until,by,withdrawn_by,kind,cite"


def table(*rows: str) -> str:
    return "\n".join([HEADER, *rows, ""])


def test_a_row_keeps_its_code_its_days_and_its_cells_as_printed() -> None:
    row = read_table("lists/a.csv", table("0106,01061100|01061200,2025-03-04,2025-06-01,act,other,x,1 TEST 1")).rows[0]
    assert (row.number, row.hts, row.excepted) == (2, "0106", ("01061100", "01061200"))
    assert (row.from_, row.until, row.by, row.withdrawn_by) == (date(2025, 3, 4), date(2025, 6, 1), "act", "other")
    assert (row["kind"], row["cite"], row["nothing"]) == ("x", "1 TEST 1", "")
    assert [row.holds(day) for day in (date(2025, 3, 3), date(2025, 3, 4), date(2025, 5, 31), date(2025, 6, 1))] == [
        False,
        True,
        True,
        False,
    ]


def test_an_open_end_reaches_as_far_as_days_do() -> None:
    row = read_table("lists/a.csv", table("0106,,,,,,x,1 TEST 1")).rows[0]
    assert (row.from_, row.until) == (date.min, date.max)


def test_the_longest_code_comes_first_and_codes_cut_out_do_not_match() -> None:
    found = read_table("lists/a.csv", table("01,,,,,,a,c", "0106,01061100,,,,,b,c", "01061100,,,,,,c,c", "0107,,,,,,d,c"))
    assert [row["kind"] for row in found.match("0106110000")] == ["c", "a"]
    assert [row["kind"] for row in found.match("0106190000")] == ["b", "a"]
    assert not list(found.match("0201100000"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("106,,,,,,x,c", "lists/a.csv:2: hts: '106' is no code; write 2, 4, 6, 8 or 10 digits without dots, leading zeros too"),
        ("0106,0106.11,,,,,x,c", "lists/a.csv:2: hts: '0106.11' is no code; write 2, 4, 6, 8 or 10 digits without dots, leading zeros too"),
        (
            "\u0660\u0661,,,,,,x,c",
            "lists/a.csv:2: hts: '\u0660\u0661' is no code; write 2, 4, 6, 8 or 10 digits without dots, leading zeros too",
        ),
        ("0106,,20250304,,,,x,c", "lists/a.csv:2: from: '20250304' is no day such as 2025-03-04"),
        ("0106,,,2025-02-29,,,x,c", "lists/a.csv:2: until: '2025-02-29' is no day such as 2025-03-04"),
        (
            "0106,,2025-03-04,2025-03-04,,,x,c",
            "lists/a.csv:2: until: 2025-03-04 must be after from 2025-03-04: the row stands from its first day up to the day before `until`",
        ),
        ("0106,,,,,,x", "lists/a.csv:2: row: 7 cells where the header names 8 columns; a cell with a comma in it stands in quotes"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(row: str, words: str) -> None:
    with pytest.raises(RulebookError) as caught:
        read_table("lists/a.csv", table(row))
    assert str(caught.value) == words


def test_all_bad_rows_are_told_at_once_and_a_row_over_two_lines_counts_both() -> None:
    with pytest.raises(RulebookError) as caught:
        read_table("lists/a.csv", table('0106,,,,,,x,"two\nlines"', "1,,,,,,x,c", "0106,,soon,,,,x,c"))
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["4", "5"]


@pytest.mark.parametrize("header", ["", "hts,hts", "hts,Kind", "hts,a b", "hts,"])
def test_every_column_has_one_name_of_its_own(header: str) -> None:
    with pytest.raises(RulebookError, match=r"lists/a\.csv:1: header: name every column once"):
        read_table("lists/a.csv", f"{header}\n0106,x\n")


def test_a_table_by_origin_needs_no_code() -> None:
    found = read_table("lists/a.csv", "origin,rate\n*,5%\nCN,10%\n")
    assert [(row["origin"], row["rate"]) for row in found.rows] == [("*", "5%"), ("CN", "10%")]


def test_rows_are_selected_by_the_values_of_their_cells() -> None:
    found = read_table("lists/a.csv", table("01,,,,,,a,c", "02,,,,,,b,c", "03,,,,,,a,d"))
    assert [row.hts for row in found.select("s", [("kind", frozenset({"a"})), ("cite", frozenset({"d"}))]).rows] == ["03"]
    assert [row.hts for row in found.select("s", [("hts", frozenset({"01", "02"}))]).rows] == ["01", "02"]


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_an_error_that_names_the_file(text: str) -> None:
    words = ""
    try:
        read_table("lists/a.csv", text)
    except RulebookError as error:
        words = str(error)
    assert words == "" or words.startswith("lists/a.csv:")


@given(
    st.lists(
        st.tuples(
            st.text("0123456789", min_size=1, max_size=5).map(lambda digits: digits * 2),
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20),
        ),
        max_size=8,
    )
)
def test_what_is_written_is_read_back_exactly(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([("hts", "cite"), *rows])
    found = read_table("lists/a.csv", out.getvalue())
    assert [(row.hts, row["cite"]) for row in found.rows] == rows
