"""What is at stake on one line is at stake on every line that differs from it in dollars only."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tariff_engine import inquiry_tree
from tariff_engine.bulk.cuts import Amounts
from tariff_engine.bulk.stakes import Stakes, Staking, explored
from tariff_engine.bulk.sums import VALUE, Amount, Sum, settled, settled_between, sum_of
from tariff_engine.engine import Knowledge
from tariff_engine.inquiry_course import Asked, Course
from tariff_engine.money import dollars_text
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import random_line, space
from tariff_service.rulebook import open_engine

_KINDS = ("open", "settled", "saving", "any remainder", "some remainders", "lowest", "each by itself")
MUCH_OPEN = ("3402903000", "8544429010", "8708996890", "8512300040", "8302496035")
LINES = int(os.environ.get("TARIFF_STAKES_LINES", "400"))
SMALL = 60  # evaluations: so few that inquiries end before everything is tried


def term(percent: str, amount: Amount = VALUE) -> tuple[tuple[int, int, int], Amount]:
    top, bottom = (Fraction(percent) / 100).as_integer_ratio()
    return (200 * top, bottom, 2 * bottom), amount


FIFTH = Amount.of(Fraction(1, 5), tuple(Fraction(-remainder % 5, 5) for remainder in range(5)))  # rounded up


def test_whole_percents_of_whole_dollars_are_not_rounded() -> None:
    assert sum_of([term("25"), term("20")]) == Sum(Amount.of(Fraction(45)), ())
    assert sum_of([term("7.5"), term("10")]).cents(1) == 18


def test_an_amount_is_whole_at_each_value_for_which_it_holds() -> None:
    assert [FIFTH.at(value) for value in (10, 11, 12, 13, 14, 15)] == [2, 3, 3, 3, 3, 3]
    rest = VALUE.plus(FIFTH, -1)
    assert [rest.at(value) for value in (10, 11, 12, 13, 14, 15)] == [8, 8, 9, 10, 11, 12]
    assert rest.plus(FIFTH) == VALUE


def test_sums_are_in_the_order_of_their_rates_from_the_value_on_that_is_told() -> None:
    rng = random.Random(7)
    rates = ("0", "2.5", "7.5", "10", "1.9", "0.13", "3.4", "25", "50", "4.4")
    for _ in range(400):
        sums = [
            sum_of([term(rate, rng.choice((VALUE, VALUE, FIFTH))) for rate in rng.sample(rates, rng.choice((1, 2, 3)))]) for _ in range(3)
        ]
        least = settled(sums)
        assert least is not None or len({one.rate for one in sums}) < len(set(sums))
        if least is None:
            continue
        order = sorted(sums, key=lambda one: (one.rate, one.more))
        for dollars in (least + more for more in (0, 1, 2, 3, 4, 13, 2 * least, 1_000_000)):
            cents = [one.cents(dollars) for one in order]
            assert cents == sorted(cents)
            assert len(set(cents)) == len(set(sums))
        low, middle, high = order
        between = settled_between(low, high, middle) if low.rate < middle.rate < high.rate else None
        if between is not None:
            side = high.rate - middle.rate - (middle.rate - low.rate)
            for dollars in range(between, between + 1000, 3):
                found = high.cents(dollars) - middle.cents(dollars) - (middle.cents(dollars) - low.cents(dollars))
                assert (found > 0, found < 0) == (side > 0, side < 0)


def test_sums_that_trade_places_by_the_remainder_are_never_in_order() -> None:
    down = Amount.of(Fraction(1, 5), tuple(Fraction(-remainder, 5) for remainder in range(5)))
    up_or_down = Amount.of(down.share, tuple(more + (-1 if remainder == 2 else 1) for remainder, more in enumerate(down.more)))
    one, other = (sum_of([term("25", amount)]) for amount in (down, up_or_down))
    assert settled([one, other]) is None


def said(answer: dict[str, Any]) -> tuple[Any, ...]:
    saving = next(iter(answer["savings"]), None)
    return (
        answer["range"]["low"],
        answer["range"]["high"],
        [question["fact"] for question in answer["questions"]],
        all(warning["code"] != "range_incomplete" for warning in answer["warnings"]),
        (saving["fact"], saving["duty"]) if saving else None,
    )


def foretold(stakes: Stakes, dollars: int) -> tuple[Any, ...]:
    return (
        dollars_text(stakes.low.cents(dollars)),
        dollars_text(stakes.high.cents(dollars)),
        list(stakes.questions),
        stakes.complete,
        (stakes.saving, dollars_text(stakes.saved.cents(dollars))) if stakes.saved else None,
    )


@pytest.mark.parametrize(("budget", "kinds"), [(inquiry_tree.BUDGET, _KINDS), (SMALL, ("open", "settled", "cut short"))])
def test_the_stakes_of_one_line_are_those_of_each_that_is_worth_enough(
    budget: int, kinds: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry_tree, "BUDGET", budget)
    known = Knowledge(replace(open_engine(None).at().law, memory={}))
    rng, where, met = random.Random(20260101), space(known), Counter[str]()
    amounts = Amounts(known.inquirer.answers, known.law.compiled)
    while met["lines"] < LINES:
        raw = random_line(where, rng)
        if rng.random() < 0.6:  # as most filers state it
            raw = {name: raw[name] for name in ("hts", "origin", "entry_date", "mode") if name in raw}
            raw["value"] = rng.choice((1, 100, 5_000, 1_000_000))
        if rng.random() < 0.06:  # so much is open that not everything is tried, or law looks for the lowest duty
            hts, day = rng.choice(MUCH_OPEN), f"2025-{rng.choice((10, 11, 12))}-{rng.randrange(1, 29)}"
            raw = {"hts": hts, "origin": rng.choice(("JP", "KR", "TW")), "entry_date": day, "mode": "ocean", "value": 5_000}
        try:
            line = known.read(raw)
            evaluated, base = known.evaluate(line)
            found = explored(known, line, amounts)
        except (ProblemError, LawConflictError):
            continue
        rates = found.rates(known, line, base, evaluated.plan.situation.floors) if found else None
        if found is None or rates is None:
            met["apart"] += 1
            continue
        assert line.value % amounts.step in found.remainders
        met["lowest"] += bool(found.course.guards)
        met["cut short"] += not found.course.complete
        staking = Staking(known, found, rates, amounts)
        stakes = staking.of_all()
        of_one = [amounts.apart + rng.randrange(3000), rng.randrange(10**6)]
        if stakes is None:
            met["each by itself"] += 1
            of_one += [rng.randrange(10**4) for _ in range(3)]
        for dollars in of_one:
            dollars += next(more for more in range(amounts.step) if (dollars + more) % amounts.step in found.remainders)  # noqa: PLW2901
            one = staking.of_one(dollars)
            if one is not None:
                answer = known.answer(known.read({**raw, "value": str(dollars)}), "", "none")
                assert foretold(one, dollars) == said(answer), (raw, dollars)
        if stakes is None:
            continue
        met["open" if stakes.questions else "settled"] += 1
        met["saving"] += stakes.saving is not None
        met["any remainder"] += len(found.remainders) == amounts.step
        met["some remainders"] += len(found.remainders) < amounts.step
        for dollars in (stakes.least, stakes.least + rng.randrange(50), stakes.least + rng.randrange(10**6), 10**9):
            dollars += next(more for more in range(amounts.step) if (dollars + more) % amounts.step in found.remainders)  # noqa: PLW2901
            answer = known.answer(known.read({**raw, "value": str(dollars)}), "", "none")
            assert foretold(stakes, dollars) == said(answer), (raw, dollars)
            met["lines"] += 1
    assert min(met[name] for name in kinds) > 0, met


def test_what_courses_share_is_never_the_answer_to_another_fact() -> None:
    """Yes and 1 are equal to Python: an answer that is shared must still be of the kind of its fact."""
    options = {"is_auto_part": True, "dram_gbps": Decimal(1)}
    asked = [Asked(fact, None, "", (), ((-1, answer, 0, ("a heading",)),)) for fact, answer in options.items()]
    courses, pool = [Course((one,), (), (0,), complete=True) for one in (*asked, *asked)], dict[Any, Any]()
    for course in courses:
        course.share(pool)
    assert [type(course.asked[0].options[0][1]) for course in courses] == [bool, Decimal] * 2
    assert courses[0].asked[0] is courses[2].asked[0]
    assert courses[0].asked[0].options == ((-1, True, 0, ()),)  # no heading is kept: no range hangs on one
