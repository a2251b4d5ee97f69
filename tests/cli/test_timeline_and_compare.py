"""`tariff timeline` and `tariff compare`: the answers of the functions behind the HTTP API, for people and for programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import CANADIAN, OPEN_BOOK, OPEN_ENGINE, ROOT, SCREWS

from tariff_service.comparing import compare
from tariff_service.stated import line_of, value_of
from tariff_service.timeline import timeline

Tariff = Callable[..., Any]


RULES = ROOT / "rules" / "tariff_rules"


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def screws_file(tmp_path: Path) -> str:
    path = tmp_path / "line.json"
    path.write_text(json.dumps(SCREWS))
    return str(path)


# ---------------------------------------------------------------- timeline
def test_a_timeline_as_json_is_that_of_the_function(tariff: Tariff) -> None:
    options = ("--value", "10000", "--fact", "mode=truck", "--from", "2025-01-01", "--until", "2025-09-01", "--json")
    answer = tariff("timeline", "6403.99.60.15", "--origin", "CA", *options)
    assert answer.code == 0
    facts = {"hts": "6403.99.60.15", "origin": "CA", "value": "10000", "mode": "truck"}
    expected = timeline(OPEN_ENGINE(None), OPEN_BOOK(None), facts, first=date(2025, 1, 1), until=date(2025, 9, 1))
    assert json.loads(answer.out) == json.loads(json.dumps(expected, default=str))


def test_a_person_sees_the_bar_the_steps_with_their_acts_and_what_never_came(tariff: Tariff) -> None:
    text = tariff("timeline", "6403.99.60.15", "--origin", "CA", "--from", "2025-01-01", "--no-json").out
    (bar,) = [line for line in text.splitlines() if line.startswith("Duty  ")]
    assert "[8.5%" in bar
    assert "[43.5%" in bar
    assert bar.rstrip().endswith(">")
    (never,) = [line for line in text.splitlines() if line.startswith("Never came ")]
    assert never.count("x") == 1
    for told in (
        "9903.01.10 begins 25%",
        "9903.01.10 changes 25% to 35%",
        "Entries from 2025-02-04 on: 9903.01.10 25%, 33.5% in all, known from 2025-02-02; called off on 2025-02-03",
        "Owed instead: $850.00",
        "usmca_qualifying",
        "The law book ends on 2026-09-28",
    ):
        assert told in words(text), told


def test_what_was_known_when_changes_the_timeline(tariff: Tariff) -> None:
    text = tariff("timeline", "6403.99.60.15", "--origin", "CA", "--from", "2025-01-01", "--known-on", "2025-02-02", "--no-json").out
    assert "By the law as it was known on 2025-02-02" in text
    assert "2025-02-04" in text
    assert "Never came" not in text


def test_a_file_states_the_facts_and_its_day_of_entry_is_what_runs(tariff: Tariff, screws_file: str) -> None:
    answer = tariff("timeline", "--file", screws_file, "--from", "2025-01-01", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["facts"] == {key: value for key, value in SCREWS.items() if key != "entry_date"}


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (("timeline", "6403.99.60.15"), "fact_missing", "origin"),
        (("timeline", "--origin", "CA"), "fact_missing", "hts"),
        (("timeline", "6403.99.60.15", "--origin", "CA", "--fact", "mode"), "malformed_fact", "mode"),
        (("timeline", "6403.99.60.15", "--origin", "CA", "--fact", "origin=MX"), "contradictory_facts", "origin"),
        (("timeline", "6403.99.60.15", "--origin", "CA", "--fact", "mode=air", "--fact", "mode=rail"), "fact_stated_twice", "mode"),
        (("timeline", "6403.99.60.15", "--origin", "CA", "--fact", "quantity={"), "malformed_json", "quantity"),
        (("timeline", "6403.99.60.15", "--origin", "CA", "--fact", "colour=red"), "unknown_fact", "colour"),
        (("timeline", "6403.99.60.15", "--origin", "CA", "--fact", "entry_date=2025-01-01"), "contradictory_facts", "entry_date"),
    ],
)
def test_bad_facts_are_told_with_their_name(tariff: Tariff, arguments: tuple[str, ...], code: str, field: str) -> None:
    answer = tariff(*arguments, "--json")
    assert answer.code == 2
    problem = json.loads(answer.out)["problem"]
    assert (problem["code"], problem["field"]) == (code, field)
    assert problem["fix"]


# ---------------------------------------------------------------- compare
def test_a_comparison_as_json_is_that_of_the_function(tariff: Tariff, screws_file: str) -> None:
    answer = tariff("compare", screws_file, "--vary", "origin=CN,DE", "--vary", "known_on=2025-03-01,now", "--json")
    assert answer.code == 0
    expected = compare(OPEN_ENGINE(None), SCREWS, {"origin": ["CN", "DE"], "known_on": ["2025-03-01", None]})
    assert json.loads(answer.out) == json.loads(json.dumps(expected, default=str))


def test_a_person_sees_a_row_for_each_combination_and_the_reason_of_each_difference(tariff: Tariff, screws_file: str) -> None:
    text = words(tariff("compare", screws_file, "--vary", "origin=CN,DE", "--vary", "known_on=2025-03-01,now", "--no-json").out)
    assert "as stated 95% $9,500.00 $9,547.14" in text
    assert "DE now 50% $5,000.00 $5,047.14 -$4,500.00" in text
    assert "s301-china -$2,500.00: 9903.88.03 becomes nothing. Origin DE is not covered (the rule covers CN)." in text
    assert "s232-steel-2025 -$2,500.00: 9903.81.90 50% becomes 25%." in text


def test_claims_stand_beside_the_entry_without_them(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "line.json"
    path.write_text(json.dumps({**CANADIAN, "entry_date": "2025-03-10"}))
    found = json.loads(tariff("compare", str(path), "--claim", "usmca_qualifying=true,spi=S", "--json").out)
    assert found["vary"] == {"claims": [{}, {"usmca_qualifying": True, "spi": "S"}]}
    assert [cell["totals"]["duty"] for cell in found["cells"]] == ["3350.00", "0.00"]


def test_another_rulebook_is_one_more_thing_that_varies(tariff: Tariff, tmp_path: Path, screws_file: str) -> None:
    other = Path(shutil.copytree(RULES, tmp_path / "rules", ignore=shutil.ignore_patterns("__pycache__")))
    program = other / "programs" / "ieepa" / "china_fentanyl.yaml"
    program.write_text(program.read_text().replace("add: 20%", "add: 21%"))
    found = json.loads(tariff("compare", screws_file, "--rulebook", str(other), "--json").out)
    (cell,) = found["cells"]
    assert cell["differences"]["total"] == "100.00"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), "nothing_varies"),
        (("--vary", "origin"), "malformed_fact"),
        (("--vary", "origin="), "malformed_fact"),
        (("--vary", "origin=CN", "--vary", "origin=DE"), "fact_stated_twice"),
        (("--vary", "colour=red"), "unknown_fact"),
        (("--claim", "spi"), "malformed_fact"),
    ],
)
def test_what_varies_must_be_said(tariff: Tariff, screws_file: str, options: tuple[str, ...], code: str) -> None:
    answer = tariff("compare", screws_file, *options, "--json")
    assert answer.code == 2
    assert json.loads(answer.out)["problem"]["code"] == code


def test_a_cell_that_cannot_be_assessed_says_why_and_the_others_stand(tariff: Tariff, screws_file: str) -> None:
    answer = tariff("compare", screws_file, "--vary", "origin=CN,XX", "--no-json")
    assert answer.code == 2
    assert "cannot be assessed" in answer.out
    assert "XX is no ISO 3166 country code" in words(answer.out)


# ---------------------------------------------------------------- facts of options
@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("false", False), ("null", None), ("10.50", "10.50"), ('{"kg": 1.5}', None), ("[]", []), ("a=b", "a=b")],
)
def test_a_value_is_read_as_text_unless_it_is_plainly_something_else(text: str, value: Any) -> None:
    if text.startswith("{"):
        assert str(value_of(text, "quantity")["kg"]) == "1.5"
    else:
        assert value_of(text, "x") == value


def test_an_entry_of_one_line_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "entry.json"
    path.write_text(json.dumps({"entry_date": "2025-09-10", "lines": [{"id": "7", "hts": "7318152061", "origin": "CN"}]}))
    assert line_of(None, str(path), ["mode=air"], {}) == {"entry_date": "2025-09-10", "hts": "7318152061", "origin": "CN", "mode": "air"}
