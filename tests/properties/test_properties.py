"""What holds for every line, whatever the law says: conservation of money, independence of order, honest questions, growing knowledge."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.profile import share

from tariff_engine.book import Book
from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import assess_entry, assess_row
from tariff_engine.inquiry_tree import Evaluation
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line

SEEDS = st.integers(min_value=0, max_value=2**48)
CENT = Decimal("0.01")


def drawn(where: Space, seed: int) -> dict[str, Any]:
    return random_line(where, random.Random(seed))


def answered(knowledge: Knowledge, raw: dict[str, Any]) -> dict[str, Any]:
    """Answer a drawn line, or let Hypothesis draw another where the line contradicts itself."""
    try:
        return knowledge.answer(knowledge.read(raw), "x")
    except (ProblemError, LawConflictError):
        assume(condition=False)
        raise


@given(seed=SEEDS)
def test_headings_sum_to_the_line_and_bases_stay_within_the_value(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    answer = answered(knowledge, raw)
    rows = answer["headings"]
    if answer["duty"] is not None:
        assert sum(Decimal(row["duty"]) for row in rows) == Decimal(answer["duty"])
    value = Decimal(answer["value"])
    assert all(0 <= Decimal(row["base_value"]) <= value for row in rows)
    assert all(Decimal(row["duty"]) >= 0 for row in rows if row["kind"] != "credit" and row["duty"] is not None)


@given(seed=SEEDS)
def test_split_lines_sum_to_the_value_and_to_each_heading(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    answer = answered(knowledge, raw)
    lines = answer["filing"]["lines"]
    assert sum(Decimal(line["value"]) for line in lines) == Decimal(answer["value"])
    assert all(line["parts"] for line in lines)
    if answer["duty"] is not None and not any(row["kind"] in {"credit", "adcvd"} for row in answer["headings"]):
        filed = sum(Decimal(number["duty"]) for line in lines for number in line["numbers"])
        assert filed == Decimal(answer["duty"])


@given(seed=SEEDS)
def test_dotted_and_undotted_numbers_answer_alike(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    code = raw["hts"]
    dotted = f"{code[:4]}.{code[4:6]}.{code[6:8]}.{code[8:]}"
    assert answered(knowledge, raw) == answered(knowledge, {**raw, "hts": dotted})


@given(seed=SEEDS, order=st.randoms(use_true_random=False))
def test_the_order_of_facts_and_of_lines_does_not_matter(seed: int, order: random.Random, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    answer = answered(knowledge, raw)
    pairs = list(raw.items())
    order.shuffle(pairs)
    assert answered(knowledge, dict(pairs)) == answer
    entry: dict[str, Any] = {key: raw.pop(key) for key in ("entry_date", "mode") if key in raw}
    lines: list[dict[str, Any]] = [{"id": "a", **raw}, {"id": "b", **raw, "value": 5000}]
    lines[1] = {key: value for key, value in lines[1].items() if not key.endswith("_content_value")}
    one = assess_entry(knowledge, {**entry, "lines": lines})
    two = assess_entry(knowledge, {**entry, "lines": lines[::-1]})
    assert sorted(map(str, one["lines"])) == sorted(map(str, two["lines"]))
    assert one["totals"] == two["totals"]


@given(seed=SEEDS)
def test_an_irrelevant_fact_changes_nothing_but_is_accepted(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    answer = answered(knowledge, raw)
    assert answered(knowledge, {**raw, "consignee": "Acme", "s232_exclusion_number": None}) == answer


@given(seed=SEEDS)
def test_lines_and_fees_sum_to_the_entry(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    answered(knowledge, raw)
    entry: dict[str, Any] = {key: raw.pop(key) for key in ("entry_date", "mode", "loaded_date", "ftz_pf_admission_date") if key in raw}
    try:
        second: dict[str, Any] = {**raw, "id": "second"}
        answer = assess_entry(knowledge, {**entry, "lines": [raw, second]})
    except ProblemError:
        assume(condition=False)
        raise
    totals = answer["totals"]
    if totals is not None and totals["duty"] is not None:
        postal = Decimal(answer["de_minimis"].get("postal_duty", {}).get("duty", "0"))
        assert sum(Decimal(line["duty"]) for line in answer["lines"]) + postal == Decimal(totals["duty"])
        assert Decimal(totals["duty"]) + Decimal(totals["fees"]) == Decimal(totals["total"])
        fees = answer["fees"]
        assert Decimal(fees["mpf"]) + Decimal(fees["hmf"]) == Decimal(totals["fees"])


@given(seed=SEEDS)
def test_an_answered_question_removes_itself_and_lands_in_the_announced_range(seed: int, knowledge: Knowledge, where: Space) -> None:
    raw = drawn(where, seed)
    answer = answered(knowledge, raw)
    assume(answer["duty"] is not None and answer["questions"])
    assume(not any(warning["code"] == "range_incomplete" for warning in answer["warnings"]))
    low, high = (Decimal(answer["range"][end]) for end in ("low", "high"))
    assert low <= Decimal(answer["duty"]) <= high
    slack = CENT * 2 * len(answer["headings"])  # a split may round each heading's duty up once more
    for question in answer["questions"]:
        for option in question["answers"]:
            changed = answered(knowledge, {**raw, question["fact"]: option["answer"]})
            assert question["fact"] not in {asked["fact"] for asked in changed["questions"]}
            assert changed["duty"] == option["duty"]
            assert low - slack <= Decimal(changed["duty"]) <= high + slack


def content_asked(knowledge: Knowledge, where: Space, rng: random.Random) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Draw until a line asks for a content of its value."""
    for _ in range(200):
        raw = {key: value for key, value in random_line(where, rng).items() if not key.endswith(("_content_value", "_content_pct"))}
        try:
            answer = knowledge.answer(knowledge.read(raw), "x")
        except (ProblemError, LawConflictError):
            continue
        contents = [q["fact"] for q in answer["questions"] if q["fact"].endswith("_content_value")]
        if contents and answer["duty"] is not None:
            return raw, answer, contents
    assume(condition=False)
    raise AssertionError


