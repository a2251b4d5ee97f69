"""The documentation as a site: whole, without a dead link, the same bytes each time, and nothing in it is fetched from elsewhere.

The default profile builds the written pages with one program of the law book; `HYPOTHESIS_PROFILE=ci` builds all of it.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tariff_engine.book import Book
from tariff_service import rulebook
from tariff_service.site import lawbook
from tariff_service.site.markdown import Addresses, plain, slug, table
from tariff_service.site.pages import readable

ROOT = Path(__file__).resolve().parents[2]
ALL = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"
_LINK = re.compile(r"\]\(([^)]+)\)")
_FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data", "use": "href"}


@cache
def book() -> Book:
    return rulebook.open_book(None)


def built(into: Path, program: str = "") -> Path:
    """Build the site, as `run.py docs` does."""
    own = [str(ROOT / name) for name in ("rules", "engine", "service")]
    paths = os.pathsep.join([*own, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "SOURCE_DATE_EPOCH": "0", "NO_MKDOCS_2_WARNING": "1", "TARIFF_SITE_PROGRAM": program}
    command = [sys.executable, "-P", "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(into)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-3000:]
    return into


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("site"), "" if ALL else "ieepa-canada")


class Page(HTMLParser):
    """What a page links to, fetches and can be linked at."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if found.get(_FETCHED.get(tag, "")):
            self.fetched.append(found[_FETCHED[tag]])


@cache
def page(path: Path) -> Page:
    found = Page()
    found.feed(path.read_text(encoding="utf-8"))
    return found


# ---------------------------------------------------------------- the law book
def test_no_two_names_have_one_page() -> None:
    assert lawbook.check_names(book()) == []


def test_every_program_and_every_heading_has_its_page() -> None:
    made = lawbook.pages(book())
    programs = {f"lawbook/programs/{slug(one.program)}.md" for one in book().programs}
    headings = {f"lawbook/headings/{slug(node.heading or node.id)}.md" for node in book().nodes.values()}
    for node in book().nodes.values():
        for ref in node.provision.table or ():
            headings |= {f"lawbook/headings/{slug(row['heading'])}.md" for row in book().tables[ref].rows if row["heading"]}
    assert len(programs) == len(book().programs) >= 39
    assert len(headings) > 700
    assert (programs | headings) - made.keys() == set()


@pytest.mark.parametrize("program", [one.program for one in book().programs] if ALL else ["ieepa-canada", "s232-wood"])
def test_pages_of_the_law_book_link_to_pages_that_are_made(program: str) -> None:
    everything = {*lawbook.pages(book()), "accuracy.md"}
    for place, make in lawbook.pages(book(), program).items():
        for target in _LINK.findall(make()):
            if not target.startswith(("https://", "#")):
                assert posixpath.normpath(posixpath.join(posixpath.dirname(place), target.partition("#")[0])) in everything, (place, target)


def test_the_page_of_a_heading_tells_its_steps_acts_exceptions_and_doubts() -> None:
    text = lawbook.pages(book())["lawbook/headings/9903-01-10.md"]()
    for told in (
        "**Products of Canada pay an additional duty on their full value.**",
        '| <span class="day">2025-02-04</span> |  | <del>adds 25%</del> withdrawn |',
        "withdrawn by [EO 14197, 90 FR 9183](../acts.md#eo-14197) of 2025-02-03",
        '| <span class="day">2025-08-01</span> |  | adds 35% |',
        "- [9903.01.16](9903-01-16.md) (US note 2(m))",
        "## What every act did",
    ):
        assert told in text
    assert "with **medium** confidence" in lawbook.pages(book())["lawbook/headings/9903-01-13.md"]()


def test_a_number_of_a_table_tells_its_rows_and_leads_to_the_provision() -> None:
    text = lawbook.pages(book())["lawbook/headings/9903-02-20.md"]()
    assert "[family:reciprocal-country-rate](family-reciprocal-country-rate.md)" in text
    assert "rate 15%" in text


