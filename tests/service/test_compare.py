"""Comparisons: every cell is what an assessment of it says, and the reasons of a difference add up to the difference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.law.rulebook import the_book
from tests.service.law import the_engine

from tariff_engine.build import build_law
from tariff_engine.engine import Engine
from tariff_engine.entry import assess_entry
from tariff_engine.problems import ProblemError
from tariff_rules import ROOT
from tariff_service.comparing import compare, compare_steps

SCREWS = {"hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": 10000, "mode": "ocean"}
SHOES = {"hts": "6403.99.60.15", "origin": "CA", "entry_date": "2025-02-05", "value": 10000, "mode": "truck"}


def assert_reasons_add_up(found: dict[str, Any]) -> None:
    for cell in found["cells"]:
        for line in cell["differences"]["lines"]:
            assert sum(Decimal(one["dollars"]) for one in line["programs"]) == Decimal(line["duty"])


def test_each_origin_has_its_cell_with_the_verdict_and_the_dollars_of_each_program_that_differs() -> None:
    found = compare(the_engine(), SCREWS, {"origin": ["CN", "CA", "DE"]})
    same, canada, germany = found["cells"]
    assert found["base"]["totals"]["duty"] == "9500.00"
    assert same["differences"]["duty"] == "0.00"
    assert same["differences"]["lines"][0]["programs"] == []
    assert (canada["varied"], canada["totals"]["duty"], canada["differences"]["duty"]) == ({"origin": "CA"}, "5000.00", "-4500.00")
    china = next(one for one in canada["differences"]["lines"][0]["programs"] if one["program"] == "s301-china")
    assert (china["from"], china["to"], china["dollars"]) == ("applies", "origin_not_covered", "-2500.00")
    assert china["because"] == "Origin CA is not covered (the rule covers CN)."
    assert china["facts"] == {"origin": "CA"}
    assert china["cites"]
    assert germany["lines"][0]["verdicts"]["s232-steel-2025"] == "applies"
    assert_reasons_add_up(found)


def test_every_cell_is_what_an_assessment_of_it_says() -> None:
    vary = {"origin": ["CN", "VN"], "entry_date": ["2025-03-01", "2026-09-01"], "known_on": [None, "2025-04-08"], "value": [10000, 250000]}
    found = compare(the_engine(), SCREWS, vary)
    assert len(found["cells"]) == 16
    for cell in found["cells"]:
        facts = {name: value for name, value in cell["varied"].items() if name != "known_on"}
        day = cell["varied"]["known_on"]
        answer = assess_entry(the_engine().at(date.fromisoformat(day) if day else None), {**SCREWS, **facts})
        assert cell["totals"] == answer["totals"]
        assert [row["heading"] for row in cell["lines"][0]["headings"]] == [row["heading"] for row in answer["lines"][0]["headings"]]
        assert cell["lines"][0]["verdicts"] == {one["program"]: one["verdict"] for one in answer["lines"][0]["programs"]}
    assert_reasons_add_up(found)


def test_what_was_known_is_a_dimension_and_the_last_value_varies_fastest() -> None:
    found = compare(the_engine(), SHOES, {"known_on": ["2025-02-02", None], "claims": [{}, {"usmca": True}]})
    assert [cell["varied"] for cell in found["cells"]] == [
        {"known_on": "2025-02-02", "claims": {}},
        {"known_on": "2025-02-02", "claims": {"usmca": True}},
        {"known_on": None, "claims": {}},
        {"known_on": None, "claims": {"usmca": True}},
    ]
    assert [cell["totals"]["duty"] for cell in found["cells"]] == ["3350.00", "2500.00", "850.00", "0.00"]
    assert found["base"]["totals"]["duty"] == "850.00"
    announced = found["cells"][0]["differences"]["lines"][0]["programs"][0]
    assert (announced["program"], announced["to"], announced["dollars"]) == ("ieepa-canada", "applies", "2500.00")
    assert_reasons_add_up(found)


def test_a_claim_of_column_1_special_is_told_with_the_rate_it_replaces() -> None:
    found = compare(the_engine(), SHOES, {"claims": [{"usmca_qualifying": True}]})
    (base,) = [one for one in found["cells"][0]["differences"]["lines"][0]["programs"] if one["program"] == "base"]
    assert (base["rates"], base["dollars"]) == ({"from": ["8.5%"], "to": ["Free"]}, "-850.00")
    assert base["because"] == "The special rate of column 1, under the program claimed."


def test_a_fact_that_varies_and_that_the_base_lacks_takes_its_first_value_there() -> None:
    base = {name: value for name, value in SCREWS.items() if name != "origin"}
    found = compare(the_engine(), base, {"origin": ["DE", "CN"]})
    assert found["base"]["stated"] == {"origin": "DE"}
    assert [cell["differences"]["duty"] for cell in found["cells"]] == ["0.00", "4500.00"]


def test_in_an_entry_facts_of_the_entry_are_varied_once_and_facts_of_a_line_on_each_line() -> None:
    lines = [{"id": name, "hts": SCREWS["hts"], "origin": "CN", "value": value} for name, value in (("a", 1000), ("b", 3000))]
    entry = {"entry_date": "2025-09-10", "mode": "ocean", "lines": lines}
    found = compare(the_engine(), entry, {"entry_date": ["2025-03-01", "2025-09-10"], "origin": ["CN", "DE"]})
    assert [[line["duty"] for line in cell["lines"]] for cell in found["cells"]] == [
        ["350.00", "1050.00"],
        ["0.00", "0.00"],
        ["950.00", "2850.00"],
        ["500.00", "1500.00"],
    ]
    assert_reasons_add_up(found)


def test_low_value_treatment_and_fees_are_among_the_differences() -> None:
    parcel = {
        "hts": "6109.10.00.12",
        "origin": "VN",
        "entry_date": "2025-06-01",
        "value": 500,
        "mode": "express",
        "de_minimis_claimed": True,
    }
    (cell,) = compare(the_engine(), parcel, {"origin": ["CN"]})["cells"]
    assert cell["differences"]["de_minimis"]["result"] == {"from": "exempt", "to": "entry_required"}
    assert cell["differences"]["de_minimis"]["cites"]
    assert Decimal(cell["differences"]["total"]) == Decimal(cell["differences"]["duty"]) + Decimal(cell["differences"]["fees"])


def test_the_problem_of_a_cell_stands_in_its_place_and_the_others_go_on() -> None:
    found = compare(the_engine(), SCREWS, {"hts": ["7318.15.20.61", "9999.99.99.99"], "loaded_date": [None, "2025-12-31"]})
    good, late, unknown, _ = found["cells"]
    assert good["totals"]["duty"] == "9500.00"
    assert late["lines"][0]["problem"]["code"] == "contradictory_facts"
    assert late["differences"]["lines"][0] == {"id": "1", "duty": None, "programs": []}
    assert unknown["lines"][0]["problem"]["code"] == "unknown_hts"
    assert [cell["problems"][0]["line"] for cell in (late, unknown)] == ["1", "1"]


def test_another_rulebook_is_a_dimension() -> None:
    book, engine = the_book(), the_engine()

    def load(known_on: date) -> Any:
        law = build_law(book, ROOT, known_on)
        law.id = "sha256:other"
        law.column2 = (*law.column2, ("CN", date.min, date.max))
        return law

    found = compare(engine, SCREWS, {"rulebook": [engine.at().law.id, "sha256:other"]}, rulebooks={"sha256:other": Engine(load)})
    ours, other = found["cells"]
    assert ours["differences"]["duty"] == "0.00"
    (base,) = [one for one in other["differences"]["lines"][0]["programs"] if one["program"] == "base"]
    assert (base["because_base"], base["because"]) == ("The general rate of duty of column 1.", "The rate of column 2.")
    with pytest.raises(ProblemError) as raised:
        compare(engine, SCREWS, {"rulebook": ["sha256:none"]})
    assert raised.value.problem.code == "unknown_rulebook"


@pytest.mark.parametrize(
    ("base", "vary", "code", "field"),
    [
        (SCREWS, {}, "wrong_type", "vary"),
        (SCREWS, ["origin"], "wrong_type", "vary"),
        (SCREWS, {"origin": "CN"}, "wrong_type", "vary.origin"),
        (SCREWS, {"origin": []}, "wrong_type", "vary.origin"),
        (SCREWS, {"orgin": ["CN"]}, "unknown_fact", "vary.orgin"),
        (SCREWS, {"usmca": [True], "usmca_qualifying": [False]}, "fact_stated_twice", "vary.usmca_qualifying"),
        (SCREWS, {"consignee": ["Somebody"]}, "unprocessable", "vary.consignee"),
        (SCREWS, {"claims": [{"consignee": "Somebody"}]}, "unprocessable", "vary.claims[0].consignee"),
        (SCREWS, {"claims": [{"spii": "S"}]}, "unknown_fact", "vary.claims[0].spii"),
        (SCREWS, {"claims": ["S"]}, "wrong_type", "vary.claims[0]"),
        (SCREWS, {"known_on": ["2025-13-01"]}, "wrong_type", "vary.known_on[0]"),
        (SCREWS, {"known_on": ["20250101"]}, "wrong_type", "vary.known_on[0]"),
        (SCREWS, {"rulebook": [1]}, "wrong_type", "vary.rulebook[0]"),
        (SCREWS, {"origin": ["CN"] * 15, "value": [1] * 14}, "too_many_cells", "vary"),
        ({"entry_date": "2025-09-10", "lines": [SCREWS] * 500}, {"origin": ["CN"] * 20}, "too_many_cells", "vary"),
        ([SCREWS], {"origin": ["CN"]}, "wrong_type", "entry"),
        ({"lines": []}, {"origin": ["CN"]}, "wrong_type", "lines"),
    ],
)
def test_what_cannot_be_compared_is_a_typed_problem_with_its_place(base: Any, vary: Any, code: str, field: str) -> None:
    with pytest.raises(ProblemError) as raised:
        compare(the_engine(), base, vary)
    assert (raised.value.problem.code, raised.value.problem.field) == (code, field)


def test_the_work_gives_way_after_each_cell_and_asks_for_the_law_that_it_needs() -> None:
    steps = compare_steps(SCREWS, {"origin": ["CN", "DE"], "known_on": [None, "2025-02-02"]})
    wanted: list[date | None] = []
    turns = 0

    def watched() -> Any:
        nonlocal turns
        sent = None
        while True:
            try:
                step = steps.send(sent)
            except StopIteration as done:
                return done.value
            turns += 1
            sent = None if step is None else the_engine().at(step.known_on)
            wanted.extend([step.known_on] if step else [])

    assert len(watched()["cells"]) == 4
    assert wanted == [None, date(2025, 2, 2), date(2025, 2, 2)]
    assert turns == 3 + 4
