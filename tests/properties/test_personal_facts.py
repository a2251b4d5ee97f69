"""An answer tells nobody who the goods are for, and is the same whoever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry, entry_steps

LINE: dict[str, Any] = {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
ENTRY: dict[str, Any] = {
    "entry_date": "2025-09-10",
    "lines": [{"hts": "7318.15.20.61", "origin": "CN", "value": 10000}, {"hts": "6403.99.60.15", "origin": "VN", "value": 500}],
}


def test_the_dictionary_names_the_facts_that_say_who_somebody_is(knowledge: Knowledge) -> None:
    assert knowledge.reader.personal == {"consignee"}


@given(name=st.text(min_size=1, max_size=60))
def test_an_answer_is_the_same_whoever_the_consignee_is(knowledge: Knowledge, name: str) -> None:
    assert assess_entry(knowledge, {**LINE, "consignee": name}) == assess_entry(knowledge, LINE)
    assert assess_entry(knowledge, {**ENTRY, "consignee": name}) == assess_entry(knowledge, ENTRY)


def test_a_consignee_stated_on_the_lines_is_not_echoed_either(knowledge: Knowledge) -> None:
    lines = [{**line, "consignee": "Jane Roe"} for line in ENTRY["lines"]]
    answer = assess_entry(knowledge, {**ENTRY, "lines": lines})
    assert answer == assess_entry(knowledge, ENTRY)
    assert "Jane Roe" not in json.dumps(answer)


def test_other_facts_of_the_entry_are_echoed_and_make_another_question(knowledge: Knowledge) -> None:
    answer = assess_entry(knowledge, {**ENTRY, "mode": "ocean"})
    assert answer["entry"] == {"id": "", "entry_date": "2025-09-10", "mode": "ocean"}
    assert answer["id"] != assess_entry(knowledge, ENTRY)["id"]


@pytest.mark.parametrize("lines", [1, 5])
def test_an_entry_is_assessed_in_one_step_a_line_so_that_others_get_their_turn(knowledge: Knowledge, lines: int) -> None:
    raw = {"entry_date": "2025-09-10", "lines": [{**ENTRY["lines"][0], "value": 100 + n} for n in range(lines)]}
    steps = entry_steps(knowledge, raw)
    for _ in range(lines - 1):
        next(steps)
    with pytest.raises(StopIteration) as done:
        next(steps)
    assert done.value.value == assess_entry(knowledge, raw)
