"""From which value on the law picks the same duties as the lowest."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tariff_engine.bulk.bounds import held_from, straight
from tariff_engine.bulk.cuts import Parts
from tariff_engine.bulk.sums import Amount
from tariff_engine.compiled.plan import lowest

HALF = Amount.of(Fraction(1, 2), (Fraction(0), Fraction(-1, 2)))  # rounded down
PARTS: list[Parts] = [(HALF, Amount.of(Fraction(1, 2), (Fraction(0), Fraction(1, 2))), None)]
RATES = (Fraction(1, 40), Fraction(0))
KINDS = st.sampled_from(("add", "up_to", "in_lieu", "exempt"))
TERMS = st.tuples(KINDS, st.sampled_from([Fraction(rate, 100) for rate in (0, 2, 5, 10, 25)]), st.sampled_from((1, 2, 3)), st.none())


def amounts(value: int) -> list[int]:
    return [part.at(value) if part else -1 for part in PARTS[0]]


@given(st.lists(TERMS, min_size=2, max_size=4), st.integers(0, 1), st.integers(1, 10_000))
def test_the_lowest_is_the_same_from_the_value_on_that_is_told(terms: list[Any], base: int, value: int) -> None:
    winner = lowest(tuple(terms), amounts(10**9), RATES[base])
    least = held_from([(1, base, tuple(terms), winner)], RATES, PARTS)
    if least is not None:
        for dollars in (least, least + 1, least + value):
            assert lowest(tuple(terms), amounts(dollars), RATES[base]) == winner
    for other in set(range(len(terms))) - {winner}:
        assert held_from([(1, base, tuple(terms), other)], RATES, PARTS) is None


def test_a_dollar_more_on_one_half_decides_while_the_value_is_small() -> None:
    terms = (
        ("add", Fraction(1, 10), 2, None),
        ("add", Fraction(101, 1000), 1, None),
    )  # a tenth of the larger half, a little more of the other
    least = held_from([(1, 0, terms, 0)], RATES, PARTS)
    assert least is not None
    assert least > 1
    assert [lowest(terms, amounts(dollars), RATES[0]) for dollars in (least, least + 1, 3)] == [0, 0, 1]


def test_what_is_not_a_share_of_the_value_has_no_bound() -> None:
    assert straight([(1, 0, (("add", Fraction(1, 10), 3, None),), 0)], PARTS)
    assert not straight([(1, 0, (("add", Fraction(1, 10), 4, None),), 0)], PARTS)  # a part that is not there
    assert not straight([(1, 0, (("add", Fraction(1, 10), 3, 500),), 0)], PARTS)  # what chapter 98 leaves
