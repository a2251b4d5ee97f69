"""The definition under its public name."""

from __future__ import annotations

from tariff_engine.book import Book
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.reference import evaluate, evaluation


def test_the_reference_is_the_naive_evaluator_and_reads_lines_by_the_rule_files(book: Book, knowledge: Knowledge) -> None:
    facts = {"hts": "7318152061", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
    found = evaluate(book, knowledge.law, facts)
    assert [row.heading for row in found.rows] == ["9903.88.03", "9903.01.24", "9903.01.33", "9903.81.90"]
    assert found.duty == 950_000
    line = knowledge.read(facts)
    assert isinstance(evaluation(book, knowledge.law, line), NaiveEvaluation)
    assert evaluation(book, knowledge.law, line).run() == found
