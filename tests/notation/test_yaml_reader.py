"""YAML as the notation reads it: words of YAML 1.2, exact numbers, days, and nothing that surprises a lawyer."""

from __future__ import annotations

import pickle
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tariff_engine.notation.yaml_reader import Document, YamlError, read_document
from tariff_engine.problems import RulebookError

PLAIN = str | int | Decimal | date | bool | None


def value(text: str) -> Any:
    return Document(text).value


def read(text: str, *, anchors: bool = True) -> tuple[Any, int | None]:
    """Return the value of a text, or the line of the one error that it may raise."""
    try:
        return Document(text, anchors=anchors).value, None
    except YamlError as error:
        return None, error.line


def is_plain(found: Any) -> bool:
    """Whether a value is made of the types that the notation knows, and nothing else."""
    if isinstance(found, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in found.items())
    if isinstance(found, list):
        return all(is_plain(item) for item in found)
    return type(found) in {str, int, Decimal, date, bool, type(None)}


@given(st.text(st.characters(), max_size=300))
@example("\ud800")
@example("a: &x [*x]")
@example("{" * 100)
@example("? {a: 1}\n: 2")
@example("!!python/object/apply:os.system [ls]")
@example("%YAML 9.9\n---\na")
@example("\x00")
@example("a: 99999999999999999999999999999999999999999999999999")
def test_any_text_is_plain_values_or_a_yaml_error_with_a_line(text: str) -> None:
    for anchors in (True, False):
        found, line = read(text, anchors=anchors)
        assert is_plain(found)
        assert line is None or line >= 1


@given(st.text("abn:-?[]{}&*!|>'\"%@`#,. \t\n0123456789~", max_size=60))
def test_any_muddle_of_yaml_signs_is_plain_values_or_a_yaml_error(text: str) -> None:
    found, line = read(text)
    assert is_plain(found)
    assert line is None or line >= 1


@pytest.mark.parametrize(
    "word", ["NO", "no", "No", "yes", "ON", "off", "Y", "n", "True", "FALSE", "Null", "NULL", "nan", ".inf", "1:30", "12:30:45", "1_000"]
)
def test_words_that_yaml_1_1_took_for_something_else_are_text(word: str) -> None:
    assert value(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    "text", ["0106", "007", "01.5", "0x1F", "0o17", "0b11", "+5", ".5", "5.", "1e3", "1E3", "8703.23.01", "9903.01.25", "25%", "=", "<<"]
)
def test_codes_and_numbers_in_odd_dress_are_text(text: str) -> None:
    assert value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(("text", "meant"), [("true", True), ("false", False), ("null", None), ("~", None), ("", None)])
def test_truth_and_nothing_have_one_spelling_each(text: str, meant: object) -> None:
    assert value(f"a: {text}")["a"] is meant


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_decimals_are_exact(number: Decimal) -> None:
    found = value(f"a: {number:f}")["a"]
    assert isinstance(found, Decimal)
    assert found.as_tuple() == number.as_tuple() or (number == 0 and found == 0)


@given(st.integers(-(10**30), 10**30))
def test_integers_are_exact(number: int) -> None:
    assert value(f"[{number}]") == [number]


@given(st.dates())
def test_a_day_is_a_day_and_in_quotes_it_is_text(day: date) -> None:
    assert value(f"a: {day.isoformat()}\nb: '{day.isoformat()}'") == {"a": day, "b": day.isoformat()}


@pytest.mark.parametrize("text", ["2025-02-29", "2025-13-01", "0000-01-01"])
def test_a_day_that_is_not_on_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(YamlError, match="no day of the calendar") as caught:
        value(f"first: 1\nfrom: {text}")
    assert caught.value.line == 2


def test_a_key_is_a_name_as_written() -> None:
    assert value("2025-03-04: a\n9802: b\ntrue: c\nNO: d") == {"2025-03-04": "a", "9802": "b", "true": "c", "NO": "d"}


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", "{a: 1, a: 2}", "x:\n  - {9802: 1, '9802': 2}"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(YamlError, match="stands twice"):
        value(text)


@given(st.integers(1, 200))
def test_depth_is_bounded(depth: int) -> None:
    text = "[" * depth + "]" * depth
    if depth <= 60:
        assert value(text) is not None
    else:
        with pytest.raises(YamlError, match="nested more than 60 levels"):
            value(text)


def test_aliases_that_multiply_without_end_are_refused() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(YamlError, match="values, counting those that aliases repeat"):
        value("\n".join(lines))


def test_anchors_serve_the_law_and_are_refused_from_strangers() -> None:
    text = "a: &x [1, 2]\nb: *x"
    assert value(text) == {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(YamlError, match="not accepted here") as caught:
        Document(text, anchors=False)
    assert caught.value.line == 1


@pytest.mark.parametrize("text", ["a: !!int '5'", "a: !thing [1]", "a: !!str 5", "!!map {a: 1}"])
def test_tags_are_refused(text: str) -> None:
    with pytest.raises(YamlError, match="not part of the notation"):
        value(text)


def test_the_place_of_a_value_is_its_line_and_its_path() -> None:
    document = Document("steps:\n  - {from: 2025-03-04}\n  - from: 2025-06-04\n    cite: x\n")
    assert document.locate(("steps", 1, "cite")) == (4, "steps[1].cite")
    assert document.locate(("steps", 0)) == (2, "steps[0]")
    assert document.locate(("steps", 1, "Piece", "base")) == (3, "steps[1]")
    assert document.locate(()) == (1, "file")


def test_an_error_of_a_file_names_file_and_line() -> None:
    with pytest.raises(RulebookError, match=r"^programs/a\.yaml:2: the key a stands twice in one block; keep one of them$"):
        read_document("programs/a.yaml", "a: 1\na: 2\n")


def test_a_yaml_error_crosses_process_borders() -> None:
    error = pickle.loads(pickle.dumps(YamlError(7, "words")))  # noqa: S301  our own object
    assert (error.line, error.message, str(error)) == (7, "words", "words")
