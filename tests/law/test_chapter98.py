"""Chapter 98: what each number leaves dutiable, and which duties of chapter 99 still reach it, by program and day, on both evaluators."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tariff_engine.base import CLAIMS, claim_facts, line_base
from tariff_engine.chapter98_files import read_chapter98
from tariff_engine.entry import assess_row
from tariff_engine.notation.yaml_reader import Document
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tests.law.naive_knowledge import NaiveKnowledge

    from tariff_engine.chapter98 import Chapter98
    from tariff_engine.engine import Knowledge

VALUE, WORK, PARTS = "10000", "2000", "6000"
CHARGED = {"additional", "total"}


def sheet(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


REACH = sheet(Path(__file__).with_name("chapter98_reach.csv"))
NUMBERS = [name for name in REACH[0] if name.startswith("98")]


def both(knowledge: Knowledge, naive: NaiveKnowledge, line: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of the compiled evaluator, after that of the naive one was found to owe the same."""
    found, defined = assess_row(knowledge, dict(line), "full"), assess_row(naive, dict(line), "none")
    rows = [[(row["heading"], row["base_value"], row["duty"]) for row in one["headings"]] for one in (found, defined)]
    assert rows[0] == rows[1]
    assert (found["duty"], found["base"]) == (defined["duty"], defined["base"])
    return found


def goods(row: dict[str, str], number: str) -> dict[str, Any]:
    line: dict[str, Any] = {"hts": row["hts"], "origin": row["origin"], "entry_date": row["on"], "value": VALUE, "mode": "ocean"}
    line |= {"chapter98": number, "processing_value": WORK, "us_content_value": PARTS if number == "9802.00.80" else "0"}
    for pair in filter(None, row["more"].split(";")):
        name, _, text = pair.partition("=")
        line[name] = {"true": True, "false": False}.get(text, text)
    return line


def codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize("row", REACH, ids=[f"{row['program']}-{row['origin']}-{row['on']}" for row in REACH])
def test_a_program_reaches_what_the_number_leaves_to_it(row: dict[str, str], knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    for number in NUMBERS:
        answer = both(knowledge, naive, goods(row, number))
        charged = [r["base_value"] for r in answer["headings"] if r["program"] == row["program"] and r["kind"] in CHARGED]
        honored = row["origin"] == "LS" if number.startswith("9819") else True
        assert (charged or ["0"]) == [row[number]], f"{number}: {answer['headings']}"
        assert ("chapter98_not_honored" in codes(answer)) is not honored


@cache
def table() -> Chapter98:
    frame = Document((ROOT / "chapter98.yaml").read_text(encoding="utf-8")).value
    return read_chapter98(frame, (ROOT / "chapter98.csv").read_text(encoding="utf-8"))


def test_every_number_of_the_table_is_answered_on_both_sides_of_its_days(knowledge: Knowledge) -> None:
    """Each number, each column: base duty and warnings are those of its treatment, read here from the sheet."""
    for row in sheet(Path(str(ROOT / "chapter98.csv"))):
        days = [date.fromisoformat(row["from"])]
        if row["until"]:
            days.append(date.fromisoformat(row["until"]) - timedelta(days=1))
        for day in days:
            general, value = row["general"].partition(" "), row["limit"] or VALUE
            line = {"hts": "6403.99.60.75", "origin": "CH", "entry_date": day, "value": value, "mode": "ocean", "chapter98": row["number"]}
            answer = knowledge.answer(
                knowledge.read(line | {"processing_value": WORK, "us_content_value": PARTS if value == VALUE else "0"}),
                "x",
                "none",
                inquire=False,
            )
            base, told = answer["base"], codes(answer)
            where = f"{row['number']} on {day}"
            if not row["general"]:
                assert (base["full_duty"], "chapter98" in base) == ("850.00", False), where
                assert "chapter98_not_honored" in told, where
                continue
            assert base["chapter98"]["number"] == row["number"], where
            plain = {"free": "0.00", "bond": "0.00", "work": "170.00", "less_us": "340.00", "value": "850.00", "unheld": "850.00"}
            if not general[2]:
                assert base["full_duty"] == plain[general[0]], where
            assert ("chapter98_not_modelled" in told) == (general[0] == "unheld"), where


def test_over_the_limit_of_a_number_it_relieves_of_nothing(knowledge: Knowledge) -> None:
    line = {"hts": "6403.99.60.75", "origin": "CH", "entry_date": "2024-05-01", "mode": "air"}
    within = assess_row(knowledge, {**line, "value": "800", "chapter98": "9804.00.65"}, "none")
    over = assess_row(knowledge, {**line, "value": "801", "chapter98": "9804.00.65"}, "none")
    assert (within["base"]["full_duty"], over["base"]["full_duty"]) == ("0.00", "68.09")
    assert "chapter98_over_limit" in codes(over) - codes(within)
    retail = assess_row(knowledge, {**line, "value": "700", "fair_retail_value": "801", "chapter98": "9804.00.65"}, "none")
    assert "chapter98_over_limit" in codes(retail)


def test_apparel_of_rwanda_is_left_out_and_that_of_kenya_is_not(knowledge: Knowledge) -> None:
    shirt = {"hts": "6109.10.00.12", "value": VALUE, "mode": "ocean"}
    for number in ("9819.11.12", "9819"):
        rwanda = {**shirt, "origin": "RW", "chapter98": number}
        assert assess_row(knowledge, {**rwanda, "entry_date": "2018-07-30"}, "none")["base"]["duty"] == "0.00"
        suspended = assess_row(knowledge, {**rwanda, "entry_date": "2018-07-31"}, "none")
        assert (suspended["base"]["duty"], {"special_product_excluded", "chapter98_not_honored"} <= codes(suspended)) == ("1650.00", True)
        assert assess_row(knowledge, {**rwanda, "origin": "KE", "entry_date": "2018-07-31"}, "none")["base"]["duty"] == "0.00"


def test_a_number_does_not_stand_before_its_first_day_nor_after_its_last(knowledge: Knowledge) -> None:
    line = {"hts": "6403.99.60.75", "origin": "MX", "value": VALUE, "mode": "ocean", "usmca_qualifying": True}
    for number, day, stands in (
        ("9802.00.91", "2020-06-30", False),
        ("9802.00.91", "2020-07-01", True),
        ("9823.01.01", "2020-06-30", False),
        ("9819.15.10", "2021-12-31", True),
        ("9819.15.10", "2022-01-01", False),
    ):
        answer = assess_row(knowledge, {**line, "entry_date": day, "chapter98": number}, "none")
        assert ("chapter98_not_in_force" in codes(answer)) is not stands, (number, day)


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("9802", "chapter98_incomplete"),
        ("9899.00.00", "chapter98_not_modelled"),
        ("9817", "chapter98_incomplete"),
        ("9801.00.70", "chapter98_not_modelled"),
    ],
)
def test_what_cannot_be_told_is_told_so_and_relieves_of_no_base_duty(claim: str, code: str, knowledge: Knowledge) -> None:
    line = {"hts": "6403.99.60.75", "origin": "KE", "entry_date": "2024-05-01", "value": VALUE, "mode": "ocean", "chapter98": claim}
    answer = assess_row(knowledge, line, "none")
    assert code in codes(answer)
    assert answer["base"]["duty"] == "850.00"


