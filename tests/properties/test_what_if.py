"""What a change promises is what the changed line owes, for every line and change that can be drawn."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tariff_engine.engine import Engine, Knowledge
from tariff_engine.entry import assess_entry
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line
from tariff_service.what_if import what_if
from tariff_service.what_if_changes import KINDS

LINES = 600 if os.environ.get("HYPOTHESIS_PROFILE") in {"ci", "long"} else 60
DAYS = 60
Data = dict[str, Any]


@pytest.fixture(scope="module")
def found(engine: Engine, where: Space) -> list[tuple[Data, Data]]:
    """Lines with what would change their duty; every third has a second line beside it."""
    made: list[tuple[Data, Data]] = []
    for seed in range(LINES * 8):
        dice = random.Random(seed)
        entry: Data = {"lines": [{"id": "a", **random_line(where, dice)}]}
        if seed % 3 == 0:
            levels = {name: spec.level for name, spec in engine.at().law.facts.items()}
            shared = {name: value for name, value in entry["lines"][0].items() if levels.get(name) == "entry"}
            other = {name: value for name, value in random_line(where, dice).items() if levels.get(name) != "entry"}
            entry["lines"].append({"id": "b", **other, **shared})
        try:
            made.append((entry, what_if(engine, entry, days=DAYS)))
        except (ProblemError, LawConflictError):
            continue
        if len(made) == LINES:
            return made
    raise AssertionError(len(made))


def each(found: list[tuple[Data, Data]]) -> list[tuple[Data, Data, Data, Data]]:
    return [(entry, answer, line, one) for entry, answer in found for line in answer["lines"] for one in (*line["lower"], *line["higher"])]


def changed(knowledge: Knowledge, entry: Data, line: str, change: Data) -> Data:
    """State the facts of a change on a line; facts of the entry on all lines. Written anew, by the names alone."""
    facts = knowledge.law.facts
    lines = []
    for one in entry["lines"]:
        mine = {name: value for name, value in change.items() if one["id"] == line or facts[name].level == "entry"}
        stale = {alias for name in mine for alias in (name, *facts[name].aliases)}
        lines.append({**{name: value for name, value in one.items() if name not in stale}, **mine})
    return {"lines": lines}


def test_every_promise_is_what_the_changed_entry_owes(knowledge: Knowledge, found: list[tuple[Data, Data]]) -> None:
    kinds: Counter[str] = Counter()
    for entry, answer, line, one in each(found):
        base = assess_entry(knowledge, entry, "none")
        again = assess_entry(knowledge, changed(knowledge, entry, line["id"], one["change"]), "none")
        assert again["problems"] == []
        (was,) = [other for other in base["lines"] if other["id"] == line["id"]]
        (now,) = [other for other in again["lines"] if other["id"] == line["id"]]
        assert (was["duty"], now["duty"]) == (line["duty"], one["duty"])
        assert Decimal(now["duty"]) - Decimal(was["duty"]) == Decimal(one["difference"])
        assert Decimal(one["difference"]) != 0
        for name, amount in one["totals"].items():
            assert amount is None or Decimal(again["totals"][name]) - Decimal(base["totals"][name]) == Decimal(amount)
        assert [row["heading"] for row in now["headings"] if row["heading"]] == one["headings"]
        reasons = [Decimal(reason["dollars"]) for reason in one["reasons"] if reason["dollars"] is not None]
        assert sum(reasons) == Decimal(one["difference"])
        kinds[one["kind"]] += 1
        assert answer["totals"] == base["totals"]
    assert kinds.keys() <= KINDS.keys()
    assert len(kinds) >= 5, kinds


def test_only_facts_that_may_truly_be_otherwise_are_changed(knowledge: Knowledge, found: list[tuple[Data, Data]]) -> None:
    names = {alias: name for name, spec in knowledge.law.facts.items() for alias in (name, *spec.aliases)}
    for entry, _, line, one in each(found):
        (own,) = [other for other in entry["lines"] if other["id"] == line["id"]]
        stated = {names[name]: value for name, value in own.items() if name != "id"}
        assert {"hts", "origin", "value"}.isdisjoint(one["change"])
        assert one["if_true"]
        assert one["cites"] or not any(reason["cites"] for reason in one["reasons"])
        assert [proof["fact"] for proof in one["proof"]] == list(one["change"])
        if one["kind"] == "entry_date":
            moved = date.fromisoformat(one["change"]["entry_date"]) - stated["entry_date"]
            assert 0 < abs(moved.days) <= DAYS
        elif one["kind"] == "exclusion":
            assert one["change"]["exclusion_claims"][:-1] == stated.get("exclusion_claims", [])
        elif one["kind"] != "threshold":
            assert stated.keys().isdisjoint(one["change"]), one


def test_sides_are_ordered_and_no_saving_of_the_answer_is_left_out(knowledge: Knowledge, found: list[tuple[Data, Data]]) -> None:
    for entry, answer in found:
        for line, other in zip(answer["lines"], assess_entry(knowledge, entry, "none")["lines"], strict=True):
            lower, higher = ([Decimal(one["difference"]) for one in line[side]] for side in ("lower", "higher"))
            assert lower == sorted(lower)
            assert higher == sorted(higher, reverse=True)
            assert all(amount < 0 for amount in lower)
            assert all(amount > 0 for amount in higher)
            if "released_by" in other:
                assert (line["lower"], line["higher"]) == ([], [])
                continue
            best = {tuple(one["change"]): one["difference"] for one in reversed(line["lower"])}
            for saving in other["savings"]:
                if len(line["lower"]) < 40 and saving["fact"] not in {"export_country", "entry_type", "quantity"}:
                    assert Decimal(best[(saving["fact"],)]) <= -Decimal(saving["saves"])
