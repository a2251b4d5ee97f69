"""`tariff explain` and `tariff rules`: why and why not, and the law book for readers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tariff = Callable[..., Any]
Facts = dict[str, Any]
RULES = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules"


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


# ---------------------------------------------------------------- explain
def test_every_program_of_the_book_has_a_verdict_with_its_acts(tariff: Tariff, screws: Facts) -> None:
    found = json.loads(tariff("explain", stdin=as_bytes(screws)).out)
    verdicts = {one["program"]: one for one in found["lines"][0]["programs"]}
    listed = {one["program"] for one in json.loads(tariff("rules", "list").out)}
    assert set(verdicts) == listed
    assert verdicts["s301-china"]["verdict"] == "applies"
    assert verdicts["ieepa-reciprocal"]["verdict"] == "exempt"
    assert verdicts["ieepa-reciprocal"]["would_be"] == "1000.00"
    assert verdicts["s232-autos"]["verdict"] == "product_not_listed"
    assert verdicts["s232-autos"]["facts"] == {"hts": "7318152061"}
    (act,) = verdicts["ieepa-china-fentanyl"]["instruments"]
    assert act["signed"] == "2025-03-03"
    assert act["cite"] == "EO 14228"


def test_in_words_verdicts_stand_in_groups_with_the_value_seen_and_the_act(tariff: Tariff, screws: Facts) -> None:
    text = tariff("explain", "--no-json", stdin=as_bytes(screws)).out
    titles = ["Applies", "Exempt", "Product not listed", "Origin not covered", "Not in force"]
    assert [line for line in text.splitlines() if line in titles] == titles
    for words in ("seen: origin = CN", "would have cost $1,000.00", "EO 14228 (China opioids 10% to 20%), signed 2025-03-03"):
        assert words in " ".join(text.split())


def test_one_program_and_one_line_can_be_asked_for(tariff: Tariff, screws: Facts) -> None:
    day = screws.pop("entry_date")
    screws.pop("mode")
    entry = as_bytes({"entry_date": day, "lines": [{"id": "a", **screws}, {"id": "b", **screws}]})
    found = json.loads(tariff("explain", "--program", "s301-china", "--line", "b", stdin=entry).out)
    assert [(line["id"], [one["program"] for one in line["programs"]]) for line in found["lines"]] == [("b", ["s301-china"])]


def test_what_was_called_off_is_told_with_the_difference_it_made(tariff: Tariff, canadian: Facts) -> None:
    (line,) = json.loads(tariff("explain", stdin=as_bytes(canadian)).out)["lines"]
    (earlier,) = line["by_earlier_law"]
    assert (earlier["known_on"], earlier["duty"], earlier["headings"], earlier["difference"]) == (
        "2025-02-02",
        "3350.00",
        ["9903.01.10"],
        "-2500.00",
    )
    assert earlier["called_off"] == ["9903.01.10"]
    assert [act["id"] for act in earlier["instruments"]] == ["eo-14197"]
    words = " ".join(tariff("explain", "--no-json", stdin=as_bytes(canadian)).out.split())
    assert "As known on 2025-02-02 this line would have owed $3,350.00 (9903.01.10); as known now it owes $850.00, $2,500.00 less." in words


def test_as_known_before_the_pause_there_is_nothing_to_compare(tariff: Tariff, canadian: Facts) -> None:
    (line,) = json.loads(tariff("explain", "--known-on", "2025-02-02", stdin=as_bytes(canadian)).out)["lines"]
    assert line["by_earlier_law"] == []
    assert line["duty"] == "3350.00"


@pytest.mark.parametrize(
    ("option", "value", "guess"),
    [("--program", "s301-chin", "s301-china"), ("--program", "zzz", "tariff rules list"), ("--line", "2", "1")],
)
def test_a_program_or_line_that_does_not_exist_is_a_problem_with_a_guess(
    tariff: Tariff, screws: Facts, option: str, value: str, guess: str
) -> None:
    result = tariff("explain", option, value, stdin=as_bytes(screws))
    assert result.code == 2
    assert guess in json.loads(result.out)["problem"]["fix"]


def test_a_line_that_cannot_be_assessed_is_explained_as_a_problem(tariff: Tariff, screws: Facts) -> None:
    result = tariff("explain", "--no-json", stdin=as_bytes({**screws, "origin": "XX"}))
    assert result.code == 2
    assert "XX is no ISO 3166 country code" in result.out


# ---------------------------------------------------------------- rules list, show, facts
def test_the_list_holds_every_provision_of_a_program(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "list", "--program", "ieepa-canada").out)
    assert {one["provision"] for one in found} >= {"9903.01.10", "9903.01.13", "9903.01.14", "9903.01.14/in-transit"}
    assert {one["program"] for one in found} == {"ieepa-canada"}
    text = tariff("rules", "list", "--program", "ieepa-canada", "--no-json").out
    assert "called off" in text
    assert tariff("rules", "list", "--program", "ieepa-canad").code == 2


def test_the_life_of_a_provision_tells_every_step_with_its_act_and_what_was_withdrawn(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "show", "99030110", "--on", "2025-08-01").out)
    (one,) = found["provisions"]
    assert [(step["from"], step["rate"], step["status"]) for step in one["steps"]] == [
        ("2025-02-04", "25%", "withdrawn"),
        ("2025-03-04", "25%", "law"),
        ("2025-08-01", "35%", "law"),
    ]
    assert one["steps"][0]["withdrawn_by"]["published"] == "2025-02-03"
    assert one["in_force"]["rate"] == "35%"
    assert one["when"] == ["the origin is CA"]
    assert any("9903.01.14" in item["refs"] for item in one["unless"])
    text = " ".join(tariff("rules", "show", "9903.01.10", "--no-json").out.split())
    assert "[withdrawn]" in text
    assert "withdrawn by EO 14197, 90 FR 9183 (Canada: pause to 2025-03-04), signed 2025-02-03" in text


@pytest.mark.parametrize(("known_on", "rate"), [("2025-02-02", "25%"), ("2025-02-04", None)])
def test_what_is_in_force_on_a_day_depends_on_the_day_it_is_known_on(tariff: Tariff, known_on: str, rate: str | None) -> None:
    found = json.loads(tariff("rules", "show", "9903.01.10", "--on", "2025-02-05", "--known-on", known_on).out)
    step = found["provisions"][0]["in_force"]
    assert (step and step["rate"]) == rate


def test_a_heading_that_stands_in_a_table_is_shown_with_its_rows(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "show", "9903.02.20").out)
    (one,) = found["provisions"]
    assert one["provision"] == "family:reciprocal-country-rate"
    assert {row["origin"] for row in one["rows"]} >= {"DE", "FR"}
    text = " ".join(tariff("rules", "show", "9903.02.20", "--no-json").out.split())
    assert "AT, BE, BG" in text
    assert "rate 15%" in text


def test_conditions_are_told_in_words(tariff: Tariff) -> None:
    (one,) = json.loads(tariff("rules", "show", "9903.01.13").out)["provisions"]
    assert one["when"][0] == "the origin is CA"
    assert "on list canada_mexico_energy_potash (heading 9903.01.13, covers whole), or " in one["when"][1]
    assert "critical_mineral is true, or energy_resource is true" in one["when"][1]
    assert one["lists"][0]["rows"] > 100
    assert one["confidence"]["level"] == "medium"


def test_every_provision_of_the_book_can_be_shown_in_words() -> None:
    """The words of conditions, effects and relations know all that the rules use."""
    from tariff_service.lives import life  # noqa: PLC0415
    from tariff_service.output import console  # noqa: PLC0415
    from tariff_service.paper import Paper  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415
    from tariff_service.show_rules import show_life  # noqa: PLC0415

    book, paper = open_book(None), Paper(console())
    with paper.console.capture() as shown:
        for name in book.nodes:
            show_life(paper, life(book, name))
    text = shown.get()
    assert "None" not in text
    for leak in ("Fraction(", "group:", "list:", "program:", "set:", "datetime"):
        assert leak not in text


@pytest.mark.parametrize(
    ("heading", "said"),
    [("9903.01.98", "did you mean"), ("9903.81.9", "did you mean"), ("ieepa-canada", "--program ieepa-canada"), ("x", "tariff rules list")],
)
def test_a_heading_that_is_not_in_the_book_is_a_problem_with_a_guess(tariff: Tariff, heading: str, said: str) -> None:
    result = tariff("rules", "show", heading)
    assert result.code == 2
    assert said in json.loads(result.out)["problem"]["fix"]


def test_the_dictionary_tells_of_every_fact_and_of_one_by_any_of_its_names(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "facts").out)
    assert {"hts", "origin", "value", "entry_date"} <= {fact["name"] for fact in found}
    alias = next(fact["aliases"][0] for fact in found if fact["aliases"])
    (one,) = json.loads(tariff("rules", "facts", alias).out)
    assert alias in one["aliases"]
    assert "What it means" in tariff("rules", "facts", "--no-json").out
    assert "also called" in tariff("rules", "facts", alias, "--no-json").out
    result = tariff("rules", "facts", "orgin")
    assert result.code == 2
    assert "origin" in json.loads(result.out)["problem"]["fix"]


# ---------------------------------------------------------------- other rules, and rules that are wrong
@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the rules, to be spoilt."""
    return Path(shutil.copytree(RULES, tmp_path / "my rules", ignore=shutil.ignore_patterns("__pycache__")))


