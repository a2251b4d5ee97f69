"""Take the pictures of docs/page.md anew, or a larger set to look at: `python -m tests.page.pictures [FOLDER]`.

It needs Chromium, playwright and, for the memo on paper, poppler-utils. With a folder it takes every page at three widths, in light and dark,
and the memo as it prints on A4 and Letter.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.page.asks import CABLE, permalink
from tests.page.browser import browsing, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[2] / "docs" / "page"
ENTRY = permalink(CABLE, **{"2.hts": "6403.99.60.15", "2.origin": "VN", "2.value": "2500"})
PAGES = {
    "ask": "/",
    "find": "/line/find?q=8544.42",
    "find-words": "/line/find?q=copper",
    "wrong": "/line?hts=1&origin=Narnia&value=x&entry_date=2025-08-15",
    "answer": permalink(CABLE),
    "entry": ENTRY,
    "split": permalink({**CABLE, "copper_content_value": "4000", "us_content_value": "2500"}),
    "displaced": permalink({"hts": "8703.23.01.20", "origin": "MX", "value": "30000", "entry_date": "2025-06-15", "mode": "truck"}),
    "free": permalink({"hts": "8471.30.01.00", "origin": "MX", "value": "10000", "entry_date": "2025-08-15", "mode": "truck"}),
    "small": permalink({"hts": "6109.10.00.12", "origin": "IT", "value": "300", "entry_date": "2025-03-01", "mode": "air"}),
    "when": permalink(CABLE, "when"),
    "when-known": permalink({**CABLE, "entry_date": "2025-04-09"}, "when", left="2025-04-07", right=""),
    "else": permalink(CABLE, "else", origins="Vietnam, Mexico, Germany", dates="2026-03-01"),
    "memo": permalink(CABLE, "memo"),
    "programs": "/browse/programs",
    "program": "/browse/programs/s232-copper",
    "headings": "/browse/headings?q=copper",
    "heading": "/browse/headings/9903.01.24",
    "lists": "/browse/lists",
    "lists-of": "/browse/lists?q=8544.42.90",
    "rows": "/browse/lists/s232_copper_2025",
    "acts": "/browse/acts?q=copper",
    "rulebooks": "/browse/rulebooks",
    "refused": "/browse/headings/9903.01.99",
    "nothing": "/browse/headings?q=zebra",
}
WIDTHS = {"phone": 390, "tablet": 800, "wide": 1440}
# name: page, width, height (0: the whole page), dark
SHOWN = {
    "ask": ("ask", 1280, 0, False),
    "answer": ("answer", 1280, 1560, False),
    "answer-phone-dark": ("answer", 390, 844, True),
    "split": ("split", 1280, 1400, False),
    "when": ("when", 1280, 1560, False),
    "else-dark": ("else", 1280, 0, True),
    "heading": ("heading", 1280, 1000, False),
    "lists": ("lists-of", 800, 0, False),
    "wrong": ("wrong", 1280, 0, False),
}


def opened(browser: Browser, address: str, width: int, height: int, *, dark: bool) -> Page:
    """Open a page and wait until it is complete."""
    context = browser.new_context(
        reduced_motion="reduce", viewport={"width": width, "height": height or 900}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-more]", state="detached", timeout=120_000)
    page.wait_for_timeout(100)
    page.evaluate("document.getElementById('status').classList.remove('shown')")
    return page


def take(browser: Browser, address: str, target: Path, width: int, height: int = 0, *, dark: bool = False) -> None:
    """Write a picture of a page."""
    page = opened(browser, address, width, height, dark=dark)
    page.screenshot(path=target, full_page=not height)
    page.context.close()


def print_memo(browser: Browser, address: str, target: Path, paper: str, pages: int) -> None:
    """Write the memo as it prints: its first pages side by side below each other, `target` with the number of the page in its name."""
    tool = shutil.which("pdftoppm")
    if tool is None:
        raise SystemExit("poppler-utils is not installed here: the memo is not printed")
    page = opened(browser, address + PAGES["memo"], 1280, 0, dark=False)
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "memo.pdf"
        page.pdf(path=pdf, format=paper)
        single = ["-singlefile"] if pages == 1 else []
        subprocess.run([tool, "-png", "-r", "80", "-l", str(pages), *single, str(pdf), str(target.with_suffix(""))], check=True)
    page.context.close()


def shoot(folder: Path | None, **options: Any) -> None:
    """Take the pictures of the docs, or all into a folder."""
    with tempfile.TemporaryDirectory() as place, browsing() as browser, serving(Path(place)) as address:
        if folder is None:
            for name, (page, width, height, dark) in SHOWN.items():
                take(browser, address + PAGES[page], DOCS / f"{name}.png", width, height, dark=dark)
            displaced = opened(browser, address + PAGES["displaced"], 1280, 900, dark=False)
            displaced.locator(".g-displaced summary").click()
            displaced.locator(".g-displaced").screenshot(path=DOCS / "displaced.png")
            known = opened(browser, address + PAGES["when-known"], 1000, 900, dark=True)
            known.locator(".sides").screenshot(path=DOCS / "known-dark.png")
            print_memo(browser, address, DOCS / "memo-letter.png", "Letter", 1)
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in PAGES.items():
            if options.get("only") and name not in options["only"]:
                continue
            for size, width in WIDTHS.items():
                for dark in (False, True):
                    take(browser, address + path, folder / f"{name}-{size}{'-dark' if dark else ''}.png", width, dark=dark)
        for paper in ("A4", "Letter"):
            print_memo(browser, address, folder / f"memo-{paper}.png", paper, 20)


if __name__ == "__main__":
    shoot(Path(sys.argv[1]) if len(sys.argv) > 1 else None, only=set(sys.argv[2:]))
