"""The impact of a change of law is exactly the difference of two runs, line by line and in every total, whatever the change."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.authoring.conftest import Edit, Tariff, complete
from tests.store.drafts import draft

from tariff_engine.engine import Knowledge
from tariff_engine.entry import assess_row
from tariff_engine.problems import LawConflictError, ProblemError
from tariff_service.impact import BATCH, Impact, report
from tariff_service.line_stream import Sent, stream_lines
from tariff_service.rulebook import open_engine
from tariff_service.store.store import AuditStore

Facts = dict[str, Any]
WIDGETS, RATES, LIST = "programs/widgets.yaml", "lists/gadget_rates.csv", "lists/widgets.csv"
# changes of law as they happen: a rate, a date, a code of a list, an exception, an order; each is an edit of one place
EDITS: dict[str, Edit] = {
    "rate 25 to 30": (WIDGETS, "add: 25%, base", "add: 30%, base"),
    "rate 10 to 1.5": (WIDGETS, "add: 10%", "add: 1.5%"),
    "total 15 to 12": (WIDGETS, "up_to: 15%", "up_to: 12%"),
    "rate of a table": (RATES, "*,9903.02.01,add,5%", "*,9903.02.01,add,7.5%"),
    "first day later": (WIDGETS, "{from: 2020-02-01, add", "{from: 2020-03-02, add"),
    "second step sooner": (WIDGETS, "{from: 2022-06-01, add", "{from: 2022-01-01, add"),
    "end of the total": (WIDGETS, "{from: 2022-06-01, up_to", "{from: 2022-06-01, until: 2023-01-01, up_to"),
    "code dropped": (LIST, "85003010,,plain,2022-06-01,,widget-order,,2 TEST 2 Annex\n", ""),
    "code of the first days dropped": (LIST, "850010,85001090,plain,,,,,1 TEST 1 Annex\n", ""),
    "exception gone": (WIDGETS, "    - {any: 9903.01.03, cite: 1 TEST 1 s.3}\n", ""),
    "relation on the article": ("relations.yaml", "test: owed, on: part", "test: owed, on: article"),
    "member of a group gone": ("origins.yaml", "[SE, NO, FI]", "[SE, FI]"),
}
LINES = st.fixed_dictionaries(
    {
        "hts": st.sampled_from(["85001010", "85002020", "85003010"]),
        "origin": st.sampled_from(["CN", "SE", "NO", "CU", "CA", "RU"]),
        "entry_date": st.dates(min_value=date(2020, 1, 1), max_value=date(2024, 12, 31)).map(str),
        "value": st.integers(1, 100_000).map(str),
    },
    optional={"certified": st.booleans(), "metal_value": st.integers(0, 1000).map(str), "use": st.sampled_from(["home", "office"])},
)


@cache
def law(*names: str) -> Knowledge:
    """Return the law of the small book with some of the edits made."""
    with tempfile.TemporaryDirectory() as folder:
        return open_engine(complete(Path(folder) / "book", *(EDITS[name] for name in names))).at()


def total(knowledge: Knowledge, facts: Facts) -> Decimal | None:
    """Return what a line owes by the public way of assessing it; None where it is refused or not told."""
    try:
        owed = assess_row(knowledge, facts)["totals"]["total"]
    except (ProblemError, LawConflictError):
        return None
    return None if owed is None else Decimal(owed)


@settings(deadline=None, max_examples=settings().max_examples // 3)
@given(st.lists(LINES, min_size=1, max_size=12), st.sampled_from(sorted(EDITS)), st.none() | st.sampled_from(sorted(EDITS)))
def test_the_impact_is_the_difference_of_two_runs(lines: list[Facts], one: str, other: str | None) -> None:
    before, after = law(), law(*sorted({one, *filter(None, [other])} if other and EDITS[one][:2] != EDITS[other][:2] else {one}))
    work = Impact(before, after)
    found = list(work.run(Sent(row, str(row), dict(facts)) for row, facts in enumerate(lines, 1)))
    expected = [(total(before, facts), total(after, facts)) for facts in lines]
    both = [(old, new) for old, new in expected if old is not None and new is not None]
    for line, (old, new) in zip(found, expected, strict=True):
        if old is None or new is None:
            assert line["status"] in {"refused", "refused_by_one", "not_told"}
            continue
        assert (Decimal(line["from"]), Decimal(line["to"]), Decimal(line["difference"])) == (old, new, new - old)
        if line["status"] != "same":
            assert sum(Decimal(reason["difference"]) for reason in line["programs"]) == new - old
            assert all(reason["because"] for reason in line["programs"])
        else:
            assert old == new
    told = report(work, ("a", "b"), None)
    difference = sum((new - old for old, new in both), Decimal(0))
    assert Decimal(told["totals"]["difference"]) == difference
    assert Decimal(told["totals"]["from"]) == sum((old for old, _ in both), Decimal(0))
    for spread in ("by_program", "by_origin"):
        assert sum((Decimal(row["difference"]) for row in told[spread]), Decimal(0)) == difference, spread
    assert told["rows"] == len(lines) == sum(told["statuses"].values())
    assert told["changed"] == len(told["largest"])


def test_every_edit_of_this_test_changes_some_line() -> None:
    """A change of law that no line notices would prove nothing."""
    days = ["2020-02-15", "2022-03-01", "2023-08-01"]
    lines = [
        {"hts": hts, "origin": origin, "entry_date": day, "value": "1000", **more}
        for hts in ("85001010", "85002020", "85003010")
        for origin in ("CN", "NO", "SE", "CA")
        for day in days
        for more in ({}, {"certified": True}, {"metal_value": "400"})
    ]
    for name in EDITS:
        work = Impact(law(), law(name))
        for _ in work.run(Sent(row, str(row), dict(facts)) for row, facts in enumerate(lines, 1)):
            pass
        assert report(work, ("a", "b"), None)["changed"], name


# ---------------------------------------------------------------- the command
CSV = (
    "Entry Number,Line,HTS,Origin,Entry Date,Entered Value,Duty Paid\n"
    'E1,1,8500.10.10,CN,2022-07-01,"1,000.00",12.00\nE1,1,9903.01.01,CN,2022-07-01,,250.00\nE1,2,85002020,SE,07/01/2022,500,\n'
    "E2,1,nonsense,CN,2022-07-01,500,\n"
)
ROWS: list[Facts] = [
    {"id": "a", "hts": "85001010", "origin": "CN", "entry_date": "2022-07-01", "value": 1000, "paid": {"9903.01.01": "250"}},
    {"id": "b", "hts": "85002020", "origin": "SE", "entry_date": "2022-07-01", "value": 500},
    {"id": "c", "hts": "x"},
]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return complete(tmp_path / "base")


@pytest.fixture
def dearer(tmp_path: Path) -> Path:
    return complete(tmp_path / "dearer", EDITS["rate 25 to 30"])


def jsonl(rows: list[Facts]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_table_of_entries_and_rows_of_json_give_the_same_dollars(tariff: Tariff, base: Path, dearer: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_text(CSV, encoding="utf-8")
    table = tariff("impact", "--from", base, "--to", dearer, tmp_path / "lines.csv", "--json")
    rows = tariff("impact", "--from", base, "--to", dearer, "-", "--json", stdin=jsonl(ROWS))
    assert table.code == rows.code == 2  # one line of each cannot be assessed
    for told in (json.loads(table.out), json.loads(rows.out)):
        assert told["statuses"] == {"more": 1, "same": 1, "refused": 1}
        assert told["totals"]["difference"] == "50.00"
        assert [one for one in told["by_provision"] if one["difference"] != "0.00"] == [
            {"provision": "9903.01.01", "lines": 1, "from": "250.00", "to": "300.00", "difference": "50.00"}
        ]
        (reason,) = told["largest"][0]["programs"]
        assert (reason["program"], reason["provisions"], reason["rates"]) == ("widgets", ["9903.01.01"], {"from": ["25%"], "to": ["30%"]})
        assert reason["cites"] == ["2 TEST 2 s.1"]


def test_the_files_hold_what_the_report_adds_up(tariff: Tariff, base: Path, dearer: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_bytes(jsonl(ROWS * 3))
    outs = [tmp_path / f"out.{suffix}" for suffix in ("csv", "jsonl", "json", "xlsx", "html")]
    options = [word for path in outs for word in ("--out", path)]
    told = tariff("impact", "--from", base, "--to", dearer, tmp_path / "lines.jsonl", "--json", *options)
    found = json.loads(told.out)
    rows = list(csv.DictReader(io.StringIO(outs[0].read_text(encoding="utf-8"))))
    assert (
        sum(Decimal(row["difference"] or 0) for row in rows) == sum(Decimal(row["program_difference"] or 0) for row in rows) == Decimal(150)
    )
    assert [row["status"] for row in rows] == ["more", "refused"] * 3
    lines = [json.loads(line) for line in outs[1].read_text(encoding="utf-8").splitlines()]
    whole = json.loads(outs[2].read_text(encoding="utf-8"))
    assert whole == {"lines": lines, "report": found}
    book = openpyxl.load_workbook(outs[3], read_only=True)
    assert book.sheetnames == ["Lines", "Totals", "By program", "By provision", "By origin"]
    amounts: list[Any] = [row[9] for row in book["Lines"].iter_rows(values_only=True)][1:]
    assert sum(amount for amount in amounts if amount) == 150
    book.close()
    page = outs[4].read_text(encoding="utf-8")
    assert "$150.00" in page
    assert "9903.01.01" in page
    assert "<script" not in page
    again = tariff("impact", "--from", base, "--to", dearer, tmp_path / "lines.jsonl", "--json", "--out", outs[0])
    assert (again.code, json.loads(again.out)["problem"]["code"]) == (2, "file_exists")


def test_all_lines_are_written_where_all_are_asked_for_and_an_exit_code_tells_of_a_change(
    tariff: Tariff, base: Path, dearer: Path, tmp_path: Path
) -> None:
    out = tmp_path / "all.jsonl"
    words = ("impact", "--from", base, "--to", dearer, "-", "--exit-code")
    assert tariff(*words, "--all", "--out", out, stdin=jsonl(ROWS[:2])).code == 3
    assert [json.loads(line)["status"] for line in out.read_text(encoding="utf-8").splitlines()] == ["more", "same"]
    assert tariff(*words, stdin=jsonl(ROWS[1:2])).code == 0
    text = tariff(*words, "--no-json", stdin=jsonl(ROWS[:2])).out
    assert "$50.00" in text
    assert "1 line: owe more" in text


def test_the_assessments_of_the_audit_store_are_lines_too(tariff: Tariff, base: Path, dearer: Path, tmp_path: Path) -> None:
    url = str(tmp_path / "audit.db")
    store = AuditStore.open(url)
    entry = {
        "entry_date": "2022-07-01",
        "lines": [{key: value for key, value in row.items() if key in {"hts", "origin", "value"}} for row in ROWS[:2]],
    }
    store.append(
        [draft(1, request=json.dumps(entry).encode()), draft(2, request=b'{"hts": 1'), draft(3, request=json.dumps(entry).encode())]
    )
    store.close()
    told = json.loads(tariff("impact", "--from", base, "--to", dearer, "--stored", "--store", url, "--json").out)
    assert told["statuses"] == {"more": 2, "same": 2, "refused": 1}
    assert told["totals"]["difference"] == "100.00"
    assert told["largest"][0]["id"].startswith("asm_")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--to", "{dearer}"), "which_lines"),
        (("--to", "{dearer}", "--stored", "lines.csv"), "which_lines"),
        (("lines.csv",), "same_rulebook"),
        (("--to", "{dearer}", "none.csv"), "file_missing"),
        (("--to", "{dearer}", "-", "--out", "out.pdf"), "unknown_form"),
        (("--to", "nowhere", "-"), "unknown_rulebook"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(words: tuple[str, ...], code: str, tariff: Tariff, dearer: Path) -> None:
    told = tariff("impact", *(word.format(dearer=dearer) for word in words), "--json", stdin=b"{}\n")
    assert (told.code, json.loads(told.out)["problem"]["code"]) == (2, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"a,b\n1,2\n", "header_missing"),
        (b"\xff\xfeh\0t\0", "not_utf8"),
        (b"HTS,Origin,Entry Date,Value\n\x00", "not_text"),
        (b"HTS,Origin,Entry Date,Value\n" + b"x" * 1_100_000, "row_too_large"),
        (b'HTS,Origin,Entry Date,Value\n8500,"CN"x,2022-07-01,1\n', "malformed_csv"),
        (b"HTS,Origin,Entry Date,Value,Notes\n" + (b"85002020,SE,2022-07-01,1," + b"x" * 1500 + b"\n") * 100 + b"\xe9\n", "not_utf8"),
    ],
)
def test_hostile_files_are_refused_by_name(content: bytes, code: str, tariff: Tariff, base: Path, dearer: Path, tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_bytes(content)
    told = tariff("impact", "--from", base, "--to", dearer, tmp_path / "lines.csv", "--json")
    assert (told.code, json.loads(told.out)["problem"]["code"]) == (2, code)


@pytest.mark.parametrize("start", [b"HTS,Origin,Entry Date,Value\n", b""])
def test_no_more_is_read_than_is_answered(start: bytes) -> None:
    """A file without an end gives its first answers: neither the reader nor the totals hold what was passed on."""
    row = b"85001010,CN,2022-07-01,1000\n" if start else jsonl(ROWS[:1])

    class Endless(io.RawIOBase):
        served = 0
        text = start

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            while len(self.text) < len(buffer):
                self.text += row * 100
            found, self.text = self.text[: len(buffer)], self.text[len(buffer) :]
            buffer[:] = found
            Endless.served += len(found)
            return len(found)

    work = Impact(law(), law("rate 25 to 30"), largest=3)
    sent: Iterator[Sent] = stream_lines("-", io.BufferedReader(Endless()), law())
    found = list(islice(work.run(sent), 2 * BATCH))
    assert {line["status"] for line in found} == {"more"}
    assert len(work.largest) == 3
    assert Endless.served < 4 * BATCH * len(row) + 300_000