def test_another_folder_of_rules_is_used_and_its_law_is_another(tariff: Tariff, screws: Facts, copy: Path) -> None:
    file = copy / "programs" / "ieepa" / "china_fentanyl.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("add: 20%", "add: 21%"), encoding="utf-8")
    answer = json.loads(tariff("assess", "--rules", str(copy), stdin=as_bytes(screws)).out)
    assert "21%" in [row["rate"] for row in answer["lines"][0]["headings"]]


@pytest.mark.parametrize(
    "command", [["assess", "-"], ["explain", "-"], ["rules", "list"], ["rules", "show", "9903.01.10"], ["rules", "facts"]]
)
def test_a_wrong_law_book_is_exit_code_one_with_file_and_line(tariff: Tariff, screws: Facts, copy: Path, command: list[str]) -> None:
    file = copy / "programs" / "ieepa" / "canada.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("says:", "sayz:", 1), encoding="utf-8")
    for form in ("--json", "--no-json"):
        result = tariff(*command, "--rules", str(copy), form, stdin=as_bytes(screws))
        assert result.code == 1
        told = json.loads(result.out)["problem"]["details"][0] if form == "--json" else result.err
        assert "programs/ieepa/canada.yaml:" in told


def test_a_folder_that_holds_no_rules_is_bad_input(tariff: Tariff, screws: Facts, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        result = tariff("assess", "--rules", str(folder), stdin=as_bytes(screws))
        assert result.code == 2
        assert json.loads(result.out)["problem"]["field"] == "--rules"


# ---------------------------------------------------------------- rules check
def test_the_installed_rules_are_checked_with_what_was_counted(tariff: Tariff) -> None:
    found = json.loads(tariff("rules", "check").out)
    assert found["counts"]
    assert set(found) == {"ok", "counts", "problems"}


def test_a_check_names_every_defect_with_file_and_line(tariff: Tariff, copy: Path) -> None:
    file = copy / "programs" / "ieepa" / "canada.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("says:", "sayz:", 1), encoding="utf-8")
    told = tariff("rules", "check", str(copy), "--no-json")
    assert told.code == 1
    assert "programs/ieepa/canada.yaml:" in told.out
    found = json.loads(tariff("rules", "check", str(copy), "--json").out)
    assert not found["ok"]
    assert tariff("rules", "check", str(copy / "none")).code == 2


def test_a_day_beyond_the_law_that_was_read_says_so_in_words(tariff: Tariff, screws: Facts) -> None:
    screws["entry_date"] = "2026-09-29"
    for command in (("assess", "--no-json"), ("explain", "--no-json")):
        text = " ".join(tariff(*command, stdin=as_bytes(screws)).out.split())
        assert "beyond the horizon of the law book, 2026-09-28" in text, command
    screws["entry_date"] = "2026-09-28"
    assert "horizon of the law book" not in tariff("assess", "--no-json", stdin=as_bytes(screws)).out
