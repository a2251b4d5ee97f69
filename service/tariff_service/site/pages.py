"""All pages that are made, by their places among the documents, and what written pages need so that every reader of Markdown agrees."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tariff_service.output import encode
from tariff_service.site import lawbook
from tariff_service.site.markdown import page

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.engine import Engine

_BLOCK = re.compile(r"(- |\d+\. |\|)")  # the first line of a list or a table
_OUTSIDE = re.compile(r"\[([^\[\]]{1,300})\]\((?:\.\./){1,9}([^)#\s]{1,200})(?:#[^)\s]{0,200})?\)")
_ROOT = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
_DECISION = re.compile(r"^# (\d{4}): (.+)$", re.MULTILINE)


def made(book: Book, engine: Engine, root: Path, only: str | None = None) -> dict[str, Callable[[], str]]:
    """Return how to make each page that nobody writes; with `only`, the law book of one program alone."""
    from tariff_service.site import api_page  # noqa: PLC0415  the web framework is only needed where the page is made

    found: dict[str, Callable[[], str]] = dict(lawbook.pages(book, only))
    found["api.md"] = lambda: api_page.api_page(api_page.openapi(engine))
    found["openapi.json"] = lambda: encode(api_page.openapi(engine), indent=2).decode()
    found["decisions/index.md"] = lambda: _decisions(root / "docs" / "decisions")
    for name, place in _ROOT.items():
        found[place] = lambda name=name: _from_root((root / name).read_text(encoding="utf-8"))  # type: ignore[misc]  # the file of this turn
    return found


def readable(text: str, here: str) -> str:
    """Return a written page as every reader of Markdown takes it: a blank line before lists and tables, links into the checkout as names.

    A git host shows the files themselves; the site has only pages, so a link to a file beside the documents becomes its path.
    """
    text = _OUTSIDE.sub(lambda found: _outside(found, here), text)
    lines: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        before = lines[-1] if lines else ""
        follows = before and not before.startswith((" ", "|", "#")) and not _BLOCK.match(before)
        code = line.startswith("    ") and before.startswith("#")
        if not fenced and ((follows and _BLOCK.match(line)) or code):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _outside(found: re.Match[str], here: str) -> str:
    words, target = found[1], found[2]
    depth = here.count("/")
    if target in _ROOT:
        return f"[{words}]({'../' * depth}{_ROOT[target]})"
    if (found[0].count("../") <= depth and not target.startswith("examples")) or target.endswith(".png"):
        return found[0]  # within the documents
    return f"`{target}`" if words == target else f"{words} (`{target}`)"


def _from_root(text: str) -> str:
    """Return a page of the root of the checkout, its links to documents as they are from among them."""
    text = re.sub(r"\]\(docs/([^)]+)\)", lambda found: f"]({_index(found[1])})", text)
    text = re.sub(r"\]\((CHANGELOG|CONTRIBUTING)\.md([^)]*)\)", lambda found: f"]({found[1].lower()}.md{found[2]})", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#|[a-z/-]+\.md)([^)]+)\)", r"\1 (`\2`)", text)


def _index(place: str) -> str:
    return place if place.rpartition("/")[2].count(".") else f"{place.rstrip('/')}/index.md"


def _decisions(folder: Path) -> str:
    items = []
    for file in sorted(folder.glob("[0-9]*.md")):
        found = _DECISION.search(file.read_text(encoding="utf-8"))
        items.append(f"- [{found[1]}: {found[2]}]({file.name})" if found else f"- [{file.stem}]({file.name})")
    return page("# Decisions", "Why things are as they are, in the order in which it was decided.", "\n".join(items))
