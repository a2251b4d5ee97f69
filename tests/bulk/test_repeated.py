"""Texts that stand twice are found over any number of parts, as a plain count of them finds them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given

from tariff_service.bulk import seen


def kept(folder: Path, parts: list[list[str]]) -> list[Path]:
    """Write parts of texts whose rows are numbered through, with gaps."""
    paths, row = [], 0
    for number, texts in enumerate(parts):
        rows = np.array([row + 3 * place for place in range(len(texts))], np.int64)
        row += 3 * len(texts) + 1
        path = folder / f"{number}.ids"
        with path.open("wb") as file:
            seen.write(file, seen.hashes(pa.array(texts, pa.string())), rows)
        paths.append(path)
    return paths


def plain(parts: list[list[str]]) -> list[tuple[int, int]]:
    """Return each row whose text stood before, with the row where it stood first."""
    found, first, row = [], dict[str, int](), 0
    for texts in parts:
        for place, text in enumerate(texts):
            begun = first.setdefault(text, row + 3 * place)
            if begun != row + 3 * place:
                found.append((row + 3 * place, begun))
        row += 3 * len(texts) + 1
    return found


@pytest.mark.parametrize("at_once", [1_000_000, 5, 1])
@given(parts=st.lists(st.lists(st.sampled_from(["", "a", "b", "ab", "ba", "a" * 300, "c", "d", "e", "7"]), max_size=12), max_size=6))
def test_what_stands_twice_is_what_a_count_finds(at_once: int, parts: list[list[str]]) -> None:
    expected = plain(parts)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, "_AT_ONCE", at_once)  # all hashes are sorted at a time, or parted among buckets
        paths = kept(Path(folder), parts)
        for most in (0, 3, 100):
            assert seen.repeated(paths, most) == (len(expected), expected[:most])


def test_one_text_on_every_row_costs_no_more_than_its_first_rows(tmp_path: Path) -> None:
    found = seen.repeated(kept(tmp_path, [["same"] * 70_000] * 3), 10)
    assert found == (3 * 70_000 - 1, [(3 * row, 0) for row in range(1, 11)])
