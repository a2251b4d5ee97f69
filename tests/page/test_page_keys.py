"""Who may see the page: whoever shows a key with the right scope, typed into the browser or in a header; on loopback without keys, anybody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.page.asks import CABLE, permalink

from tariff_service.api.app import create_app
from tariff_service.api.settings import Settings
from tariff_service.keys import create

PAGES = {
    "/": "assess",
    permalink(CABLE): "assess",
    permalink(CABLE, "memo"): "assess",
    permalink(CABLE, "answer.csv"): "assess",
    "/line/numbers?q=85": "assess",
    "/browse/programs": "read",
    "/browse/rulebooks": "read",
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """Return a client of a server that asks for keys, and a key for each scope."""
    folder: Path = tmp_path_factory.mktemp("keys")
    app = create_app(Settings(store=str(folder / "audit.db"), auth=True, log_level="warning"))
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        store = app.state.service.store
        keys = {scope: create(store, "acme", [scope]).text for scope in ("assess", "read", "admin")}
        yield client, keys


def typed(key: str) -> dict[str, str]:
    """Return the header in which a browser sends what was typed."""
    return {"Authorization": f"Basic {b64encode(f'broker:{key}'.encode()).decode()}"}


def test_without_a_key_a_browser_is_told_to_ask_for_one(guarded: tuple[TestClient, dict[str, str]]) -> None:
    client, _ = guarded
    for path in PAGES:
        found = client.get(path)
        assert (found.status_code, found.headers["www-authenticate"][:6]) == (401, "Basic "), path
        assert found.headers["content-type"].startswith("text/html")
        assert "type your key as password" in found.text
    for path in ("/v1/programs", "/nowhere", "/metrics"):
        assert client.get(path).headers["www-authenticate"] == "Bearer", "the API asks for its own kind"
    assert client.get("/static/page.css").status_code == 200, "what every visitor gets tells nothing"


@pytest.mark.parametrize("path", list(PAGES), ids=lambda path: path.partition("?")[0])
def test_a_key_that_is_typed_opens_the_pages_of_its_scope(guarded: tuple[TestClient, dict[str, str]], path: str) -> None:
    client, keys = guarded
    for scope, key in keys.items():
        expected = 200 if scope in {PAGES[path], "admin"} else 403
        assert client.get(path, headers=typed(key)).status_code == expected
        assert client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == expected
    assert client.get(path, headers=typed("tk_wrong_key")).status_code == 401


def test_a_key_that_is_typed_opens_the_pages_alone_because_a_browser_sends_it_unasked(guarded: tuple[TestClient, dict[str, str]]) -> None:
    client, keys = guarded
    assert client.post("/v1/assessments", json=CABLE, headers=typed(keys["assess"])).status_code == 401
    assert client.get("/v1/programs", headers=typed(keys["read"])).status_code == 401
    assert client.post("/line", headers=typed(keys["assess"])).status_code == 401
    for bad in (
        "Basic",
        "Basic !!!",
        "Basic " + "A" * 500,
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff:\xff").decode(),
    ):
        assert client.get("/", headers={"Authorization": bad}).status_code == 401


def test_a_page_of_another_site_can_neither_frame_embed_nor_ask(guarded: tuple[TestClient, dict[str, str]]) -> None:
    client, keys = guarded
    headers = typed(keys["assess"])
    assert client.get(permalink(CABLE), headers={**headers, "Origin": "https://evil.example"}).status_code == 403
    assert client.get(permalink(CABLE), headers={**headers, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert "frame-ancestors 'none'" in client.get(permalink(CABLE), headers=headers).headers["content-security-policy"]


def test_on_loopback_without_keys_the_page_is_open(client: TestClient) -> None:
    assert client.get("/").status_code == 200
