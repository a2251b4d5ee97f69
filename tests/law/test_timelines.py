"""Timelines of telling goods over fourteen months, each row reviewed against the official text, with the place where it stands.

After a change of law: `python -m tests.law.timelines`, then read the rows whose `reviewed` is empty, and fill it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.timelines import BEGIN, END, FOLDER, key, read, rows

if TYPE_CHECKING:
    from tests.law.probe import Prober

    from tariff_engine.engine import Engine

FILES = sorted(FOLDER.glob("*.yaml"))
CITES = re.compile(r"EO \d{5}|Proc\. \d{5}|[Nn]ote \d+|[Hh]eading \d{4}|Memorandum|memorandum|\d+ FR \d+|Base |General ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_timeline_is_what_was_reviewed(path: Any, prober: Prober, engine: Engine) -> None:
    wanted = read(path)
    found = rows(prober, engine, wanted["goods"])
    assert [key(row) for row in found] == [key(row) for row in wanted["rows"]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_row_follows_the_one_before_and_names_the_text_it_was_read_against(path: Any) -> None:
    wanted = read(path)
    day: date = BEGIN
    for row in wanted["rows"]:
        assert row["from"] == day < row["until"]
        assert len(row["reviewed"]) >= 15, f"{day} was not reviewed"
        assert CITES.search(row["reviewed"]), f"{day}: {row['reviewed']}"
        day = row["until"]
    assert day == END


def test_the_timelines_meet_ten_origins() -> None:
    assert len({read(path)["goods"]["origin"] for path in FILES}) >= 10
