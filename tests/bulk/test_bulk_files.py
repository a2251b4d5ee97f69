"""`tariff bulk`: files as brokers keep them, whatever is wrong with them, and runs that end early and go on.

Most tests answer with a stand-in for the evaluator, which is held to account elsewhere: here it is files that matter.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

import tariff_engine.bulk
from tariff_engine.bulk import LONG_SCHEMA, REJECTED_SCHEMA, SUMMARY_SCHEMA, Assessed
from tariff_engine.problems import ProblemError
from tariff_service import rulebook
from tariff_service.bulk import opening, running, working, workspace
from tariff_service.bulk.csv_reader import CsvReader
from tariff_service.bulk.csv_records import records
from tariff_service.bulk.running import Options, problems_of, run
from tariff_service.bulk.workspace import Workspace
from tariff_service.cli import main

HEAD = "Entry Number,Line,HTS,COO,Entry Date,Entered Value,Mode"
SCREWS, SHOES = "7318.15.20.61", "6403.99.60.15"
ROOT = Path(__file__).resolve().parents[2]
OPEN = cache(rulebook.open_engine)
Data = dict[str, Any]


def made(summary: list[Data], rejected: list[Data], long: list[Data]) -> Assessed:
    rows = ((summary, SUMMARY_SCHEMA), (rejected, REJECTED_SCHEMA), (long, LONG_SCHEMA))
    one, two, three = (pa.RecordBatch.from_pylist(found, schema) for found, schema in rows)
    return Assessed(one, two, lambda: three)


class Quick:
    """A tenth of the value of every line; a value of 13 is refused."""

    def __init__(self, knowledge: object, *, ranges: bool = True) -> None:
        """Be made as the evaluator is."""
        del knowledge, ranges
        self._read = 0

    def assess(self, batch: pa.RecordBatch) -> Assessed:
        """Answer every line."""
        summary, long, rejected = [], [], []
        for line in batch.to_pylist():
            self._read += 1
            row: Data = {"row": self._read, "id": line["id"]}
            if line["value"] is None or line["value"] == 13:
                rejected.append({**row, "code": "fact_missing", "field": "value", "message": "value is not stated", "fix": "send it"})
                continue
            duty = (line["value"] / 10).quantize(Decimal("0.01"))
            kept = {name: line.get(name) for name in ("entry_number", "hts", "origin", "entry_date")}
            sums = dict.fromkeys(("mpf", "hmf", "postal_duty"), Decimal("0.00"))
            asked: Data = {"questions": ["melt_pour_country"] if line["hts"] == "7318152061" else [], "low": duty, "high": duty * 2}
            summary.append({**row, **kept, **sums, **asked, "value": int(line["value"]), "duty": duty, "total": duty, "prohibited": False})
            long.append({**row, "place": 1, "heading": line["hts"], "program": "base", "duty": duty})
        return made(summary, rejected, long)

    def finish(self) -> Assessed:
        """Hold nothing back."""
        return made([], [], [])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tariff_engine.bulk, "BulkAssessor", Quick)
    for module in (running, working, rulebook):
        monkeypatch.setattr(module, "open_engine", lambda folder=None: OPEN(folder))
    monkeypatch.delenv("TARIFF_BULK_PIECE", raising=False)
    monkeypatch.delenv("TARIFF_TRACEBACK", raising=False)


def book(lines: int, *, entry: int = 4) -> str:
    rows = [
        f"ABC-{number // entry:07}-0,{number % entry + 1},{(SCREWS, SHOES)[number % 2]},CN,2025-09-{number % 28 + 1:02},{number * 10}.50,ocean"
        for number in range(lines)
    ]
    return "\n".join([HEAD, *rows]) + "\n"


def sent(tmp_path: Path, text: str | bytes, name: str = "in.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def bulk(tmp_path: Path, text: str | bytes, name: str = "in.csv", out: str = "out.csv", **options: Any) -> Data:
    return run(Options(source=str(sent(tmp_path, text, name)), out=tmp_path / out, **options))


def rows(path: Path) -> list[Data]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def code(tmp_path: Path, *arguments: Any, **options: Any) -> str:
    with pytest.raises(ProblemError) as caught:
        bulk(tmp_path, *arguments, **options)
    return caught.value.problem.code


# ---------------------------------------------------------------- as brokers keep them
def test_titles_above_remarks_below_days_of_america_and_a_lost_zero(tmp_path: Path) -> None:
    text = (
        "Acme Importers,,,,,\nEntries of 2025,,,,,\n,,,,,\nEntry No,Line No,HTS #,COO,Entry Date,Entered Value (USD)\n"
        'E1,1,7318152061,CN,9/10/2025,"$1,234.50"\nE1,2,101210010,VN,09/10/2025,100\nTotal,,,,,1334.50\n* in dollars,,,,,\n'
    )
    found = bulk(tmp_path, text)
    assert (found["answered"], found["rejected"], problems_of(found)) == (2, 0, False)
    assert [(row["row"], row["id"], row["entry_date"], row["duty"]) for row in rows(tmp_path / "out.csv")] == [
        ("5", "E1/1", "2025-09-10", "123.45"),
        ("6", "E1/2", "2025-09-10", "10.00"),
    ]
    assert found["notes_by"] == {"hts_zero_added": 1, "row_below_table": 2}
    assert [row["row"] for row in rows(tmp_path / "out.notes.csv")] == ["6", "7", "8"]


def test_a_number_that_may_have_lost_a_zero_at_either_end_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = OPEN(None).at().law.schedule
    monkeypatch.setattr(type(schedule), "lives", lambda _self, hts: (hts,))
    found = bulk(tmp_path, f"{HEAD}\nE,1,101210010,CN,2025-09-10,1,\nE,2,1012100,CN,2025-09-10,1,\n")
    assert found["rejected_by"] == {"hts_ambiguous": 2}


def test_a_number_that_no_edition_has_with_a_zero_is_left_as_it_is(tmp_path: Path) -> None:
    found = bulk(tmp_path, f"{HEAD}\nE,1,123456789,CN,2025-09-10,1,\n")
    assert (found["answered"], found["notes_by"]) == (1, {})
    assert rows(tmp_path / "out.csv")[0]["hts"] == "123456789"


def test_rejected_rows_keep_their_cells_and_can_be_sent_again(tmp_path: Path) -> None:
    found = bulk(
        tmp_path, f"{HEAD}\nE,1,{SHOES},CN,2025-13-40,5,ocean\nE,2,{SHOES},CN,2025-09-10,13,=1+1\nE,3,{SHOES},CN,2025-09-10,20,ocean\n"
    )
    assert (found["answered"], found["rejected_by"], problems_of(found)) == (1, {"formula_cell": 1, "wrong_type": 1}, True)
    refused = rows(tmp_path / "out.rejected.csv")
    assert [(row["rejected_row"], row["Entry Date"], row["Mode"]) for row in refused] == [
        ("2", "2025-13-40", "ocean"),
        ("3", "2025-09-10", "'=1+1"),
    ]
    mended = (tmp_path / "out.rejected.csv").read_text(encoding="utf-8").replace("2025-13-40", "2025-09-11").replace("'=1+1", "air")
    again = tmp_path / "again"
    again.mkdir()
    assert bulk(again, mended)["rejected_by"] == {"fact_missing": 1}


def test_fees_of_an_entry_with_a_rejected_row_are_left_open(tmp_path: Path) -> None:
    found = bulk(tmp_path, f"{HEAD}\nE,1,{SHOES},CN,bad,5,\nE,2,{SHOES},CN,2025-09-10,20,\nF,1,{SHOES},CN,2025-09-10,20,\n")
    assert [(row["mpf"], row["total"]) for row in rows(tmp_path / "out.csv")] == [("", ""), ("0.00", "2.00")]
    assert found["notes_by"] == {"entry_incomplete": 1}


def test_a_report_with_a_row_a_number_becomes_lines(tmp_path: Path) -> None:
    head = (
        "Entry Summary Number,Entry Summary Line Number,Entry Date,Country of Origin Code,HTS Number - Full,Line Tariff Goods Value Amount"
    )
    head += ",Line Tariff Quantity (1),Line Tariff UOM (1) Code"
    text = (
        f"{head}\nE,001,9/10/2025,CN,99038803,$0.00,,\nE,001,9/10/2025,CN,98020080,$0.00,,\nE,001,9/10/2025,CN,7318152061,$500.00,12,KG\n"
    )
    text += "E,002,9/10/2025,CN,99038803,$0.00,,\n"
    seen: list[Data] = []

    class Watching(Quick):
        def assess(self, batch: pa.RecordBatch) -> Assessed:
            seen.extend(batch.to_pylist())
            return super().assess(batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tariff_engine.bulk, "BulkAssessor", Watching)
        found = bulk(tmp_path, text)
    assert [(line["id"], line["hts"], line["chapter98"], line["value"], line["quantity"]) for line in seen] == [
        ("E/001", "7318152061", "98020080", Decimal("500.00"), [("KG", Decimal(12))])
    ]
    assert (found["answered"], found["rejected_by"]) == (1, {"line_numbers": 1})


def test_merged_headers_and_formulas_of_a_workbook(tmp_path: Path) -> None:
    sheet_book = openpyxl.Workbook()
    sheet: Any = sheet_book.active
    sheet.append(["Entry", None, "Goods", None, None, None])
    sheet.append(["Number", "Date", "HTS Number", "Origin", "Entered Value", "Line ID"])
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("C1:F1")
    sheet.append(["E1", date(2025, 9, 10), 7318152061, "CN", 1000.1, "a"])
    sheet.append(["E1", date(2025, 9, 10), 6403996015, "CN", "=E3*2", "b"])
    path = tmp_path / "in.xlsx"
    sheet_book.save(path)
    found = bulk(tmp_path, path.read_bytes(), "in.xlsx", "out.xlsx")
    assert (found["answered"], found["rejected_by"]) == (1, {"formula_cell": 1})
    answer = list(openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert (answer[1][1], answer[1][7]) == ("a", 100.01)


def test_a_mapping_file_names_columns_constants_and_the_form_of_days(tmp_path: Path) -> None:
    mapping = sent(
        tmp_path, "columns: {Ware: hts, Wert: value, Land: null}\nconstants: {origin: CN}\ndelimiter: ';'\ndates: DD.MM.YYYY\n", "map.yaml"
    )
    found = bulk(tmp_path, "Ware;Wert;Land;Entry Date\n7318152061;100;DE;10.09.2025\n", mapping=mapping)
    row = rows(tmp_path / "out.csv")[0]
    assert (found["input"]["not_read"], row["origin"], row["entry_date"]) == (["Land"], "CN", "2025-09-10")
    wrong = sent(tmp_path, "columns: {Ware: htss}\n", "wrong.yaml")
    assert code(tmp_path, "x", out="o.csv", mapping=wrong) == "mapping_wrong"


# ---------------------------------------------------------------- formats
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "arrow", "xlsx"])
def test_the_same_lines_in_every_format_have_the_same_answers(tmp_path: Path, suffix: str) -> None:
    lines = [
        {"id": "a", "hts": "7318.15.20.61", "origin": "CN", "entry_date": "2025-09-10", "value": "1000.10"},
        {"id": "-b", "hts": "6403.99.60.15", "origin": "VN", "entry_date": "2025-09-11", "value": "20.20"},
    ]
    path = tmp_path / f"in.{suffix}"
    typed = pa.table(
        {
            "id": [line["id"] for line in lines],
            "hts": [line["hts"] for line in lines],
            "origin": pa.array([line["origin"] for line in lines]).dictionary_encode(),
            "entry_date": pa.array([date.fromisoformat(line["entry_date"]) for line in lines]),
            "value": pa.array([Decimal(line["value"]) for line in lines], pa.decimal128(18, 2)),
        }
    )
    if suffix == "csv":
        path.write_text("\n".join([",".join(lines[0]), *(",".join(line.values()) for line in lines)]), encoding="utf-8")
    elif suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    elif suffix == "parquet":
        parquet.write_table(typed, path)
    elif suffix == "arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, typed.schema) as writer:
            writer.write_table(typed)
    else:
        sheets = openpyxl.Workbook()
        sheets.active.append(list(lines[0]))  # type: ignore[union-attr]
        for line in lines:
            sheets.active.append([line["id"], *list(line.values())[1:4], float(line["value"])])  # type: ignore[union-attr]
        sheets.save(path)
    out = f"out.{suffix}"
    found = run(Options(source=str(path), out=tmp_path / out))
    assert (found["answered"], found["rejected"], found["totals"]["duty"]) == (2, 0, "102.03")
    if suffix in {"csv", "xlsx"}:
        text = (tmp_path / out).read_bytes() if suffix == "csv" else b""
        assert suffix == "xlsx" or b'"\'-b"' in text
        if suffix == "xlsx":
            cells = [row[1] for row in openpyxl.load_workbook(tmp_path / out).active.iter_rows(values_only=True)]  # type: ignore[union-attr]
            assert cells == ["id", "a", "'-b"]
    else:
        read: list[Data]
        if suffix == "jsonl":
            read = [json.loads(line) for line in (tmp_path / out).read_text(encoding="utf-8").splitlines()]
        else:
            read = (parquet.read_table(tmp_path / out) if suffix == "parquet" else pa.ipc.open_file(tmp_path / out).read_all()).to_pylist()
        assert [(row["id"], str(row["duty"])) for row in read] == [("a", "100.01"), ("-b", "2.02")]


def test_doubles_are_read_as_the_decimals_that_they_print_as_or_not_at_all(tmp_path: Path) -> None:
    table = pa.table(
        {"hts": ["7318152061"] * 3, "origin": ["CN"] * 3, "entry_date": ["2025-09-10"] * 3, "value": [0.1, 0.1 + 0.2, float("nan")]}
    )
    parquet.write_table(table, tmp_path / "in.parquet")
    found = run(Options(source=str(tmp_path / "in.parquet"), out=tmp_path / "out.csv"))
    assert (found["answered"], found["rejected_by"]) == (1, {"inexact_number": 1, "not_a_number": 1})


def test_a_parquet_with_wrong_types_is_refused_by_the_names_of_its_columns(tmp_path: Path) -> None:
    table = pa.table({"hts": [b"73"], "origin": ["CN"], "entry_date": ["2025-09-10"], "value": pa.array([1.5], pa.float32())})
    parquet.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(ProblemError) as caught:
        run(Options(source=str(tmp_path / "in.parquet"), out=tmp_path / "out.csv"))
    problem = caught.value.problem
    assert (problem.code, problem.field, [other.field for other in problem.also]) == ("wrong_type", "hts", ["value"])


def test_a_damaged_parquet_says_so(tmp_path: Path) -> None:
    assert code(tmp_path, b"PAR1 nothing", "in.parquet") == "malformed_parquet"
    assert code(tmp_path, b"ARROW1 nothing", "in.arrow", "o.csv") == "malformed_arrow"


# ---------------------------------------------------------------- bad input
def test_one_quote_that_nobody_closes_costs_one_line_and_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "20000")
    lines = book(2_000).splitlines()
    lines[1_000] = lines[1_000].replace(",CN,", ',"CN,')
    found = bulk(tmp_path, "\n".join(lines))
    assert (found["answered"], found["rejected_by"]) == (1_999, {"unclosed_quote": 1})
    assert rows(tmp_path / "out.rejected.csv")[0]["rejected_row"] == "1001"


def test_a_line_longer_than_a_piece_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "1000")
    lines = book(40).splitlines()
    lines[20] += "x" * 5_000
    found = bulk(tmp_path, "\n".join(lines))
    assert (found["answered"], found["rejected_by"]) == (39, {"row_too_large": 1})
    assert rows(tmp_path / "out.rejected.csv")[0]["rejected_row"] == "21"


def test_encodings(tmp_path: Path) -> None:
    head, row = "Line ID,HTS,COO,Entry Date,Entered Value", f"é,{SHOES},CN,2025-09-10,10"
    mixed = f"{head}\n{row}\n".encode() + f"{row}\n".encode("cp1252")
    assert bulk(tmp_path, mixed, out="a.csv")["notes_by"] == {"duplicate_id": 1, "read_as_cp1252": 1}
    for name, data in (("b", f"{head}\n{row}\n".encode("utf-16")), ("c", f"{head}\n{row}\n".encode("utf-8-sig"))):
        assert bulk(tmp_path, data, out=f"{name}.csv")["answered"] == 1
        assert rows(tmp_path / f"{name}.csv")[0]["id"] == "é"
    assert code(tmp_path, f"{head}\n".encode("utf-16-le"), out="d.csv") == "not_text"


def test_regular_and_irregular_pieces_are_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = book(50).replace(",ocean", ',"oc""ean"') + 'E9,1,7318152061,CN,2025-09-10,5,"a\nb"\n'
    found = bulk(tmp_path, quoted, out="a.csv")
    monkeypatch.setattr(CsvReader, "_regular", lambda _self, _data: False)
    assert bulk(tmp_path, quoted, out="b.csv")["answered"] == found["answered"] == 51
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_records_follow_the_rules_of_quotes() -> None:
    text = ['a,"b ""c""",d\n', 'x,"two\n', 'lines",y\n', 'p,"q"r,s\n', '1,5" pipe,2\n']
    assert [(one.line, one.cells if one.problem is None else one.problem.code) for one in records(text, ",", 3)] == [
        (0, ["a", 'b "c"', "d"]),
        (1, ["x", "two\nlines", "y"]),
        (3, "malformed_csv"),
        (4, ["1", '5" pipe', "2"]),
    ]


