"""docs/accuracy.md says what the cases and the book say today."""

from __future__ import annotations

from tests.law.accuracy import BEGIN, DOCUMENT, END, document


def test_the_figures_of_the_accuracy_report_are_those_of_the_cases_and_the_book() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert BEGIN in written
    assert END in written
    assert written == document(written), "run `python -m tests.law.accuracy` in the project's folder and read what changed"
