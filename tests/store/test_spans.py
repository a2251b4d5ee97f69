"""Personal values are cut out of a request and put back, byte for byte, whatever JSON surrounds them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_service.store.faults import DraftError
from tariff_service.store.spans import REDACTED, cut, splice

PERSONAL = frozenset({"consignee", "buyer"})
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
keys = texts | st.sampled_from(["consignee", "buyer", "Consignee", "consignees", "lines", "hts"])
objects = st.lists(st.tuples(keys, values), max_size=5)  # pairs: a key may stand twice
spaces = st.sampled_from(["", " ", "\n\t "])


def escaped(text: str, every: bool) -> str:
    """Write a text as JSON, each letter as an escape if asked."""
    return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"' if every and text.isascii() else json.dumps(text, ensure_ascii=every)


@st.composite
def entries(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Draw an entry as bytes, with the personal values in it, in their order."""
    wanted: list[bytes] = []

    def write(pairs: list[tuple[str, Any]], lines: list[list[tuple[str, Any]]] | None) -> str:
        members = []
        for key, value in pairs:
            if key.lower() == "lines" and lines is not None:
                continue
            text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
            if key.strip().lower() in PERSONAL:
                wanted.append(text.encode())
            members.append(f"{draw(spaces)}{escaped(key, draw(st.booleans()))}{draw(spaces)}:{draw(spaces)}{text}{draw(spaces)}")
        if lines:
            members.append('"lines":[' + ",".join(write(line, None) for line in lines) + "]")
        return "{" + (",".join(members) or draw(spaces)) + "}"

    text = write(draw(objects), draw(st.lists(objects, max_size=3)))
    return (draw(st.sampled_from(["", "\ufeff", "\n "])) + text + draw(spaces)).encode(), wanted


@given(entries())
def test_what_is_cut_out_of_a_request_is_what_is_personal_and_put_back_it_is_the_request(drawn: tuple[bytes, list[bytes]]) -> None:
    request, wanted = drawn
    found = cut(request, PERSONAL)
    assert list(found.parts) == wanted
    assert splice(found.rest, found.places, found.parts) == request


@given(entries())
def test_a_redacted_request_is_json_that_says_redacted_where_personal_values_stood(drawn: tuple[bytes, list[bytes]]) -> None:
    request, wanted = drawn
    found = cut(request, PERSONAL)
    redacted = splice(found.rest, found.places, None)
    assert redacted.count(REDACTED) >= len(wanted)
    json.loads(redacted.decode().removeprefix("\ufeff"))
    assert list(cut(redacted, PERSONAL).parts) == [REDACTED] * len(wanted)


@given(values)
def test_json_that_is_no_object_is_left_as_it_is(value: Any) -> None:
    request = json.dumps([value, "consignee"]).encode()
    assert cut(request, PERSONAL).rest == request


@pytest.mark.parametrize(
    "request_text",
    [
        '{"consignee": "Jane"',
        '{"consignee": }',
        '{"consignee" "Jane"}',
        "consignee=Jane",
        '{"a":1}{"consignee":"Jane"}',
        "{consignee: Jane}",
    ],
)
def test_a_request_that_is_no_json_is_refused_where_it_may_name_a_person(request_text: str) -> None:
    with pytest.raises(DraftError):
        cut(request_text.encode(), PERSONAL)


def test_bytes_that_are_no_text_are_refused_where_they_may_name_a_person_and_kept_where_they_do_not() -> None:
    with pytest.raises(DraftError):
        cut(b'{"consignee": "\xff"}', PERSONAL)
    assert cut(b"ARROW1\xff\x00", PERSONAL).rest == b"ARROW1\xff\x00"


def test_a_number_of_many_digits_and_deep_nesting_do_not_hide_a_person() -> None:
    request = b'{"value": ' + b"9" * 10_000 + b', "consignee": "Jane"}'
    assert cut(request, PERSONAL).parts == (b'"Jane"',)
    with pytest.raises(DraftError):
        cut(b'{"consignee": "Jane", "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", PERSONAL)
