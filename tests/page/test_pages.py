"""What every page must be: complete without a script, small, quick, safe, and clear about what is wrong."""

from __future__ import annotations

import csv
import io
import os
import re
import time
from collections.abc import Mapping

import pytest
from starlette.testclient import TestClient
from tests.page.asks import CABLE, permalink
from tests.page.reading import Element, read

from tariff_service.web.rendering import POLICY

ENTRY = permalink(CABLE, **{"2.hts": "6403.99.60.15", "2.origin": "VN", "2.value": "2500"})
EVERY = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"  # by default each hostile text goes into some of the fields
QUICK = [
    "/",
    permalink(CABLE),
    ENTRY,
    permalink(CABLE, "memo"),
    "/line?hts=1&origin=Narnia&value=x",
    "/line/find?q=8544.42",
    "/line/find?q=nothing",
    "/browse/programs",
    "/browse/programs?on=2025-08-15&q=copper",
    "/browse/programs/s232-copper",
    "/browse/headings",
    "/browse/headings?q=copper",
    "/browse/headings/9903.01.24",
    "/browse/headings?q=nothing+of+the+kind",
    "/browse/lists",
    "/browse/lists?q=8544.42.90",
    "/browse/lists/s301_china?q=8544",
    "/browse/acts?q=copper",
    "/browse/rulebooks",
    "/browse/headings/9903.99.99",
]
SLOW = [
    permalink(CABLE, "when"),
    permalink(CABLE, "when", have="steps"),
    permalink(CABLE, "else", origins="Vietnam, MX", dates="2026-03-01"),
    permalink(CABLE, "else"),
]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE records;--",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "../../../../etc/passwd",
    "javascript:alert(1)",
    "\u202e\u0000\ufeff\ud7ff",
    '=HYPERLINK("http://evil.example")',
    "A" * 3000,
    "-1",
    "1e999",
    "NaN",
    "true",
    "[]",
    "{}",
]


def show(client: TestClient, address: str, status: int = 200) -> Element:
    """Return a page."""
    found = client.get(address)
    assert found.status_code == status, found.text[:300]
    return read(found.text)


@pytest.mark.parametrize("address", [*QUICK, *SLOW])
def test_a_page_runs_our_script_alone_asks_nobody_else_and_has_no_style_in_it(client: TestClient, address: str) -> None:
    found = client.get(address)
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert len(found.content) < 150_000
    page = read(found.text)
    assert not page.all("style")
    for one in page.walk():
        assert not [name for name in one.attributes if name == "style" or name.startswith("on")], one
        for name in ("src", "href", "action", "formaction"):
            target = one.attributes.get(name, "")
            if one.tag != "a":
                assert not target or target.startswith(("/", "?")), (one.tag, target)
            assert not target.lower().startswith(("javascript:", "data:"))
    assert len(page.all("h1")) == 1
    assert page.all("html")[0].attributes["lang"] == "en"
    ids = [one.attributes["id"] for one in page.walk() if "id" in one.attributes]
    assert len(ids) == len(set(ids)), "an id stands once"