@given(seed=SEEDS, share=st.integers(min_value=0, max_value=100))
def test_any_content_lands_in_the_announced_range(seed: int, share: int, knowledge: Knowledge, where: Space) -> None:
    raw, answer, contents = content_asked(knowledge, where, random.Random(seed))
    low, high = (Decimal(answer["range"][end]) for end in ("low", "high"))
    changed = answered(knowledge, {**raw, contents[0]: Decimal(answer["value"]) * share / 100})
    slack = CENT * 2 * len(changed["headings"])
    assert low - slack <= Decimal(changed["duty"]) <= high + slack


@given(seed=SEEDS)
def test_exclusive_provisions_never_stand_together(seed: int, knowledge: Knowledge, where: Space, book: Book) -> None:
    raw = drawn(where, seed)
    try:
        line = knowledge.read(raw)
        evaluated, _ = knowledge.evaluate(line)
    except (ProblemError, LawConflictError):
        assume(condition=False)
        raise
    charged = [row for row in evaluated.derivation().rows if row.kind in {"additional", "total"}]
    for program in book.programs:
        for group in program.groups:
            if book.live(group, line.day, knowledge.law.known_on):
                members = {name for rank in group.order for name in book.expand(rank)}
                assert len({row.provision for row in charged} & members) <= 1
        if program.one_of:
            mine = [row for row in charged if row.program == program.program]
            covered = [part for row in mine for part in row.parts]
            assert len(covered) == len(set(covered))


@given(seed=SEEDS, pick=st.randoms(use_true_random=False))
def test_knowing_later_never_changes_what_was_known_earlier(
    seed: int, pick: random.Random, engine: Engine, where: Space, publications: list[date]
) -> None:
    """Between two publications the answer stands still: it is the law known on the earlier of the two days.

    Of the last forty publications every sixth by default (the law of each is made for it), in the long profiles all.
    """
    day = pick.choice(share(publications[-40:], 6))
    later = next((other for other in publications if other > day), None)
    raw = drawn(where, seed)
    known = engine.at(day)
    try:
        row = assess_row(known, raw)
    except (ProblemError, LawConflictError):
        assume(condition=False)
        raise
    if later is not None:
        assert assess_row(engine.at(later - timedelta(days=1)), raw) == row
    assert assess_row(engine.at(day), raw) == row


@given(seed=SEEDS)
def test_every_program_of_the_book_has_one_verdict(seed: int, knowledge: Knowledge, where: Space, book: Book) -> None:
    answer = answered(knowledge, drawn(where, seed))
    assert [verdict["program"] for verdict in answer["programs"]] == [program.program for program in book.programs]
    for verdict in answer["programs"]:
        assert verdict["because"].endswith((".", ")"))
        assert verdict["cites"] or verdict["verdict"] == "not_in_force"


def test_every_fact_at_fault_is_told_at_once(knowledge: Knowledge) -> None:
    """A sender can mend a line in one go: wrong types, unknown names, what is missing and what is out of range."""
    with pytest.raises(ProblemError) as caught:
        knowledge.read({"hts": "87032", "orgin": "CN", "entry_date": "2025-13-01", "value": -5})
    problem = caught.value.problem
    assert [(one.code, one.field) for one in (problem, *problem.also)] == [
        ("wrong_type", "hts"),
        ("unknown_fact", "orgin"),
        ("wrong_type", "entry_date"),
        ("out_of_range", "value"),
        ("fact_missing", "origin"),
    ]


