"""The difference of two law books as a lawyer reads it: in lines for a terminal, and as Markdown for a memo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

Data = Mapping[str, Any]
_MOST = 12  # sentences of one aspect that are told one by one
_KINDS = {
    "act": "Acts",
    "program": "Programs",
    "provision": "Provisions",
    "list": "Lists of products and rates",
    "relation": "The order among duties",
    "origins": "Groups of origins",
    "fact": "Questions and facts",
    "frame": "The book as a whole",
    "file": "Other tables",
}
_WHAT = {"added": "new", "ended": "ended", "removed": "taken out", "changed": "changed"}


def diff_lines(found: Data) -> Iterator[tuple[int, str]]:
    """Yield the difference line by line, each with its depth: 0 a kind, 1 a thing, 2 a sentence."""
    old, new = found["from"], found["to"]
    yield 0, f"From edition {old['edition']} (law read up to {old['horizon']}) to edition {new['edition']} (up to {new['horizon']})"
    yield 1, f"{old['id']} -> {new['id']}"
    if not found["changes"]:
        yield 1, "the same in law"
    for kind, changes in groupby(found["changes"], key=lambda one: str(one["kind"])):
        yield 0, f"{_KINDS[kind]}: {_counted(found['counts'][kind])}"
        for change in changes:
            program = f" ({change['program']})" if kind == "provision" else ""
            yield 1, f"{change['name']}{program} {_WHAT[change['what']]}: {change['says']}"
            if kind == "act" and change["what"] != "changed":
                continue
            for _, details in groupby(change["details"], key=lambda one: str(one["aspect"])):
                yield from ((2, line) for line in _details(list(details), found["acts"]))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[what]:,} {word}" for what, word in _WHAT.items() if counts.get(what))


def _details(details: Sequence[Data], acts: Data) -> Iterator[str]:
    for detail in details[:_MOST]:
        before, after, aspect = detail["before"], detail["after"], detail["aspect"]
        if before is None:
            words = f"{aspect}, new: {after}"
        elif after is None:
            words = f"{aspect}, gone: {before}"
        else:
            words = f"{aspect}: {after}; was: {before}"
        yield words + _source(detail, acts)
    if len(details) > _MOST:
        yield f"{details[0]['aspect']}: and {len(details) - _MOST:,} more"


def _source(detail: Data, acts: Data) -> str:
    """Return who says so: the citations, and the acts by their own citations where these do not say the same."""
    said = list(dict.fromkeys(detail["cites"]))
    said += [acts[name]["cite"] for name in detail["acts"] if name in acts and not any(acts[name]["cite"] in cite for cite in said)]
    return f" [{'; '.join(said)}]" if said else ""


def diff_text(found: Data) -> str:
    """Return the difference as plain text."""
    lines: list[str] = []
    for depth, words in diff_lines(found):
        if depth == 0 and lines:
            lines.append("")
        lines.append(f"{'  ' * depth}{'- ' if depth == 2 else ''}{words}")  # noqa: PLR2004
    return "\n".join(lines) + "\n"


def diff_markdown(found: Data) -> str:
    """Return the difference as Markdown: a heading a kind, a bullet a thing, its sentences below it."""
    lines: list[str] = ["# What changed in the law book", ""]
    for depth, words in diff_lines(found):
        text = _escaped(words)
        if depth == 0:
            lines += ["", f"## {text}", ""] if len(lines) > 2 else [f"{text}", ""]  # noqa: PLR2004
        else:
            lines.append(f"{'  ' * (depth - 1)}- {text}")
    return "\n".join(lines) + "\n"


def _escaped(words: str) -> str:
    """Return words in which nothing is taken for Markdown or HTML."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>#|" else mark for mark in words.replace("\n", " "))
