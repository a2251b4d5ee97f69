"""Whole batches at once give what line by line gives, and exactly the difference of two bulk runs; a stored entry is one entry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.authoring.conftest import Tariff, complete
from tests.store.drafts import draft

from tariff_engine.bulk import BulkAssessor
from tariff_engine.engine import Knowledge
from tariff_engine.problems import Problem
from tariff_service.impact import Impact, report
from tariff_service.line_stream import MOST_LINES, Sent, entries
from tariff_service.many_columns import ManyEntries
from tariff_service.rulebook import open_engine
from tariff_service.store.store import AuditStore

Facts = dict[str, Any]
DEARER = ("programs/widgets.yaml", "add: 25%, base", "add: 30%, base")


@cache
def laws(folder: Path) -> tuple[Knowledge, Knowledge]:
    """Return the small book, and one in which a rate is higher."""
    return open_engine(complete(folder / "a")).at(), open_engine(complete(folder / "b", DEARER)).at()


@pytest.fixture(scope="session")
def two_laws(tmp_path_factory: pytest.TempPathFactory) -> tuple[Knowledge, Knowledge]:
    """The two laws, once for all tests."""
    return laws(tmp_path_factory.mktemp("laws"))


def lines(count: int) -> Iterator[tuple[str | None, Facts]]:
    """Yield lines of many kinds, some of them with an entry number."""
    numbers = ("85001010", "85002020", "85003010", "nonsense")
    for place in range(count):
        facts: Facts = {
            "hts": numbers[place % 7 % 4],
            "origin": ("CN", "SE", "NO", "CU", "CA")[place // 3 % 5],
            "entry_date": f"{2021 + place // 4 % 3}-07-01",
            "value": (1000 + place, str(500 + place), Decimal("1234.56"))[place % 3],
        }
        if place % 11 == 0:
            facts["metal_value"] = "400"
        if place % 5 == 0:
            facts["certified"] = place % 2 == 0
        if place % 31 == 0:
            facts["hts"] = 85001010  # a number where text belongs
        if place % 37 == 0:
            facts["strange"] = "x"
        if place % 41 == 0:
            facts["origin"] = None
        yield (f"E{place // 4}" if place // 4 % 3 == 0 else None), facts


def sent(count: int) -> Iterator[Sent]:
    """Yield the lines as they are sent; some could not be read."""
    for row, (entry, facts) in enumerate(lines(count), 1):
        problem = Problem("malformed_row", "row", "cannot be read") if row % 53 == 0 else None
        yield Sent(row, str(row), dict(facts), problem, entry)


def test_batches_at_once_give_what_line_by_line_gives(two_laws: tuple[Knowledge, Knowledge]) -> None:
    works = [Impact(*two_laws, columns=columns) for columns in (True, False)]
    found = [list(work.run(sent(360))) for work in works]
    assert found[0] == found[1]
    told = [report(work, ("a", "b"), None) for work in works]
    assert told[0] == told[1]
    assert {"more", "same", "refused", "not_told"} <= told[0]["statuses"].keys()
    later = Impact(*two_laws)
    assert all("programs" not in line for line in later.run(sent(360), reasons=False) if line["status"] == "same")
    assert report(later, ("a", "b"), None) == told[0]


def test_the_totals_are_the_difference_of_two_bulk_runs(two_laws: tuple[Knowledge, Knowledge]) -> None:
    rows = [(entry, {**facts, "value": str(facts["value"])}) for entry, facts in lines(360) if isinstance(facts["hts"], str)]
    rows = [(entry, facts) for entry, facts in rows if "strange" not in facts and facts["origin"] is not None]
    runs = [bulk(law, rows) for law in two_laws]
    both = [row for row in runs[0].keys() & runs[1].keys() if None not in {runs[0][row], runs[1][row]}]
    work = Impact(*two_laws)
    for _ in work.run((Sent(row, str(row), dict(facts), entry=entry) for row, (entry, facts) in enumerate(rows, 1)), reasons=False):
        pass
    told = report(work, ("a", "b"), None)
    amounts = [sum((run[row] or Decimal(0) for row in both), Decimal(0)) for run in runs]
    assert told["totals"]["lines"] == len(both) > 100
    assert (Decimal(told["totals"]["from"]), Decimal(told["totals"]["to"])) == (amounts[0], amounts[1])
    assert Decimal(told["totals"]["difference"]) == amounts[1] - amounts[0] > 0
    for spread in ("by_program", "by_origin"):
        assert sum((Decimal(one["difference"]) for one in told[spread]), Decimal(0)) == amounts[1] - amounts[0]


def bulk(law: Knowledge, rows: list[tuple[str | None, Facts]]) -> dict[int, Decimal | None]:
    """Return what each row owes by a bulk run of its own."""
    names = sorted({name for _, facts in rows for name in facts})
    columns: Mapping[str, Any] = {name: pa.array([facts.get(name) for _, facts in rows]) for name in names}
    batch = pa.RecordBatch.from_pydict({**columns, "entry_number": pa.array([entry for entry, _ in rows], pa.string())})
    assessor = BulkAssessor(law, ranges=False)
    done = [assessor.assess(batch), assessor.finish()]
    return {row["row"]: row["total"] for one in done for row in one.summary.to_pylist()}


def test_a_fault_in_a_batch_costs_no_line_its_answer(two_laws: tuple[Knowledge, Knowledge], monkeypatch: pytest.MonkeyPatch) -> None:
    entry = [{"hts": "85001010", "origin": "CN", "entry_date": "2022-07-01", "value": "1000"}]
    expected = ManyEntries(two_laws[0], columns=False).assess([entry])[0][0]

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(BulkAssessor, "assess", fail)
    (found,) = ManyEntries(two_laws[0]).assess([entry])[0]
    assert found == expected


def test_an_entry_longer_than_any_is_refused_as_a_whole(two_laws: tuple[Knowledge, Knowledge]) -> None:
    facts = {"hts": "85001010", "origin": "CN", "entry_date": "2022-07-01", "value": "1000"}
    many = [Sent(row, str(row), facts, entry="E") for row in range(1, MOST_LINES + 5)]
    assert [len(entry) for entry in entries(many)] == [MOST_LINES + 1, 3]
    work = Impact(*two_laws)
    assert {line["status"] for line in work.run(many)} == {"refused"}


def test_a_stored_entry_is_one_entry(tariff: Tariff, tmp_path: Path) -> None:
    """Two lines in one entry pay one fee; an entry of which a line cannot be assessed tells no total."""
    base, dearer = complete(tmp_path / "base"), complete(tmp_path / "dearer", DEARER)
    line = {"hts": "85001010", "origin": "CN", "value": 1000}
    store = AuditStore.open(str(tmp_path / "audit.db"))
    whole = {"entry_date": "2022-07-01", "lines": [line, line]}
    broken = {"entry_date": "2022-07-01", "lines": [line, {**line, "hts": "x"}]}
    store.append([draft(number, request=json.dumps(entry).encode()) for number, entry in enumerate((whole, broken), 1)])
    store.close()
    words = ("impact", "--from", base, "--to", dearer, "--stored", "--store", tmp_path / "audit.db", "--json")
    told = json.loads(tariff(*words).out)
    assert told["statuses"] == {"more": 2, "not_told": 1, "refused": 1}
    assert told["totals"]["difference"] == "100.00"
