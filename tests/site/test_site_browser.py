"""The built site in a real browser, opened as files: the search finds, nothing is asked of a network, nothing goes wrong."""

from __future__ import annotations

from pathlib import Path

from tests.page.browser import browsing, chromium
from tests.site.test_site import built


def test_the_search_of_a_site_that_is_opened_as_files_finds_and_asks_nobody(tmp_path: Path) -> None:
    chromium()
    site = built(tmp_path / "site", "ieepa-canada")
    with browsing() as browser:
        page = browser.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((site / "index.html").as_uri())
        page.locator(".md-search__input").click()
        page.keyboard.type("potash")
        page.wait_for_selector(".md-search-result__item", timeout=30_000)
        assert "Potash" in page.inner_text(".md-search-result__list")
        assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
        assert wrong == []
        page.close()
