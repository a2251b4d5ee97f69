"""Open a rulebook: the one that is installed, or a folder of rules, with its compiled law from the cache where it is there."""

from __future__ import annotations

import tempfile
from datetime import date
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from tariff_engine.engine import Engine
from tariff_engine.law import Law
from tariff_engine.problems import refuse
from tariff_rules import ROOT
from tariff_service.law_cache import LawCache, cache_folder, rule_files, without_collecting

if TYPE_CHECKING:
    from tariff_engine.book import Book


def rules_root(folder: Path | None) -> Traversable:
    """Return the folder of rules that was asked for, or the installed one. Raises ProblemError if it is no folder of rules."""
    if folder is None:
        return ROOT
    if not folder.is_dir():
        raise refuse("rules_missing", "--rules", f"{folder} is no folder", "name a folder that holds book.yaml")
    if not (folder / "book.yaml").is_file():
        raise refuse(
            "rules_missing", "--rules", f"{folder} holds no book.yaml", "name a folder of rules, such as a copy of rules/tariff_rules"
        )
    return folder


def snapshot(folder: Path | None) -> Path:
    """Copy the rule files into a new private folder, which the caller removes.

    Whoever serves for a long time answers from a copy: files that are edited meanwhile must not mix with the law that is in use.
    Raises ProblemError where there are no rules.
    """
    root = rules_root(folder)
    target = Path(tempfile.mkdtemp(prefix="tariff-rules-"))
    for name, file in rule_files(root):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.read_bytes())
    return target


def open_book(folder: Path | None) -> Book:
    """Read a rulebook from its files. Raises ProblemError and RulebookError."""
    from tariff_engine.notation.load import load_book  # noqa: PLC0415  a law from the cache needs no reader of rules

    return load_book(rules_root(folder))


def open_engine(folder: Path | None, *, keep: int = 0) -> Engine:
    """Return the engine of a rulebook, which keeps the law of so many earlier knowledge days in memory (0: of all that are asked for).

    Raises ProblemError here, and RulebookError when the law is first asked for.
    """
    root = rules_root(folder)
    place = cache_folder()
    kept = None if place is None else LawCache.of(place, root)
    book = cache(lambda: open_book(folder))
    first: list[Law] = []  # what does not depend on what was known, such as the tables of base rates, is shared with it

    def load(known_on: date) -> Law:
        law = kept.load(known_on) if kept else None
        if law is None:
            from tariff_engine.build import build_law, refit_law  # noqa: PLC0415  a law from the cache needs no compiler

            with without_collecting():
                law = refit_law(first[0], book(), known_on) if first else build_law(book(), root, known_on)
            if kept:
                kept.store(law)
        if not first:
            first.append(law)
        return law

    return Engine(load, keep=keep)
