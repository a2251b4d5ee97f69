"""The rows of the entry summary add up to the answer, for every line and entry that can be drawn."""

from __future__ import annotations

import csv
import io
import os
import random
from decimal import Decimal
from typing import Any

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_entry
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_engine.testing import Space, random_line
from tariff_service.entry_summary import Summary, entry_summary
from tariff_service.es003 import es003
from tariff_service.form_7501 import form_7501

ENTRIES = 2000 if os.environ.get("HYPOTHESIS_PROFILE") in {"ci", "long"} else 500
NUMBER = "ABC-1234567-6"


def drawn(knowledge: Knowledge, where: Space, seed: int) -> dict[str, Any] | None:
    """An entry of one to three drawn lines, some with deposits; None where its lines contradict each other."""
    dice = random.Random(seed)
    lines = [random_line(where, dice) for _ in range(dice.choice((1, 1, 2, 3)))]
    levels = {name: spec.level for name, spec in knowledge.law.facts.items()}
    shared = {name: value for name, value in lines[0].items() if levels.get(name) == "entry"}
    own = [{name: value for name, value in line.items() if levels.get(name) != "entry"} for line in lines]
    for line in own:
        if dice.random() < 0.3:
            line["adcvd"] = [{"case": "A-570-979", "rate_pct": str(dice.randint(0, 40000) / 100)}, {"case": "C-570-980", "rate_pct": "7.5"}]
    try:
        answer = assess_entry(knowledge, {**shared, "lines": own}, "none")
    except (ProblemError, LawConflictError):
        return None
    return None if answer["problems"] or any("released_by" in line for line in answer["lines"]) else answer


def exact(cents: int | None) -> Decimal | None:
    return None if cents is None else Decimal(cents) / 100


def check(answer: dict[str, Any], summary: Summary) -> None:
    totals = answer["totals"]
    duty = None if totals["duty"] is None else Decimal(totals["duty"])
    assert exact(summary.duty) == duty
    assert sum(fee.amount for fee in summary.fees) == int(totals["fees"].replace(".", ""))
    assert summary.value == sum(int(line["value"]) for line in answer["lines"])
    for line in summary.lines:
        assert sum(number.value for number in line.numbers) == line.value
        assert all(number.value >= 0 for number in line.numbers)
    assert [line.number for line in summary.lines] == list(range(1, len(summary.lines) + 1))


def test_rows_add_up_to_the_totals(knowledge: Knowledge, where: Space) -> None:
    met = 0
    for seed in range(ENTRIES * 3):
        answer = drawn(knowledge, where, seed)
        if answer is None:
            continue
        summary = entry_summary(answer, entry_number=NUMBER)
        check(answer, summary)
        text = form_7501(summary)
        assert all(len(row) <= 140 for row in text.splitlines())
        whole = "not known" if summary.duty is None else f"{exact(summary.duty):,.2f}"
        assert any(row.split()[:2] == ["37", "Duty"] and row.endswith(whole) for row in text.splitlines())
        if summary.duty is not None and all(number.number for line in summary.lines for number in line.numbers):
            rows = list(csv.DictReader(io.StringIO(es003(summary))))
            cases = sum(number.duty or 0 for line in summary.lines for number in line.numbers if number.case)
            filed = sum(Decimal(row["Line Tariff Duty Amount"].replace("$", "").replace(",", "")) for row in rows)
            assert filed == Decimal(summary.duty - cases) / 100
        met += 1
        if met == ENTRIES:
            return
    raise AssertionError(f"only {met} of {ENTRIES} entries could be drawn")
