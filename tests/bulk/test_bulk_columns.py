"""Whole columns say what their cells say one by one; rows as text say what rows as values say."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from tariff_engine.bulk import SUMMARY_SCHEMA
from tariff_engine.problems import ProblemError
from tariff_service.bulk import assembling
from tariff_service.bulk.assembling import open_whole
from tariff_service.bulk.cells import Cleaner
from tariff_service.bulk.formats import write_part
from tariff_service.bulk.reporting import Names, stakes
from tariff_service.bulk.row_tables import Objects, _json_row, _plain_row, plain_array
from tariff_service.bulk.tallying import tally, total
from tariff_service.output import encode
from tariff_service.reading import parse_json
from tariff_service.refund_columns import Dictionary
from tariff_service.rulebook import open_engine

_COLUMNS: dict[str, list[Any]] = {
    "text": ["7318.15.20.61", None, " CN ", "", "  ", "=1", "12,345.60", "$5", ".5", "-3", "9/10/2025", "2025-02-30", "yes", "0"],
    "plain numbers": ["1", "20.5", None, "1000000.123456"],
    "whole numbers": [5, None, 0, 123456789012, 7],
    "below zero": [5, -1, None],
    "doubles": [0.1, 1234.56, None, 12.0, 99999999.99],
    "doubles and whole numbers": [0.1, 3, None, 10**12],
    "doubles beyond cents": [0.125, 1e-7, 3.14],
    "no numbers": [0.1 + 0.2, float("nan"), -0.0, 1e16, 2**70, float("inf")],
    "days": [date(2025, 9, 10), None, date(2018, 7, 6)],
    "times": [datetime(2025, 9, 10, 13, 30), date(2025, 9, 11), None],  # noqa: DTZ001  a sheet has no zones
    "yes or no": [True, None, False],
    "mixed": ["7318152061", 101210010, 5.5, True, date(2025, 9, 10), None, 1, 1.0],
    "decimals": [Decimal("1.50"), None, Decimal("1234567.890000"), Decimal(3)],
    "decimals below zero": [Decimal("-1.50"), Decimal(2)],
    "nothing": [None, None],
}
_TARGETS = [("fact", "value"), ("fact", "hts"), ("fact", "entry_date"), ("fact", "origin"), ("fact", "usmca_qualifying"), ("own", "id")]


@pytest.fixture(scope="module")
def cleaner() -> Cleaner:
    law = open_engine(None).at().law
    return Cleaner(Dictionary(law, None), {name: spec.type for name, spec in law.facts.items()})


def forms(values: list[Any], target: tuple[str, str]) -> list[Any]:
    """Return a column in each form in which a file can have it. A decimal as text has the decimals of its column: as numbers these are alike."""
    found: list[Any] = [Objects(values)]
    kinds = {type(value) for value in values if value is not None}
    if kinds in ({str}, {bool}, {date}) or (kinds == {Decimal} and target[1] == "value"):
        found.append(plain_array(pa.array(values)))
    if kinds == {int} and 2**70 not in values:
        found.append(plain_array(pa.array(values, pa.int64())))
    if kinds == {str}:
        found += [plain_array(pa.array(values).dictionary_encode()), plain_array(pa.array(values, pa.large_string()))]
    return found


@pytest.mark.parametrize("name", sorted(_COLUMNS))
@pytest.mark.parametrize("target", _TARGETS, ids=lambda target: target[1])
def test_a_column_says_what_its_cells_say(cleaner: Cleaner, name: str, target: tuple[str, str]) -> None:
    values = _COLUMNS[name]
    alone = [cleaner.cell(value, target, "Header") for value in values]
    for column in forms(values, target):
        found = cleaner.read(column, target, "Header")
        assert found.array.to_pylist() == [read.value for read in alone]
        assert [(place, problem.code) for place, problem in sorted(found.problems, key=lambda pair: pair[0])] == [
            (place, read.problem.code) for place, read in enumerate(alone) if read.problem is not None
        ]
        assert [(place, note.code) for place, note in found.notes] == [
            (place, note.code) for place, read in enumerate(alone) for note in read.notes
        ]


def test_typed_days_are_read_whatever_form_a_mapping_file_states_for_text() -> None:
    law = open_engine(None).at().law
    cleaner = Cleaner(Dictionary(law, None), {name: spec.type for name, spec in law.facts.items()}, "day_first")
    days = [date(2025, 9, 10), None]
    for column in (pa.array(days), pa.array([datetime(2025, 9, 10, 5), None]), Objects(list(days))):  # noqa: DTZ001  a file has no zones
        read = column if isinstance(column, Objects) else plain_array(column)
        assert cleaner.read(read, ("fact", "entry_date"), "Day").array.to_pylist() == days


def test_doubles_by_chance_are_the_decimals_that_they_print_as(cleaner: Cleaner) -> None:
    rng = random.Random(5)
    values = [rng.randrange(10 ** rng.randrange(1, 16)) / 100 for _ in range(20_000)]
    found = cleaner.read(Objects(list(values)), ("fact", "value"), "Value").array.to_pylist()
    assert found == [Decimal(repr(value)) for value in values]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"b":"x","c":null,"d":true}',
        ' {"a" : 1, "b":"é"} ',
        '{"a":1,"a" :2}',
        '{"a":":","a":2}',
        '{"a":1.50}',
        '{"a":123456789012345678901234567890}',
        '{"a":NaN}',
        '{"a":"\\ud800"}',
        '{"a":{"b":1}}',
        '{"a":"x:y"}',
        "[1]",
        '{"a":1',
        "{}",
        '{"a":"\t"}',
    ],
)
def test_the_quick_parser_reads_what_the_strict_one_reads_or_leaves_it_to_it(text: str) -> None:
    def strict() -> Any:
        try:
            return parse_json(text, "row 1", "row")
        except ProblemError as error:
            return error.problem.code

    quick = _plain_row(text.encode())
    if quick is None:
        expected = strict()
        if isinstance(expected, dict):
            assert _json_row(text.encode(), 1) == expected
    else:
        assert (quick, list(map(type, quick.values()))) == (strict(), list(map(type, strict().values())))


# ---------------------------------------------------------------- rows as text
_TEXTS = ["L1", 'a"b\\', "x\ny", "é&<b>", "=1+1", "\u0001c", None, "", "tab\tq", "\u007f\u2028", "-", "</row>\n"]


def batch(count: int = 30) -> pa.RecordBatch:
    rows = [
        {
            "row": place,
            "id": _TEXTS[place % len(_TEXTS)],
            "hts": "7318152061",
            "origin": "CN",
            "entry_date": date(2025, 9, 1 + place % 28),
            "value": 1000 + place,
            "duty": None if place % 7 == 0 else Decimal(place) / 4,
            "low": Decimal(place),
            "high": Decimal(place * 3),
            "prohibited": place % 5 == 0,
            "headings": None if place % 9 == 0 else ["9903.01.24", 'odd "one"'][: place % 3],
            "questions": [["melt_pour_country", "usmca_qualifying"], ["usmca_qualifying"], []][place % 3],
        }
        for place in range(count)
    ]
    return pa.RecordBatch.from_pylist(rows, SUMMARY_SCHEMA)


@pytest.mark.parametrize("part", [slice(0, 30), slice(3, 11), slice(0, 0)], ids=["all", "some", "none"])
def test_lines_of_json_are_those_of_their_values(part: slice) -> None:
    rows = batch().slice(part.start, part.stop - part.start)
    file = io.BytesIO()
    write_part("jsonl", rows, file)
    assert file.getvalue() == b"".join(encode(row) for row in rows.to_pylist())


def test_sheets_hold_text_as_text_and_go_on_behind_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembling, "_SHEET", 25)
    monkeypatch.setattr(assembling, "_STEP", 1_000)
    paths = []
    for place in range(2):
        paths.append(tmp_path / f"{place}")
        with paths[-1].open("wb") as file:
            write_part("xlsx", batch(), file)
    for name in ("a.xlsx", "b.xlsx"):
        whole = open_whole("xlsx", SUMMARY_SCHEMA, tmp_path / name)
        for path in paths:
            whole.add(path)
        whole.close()
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a.xlsx").testzip() is None
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Lines", "Lines 2", "Lines 3"]
    found = [list(sheet.iter_rows(values_only=True)) for sheet in book]
    assert [rows[0] for rows in found] == [tuple(SUMMARY_SCHEMA.names)] * 3
    rows = [row for rows in found for row in rows[1:]]
    assert [row[0] for row in rows] == [*range(30)] * 2
    shown = ["L1", 'a"b\\', "x\ny", "é&<b>", "'=1+1", "\ufffdc", None, None, "tab\tq", "\u007f\u2028", "'-", "</row>\n"]
    assert [row[1] or None for row in rows[:12]] == shown
    assert [rows[1][place] for place in (5, 6, 7, 17, 18)] == [datetime(2025, 9, 2), 1001, 0.25, False, "9903.01.24"]  # noqa: DTZ001


# ---------------------------------------------------------------- what is at stake
def test_the_range_of_a_line_is_counted_once_and_its_other_questions_are_told_beside_it() -> None:
    long = pa.RecordBatch.from_pydict({"program": ["base"], "duty": [Decimal("1.00")]})
    found = total([tally(batch(), long)])
    report = {"totals": found}
    bars = {bar.code: bar for bar in stakes(report, "questions", Names({}, {}, {}))}
    ranges = [Decimal(place * 2) for place in range(30)]
    assert sum(bar.amount for bar in bars.values()) == sum(one for place, one in enumerate(ranges) if place % 3 < 2)
    first = sum((one for place, one in enumerate(ranges) if place % 3 == 1), Decimal(0))
    assert (bars["usmca_qualifying"].lines, bars["usmca_qualifying"].amount) == (10, first)
    assert bars["usmca_qualifying"].reach == (20, sum((one for place, one in enumerate(ranges) if place % 3 < 2), Decimal(0)))
    assert list(found["by"]["month"]) == ["2025-09"]
    assert found["open"] == 20
