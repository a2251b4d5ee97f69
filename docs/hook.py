"""The hook of mkdocs: pages that are made from the rules and the program join those that are written."""
# ruff: noqa: INP001  mkdocs reads it by its path; documents are no package

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from tariff_service.rulebook import open_book, open_engine
from tariff_service.site import lawbook, pages

ROOT = Path(__file__).resolve().parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Add the made pages; TARIFF_SITE_PROGRAM=NAME keeps to one program of the law book, for a quick look."""
    book = open_book(None)
    only = os.environ.get("TARIFF_SITE_PROGRAM") or None
    if only:  # the rest of the book is not there to be linked to
        config.validation.links.not_found = logging.INFO
    for place, make in sorted(pages.made(book, open_engine(None), ROOT, only).items()):
        files.append(File.generated(config, place, content=make()))
    _navigate(config, files, book)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001  mkdocs calls it by these names
    """Mend what readers of Markdown take differently."""
    return pages.readable(markdown, page.file.src_uri) if page.file.generated_by is None else markdown


def _navigate(config: Any, files: Files, book: Any) -> None:
    """Name the programs below the law book, and put written pages that the navigation forgot under More."""
    places = {name: place for name, place in lawbook.programs(book).items() if files.get_file_from_path(place)}
    titles = {one.program: one.title for one in book.programs}
    for section in config.nav:
        if "The law book" in section:
            section["The law book"].append({"Programs": [{titles[name]: place} for name, place in places.items()]})
    told = str(config.nav)
    written = [file.src_uri for file in files.documentation_pages() if file.generated_by is None and file.inclusion.is_included()]
    rest = [place for place in written if f"'{place}'" not in told and not place.startswith("decisions/")]
    decisions = [place for place in written if place.startswith("decisions/")]
    for section in config.nav:
        if "Decisions" in section:
            section["Decisions"] += sorted(decisions)
    if rest:
        config.nav.append({"More": sorted(rest)})
