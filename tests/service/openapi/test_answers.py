"""The schema of the answer against real answers: it takes all of them, and none that is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.law.case_files import Case, read_cases

from tariff_engine.engine import Explain, Knowledge
from tariff_engine.entry import assess_entry
from tariff_engine.problems import ProblemError
from tariff_service.api.document import shipments
from tariff_service.output import encode

Errors = Callable[[str], Callable[[Any], list[str]]]
LEVELS: tuple[Explain, ...] = ("none", "summary", "full")
CASES = [case for case in read_cases() if case.known_on is None]


def plain(value: Any) -> Any:
    """Return a value as it comes out of the JSON that is sent."""
    return json.loads(encode(value))


def assessed(knowledge: Knowledge, case: Case, explain: Explain) -> Any:
    try:
        return plain(assess_entry(knowledge, plain(dict(case.facts)), explain))
    except ProblemError:
        return None


@pytest.fixture(scope="module")
def answers(knowledge: Knowledge) -> list[Any]:
    """Return an answer for each case of the law book's tests, the levels of explanation in turn."""
    found = [assessed(knowledge, case, LEVELS[place % 3]) for place, case in enumerate(CASES)]
    return [one for one in found if one is not None]


def test_every_answer_of_the_law_tests_is_as_the_schema_says(answers: list[Any], errors: Errors) -> None:
    assert len(answers) >= 200
    problems = [(answer["id"], error) for answer in answers for error in errors("Answer")(answer)]
    assert problems == []


def test_the_answers_show_every_part_of_the_schema(answers: list[Any]) -> None:
    """A schema that no answer fills proves nothing: verdicts, columns, gates, and the parts that are seldom there."""
    lines = [line for answer in answers for line in answer["lines"] if "problem" not in line]
    assert {answer["de_minimis"]["result"] for answer in answers if answer["de_minimis"]} == {
        "exempt",
        "entry_required",
        "postal_duty",
        "available_unclaimed",
    }
    assert {line["base"]["column"] for line in lines} == {"general", "special", "column2"}
    assert {row["kind"] for line in lines for row in line["headings"]} >= {
        "additional",
        "total",
        "exemption",
        "prohibited",
        "adcvd",
        "base",
    }
    assert len({verdict["verdict"] for line in lines for verdict in line.get("programs", ())}) >= 12
    assert any("otherwise" in line for line in lines)
    assert any(answer["totals"] and answer["totals"]["total"] is None for answer in answers)
    assert any("postal_duty" in answer["de_minimis"] for answer in answers if answer["de_minimis"])


def test_every_request_of_the_law_tests_is_as_the_schema_says(errors: Errors) -> None:
    assert [(case.id, error) for case in CASES for error in errors("Request")(plain(dict(case.facts)))] == []


def test_entries_with_problems_are_as_the_schema_says(knowledge: Knowledge, errors: Errors) -> None:
    good = {"hts": "8712.00.15.10", "origin": "CN", "value": 9000}
    entries: list[dict[str, Any]] = [
        {"entry_date": "2025-09-02", "lines": [good, {**good, "hts": "9999.99.99"}]},
        {"entry_date": "2025-09-02", "lines": [good, {**good, "origin": "XX", "value": "much", "is_mhdv": 1}]},
        {"entry_date": "2025-09-02", "id": 7, "consignee": "A. Person", "lines": [{**good, "id": 1}]},
        {"lines": [{**good, "entry_date": "2025-09-02"}, {**good, "entry_date": "2025-09-03"}]},
    ]
    for entry in entries:
        answer = plain(assess_entry(knowledge, entry))
        assert errors("Answer")(answer) == []
        assert bool(answer["problems"]) == ("consignee" not in entry)


# ---------------------------------------------------------------- mutation
def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from places(item, (*at, key))


def inside(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@given(data=st.data())
def test_an_answer_with_a_member_added_or_renamed_is_not_as_the_schema_says(
    data: st.DataObject, answers: list[Any], errors: Errors
) -> None:
    answer = deepcopy(data.draw(st.sampled_from(answers)))
    maps = [path for path in places(answer) if isinstance(inside(answer, path), dict) and path[-1] != "facts"]
    target = inside(answer, data.draw(st.sampled_from([(), *maps])))
    if target and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(target)))
        target[f"{name}_"] = target.pop(name)
    else:
        target["surprise"] = 1
    assert errors("Answer")(answer) != []


@given(data=st.data())
def test_an_answer_with_a_value_of_another_type_is_not_as_the_schema_says(data: st.DataObject, answers: list[Any], errors: Errors) -> None:
    answer = deepcopy(data.draw(st.sampled_from(answers)))
    path = data.draw(st.sampled_from(sorted(places(answer), key=str)))
    inside(answer, path[:-1])[path[-1]] = 1.5
    assert errors("Answer")(answer) != []


def test_an_unknown_verdict_kind_column_or_code_is_not_as_the_schema_says(knowledge: Knowledge, errors: Errors) -> None:
    answer = plain(assess_entry(knowledge, shipments()["chinese-dram"]["entry"]))
    closed: list[tuple[Any, ...]] = [
        ("lines", 0, "programs", 0, "verdict"),
        ("lines", 0, "headings", 0, "kind"),
        ("lines", 0, "base", "column"),
        ("de_minimis", "result"),
    ]
    for path in closed:
        changed = deepcopy(answer)
        inside(changed, path[:-1])[path[-1]] = "perhaps"
        assert errors("Answer")(changed) != [], path
