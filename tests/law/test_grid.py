"""The grid of a hundred products, ten countries and ninety-eight months is what it was when it was read; a change of it is a change of law."""

from __future__ import annotations

import os

from tests.law import grid

from tariff_engine.engine import Knowledge

PRODUCTS = grid.PRODUCTS if os.environ.get("HYPOTHESIS_PROFILE", "default") != "default" else grid.PRODUCTS[::10]


def test_the_duty_of_every_cell_of_the_grid_is_as_it_was_read(knowledge: Knowledge) -> None:
    header, *golden = grid.GOLDEN.read_text(encoding="utf-8").splitlines()
    made = grid.text(grid.rows(knowledge, PRODUCTS)).splitlines()
    assert made[0] == header
    wanted = [row for row in golden if row[:10] in PRODUCTS]
    different = [f"{old or 'nothing'} -> {new or 'nothing'}" for old, new in _pairs(wanted, made[1:]) if old != new]
    assert not different, f"`python -m tests.law.grid` writes it anew; explain in CHANGELOG what changed: {different[:20]}"


def test_the_grid_covers_every_month_of_a_hundred_products_and_ten_countries() -> None:
    rows = grid.GOLDEN.read_text(encoding="utf-8").splitlines()[1:]
    assert len(list(grid.months())) == 98
    assert {tuple(row.split(",")[:2]) for row in rows if row.split(",")[2] == "2018-08"} == {
        (p, o) for p in grid.PRODUCTS for o in grid.ORIGINS
    }


def _pairs(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    """Pair the rows of one product, origin and month."""
    key = {",".join(row.split(",")[:3]): row for row in old}
    other = {",".join(row.split(",")[:3]): row for row in new}
    return [(key.get(name, ""), other.get(name, "")) for name in sorted(key.keys() | other.keys())]