def test_ids_that_stand_twice_and_entries_that_stand_apart_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "300")
    text = book(12, entry=2) + f"ABC-0000001-0,1,{SHOES},CN,2025-09-10,7,\n"
    found = bulk(tmp_path, text)
    assert (found["answered"], found["notes_by"], problems_of(found)) == (13, {"duplicate_id": 1, "entry_apart": 1}, True)
    assert "row 4" in rows(tmp_path / "out.notes.csv")[0]["message"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    bulk(tmp_path, book(3))
    assert code(tmp_path, book(3)) == "file_exists"
    assert code(tmp_path, book(3), out="out.txt") == "unknown_format"
    assert code(tmp_path, HEAD, out="c.csv") == "no_rows"


# ---------------------------------------------------------------- going on
def open_files(folder: Path) -> list[str]:
    """The files of a folder that this process has open, where the system tells."""
    numbers = list(Path("/proc/self/fd").glob("*"))
    return [str(path) for number in numbers if number.is_symlink() and (path := number.readlink()).is_relative_to(folder)]


def same_as_whole(tmp_path: Path, text: str) -> None:
    """Compare with a run that nothing ended."""
    whole = tmp_path / "whole"
    whole.mkdir()
    bulk(whole, text, long=whole / "long.jsonl")
    for name in ("out.csv", "long.jsonl"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    assert not Workspace.of(tmp_path / "out.csv").folder.exists()


@pytest.mark.parametrize("step", [0, 1, 4, 7, 13, 21, 40])
def test_a_run_that_ends_at_any_step_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "1000")
    left = [step]
    replace = Path.replace

    def dying(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return replace(self, target)

    text = book(100)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            bulk(tmp_path, text, long=tmp_path / "long.jsonl")
    if (tmp_path / "out.csv.parts").exists() and any((tmp_path / "out.csv.parts").iterdir()):
        assert code(tmp_path, text, long=tmp_path / "long.jsonl") in {"unfinished_run", "file_exists"}
    run(Options(source=str(tmp_path / "in.csv"), out=tmp_path / "out.csv", long=tmp_path / "long.jsonl", resume=True))
    same_as_whole(tmp_path, text)


def test_rules_that_are_edited_while_a_run_begins_answer_none_of_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_CACHE_DIR", str(tmp_path / "cache"))
    rules = shutil.copytree(ROOT / "tests" / "notation" / "good", tmp_path / "rules")
    file, open_source = rules / "programs" / "widgets.yaml", opening.open_source

    def edited(*arguments: Any) -> Any:
        file.write_text(file.read_text(encoding="utf-8").replace("add: 25%", "add: 26%"), encoding="utf-8")
        return open_source(*arguments)

    monkeypatch.setattr(running, "open_source", edited)
    assert code(tmp_path, book(20), rules=rules, jobs=2) == "rules_changed"
    assert not (tmp_path / "out.csv").exists()


KILLED = """
import os, signal, sys
import tariff_engine.bulk
sys.path.insert(0, {tests!r})
from test_bulk_files import Quick
class Dying(Quick):
    pieces = 0
    def finish(self):
        Dying.pieces += 1
        if Dying.pieces == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().finish()
tariff_engine.bulk.BulkAssessor = Dying
from tariff_service.cli import main
main(["bulk", "in.csv", "out.csv", "--long", "long.jsonl"])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal on this system")
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "1000")
    text = book(100)
    sent(tmp_path, text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))}
    script = KILLED.format(tests=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(list((tmp_path / "out.csv.parts").glob("0*.json"))) == 2
    monkeypatch.chdir(tmp_path)
    run(Options(source="in.csv", out=Path("out.csv"), long=Path("long.jsonl"), resume=True))
    same_as_whole(tmp_path, text)


def test_a_full_disk_is_told_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "1000")
    parts = [0]
    checksum = workspace.checksum

    def full(path: Path) -> int:
        parts[0] += 1
        if parts[0] == 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        return checksum(path)

    text = book(100)
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "checksum", full)
        with pytest.raises(ProblemError) as caught:
            bulk(tmp_path, text, long=tmp_path / "long.jsonl")
    assert caught.value.problem.code == "disk_full"
    assert "--resume" in caught.value.problem.fix
    assert not open_files(tmp_path)  # though what was raised is still at hand, with every frame that it went through
    assert (tmp_path / "out.csv.parts" / "000000.json").exists()
    run(Options(source=str(tmp_path / "in.csv"), out=tmp_path / "out.csv", long=tmp_path / "long.jsonl", resume=True))
    same_as_whole(tmp_path, text)


def test_a_file_that_grows_while_it_is_read_keeps_the_parts_that_are_still_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "1000")
    whole = book(100)
    path = sent(tmp_path, whole[: len(whole) // 2])
    grown: list[int] = []

    class Growing(Quick):
        def finish(self) -> Assessed:
            if not grown:
                path.write_text(whole, encoding="utf-8")
            grown.append(1)
            return super().finish()

    options = {"source": str(path), "out": tmp_path / "out.csv", "long": tmp_path / "long.jsonl"}
    with monkeypatch.context() as patch:
        patch.setattr(tariff_engine.bulk, "BulkAssessor", Growing)
        with pytest.raises(ProblemError) as caught:
            run(Options(**options))  # type: ignore[arg-type]
    assert caught.value.problem.code == "input_changed"
    before = len(grown)
    grown.clear()
    grown.append(0)
    with monkeypatch.context() as patch:
        patch.setattr(tariff_engine.bulk, "BulkAssessor", Growing)
        run(Options(**options, resume=True))  # type: ignore[arg-type]
    assert len(grown) - 1 <= before + 1  # the first half was not assessed again, but for its last part
    same_as_whole(tmp_path, whole)


def test_parts_of_another_run_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARIFF_BULK_PIECE", "1000")
    with monkeypatch.context() as patch:
        patch.setattr(running, "_finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bulk(tmp_path, book(50))
    assert code(tmp_path, book(50), resume=True, known_on=date(2025, 3, 1)) == "resume_mismatch"
    assert bulk(tmp_path, book(50), resume=True)["answered"] == 50


# ---------------------------------------------------------------- the command
def told(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Data]:
    done = main(["bulk", *arguments])
    return done, json.loads(capfd.readouterr().out)


def test_the_command_says_what_became_of_the_rows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = sent(tmp_path, book(8))
    done, found = told(capfd, str(path), str(tmp_path / "out.csv"))
    assert (done, found["answered"], found["files"]) == (0, 8, {"summary": str(tmp_path / "out.csv")})
    assert main(["bulk", str(path), str(tmp_path / "o.csv"), "--no-json"]) == 0
    assert "8 lines" in capfd.readouterr().out
    done, found = told(capfd, str(path), str(tmp_path / "out.csv"))
    assert (done, found["problem"]["code"]) == (2, "file_exists")


def test_a_line_is_explained_by_its_id(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = sent(tmp_path, f"{HEAD}\nE,1,{SHOES},VN,2025-09-10,2500,ocean\n")
    done, found = told(capfd, str(path), "--explain", "E/1")
    assert (done, found["lines"][0]["id"], found["lines"][0]["duty"]) == (0, "E/1", "712.50")
    done, found = told(capfd, str(path), "--explain", "E/2")
    assert (done, found["problem"]["code"]) == (2, "unknown_line")


@pytest.mark.parametrize("suffix", ["html", "xlsx"])
def test_the_report_tells_programs_origins_months_and_stakes(tmp_path: Path, suffix: str) -> None:
    report = tmp_path / f"book.{suffix}"
    found = bulk(tmp_path, book(60), report=report)
    assert found["totals"]["open"] == 30
    if suffix == "html":
        text = report.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "http" not in text.replace("http-equiv", "")
        for words in (
            "Duty by program",
            "Base duty",
            "China",
            "Chapter 73",
            "2025-09",
            "melt_pour_country",
            "ABC-0000014-0/3",
            'role="img"',
        ):
            assert words in text
    else:
        sheets = openpyxl.load_workbook(report)
        assert sheets.sheetnames[:3] == ["Book", "Program", "Origin"]
        assert sheets["Origin"]["A2"].value == "China"


def test_no_text_of_a_file_is_markup_in_the_report(tmp_path: Path) -> None:
    text = f"Line ID,HTS,COO,Entry Date,Entered Value\n<b>x</b>,{SCREWS},CN,2025-09-10,10\n"
    bulk(tmp_path, text, report=tmp_path / "book.html")
    page = (tmp_path / "book.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page
