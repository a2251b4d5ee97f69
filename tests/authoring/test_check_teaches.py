"""Every problem of a check is explained: the line at fault, why it matters, how to mend it, an example; and what is marked TODO is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.authoring.conftest import REPOSITORY, Changed, Tariff

from tariff_service.teaching import explained, in_draft, lessons

BAD = REPOSITORY / "tests" / "notation" / "bad"
PROBLEMS = sorted({line for file in BAD.glob("*/expected.txt") for line in file.read_text(encoding="utf-8").splitlines()})
_OF_FRAME = ("fees.yaml", "refunds.yaml", "de_minimis.yaml", "chapter98.yaml", "mpf.csv", "adcvd_orders.csv", "schedule/")


def test_every_problem_that_a_rule_file_can_have_belongs_to_a_lesson() -> None:
    without = [problem for problem in PROBLEMS if not explained(problem, {}).lesson and not problem.startswith(_OF_FRAME)]
    assert not without, without
    assert len(PROBLEMS) > 80


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_is_taken_apart_into_place_fault_and_mending(problem: str) -> None:
    found = explained(problem, {})
    assert problem == found.problem
    assert (found.file, found.line > 0, bool(found.path)) == (problem.partition(":")[0], True, True)
    assert found.what
    assert found.fix


def test_lessons_have_names_of_their_own_and_all_is_said() -> None:
    names = [name for name, *_ in lessons()]
    assert len(names) == len(set(names))
    assert all(why and example for _, _, why, example in lessons())


def test_a_check_shows_the_line_and_tells_a_lesson_once(tariff: Tariff, small: Changed) -> None:
    spoilt = small("spoilt", ("programs/widgets.yaml", "add: 10%", "add: 0.1"), ("programs/widgets.yaml", "add: 25%", "add: 0.25"))
    told = tariff("rules", "check", spoilt, "--no-json")
    assert told.code == 1
    assert "| - {from: 2020-02-01, add: 0.1, by: widget-act" in told.out
    assert told.out.count("why: Rates are exact") == 1
    short = tariff("rules", "check", spoilt, "--short", "--no-json").out
    assert "why:" not in short
    assert short.count("write a rate as a percentage") == 2
    found = json.loads(tariff("rules", "check", spoilt, "--json").out)
    assert [one["problem"] for one in found["explained"]] == found["problems"]
    assert found["explained"][0]["lesson"] == "rate"


def test_what_is_marked_todo_is_a_problem_of_its_line(tariff: Tariff, small: Changed) -> None:
    spoilt = small(
        "spoilt",
        ("programs/widgets.yaml", "says: Widgets pay an additional duty.", 'says: "TODO: say, in one sentence, what it does"'),
        ("lists/widgets.csv", "1 TEST 1 Annex", "TODO"),
        ("origins.yaml", "[SE, NO, FI]", "[SE, NO, FI]  # TODO: Denmark?"),
    )
    problems = json.loads(tariff("rules", "check", spoilt, "--json").out)["problems"]
    assert problems == [
        "lists/widgets.csv:2: TODO: not yet written (somebody was to write this); write it from the text of the act, and take the word TODO out",
        "origins.yaml:3: TODO: not yet written (Denmark?); write it from the text of the act, and take the word TODO out",
        "programs/widgets.yaml:10: TODO: not yet written (say, in one sentence, what it does); write it from the text of the act, and take the word TODO out",
    ]


def test_a_problem_of_a_shared_file_is_told_by_the_line_of_the_draft() -> None:
    texts = {"instruments.yaml": "instruments:\n  a: {}\n  b: {}\n"}
    draft = {"instruments.yaml": "instruments:\n  b: {}\n"}
    assert (
        in_draft("instruments.yaml:3: instruments.b: wrong; mend it", texts, draft) == "instruments.yaml:2: instruments.b: wrong; mend it"
    )
    assert in_draft("instruments.yaml:2: instruments.a: wrong", texts, draft) == "instruments.yaml:2: instruments.a: wrong"
    assert in_draft("facts.yaml:2: x: wrong", texts, draft) == "facts.yaml:2: x: wrong"


def test_the_page_of_the_command_has_examples(tariff: Tariff) -> None:
    for command in (("impact",), *(("rules", name) for name in ("diff", "check", "copy", "new", "preview", "merge", "coverage"))):
        assert f"tariff {' '.join(command)} " in tariff(*command, "--help").out, command
    assert Path(REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8").count("`tariff rules ") >= 10
