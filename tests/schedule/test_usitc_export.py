"""Exports of the official site, JSON and CSV: inheritance by indent, units, marks of the page, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.problems import ProblemError
from tariff_engine.usitc_export import Export, read_export

FREE = "Free (A+,AU)"


def row(htsno: str, indent: int, units: list[str] | None = None, general: str = "", special: str = "", other: str = "") -> dict[str, Any]:
    """Make a row with every key that the site prints, one of them misspelt there."""
    return {
        "htsno": htsno,
        "indent": str(indent),
        "description": "Horses:",
        "superior": None if htsno else "true",
        "units": units or [],
        "general": general,
        "special": special,
        "other": other,
        "footnotes": [{"columns": ["general"], "marker": "1", "value": "See 9903.88.15.", "type": "endnote"}],
        "quotaQuantity": None,
        "additionalDuties": None,
        "addiitionalDuties": None,
    }


ROWS = [
    row("0101", 0),
    row("", 1),
    row("0101.21.00", 2, None, "Free", "", "Free"),
    row("0101.21.00.10", 3, ["No."]),
    row("0101.30.00.00", 1, ["No."], "6.8%", FREE, "15%"),
    row("0102.29", 1, None, "1¢/kg", FREE, "5.5¢/kg"),
    row("0102.29.40", 2, ["X"]),
    row("0102.29.40.24", 3, ["No.", "kg"]),
    row("9006.59.15", 1, None, "Free", "", ""),
    row("9006.59.15.20", 2, ["No."], "", "", "20%"),
    row("9903.88.01", 0, None, "The duty provided in the applicable subheading + 25%"),
]
EXPECTED = {
    "01012100": ("", "Free", "", "Free"),
    "0101210010": ("No.", "", "", ""),
    "0101300000": ("No.", "6.8%", FREE, "15%"),
    "01022940": ("X", "1¢/kg", FREE, "5.5¢/kg"),  # the rates stand at six digits, which is no row of the table
    "0102294024": ("No.;kg", "1¢/kg", FREE, "5.5¢/kg"),
    "90065915": ("", "Free", "", ""),
    "9006591520": ("No.", "", "", "20%"),
}
HEADER = "HTS Number,Indent,Description,Unit of Quantity,General Rate of Duty,Special Rate of Duty,Column 2 Rate of Duty,Quota Quantity,Additional Duties"


def as_csv(units: str = "json") -> str:
    """Write the rows as the CSV export does; units stand in it as a list or as words."""
    out = io.StringIO()
    out.write(HEADER + "\r\n")
    writer = csv.writer(out)
    for one in ROWS:
        cell = (json.dumps(one["units"]) if units == "json" else ", ".join(one["units"])) if one["units"] else ""
        writer.writerow([one["htsno"], one["indent"], "a, b", cell, one["general"], one["special"], one["other"], "", ""])
    return out.getvalue()


@pytest.mark.parametrize("text", [json.dumps(ROWS), json.dumps({"results": ROWS}), as_csv(), as_csv("words"), "\ufeff" + as_csv()])
def test_every_form_gives_one_table(text: str) -> None:
    found = read_export(text)
    assert found.rows == EXPECTED
    assert found.unread == ()
    assert found.chapters == {"01", "90"}


def test_marks_of_the_page_and_footnote_marks_are_read_through() -> None:
    rows = [
        row("0101.30.00.00", 0, ["<i>No.</i>"], "6.8% 1/", "Free (A+,\n AU) 2/", "33 1/3%"),
        row("0102.21.00", 0, None, "4.4&cent;/kg", "", "Free<sup>1</sup>"),
    ]
    found = read_export(json.dumps(rows[:1]))
    assert found.rows == {"0101300000": ("No.", "6.8%", "Free (A+, AU)", "33 1/3%")}
    assert read_export(json.dumps(rows[1:])).rows["01022100"][1] == "4.4¢/kg"


def test_a_rate_outside_the_language_is_kept_and_named() -> None:
    found = read_export(json.dumps([*ROWS, row("0103.10.00.00", 0, None, "as the moon shines", "", "5%")]))
    assert found.unread == (("0103100000", "general", "as the moon shines"),)
    assert found.rows["0103100000"][1] == "as the moon shines"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks"),
        ("[", "JSON"),
        ("[]", "list of rows"),
        ("[1]", "list of rows"),
        ('{"a": 1}', "list of rows"),
        ('[{"htsno": "0101"}]', "lacks indent"),
        ("a,b\n1,2\n", "lacks hts number"),
        (HEADER + "\r\n0101,0\r\n", "2 cells"),
        (json.dumps([row("0101.30.00.0x", 0)]), "no line of the schedule"),
        (json.dumps([row("0101.30.00.00", -1)]), "no line of the schedule"),
        (json.dumps([*ROWS, row("0101.30.00.00", 1)]), "stands twice"),
        (json.dumps([row("9903.88.01", 0)]), "no number of chapters"),
    ],
)
def test_what_is_no_export_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_export(text)
    assert caught.value.problem.code == "export_not_understood"
    assert words.casefold() in caught.value.problem.message.casefold()
    assert caught.value.problem.fix


@given(
    st.text(max_size=300)
    | st.recursive(st.none() | st.text(max_size=9), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner)).map(
        json.dumps
    )
)
def test_any_text_gives_a_table_or_a_typed_problem(text: str) -> None:
    try:
        found: Any = read_export(text)
    except ProblemError as error:
        found = error.problem
    assert isinstance(found, Export) or found.code == "export_not_understood"
