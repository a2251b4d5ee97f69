"""The commands and programs that documents show: each is found, and run unless the document says why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("tariff", "python", "python3", "pip", "curl", "docker", "bash", "sqlite3", "createuser", "uv", "chromium", "CPPFLAGS")
# A document whose every command stands in a test of its own.
ELSEWHERE = {
    "docs/audit-filed.md": "tests/cli/test_audit_filed_docs.py",
    "docs/authoring.md": "tests/authoring/test_tutorial.py",
    "docs/http.md": "tests/service/openapi/test_guide.py",
    "docs/refunds.md": "tests/cli/test_refund_docs.py",
    "docs/spark.md": "tests/spark/test_spark.py",
}
_FENCE = re.compile(r"^```(\w*)$")
_MARK = re.compile(r"^<!-- (not run: \S.{15,}|run by (tests/[\w/.]+).*) -->$")
_PYTHON = re.compile(r"(from|import) \w")
_FILE = re.compile(r"# ([\w.-]+\.(?:yaml|json|csv))$")
_EXPLAINED = re.compile(r"\s{2,}\S.*$|\s+# .*$")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A block of a document: sh, python, json, http, yaml or other; the mark above it, which says why it is not run here, or what runs it."""

    page: str
    line: int
    kind: str
    text: str
    mark: str

    @property
    def commands(self) -> list[str]:
        """The commands of a block of the shell, without what is told beside them."""
        joined = self.text.replace("\\\n", " ")
        return [_EXPLAINED.sub("", line).strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]

    @property
    def name(self) -> str:
        """The name of the file that the block is to be kept in; empty where it has none."""
        found = _FILE.match(self.text.partition("\n")[0])
        return found[1] if found else ""


def pages() -> list[str]:
    """Return the documents, by their places in the checkout."""
    return [
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
        "README.md",
        "CONTRIBUTING.md",
        "examples/README.md",
    ]


def snippets(page: str) -> list[Snippet]:
    """Return the blocks of a document, fenced or indented."""
    return list(_blocks(page, (ROOT / page).read_text(encoding="utf-8").split("\n")))


def _blocks(page: str, lines: list[str]) -> Iterator[Snippet]:
    at, mark = 0, ""
    while at < len(lines):
        line, begin = lines[at], at + 1
        fence = _FENCE.match(line)
        if fence:
            end = next(place for place in range(at + 1, len(lines)) if lines[place].startswith("```"))
            yield Snippet(page, begin, _kind(fence[1], lines[at + 1]), "\n".join(lines[at + 1 : end]), mark)
            at, mark = end + 1, ""
        elif line.startswith("    ") and (not at or not lines[at - 1].strip() or lines[at - 1].startswith("#")):
            end = next(
                (place for place in range(at, len(lines)) if lines[place].strip() and not lines[place].startswith("    ")), len(lines)
            )
            text = "\n".join(one[4:] for one in lines[at:end]).rstrip()
            yield Snippet(page, begin, _kind("", text), text, mark)
            at, mark = end, ""
        else:
            found = _MARK.match(line)
            mark = found[1] if found else mark if not line.strip() else ""
            at += 1


def _kind(told: str, text: str) -> str:
    if told:
        return {"console": "sh", "bash": "sh", "shell": "sh"}.get(told, told)
    first = text.split(maxsplit=1)[0].partition("=")[0] if text.split() else ""
    if first in COMMANDS:
        return "sh"
    return "python" if _PYTHON.match(text) else "other"


@dataclass(frozen=True, slots=True)
class Command:
    """A command in its parts: what is called, with which input, and where its output goes."""

    words: list[str]
    given: str
    kept: str


def parsed(command: str) -> Command:
    """Return a command without its redirections; `python3 run.py tariff` is `tariff`."""
    words, given, kept = shlex.split(command), "", ""
    if words[:3] == ["python3", "run.py", "tariff"]:
        words = words[2:]
    for sign in ("<", ">"):
        if sign in words:
            place = words.index(sign)
            given, kept = (words[place + 1], kept) if sign == "<" else (given, words[place + 1])
            del words[place : place + 2]
    return Command(words, given, kept)
