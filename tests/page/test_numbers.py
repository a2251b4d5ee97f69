"""The numbers on the page are those of the API: for lines drawn from everywhere in the law book."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.page.asks import fields, permalink
from tests.page.reading import Element, read

from tariff_engine.engine import Knowledge
from tariff_engine.testing import random_line, space
from tariff_service.paper import money

PARTS = 4
EACH = 250 if os.environ.get("HYPOTHESIS_PROFILE", "default") != "default" else 25


def plainly(value: Any) -> Any:
    """Return a fact as a form can say it, and JSON too."""
    if isinstance(value, dict):
        return {str(key): plainly(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plainly(one) for one in value]
    return value if isinstance(value, bool | str) or value is None else str(value)


def headings(page: Element) -> list[tuple[str, str, str, str]]:
    """Return number, rate, base and duty of every row of every table of headings."""
    return [
        (row.all("th")[0].text, *(cell.text for cell in row.all("td")[1:]))  # type: ignore[misc]
        for table in page.all("table", "headings")
        for row in table.all("tbody")[0].all("tr")
    ]


def expected(answer: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the same from an answer of the API."""
    return [
        (row["heading"] or "\N{EN DASH}", row["rate"], money(row["base_value"]) if row["base_value"] else "", money(row["duty"]))
        for line in answer["lines"]
        if "problem" not in line and "released_by" not in line
        for row in line["headings"]
    ]


def agrees(page: Element, answer: Mapping[str, Any]) -> None:
    """Compare what is shown with what was answered: total, fees, headings, split, questions, verdicts, warnings."""
    totals, fees = answer["totals"], answer["fees"]
    (line,) = answer["lines"]
    if line.get("prohibited"):
        assert page.all(cls="sum")[0].text == "May not be imported", "a ban is no duty of zero"
        totals = None
    else:
        assert page.all(cls="sum")[0].text == (
            "Not complete" if not totals else money(totals["total"]) if totals["total"] else "Not known yet"
        )
    if totals:
        shown = [one.text for one in page.all(cls="split")[0].all("strong")]
        assert shown == [money(totals["duty"]) if totals["duty"] else "not known yet", money(fees["mpf"]), money(fees["hmf"])]
    assert headings(page) == expected(answer)
    assert len(page.all(cls="q")) == sum(not one.get("personal") for one in line["questions"])
    assert sorted(one.text for one in page.all(cls="vt")) == sorted(verdict["title"] for verdict in line["programs"])
    text = page.text.casefold()
    assert all(" ".join(warning["message"].split()).casefold() in text for warning in line["warnings"])
    if line["range"]["low"] != line["range"]["high"] and line["questions"]:
        assert money(line["range"]["low"]) in page.all(cls="range")[0].text
    if "released_by" not in line and len(line["filing"]["lines"]) > 1:
        parts = [money(part["value"]) for part in line["filing"]["lines"]]
        assert all(part in page.text for part in parts)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_page_shows_the_numbers_of_the_api(client: TestClient, knowledge: Knowledge, part: int) -> None:
    where, rng = space(knowledge), random.Random(f"page {part}")
    personal = knowledge.reader.personal
    answered = 0
    while answered < EACH:
        facts = {name: plainly(value) for name, value in random_line(where, rng).items() if name not in personal}
        if len(fields(facts)) > 250:
            continue
        api = client.post("/v1/assessments?store=false", json=facts)
        found = client.get(permalink(facts))
        assert found.status_code == api.status_code, (facts, api.text, read(found.text).all(cls="callout")[:1])
        if api.status_code == 200:
            answered += 1
            agrees(read(found.text), api.json())
            assert client.get(permalink(facts, "answer.json")).content == api.content, "the download is the answer of the API"
            assert len(found.content) < 150_000
        else:
            assert read(found.text).all(cls="trouble") or read(found.text).all(cls="callout")