def test_the_page_of_a_program_has_its_examples_and_lists() -> None:
    text = lawbook.pages(book())["lawbook/programs/ieepa-canada.md"]()
    assert "| Footwear on the first day, 25%. |" in text
    assert "$3350.00 | EO 14197 s.3(a) |" in text
    assert "../lists/canada-mexico-energy-potash.md" in text


def test_every_doubt_of_the_book_is_among_the_doubts() -> None:
    text = lawbook.pages(book())["lawbook/doubts.md"]()
    doubted = [node for node in book().nodes.values() if node.provision.confidence and node.provision.confidence.level != "high"]
    assert doubted
    assert all(f"[{node.id}](" in text for node in doubted)


# ---------------------------------------------------------------- words
def test_words_of_the_law_are_no_markup() -> None:
    assert plain("a *b* _c_ <d> [e](f) | g # h") == "a &#42;b&#42; &#95;c&#95; &#60;d&#62; &#91;e&#93;(f) &#124; g &#35; h"
    assert table(("a",), []) == ""
    places = Addresses({"9903.01.10": "x/9903-01-10.md", "9903.01.14/in-transit": "x/9903-01-14.md#in-transit"})
    assert places.told("y/z.md", "as 9903.01.10 and 9903.99.99") == "as [9903.01.10](../x/9903-01-10.md) and 9903.99.99"
    assert places.link("x/9903-01-14.md", "9903.01.14/in-transit") == "[9903.01.14/in-transit](#in-transit)"


def test_written_pages_read_alike_on_a_git_host_and_on_the_site() -> None:
    text = "Words\n- one\n- two\n\n```\nWords\n- code\n```\n## Head\n    code\nsee [examples](../examples/README.md), [changes](../CHANGELOG.md)\n"
    mended = readable(text, "page.md")
    assert "Words\n\n- one\n- two" in mended
    assert "```\nWords\n- code\n```" in mended
    assert "## Head\n\n    code" in mended
    assert "see examples (`examples/README.md`), [changes](changelog.md)" in mended
    assert readable("[start](../index.md)", "start/broker.md") == "[start](../index.md)"


# ---------------------------------------------------------------- the built site
def test_links_and_anchors_lead_somewhere(site: Path) -> None:
    dead = []
    for path in sorted(site.rglob("*.html")):
        for link in page(path).links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if path.name == "404.html" or (not ALL and "lawbook" in f"{path.relative_to(site)} {parts.path}"):
                continue  # a part of the book is not there to be linked to
            lost = parts.fragment and target.suffix == ".html" and target.exists() and unquote(parts.fragment) not in page(target).anchors
            if lost or not target.is_file():
                dead.append((str(path.relative_to(site)), link))
    assert dead == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        outside = [place for place in page(path).fetched if urlsplit(place).scheme not in {"", "data"} or place.startswith("//")]
        assert outside == [], path
    for path in [*site.rglob("*.css"), *(site / "assets").rglob("iframe-worker.js")]:
        assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", path.read_text(encoding="utf-8")), path


def test_written_pages_and_the_made_ones_are_all_there(site: Path) -> None:
    written = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    made = [
        "api.html",
        "openapi.json",
        "changelog.html",
        "contributing.html",
        "decisions/index.html",
        "lawbook/index.html",
        "search/search_index.js",
    ]
    assert [name for name in [*map(str, written), *made] if not (site / name).is_file()] == []
    pages = (
        lawbook.pages(book())
        if ALL
        else [name for name in lawbook.pages(book(), "ieepa-canada") if "9903-01" in name or "programs/" in name]
    )
    assert [name for name in pages if not (site / name).with_suffix(".html").is_file()] == []


@pytest.mark.skipif(not ALL, reason="HYPOTHESIS_PROFILE=ci builds the site a second time")
def test_the_same_documents_make_the_same_bytes(site: Path, tmp_path: Path) -> None:
    again = built(tmp_path / "again")
    names = sorted(str(path.relative_to(site)) for path in site.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
    assert [name for name in names if (site / name).read_bytes() != (again / name).read_bytes()] == []
