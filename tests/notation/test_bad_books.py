"""Every folder of `bad` is the good rulebook with one defect, and the exact words that a check must say about it.

Its files replace the good ones, `removed.txt` names files to take away, and `expected.txt` holds every line of the report, in order.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tariff_engine.notation.check import check
from tariff_engine.notation.load import load_book
from tariff_engine.problems import RulebookError

HERE = Path(__file__).parent
CASES = sorted(path.name for path in (HERE / "bad").iterdir())


def overlay(case: str, folder: Path) -> tuple[Path, list[str]]:
    """Build the bad rulebook of a case; return it with the lines expected."""
    book, bad = folder / "book", HERE / "bad" / case
    shutil.copytree(HERE / "good", book)
    shutil.copytree(bad, book, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected.txt", "removed.txt"))
    removed = bad / "removed.txt"
    for name in removed.read_text(encoding="utf-8").split() if removed.exists() else ():
        (book / name).unlink()
    return book, (bad / "expected.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", CASES)
def test_a_defect_is_told_with_its_place_and_what_to_write_instead(case: str, tmp_path: Path) -> None:
    book, expected = overlay(case, tmp_path)
    assert list(check(book).problems) == expected


@pytest.mark.parametrize("case", CASES)
def test_every_message_names_file_and_line_and_speaks_in_our_words(case: str) -> None:
    lines = (HERE / "bad" / case / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9_/]+\.(yaml|csv):\d+: \S", line), line
        assert not re.search(r"pydantic|Input should|Extra inputs|Field required|NoneType|Traceback|Fraction\(|Decimal\(", line), line


def test_the_good_rulebook_has_no_problem_and_says_what_was_checked(good: Path) -> None:
    report = check(good)
    assert report.problems == ()
    assert report.ok
    assert report.counts["programs"] == 2
    assert report.counts["examples"] == 5
    phases = {"load", "frame", "lists", "facts", "order", "programs", "coverage", "refunds", "sources", "unfinished", "build", "examples"}
    assert set(report.seconds) == phases


@pytest.mark.parametrize("case", ["typo_key", "unknown_heading", "bad_date_in_list", "not_utf8", "missing_file", "duplicate_key"])
def test_a_bad_form_or_a_bad_name_never_gets_past_the_loader(case: str, tmp_path: Path) -> None:
    book, expected = overlay(case, tmp_path)
    with pytest.raises(RulebookError) as caught:
        load_book(book)
    assert str(caught.value).splitlines() == expected


def test_one_run_tells_the_defects_of_every_file(tmp_path: Path) -> None:
    book, one = overlay("typo_key", tmp_path)
    shutil.copy(HERE / "bad" / "empty_file" / "programs" / "gadgets.yaml", book / "programs" / "gadgets.yaml")
    other = (HERE / "bad" / "empty_file" / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(check(book).problems) == sorted(one + other)
