"""The tutorial is run as it stands: its files are written, its commands called, and the book that comes out is the installed one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.authoring.conftest import REPOSITORY, Tariff

from tariff_rules import ROOT
from tariff_service.law_cache import rule_files
from tariff_service.rulebook import open_book

PAGE = REPOSITORY / "docs" / "authoring.md"
_BLOCK = re.compile(r"(?:^File `([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield the blocks of the page in order: the file that one is, if it is one, its language, its text."""
    for found in _BLOCK.finditer(page):
        yield found[1] or "", found[2], found[3]


def test_the_tutorial_ends_with_the_book_itself(tariff: Tariff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said, commands = "", 0
    for file, language, text in steps(PAGE.read_text(encoding="utf-8")):
        if file:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(text, encoding="utf-8", newline="")
        elif language == "sh":
            said = ""
            for line in text.splitlines():
                command, _, expected = line.partition("  # ends with ")
                program, *words = shlex.split(command)
                assert program == "tariff", line
                told = tariff(*words, "--no-json")
                assert told.code == int(expected or 0), f"{line}\n{told.out}{told.err}"
                said += told.out
                commands += 1
        else:
            assert language == "text", "a file of the tutorial is named before its block"
            flat = " ".join(said.split())
            for line in text.splitlines():
                assert " ".join(line.split()) in flat, f"{line}\nis not in\n{said}"
    assert commands == 9
    made, installed = open_book(tmp_path / "my-rules"), open_book(None)
    assert made.id == installed.id, "the page and the book differ: what the page writes must be what the book says"
    differing = sorted(name for name, file in rule_files(ROOT) if (tmp_path / "my-rules" / name).read_bytes() != file.read_bytes())
    assert set(differing) <= {"facts.yaml", "instruments.yaml", "origins.yaml"}  # where only the place of a line in its file may differ
    for name in differing:
        mine, theirs = ((folder / name).read_text(encoding="utf-8").splitlines() for folder in (tmp_path / "my-rules", Path(str(ROOT))))
        assert sorted(mine) == sorted(theirs)
