"""The journeys of a broker in a real browser: with a script and without, on a phone and a wide screen, in light, dark and on paper."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.page.asks import CABLE, permalink
from tests.page.browser import REQUIRED, browsing, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route

PAGES = {
    "ask": "/",
    "wrong": "/line?hts=1&origin=Narnia&value=x",
    "answer": permalink(CABLE),
    "entry": permalink(CABLE, **{"2.hts": "6403.99.60.15", "2.origin": "VN", "2.value": "2500"}),
    "split": permalink({**CABLE, "copper_content_value": "4000", "us_content_value": "2500"}),
    "released": permalink(
        {"hts": "6109.10.00.12", "origin": "IT", "value": "300", "entry_date": "2025-03-01", "mode": "air", "de_minimis_claimed": True}
    ),
    "find": "/line/find?q=8544.42",
    "found nothing": "/line/find?q=copper",
    "when": permalink(CABLE, "when", have="steps"),
    "else": permalink(CABLE, "else", origins="Vietnam", dates="2026-03-01"),
    "claims": permalink(CABLE, "else"),
    "else wrong": permalink(CABLE, "else", origins="Narnia", dates="someday"),
    "memo": permalink(CABLE, "memo"),
    "programs": "/browse/programs",
    "program": "/browse/programs/s232-copper",
    "headings": "/browse/headings?q=copper",
    "no heading": "/browse/headings?q=zebra",
    "heading": "/browse/headings/9903.01.24",
    "lists": "/browse/lists",
    "rows": "/browse/lists/s232_copper_2025",
    "acts": "/browse/acts?q=copper",
    "rulebooks": "/browse/rulebooks",
    "refused": "/browse/headings/9903.01.99",
    "refused view": permalink({**CABLE, "hts": "0000.00.00.00"}, "when"),
}
EVERY = os.environ.get("HYPOTHESIS_PROFILE", "default") != "default"  # by default a few pages are looked at, in light, on a phone
SOME = PAGES if EVERY else {name: PAGES[name] for name in ("wrong", "answer")}
Opened = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001  without a browser no server
    with serving(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Opened]:
    """Return what opens a page; at the end nothing may have failed in it, and nobody else may have been asked for anything."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def told(text: str) -> None:
        if "Failed to load resource" not in text:  # pages that tell of a problem have its status
            wrong.append(text)

    def open_(path: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: told(message.text) if message.type in {"error", "warning"} else None)
        page.on("request", lambda request: None if request.url.startswith((address, "blob:")) else wrong.append(request.url))
        page.set_default_timeout(60_000)
        page.goto(address + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def becomes(where: Locator, text: str) -> None:
    """Wait until an element shows a text."""
    from playwright.sync_api import expect  # noqa: PLC0415  not everybody who runs the other tests has it

    expect(where).to_have_text(text)


def fill(page: Page) -> None:
    """Fill in the form as a person does."""
    page.get_by_label("HTS number").fill("8544.42.90.90")
    page.get_by_label("Country of origin").fill("China")
    page.get_by_label("Entered value").fill("$10,000")
    page.get_by_label("Entry date").fill("2025-08-15")
    page.get_by_label("Mode of transport").select_option("ocean")
    page.get_by_role("button", name="Show the duty").click()


@pytest.mark.parametrize("width", [390, 800, 1440] if EVERY else [1280])
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_ask_answer_a_question_and_hand_on(opened: Opened, address: str, width: int, *, script: bool) -> None:
    page = opened("/", java_script_enabled=script, viewport={"width": width, "height": 900})
    if script:
        page.evaluate("window.same = true")
    fill(page)
    page.wait_for_selector("#total")
    assert page.url == address + permalink(CABLE)
    assert page.locator(".hero .sum").inner_text() == "$9,807.14"
    question = page.get_by_label("Copper content value")
    question.fill("0")
    if script:
        question.press("Tab")  # leaving the field answers it
        becomes(page.locator(".hero .sum"), "$5,807.14")
        assert page.evaluate("window.same") is True, "the page was never loaded anew"
        assert page.evaluate("document.activeElement !== document.body"), "the keyboard stays where it was"
        assert "$5,807.14" in page.locator("#status").inner_text()
    else:
        page.locator("#questions").get_by_role("button", name="Update the answer").click()
        assert page.locator(".hero .sum").inner_text() == "$5,807.14"
    assert "copper_content_value=0" in page.url
    page.get_by_role("link", name="Memo", exact=True).click()
    page.wait_for_selector(".memo")
    assert "Copper content value" in page.locator(".memo").inner_text()


def test_on_a_phone_the_total_comes_first_and_the_facts_are_a_touch_away(opened: Opened) -> None:
    page = opened("/", viewport={"width": 390, "height": 800}, has_touch=True)
    fill(page)
    becomes(page.locator(".hero .sum"), "$9,807.14")
    assert page.get_by_label("HTS number").is_hidden()
    assert page.evaluate("document.querySelector('.hero').getBoundingClientRect().bottom") < 800
    page.get_by_text("Change the facts").tap()
    page.get_by_label("Entered value").fill("20000")
    page.locator("#ask").get_by_role("button", name="Update the answer").tap()
    becomes(page.locator(".split strong").first, "$19,520.00")


def test_recent_lines_are_remembered_by_this_browser_until_it_is_told_to_forget(opened: Opened, address: str) -> None:
    page = opened("/")
    assert page.locator("#recent").is_hidden()
    fill(page)
    page.wait_for_selector("#total")
    page.goto(address + "/")
    assert page.locator("#recent li").all_inner_texts() == ["8544.42.90.90 of China, $10,000, entered 2025-08-15: $9,807.14"]
    page.get_by_label("HTS number").focus()
    assert page.locator("#numbers option").evaluate_all("all => all.map((one) => one.value)") == ["8544.42.90.90"]
    page.get_by_role("button", name="Forget them").click()
    assert page.locator("#recent").is_hidden()
    page.evaluate("localStorage.setItem('tariff.recent', JSON.stringify([{address: 'javascript:alert(1)', words: 'x'}, 7, null]))")
    page.reload()
    assert page.locator("#recent").is_hidden(), "what no answer of ours put there is not shown"


def test_numbers_are_suggested_while_one_types(opened: Opened) -> None:
    page = opened("/")
    # "85" may have been answered before the rest was typed: what counts is what stands there in the end.
    page.get_by_label("HTS number").press_sequentially("8544.42")
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('#numbers option')];"
        " return all.length > 0 && all.every((one) => one.value.startsWith('8544.42')); }"
    )


