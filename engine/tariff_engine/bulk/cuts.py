"""The parts into which answers about contents cut a value, as amounts that follow from the value.

Shares of a value are rounded to whole dollars. Among values that leave the same remainder when they are divided by the denominators of the
shares at which law changes, every such amount is one share of the value and the same dollars more, or less.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any

from tariff_engine.bulk.sums import Amount
from tariff_engine.facts import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.inquiry_answers import Answers
    from tariff_engine.inquiry_cuts import Cutter, Recipe

MOST = 10**11  # dollars of a line up to which amounts are looked at
_APART = 6  # dollars between amounts that are tried, so that none falls together with another
_MAX_RECIPES = 100_000
Parts = tuple[Amount | None, ...]
"""The parts of a value as amounts, None where one is not present."""
Seen = tuple[int, int]
"""Which parts are worth nothing, and which tests on the answers fail."""


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


class Amounts:
    """Looks at what recipes make of values of every remainder, once for each recipe."""

    def __init__(self, answers: Answers, book: CompiledBook) -> None:
        """Choose three values of each remainder."""
        self.step, self.apart = modulus(answers, book), least_apart(answers, book)
        self._answers = answers
        self._values = [
            [value + (remainder - value) % self.step for value in (self.apart, 1_000_000, MOST)] for remainder in range(self.step)
        ]
        self._cut: dict[Recipe, list[tuple[Seen, Parts] | None]] = {}
        self._joined: dict[tuple[Recipe, Any], Parts | None] = {}

    def of(self, cutter: Cutter, like: Line, recipes: Sequence[Recipe], remainder: int) -> tuple[list[Parts], frozenset[int]] | None:
        """Return the parts that each recipe makes of lines without contents, and the remainders of the values that are cut so.

        These are `remainder` and all at which no test on the amounts comes out another way. None where a part is no share of the value, but
        for some dollars.
        """
        found = [self._looked(cutter, like, recipe) for recipe in recipes]
        mine = [looks[remainder] for looks in found]
        if any(look is None for look in mine):
            return None
        seen = [look[0] for look in mine if look]
        holds = [one for one in range(self.step) if [look[one][0] if look[one] else None for look in found] == seen]  # type: ignore[index]
        held, joined = frozenset(holds), []
        for recipe, looks in zip(recipes, found, strict=True):
            key = (recipe, held if len(holds) == self.step else (held, remainder))
            if key not in self._joined:
                self._joined[key] = _joined([looks[one if one in held else remainder] for one in range(self.step)])
            parts = self._joined[key]
            if parts is None:
                return self._alone(mine, remainder)
            joined.append(parts)
        return joined, held

    @staticmethod
    def _alone(looks: Sequence[tuple[Seen, Parts] | None], remainder: int) -> tuple[list[Parts], frozenset[int]]:
        return [look[1] for look in looks if look], frozenset({remainder})

    def _looked(self, cutter: Cutter, like: Line, recipe: Recipe) -> list[tuple[Seen, Parts] | None]:
        found = self._cut.get(recipe)
        if found is None:
            if len(self._cut) >= _MAX_RECIPES:
                self._cut.clear()
                self._joined.clear()
            found = self._cut[recipe] = [self._look(cutter, like, recipe, values) for values in self._values]
        return found

    def _look(self, cutter: Cutter, like: Line, recipe: Recipe, values: Sequence[int]) -> tuple[Seen, Parts] | None:
        seen, parts = [], []
        for value in values:
            line = Line({"value": Decimal(value)}, like.hts, like.origin, like.day, value, {})
            met, cut = cutter.cut(line, (recipe,), {fact: self._answers.amounts(value, fact) for fact in self._answers.shares})
            seen.append(met[0])
            parts.append(cut[0])
        if seen[0] != seen[1] or seen[1] != seen[2]:
            return None
        row = [_amount(values, dollars) for dollars in zip(*parts, strict=True)]
        if any(isinstance(amount, str) or (amount is not None and self.step % amount.share.denominator) for amount in row):
            return None
        return seen[0], tuple(None if isinstance(amount, str) else amount for amount in row)


def _joined(looks: Sequence[tuple[Seen, Parts] | None]) -> Parts | None:
    """Return the parts of all remainders as one; None where they are not the same share."""
    found = list[Amount | None]()
    for amounts in zip(*(look[1] for look in looks if look), strict=True):
        first = amounts[0]
        if first is None:
            if any(amount is not None for amount in amounts):
                return None
            found.append(None)
            continue
        if any(amount is None or amount.share != first.share for amount in amounts):
            return None
        found.append(Amount.of(first.share, [amount.more[0] for amount in amounts if amount]))
    return tuple(found)


def _amount(values: Sequence[int], dollars: Sequence[int]) -> Amount | str | None:
    """Return a part as an amount, None where it is not present; a text where it is not straight."""
    if max(dollars) < 0:
        return None
    share = Fraction(dollars[2] - dollars[0], values[2] - values[0])
    more = dollars[0] - share * values[0]
    return Amount.of(share, (more,)) if min(dollars) >= 0 and share * values[1] + more == dollars[1] else "bent"
