"""Answers are written by a fast encoder and, where that one gives up, by the standard one: the bytes must not tell which."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tariff_service.output import encode

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.dates()
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4))


def plainly(value: Any) -> bytes:
    def other(item: Any) -> str:
        assert isinstance(item, Decimal | date)
        return f"{item:f}" if isinstance(item, Decimal) else item.isoformat()

    return (json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=other) + "\n").encode()


@given(value=values)
def test_both_encoders_write_the_same_bytes(value: Any) -> None:
    assert encode(value) == plainly(value)


def test_integers_beyond_64_bits_are_written_whole() -> None:
    assert encode({"n": 2**80}) == b'{"n":%d}\n' % 2**80
