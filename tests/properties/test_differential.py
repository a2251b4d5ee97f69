"""Two evaluators, one meaning: the naive definition and the compiled masks agree on rows, money, split lines, assumptions and reasons."""

from __future__ import annotations

import os
import random
from datetime import date
from typing import Any

import pytest

from tariff_engine.agreement import compare, compare_outcomes
from tariff_engine.base import line_base
from tariff_engine.book import Book
from tariff_engine.compiled.outcomes import Outcomes
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.evaluate.derivation import Derivation
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line

LINES = int(os.environ.get("TARIFF_DIFFERENTIAL_LINES", "7040"))  # of them an eighth for each of twelve proofs: 10,560 in all
CHUNKS = 8


def disagreement(book: Book, parts: Parts, known: Knowledge, raw: dict[str, Any]) -> str | None:
    """Evaluate a line both ways; return what differs, None where nothing does. Lines that cannot be read are equal by construction."""
    try:
        line = known.read(raw)
        base = line_base(known.law, line)
    except ProblemError:
        return None
    slow = NaiveEvaluation(book, line, base.base, base.column, known.law.known_on, parts)
    try:
        expected: Derivation | str = slow.run()
    except LawConflictError:
        expected = "conflict"
    try:
        fast = known.evaluate(line)[0]
        found: Derivation | str = fast.derivation()
    except LawConflictError:
        found = "conflict"
    if isinstance(expected, str) or isinstance(found, str):
        return None if expected == found else f"{raw}: {expected} is not {found}"
    outcomes = Outcomes(fast, known.evaluator.situations)
    mine = slow.outcomes()
    theirs = [outcome for program in known.law.compiled.programs for outcome in outcomes.of_program(program.index)]
    difference = compare(expected, found) or compare_outcomes(mine, theirs)
    return f"{raw}: naive and compiled: {difference}" if difference else None


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_both_evaluators_agree_on_generated_lines(seed: int, book: Book, parts: Parts, engine: Engine, where: Space) -> None:
    rng = random.Random(seed)
    for _ in range(LINES // CHUNKS):
        difference = disagreement(book, parts, engine.at(), random_line(where, rng))
        assert difference is None, difference


def test_both_evaluators_agree_whatever_was_known(book: Book, parts: Parts, engine: Engine, where: Space, publications: list[date]) -> None:
    """Knowledge time: as the law was known on the day before and the day of publications."""
    rng = random.Random(11)
    for day in rng.sample(publications, 12):
        known = engine.at(day)
        for _ in range(30):
            difference = disagreement(book, parts, known, random_line(where, rng))
            assert difference is None, difference


@pytest.mark.parametrize(
    ("lists", "origins", "days"),
    [
        (
            ("s201_solar", "s201_washers", "s201_quartz"),
            ("CN", "VN", "KR", "CA", "TR", "IN", "PH", "KH", "RU"),
            (date(2018, 7, 6), date(2027, 9, 1)),
        ),
        (("russia_note_30b", "russia_note_30d"), ("RU",), (date(2022, 4, 1), date(2026, 9, 20))),
        (("russia_note_30b", "s122_exempt"), ("NI",), (date(2025, 12, 1), date(2028, 2, 1))),
    ],
    ids=["safeguards", "in_lieu_of_column2", "phased_in"],
)
def test_both_evaluators_agree_on_goods_of_few_numbers_or_one_origin(
    lists: tuple[str, ...], origins: tuple[str, ...], days: tuple[date, date], book: Book, parts: Parts, engine: Engine, where: Space
) -> None:
    """Lines at large seldom meet these: their numbers, origins and days are drawn from the law itself."""
    rng = random.Random(5)
    prefixes = [row.hts for name in lists for row in book.tables[name].rows]
    codes = [code for code in where.codes if code.startswith(tuple(prefixes))]
    facts = ("in_quota", "cspv_cell", "bifacial_solar_panel", "quartz_surface_product", "usmca_qualifying", "cafta_dr_originating")
    met = set[str]()
    for _ in range(LINES // CHUNKS):
        line = random_line(where, rng) | {"hts": rng.choice(codes), "origin": rng.choice(origins)}
        line["entry_date"] = date.fromordinal(rng.randrange(days[0].toordinal(), days[1].toordinal()))
        for late in ("loaded_date", "ftz_pf_admission_date", "export_date"):
            line.pop(late, None)
        line |= {name: rng.random() < 0.5 for name in rng.sample(facts, 2)}
        difference = disagreement(book, parts, engine.at(), line)
        assert difference is None, difference
        try:
            met |= {row.program for row in engine.at().evaluate(engine.at().read(line))[0].derivation().rows}
        except (ProblemError, LawConflictError):
            continue
    assert met & {"s201-solar", "column2-russia", "s301-nicaragua"}


def test_both_evaluators_agree_on_goods_with_contents_partly_under_chapter_98(
    book: Book, parts: Parts, engine: Engine, where: Space
) -> None:
    """What chapter 98 leaves of the value bounds a provision, and not the row that stands beside it; split lines bear their own duties."""
    rng, known = random.Random(17), engine.at()
    beside = [node for node in book.nodes.values() if any(step.companion for step in node.provision.steps)]
    lists = {name for node in beside for name in _listed(node.provision.when)}
    prefixes = tuple(row.hts for name in sorted(lists) for row in book.tables[name].rows)
    codes = [code for code in where.codes if code.startswith(prefixes)]
    partly = [number for number in where.chapter98 if number.startswith("9802")]
    split = 0
    for _ in range(LINES // CHUNKS):
        value = rng.choice((10_000, 12_345, 800))
        line = random_line(where, rng) | {"hts": rng.choice(codes), "value": value, "origin": rng.choice(("MX", "CA", "VN", "DE", "JP"))}
        line["entry_date"] = date.fromordinal(rng.randrange(date(2025, 4, 1).toordinal(), date(2026, 9, 1).toordinal()))
        for name in ("loaded_date", "ftz_pf_admission_date", "export_date", "exclusion_claims", "quantity"):
            line.pop(name, None)
        line |= {
            "chapter98": rng.choice(partly),
            "processing_value": value * rng.choice((0, 1, 5, 9)) // 10,
            "usmca_qualifying": rng.random() < 0.6,
        }
        line |= {name: value * rng.choice((0, 5, 20, 40, 70)) // 100 for name in rng.sample(where.contents, 2)}
        line |= {"commerce_approved_us_content": "40"} if rng.random() < 0.5 else {}
        difference = disagreement(book, parts, known, line)
        assert difference is None, difference
        try:
            found = known.evaluate(known.read(line))[0]
        except (ProblemError, LawConflictError):
            continue
        split += len(found.plan.groups) > 1 and found.plan.any_framed
    assert split > LINES // CHUNKS // 100


def _listed(when: Any) -> list[str]:
    """The lists of products that a condition names."""
    here = [*(when.hts.in_ or [])] if when.hts else []
    return [*here, *(name for inner in when.any or [] for name in _listed(inner))]
