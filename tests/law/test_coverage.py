"""Every heading of the official chapter 99 is in the book, or has a reason why not; the documentation says the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.law.rulebook import the_book

from tariff_engine.coverage import coverage, held, printed
from tariff_service.covering import BEGIN, END, coverage_map, page

DOCUMENT = Path(__file__).parents[2] / "docs" / "coverage.md"


def test_every_heading_of_the_official_text_is_accounted_for() -> None:
    found = coverage_map(the_book())
    assert found["counts"]["unaccounted"] == 0, [one["heading"] for one in found["headings"] if not one["programs"] and not one["reason"]]
    assert found["counts"]["headings"] == found["counts"]["modelled"] + found["counts"]["not_modelled"] > 600
    assert sum(span["count"] for span in found["spans"]) == found["counts"]["headings"]


def test_a_heading_left_out_that_may_change_a_duty_is_named_in_the_answers_it_may_reach() -> None:
    named = {absent.name: absent.title for absent in the_book().absent}
    left_out = {one.heading for one in coverage(the_book()) if one.reason in {"reduction", "doubtful"}}
    assert {heading[:7] for heading in left_out} == {"9903.19", "9903.41"}
    assert "9903.19" in named["infant-formula-2022"]
    assert "9903.41" in named["s301-japan-leather"]


def test_the_book_holds_no_heading_that_no_edition_printed_but_those_that_were_deleted() -> None:
    later = {heading for heading in held(the_book()) if heading not in printed(the_book())}
    assert all(heading.startswith(("9903.78.", "9903.80.", "9903.81.", "9903.85.")) for heading in later), sorted(later)


def test_the_documentation_shows_the_map_of_this_book() -> None:
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    made = before + page(the_book()) + after
    if os.environ.get("TARIFF_RENEW_COVERAGE") == "1":
        DOCUMENT.write_text(made, encoding="utf-8")
    if DOCUMENT.read_text(encoding="utf-8") != made:
        pytest.fail("docs/coverage.md is not of this book; TARIFF_RENEW_COVERAGE=1 writes it anew")