def test_a_heading_is_enough_where_its_numbers_are_alike(knowledge: Knowledge) -> None:
    line = {"hts": "6403.99.60.75", "origin": "KE", "entry_date": "2024-05-01", "value": VALUE, "mode": "ocean"}
    assert assess_row(knowledge, {**line, "chapter98": "9808"}, "none")["base"]["duty"] == "0.00"
    assert assess_row(knowledge, {**line, "chapter98": "9819"}, "none")["base"]["duty"] == "0.00"


def test_an_amount_that_nobody_stated_is_taken_whole_and_asked_for(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    line = {"hts": "6403.99.60.75", "origin": "CH", "entry_date": "2024-05-01", "value": VALUE, "mode": "ocean"}
    repair = both(knowledge, naive, {**line, "chapter98": "9802.00.50"})
    assert (repair["base"]["duty"], repair["range"]) == ("850.00", {"low": "0.00", "high": "850.00"})
    assert [(q["fact"], q["taken"]) for q in repair["questions"]] == [("processing_value", VALUE)]
    assert [(a["fact"], a["taken"]) for a in repair["assumptions"]] == [("processing_value", VALUE)]
    assembly = both(knowledge, naive, {**line, "chapter98": "9802.00.80"})
    assert (assembly["base"]["duty"], assembly["range"]["low"]) == ("850.00", "0.00")
    assert "us_content_value" in {q["fact"] for q in assembly["questions"]}
    for answer in (repair, assembly):
        assert "fact_needed" in codes(answer)


def test_the_fact_of_one_number_does_not_stand_for_that_of_another(knowledge: Knowledge) -> None:
    line = {"hts": "6403.99.60.75", "origin": "CH", "entry_date": "2024-05-01", "value": VALUE, "mode": "ocean"}
    repair = assess_row(knowledge, {**line, "chapter98": "9802.00.50", "us_content_value": PARTS}, "none")
    assembly = assess_row(knowledge, {**line, "chapter98": "9802.00.80", "processing_value": WORK}, "none")
    assert (repair["base"]["duty"], assembly["base"]["duty"]) == ("850.00", "850.00")


def test_a_specific_rate_is_owed_in_the_share_that_stays_dutiable(knowledge: Knowledge) -> None:
    """Work worth a fifth of the value owes a fifth of the duty on the whole (chapter 98, subchapter II, U.S. note 3)."""
    line = {
        "hts": "2202.99.91.00",
        "origin": "CH",
        "entry_date": "2024-05-01",
        "value": VALUE,
        "mode": "ocean",
        "quantity": {"liter": "1000"},
    }
    whole = assess_row(knowledge, line, "none")
    part = assess_row(knowledge, {**line, "chapter98": "9802.00.50", "processing_value": WORK}, "none")
    assert float(part["base"]["duty"]) * 5 == pytest.approx(float(whole["base"]["duty"]))


def test_a_program_may_free_the_repair_and_leaves_the_other_duties(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    line = {"hts": "7318.15.20.10", "origin": "KR", "entry_date": "2025-05-01", "value": VALUE, "mode": "ocean", "processing_value": WORK}
    plain = both(knowledge, naive, {**line, "chapter98": "9802.00.50"})
    claimed = both(knowledge, naive, {**line, "chapter98": "9802.00.50", "spi": "KR"})
    assert claimed["base"]["special_program"] == "KR"
    assert claimed["base"]["duty"] == "0.00"
    metal = [[r["base_value"] for r in one["headings"] if r["program"] == "s232-steel-2025"] for one in (plain, claimed)]
    assert metal[0] == metal[1] == [WORK]


def test_a_number_with_a_rate_of_its_own_takes_it_in_place_of_the_line(knowledge: Knowledge, naive: NaiveKnowledge) -> None:
    line = {"hts": "6110.30.30.53", "origin": "CH", "entry_date": "2024-05-01", "value": VALUE, "mode": "ocean"}
    assert both(knowledge, naive, line)["base"]["rate"] == "32%"
    ski = both(knowledge, naive, {**line, "chapter98": "9817.61.01"})
    assert (ski["base"]["rate"], ski["duty"]) == ("5.5%", "550.00")
    baggage = both(knowledge, naive, {**line, "chapter98": "9816.00.20", "fair_retail_value": "1000"})
    assert (baggage["base"]["rate"], baggage["base"]["duty"]) == ("3%", "30.00")


def test_the_fee_follows_the_number_and_the_claim_that_are_honored(knowledge: Knowledge) -> None:
    from tariff_engine.entry import assess_entry  # noqa: PLC0415 - the one test here of a whole entry

    def fee(**facts: Any) -> str:
        entry = {"entry_date": "2024-05-01", "mode": "air", "lines": [{"hts": "6403.99.60.75", "value": VALUE, **facts}]}
        return str(assess_entry(knowledge, entry)["fees"]["mpf"])

    owed = fee(origin="KR")
    assert owed == "34.64"
    assert fee(origin="KR", spi="KR") == "0.00"
    assert fee(origin="DE", spi="KR") == owed
    assert fee(origin="KR", spi="KR", fta_originating=False) == owed
    assert fee(origin="KE", chapter98="9808.00.30") == "0.00"
    assert fee(origin="KE", chapter98="9819.11.12") == "0.00"
    assert fee(origin="VN", chapter98="9819.11.12") == owed
    assert fee(origin="KR", chapter98="9802.00.80", us_content_value=PARTS) == "31.67"


def test_the_table_has_no_holes_and_no_word_without_a_meaning() -> None:
    numbers = table()
    for found in numbers.numbers.values():
        assert all(one.until == two.starts for one, two in pairwise(found))
        for number in found:
            treatments = [number.general, number.column2, *(treatment for _, treatment in number.special)]
            assert all(treatment.word in numbers.meanings for treatment in treatments if treatment)
            assert any(treatments), f"{number.number} opens no column"


@pytest.mark.parametrize(
    ("facts", "unclaimed"),
    [
        ({"origin": "CA"}, ("usmca_qualifying",)),
        ({"origin": "CA", "chapter98": "9808.00.30"}, ()),  # nothing is dutiable
        ({"origin": "RU"}, ()),  # column 2 takes no claim
    ],
)
def test_a_claim_is_asked_for_only_where_a_special_rate_could_be_claimed(
    facts: dict[str, str], unclaimed: tuple[str, ...], knowledge: Knowledge
) -> None:
    line = knowledge.read({"hts": "6109100012", "entry_date": "2026-03-02", "value": 10000, **facts})
    assert line_base(knowledge.law, line).unclaimed == unclaimed
    assert claim_facts(knowledge.law) > CLAIMS
