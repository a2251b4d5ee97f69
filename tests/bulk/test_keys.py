"""Numbers by key for many keys at once are those that a dictionary would give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.bulk import reach
from tariff_engine.bulk.classes import Grid
from tariff_engine.bulk.keys import UNMET, Numbering

KEYS = st.lists(st.integers(0, 2**62), max_size=200)
FEW = st.lists(st.integers(0, 40), max_size=200)


@given(batches=st.lists(st.one_of(KEYS, FEW), max_size=6))
def test_a_numbering_is_a_dictionary(batches: list[list[int]]) -> None:
    numbering, known = Numbering(), dict[int, int]()
    for batch in batches:
        keys = np.array(batch, dtype=np.int64)
        asked = list[int]()

        def make(places: Any, keys: Any = keys, asked: list[int] = asked) -> Any:
            asked.extend(keys[places].tolist())
            return [known.setdefault(key, len(known) - 1) for key in keys[places].tolist()]

        found = numbering.numbers(keys, make)
        assert found.tolist() == [known[key] for key in batch]
        assert len(asked) == len(set(asked))
        assert len(numbering) == len(known)
    numbering.forget()
    assert len(numbering) == 0


@given(batches=st.lists(st.one_of(KEYS, FEW).map(lambda keys: list(dict.fromkeys(keys))), max_size=6))
def test_numbers_are_put_once_and_keys_without_one_are_told(batches: list[list[int]]) -> None:
    numbering, known = Numbering(), dict[int, int]()
    for batch in batches:
        keys = np.array(batch, dtype=np.int64)
        assert numbering.get(keys).tolist() == [known.get(key, UNMET) for key in batch]
        numbers = [UNMET - 1 - len(known) - place for place in range(len(batch))]
        numbering.put(keys, np.array(numbers, dtype=np.int64))
        for key, number in zip(batch, numbers, strict=True):
            known.setdefault(key, number)
        assert numbering.get(keys).tolist() == [known[key] for key in batch]
        assert len(numbering) == len(known)


def test_neighbouring_keys_and_keys_of_high_bits_are_found_again() -> None:
    numbering = Numbering()
    for keys in (np.arange(100_000), np.arange(50_000) << 40, np.arange(50_000) * 4096 + 1):
        first = numbering.numbers(keys, lambda places: places)
        assert (numbering.numbers(keys[::-1].copy(), lambda _: pytest.fail("all of them were met")) == first[::-1]).all()


def test_sets_with_the_same_sum_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_words", lambda count: np.zeros(count, dtype=np.uint64))
    sets = reach._Sets(2)  # noqa: SLF001  what keeps two sets apart whose sums agree, which no book brings about
    rows = np.array([[1, 2, 0], [2, 1, 0], [1, 2, 0], [3, 3, 1]], dtype=np.int32)
    first = sets.numbers(rows, 4).tolist()
    assert first[0] == first[2]
    assert len(set(first)) == 3
    assert sets.numbers(rows[::-1].copy(), 4).tolist() == first[::-1]
    assert [sets.contents(number) for number in first] == [(1, 2), (2, 1), (1, 2), (3, 3)]


def test_a_grid_keeps_what_is_in_it_as_it_grows() -> None:
    grid = Grid(2)
    grid.cells[1, 1] = 7
    grid.fit(500, 90)
    assert grid.cells.shape[0] >= 500
    assert grid.cells.shape[1] >= 90
    found, empty = grid.find(np.array([1, 1, 400, 400]), np.array([1, 1, 80, 80]))
    assert found.tolist() == [7, 7, -1, -1]
    assert empty.tolist() == [2]
