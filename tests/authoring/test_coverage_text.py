"""An official text of chapter 99 beside the book: what it prints and the book does not say is named, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.authoring.conftest import Tariff

from tariff_engine.coverage import coverage
from tariff_engine.printed_text import read_printed
from tariff_engine.problems import ProblemError
from tariff_service.covering_text import beside_text
from tariff_service.rulebook import open_book

Row = tuple[str, str, str]
# rows of the table as the schedule prints them: heading, description, column 1
ROWS: list[Row] = [
    ("9903.03.01", "Except for products described in headings 9903.03.02-9903.03.11, articles the product of any country, as provided for in subdivision (aa) of U.S. note 2", "The duty provided in the applicable subheading + 10%"),
    ("9903.03.02", "Articles the product of any country that were loaded onto a vessel before 12:01 a.m. eastern standard time on February 24, 2026", "The duty provided in the applicable subheading"),
    ("9903.76.01", "Softwood timber and lumber products provided for in subdivision (b) of U.S. note 37", "The duty provided in the applicable subheading + 10%"),
    ("9903.88.03", "Except as provided in headings 9903.88.13, articles the product of China, as provided for in U.S. note 20(e)", "The duty provided in the applicable subheading + 25%"),
]  # fmt: skip


@cache
def book() -> Any:
    return open_book(None)


def page(rows: Sequence[Row], edition: str = "Revision 6 (2026)") -> bytes:
    """Return rows as the text of the PDF has them: columns, lines that go on, furniture of pages, in ISO-8859-1."""
    lines = [
        f"        Harmonized Tariff Schedule of the United States {edition}",
        "   Annotated for Statistical Reporting Purposes",
        "XXII",
    ]
    for heading, words, rate in rows:
        parts, rates = wrap(words, 60), wrap(rate, 16)
        lines.append(f"{heading} 1/ {parts[0]:<70}{'':<40}{rates[0]}")
        lines += [f"{'':<22}{left:<70}{'':<32}{right}" for left, right in zip_longest(parts[1:], rates[1:], fillvalue="")]
        lines += ["", "1/ See chapter 99 statistical note 1.", "\xad"]
    return "\n".join(lines).encode("iso-8859-1")


def found(data: bytes) -> dict[str, Any]:
    return beside_text(book(), read_printed(data))


def test_what_the_book_says_is_told_in_nothing() -> None:
    told = found(page(ROWS))
    assert (told["edition"], told["form"]) == ("HTS 2026 rev. 6", "text")
    assert told["counts"]["printed"] == len(ROWS)
    assert told["new"] == told["changed"] == []


def test_a_heading_that_nobody_holds_is_new_with_its_rate_and_its_days() -> None:
    row = ("9903.97.01", "Toys of Utopia, entered on or after October 1, 2026", "The duty provided in the applicable subheading + 12.5%")
    (new,) = found(page([*ROWS, row]))["new"]
    assert (new["heading"], new["rates"], new["days"], new["in_table"]) == ("9903.97.01", ["12.5%"], ["2026-10-01"], True)
    assert new["text"].startswith("Toys of Utopia")


@pytest.mark.parametrize(
    ("place", "old", "new", "told"),
    [
        (2, "+ 10%", "+ 30%", ("9903.76.01", "rate", ["30%"])),
        (0, "+ 10%", "+ 15%", ("9903.03.01", "rate", ["15%"])),
        (1, "February 24, 2026", "March 24, 2026", ("9903.03.02", "days", ["2026-03-24"])),
    ],
)
def test_a_rate_or_a_day_that_no_step_has_is_told(place: int, old: str, new: str, told: tuple[str, str, list[str]]) -> None:
    rows = [tuple(cell.replace(old, new) for cell in row) if at == place else row for at, row in enumerate(ROWS)]
    (change,) = found(page(rows))["changed"]  # type: ignore[arg-type]
    assert (change["heading"], change["what"], change["text"]) == told


def test_a_rate_that_slipped_into_the_row_beside_is_not_told_but_one_that_took_its_place_is() -> None:
    slipped = [ROWS[0], (ROWS[2][0], ROWS[2][1], "The duty + 25% + 10%"), ROWS[3]]
    assert found(page(slipped))["changed"] == []
    moved = [ROWS[0], (ROWS[2][0], ROWS[2][1], "The duty + 25%"), (ROWS[3][0], ROWS[3][1], "The duty")]
    assert [one["heading"] for one in found(page([*moved]))["changed"]] == []  # its 10% still stands in the row above: a slip by one row
    alone = [(ROWS[2][0], ROWS[2][1], "The duty + 25%"), ROWS[3]]
    assert [one["heading"] for one in found(page(alone))["changed"]] == ["9903.76.01"]


def test_every_heading_that_the_book_knows_from_an_edition_is_gone_where_its_family_is_printed_without_it() -> None:
    family = sorted(one.heading for one in coverage(book()) if one.heading.startswith("9903.76.") and one.printed_in)
    told = found(page([ROWS[2]], "Revision 20 (2026)"))
    assert [one["heading"] for one in told["gone"]] == [heading for heading in family if heading != "9903.76.01"]
    before = found(page([ROWS[2]]))  # of an older edition: what later ones printed is not gone
    known = {one.heading: one.printed_in for one in coverage(book())}
    assert [one["heading"] for one in before["gone"]] == [one for one in family if one != "9903.76.01" and known[one].endswith("rev. 6")]


def test_an_export_as_csv_and_as_json_say_the_same(tmp_path: Path, tariff: Tariff) -> None:
    rows = [*ROWS, ("9903.97.01", "Toys of Utopia", "The duty provided in the applicable subheading + 12.5%")]
    rows[2] = (rows[2][0], rows[2][1], rows[2][2].replace("10%", "11%"))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["HTS Number", "Indent", "Description", "Unit of Quantity", "General Rate of Duty", "Special Rate of Duty", "Column 2 Rate of Duty"]
    )
    writer.writerows([heading, "0", words, "", rate, "No change", rate] for heading, words, rate in rows)
    (tmp_path / "export.csv").write_text(text.getvalue(), encoding="utf-8")
    exported = [{"htsno": heading, "description": words, "general": rate, "special": None, "other": rate} for heading, words, rate in rows]
    (tmp_path / "export.json").write_text(json.dumps(exported), encoding="utf-8")
    tables = [tariff("rules", "coverage", tmp_path / name, "--json", "--exit-code") for name in ("export.csv", "export.json")]
    assert tables[0].out == tables[1].out
    assert tables[0].code == 3
    told = json.loads(tables[0].out)
    assert told["form"] == "export"
    assert [one["heading"] for one in told["new"]] == ["9903.97.01"]
    assert [(one["heading"], one["text"]) for one in told["changed"]] == [("9903.76.01", ["11%"])]
    text_out = tariff("rules", "coverage", tmp_path / "export.csv", "--no-json")
    assert "9903.97.01 is new" in text_out.out
    assert text_out.code == 0


@pytest.mark.parametrize("data", [b"", b"no heading here", b"%PDF-1.7 x", b"9903.01.01\0", b"[{", b'["a"]', b"[" * 5000])
def test_what_is_no_official_text_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(ProblemError) as error:
        read_printed(data)
    assert error.value.problem.code == "text_not_understood"


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"9903.01.01 1/ " + b" " * 100_000 + b"January " * 1000 + b"32, 2025 99% 9999999999%")
@example(b"hts number,description,general\n9903.01.01,x,1e999%\n" + b'9903.01.02,"' + b"x" * 200_000)
def test_no_text_does_more_than_be_read_or_refused(data: bytes) -> None:
    try:
        told = read_printed(data)
    except ProblemError as error:
        assert error.problem.code == "text_not_understood"  # noqa: PT017
    else:
        assert told.headings
