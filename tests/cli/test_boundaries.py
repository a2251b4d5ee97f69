"""`tariff rules boundaries`: where an answer can change, as data and as a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Tariff = Callable[..., Any]


def test_the_boundaries_of_a_program_are_told_as_data(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "boundaries", "--program", "s232-wood").out)
    assert found["rulebook"].startswith("sha256:")
    sides = [one["sides"] for one in found["boundaries"] if one["kind"] == "entry_day" and one["owner"] == "9903.76.01"]
    assert ["2025-10-13", "2025-10-14"] in sides
    assert sum(one["count"] for one in found["kinds"].values()) == len(found["boundaries"])
    assert all("s232-wood" in one["programs"] for one in found["boundaries"])


def test_one_kind_can_be_asked_for_and_a_wrong_kind_or_program_is_a_problem(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "boundaries", "--kind", "threshold").out)
    assert {one["kind"] for one in found["boundaries"]} == {"threshold"}
    for words, code in ((("--kind", "thresholds"), "unknown_kind"), (("--program", "s232-paper"), "unknown_program")):
        result = tariff("rules", "boundaries", "--json", *words)
        assert result.code == 2
        assert code in result.out + result.err


def test_in_words_the_edges_of_lists_are_counted(tariff: Tariff) -> None:
    text = tariff("rules", "boundaries", "--program", "s232-wood", "--no-json").out
    assert "Where an answer can change" in text
    assert "9903.76.01" in text
    assert "list:" in text