def test_a_late_suggestion_does_not_replace_a_newer_one(opened: Opened) -> None:
    page = opened("/")
    held: list[Route] = []
    page.route(re.compile(r"/line/numbers\?q=85$"), lambda route: held.append(route))  # noqa: PLW0108  it marks what it is given
    number = page.get_by_label("HTS number")
    with page.expect_request(re.compile(r"q=85$")):
        number.press_sequentially("85")
    number.press_sequentially("44.42")
    page.wait_for_selector("#numbers option[value^='8544.42']", state="attached")
    with page.expect_response(re.compile(r"q=85$")):
        held.pop().fulfill(json=[{"hts": "8501.10.20.00", "says": "late"}])
    page.wait_for_timeout(200)
    assert page.locator("#numbers option[label='late']").count() == 0


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_what_is_wrong_is_told_beside_its_field(opened: Opened, *, script: bool) -> None:
    page = opened("/", java_script_enabled=script)
    page.get_by_label("HTS number").fill("12")
    page.get_by_label("Country of origin").fill("<b>Narnia</b>")
    page.get_by_role("button", name="Show the duty").click()
    page.wait_for_selector("[aria-invalid=true]")
    assert page.get_by_label("Country of origin").input_value() == "<b>Narnia</b>"
    assert page.locator("b").count() == 0
    if script:
        assert page.evaluate("document.activeElement.name") == "hts", "the first field to put right has the keyboard"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_the_days_come_in_stages_by_script_or_by_link(opened: Opened, address: str, *, script: bool) -> None:
    line = {"hts": "6403.99.60.15", "origin": "VN" if script else "TH", "value": "2500", "entry_date": "2026-03-01", "mode": "air"}
    page = opened(permalink(line), java_script_enabled=script)
    page.get_by_role("link", name="When", exact=True).click()
    while not script and page.locator(".waiting").count():
        page.locator(".waiting a").click()
    page.wait_for_selector(".waiting", state="detached")
    assert page.locator(".no.off").count() >= 1, "what was announced and withdrawn is there"
    if script:
        assert page.url == address + permalink(line, "when"), "the address is the permalink, whatever stage was shown"


