"""Offsets that Commerce allotted are set off by both evaluators alike: where the condition holds, up to what is owed, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.properties.test_differential import disagreement

from tariff_engine.book import Book
from tariff_engine.engine import Knowledge
from tariff_engine.evaluate.parts import Parts

PART = {"hts": "8708305020", "origin": "BR", "entry_date": "2025-11-10", "value": 10000, "is_auto_part": True}


@pytest.mark.parametrize(
    ("facts", "credit"),
    [
        ({"import_adjustment_offset": 100, "knock_down_kit": False}, -100_00),
        ({"import_adjustment_offset": 9000, "knock_down_kit": False}, -2500_00),  # never more than the 25% owed (US note 33(g))
        ({"import_adjustment_offset": 100, "knock_down_kit": True}, 0),
        ({"import_adjustment_offset": 0, "knock_down_kit": False}, 0),
        ({"knock_down_kit": False}, 0),
        ({"import_adjustment_offset": 100, "knock_down_kit": False, "entry_date": "2025-05-02"}, 0),
        ({"import_adjustment_offset": 100, "knock_down_kit": False, "entry_date": "2025-05-03"}, -100_00),
    ],
)
def test_an_offset_is_set_off_where_its_condition_holds(
    facts: dict[str, Any], credit: int, book: Book, parts: Parts, knowledge: Knowledge
) -> None:
    line = {**PART, **facts}
    assert disagreement(book, parts, knowledge, line) is None
    rows = knowledge.evaluate(knowledge.read(line))[0].derivation().rows
    assert sum(row.duty for row in rows if row.kind == "credit") == credit
