"""Rows that are answered together say what each says when it is answered alone."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.profile import PROFILE, share

from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, BulkAssessor
from tariff_engine.bulk import assessor as assessing
from tariff_engine.bulk import ranges as ranging
from tariff_engine.bulk.scalar import Rows, Stated, answer_alone
from tariff_engine.engine import Knowledge
from tariff_engine.problems import ProblemError
from tariff_engine.testing import random_line, space
from tariff_engine.testing.drawing import Space
from tariff_service.rulebook import open_engine

LINES = int(os.environ.get("TARIFF_BULK_LINES") or {"ci": 3_000, "long": 1_000_000}.get(PROFILE, 450))
BATCH = 1_000
COLUMNS = ("hts", "origin", "entry_date", "value", "mode")
SCHEMAS = {"summary": SUMMARY_SCHEMA, "long": LONG_SCHEMA, "rejected": REJECTED_SCHEMA}


def plain_lines(where: Space, rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Lines as most filers state them: of some products and origins, on many days, of any value."""
    products = [
        rng.choice([code for code in where.near(rng.choice(where.listed)) if len(code) in {8, 10}] or where.codes) for _ in range(40)
    ]
    origins = rng.sample(where.origins, 8)
    first = date(2025, 2, 1) + timedelta(days=rng.randrange(450))
    found = []
    for _ in range(count):
        value: Any = rng.choice((rng.randrange(1, 300), rng.randrange(1, 3_000), rng.randrange(1, 10**6), rng.randrange(1, 10**11)))
        line: dict[str, Any] = {
            "hts": rng.choice(products),
            "origin": rng.choice(origins),
            "entry_date": (first + timedelta(days=rng.randrange(20))).isoformat(),
            "value": str(rng.choice((value, value, value, f"{value}.50"))),
            "mode": rng.choice(("ocean", "air", "truck", None)),
        }
        found.append(line)
        if rng.random() < 0.1:
            flag = rng.choice(where.flags)
            line[flag] = rng.random() < 0.5
    return found


