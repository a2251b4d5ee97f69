"""A draft of new law: the files it adds to a law book, laid out as the book is; how they become one book, and how they are merged for good.

Programs, lists and whole tables stand for themselves. In the files that all programs share (acts, facts, origins, relations) a draft
writes only what it adds, under the same keys; in chapter99.csv only its rows. So a draft can be read, checked and previewed alone.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from tariff_engine.problems import refuse
from tariff_service.law_cache import rule_files
from tariff_service.reading import decode, read_source

SHARED: Final = ("instruments.yaml", "facts.yaml", "origins.yaml", "relations.yaml", "coverage.yaml")
PRINTED: Final = "chapter99.csv"
_MAX_FILE: Final = 5_000_000
_MAX_FILES: Final = 500
_TOP: Final = re.compile(r"([a-z][a-z0-9_]*):(.*)\Z")
_PROGRAM: Final = re.compile(r"^program:", re.MULTILINE)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}\Z")


def read_draft(paths: Sequence[Path]) -> dict[str, str]:
    """Return the texts of a draft by their places in a law book. Raises ProblemError: nothing there, no rule file, one place twice."""
    found: dict[str, str] = {}
    for path in paths:
        for name, file in _files(path):
            text = decode(read_source(str(file), _MAX_FILE).data, str(file)).replace("\r\n", "\n").replace("\r", "\n")
            place = name or _place(file, text)
            if place in found:
                raise refuse("draft_unreadable", "DRAFT", f"two files of the draft are {place}", "give each file one place")
            found[place] = text
            if len(found) > _MAX_FILES:
                raise refuse("draft_unreadable", "DRAFT", f"the draft holds more than {_MAX_FILES} files", "name the files that are meant")
    if not found:
        raise refuse(
            "draft_unreadable", "DRAFT", "the draft holds no rule file", "name a folder that `tariff rules new` made, or its files"
        )
    return found


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the rule files of a folder with their places in it, or the one file without."""
    try:
        if not path.is_dir():
            yield "", path
            return
        for place, file in rule_files(path):
            if not isinstance(file, Path) or file.is_symlink():
                continue
            yield place, file
    except (OSError, ValueError) as error:
        raise refuse("draft_unreadable", "DRAFT", f"{str(path)[:200]} cannot be read: {error}", "name a folder or a file") from None


def _place(file: Path, text: str) -> str:
    """Return the place of a file that stands alone, by its name and what it holds."""
    name = file.name
    if not _NAME.match(name) or file.suffix not in {".yaml", ".csv"}:
        raise refuse("draft_unreadable", "DRAFT", f"{name[:100]} is no rule file", "name files that end in .yaml or .csv")
    if name in {*SHARED, PRINTED}:
        return name
    if file.suffix == ".csv":
        return f"lists/{name}"
    if not _PROGRAM.search(text):
        raise refuse(
            "draft_unreadable", "DRAFT", f"{name[:100]} is neither a program nor a file that programs share", "begin it with program: NAME"
        )
    parent = file.resolve().parent.name
    return f"programs/{parent}/{name}" if re.fullmatch(r"[a-z0-9_]+", parent) and parent != "programs" else f"programs/draft/{name}"


@contextmanager
def drafted(root: Traversable, draft: Mapping[str, str]) -> Iterator[Path]:
    """Give a folder that holds a law book with a draft merged into it. Raises ProblemError where a file cannot be merged."""
    folder = Path(tempfile.mkdtemp(prefix="tariff-draft-"))
    try:
        for name, file in rule_files(root):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read_bytes())
        merge(folder, draft)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def merge(folder: Path, draft: Mapping[str, str]) -> list[str]:
    """Write a draft into a folder of rules, and return what was written, file by file. Raises ProblemError, then nothing is written."""
    written = {}
    for place, text in sorted(draft.items()):
        path = folder / place
        if place in SHARED and path.is_file():
            written[place] = with_blocks(path.read_text(encoding="utf-8"), text, place)
        elif place == PRINTED and path.is_file():
            written[place] = with_rows(path.read_text(encoding="utf-8"), text)
        else:
            written[place] = text
    for place, text in written.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return list(written)


# ---------------------------------------------------------------- one file into another
def with_blocks(text: str, added: str, place: str) -> str:
    """Return a YAML file with what another adds under the same keys, at the end of each. Layout and comments of both are kept."""
    lines = text.splitlines()
    for key, rest, block in _blocks(added.splitlines()):
        if rest.strip() and not rest.strip().startswith("#"):
            fix = f"write {key}: alone in its line, and what is added below it, indented"
            raise refuse("draft_unreadable", place, f"{key} of the draft stands in one line with its value", fix)
        spans = {name: (start, end, said) for name, start, end, said in _spans(lines)}
        if key not in spans:
            lines += [f"{key}:", *block]
            continue
        start, end, said = spans[key]
        if said.strip() and not said.strip().startswith("#"):
            if said.strip() not in {"[]", "{}"}:
                raise refuse("draft_unreadable", place, f"{key} of the book stands in one line", "merge it by hand")
            lines[start] = f"{key}:"
        lines[end:end] = block
    return "\n".join(lines) + "\n"


def _spans(lines: Sequence[str]) -> list[tuple[str, int, int, str]]:
    """Return every top key with the line where it stands and the line after its last."""
    starts = [(place, match) for place, line in enumerate(lines) if (match := _TOP.match(line))]
    found = []
    for number, (place, match) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(lines)
        while end > place + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1
        found.append((match[1], place, end, match[2]))
    return found


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    for name, start, end, rest in _spans(lines):
        yield name, rest, [line for line in lines[start + 1 : end] if line.strip()]


def with_rows(text: str, added: str) -> str:
    """Return chapter99.csv with the rows of another, in the order of the headings; a heading that is there already stays as it is."""
    header, *rows = text.splitlines()
    known = {row.partition(",")[0] for row in rows}
    more = [row for row in added.splitlines()[1:] if row.strip() and row.partition(",")[0] not in known]
    for row in more:
        place = next((number for number, old in enumerate(rows) if old.partition(",")[0] > row.partition(",")[0]), len(rows))
        rows.insert(place, row)
    return "\n".join([header, *rows]) + "\n"
