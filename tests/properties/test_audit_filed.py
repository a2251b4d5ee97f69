"""Extracts with planted errors: every error is found with its kind and its exact dollars, and clean rows are found clean."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.properties.filed_entries import PLANTS, Planted, extract, plant

from tariff_engine.engine import Knowledge
from tariff_engine.testing import Space
from tariff_service.filed_audit import AuditDesk
from tariff_service.filed_reading import read_filed
from tariff_service.filed_report import audit_report
from tariff_service.refund_columns import Dictionary
from tariff_service.refund_files import read_lines

EACH = 60 if os.environ.get("HYPOTHESIS_PROFILE") in {"ci", "long"} else 10
LAST = "12/31/2026"  # the day of the summary: what was known then is what is known today, so that later law plants nothing of its own
Data = dict[str, Any]


@pytest.fixture(scope="module")
def desk() -> AuditDesk:
    return AuditDesk(None)


@pytest.fixture(scope="module")
def planted(knowledge: Knowledge, where: Space) -> list[Planted]:
    """So many lines of each kind of error, of which every one differs."""
    counts: Counter[str] = Counter()
    found: list[Planted] = []
    for seed in range(100_000):
        if counts[PLANTS[seed % len(PLANTS)]] < EACH:
            made = plant(knowledge, where, seed)
            if made is not None:
                counts[made.kind] += 1
                found.append(made)
        if sum(counts.values()) == EACH * len(PLANTS):
            return found
    raise AssertionError(counts)


@pytest.fixture(scope="module")
def report(desk: AuditDesk, planted: list[Planted], tmp_path_factory: pytest.TempPathFactory) -> Data:
    path = tmp_path_factory.mktemp("filed") / "es003.csv"
    path.write_text(extract(planted, random.Random(7), LAST), encoding="utf-8")
    return audited(desk, path)


def audited(desk: AuditDesk, path: Path) -> Data:
    lines = read_lines(str(path), Dictionary(desk.today.law))
    return audit_report(desk, lines, read_filed(lines, desk.today), date(2026, 12, 31))


def cents(text: str | None) -> int:
    return int((text or "0.00").replace(".", ""))


def pairs(report: Data, planted: list[Planted], kind: str) -> list[tuple[Planted, Data]]:
    lines = {line["entry_number"]: line for line in report["lines"]}
    return [(one, lines[one.number]) for one in planted if one.kind == kind]


def counted(line: Data) -> list[Data]:
    return [one for one in line["findings"] if one["cause"] != "refund_action"]


def by_facts(made: Planted, line: Data) -> bool:
    """Whether the error is told as open: some fact that the file does not state would make it right; the dollars at stake are the error's."""
    (first, *rest) = counted(line)
    if first["type"] != "needs_facts" or rest:
        return False
    assert first["facts"]
    assert cents(first["at_stake"]) == made.difference
    return True


def test_every_row_is_read(report: Data, planted: list[Planted]) -> None:
    assert report["problems"] == []
    assert report["totals"]["lines"] == len(planted)


def test_clean_lines_have_no_finding(report: Data, planted: list[Planted]) -> None:
    for _, line in pairs(report, planted, "clean"):
        assert counted(line) == [], line
        assert (line["overpaid"], line["underpaid"]) == ("0.00", "0.00")


@pytest.mark.parametrize("kind", ["missing_heading", "extra_heading", "wrong_rate", "wrong_base"])
def test_an_error_of_dollars_is_found_with_its_kind_number_and_exact_dollars(report: Data, planted: list[Planted], kind: str) -> None:
    strict = 0
    for made, line in pairs(report, planted, kind):
        if counted(line) and by_facts(made, line):
            continue
        (one,) = [one for one in counted(line) if one["type"] != "out_of_sequence"]
        assert cents(one["difference"]) == made.difference, (made, one)
        assert made.heading in {one["filed_number"], one["owed_number"]}
        if one["type"] == "wrong_era":  # by chance, what was planted is right on another day: then it must be so
            assert one["era"]["from"] > line["entry_date"] or (one["era"]["until"] or "9999") <= line["entry_date"]
        else:
            assert one["type"] == kind, (made, one)
            strict += 1
        assert one["says"]
        assert one["because"]
    assert strict >= EACH // 2


def test_numbers_in_the_wrong_order_are_found_and_cost_nothing(report: Data, planted: list[Planted]) -> None:
    for made, line in pairs(report, planted, "out_of_sequence"):
        assert len(counted(line)) == 1, (made, line)
        (one,) = counted(line)
        assert (one["type"], cents(one["difference"])) == ("out_of_sequence", 0)
        right = [number for number in made.right.numbers if number.startswith("99")] if made.right else []
        assert one["order"] == right
        assert one["cites"]


def test_the_numbers_of_another_day_are_told_as_such(report: Data, planted: list[Planted]) -> None:
    eras = 0
    for made, line in pairs(report, planted, "other_day"):
        if by_facts(made, line):
            continue
        found = [one for one in counted(line) if one["type"] != "out_of_sequence"]
        assert sum(cents(one["difference"]) for one in found) == made.difference
        eras += any(one["type"] == "wrong_era" for one in found)
    assert eras >= EACH // 2


def test_findings_add_up_to_what_was_paid_less_what_is_owed(report: Data) -> None:
    for line in report["lines"]:
        errors = [cents(one["difference"]) for one in line["findings"]]
        if not any(one["type"] == "needs_facts" for one in line["findings"]):
            assert sum(errors) == cents(line["paid"]) - cents(line["owed_today"]), line
        assert cents(line["overpaid"]) - cents(line["underpaid"]) == sum(errors)
    sums = Counter({name: sum(cents(line[name]) for line in report["lines"]) for name in ("paid", "overpaid", "underpaid", "owed_today")})
    assert {name: cents(report["totals"][name]) for name in sums} == dict(sums)
    assert sum(cents(kind["overpaid"]) for kind in report["kinds"]) == sums["overpaid"]
    assert sum(cents(kind["underpaid"]) for kind in report["kinds"]) == sums["underpaid"]


def test_facts_that_explain_a_line_make_it_right_when_they_are_stated(
    desk: AuditDesk, report: Data, planted: list[Planted], tmp_path: Path
) -> None:
    """The answer of every needs_facts finding, put into the file, leaves no error."""
    open_ = {
        line["entry_number"]: counted(line)[0] for line in report["lines"] if any(one["type"] == "needs_facts" for one in counted(line))
    }
    again = []
    for made in planted:
        if made.number not in open_:
            continue
        answers = {fact["fact"]: fact["answer"] for fact in open_[made.number]["facts"]}
        if all(answer is not None and not isinstance(answer, list | dict) for answer in answers.values()):
            again.append(Planted(made.number, {**made.raw, **answers}, made.kind, made.rows, made.difference))
    path = tmp_path / "again.csv"
    path.write_text(extract(again, random.Random(7), LAST), encoding="utf-8")
    for line in audited(desk, path)["lines"]:
        assert not any(one["cause"] in {"filing", "facts"} and one["difference"] != "0.00" for one in line["findings"]), line
