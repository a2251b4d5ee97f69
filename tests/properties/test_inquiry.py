"""An inquiry whose course is known asks exactly what trying every combination of answers asks, whatever the dollars of the line are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.profile import LONG, many

from tariff_engine.base import LineBase, claim_facts, line_base
from tariff_engine.compiled.evaluated import Evaluated
from tariff_engine.engine import Assessed, Knowledge
from tariff_engine.facts import Line
from tariff_engine.inquiry import Inquiry
from tariff_engine.inquiry_alike import Alike
from tariff_engine.inquiry_course import Course
from tariff_engine.inquiry_tree import Tree
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line

SEEDS = st.integers(min_value=0, max_value=2**48)
ALWAYS_READ = {"hts", "origin", "entry_date", "value", "chapter98", "us_content_value"}
KNOWN = 0.9  # of lines of patterns met before
HARD = ("8703", "8704", "8708", "7208", "7308", "7601", "7616", "8481", "8716", "8544", "8542", "3004", "9403", "4407")


def plain(knowledge: Knowledge, line: Line, evaluated: Evaluated, base: LineBase) -> Inquiry:
    """Ask by trying every combination, as if nothing was known."""
    return knowledge.inquirer.explore(line, Assessed(evaluated, base))[0]


def worth(raw: dict[str, Any], value: int | Decimal, knowledge: Knowledge, rng: random.Random) -> dict[str, Any]:
    """The same pattern at another value; contents lie at the edges of shares, and at nothing and everything."""
    found, shares = {**raw, "value": value}, knowledge.inquirer.answers.shares
    for name in raw.keys() & shares.keys():
        share = rng.choice((Fraction(0), Fraction(1, 3), Fraction(1), *shares[name], *shares[name]))
        found[name] = max(0, min(int(share * int(value)) + rng.choice((-1, 0, 0, 1)), int(value)))
    return found


def repeated(raw: dict[str, Any], knowledge: Knowledge, rng: random.Random) -> Iterator[dict[str, Any]]:
    """A line again and again: worth next to nothing, with cents, very much, and at any value."""
    few: tuple[int | Decimal, ...] = (0, 1, 2, 3, 4, 5, Decimal("0.4"), Decimal("10.50"), 99, 100, 101, 10**12)
    for value in (*few, *(rng.randrange(6, 300_000) for _ in range(5))):
        yield worth(raw, value, knowledge, rng)


def check(knowledge: Knowledge, raw: dict[str, Any]) -> None:
    try:
        line = knowledge.read(raw)
        evaluated, base = knowledge.evaluate(line)
    except (ProblemError, LawConflictError):
        return
    if evaluated.duty is None:  # a quantity is asked for first
        return
    assert knowledge.inquire(line, evaluated, base) == plain(knowledge, line, evaluated, base), raw


@given(seed=SEEDS)
def test_a_known_course_asks_what_every_combination_asks(seed: int, knowledge: Knowledge, where: Space) -> None:
    rng = random.Random(seed)
    raw = random_line(where, rng)
    for one in repeated(raw, knowledge, rng):
        check(knowledge, one)


def test_metals_and_vehicles_ask_alike_at_every_value_and_number(knowledge: Knowledge, where: Space) -> None:
    """Lines of one origin and day share plans among numbers, so that a course found on one number serves another.

    By default two numbers of each heading at two values, in the long profiles three at four.
    """
    rng = random.Random(1)
    before = knowledge.inquirer.again
    for prefix in HARD:
        codes = [code for code in where.codes if code.startswith(prefix)]
        origin, day = rng.choice(where.origins), knowledge.law.horizon - timedelta(days=rng.randrange(400))
        for code in rng.sample(codes, min(len(codes), many(2, 3))):
            for content in ({}, {"steel_content_value": 0}, {"us_content_value": 0}, {"usmca_qualifying": False}):
                raw = {"hts": code, "origin": rng.choice((origin, "CA")), "entry_date": day, "value": 1, **content}
                values = (*rng.sample(range(6), 2), rng.randrange(6, 300_000), rng.randrange(6, 300_000))
                for value in values if LONG else values[1:3]:
                    check(knowledge, worth(raw, value, knowledge, rng))
    assert knowledge.inquirer.again > before


def test_lines_of_patterns_met_before_are_not_explored_again(knowledge: Knowledge, where: Space) -> None:
    """The fast course is the one that is taken: new values on known patterns seldom need the slow one."""
    rng, inquirer, lines = random.Random(2), knowledge.inquirer, list[dict[str, Any]]()
    while len(lines) < 150:
        day = knowledge.law.horizon - timedelta(days=rng.randrange(600))
        raw: dict[str, Any] = {"hts": rng.choice(where.codes), "origin": rng.choice(where.origins), "entry_date": day, "value": 1000}
        if rng.random() < 0.2:
            raw["steel_content_value"] = 300
        try:
            knowledge.answer(knowledge.read(raw), "x")
        except (ProblemError, LawConflictError):
            continue
        lines.append(raw)

    def answer_all() -> None:
        for raw in lines:
            value = rng.randrange(500, 250_000)
            content = {"steel_content_value": value // 3} if "steel_content_value" in raw else {}
            knowledge.answer(knowledge.read({**raw, "value": value, **content}), "x")

    for _ in range(4):
        answer_all()
    again, anew = inquirer.again, inquirer.anew
    for _ in range(4):
        answer_all()
    again, anew = inquirer.again - again, inquirer.anew - anew
    assert again > KNOWN * (again + anew), (again, anew)


def test_the_base_duty_depends_on_no_fact_that_courses_do_not_follow(knowledge: Knowledge, where: Space) -> None:
    read = set[str]()

    class Watched(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return super().get(key, default)

        def __getitem__(self, key: str) -> Any:
            read.add(key)
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            read.add(str(key))
            return super().__contains__(key)

    rng = random.Random(4)
    for _ in range(600):
        try:
            line = knowledge.read(random_line(where, rng))
            line.facts = Watched(line.facts)
            line_base(knowledge.law, line)
        except ProblemError:
            continue
    followed = claim_facts(knowledge.law) | ALWAYS_READ
    assert read <= followed, read - followed


SHORT_WAYS = ((Tree, "_again"), (Alike, "left"))
"""Other dollars of the same contents lead to the same combinations; answers that leave the same of the law lead to the same too."""


def with_and_without(knowledge: Knowledge, raw: dict[str, Any], way: tuple[type, str]) -> tuple[bool, bool]:
    """Compare an inquiry with one that does not go a short way. Return whether it tried less, and whether it alone is whole."""

    def tried() -> tuple[Inquiry, Tree, Course]:
        line = knowledge.read(raw)
        return knowledge.inquirer.explore(line, Assessed(*knowledge.evaluate(line)))

    found, tree, course = tried()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(*way, lambda *_: None)
        plain, other, longer = tried()
    if plain.complete:
        assert found == plain, raw
        assert (course.sums, course.nodes, course.guards, tree.duties) == (longer.sums, longer.nodes, longer.guards, other.duties), raw
    else:
        assert found.low is not None
        assert plain.low is not None
        assert found.low <= plain.low, raw
        assert (found.high or 0) >= (plain.high or 0), raw
    return tree.spent < other.spent, found.complete and not plain.complete


@pytest.mark.parametrize("way", SHORT_WAYS)
def test_what_is_not_tried_is_what_trying_would_find(knowledge: Knowledge, way: tuple[type, str]) -> None:
    """As if each combination was tried; and more inquiries end before their budget does."""
    compared = [
        with_and_without(knowledge, {"hts": hts, "origin": origin, "entry_date": day, "mode": "ocean", "value": 50_000}, way)
        for hts, origin, day in (
            ("8544429010", "KR", "2025-11-02"), ("8544429010", "CA", "2025-09-10"), ("8703230190", "JP", "2025-10-02"),
            ("7318152000", "TW", "2025-11-02"), ("8708996890", "CA", "2025-09-10"), ("3402903000", "MX", "2025-12-01"),
            ("2903451000", "MX", "2026-02-18"), ("9403200016", "TW", "2025-11-09"),
        )
    ]  # fmt: skip
    fewer, whole = (sum(column) for column in zip(*compared, strict=True))
    assert fewer
    assert whole


@given(seed=SEEDS)
def test_short_ways_are_the_long_way_on_any_line(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = random_line(where, random.Random(seed))
    try:
        evaluated, _ = knowledge.evaluate(knowledge.read(raw))
    except (ProblemError, LawConflictError):
        return
    if evaluated.duty is not None:
        for way in SHORT_WAYS:
            with_and_without(knowledge, raw, way)
