"""Exclusions from the duties on China: in force on their days, by claim or for the whole number, and told as a saving where nobody claimed."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.law.rulebook import the_book

from tariff_engine.engine import Knowledge
from tariff_rules import ROOT

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.notation.conditions import When

DAY = timedelta(days=1)


def ask(knowledge: Knowledge, hts: str, day: date, **facts: Any) -> dict[str, Any]:
    """Return the answer on goods of China worth 10,000 dollars."""
    line = {"hts": hts, "origin": "CN", "entry_date": day, "value": 10000, **facts}
    return knowledge.answer(knowledge.read(line), "x", "none")


def filed(answer: dict[str, Any]) -> list[str]:
    """Return the headings of the exclusions and lists on an answer."""
    return [row["heading"] for row in answer["headings"] if row["heading"].startswith("9903.88")]


def hints(answer: dict[str, Any]) -> dict[str, str]:
    """Return what the answer says that a claim of each exclusion would save."""
    return {one["answer"]: one["saves"] for one in answer["savings"] if one["fact"] == "exclusion_claims"}


def claims(when: When) -> bool:
    """Whether a condition, or a branch of it, asks for a claim."""
    return bool(when.claimed) or any(claims(inner) for inner in when.any or ())


def lists(when: When) -> bool:
    """Whether every branch that asks for a claim is bound to a list of numbers."""
    here = bool(when.hts and when.hts.in_)
    return here or (bool(when.any) and all(lists(inner) for inner in when.any or () if claims(inner)))


def claimed() -> list[Node]:
    """Return the provisions that ask for a claim."""
    return [node for node in the_book().nodes.values() if claims(node.provision.when)]


@pytest.mark.parametrize("node", claimed(), ids=lambda node: node.id)
def test_an_exclusion_is_bound_to_the_numbers_of_its_note(node: Node) -> None:
    assert lists(node.provision.when), "a claim of it would relieve any article, and every line would be told of it"


ROWS = {"66": (73, 30), "67": (306, 37), "68": (63, 25), "69": (204, 29), "70": (14, 0)}


def test_the_lists_have_the_items_that_the_note_prints() -> None:
    """The notes print 81, 345, 77, 164 and 14 items, several under one number; those that are numbers alone exclude the whole number."""
    rows = csv.DictReader((ROOT / "lists" / "s301_china_exclusions.csv").read_text(encoding="utf-8").splitlines())
    found = Counter((row["heading"][-2:], row["kind"]) for row in rows)
    assert {suffix: (found[suffix, "full"] + found[suffix, "described"], found[suffix, "full"]) for suffix in ROWS} == ROWS


# number, first day, last day, heading: described articles
WINDOWS = (
    ("8414308030", date(2021, 10, 12), date(2024, 6, 14), "9903.88.67"),
    ("8414308030", date(2024, 6, 15), date(2026, 11, 9), "9903.88.69"),
    ("9018199550", date(2021, 12, 1), date(2023, 5, 31), "9903.88.66"),
    ("9018199550", date(2023, 6, 1), date(2024, 6, 14), "9903.88.68"),
    ("8486100000", date(2024, 1, 1), date(2026, 11, 9), "9903.88.70"),
    ("8486400030", date(2024, 1, 1), date(2026, 11, 9), "9903.88.70"),
    ("9032100030", date(2018, 7, 6), date(2020, 12, 27), "9903.88.05"),
    ("8413810040", date(2018, 7, 6), date(2021, 3, 24), "9903.88.06"),
    ("8425390100", date(2018, 7, 6), date(2021, 4, 17), "9903.88.07"),
    ("9011108000", date(2018, 7, 6), date(2020, 12, 31), "9903.88.08"),
    ("9027905650", date(2018, 7, 6), date(2020, 12, 31), "9903.88.06"),
)
# not extended
ENDED = (
    ("8538906000", date(2018, 7, 6), date(2020, 3, 24), "9903.88.06"),
    ("8413190000", date(2018, 7, 6), date(2020, 4, 17), "9903.88.07"),
    ("9018200040", date(2018, 7, 6), date(2020, 5, 13), "9903.88.08"),
)


@pytest.mark.parametrize(("number", "first", "last", "heading"), [*WINDOWS, *ENDED])
def test_an_exclusion_holds_from_its_first_day_to_its_last(
    number: str, first: date, last: date, heading: str, knowledge: Knowledge, book: Book
) -> None:
    for day in (first, last):
        told = hints(ask(knowledge, number, day))
        assert told.get(heading) == "2500.00", day
        answer = ask(knowledge, number, day, exclusion_claims=[heading])
        assert heading in filed(answer), day
        assert not hints(answer)
    for day in (first - DAY, last + DAY):
        if day >= book.horizon.from_:
            assert heading not in hints(ask(knowledge, number, day)), day
            assert heading not in filed(ask(knowledge, number, day, exclusion_claims=[heading])), day


def test_a_claim_for_goods_of_another_number_relieves_nothing(knowledge: Knowledge) -> None:
    for heading in ("9903.88.66", "9903.88.67", "9903.88.68", "9903.88.69", "9903.88.70"):
        answer = ask(knowledge, "8407340540", date(2024, 3, 1), exclusion_claims=[heading])
        assert filed(answer) == ["9903.88.02"]


def test_a_whole_number_needs_no_claim_and_is_no_hint(knowledge: Knowledge) -> None:
    for day, heading in ((date(2022, 6, 1), "9903.88.67"), (date(2024, 6, 15), "9903.88.69"), (date(2026, 11, 9), "9903.88.69")):
        answer = ask(knowledge, "8483509040", day)
        assert filed(answer) == [heading]
        assert not hints(answer)
    assert filed(ask(knowledge, "5603920095", date(2026, 3, 1))) == ["9903.88.69"]  # a number that note 20(vvv)(iii)(9) lists whole
    assert filed(ask(knowledge, "8483509040", date(2026, 11, 10))) == ["9903.88.01"]


def test_goods_of_other_origins_and_an_answer_without_questions_are_told_nothing(knowledge: Knowledge) -> None:
    line = {"hts": "8414308030", "origin": "VN", "entry_date": date(2026, 3, 1), "value": 10000}
    assert not hints(knowledge.answer(knowledge.read(line), "x", "none"))
    line["origin"] = "CN"
    assert not hints(knowledge.answer(knowledge.read(line), "x", "none", inquire=False))


def test_the_hint_says_what_is_claimed_and_what_is_owed_then(knowledge: Knowledge) -> None:
    answer = ask(knowledge, "8486100000", date(2025, 3, 1))
    told = next(one for one in answer["savings"] if one["answer"] == "9903.88.70")
    assert told["if_true"].startswith("the goods are described in exclusion 9903.88.70, and it is claimed: ")
    assert told["headings"][0] == "9903.88.70"
    assert float(answer["duty"]) - float(told["saves"]) == float(told["duty"])


def test_an_extension_is_known_once_it_was_published(engine: Any) -> None:
    assert "9903.88.67" not in hints(ask(engine.at(date(2022, 12, 15)), "8414308030", date(2023, 1, 1)))
    assert "9903.88.67" in hints(ask(engine.at(date(2022, 12, 16)), "8414308030", date(2023, 1, 1)))
    assert "9903.88.06" not in hints(ask(engine.at(date(2020, 3, 18)), "8413810040", date(2020, 3, 25)))
    assert "9903.88.06" in hints(ask(engine.at(date(2020, 3, 19)), "8413810040", date(2020, 3, 25)))