def anywhere(where: Space, rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Lines of any product and origin on any day of the book, with eight digits or ten, and claims that are good or not."""
    first, last = min(where.days), max(where.days)
    found = []
    for _ in range(count):
        number = rng.choice(where.codes)
        line: dict[str, Any] = {
            "hts": number[:8] if rng.random() < 0.1 else number,
            "origin": rng.choice(where.origins),
            "entry_date": date.fromordinal(rng.randrange(first.toordinal(), last.toordinal() + 20)).isoformat(),
            "value": str(rng.choice((rng.randrange(1, 1_000), rng.randrange(1, 3_000), rng.randrange(1, 10**6)))),
            "mode": rng.choice(("ocean", "air", "truck", "rail", "mail", None)),
        }
        if rng.random() < 0.2:
            line["usmca_qualifying"] = rng.random() < 0.5
        if rng.random() < 0.1:
            line["spi"] = rng.choice(("A", "A*", "S", "S+", "KR", "AU", "JO", "ZZ"))
        found.append(line)
    return found


def stated_in_full(where: Space, rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Lines that aim at the boundaries of the law, with facts of every kind that a column of text can state."""
    return [
        {
            name: value if isinstance(value, bool) else str(value)
            for name, value in random_line(where, rng).items()
            if not isinstance(value, (list, dict))
        }
        for _ in range(count)
    ]


def batch_of(lines: list[dict[str, Any]]) -> pa.RecordBatch:
    names = sorted({name for line in lines for name in line})
    flags = {name for line in lines for name, value in line.items() if isinstance(value, bool)}
    kinds = [(name, pa.bool_() if name in flags else pa.string()) for name in names]
    return pa.RecordBatch.from_pylist([{name: line.get(name) for name in names} for line in lines], pa.schema(kinds))


def compared(known: Knowledge, assessor: BulkAssessor, lines: list[dict[str, Any]], before: int) -> None:
    """Assess lines together and each alone, and compare every row and column."""
    done = assessor.assess(batch_of(lines))
    alone = Rows([], [], [])
    for place, line in enumerate(lines, start=1):
        facts = {name: value for name, value in sorted(line.items()) if value is not None}
        answer_alone(known, Stated(before + place, None, None, facts), alone, ranges=assessor.ranges)
    for name, rows in zip(SCHEMAS, alone, strict=True):
        expected = pa.RecordBatch.from_pylist(rows, SCHEMAS[name])
        found = getattr(done, name)
        if not found.equals(expected):
            for one, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
                assert one == other, lines[other["row"] - before - 1]
        assert found.equals(expected)


def test_facts_of_other_columns_are_never_taken_for_each_other() -> None:
    known, plain = open_engine(None).at(), {"hts": "8703.23.01.90", "origin": "MX", "entry_date": "2025-08-15", "value": "20000"}
    assessor = BulkAssessor(known, ranges=False)
    others: list[dict[str, Any]] = [{"mode": "ocean"}, {"spi": "S"}, {"usmca_qualifying": True}, {"usmca_qualifying": False}, {}]
    for before, more in enumerate(others):
        compared(known, assessor, [{**plain, **more}], before)


def claims_around_days(known: Knowledge) -> list[dict[str, Any]]:
    """Claims of every special program on the days around each on which it begins or ends for an origin, or no longer serves a line of it."""
    law, found = known.law, list[dict[str, Any]]()
    numbers = [number for number in law.schedule.numbers() if len(number) == 10]
    free = next(number for number in numbers if number.startswith("843910"))
    printed: dict[str, str] = {}
    for number in numbers[::-1]:
        with suppress(ProblemError):
            line = law.schedule.find(number, date(2025, 8, 15))
            if line.general.ad_valorem != (0, 1):
                printed |= {symbol: number for symbols, _ in line.special for symbol in symbols}
    edges: set[tuple[str, str, str, date]] = set()
    for symbol, preference in law.preferences.by_symbol.items():
        for origin, grants in preference.grants.items():
            days = [day for grant in grants for day in (grant.starts, grant.until) if day is not None]
            for hts in (free, printed.get(symbol, free)):
                edges |= {(symbol, origin if origin in law.countries else "NG", hts, day) for day in days}
    for symbol, by_line in law.preferences.excluded.items():
        for digits, exclusions in share(list(by_line.items()), 20):
            edges |= {(symbol, one.origin, digits, day) for one in exclusions for day in (one.starts, one.until) if day is not None}
    for symbol, origin, hts, edge in share(sorted(edges), 3):
        if symbol in law.preferences.by_symbol and law.start < edge < date(2027, 1, 1):
            for day in (edge - timedelta(days=1), edge):
                found.append(
                    {"hts": hts, "origin": origin, "entry_date": day.isoformat(), "value": "20000", "mode": "ocean", "spi": symbol}
                )
    return found


def test_claims_follow_the_days_of_their_program_and_of_its_exclusions() -> None:
    known = open_engine(None).at()
    lines = claims_around_days(known)
    assert len(lines) > 300
    assert len({line["spi"] for line in lines}) > 8
    assessor = BulkAssessor(known, ranges=False)
    compared(known, assessor, lines[: len(lines) // 2], 0)
    compared(known, assessor, lines[:0:-1], len(lines) // 2)  # from the later day to the earlier, too


def test_a_rate_by_reference_asks_for_no_quantity() -> None:
    known = open_engine(None).at()
    line = {"hts": "6103.23.00.36", "origin": "VN", "entry_date": "2019-09-01", "value": "801"}
    compared(known, BulkAssessor(known), [line], 0)


def test_products_days_and_origins_that_see_the_same_law_share_one_inquiry() -> None:
    known, assessor = open_engine(None).at(), BulkAssessor(open_engine(None).at())
    lines = [
        {"hts": hts, "origin": origin, "entry_date": day, "value": value}
        for hts in ("6109.10.00.12", "6203.42.07.11")
        for origin in ("VN", "KH")
        for day in ("2026-04-02", "2026-04-20")
        for value in ("20001", "30005")
    ]
    compared(known, assessor, lines, 0)
    assert assessor.alone == 0
    assert assessor.inquiries < len(lines) / 4


def test_goods_that_changed_ship_on_the_way_are_not_taken_for_others() -> None:
    known = open_engine(None).at()
    line = {"origin": "DE", "entry_date": "2025-08-20", "value": "20000", "mode": "ocean"}
    moved: list[dict[str, Any]] = [{}, {"final_mode_differs": True}, {"final_mode_differs": False}]
    lines = [{**line, "hts": hts, **more} for hts in ("2927.00.30.00", "7612.10.00.00") for more in moved]
    for order in (lines, lines[::-1]):
        compared(known, BulkAssessor(known, ranges=False), order, 0)


def test_lines_answered_alone_leave_little_behind_and_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contents that are stated make a line one of its own; the inquiry into it leaves plans and a course that no other line asks for."""
    monkeypatch.setattr(assessing, "_MOST_PLANS", 50)
    known, own = open_engine(None).at(), open_engine(None).at()
    facts = {"hts": "8544429010", "origin": "KR", "entry_date": "2025-11-02", "mode": "ocean", "value": "50000"}
    lines = [{**facts, "aluminum_content_value": str(content)} for content in (0, 9_000, 20_000, 50_000, 9_000)]
    assessor, most = BulkAssessor(own), 0
    for before, line in enumerate(lines):
        compared(known, assessor, [line], before)
        assert assessor.alone == before + 1
        most = max(most, own.evaluator.plans)
    assert 50 < most < known.evaluator.plans


def test_values_that_are_cut_in_another_way_keep_their_inquiries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one form are told apart by the remainders of their values: those are let go of in time, the inquiries stay."""
    known = open_engine(None).at()
    facts = {"hts": "8302423015", "origin": "TW", "entry_date": "2025-10-28", "mode": "ocean"}
    lines = [{**facts, "value": str(20_000 + value)} for value in range(45)]
    asked = []
    for most in (500_000, 4):
        monkeypatch.setattr(ranging, "_MOST_BY_REMAINDER", most)
        assessor = BulkAssessor(known)
        for before in (0, len(lines)):
            compared(known, assessor, lines, before)
        asked.append((assessor.inquiries, assessor.alone))
    assert asked[0] == asked[1]
    assert 1 < asked[0][0] < 10, "no remainder was told from another: the lines do not show what they are for"


def test_a_kind_of_lines_is_worth_a_look_once_enough_were_met_and_says_the_same_before_and_after() -> None:
    known = open_engine(None).at()
    lines = [{"hts": "6109.10.00.12", "origin": "VN", "entry_date": "2025-08-15", "value": value} for value in ("20000", "30005")]
    assessor, alone = BulkAssessor(known, worth=5), []
    for before in (0, 2, 4):
        compared(known, assessor, lines, before)
        alone.append(assessor.alone)
    assert alone == [2, 4, 4]


@pytest.mark.parametrize("ranges", [True, False])
def test_rows_answered_together_are_those_answered_alone(*, ranges: bool) -> None:
    known, other = open_engine(None).at(), open_engine(None).at()
    where, rng = space(known), random.Random(int(os.environ.get("TARIFF_BULK_SEED", "11")))
    assessor, read = BulkAssessor(known, ranges=ranges, worth=1), 0
    wanted = LINES // 10 if ranges and LINES > 100_000 else LINES  # what is open is tried for each line alone, which takes milliseconds
    count = min(BATCH, wanted // 3)
    while read < wanted:
        for make in (plain_lines, anywhere, stated_in_full):
            lines = make(where, rng, count)
            compared(other, assessor, lines, read)
            read += len(lines)
    assert assessor.alone < read * 2 / 3
