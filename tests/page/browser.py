"""A real server and a real Chromium for tests: the browser that is installed, never one that is fetched."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.service.server import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REQUIRED = os.environ.get("TARIFF_REQUIRE_CHROMIUM") == "1"
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Return the path of the browser; skip where there is none, but in CI (TARIFF_REQUIRE_CHROMIUM=1) fail."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None or find_spec("playwright") is None or find_spec("axe_playwright_python") is None:
        message = "Chromium, playwright or axe-playwright-python is not installed here, so no page was looked at in a browser."
        if REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Start the browser, and end it."""
    path = chromium()
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  not everybody who runs the other tests has it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])  # in a container the tests run as root
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Start a server, and return its address."""
    with running(folder) as served:
        served.wait_ready()
        yield served.url
