"""What answers about contents make of a line's value: its parts in whole dollars, and the tests on dollars that come out one way or another."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.money import whole_dollars

if TYPE_CHECKING:
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.facts import Line
    from tariff_engine.inquiry_course import Cut
    from tariff_engine.law import SliceSpec

Test = tuple[int, str, int, int, bool]
"""A test on an amount: its bit, how it compares, the operand as a fraction, and whether the amount is taken in percent of the value."""
Tier = tuple[int, int, int]
"""A tier of a slice: its part, and its cap as a fraction of the value; 0 / 0 where it has none."""
_TESTS = frozenset({"above", "at_least", "below"})
_REFUSED = -1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to cut one line: for each content in the order of the slices, its fact, what was answered (None: it is stated), tiers and tests."""

    contents: tuple[tuple[str, int | tuple[Decimal] | None, tuple[Tier, ...], tuple[Test, ...]], ...]
    single: tuple[str, int, int, tuple[Test, ...]] | None = None  # of one content that is one part: fact, answer, part, tests


class Cutter:
    """Cuts lines of one law as `FactReader` and the evaluator do, for answers that are amounts."""

    def __init__(self, book: CompiledBook, slices: dict[str, SliceSpec]) -> None:
        """Take the slices, the facts that state them and the tests on these."""
        self._book = book
        self._absent = [-1] * len(book.part_names)
        self._rest = len(book.part_names) - 1
        self._tiers = {
            piece.fact: tuple((place, cap.numerator, cap.denominator) if cap is not None else (place, 0, 0) for place, cap in piece.tiers)
            for piece in book.slices
        }
        self._contents = {piece.fact: piece.name for piece in book.slices}
        self._stated_by = {fact: piece.fact for piece in book.slices for fact in slices[piece.name].facts}

    @property
    def facts(self) -> frozenset[str]:
        """The facts that settle a content, in dollars or as a share."""
        return frozenset({*self._contents, *self._stated_by})

    def content(self, line: Line, fact: str) -> str | None:
        """Return the content that an answer to a fact settles on a line, in dollars or as a share; None where it settles none."""
        money = self._stated_by.get(fact)
        return None if money in line.facts else money

    def recipe(self, line: Line, cut: Cut, relevant: int) -> Recipe | None:
        """Return how to cut a line and like ones; None where a test on the answers needs more than dollars."""
        answered, found = dict(cut), list[Any]()
        for piece in self._book.slices:
            if piece.fact in answered:
                tests = self._tests(line, piece.fact, relevant)
                if tests is None:
                    return None
                found.append((piece.fact, answered[piece.fact], self._tiers[piece.fact], tests))
            elif piece.name in line.content:
                found.append((piece.fact, None, self._tiers[piece.fact], ()))
        if len(found) == 1:
            fact, place, tiers, tests = found[0]
            if isinstance(place, int) and len(tiers) == 1 and not tiers[0][2]:
                return Recipe(tuple(found), (fact, place, tiers[0][0], tests))
        return Recipe(tuple(found))

    def _tests(self, line: Line, fact: str, relevant: int) -> tuple[Test, ...] | None:
        """The tests that can matter on a content, and on its share of the value."""
        book, found = self._book, list[Test]()
        for name in (fact, *book.derived.get(fact, ())):
            tests = book.fact_bits.get(name)
            if tests is None or not tests.all_bits & relevant or (name != fact and name in line.facts):
                continue
            if name != fact and book.ratios.get(name) != (fact, "value"):
                return None
            for bit, test in tests.tests:
                if isinstance(test, bool) or any(kind not in _TESTS for kind, _ in test):
                    return None
                if bit & relevant:
                    found.extend(
                        (bit, kind, Fraction(operand).numerator, Fraction(operand).denominator, name != fact) for kind, operand in test
                    )
        return tuple(found)

    def cut(
        self, line: Line, recipes: tuple[Recipe, ...], amounts: dict[str, list[int]]
    ) -> tuple[tuple[tuple[int, int], ...], list[list[int]]]:
        """Cut a line by each recipe. Return what tests on dollars see of each cut (parts worth nothing, bits that fail), and its parts.

        A cut whose contents exceed the value is refused: it sees -1. Parts that are not present are -1.
        """
        value, exact, rest = line.value, line.facts["value"], self._rest
        limit: Any = max(exact, value)
        whole = int(limit)  # what whole dollars must not exceed
        top, bottom = (value, 1) if exact == value else exact.as_integer_ratio()
        stated, rounded = dict[str, Decimal](), dict[str, int]()
        if line.content:
            stated = {fact: line.facts[fact] for fact, name in self._contents.items() if name in line.content}
            rounded = {fact: whole_dollars(amount) for fact, amount in stated.items()}
        seen, parts, absent = list[tuple[int, int]](), list[list[int]](), self._absent
        for recipe in recipes:
            if recipe.single is not None:  # the usual one; an amount that is tried never exceeds the value
                fact, number, part, tests = recipe.single
                cut, content = absent.copy(), amounts[fact][number]
                cut[part], cut[rest] = content, value - content
                zero = (content == 0) << part | (content == value) << rest
                seen.append((zero, _fails(tests, content, 1, top, bottom) if tests else 0))
                parts.append(cut)
                continue
            cut, zero, fails, left = absent.copy(), 0, 0, value
            total: Decimal | int = 0
            for fact, answer, tiers, tests in recipe.contents:
                if answer is None:
                    total += stated[fact]
                    content = rounded[fact]
                elif isinstance(answer, int):
                    content = amounts[fact][answer]
                    total += content
                    if tests:
                        fails |= _fails(tests, content, 1, top, bottom)
                else:
                    amount = answer[0] * value / 100
                    total += amount
                    content = whole_dollars(amount)
                    if tests:
                        fails |= _fails(tests, *amount.as_integer_ratio(), top, bottom)
                content = min(content, left)
                left -= content
                below = 0
                for place, first, second in tiers:
                    upper = min(content, (2 * first * value + second) // (2 * second)) if second else content
                    cut[place] = upper - below
                    if upper == below:
                        zero |= 1 << place
                    below = upper
            cut[rest] = left
            if not left:
                zero |= 1 << rest
            exceeds = total > whole if total.__class__ is int else total > limit
            seen.append((_REFUSED, 0) if exceeds else (zero, fails))
            parts.append(cut)
        return tuple(seen), parts


def _fails(tests: tuple[Test, ...], over: int, under: int, top: int, bottom: int) -> int:
    """Return the bits of the tests that over / under dollars fail, on a line worth top / bottom dollars."""
    fails = 0
    for bit, kind, first, second, shared in tests:
        one, two = (over * 100 * bottom * second, first * top * under) if shared else (over * second, first * under)
        if not (one > two if kind == "above" else one >= two if kind == "at_least" else one < two):
            fails |= bit
    return fails
