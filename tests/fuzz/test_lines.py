"""Hostile JSON, JSONL, YAML and CSV: a row that cannot be read is a problem of that row, a file that cannot is one problem; nothing falls over."""

from __future__ import annotations

import io
import json
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.texts import bounded, junk, spoilt, within_memory

from tariff_engine.problems import ProblemError
from tariff_engine.testing import Rulebook, a_refusal_says_what_to_mend
from tariff_service.reading import decode, parse_json, parse_yaml
from tariff_service.refund_columns import Dictionary
from tariff_service.refund_files import read_lines
from tariff_service.rows import assess_rows

LINE = '{"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10000.50, "quantity": {"kg": "120"}, "id": "a"}'
ENTRY = "entry_date: 2025-09-10\nmode: ocean\nlines:\n  - {id: a, hts: 7318.15.20.61, origin: CN, value: 10000}\n"
TABLE = 'HTS,Origin,Entry Date,Entered Value,Entry Number\n7318.15.20.61,CN,2025-09-10,"10,000.50",ABC-1234567-8\n8703230190,DE,09/10/2025,$500,\n'
KNOWLEDGE = Rulebook.installed().knowledge
SPEED = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@cache
def dictionary() -> Dictionary:
    """The names of columns, read once."""
    law = KNOWLEDGE.law
    return Dictionary(law, law.refunds.actions[0].action)


@given(text=spoilt(LINE) | junk())
def test_hostile_json_is_parsed_or_refused(text: str) -> None:
    bounded(lambda: parse_json(text, "x"), ProblemError)


@given(text=spoilt(ENTRY) | junk())
def test_hostile_yaml_is_parsed_or_refused(text: str) -> None:
    bounded(lambda: parse_yaml(text, "x"), ProblemError)


@given(data=st.binary(max_size=300) | spoilt(LINE).map(lambda text: text.encode("utf-16")))
def test_hostile_bytes_are_decoded_or_refused(data: bytes) -> None:
    bounded(lambda: decode(data, "x"), ProblemError)


@given(rows=st.lists(spoilt(LINE) | junk() | st.just(LINE), min_size=1, max_size=5))
@SPEED
def test_every_row_of_hostile_jsonl_has_an_answer_and_the_good_ones_are_answered(rows: list[str]) -> None:
    text = "\n".join(row.replace("\n", " ").replace("\r", " ") for row in rows)
    target = io.BytesIO()
    tally = bounded(lambda: assess_rows(KNOWLEDGE, io.BytesIO(text.encode("utf-8", "surrogatepass")), target, "none"))
    answers = [json.loads(line) for line in target.getvalue().splitlines()]
    assert tally.failures == 0, answers
    assert len(answers) == tally.rows
    for answer in answers:
        if "problem" in answer:
            a_refusal_says_what_to_mend({}, answer["problem"])
    assert len([answer for answer in answers if "problem" not in answer]) >= len(
        [row for row in rows if row == LINE and text[:1] != "\ufeff"]
    )


@given(text=spoilt(TABLE) | junk(), suffix=st.sampled_from((".csv", ".jsonl", ".txt", ".xlsx")))
@SPEED
def test_a_hostile_table_is_read_or_refused_and_each_row_tells_its_own_problem(text: str, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"lines{suffix}"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        found = bounded(lambda: read_lines(str(path), dictionary()), ProblemError)
    if not isinstance(found, Exception):
        for row in found.rows:
            if row.problem:
                a_refusal_says_what_to_mend({}, row.problem.as_dict())


def test_a_row_of_many_megabytes_takes_bounded_memory() -> None:
    text = b'{"hts": "' + b"9" * 20_000_000 + b'"}\n' + LINE.encode() + b"\n"
    target = io.BytesIO()
    tally = within_memory(lambda: assess_rows(KNOWLEDGE, io.BytesIO(text), target, "none"))
    assert (tally.rows, tally.problems) == (2, 1)
