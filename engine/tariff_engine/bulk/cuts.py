"""The parts into which answers about contents cut a value, as amounts that follow from the value.

Shares of a value are rounded to whole dollars. Among values that leave the same remainder when they are divided by the denominators of the
shares at which law changes, every such amount is one share of the value and the same dollars more, or less.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING

from tariff_engine.bulk.sums import Amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.facts import Line
    from tariff_engine.inquiry_answers import Answers
    from tariff_engine.inquiry_cuts import Cutter, Recipe

MOST = 10**11  # dollars of a line up to which amounts are looked at
_APART = 6  # dollars between amounts that are tried, so that none falls together with another


def _shares(answers: Answers, book: CompiledBook) -> set[Fraction]:
    tried = {share for shares in answers.shares.values() for share in shares}
    return tried | {Fraction(cap) for piece in book.slices for _, cap in piece.tiers if cap is not None}


def modulus(answers: Answers, book: CompiledBook) -> int:
    """Return the number by which values are divided: those that leave the same remainder are cut alike."""
    return lcm(*(share.denominator for share in _shares(answers, book)))


def least_apart(answers: Answers, book: CompiledBook) -> int:
    """Return a value from which on amounts that are tried lie apart from each other."""
    shares = sorted({Fraction(0), Fraction(1), *_shares(answers, book)})
    return max(int(_APART / (after - before)) + 1 for before, after in pairwise(shares))


def amounts_of(cutter: Cutter, answers: Answers, lines: Sequence[Line], recipes: Sequence[Recipe]) -> list[list[Amount | None]] | None:
    """Return the parts that each recipe makes of lines like three of different values; None where they differ in more than dollars."""
    seen, parts = [], []
    for line in lines:
        met, cut = cutter.cut(line, tuple(recipes), {fact: answers.amounts(line.value, fact) for fact in answers.shares})
        seen.append(met)
        parts.append(cut)
    if seen[0] != seen[1] or seen[1] != seen[2]:
        return None
    values = [line.value for line in lines]
    found = []
    for number in range(len(recipes)):
        row = [_amount(values, [parts[one][number][place] for one in range(3)]) for place in range(len(parts[0][number]))]
        if any(isinstance(amount, str) for amount in row):
            return None
        found.append([None if isinstance(amount, str) else amount for amount in row])
    return found


def _amount(values: Sequence[int], dollars: Sequence[int]) -> Amount | str | None:
    """Return a part as an amount, None where it is not present; a text where it is not straight."""
    if max(dollars) < 0:
        return None
    share = Fraction(dollars[2] - dollars[0], values[2] - values[0])
    found = Amount(share, dollars[0] - share * values[0])
    return found if min(dollars) >= 0 and found.share * values[1] + found.more == dollars[1] else "bent"
