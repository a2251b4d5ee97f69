"""`tariff history`: the life of a provision or a program by the two days of every event, for people and for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.cli.conftest import OPEN_BOOK
from tests.profile import share

from tariff_service.history import history
from tariff_service.paper import Paper
from tariff_service.show_history import show_history

Tariff = Callable[..., Any]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_person_reads_the_rates_as_a_picture_and_each_event_with_both_days_and_its_act(tariff: Tariff) -> None:
    text = tariff("history", "9903.01.10", "--no-json").out
    assert "in force from 2025-03-04, ended on 2026-02-24" in text
    (bar,) = [line for line in text.splitlines() if line.startswith("9903.01.10  ")]
    assert "x..[25%==" in bar
    assert "][35%==" in bar
    assert bar.endswith(".....")
    for event in (
        "2025-02-01 2025-02-04 announced adds 25% (never came)",
        "2025-02-03 2025-02-04 paused paused before it began: adds 25%; to begin on 2025-03-04 instead",
        "2025-02-03 2025-03-04 takes effect adds 25%",
        "2025-07-31 2025-08-01 changes adds 35%; before, adds 25%",
        "2026-02-20 2026-02-24 ends",
        "see EO 14325 s.2(a)",
    ):
        assert event in words(text)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_rate_of_one_day_has_no_room_in_its_bar_and_is_written_out(tariff: Tariff) -> None:
    text = words(tariff("history", "99030163", "--no-json").out)
    assert "84% on entries of 2025-04-09 to 2025-04-09" in text
    assert "for CN, HK and MO" in text
    assert "x was called off before it came" in text


def test_programs_read_json_with_the_keys_that_the_page_names(tariff: Tariff) -> None:
    page = DOCS.read_text(encoding="utf-8")
    section = page[page.index("## The history of a provision") : page.index("## Problems")]
    for name in ("9903.02.73", "ieepa-reciprocal", "9903.01.25"):
        found = json.loads(tariff("history", name, "--all").out)
        told = [found, *found["provisions"], *found["lanes"], *(span for lane in found["lanes"] for span in lane["segments"])]
        for one in [*told, *found["events"]]:
            for key in one:
                assert f"`{key}`" in section, key


def test_events_stand_by_the_day_of_entry_where_that_is_asked_for(tariff: Tariff) -> None:
    found = json.loads(tariff("history", "ieepa-canada", "--by", "effect").out)
    days = [one["effect"] for one in found["events"]]
    assert days == sorted(days)
    assert found["order"] == "effect"
    text = tariff("history", "ieepa-canada", "--by", "effect", "--no-json").out
    assert words(text).count("Entries from Known on") == 1


def test_only_what_was_known_then_is_told(tariff: Tariff) -> None:
    found = json.loads(tariff("history", "9903.02.73", "--known-on", "2025-09-15").out)
    assert (found["events"], found["provisions"][0]["status"]) == ([], "never_in_force")
    text = tariff("history", "9903.01.10", "--known-on", "2025-02-02", "--no-json").out
    assert "By the law as it was known on 2025-02-02." in text
    assert "(lies ahead)" in text
    assert "paused" not in text
    assert "Nothing was announced." in tariff("history", "9903.01.10", "--known-on", "2025-01-01", "--no-json").out


def test_a_program_tells_lists_by_act_and_everything_on_demand(tariff: Tariff) -> None:
    text = words(tariff("history", "ieepa-reciprocal", "--no-json").out)
    assert "237 numbers join list reciprocal_annex2 (reaches back)" in text
    assert "more lanes; --all shows them" in text
    assert "24 provisions as of" in text
    every = words(tariff("history", "ieepa-reciprocal", "--no-json", "--all").out)
    assert "joins: " in every
    assert "9903.02.69 adds 20%; before, 9903.01.25 adds 10%" in every


@pytest.mark.parametrize("columns", ["80", "100", "120"])
def test_every_line_fits_the_width(tariff: Tariff, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for name in ("ieepa-reciprocal", "9903.01.33", "s301-china", "9903.88.16"):
        assert max(len(line) for line in tariff("history", name, "--no-json").out.splitlines()) <= int(columns)


def test_every_program_and_every_provision_is_printed(tariff: Tariff) -> None:
    """By default every program and one provision in six; each history is looked into by tests/service/test_history.py."""
    book = OPEN_BOOK(None)
    for name in [*(one.program for one in book.programs), *share(list(book.nodes), 6)]:
        text = io.StringIO()
        show_history(Paper(Console(file=text, width=100)), history(book, name))
        assert name in text.getvalue()
        assert max(len(line) for line in text.getvalue().splitlines()) <= 100
    assert tariff("history", book.programs[0].program, "--no-json").code == 0


def test_a_program_that_was_announced_and_never_in_force_is_told_as_that() -> None:
    found = history(OPEN_BOOK(None), "9903.88.16")
    text = io.StringIO()
    show_history(Paper(Console(file=text, width=100)), {**found, "kind": "program"})
    assert "announced, and never in force" in text.getvalue()
    text = io.StringIO()
    empty = {**found, "kind": "program", "provisions": [], "lanes": [], "events": []}
    show_history(Paper(Console(file=text, width=100)), empty)
    assert "It has no provisions." in text.getvalue()
    assert "Nothing was announced." in text.getvalue()


@pytest.mark.parametrize(
    ("name", "guess"),
    [("ieepa-canad", "ieepa-canada"), ("9903.01.99", "9903.01.90"), ("zzzzzz", "tariff rules list"), ("", "tariff rules list")],
)
def test_an_unknown_name_is_a_problem_with_the_nearest_names(tariff: Tariff, name: str, guess: str) -> None:
    result = tariff("history", name)
    problem = json.loads(result.out)["problem"]
    assert (result.code, problem["code"]) == (2, "unknown_heading")
    assert guess in problem["fix"]
