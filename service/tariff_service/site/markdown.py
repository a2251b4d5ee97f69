"""Markdown of generated pages: text that cannot be taken for markup, tables, and links between pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence

_MARKUP = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]<>|#~&"}
_NUMBER = re.compile(r"\b99\d\d\.\d\d\.\d\d(?:/[a-z0-9-]+)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OTHER = re.compile(r"[^a-z0-9]+")


def plain(words: object) -> str:
    """Return text as it is, whatever signs are in it; line ends become spaces."""
    return " ".join(str(words).split()).translate(_MARKUP)


def slug(name: str) -> str:
    """Return a name as part of an address."""
    return _OTHER.sub("-", name.lower()).strip("-")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already, days unbroken; nothing where there are no rows."""
    lines = [f"| {' | '.join(map(_unbroken, cells))} |" for cells in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |", *lines])


def _unbroken(cell: str) -> str:
    return f'<span class="day">{cell}</span>' if _DAY.fullmatch(cell) else cell


def page(*parts: str) -> str:
    """Return a page: its parts with a blank line between them, empty ones left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def unsearched(text: str) -> str:
    """Return a page that the search of the site leaves out."""
    return f"---\nsearch:\n  exclude: true\n---\n\n{text}"


class Addresses:
    """Where the pages of programs, headings, lists and acts are; links from one page to another."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Take the page, with its anchor, of each name: `9903.01.10`, `9903.01.14/in-transit`, `program:NAME`, `list:NAME`, `act:ID`."""
        self._places = places

    def __contains__(self, name: str) -> bool:
        """Whether something of that name has a page."""
        return name in self._places

    def link(self, here: str, name: str, words: str | None = None) -> str:
        """Return a link to what has a name, from the page `here`; the words alone where it has no page."""
        shown = plain(name if words is None else words)
        place = self._places.get(name)
        if place is None:
            return shown
        file, sign, anchor = place.partition("#")
        way = "" if file == here and sign else posixpath.relpath(file, posixpath.dirname(here))
        return f"[{shown}]({way}{sign}{anchor})"

    def told(self, here: str, words: object) -> str:
        """Return a sentence in which every number that has a page is a link to it."""
        text = plain(words)
        return _NUMBER.sub(lambda found: self.link(here, found[0]) if found[0] in self else found[0], text)
