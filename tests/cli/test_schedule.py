"""`tariff schedule`: a number on a day, and an edition that is added to a folder of rules from an official export."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Tariff = Callable[..., Any]
RULES = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules"


@cache
def exported(leave_out: str = "none") -> list[dict[str, Any]]:
    """Return the table of 2026 as an export would print it, with one rate changed and one number added."""
    rows = []
    with (RULES / "schedule" / "2026_rev3.csv").open(encoding="utf-8", newline="") as handle:
        for one in csv.DictReader(handle):
            code = one["hts"]
            if not code.startswith(leave_out):
                dotted = ".".join(filter(None, (code[:4], code[4:6], code[6:8], code[8:])))
                units = [unit for unit in one["units"].split(";") if unit]
                rates = {"general": one["general"], "special": one["special"], "other": one["column2"]}
                rows.append({"htsno": dotted, "indent": "3" if code[8:].strip("0") else "2", "units": units, **rates, "superior": None})
    for one in rows:
        if one["htsno"] == "0101.30.00.00":
            one["general"] = "7%"
    rows.append(
        {"htsno": "9705.99.00.00", "indent": "2", "units": ["X"], "general": "Free", "special": "", "other": "Free", "superior": None}
    )
    return rows


@pytest.fixture
def export(tmp_path: Path) -> Path:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(exported()), encoding="utf-8")
    return file


NAMED = ("--name", "HTS 2026 revision 99", "--from", "2026-09-01", "--published", "2026-08-30")


def test_a_number_is_shown_with_rates_edition_neighbours_and_history(tariff: Tariff) -> None:
    found = json.loads(tariff("schedule", "show", "16042005", "--on", "2020-10-01", "--json").out)
    assert (found["general"], found["column2"], found["units"]) == ("7%", "20%", ["kg"])
    assert found["edition"]["name"] == "USITC tariff databases 2019 and 2021"
    assert [(span["from"], span["general"]) for span in found["history"]] == [
        ("2018-01-01", "10%"),
        ("2020-08-01", "7%"),
        ("2021-08-01", "5%"),
    ]
    assert found["warnings"] == []
    old = json.loads(tariff("schedule", "show", "8541.40.60", "--on", "2019-06-01", "--json").out)
    assert old["successors"]["day"] == "2022-01-27"
    assert not old["successors"]["official"]
    assert "8541.43.00" in old["successors"]["numbers"]
    split = json.loads(tariff("schedule", "show", "0201.30.5085", "--on", "2025-06-01", "--json").out)
    assert split["successors"] == {"day": None, "official": True, "numbers": ["0201.30.5091", "0201.30.5097"]}


def test_the_page_for_people_says_the_same(tariff: Tariff) -> None:
    text = " ".join(tariff("schedule", "show", "8541.43.0010", "--on", "2023-06-01", "--no-json").out.split())
    for words in ("USITC tariff database 2023", "General Free", "Column 2 35%", "possible predecessors", "8541.40.60", "from 2022-01-27"):
        assert words in text
    doubt = " ".join(tariff("schedule", "show", "61091000", "--on", "2020-03-01", "--no-json").out.split())
    assert "the special rates of KR on this day" in doubt


def test_known_on_takes_the_edition_of_that_day(tariff: Tariff) -> None:
    found = json.loads(tariff("schedule", "show", "0101300000", "--on", "2026-03-01", "--known-on", "2026-02-11", "--json").out)
    assert found["edition"]["name"] == "HTS 2025 basic edition"
    assert [note["code"] for note in found["warnings"]] == ["schedule_gap"]


def test_a_number_that_was_not_in_force_is_refused_with_what_stood_then(tariff: Tariff) -> None:
    result = tariff("schedule", "show", "8541.43.0010", "--on", "2019-06-01", "--json")
    assert result.code == 2
    assert json.loads(result.err or result.out)["problem"]["code"] == "hts_not_in_force"


def test_an_export_becomes_an_edition_of_a_folder_of_ones_own(tariff: Tariff, export: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my-rules"
    done = json.loads(tariff("schedule", "import", str(export), "--rules", str(mine), "--copy", *NAMED, "--json").out)
    assert done["changes"] == {"against": "HTS 2026 revision 3", "added": 1, "removed": 0, "rates": 1}
    assert done["unread"] == []
    assert done["descriptions"] == 0  # the rows of this export have none
    assert Path(done["table"]).parent == mine / "schedule"

    def general(day: str) -> tuple[str, str]:
        found = json.loads(tariff("schedule", "show", "0101300000", "--on", day, "--rules", str(mine), "--json").out)
        return found["general"], found["edition"]["name"]

    assert general("2026-08-31") == ("6.8%", "HTS 2026 revision 3")
    assert general("2026-09-01") == ("7%", "HTS 2026 revision 99")
    again = tariff("schedule", "import", str(export), "--rules", str(mine), *NAMED, "--json")
    assert again.code == 2
    assert "edition_exists" in again.err + again.out


def test_the_installed_rulebook_is_never_written_to(tariff: Tariff, export: Path) -> None:
    before = (RULES / "schedule" / "editions.yaml").read_bytes()
    for more in ((), ("--rules", str(RULES))):
        result = tariff("schedule", "import", str(export), *more, *NAMED, "--json")
        assert result.code == 2
        assert "rules_not_yours" in result.err + result.out
    assert (RULES / "schedule" / "editions.yaml").read_bytes() == before


def test_an_export_without_some_chapters_is_refused_and_leaves_the_folder_alone(tariff: Tariff, tmp_path: Path) -> None:
    mine, file = tmp_path / "rules", tmp_path / "part.json"
    shutil.copytree(RULES, mine)
    file.write_text(json.dumps(exported(leave_out="84")), encoding="utf-8")
    listed = sorted(path.name for path in (mine / "schedule").iterdir())
    result = tariff("schedule", "import", str(file), "--rules", str(mine), *NAMED, "--json")
    assert result.code == 2
    assert "chapters 84" in result.err + result.out
    assert sorted(path.name for path in (mine / "schedule").iterdir()) == listed


@pytest.mark.parametrize(
    ("content", "code"), [(b"\xff\xfe", "export_not_understood"), (b"[]", "export_not_understood"), (None, "file_unreadable")]
)
def test_a_file_that_is_no_export_is_refused(tariff: Tariff, tmp_path: Path, content: bytes | None, code: str) -> None:
    file = tmp_path / "export.json"
    if content is not None:
        file.write_bytes(content)
    result = tariff("schedule", "import", str(file), "--rules", str(tmp_path / "none"), *NAMED, "--json")
    assert result.code == 2
    assert code in result.err + result.out