def test_an_answer_takes_less_than_a_tenth_of_a_second(client: TestClient) -> None:
    client.get(permalink(CABLE))
    times = []
    for value in range(20_000, 20_009):
        begun = time.process_time()  # other work on the machine is not the page's
        client.get(permalink({**CABLE, "value": str(value)}))
        times.append(time.process_time() - begun)
    assert sorted(times)[len(times) // 2] < 0.1


def test_a_form_leads_to_its_permalink_and_the_permalink_to_the_answer(client: TestClient) -> None:
    found = client.get("/line", params={**CABLE, "origin": "china", "value": "$10,000", "spi": ""})
    assert (found.status_code, found.headers["location"]) == (303, permalink(CABLE))
    page = show(client, found.headers["location"])
    assert page.all(cls="sum")[0].text == "$9,807.14"
    assert client.get("/line").headers["location"] == "/"


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(client: TestClient) -> None:
    page = show(client, "/line?hts=1&origin=Narnia&value=x&entry_date=2025-13-40&mode=teleport", 422)
    typed = {one.attributes["name"]: one for one in page.all("input") if "name" in one.attributes}
    for name, text in {"hts": "1", "origin": "Narnia", "value": "x", "entry_date": "2025-13-40"}.items():
        assert typed[name].attributes["value"] == text
        assert typed[name].attributes["aria-invalid"] == "true"
        told = {one.attributes.get("id") for one in page.all("p", "trouble")}
        assert set(typed[name].attributes["aria-describedby"].split()) <= told
    (mode,) = [one for one in page.all("select") if one.attributes["name"] == "mode"]
    assert [one.text for one in mode.all("option") if "selected" in one.attributes] == ["teleport"]


def test_a_line_that_is_wrong_does_not_hide_the_others(client: TestClient) -> None:
    page = show(client, permalink(CABLE, **{"2.hts": "0000.00.00", "2.origin": "VN", "2.value": "2500"}))
    assert page.all(cls="sum")[0].text == "Not complete"
    assert any("no number of chapters 1-97" in one.text for one in page.all(cls="callout"))
    assert page.all("table", "headings")


def test_answering_a_question_changes_the_answer(client: TestClient) -> None:
    page = show(client, permalink(CABLE))
    asked = {one.attributes["name"]: one.attributes for one in page.all("input") if one.attributes.get("form") == "ask"}
    assert set(asked) == {"copper_content_value", "us_content_value"}
    assert any("$4,000.00 at stake" in one.text for one in page.all(cls="q"))
    settled = show(client, permalink({**CABLE, "copper_content_value": "0"}))
    assert "$5,760.00" in settled.all(cls="split")[0].text
    assert [one.attributes["value"] for one in settled.all("input") if one.attributes.get("name") == "copper_content_value"] == ["0"]


def test_a_parcel_that_is_released_is_told_with_what_it_would_owe(client: TestClient) -> None:
    parcel = {
        "hts": "6109.10.00.12",
        "origin": "DE",
        "value": "800",
        "entry_date": "2024-06-03",
        "mode": "air",
        "de_minimis_claimed": "true",
    }
    page = show(client, permalink(parcel))
    assert page.all(cls="sum")[0].text == "$0.00"
    assert "Released under low-value treatment" in page.text
    assert "$132.00" in page.text


def test_a_ban_is_told_first_and_is_no_duty_of_zero(client: TestClient) -> None:
    pipe = {"hts": "7306.30.50.28", "origin": "KR", "value": "10000", "entry_date": "2020-07-01", "in_quota": "false"}
    page = show(client, permalink(pipe))
    assert page.all(cls="sum")[0].text == "May not be imported"
    assert page.all(cls="callout")[0].text.startswith("These goods may not be imported")
    assert "may not be imported" in show(client, permalink(pipe, "memo")).text
    both = show(client, permalink(pipe, **{"2.hts": "6403.99.60.15", "2.origin": "VN", "2.value": "2500"}))
    assert both.all(cls="callout")[0].text.startswith("Goods of line 1 may not be imported")


def test_a_claim_that_is_made_is_shown_and_the_others_stay_folded(client: TestClient) -> None:
    page = show(client, permalink({**CABLE, "chapter98": "9802.00.80"}))
    (stated,) = page.all(cls="stated")
    assert [one.attributes["name"] for one in stated.all("input")] == ["chapter98"]
    assert "open" not in page.all("details", "claims")[0].attributes


def test_the_verdicts_name_each_program_once_with_its_acts(client: TestClient, law: object) -> None:
    page = show(client, permalink(CABLE))
    verdicts = page.all("details", "verdict")
    assert len(verdicts) == len(law.compiled.programs)  # type: ignore[attr-defined]
    displaced = [one for one in verdicts if "would be" in one.all("summary")[0].text]
    assert displaced
    assert all("Would have cost" in one.text for one in displaced)
    groups = [one.text.rpartition(" ")[0] for one in page.all("h4")]
    assert groups == ["Applies", "Exempt", "Does not cover this line", "Not in force on the day of entry"]


def test_the_steps_of_the_timeline_name_their_causes_and_what_was_withdrawn_is_hatched(client: TestClient) -> None:
    page = show(client, permalink(CABLE, "when", have="steps"))
    steps = page.all(cls="steps")[0].all("li")
    assert all("signed" in one.text for one in steps[1:])
    assert "announced and withdrawn" in steps[-1].text
    assert page.all("rect", "hatchbox")
    assert page.all("line", "entry")
    assert page.all(cls="now")[0].text == "entry 2025-08-15"
    marks = [one.text for one in page.all(cls="mark")]
    assert set(marks) == {str(number) for number in range(1, len(steps))}


def test_two_days_of_knowledge_stand_side_by_side(client: TestClient) -> None:
    line = {**CABLE, "entry_date": "2025-04-09"}
    page = show(client, permalink(line, "when", left="2025-04-07", right=""))
    left, right = page.all("section", "side")
    assert left.all(cls="sum")[0].text != right.all(cls="sum")[0].text
    assert left.all(cls="only")
    assert show(client, permalink(line, "when", left="yesterday", right="2025-04-07")).all("p", "trouble")


def test_the_matrix_tells_each_cell_with_its_reasons(client: TestClient) -> None:
    page = show(client, permalink(CABLE, "else", origins="Vietnam, MX", dates="2026-03-01"))
    rows = page.all("table", "matrix")[0].all("tbody")[0].all("tr")
    assert [row.all("th")[0].text for row in rows] == ["China (CN)", "Vietnam (VN)", "Mexico (MX)"]
    assert [len(row.all("td")) for row in rows] == [2, 2, 2]
    assert all("more" in cell.text or "less" in cell.text or "no change" in cell.text for row in rows for cell in row.all("td")[1:])
    wrong = show(client, permalink(CABLE, "else", origins="Narnia", dates="someday"))
    assert any("Narnia" in one.text for one in wrong.all(cls="trouble"))


def test_every_saving_of_a_line_can_be_compared_as_a_claim(client: TestClient) -> None:
    page = show(client, permalink({**CABLE, "copper_content_value": "0"}, "else"))
    rows = page.all("table", "matrix")[0].all("tbody")[0].all("tr")
    assert "Exclusion claims: 9903.88.69" in [row.all("th")[0].text for row in rows]
    assert not page.all("table", "matrix")[0].all(cls="trouble")
    assert all("less" in row.all("td")[0].text for row in rows[1:])


def test_the_csv_has_every_heading_and_no_cell_is_a_formula(client: TestClient) -> None:
    found = client.get(permalink(CABLE, "answer.csv"))
    assert found.headers["content-disposition"].startswith('attachment; filename="a-')
    rows = list(csv.DictReader(io.StringIO(found.content.decode("utf-8-sig"))))
    answer = client.get(permalink(CABLE, "answer.json")).json()
    assert [row["number"] for row in rows[:5]] == [row["heading"] for row in answer["lines"][0]["headings"]]
    assert rows[-1]["duty"] == answer["totals"]["total"]
    assert not [cell for row in rows for cell in row.values() if re.match(r"[=+@]|-\D", cell)]


def test_the_memo_says_how_to_replay_the_answer(client: TestClient) -> None:
    page, answer = show(client, permalink(CABLE, "memo")), client.get(permalink(CABLE, "answer.json")).json()
    assert answer["id"] in page.text
    assert answer["rulebook"]["id"] in page.text
    again = client.post("/v1/assessments?store=false", content=page.all("pre")[0].text, headers={"Content-Type": "application/json"})
    assert again.json() == answer


def test_numbers_are_suggested_by_their_first_digits(client: TestClient) -> None:
    found = client.get("/line/numbers?q=8544.42").json()
    assert found
    assert all(one["hts"].startswith("8544.42") and one["says"] for one in found)
    assert client.get("/line/numbers?q=8").json() == client.get("/line/numbers").json() == client.get("/line/numbers?q=copper").json() == []


# ---------------------------------------------------------------- hostile input
def shown_only_as_text(found: object) -> None:
    """Whatever was sent is text: no element and no attribute came of it."""
    status, text = found.status_code, found.text  # type: ignore[attr-defined]
    assert status in {200, 303, 404, 422}, (status, text[:200])
    page = read(text)
    assert not page.all("img")
    assert [one.attributes["src"].split("?")[0] for one in page.all("script")] in (["/static/page.js"], [])
    assert not [one for one in page.walk() for name in one.attributes if name.startswith("on") or name == "style"]
    assert "root:x:" not in text
    assert "Traceback" not in text
    assert "49{%" not in text


@pytest.mark.parametrize("place", range(len(HOSTILE)), ids=[str(place) for place in range(len(HOSTILE))])
def test_hostile_text_in_every_field_is_harmless(client: TestClient, law: object, place: int) -> None:
    text = HOSTILE[place]
    names = [name for name, spec in law.facts.items() if not spec.personal]  # type: ignore[attr-defined]
    for name in names if EVERY else sorted({*names[place :: len(HOSTILE)], *CABLE}):
        shown_only_as_text(client.get("/line", params={**CABLE, name: text}))
    shown_only_as_text(client.get("/line", params={**CABLE, text[:1000]: "1", f"quantity.{text[:1000]}": "1"}))
    for view in ("", "memo", "else", "answer.csv") if EVERY else ("", "else"):
        for name in ("known_on", "origins", "dates", "claim", "line", "lines", "left"):
            shown_only_as_text(client.get(permalink(CABLE, view), params={**CABLE, "hts": "", name: text}))
    for address in (
        "/",
        "/browse/programs",
        "/browse/headings",
        "/browse/lists",
        "/browse/lists/s301_china",
        "/browse/acts",
        "/line/numbers",
    ):
        queries = ("q", "page", "on", "from", "to")
        for name in queries if EVERY else (queries[place % len(queries)],):
            shown_only_as_text(client.get(address, params={name: text}))


@pytest.mark.parametrize("place", range(len(HOSTILE)), ids=[str(place) for place in range(len(HOSTILE))])
def test_hostile_text_in_an_address_is_harmless(client: TestClient, place: int) -> None:
    from urllib.parse import quote  # noqa: PLC0415

    text = quote(HOSTILE[place].replace("\0", ""), safe="")
    for address in (
        f"/line/{text}",
        f"/line/{text}/when",
        f"/line/{text}/memo",
        f"/browse/programs/{text}",
        f"/browse/headings/{text}",
        f"/browse/lists/{text}",
        f"/static/{text}",
    ):
        shown_only_as_text(client.get(f"{address}?origin=CN"))


def test_a_refusal_is_a_page_that_leads_on(client: TestClient) -> None:
    page = show(client, "/browse/headings/9903.01.99", 404)
    assert any("did you mean" in one.text.lower() for one in page.all("li"))
    assert [one for one in page.all("a") if one.attributes.get("href") == "/"]


def test_files_are_kept_by_browsers_and_change_their_address_with_their_content(client: TestClient) -> None:
    page = show(client, "/")
    for address in [one.attributes["href"] for one in page.all("link")] + [one.attributes["src"] for one in page.all("script")]:
        found = client.get(address)
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
        headers: Mapping[str, str] = {"If-None-Match": found.headers["etag"]}
        assert client.get(address, headers=headers).status_code == 304
