"""The boundary inventory names every place where an answer can change: held against the compiled law, the rule files, and answers."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import date, timedelta
from typing import Any

import pytest

from tariff_engine.book import Book
from tariff_engine.boundaries import KINDS, Boundary, inventory
from tariff_engine.engine import Knowledge
from tariff_engine.law_days import law_days
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import random_line, space
from tariff_service.boundary_days import boundary_days

DAY = timedelta(days=1)
CONTRADICT = {"contradictory_facts", "contents_above_value"}


def days(edges: list[Boundary], fact: str) -> set[date]:
    """The days on which something is new by one fact."""
    return {date.fromisoformat(str(one.sides[-1])) for one in edges if one.fact == fact}


def test_every_day_that_divides_the_compiled_law_is_in_the_inventory(edges: list[Boundary], knowledge: Knowledge) -> None:
    compiled = {date.fromordinal(bound) for bound in knowledge.law.compiled.bounds}
    assert {day for day in compiled if day >= knowledge.law.start} - days(edges, "entry_date") == set()


def test_every_day_of_entry_in_the_inventory_divides_the_days_of_bulk_work(edges: list[Boundary], knowledge: Knowledge) -> None:
    """The days between which lines are taken for alike are found in the law itself: the inventory, which reads the rules, knows no other."""
    inventoried = {day for day in days(edges, "entry_date") if knowledge.law.start <= day}
    assert len(inventoried) > 150
    assert inventoried - set(law_days(knowledge.law)) == set()


def test_days_from_which_a_program_no_longer_serves_a_country_divide_every_count_of_days(
    edges: list[Boundary], knowledge: Knowledge
) -> None:
    excluded = [one for by_line in knowledge.law.preferences.excluded.values() for rows in by_line.values() for one in rows]
    ends = {day for one in excluded for day in (one.starts, one.until) if day is not None and knowledge.law.start < day < date.max}
    assert len(ends) > 3
    assert ends - days(edges, "entry_date") == set()
    assert ends - set(law_days(knowledge.law)) == set()
    assert ends - set(boundary_days(knowledge.law, {}, knowledge.law.start, date.max)) == set()


def test_every_publication_that_the_law_rests_on_is_in_the_inventory(edges: list[Boundary], book: Book, knowledge: Knowledge) -> None:
    named = {one.by for one in edges if one.kind == "known_day"}
    rows = {act for table in book.tables.values() for row in table.rows for act in (row.by, row.withdrawn_by) if act}
    steps = {act for node in book.nodes.values() for step in node.provision.steps for act in (step.by, step.withdrawn_by) if act}
    assert (rows | steps) - named == set()
    assert {knowledge.law.instruments[act].published for act in rows | steps} <= days(edges, "known_on")


def test_every_fact_that_the_compiled_law_tests_is_in_the_inventory(edges: list[Boundary], knowledge: Knowledge) -> None:
    assert set(knowledge.law.compiled.fact_bits) - {one.fact for one in edges} == set()


def test_every_tested_number_has_a_value_below_at_and_above(edges: list[Boundary], knowledge: Knowledge) -> None:
    sides = {(one.fact, side) for one in edges if one.kind == "threshold" for side in one.sides}
    for name, tests in knowledge.law.compiled.fact_bits.items():
        for _, test in tests.tests:
            for key, operand in () if isinstance(test, bool) else test:
                if key in {"above", "at_least", "below"}:
                    assert (name, f"{float(operand):g}") in sides or (name, str(operand)) in sides, (name, key, operand)


def test_every_code_of_every_list_in_use_has_its_edges(edges: list[Boundary], knowledge: Knowledge) -> None:
    told = {(one.owner, one.says.split()[0]) for one in edges if one.kind == "code"}
    named = {code for _, code in told}
    numbers = {number for table in knowledge.law.schedule.tables for number in table.codes}
    reached = {number[:size] for number in numbers for size in range(2, 11)}
    assert {code for code in knowledge.law.compiled.product_rows if code in reached} - named == set()
    for one in edges:
        if one.kind == "code":
            code = one.says.split()[0]
            inside = [number for number in one.sides if str(number).startswith(code)]
            assert len(one.sides) > len(inside), f"{code}: no number beside it"
            assert list(one.sides) == sorted(map(str, one.sides))


def test_every_kind_is_met_and_explained_and_every_owner_exists(edges: list[Boundary], book: Book) -> None:
    assert {one.kind for one in edges} == set(KINDS)
    frame = {"book", "filing", "relations", "schedule", "preferences", "fees", "de_minimis"}
    owners = {*book.nodes, *frame, *(f"program:{one.program}" for one in book.programs)}
    assert {one.owner for one in edges if not one.owner.startswith("list:")} <= owners
    assert {one.fact for one in edges} - {"known_on"} <= set(book.facts)
    assert all(one.says and len(one.sides) > 1 for one in edges)


def test_the_boundaries_of_the_programs_are_those_of_the_book(edges: list[Boundary], book: Book, knowledge: Knowledge) -> None:
    name = "s232-wood"
    alone = {repr(one.as_dict()) for one in inventory(book, knowledge.law, name)}
    assert {(one.kind, one.fact, one.owner, repr(one.sides)) for one in edges if name in one.programs} == {
        (one.kind, one.fact, one.owner, repr(one.sides)) for one in inventory(book, knowledge.law, name)
    }
    assert alone
    with pytest.raises(ProblemError, match="no program"):
        inventory(book, knowledge.law, "s232-paper")


def test_every_side_can_be_stated(edges: list[Boundary], knowledge: Knowledge) -> None:
    """A value of the inventory is one that a filer may send: it is read, or the line as a whole contradicts itself."""
    day, refused = knowledge.law.horizon.isoformat(), set[str]()
    stated = {(one.fact, repr(side)): side for one in edges for side in one.sides if one.fact != "known_on" and side is not None}
    for (fact, _), side in stated.items():
        line: dict[str, Any] = {"hts": "9403608093", "origin": "VN", "entry_date": day, "value": 10000, fact: side}
        try:
            knowledge.reader.read(line)
        except ProblemError as error:
            refused.add(f"{error.problem.code}: {fact}" if error.problem.code not in CONTRADICT else "")
    assert len(stated) > 1000
    assert refused <= {""}


def test_between_two_days_of_the_inventory_no_answer_changes(edges: list[Boundary], knowledge: Knowledge) -> None:
    known, where, rng = sorted(days(edges, "entry_date")), space(knowledge), random.Random(3)
    compared = 0
    while compared < 500:
        line = random_line(where, rng)
        for late in ("loaded_date", "ftz_pf_admission_date", "export_date", "model_year"):
            line.pop(late, None)
        day = knowledge.law.start + DAY * rng.randrange((knowledge.law.horizon - knowledge.law.start).days)
        first = known[bisect_right(known, day) - 1]
        try:
            one, two = (knowledge.answer(knowledge.read({**line, "entry_date": when}), "x", "none", inquire=False) for when in (first, day))
        except (ProblemError, LawConflictError):
            continue
        assert {**one, "entry_date": ""} == {**two, "entry_date": ""}, f"{line} on {first} and {day}"
        compared += 1
