"""However a rulebook is spoilt, the check answers: with a report whose lines name a file and a line, never with a crash."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.notation.check import check

GOOD = Path(__file__).parent / "good"
FILES = sorted(path.relative_to(GOOD).as_posix() for path in GOOD.rglob("*.*"))
SCRAPS = [
    "",
    "0",
    "-1",
    "25%",
    "[]",
    "{}",
    "null",
    "true",
    "2020-01-01",
    "text",
    "9903.01.01",
    "group:north",
    "list:widgets",
    '"',
    "]",
    "a: b",
    "CN",
]
LOCATED = re.compile(r"[a-z0-9_/]+\.(yaml|csv):(\d+:)? ?\S")


@given(st.sampled_from(FILES), st.integers(0, 60), st.integers(0, 12), st.sampled_from(SCRAPS), st.sampled_from(["line", "word"]))
def test_a_line_or_a_word_lost_or_replaced_never_crashes_the_check(file: str, row: int, place: int, scrap: str, what: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book"
        shutil.copytree(GOOD, book)
        path = book / file
        lines = path.read_text(encoding="utf-8").splitlines()
        row %= len(lines)
        if what == "line":
            lines[row : row + 1] = [scrap] if scrap else []
        else:
            words = re.split(r"([ ,:{}\[\]]+)", lines[row])
            words[place % len(words)] = scrap
            lines[row] = "".join(words)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for problem in check(book).problems:
            assert LOCATED.match(problem), problem
