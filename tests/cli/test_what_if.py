"""`tariff what-if`: what it prints, the data it writes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tariff = Callable[..., Any]


@pytest.fixture
def line(tmp_path: Path, screws: dict[str, Any]) -> Path:
    path = tmp_path / "line.json"
    path.write_text(json.dumps(screws), encoding="utf-8")
    return path


def test_every_change_is_told_with_its_dollars_and_what_must_be_shown(tariff: Tariff, line: Path) -> None:
    done = tariff("what-if", str(line), "--no-json")
    assert done.code == 0
    told = " ".join(done.out.split())
    assert "$5,000.00 less, $4,500.00 in all, if true: country where the steel was melted and poured" in told
    assert "Show: In which country was the steel melted and poured" in told
    assert "Never suggested: another hts or origin or value." in told
    assert max(map(len, done.out.splitlines())) <= 120


def test_the_data_promise_what_the_changed_line_owes(tariff: Tariff, line: Path, screws: dict[str, Any]) -> None:
    found = json.loads(tariff("what-if", str(line)).out)
    (one,) = found["lines"]
    change = next(change for change in one["lower"] if change["kind"] == "fact")
    changed = line.with_name("changed.json")
    changed.write_text(json.dumps({**screws, **change["change"]}), encoding="utf-8")
    answer = json.loads(tariff("assess", str(changed)).out)
    assert change["duty"] == answer["lines"][0]["duty"]


@pytest.mark.parametrize(("days", "word"), [("-1", "days"), ("4000", "days"), ("soon", "days")])
def test_days_that_are_no_number_of_days_are_refused_by_name(tariff: Tariff, line: Path, days: str, word: str) -> None:
    done = tariff("what-if", str(line), "--days", days)
    assert done.code == 2
    assert word in done.out + done.err
