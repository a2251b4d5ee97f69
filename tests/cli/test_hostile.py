"""Input that no honest user sends, and some that they do: each gets a typed problem that names the field and the fix."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tariff_service import reading

Tariff = Callable[..., Any]

GOOD = '{"hts":"7318.15.20.61","origin":"CN","entry_date":"2025-09-10","value":10000}'
HOSTILE = {
    "malformed JSON": (b'{"hts": "7318",\n\n "origin" "CN"}', "malformed_json", "line 3"),
    "JSON cut off": (b'{"hts": "7318', "malformed_json", "line 1"),
    "something after the JSON": (GOOD.encode() + b" {}", "malformed_json", "extra data"),
    "malformed YAML": (b"hts: a\n  b: [\n", "malformed_yaml", "line"),
    "a tab in YAML": (b"hts:\n\t- a\n", "malformed_yaml", "line 2"),
    "a YAML alias": (b"a: &x [1]\nb: *x\n", "malformed_yaml", "anchors"),
    "YAML bombs": (b"a: &a [x]\nb: &b [*a, *a]\n", "malformed_yaml", "anchors"),
    "a YAML tag with code": (b"!!python/object/apply:os.system ['true']", "malformed_yaml", "line 1"),
    "NaN": (GOOD.replace("10000", "NaN").encode(), "not_a_number", "NaN"),
    "Infinity": (GOOD.replace("10000", "-Infinity").encode(), "not_a_number", "Infinity"),
    "a duplicate key": (b'{"value": 1, "value": 2}', "duplicate_key", "value"),
    "a duplicate key in YAML": (b"value: 1\nvalue: 2\n", "malformed_yaml", "twice"),
    "a number of a million digits": (GOOD.replace("10000", "9" * 1_000_000).encode(), "not_a_number", "digits"),
    "a decimal of a million digits": (GOOD.replace("10000", "0." + "9" * 1_000_000).encode(), "not_a_number", "characters"),
    "an exponent": (GOOD.replace("10000", "1e999999").encode(), "wrong_type", "value"),
    "text of a megabyte": (GOOD.replace("CN", "C" * 1_000_000).encode(), "wrong_type", "origin"),
    "a name of a megabyte": (GOOD.replace("origin", "o" * 1_000_000).encode(), "unknown_fact", "ooo"),
    "an id of a megabyte": (GOOD.replace("{", '{"id":"' + "i" * 1_000_000 + '",').encode(), "wrong_type", "id"),
    "deep lists": (b"[" * 200_000 + b"]" * 200_000, "too_deep", "levels"),
    "deep objects": (b'{"a":' * 100 + b"1" + b"}" * 100, "too_deep", "levels"),
    "deep YAML": (b"a: " + b"[" * 200_000 + b"]" * 200_000, "too_deep", "levels"),
    "deep YAML of blocks": (b"- " * 100_000 + b"a", "too_deep", "levels"),
    "nothing": (b"", "file_empty", "empty"),
    "blanks": (b" \n\t\n", "file_empty", "empty"),
    "only a byte order mark": (b"\xef\xbb\xbf\n", "file_empty", "empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_text", "binary"),
    "Latin-1": ('{"hts":\n"caf\u00e9"}'.encode("latin-1"), "not_utf8", "line 2"),
    "UTF-16": (GOOD.encode("utf-16"), "not_utf8", "UTF-16"),
    "half a character": (GOOD.replace("CN", "\\ud800").encode(), "not_text", "surrogate"),
    "half a character in YAML": (b'hts: "\\ud800"', "malformed_yaml", "line 1"),
    "a list": (b"[1, 2]", "wrong_type", "map"),
    "a word": (b"hello", "wrong_type", "map"),
    "null": (b"null", "wrong_type", "map"),
    "a day as a key": (b"2025-01-01: x\n", "unknown_fact", "2025-01-01"),
    "no lines": (b'{"lines": []}', "wrong_type", "lines"),
    "a boolean for a number": (GOOD.replace("10000", "true").encode(), "wrong_type", "value"),
    "a negative value": (GOOD.replace("10000", "-1").encode(), "out_of_range", "value"),
    "a misspelt fact": (GOOD.replace("origin", "orgin").encode(), "unknown_fact", "did you mean origin"),
}


def problem_in(text: str) -> dict[str, Any]:
    answer = json.loads(text)
    found: dict[str, Any] = answer["problem"] if "problem" in answer else answer["problems"][0]
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_gets_a_typed_problem_with_a_field_and_a_fix(tariff: Tariff, name: str) -> None:
    data, code, said = HOSTILE[name]
    result = tariff("assess", "-", stdin=data)
    problem = problem_in(result.out)
    assert result.code == 2
    assert problem["code"] == code
    assert said in json.dumps(problem, ensure_ascii=False)
    assert problem["field"]
    assert problem["fix"]
    assert len(result.out) < 5_000


@pytest.mark.parametrize("name", ["malformed JSON", "a picture", "a misspelt fact", "a name of a megabyte"])
def test_without_json_the_problem_is_told_in_words(tariff: Tariff, name: str) -> None:
    data, _, said = HOSTILE[name]
    result = tariff("assess", "--no-json", stdin=data)
    assert result.code == 2
    assert said in result.err + result.out
    assert "-> " in result.err + result.out


def test_a_file_that_is_missing_a_folder_or_without_a_name_is_a_problem(tariff: Tariff, tmp_path: Path) -> None:
    for name, code in ((str(tmp_path / "none.json"), "file_missing"), (str(tmp_path), "file_is_folder"), ("a\0b", "file_missing")):
        for arguments in (["assess", name], ["explain", name], ["assess", "--jsonl", name]):
            result = tariff(*arguments)
            assert result.code == 2
            assert problem_in(result.out)["code"] == code


def test_a_file_larger_than_the_limit_is_refused_before_it_is_parsed(tariff: Tariff) -> None:
    big = b'{"id": "' + b"x" * reading.MAX_ENTRY + b'"}'
    assert problem_in(tariff("assess", stdin=big).out)["code"] == "file_too_large"
    yaml = b"id: " + b"x" * reading.MAX_YAML
    assert problem_in(tariff("assess", stdin=yaml).out)["code"] == "file_too_large"


def test_json_in_a_file_named_json_is_never_read_as_yaml(tariff: Tariff, tmp_path: Path) -> None:
    file = tmp_path / "entry.json"
    file.write_text("{hts: '7318.15.20.61', origin: CN, value: 10000, entry_date: 2025-09-10}", encoding="utf-8")
    assert problem_in(tariff("assess", str(file)).out)["code"] == "malformed_json"
