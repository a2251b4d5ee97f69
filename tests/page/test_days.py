"""The duty over all days comes in stages: a page at once, a sketch, the whole; and each stage leads to the next without a script."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.page.asks import permalink
from tests.page.reading import Element, read

from tariff_engine.problems import ProblemError
from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings
from tariff_service.api.state import Service
from tariff_service.web import days
from tariff_service.web.days import Days, Seen

SHOES = {"hts": "6403.99.60.15", "origin": "VN", "value": "2500", "entry_date": "2026-03-01", "mode": "air"}
FACTS = {name: value for name, value in SHOES.items() if name != "entry_date"}
DAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server that nobody has asked for anything yet."""
    app = create_app(Settings(store=str(tmp_path_factory.mktemp("days") / "audit.db"), log_level="warning"))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as found:
        yield found


def stage(client: TestClient, address: str) -> tuple[Element, str]:
    """Return a page and where its next stage is."""
    found = client.get(address)
    assert found.status_code == 200
    assert len(found.content) < 150_000
    page = read(found.text)
    links = [one.attributes["data-more"] for one in page.walk() if "data-more" in one.attributes]
    assert len(links) <= 1
    assert all(any(link.attributes.get("href") == more for link in page.all("a")) for more in links), "a plain link leads there too"
    return page, links[0] if links else ""


def test_the_first_look_waits_for_nothing_and_each_link_leads_one_stage_on(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "_PATIENCE", 0.0)
    page, more = stage(fresh, permalink(SHOES, "when", left="2026-02-01", right=""))
    assert not page.all("svg", "chart"), "no page waits for the law of every day"
    assert "The law of every day is being read." in page.text
    stages = 0
    while more:
        stages += 1
        page, more = stage(fresh, more)
        assert page.all("svg", "chart")
        assert page.all("input")[-2].attributes["value"] == "2026-02-01", "what was asked for stays"
    assert 1 <= stages <= 2
    told = fresh.get("/v1/timeline", params=FACTS).json()
    assert len(page.all("ol", "steps")[0].all("li")) == len(told["steps"]) + len(told["withdrawn"])
    assert told["withdrawn"]
    again, rest = stage(fresh, permalink(SHOES, "when"))
    assert not rest
    assert again.all("svg", "chart"), "a line that was looked at once is there at once"


def asked(client: TestClient, service: Service, have: str, **facts: Any) -> Seen:
    """Look at a line as a page does, in the loop of the server."""

    async def look() -> Seen:
        return await Days(service).look(service.rulebooks.current, {**FACTS, **facts}, None, DAY, have)

    found: Seen = client.portal.call(look)  # type: ignore[union-attr]
    return found


def test_a_sketch_has_the_steps_of_the_whole(fresh: TestClient) -> None:
    service: Service = fresh.app.state.service  # type: ignore[attr-defined]
    sketch, whole = asked(fresh, service, "nothing").time, asked(fresh, service, "steps").time
    assert sketch
    assert whole
    kept = ("from", "until", "rate", "duty", "headings")
    assert [[step[name] for name in kept] for step in sketch["steps"]] == [[step[name] for name in kept] for step in whole["steps"]]
    assert [[change["because"] for change in step["changes"]] for step in sketch["steps"]] == [
        [change["because"] for change in step["changes"]] for step in whole["steps"]
    ]


def test_what_cannot_be_answered_is_told_and_not_kept(fresh: TestClient) -> None:
    service: Service = fresh.app.state.service  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(ProblemError):
            asked(fresh, service, "steps", hts="0000.00.00.00")
    page = fresh.get(permalink({**SHOES, "hts": "0000.00.00.00"}, "when"))
    assert page.status_code == 422
    assert read(page.text).all(cls="callout")


def test_where_many_lines_are_in_the_making_whoever_asks_waits(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "_MOST", 0)
    service: Service = fresh.app.state.service  # type: ignore[attr-defined]
    assert asked(fresh, service, "").whole


def test_lines_are_forgotten_in_the_order_of_their_last_look(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "_KEPT", 2)
    service: Service = fresh.app.state.service  # type: ignore[attr-defined]

    async def look() -> int:
        made = Days(service)
        for value in ("100", "200", "300", "400"):
            await made.look(service.rulebooks.current, {**FACTS, "value": value}, None, DAY, "steps")
        return len(made._made)  # noqa: SLF001

    assert fresh.portal.call(look) <= 2  # type: ignore[union-attr]


def test_reading_ahead_is_done_once_for_a_rulebook(fresh: TestClient) -> None:
    service: Service = fresh.app.state.service  # type: ignore[attr-defined]

    async def warm() -> tuple[int, int]:
        made = Days(service)
        for _ in range(3):
            made.warm(service.rulebooks.current)
            made.warm(service.rulebooks.current, SHOES)
        begun = len(made._ahead_of)  # noqa: SLF001
        await asyncio.gather(*made._ahead_of)  # noqa: SLF001
        await asyncio.gather(*(whole for _, whole in made._made.values()))  # noqa: SLF001
        return begun, len(made._made)  # noqa: SLF001

    assert fresh.portal.call(warm) == (2, 1)  # type: ignore[union-attr]


def test_nothing_is_read_ahead_before_somebody_opens_a_page(tmp_path: Path) -> None:
    app = create_app(Settings(store=str(tmp_path / "audit.db"), log_level="warning"))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/healthz").status_code == 200
        assert "book" not in vars(app.state.service.rulebooks.current)
