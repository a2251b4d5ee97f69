"""Loading: the hash of the content, references, and what a name stands for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tariff_engine.notation.load import load_book

Spoil = Callable[..., Path]
WIDGETS = "programs/widgets.yaml"


def test_comments_spacing_and_line_ends_are_no_content(good: Path, spoil: Spoil) -> None:
    book = spoil((WIDGETS, "program: widgets\n", "# a remark\nprogram:   widgets\n\n"))
    (book / "lists" / "widgets.csv").write_bytes((good / "lists" / "widgets.csv").read_bytes().replace(b"\n", b"\r\n"))
    assert load_book(book).id == load_book(good).id


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (WIDGETS, "add: 10%", "add: 11%"),
        (WIDGETS, "Widgets pay an additional duty.", "Widgets pay another duty."),
        ("lists/widgets.csv", "850010,", "850011,"),
        ("fees.yaml", "0.125%", "0.126%"),
        ("schedule/edition.csv", "No.,2%", "No.,3%"),
    ],
)
def test_every_word_of_law_is_content(good: Path, spoil: Spoil, file: str, old: str, new: str) -> None:
    assert load_book(spoil((file, old, new))).id != load_book(good).id


def test_a_bare_heading_names_its_variants_and_a_range_all_between_its_ends(spoil: Spoil) -> None:
    book = load_book(
        spoil(
            (WIDGETS, "- heading: 9903.01.03\n", "- heading: 9903.01.03/papers\n"),
            (WIDGETS, "- {any: 9903.01.03, cite", "- {any: [9903.01.03, 9903.01.02..9903.01.04, program:gadgets], cite"),
        )
    )
    assert book.refs["9903.01.03"] == ("9903.01.03/papers",)
    assert book.refs["9903.01.02..9903.01.04"] == ("9903.01.02", "9903.01.03/papers", "9903.01.04")
    assert book.refs["program:gadgets"] == ("family:gadget-rate", "9903.02.10")
    assert book.expand(["set:widget-duty", "9903.01.01"]) == ("9903.01.01", "9903.01.02")


def test_a_selector_takes_the_rows_that_have_all_its_values(spoil: Spoil) -> None:
    book = load_book(
        spoil(
            (
                WIDGETS,
                "{not: group:column2}, hts: {in: list:widgets kind=plain}",
                "{not: group:column2}, hts: {in: list:widgets kind=plain|spare hts=850010}",
            )
        )
    )
    assert [row.hts for row in book.tables["list:widgets kind=plain|spare hts=850010"].rows] == ["850010"]


def test_what_the_public_did_not_know_is_not_seen(good: Path) -> None:
    book = load_book(good)
    row = book.tables["gadget_rates"].rows[3]
    assert row.by == "gadget-pause"
    assert not book.row_known(row, book.published("gadget-pause").replace(day=19))
    assert book.row_known(row, book.published("gadget-pause"))


def test_norway_is_a_country_and_no_falsehood(good: Path) -> None:
    book = load_book(good)
    assert book.groups["north"] == ["SE", "NO", "FI"]
    assert book.programs[1].examples[2].line["origin"] == "NO"


def test_an_unmodelled_reference_is_allowed_where_it_is_said(spoil: Spoil) -> None:
    book = load_book(
        spoil(
            ("relations.yaml", "sets:", "unmodelled: [9903.99.01]\nsets:"),
            (WIDGETS, "{any: 9903.01.03, cite", "{any: [9903.01.03, 9903.99.01], cite"),
        )
    )
    assert book.refs["9903.99.01"] == ()
