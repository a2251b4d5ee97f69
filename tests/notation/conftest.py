"""A small rulebook of invented law, and the way to spoil a copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = Path(__file__).parent / "good"
Spoil = Callable[..., Path]


@pytest.fixture
def good() -> Path:
    return GOOD


@pytest.fixture
def spoil(tmp_path: Path) -> Spoil:
    """Copy the good rulebook and replace texts in it: `spoil((file, text, other text), ...)` returns the copy."""

    def copy(*edits: tuple[str, str, str]) -> Path:
        book = tmp_path / "book"
        if not book.exists():
            shutil.copytree(GOOD, book)
        for file, old, new in edits:
            path = book / file
            text = path.read_text(encoding="utf-8")
            assert old in text, f"{file} does not hold {old!r}"
            path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")
        return book

    return copy
