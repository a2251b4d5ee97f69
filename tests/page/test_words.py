"""The search for a number by words, in an edition that was imported as the official site exports it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.page.reading import read

from tariff_engine.law import Law
from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings
from tariff_service.schedule_import import NewEdition, import_edition

CABLES = [
    ("8544", 0, "Insulated wire, cable and other insulated electric conductors; optical fiber cables:", ""),
    ("", 1, "Other electric conductors, for a voltage not exceeding 1,000 V:", ""),
    ("8544.42", 2, "Fitted with connectors:", ""),
    ("8544.42.90", 3, "Other", "2.6%"),
    ("8544.42.90.10", 4, "Extension cords", ""),
    ("8544.42.90.90", 4, "Other <script>document.title='pwned'</script>", ""),
    ("8544.70.00.00", 1, "Optical fiber cables", "Free"),
]


def export(chapters: list[str]) -> list[dict[str, Any]]:
    """Return rows as the site exports them: one number of each chapter, and the cables."""
    lines = [(f"{chapter}01.10.00.00", 0, f"Goods of chapter {chapter}", "Free") for chapter in chapters if chapter != "85"] + CABLES
    return [
        {
            "htsno": number,
            "indent": str(indent),
            "description": says,
            "superior": None if number else "true",
            "units": ["No."] if len(number) > 10 else [],
            "general": general,
            "special": "",
            "other": "35%" if general else "",
            "footnotes": [],
        }
        for number, indent, says, general in lines
    ]


@pytest.fixture(scope="module")
def searching(law: Law, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("words")
    file = folder / "export.json"
    chapters = sorted({code[:2] for code in law.schedule.tables[-1].codes})
    file.write_text(json.dumps(export(chapters)), encoding="utf-8")
    done = import_edition(file, folder / "rules", NewEdition("HTS of the test", law.horizon, law.horizon, "a citation"), copy=True)
    assert done["descriptions"] == len(chapters) - 1 + len(CABLES) - 1
    app = create_app(Settings(store=str(folder / "audit.db"), rules=folder / "rules", log_level="warning"))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as found:
        yield found


def test_words_find_a_number_and_its_whole_description(searching: TestClient) -> None:
    assert searching.get("/line/numbers?q=extension cord").json() == [
        {
            "hts": "8544.42.90.10",
            "says": "Insulated wire, cable and other insulated electric conductors; optical fiber cables: "
            "Other electric conductors, for a voltage not exceeding 1,000 V: Fitted with connectors: Other: Extension cords",
        }
    ]
    assert searching.get("/line/numbers?q=optical fiber").json()[0]["hts"] == "8544.70.00.00"
    page = read(searching.get("/line/find?q=extension+cords").text)
    assert [row.text for row in page.all("tbody")[0].all("th")] == ["8544.42.90.10"]
    assert "HTS of the test" in page.text
    assert page.all("a", "num")[0].attributes["href"] == "/?hts=8544.42.90.10"


def test_digits_find_numbers_with_their_descriptions(searching: TestClient) -> None:
    found = searching.get("/line/numbers?q=8544.70").json()
    assert [(one["hts"], one["says"].rpartition(": ")[2]) for one in found] == [("8544.70.00.00", "Optical fiber cables")]


@pytest.mark.parametrize(
    "text", ["x" * 5000, "%00", "(((((((", "cable " * 300, "<img src=x onerror=alert(1)>", "\N{ZERO WIDTH SPACE}ab", "'; --"]
)
def test_any_search_is_answered_with_text_alone(searching: TestClient, text: str) -> None:
    found = searching.get("/line/find", params={"q": text})
    assert found.status_code == 200
    page = read(found.text)
    assert not page.all("img")
    assert [one.attributes["src"].split("?")[0] for one in page.all("script")] == ["/static/page.js"]
    assert searching.get("/line/numbers", params={"q": text}).status_code == 200


def test_marks_of_an_export_never_reach_the_page(searching: TestClient) -> None:
    page = searching.get("/line/find?q=8544.42.90.90").text
    assert "pwned" not in read(page).all("title")[0].text
    assert len(read(page).all("script")) == 1


def test_an_edition_without_descriptions_says_so_plainly(client: TestClient) -> None:
    page = read(client.get("/line/find?q=copper").text)
    assert "By number only: the edition in use prints rates without descriptions." in page.text
    assert client.get("/line/numbers?q=copper").json() == []
