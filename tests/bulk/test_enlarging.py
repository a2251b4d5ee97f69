"""The enlargement of the law book that a benchmark is run on says what the real one says, of other things."""

from __future__ import annotations

import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tariff_engine.notation.program import Program
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.testing import Rulebook

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
WAYS = ("days", "origins", "displaced", "adding")


@pytest.fixture(name="copying")
def _copying(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    found: Any = import_module("enlarging")
    monkeypatch.delitem(sys.modules, "enlarging")
    return lambda way: found.Copying(2, way, {"CN": "AA", "DE": "AB"} if way == "origins" else {})


@pytest.mark.parametrize("way", WAYS)
def test_every_copy_of_a_program_is_a_program_and_shares_no_provision_with_the_real_one(copying: Any, way: str) -> None:
    book = Rulebook.installed().book
    for program, path in zip(book.programs, [path for path in book.files if path.startswith("programs/")], strict=True):
        made = Program.model_validate(copying(way).program(read_document(path, book.files[path]).value))
        assert made.program == f"{program.program}-2"
        assert len(made.provisions) == len(program.provisions)
        assert not {one.id for one in made.provisions} & {one.id for one in program.provisions}
        assert [len(one.steps) for one in made.provisions] == [len(one.steps) for one in program.provisions]
        assert [one.says for one in made.provisions] == [one.says for one in program.provisions]
        if way == "days":
            real = [step.from_ for one in program.provisions for step in one.steps]
            assert [step.from_ for one in made.provisions for step in one.steps] == [day.replace(year=day.year + 12) for day in real]


def test_names_of_a_copy(copying: Any) -> None:
    one = copying("adding")
    assert one.words("list:s301_china heading=9903.88.03") == "list:s301_china_2 heading=9913.88.03"
    assert one.value({"over": "set:metal", "excludes": ["9903.01.02..9903.01.07", "program:wood"], "from": date(2025, 3, 4)}) == {
        "over": ["set:metal-2"],
        "excludes": ["9913.01.02..9913.01.07", "program:wood-2"],
        "from": date(2025, 3, 4),
    }
    assert one.value({"says": "9903.01.02 is filed", "cite": "9903.01.02"}) == {"says": "9903.01.02 is filed", "cite": "9903.01.02"}
    both = copying("displaced").value({"unless": [{"any": "9903.01.02"}], "when": {"any": [{"origin": "CN"}]}})
    assert both == {"unless": [{"any": ["9903.01.02", "9913.01.02"]}], "when": {"any": [{"origin": "CN"}]}}


def test_a_list_of_a_copy(copying: Any) -> None:
    text = "origin,heading,from,by,cite\nCN,9903.01.25,2025-04-05,eo-1,9903.01.25\n*,9903.01.26,,,EO\n"
    assert copying("days").sheet(text) == text.replace("9903.01.25,2025", "9913.01.25,2037").replace("eo-1", "eo-1-2").replace(
        "9903.01.26", "9913.01.26"
    )
    assert copying("origins").sheet(text).splitlines()[1:] == [
        "AA,9913.01.25,2025-04-05,eo-1-2,9903.01.25",
        "group:others_2,9913.01.26,,,EO",
    ]
