"""A law book without one of its programs: its file, and the lists, acts, facts, groups and printed headings that it alone names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.coverage import held
from tariff_engine.notation.link import mentions
from tariff_engine.notation.model import BookFile, Facts
from tariff_engine.problems import refuse
from tariff_service.drafts import PRINTED
from tariff_service.explaining import not_found

if TYPE_CHECKING:
    from tariff_engine.book import Book

_KINDS = {"instrument": "instruments.yaml", "fact": "facts.yaml", "origin": "origins.yaml"}


def take_out(folder: Path, book: Book, program: str) -> list[str]:
    """Take a program out of a folder of rules; return the files that changed.

    Raises ProblemError: no such program, or other rules name its provisions.
    """
    paths = [path for path in book.files if path.startswith("programs/") and path.endswith(".yaml")]
    files = dict(zip([one.program for one in book.programs], paths, strict=True))
    if program not in files:
        raise not_found("unknown_program", "--without", program, files, "`tariff rules list` names every program")
    own = next(one for one in book.programs if one.program == program)
    others: list[Any] = [one for one in book.programs if one.program != program]
    others += [book.relations, BookFile(edition=book.edition, horizon=book.horizon, absent=book.absent)]
    others += [Facts(facts=book.facts, slices=book.slices, contradictions=book.contradictions), list(_members(book))]
    mine, theirs = _named(own), _named(others)
    nodes = {node.id for node in book.nodes.values() if node.program.program == program}
    tied = next((ref for kind, ref in theirs if kind == "ref" and nodes & set(book.refs.get(ref, ()))), None)
    if tied is not None:
        message = f"other rules name {tied}, which is of {program}"
        raise refuse("program_in_use", "--without", message, "take those rules out first")
    alone = mine - theirs
    lists = {ref.removeprefix("list:").partition(" ")[0] for kind, ref in mine if kind == "list"}
    kept = {ref.removeprefix("list:").partition(" ")[0] for kind, ref in theirs if kind == "list"}
    rows = [row for name in lists - kept for row in book.tables[name].rows]
    used = {act for name in kept for row in book.tables[name].rows for act in (row.by, row.withdrawn_by)}
    alone |= {("instrument", act) for row in rows for act in (row.by, row.withdrawn_by) if act and ("instrument", act) not in theirs}
    changed = [files[program], *(f"lists/{name}.csv" for name in sorted(lists - kept))]
    for path in changed:
        (folder / path).unlink()
    for kind, path in _KINDS.items():
        names = {name.removeprefix("group:") for what, name in alone if what == kind and name not in used}
        names = {name for name in names if kind != "origin" or name in book.groups}
        if names and _without_entries(folder / path, names):
            changed.append(path)
    if _without_headings(folder / PRINTED, book, program):
        changed.append(PRINTED)
    return changed


def _named(models: Any) -> set[tuple[str, str]]:
    return {(kind, value) for _, kind, value in mentions(models, ())}


def _members(book: Book) -> Iterator[Any]:
    for members in book.groups.values():
        yield from (one for one in members if not isinstance(one, str))


def _without_entries(path: Path, names: set[str]) -> bool:
    """Take entries of two blanks' indentation out of a file, each with the deeper lines below it."""
    kept: list[str] = []
    inside = False
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        entry = re.match(r"  ([^\s:#][^:]*):", line)
        if entry is not None:
            inside = entry[1].strip("\"'") in names
        elif not line.startswith("   "):
            inside = False
        if not inside:
            kept.append(line)
    path.write_text("\n".join(kept) + "\n", encoding="utf-8", newline="")
    return kept != lines


def _without_headings(path: Path, book: Book, program: str) -> bool:
    """Take the headings that only this program holds out of the list of what the official text prints."""
    if not path.is_file():
        return False
    gone = {heading for heading, programs in held(book).items() if programs == {program}}
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(",")[0] not in gone]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8", newline="")
    return kept != lines