def test_stated_deposits_are_computed_and_an_order_without_a_rate_is_a_warning(knowledge: Knowledge) -> None:
    """Antidumping and countervailing deposits come from the filer; nothing is inferred, nothing is silently zero."""
    line = {"hts": "7326.90.86.88", "origin": "CN", "entry_date": "2024-06-03", "value": 10000}
    plain = answered(knowledge, line)
    stated = answered(knowledge, {**line, "adcvd": [{"case": "A-570-000", "rate_pct": "20"}, {"case_number": "C-570-001", "rate": "1.5%"}]})
    assert [row["duty"] for row in stated["headings"] if row["kind"] == "adcvd"] == ["2000.00", "150.00"]
    assert Decimal(stated["duty"]) == Decimal(plain["duty"]) + 2150
    unstated = answered(knowledge, {**line, "adcvd": True})
    assert unstated["duty"] == plain["duty"]
    assert "adcvd_rate_needed" in {warning["code"] for warning in unstated["warnings"]}
    with pytest.raises(ProblemError, match="not stated in full"):
        knowledge.answer(knowledge.read({**line, "adcvd": [{"case": "A-570-000"}]}), "x")


@pytest.mark.parametrize("claim", ["98020040", "9802.00.40"])
def test_a_chapter_98_number_counts_dotted_or_not(claim: str, knowledge: Knowledge) -> None:
    line = {
        "hts": "9403.60.80.81",
        "origin": "CN",
        "entry_date": "2025-05-20",
        "value": 30000,
        "chapter98": claim,
        "processing_value": 1000,
    }
    answer = answered(knowledge, line)
    assert {row["base_value"] for row in answer["headings"]} == {"1000"}


@pytest.mark.parametrize("claim", ["foo", "", "8703.23.01", "98", 98020040])
def test_what_is_no_chapter_98_number_is_refused_and_never_frees_a_line(claim: object, knowledge: Knowledge) -> None:
    line = {"hts": "9403.60.80.81", "origin": "CN", "entry_date": "2025-05-20", "value": 30000, "chapter98": claim}
    with pytest.raises(ProblemError, match="begins with 98"):
        knowledge.read(line)


def test_an_exclusion_claimed_without_dots_is_that_exclusion(knowledge: Knowledge) -> None:
    line = {"hts": "8413.91.90.39", "origin": "CN", "entry_date": "2026-07-02", "value": 10000}
    dotted = answered(knowledge, {**line, "exclusion_claims": ["9903.88.69"]})
    assert dotted == answered(knowledge, {**line, "exclusion_claims": ["99038869"]})
    assert Decimal(dotted["duty"]) < Decimal(answered(knowledge, line)["duty"])


def test_an_answer_that_asks_for_a_quantity_is_no_zero_in_the_range(knowledge: Knowledge) -> None:
    """Where one answer leads to a rate whose quantity is not stated, its duty is unknown: the range says that it is not complete."""

    class Unknown:
        duty, assumed, headings, relevant = None, (), (), (0, ())

    inquirer, raw = knowledge.inquirer, {"hts": "6403.99.60.25", "origin": "CA", "entry_date": "2025-04-10", "value": 30000}
    line = knowledge.read(raw)
    evaluated, base = knowledge.evaluate(line)
    whole = knowledge.inquire(line, evaluated, base)
    usual = inquirer.evaluate
    unknown = cast("Evaluation", Unknown())
    inquirer.evaluate = lambda changed: unknown if changed.facts.get("usmca_qualifying") else usual(changed)
    try:
        cut = knowledge.inquire(line, evaluated, base)
    finally:
        inquirer.evaluate = usual
    assert (whole.complete, cut.complete) == (True, False)
    assert whole.low == 0
    assert cut.low is not None
    assert cut.low > 0


def test_two_entry_dates_are_two_entries(knowledge: Knowledge) -> None:
    line = {"hts": "9403.60.80.81", "origin": "DE", "value": 3000}
    answer = assess_entry(knowledge, {"lines": [{**line, "entry_date": "2025-03-01"}, {**line, "entry_date": "2025-09-01"}]})
    assert [(problem["code"], problem["field"]) for problem in answer["problems"]] == [("contradictory_facts", "entry_date")]
    assert answer["totals"] is None


def test_released_goods_are_charged_by_no_program_and_say_why(knowledge: Knowledge) -> None:
    line = {"hts": "6109.10.00.12", "origin": "CN", "entry_date": "2025-03-01", "value": 500, "mode": "express", "de_minimis_claimed": True}
    row = assess_row(knowledge, line)
    assert row["duty"] == "0.00"
    assert Decimal(row["otherwise"]["duty"]) > 0
    assert not {verdict["verdict"] for verdict in row["programs"]} & {"applies", "exempt", "displaced"}