def test_back_leads_to_the_answer_before(opened: Opened) -> None:
    page = opened(permalink(CABLE))
    page.get_by_label("Copper content value").fill("0")
    page.get_by_label("Copper content value").press("Tab")
    becomes(page.locator(".hero .sum"), "$5,807.14")
    page.go_back()
    becomes(page.locator(".hero .sum"), "$9,807.14")


def test_every_verdict_opens_with_the_keyboard(opened: Opened) -> None:
    page = opened(permalink(CABLE))
    first = page.locator(".verdict summary").first
    first.focus()
    first.press("Enter")
    assert page.locator(".verdict").first.get_attribute("open") is not None
    assert "Decided by" in page.locator(".verdict").first.inner_text()


def test_the_table_and_the_link_can_be_copied(opened: Opened, address: str) -> None:
    page = opened(permalink(CABLE))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the table").click()
    page.wait_for_selector(".status.shown")
    rows = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert [row.split("\t")[0] for row in rows] == ["Number", "9903.88.03", "9903.01.24", "9903.01.33", "9903.78.01", "8544.42.90.90"]
    page.get_by_role("button", name="Copy the link").click()
    becomes(page.locator("#status"), "The link is copied")
    assert page.evaluate("navigator.clipboard.readText()") == address + permalink(CABLE)


@pytest.mark.parametrize("scheme", ["light", "dark"] if EVERY else ["light"])
def test_no_page_breaks_a_rule_of_accessibility(opened: Opened, address: str, scheme: Any) -> None:
    page = opened("/", color_scheme=scheme)
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # noqa: PLC0415  not everybody has it

    found = {}
    for name, path in SOME.items():
        page.goto(address + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        results = Axe().run(page)
        if results.violations_count:
            found[name] = [
                (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][:300])
                for one in results.response["violations"]
            ]
    assert found == {}


@pytest.mark.parametrize("width", [360, 800, 1600] if EVERY else [360])
def test_no_page_is_wider_than_the_screen(opened: Opened, address: str, width: int) -> None:
    page = opened("/", viewport={"width": width, "height": 800})
    for name, path in SOME.items():
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        small = page.evaluate(
            "[...document.querySelectorAll('main p, main td, main li')].some((one) => parseFloat(getComputedStyle(one).fontSize) < 11)"
        )
        assert not small, name


@pytest.mark.parametrize("paper", ["A4", "Letter"] if EVERY else ["A4"])
def test_the_memo_prints_on_paper(opened: Opened, tmp_path: Path, paper: str) -> None:
    page = opened(permalink(CABLE, "memo"))
    target = tmp_path / "memo.pdf"
    page.pdf(path=target, format=paper, prefer_css_page_size=False, print_background=False)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", target.read_bytes())) <= 8
    tool = shutil.which("pdftotext")
    if tool is None:
        assert not REQUIRED, "poppler-utils is not installed here, so nobody read what was printed"
        return
    text = subprocess.run([tool, "-layout", str(target), "-"], capture_output=True, text=True, check=True).stdout
    assert "Duty assessment memo" in text
    assert "sha256:" in text
    assert "How to replay this answer" in text
    assert "Update the answer" not in text


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=\"document.title='pwned'\">",
        *(["\"><script>document.title='pwned'</script>", "'-document.write(1)-'", "{{7*7}}"] if EVERY else []),
    ],
    ids=str,
)
def test_hostile_text_runs_nothing(opened: Opened, address: str, text: str) -> None:
    from urllib.parse import quote  # noqa: PLC0415

    page = opened("/")
    sent = quote(text, safe="")
    for path in (
        f"/line?hts={sent}&origin={sent}&value={sent}&mode={sent}&spi={sent}",
        f"/line/1234?origin={sent}",
        f"/browse/lists?q={sent}",
        f"/browse/headings?q={sent}",
    ):
        page.goto(address + path)
        assert "pwned" not in page.title()
        assert page.locator("main img").count() == 0
    page.goto(address + "/")
    page.get_by_label("HTS number").fill(text)
    page.get_by_label("Special program").fill(text)
    page.get_by_role("button", name="Show the duty").click()
    page.wait_for_selector("[aria-invalid=true]")
    assert page.get_by_label("HTS number").input_value() == text
    assert "pwned" not in page.title()
