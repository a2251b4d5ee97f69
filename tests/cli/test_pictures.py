"""Pictures of timelines and comparisons: every number that is drawn is one of the answer, and they can be read without eyes and in gray."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import CANADIAN, OPEN_BOOK, OPEN_ENGINE, SCREWS

from tariff_service.pictures.compare_picture import compare_picture
from tariff_service.pictures.svg import FILLS, width, wrap
from tariff_service.pictures.timeline_picture import timeline_picture
from tariff_service.timeline import timeline

Tariff = Callable[..., Any]
SVG = "{http://www.w3.org/2000/svg}"
TITLES = {program.name: program.title for program in OPEN_ENGINE(None).at().law.compiled.programs}
COUNTRIES = OPEN_ENGINE(None).at().law.countries


def drawn(path: Path) -> ET.Element:
    return ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  it is our own file


def texts(picture: ET.Element) -> str:
    return " ".join(" ".join(part.itertext()) for part in picture.iter(f"{SVG}text"))


def boxes(picture: ET.Element, kind: str) -> list[dict[str, str]]:
    return [part.attrib for part in picture.iter(f"{SVG}rect") if part.get("data-kind") == kind]


@pytest.fixture(scope="module")
def boots() -> tuple[dict[str, Any], ET.Element]:
    facts = {"hts": "6403.99.60.15", "origin": "CA", "value": "10000"}
    found = timeline(OPEN_ENGINE(None), OPEN_BOOK(None), facts, first=date(2025, 1, 1))
    return found, ET.fromstring(timeline_picture(found, TITLES, COUNTRIES))  # noqa: S314


def test_the_command_draws_the_timeline_that_it_prints(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "boots.svg"
    answer = tariff("timeline", "6403.99.60.15", "--origin", "CA", "--from", "2025-01-01", "--picture", str(path), "--json")
    assert answer.code == 0
    assert path.read_text(encoding="utf-8") == timeline_picture(json.loads(answer.out), TITLES, COUNTRIES)


def test_the_dollars_of_each_step_in_the_picture_are_those_of_the_timeline(boots: tuple[dict[str, Any], ET.Element]) -> None:
    found, picture = boots
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for box in boxes(picture, "step"):
        sums[box["data-from"]] += Decimal(box["data-duty"])
    assert sums == {step["from"]: Decimal(step["duty"]) for step in found["steps"] if Decimal(step["duty"])}
    rows = {
        (step["from"], row["program"]): Decimal(row["duty"]) for step in found["steps"] for row in step["headings"] if Decimal(row["duty"])
    }
    assert {(box["data-from"], box["data-program"]): Decimal(box["data-duty"]) for box in boxes(picture, "step")} == rows


def test_heights_are_in_proportion_to_dollars_and_places_to_days(boots: tuple[dict[str, Any], ET.Element]) -> None:
    _, picture = boots
    steps = boxes(picture, "step")
    shares = [Decimal(box["height"]) / Decimal(box["data-duty"]) for box in steps]
    assert max(shares) / min(shares) < Decimal("1.01")
    starts = [(box["data-from"], Decimal(box["x"])) for box in steps]
    assert [x for _, x in sorted(starts)] == sorted(x for _, x in starts)


def test_every_step_is_told_with_its_day_its_rate_its_dollars_and_its_act(boots: tuple[dict[str, Any], ET.Element]) -> None:
    found, picture = boots
    words = texts(picture)
    for step in found["steps"]:
        assert step["from"] in words
        assert f"{step['rate']}, ${Decimal(step['duty']):,.2f}" in words
        for change in step["changes"]:
            if change.get("duty") and Decimal(change["duty"]["from"] or 0) != Decimal(change["duty"]["to"] or 0):
                assert change["heading"] in words
                assert " ".join(change["instrument"]["title"].split()) in words


def test_a_step_that_never_came_is_hatched_and_told_with_what_called_it_off(boots: tuple[dict[str, Any], ET.Element]) -> None:
    found, picture = boots
    (hatched,) = boxes(picture, "hatch")
    (step,) = found["withdrawn"]
    assert (hatched["data-from"], hatched["data-duty"], hatched["fill"]) == (step["from"], step["duty"], "url(#hatch)")
    assert "called off on 2025-02-03" in texts(picture)


def test_the_source_line_names_the_engine_the_edition_and_the_whole_id_of_the_rulebook(boots: tuple[dict[str, Any], ET.Element]) -> None:
    found, picture = boots
    for told in (found["engine"], found["rulebook"]["edition"], found["rulebook"]["horizon"], found["rulebook"]["id"]):
        assert told in texts(picture)


def test_a_picture_has_a_title_and_tells_all_steps_to_those_who_cannot_see_it(boots: tuple[dict[str, Any], ET.Element]) -> None:
    found, picture = boots
    names = picture.attrib["aria-labelledby"].split()
    told = {part.get("id"): part.text or "" for part in picture if part.tag in {f"{SVG}title", f"{SVG}desc"}}
    assert picture.attrib["role"] == "img"
    assert list(told) == names
    assert told["title"] == "Duty on 6403.99.60.15 of Canada, by day of entry"
    assert all(f"{step['rate']}, ${Decimal(step['duty']):,.2f}" in told["desc"] for step in [*found["steps"], *found["withdrawn"]])


def test_a_picture_asks_nothing_of_a_network_and_runs_nothing(boots: tuple[dict[str, Any], ET.Element]) -> None:
    _, picture = boots
    assert {part.tag.removeprefix(SVG) for part in picture.iter()} <= {
        *("svg", "title", "desc", "defs", "pattern", "rect", "line", "circle", "text"),
    }
    assert not [name for part in picture.iter() for name in part.attrib if name.endswith("href") or name.startswith("on")]


def test_nothing_leaves_the_page(boots: tuple[dict[str, Any], ET.Element]) -> None:
    _, picture = boots
    wide, high = Decimal(picture.attrib["width"]), Decimal(picture.attrib["height"])
    for part in picture.iter(f"{SVG}rect"):
        if "x" in part.attrib:
            assert 0 <= Decimal(part.attrib["x"]) <= Decimal(part.attrib["x"]) + Decimal(part.attrib["width"]) <= wide
            assert 0 <= Decimal(part.attrib["y"]) <= Decimal(part.attrib["y"]) + Decimal(part.attrib["height"]) <= high
    for part in picture.iter(f"{SVG}text"):
        size, words = int(part.attrib["font-size"]), part.text or ""
        if part.get("text-anchor") is None:
            assert Decimal(part.attrib["x"]) + width(words, size, bold="font-weight" in part.attrib) <= wide
        assert Decimal(part.attrib["y"]) < high


def test_the_same_answer_makes_the_same_bytes(boots: tuple[dict[str, Any], ET.Element]) -> None:
    found, _ = boots
    first = timeline_picture(found, TITLES, COUNTRIES)
    assert first == timeline_picture(json.loads(json.dumps(found)), TITLES, COUNTRIES)
    assert first.startswith("<svg xmlns=")


def test_a_duty_of_zero_has_an_empty_chart_and_one_note(tariff: Tariff, tmp_path: Path) -> None:
    path = tmp_path / "free.svg"
    arguments = ("timeline", "8471.30.01.00", "--origin", "FR", "--from", "2018-07-06", "--until", "2019-01-01", "--json")
    answer = tariff(*arguments, "--picture", str(path))
    assert [step["duty"] for step in json.loads(answer.out)["steps"]] == ["0.00"]
    assert boxes(drawn(path), "step") == []
    assert "2018-07-06 to 2018-12-31: 0%, $0.00" in texts(drawn(path))


def test_days_without_an_answer_are_shown_as_not_known() -> None:
    book = {"id": "sha256:0", "edition": "1", "horizon": "2021-12-31"}
    problem = {
        "from": "2020-01-01",
        "until": "2020-07-01",
        "status": "law",
        "problem": {"message": "No rate is known.", "fix": ""},
        "changes": [],
    }
    row = {"heading": "9903.00.00", "program": "one", "kind": "additional", "rate": "5%", "duty": "5.00"}
    known = {"from": "2020-07-01", "until": None, "status": "law", "rate": "5%", "duty": "5.00", "headings": [row], "changes": []}
    facts = {"hts": "0000.00.00", "origin": "XX", "value": "100"}
    found: dict[str, Any] = {
        "rulebook": book,
        "engine": "e",
        "known_on": None,
        "from": "2020-01-01",
        "until": None,
        "facts": facts,
        "withdrawn": [],
    }
    picture = ET.fromstring(timeline_picture({**found, "steps": [problem, known]}, {}, {}))  # noqa: S314
    (gray,) = boxes(picture, "unknown")
    assert (gray["data-from"], gray["data-until"]) == ("2020-01-01", "2020-07-01")
    assert "2020-01-01 to 2020-06-30: not known No rate is known." in texts(picture)
    nothing = ET.fromstring(timeline_picture({**found, "steps": [problem]}, {}, {}))  # noqa: S314
    assert "There is no chart" in texts(nothing)


# ---------------------------------------------------------------- compare
def test_the_bars_of_a_comparison_are_the_dollars_of_its_cells(tariff: Tariff, tmp_path: Path) -> None:
    line, path = tmp_path / "line.json", tmp_path / "origins.svg"
    line.write_text(json.dumps(SCREWS))
    answer = tariff("compare", str(line), "--vary", "origin=CN,DE,MX", "--json", "--picture", str(path))
    found, picture = json.loads(answer.out), drawn(path)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for box in boxes(picture, "part"):
        sums[box["data-row"]] += Decimal(box["data-duty"])
    names = ["As stated", "Origin China", "Origin Germany", "Origin Mexico"]
    assert sums == dict(zip(names, (Decimal(cell["totals"]["duty"]) for cell in (found["base"], *found["cells"])), strict=True))
    shares = [Decimal(box["width"]) / Decimal(box["data-duty"]) for box in boxes(picture, "part")]
    assert max(shares) / min(shares) < Decimal("1.01")
    words = texts(picture)
    for cell in found["cells"]:
        assert f"${Decimal(cell['totals']['total']):,.2f} with fees" in words
        assert f"${abs(Decimal(cell['differences']['duty'])):,.2f} less than as stated" in words or not Decimal(cell["differences"]["duty"])
    assert found["rulebook"]["id"] in words
    assert compare_picture(found, TITLES, COUNTRIES) == path.read_text(encoding="utf-8")


def test_a_combination_that_cannot_be_assessed_says_why_in_its_place(tariff: Tariff, tmp_path: Path) -> None:
    line, path = tmp_path / "line.json", tmp_path / "origins.svg"
    line.write_text(json.dumps(CANADIAN))
    answer = tariff("compare", str(line), "--vary", "origin=CA,XX", "--json", "--picture", str(path))
    assert answer.code == 2
    bad = json.loads(answer.out)["cells"][1]
    message = bad["problem"]["message"] if "problem" in bad else bad["lines"][0]["problem"]["message"]
    assert message in texts(drawn(path))


# ---------------------------------------------------------------- files, words
def test_a_picture_is_svg_and_never_written_over_another_file(tariff: Tariff, tmp_path: Path) -> None:
    there = tmp_path / "there.svg"
    there.write_text("mine")
    for name, code in (
        (str(tmp_path / "duty.png"), "picture_format"),
        (str(there), "file_exists"),
        (str(tmp_path / "no" / "x.svg"), "file_unwritable"),
    ):
        answer = tariff("timeline", "8471.30.01.00", "--origin", "FR", "--from", "2026-01-01", "--json", "--picture", name)
        assert (answer.code, json.loads(answer.out)["problem"]["code"]) == (2, code)
    assert there.read_text() == "mine"


def test_lines_of_words_fit_and_lose_nothing() -> None:
    words = "An additional duty on " + "x" * 200 + " and on everything else that is named in the note"
    lines = wrap(words, 12, 300)
    assert all(width(line, 12) <= 300 for line in lines)
    assert "".join("".join(lines).split()) == "".join(words.split())
    assert wrap("", 12, 300) == []
    assert "<" not in wrap("\x1b[31m red", 12, 300)[0].replace("\N{REPLACEMENT CHARACTER}", "")


def test_neighbours_stand_apart_in_gray_and_words_on_them_can_be_read() -> None:
    def light(color: str) -> float:
        digits = color[1:] if len(color) == 7 else "".join(sign * 2 for sign in color[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((light(one), light(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    fills = list(FILLS.values())
    assert all(contrast(fill, ink) >= 4.5 for fill, ink in fills)
    assert all(contrast(one[0], other[0]) >= 2.5 for one, other in pairwise(fills))
