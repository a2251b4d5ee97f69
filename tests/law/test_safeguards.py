"""The safeguards: what is filed where an exclusion has no heading, and what is asked where nobody states the quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.entry import assess_row
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge


def verdict(answer: dict[str, Any], program: str) -> dict[str, Any]:
    return next(dict(row) for row in answer["programs"] if row["program"] == program)


def test_an_exclusion_without_a_heading_is_told_by_its_sentence_and_files_no_number(knowledge: Knowledge) -> None:
    line = {"hts": "8541430010", "origin": "MY", "entry_date": "2023-06-01", "value": 10000, "bifacial_solar_panel": True}
    found = assess_row(knowledge, line, "summary")
    told = verdict(found, "s201-solar")
    assert (told["verdict"], told["would_be"]) == ("exempt", "1450.00")
    assert told["because"].startswith("Bifacial panels")
    assert "headings" not in told
    assert [number["heading"] for number in found["filing"]["lines"][0]["numbers"]] == ["8541.43.00.10"]


def test_the_quota_is_asked_for_in_one_question_with_both_duties(knowledge: Knowledge) -> None:
    found = assess_row(knowledge, {"hts": "8541420010", "origin": "MY", "entry_date": "2025-03-03", "value": 10000}, "none")
    asked = {row["fact"]: row for row in found["questions"]}
    assert "quota_status" not in asked
    assert [(option["answer"], option["duty"]) for option in asked["in_quota"]["answers"]] == [(True, "0.00")]
    assert (found["duty"], found["range"]["low"]) == ("1400.00", "0.00")


def test_quota_statements_that_contradict_one_another_are_refused(knowledge: Knowledge) -> None:
    line = {"hts": "6810990020", "origin": "VN", "entry_date": "2026-08-20", "value": 10000, "in_quota": True, "quota_status": "over_quota"}
    with pytest.raises(ProblemError) as refused:
        assess_row(knowledge, line, "none")
    assert refused.value.problem.field == "quota_status"
