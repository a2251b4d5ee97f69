"""What numbers are called: kept when an export is read, put together from the heading down, and searched by words."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.problems import RulebookError
from tariff_engine.schedule import Edition, Schedule
from tariff_engine.schedule_words import Words, load_words
from tariff_engine.usitc_export import read_export


def row(htsno: str, indent: int, description: str, general: str = "") -> dict[str, Any]:
    return {"htsno": htsno, "indent": str(indent), "description": description, "units": [], "general": general, "special": "", "other": ""}


ROWS = [
    row("0101", 0, "Live horses, asses, mules and hinnies:"),
    row("", 1, "Horses:"),
    row("0101.21.00", 2, "Purebred breeding animals", "Free"),
    row("0101.21.00.10", 3, "Males"),
    row("0101.21.00.20", 3, "Females"),
    row("0101.29.00", 2, "Other", "Free"),
    row("0101.29.00.10", 3, "Imported for <i>immediate</i> slaughter"),
    row("0101.30.00.00", 1, "Asses", "6.8%"),
    row("9003", 0, "Frames and mountings for spectacles, goggles or the like, and parts thereof"),
    row("9003.11.00.00", 1, "Of plastics", "2.5%"),
    row("9903.88.01", 0, "Articles the product of a country"),
]


@pytest.fixture(scope="module")
def words() -> Words:
    return Words("an edition", read_export(json.dumps(ROWS)).descriptions)


def test_an_export_keeps_what_each_code_is_called_with_the_rows_between() -> None:
    assert read_export(json.dumps(ROWS)).descriptions == {
        "0101": "Live horses, asses, mules and hinnies",
        "01012100": "Horses: Purebred breeding animals",
        "0101210010": "Males",
        "0101210020": "Females",
        "01012900": "Horses: Other",
        "0101290010": "Imported for immediate slaughter",
        "0101300000": "Asses",
        "9003": "Frames and mountings for spectacles, goggles or the like, and parts thereof",
        "9003110000": "Of plastics",
    }


def test_an_export_without_descriptions_is_a_table_all_the_same() -> None:
    bare = [{name: value for name, value in one.items() if name != "description"} for one in ROWS]
    found = read_export(json.dumps(bare))
    assert found.rows == read_export(json.dumps(ROWS)).rows
    assert found.descriptions == {}


def test_a_number_is_called_what_stands_above_it_and_at_it(words: Words) -> None:
    assert words.of("0101210010") == "Live horses, asses, mules and hinnies: Horses: Purebred breeding animals: Males"
    assert words.of("9999") == ""


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("purebred", ["0101210010", "0101210020"]),
        ("male horses", ["0101210010"]),
        ("HORSE purebred FEMALES", ["0101210020"]),
        ("asses", ["0101300000", "0101210010", "0101210020", "0101290010"]),  # its own words first, then those above
        ("plastic frame", ["9003110000"]),
        ("spectacles of plastics", ["9003110000"]),
        ("of", ["9003110000"]),
        ("horses of plastics", []),
        ("country", []),  # chapter 99 is no number that goods are declared under
        ("", []),
        ("%_\\'\";--", []),
        ("<script>", []),
    ],
)
def test_words_find_numbers_the_nearest_first(words: Words, text: str, codes: list[str]) -> None:
    assert [code for code, _ in words.search(text, 20)] == codes


def test_a_search_gives_no_more_than_was_asked_for(words: Words) -> None:
    assert len(words.search("horses", 2)) == 2
    assert words.search("horses", 0) == []


@given(st.text(max_size=200))
def test_any_text_is_a_search(words: Words, text: str) -> None:
    assert len(words.search(text, 3)) <= 3


def _schedule(file: str) -> Schedule:
    return Schedule((Edition("an edition", date(2020, 1, 1), date(2020, 1, 1), "a citation", file),), (None,), {})  # type: ignore[arg-type]


def test_the_last_edition_has_words_where_its_file_is_there(tmp_path: Path) -> None:
    assert load_words(tmp_path, _schedule("a.csv")) is None
    (tmp_path / "a_descriptions.csv").write_text('hts,description\n0101,"Live horses, asses"\n', encoding="utf-8")
    found = load_words(tmp_path, _schedule("a.csv"))
    assert found is not None
    assert (found.edition, len(found), found.of("0101")) == ("an edition", 1, "Live horses, asses")


@pytest.mark.parametrize("text", ["", "hts\n", "hts,description\n01,x\n", "hts,description\nabcd,x\n", "hts,description\n0101,x\n0101,y\n"])
def test_a_file_of_another_form_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a_descriptions.csv").write_text(text, encoding="utf-8")
    with pytest.raises(RulebookError, match=r"a_descriptions\.csv:\d"):
        load_words(tmp_path, _schedule("a.csv"))
