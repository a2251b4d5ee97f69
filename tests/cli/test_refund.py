"""`tariff refund`: files as brokers keep them in, what each line gets back, entries, claim files, and nothing lost on the way."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tariff_engine.entry_number import check_digit
from tariff_engine.refund_law import ClaimFile
from tariff_service import refund_files
from tariff_service.refund_columns import safe_cell
from tariff_service.refund_out import write_claim_files

Tariff = Callable[..., Any]
Data = dict[str, Any]
RULES = Path(__file__).resolve().parents[2] / "rules" / "tariff_rules"
ON = ("--on", "2026-06-01")
HEADER = "Entry Number,Line,HTS,COO,Entry Date,Entered Value"
SHOES = "6403.99.60.15"


def number(sequence: int, filer: str = "ABC") -> str:
    base = f"{filer}{sequence:07}"
    return f"{filer}-{sequence:07}-{check_digit(base)}"


ONE, TWO, THREE = number(1), number(2), number(3)


def sent(tmp_path: Path, *rows: str, header: str = HEADER, name: str = "lines.csv") -> str:
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def report(tariff: Tariff, *arguments: str, code: int = 0, stdin: bytes = b"") -> Data:
    result = tariff("refund", *arguments, *ON, stdin=stdin)
    assert (result.code, result.err) == (code, "")
    found: Data = json.loads(result.out)
    return found


def problem(tariff: Tariff, *arguments: str, stdin: bytes = b"") -> Data:
    found: Data = report(tariff, *arguments, code=2, stdin=stdin)["problem"]
    return found


# ---------------------------------------------------------------- what comes out
def test_lines_of_an_entry_add_up_to_it_and_to_all(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(
        tmp_path, f"{ONE},1,{SHOES},VN,2025-06-10,2500", f"{ONE},2,{SHOES},CN,2025-06-10,1000", f"{TWO},1,{SHOES},CN,2025-09-10,1000"
    )
    found = report(tariff, file)
    assert [line["id"] for line in found["lines"]] == [f"{ONE}/1", f"{ONE}/2", f"{TWO}/1"]
    assert [line["refund"]["low"] for line in found["lines"]] == ["250.00", "300.00", "300.00"]
    assert [(entry["entry_number"], entry["refund"]["low"]) for entry in found["entries"]] == [(ONE, "550.00"), (TWO, "300.00")]
    assert found["totals"]["refund"] == {"low": "850.00", "high": "850.00"}
    assert found["claim_file"]["entries"] == [ONE, TWO]
    assert found["action"]["interest"]["computed"] is False
    assert found["action"]["process"]["known_until"] == "2026-07-31"
    assert found["on"] == "2026-06-01"
    assert all(window["cites"] for entry in found["entries"] for window in entry["windows"])


def test_the_history_of_the_process_ends_on_the_day_of_the_claim(tariff: Tariff, tmp_path: Path) -> None:
    days = [event["on"] for event in report(tariff, sent(tmp_path, f"{ONE},1,{SHOES},VN,2025-06-10,2500"))["action"]["process"]["history"]]
    assert days[0] == "2026-02-20"
    assert max(days) == "2026-05-29"


def test_the_trap_is_a_range_and_such_an_entry_waits_for_a_decision(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, f"{ONE},1,7208.39.00.20,CA,2025-05-20,10000")
    found = report(tariff, file)
    assert found["totals"]["refund"] == {"low": "0.00", "high": "2500.00"}
    assert found["claim_file"]["entries"] == []
    (apart,) = found["claim_file"]["apart"]
    assert apart["reasons"][0]["reason"] == "duty_revived"
    assert report(tariff, file, "--include-revived")["claim_file"]["entries"] == [ONE]
    words = tariff("refund", file, *ON, "--no-json").out
    assert "$0.00 to $2,500.00" in words
    assert "9903.81.87" in words


def test_paid_is_what_was_known_at_filing_or_what_is_owed_today(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, f"{ONE},1,{SHOES},JP,2025-09-10,10000")
    assert report(tariff, file)["totals"]["paid"] == "2350.00"
    owed = report(tariff, file, "--as-owed")
    assert (owed["totals"]["paid"], owed["totals"]["retroactive"], owed["paid_from"]) == ("1500.00", "0.00", "law_known_today")
    later = sent(tmp_path, f"{ONE},1,{SHOES},JP,2025-09-10,10000,2025-09-17", header=f"{HEADER},Summary Date", name="later.csv")
    assert report(tariff, later)["totals"]["paid"] == "1500.00"


def test_facts_that_nobody_stated_are_told_and_asked_for_on_demand(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, f"{ONE},1,{SHOES},VN,2025-06-10,2500")
    plain = report(tariff, file)["lines"][0]
    assert plain["questions"] == []
    assert "us_content_share" in [one["fact"] for one in plain["assumed"]]
    assert all(one["because"] and one["asks"] for one in plain["assumed"])
    assert "us_content_value" in [one["fact"] for one in report(tariff, file, "--ask")["lines"][0]["questions"]]


def test_the_same_file_gives_the_same_bytes(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, f"{ONE},1,{SHOES},JP,2025-09-10,10000", f"{TWO},1,{SHOES},CN,2025-03-05,500")
    assert tariff("refund", file, *ON).out == tariff("refund", file, *ON).out


# ---------------------------------------------------------------- files as they are
def test_titles_above_the_header_other_names_and_columns_that_nobody_knows(tariff: Tariff, tmp_path: Path) -> None:
    text = (
        "ACME Corp,,,,,,\r\n\r\n"
        "Entry Number;COUNTRY OF ORIGIN;HTS number;Date of Entry;Entered value;Buyer;SKU\r\n"
        f'{ONE};vn;6403996015;06/10/2025;"$2,500.00";Mr. X;7\r\n;;;;;;\r\n'
    )
    path = tmp_path / "lines.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = report(tariff, str(path))
    assert found["totals"]["refund"]["low"] == "250.00"
    assert found["columns"]["not_read"] == ["Buyer", "SKU"]
    assert found["lines"][0]["rows"] == [4]


def test_what_was_paid_stands_in_columns_by_number_or_as_a_sum(tariff: Tariff, tmp_path: Path) -> None:
    row = f"{ONE},1,{SHOES},CN,2025-06-10,1000"
    by_number = sent(tmp_path, f"{row},200.00,90", header=f"{HEADER},Paid 9903.01.24,paid 99030125")
    found = report(tariff, by_number)["lines"][0]
    assert found["refund"]["low"] == "290.00"
    assert [warning["code"] for warning in found["warnings"]] == ["paid_differs"]
    as_sum = sent(tmp_path, f"{row},$290.00", header=f"{HEADER},Paid_IEEPA", name="sum.csv")
    assert report(tariff, as_sum)["lines"][0]["paid_under"] == "290.00"


def test_an_ace_report_with_a_row_a_number_is_read_line_by_line(tariff: Tariff, tmp_path: Path) -> None:
    header = (
        "Entry Summary Number,Entry Summary Line Number,Entry Type Code,Entry Date,Country of Origin Code,Tariff Ordinal Number,"
        "HTS Number - Full,Line Tariff Goods Value Amount,Line Tariff Duty Amount"
    )
    plain = ONE.replace("-", "")
    rows = [
        f'{plain},1,1,06/10/2025,CN,1,99038815,$0.00,"$75.00"',
        f"{plain},1,1,06/10/2025,CN,2,99030124,0,200",
        f"{plain},1,1,06/10/2025,CN,3,99030125,0,100",
        f'{plain},1,1,06/10/2025,CN,4,6403996015,"$1,000.00",85',
        f"{plain},2,1,06/10/2025,VN,1,99030125,0,250",
        f"{plain},2,1,06/10/2025,VN,2,6403996015,2500,212.50",
        f"{plain},3,1,06/10/2025,VN,1,99030125,0,250",
    ]
    found = report(tariff, sent(tmp_path, *rows, header=header), code=2)
    assert [line["rows"] for line in found["lines"]] == [[2, 3, 4, 5], [6, 7]]
    assert [line["refund"]["low"] for line in found["lines"]] == ["300.00", "250.00"]
    assert [line["warnings"] for line in found["lines"]] == [[], []]
    assert [(one["code"], one["rows"]) for one in found["problems"]] == [("line_numbers", [8])]
    assert found["entries"][0]["facts"]["entry_type"] == "01"
    missing = report(tariff, sent(tmp_path, *rows[1:4], header=header, name="less.csv"))["lines"][0]
    assert [warning["code"] for warning in missing["warnings"]] == ["paid_not_stated"]


def test_a_duty_column_whose_duty_is_not_clear_is_not_read(tariff: Tariff, tmp_path: Path) -> None:
    found = report(tariff, sent(tmp_path, f"{ONE},1,{SHOES},VN,2025-06-10,2500,462.50", header=f"{HEADER},Duty Paid"))
    assert found["columns"]["not_read"] == ["Duty Paid"]
    assert found["lines"][0]["refund"]["low"] == "250.00"


def test_a_symbol_on_a_filed_line_is_the_claim_that_it_stands_for(tariff: Tariff, tmp_path: Path) -> None:
    """Goods of Canada filed under S paid no IEEPA duty from 7 March 2025; without the claim they would seem to get it back."""
    row = f"{ONE},1,{SHOES},CA,2025-05-10,10000"
    found = report(tariff, sent(tmp_path, f"{row},S,", f"{row.replace(',1,', ',2,', 1)},S,no", header=f"{HEADER},SPI,USMCA"))
    assert [line["refund"]["low"] for line in found["lines"]] == ["0.00", "2500.00"]
    assert [warning["code"] for warning in found["lines"][0]["warnings"]] == ["claim_taken"]


def test_a_row_of_a_line_that_cannot_be_read_takes_the_whole_line_with_it(tariff: Tariff, tmp_path: Path) -> None:
    header = f"{HEADER},Line Tariff Duty Amount"
    rows = [
        f"{ONE},1,9903.01.25,VN,2025-06-10,0,=1+1",
        f"{ONE},1,{SHOES},VN,2025-06-10,2500,212.50",
        f"{ONE},2,{SHOES},VN,2025-06-10,2500,",
    ]
    rows += [f"{TWO},1,,VN,2025-06-10,2500,1", f"{TWO},1,9903.01.25,VN,2025-06-10,0,250"]
    found = report(tariff, sent(tmp_path, *rows, header=header), code=2)
    assert [(one["code"], one["rows"]) for one in found["problems"]] == [("formula_cell", [2, 3]), ("fact_missing", [5, 6])]
    assert [line["rows"] for line in found["lines"]] == [[4]]


def test_jsonl_takes_the_facts_of_the_dictionary_and_of_refunds(tariff: Tariff) -> None:
    rows: list[Data] = [
        {
            "id": "a",
            "hts": SHOES,
            "origin": "VN",
            "entry_date": "2025-06-10",
            "value": 2500,
            "entry_number": ONE,
            "paid": {"9903.01.25": "250.00"},
        },
        {
            "id": "b",
            "hts": SHOES,
            "origin": "VN",
            "entry_date": "2025-06-10",
            "value": 2500,
            "entry_number": ONE,
            "paid_ieepa": "240.00",
            "drawback": True,
        },
    ]
    found = report(tariff, "-", stdin="\n".join(map(json.dumps, rows)).encode())
    assert [(line["id"], line["paid_under"]) for line in found["lines"]] == [("a", "250.00"), ("b", "240.00")]
    assert [check["check"] for check in found["entries"][0]["checks"]] == ["drawback"]


def workbook(path: Path, *sheets: tuple[str, list[list[Any]]]) -> str:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return str(path)


HEAD: list[Any] = HEADER.split(",")


def test_excel_is_read_with_its_days_and_numbers(tariff: Tariff, tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Entries", None],
        HEAD,
        [ONE, 1, SHOES, "VN", datetime.fromisoformat("2025-06-10T00:00"), 2500],
        [ONE, 2, 6403996015, "CN", date(2025, 6, 10), 1000.49],
        [ONE, 3, 101210010, "CN", "06/10/2025", "1,000.00"],
    ]
    found = report(tariff, workbook(tmp_path / "lines.xlsx", ("Notes", [["nothing", "here"]]), ("Main Report", rows)))
    assert [line["refund"]["low"] for line in found["lines"]] == ["250.00", "300.00", "300.00"]
    assert found["lines"][2]["hts"] == "0101.21.00.10"
    assert found["lines"][2]["warnings"][0]["code"] == "hts_zero_added"


def test_of_several_sheets_with_lines_one_is_named(tariff: Tariff, tmp_path: Path) -> None:
    rows: list[list[Any]] = [HEAD, [ONE, 1, SHOES, "VN", date(2025, 6, 10), 2500]]
    file = workbook(tmp_path / "lines.xlsx", ("A", rows), ("B", rows))
    assert problem(tariff, file)["code"] == "which_sheet"
    assert problem(tariff, file, "--sheet", "C")["code"] == "unknown_sheet"
    assert report(tariff, file, "--sheet", "B")["totals"]["lines"] == 1


def test_without_openpyxl_the_extra_is_named(tariff: Tariff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = workbook(tmp_path / "lines.xlsx", ("A", [HEAD]))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    found = problem(tariff, file)
    assert found["code"] == "excel_missing"
    assert "excel" in found["fix"]


# ---------------------------------------------------------------- bad rows
def test_bad_rows_are_listed_with_reasons_and_the_others_go_on(tariff: Tariff, tmp_path: Path) -> None:
    wrong = f"{ONE[:-1]}{(int(ONE[-1]) + 1) % 10}"
    rows = [
        f"{ONE},1,{SHOES},VN,2025-06-10,2500",
        f"{wrong},1,{SHOES},VN,2025-06-10,2500",
        f"123,1,{SHOES},VN,2025-06-10,2500",
        f"{TWO},1,{SHOES},XX,2025-13-10,lots",
        f"{TWO},2,{SHOES},VN,2025-06-10,-1",
        f"{TWO},3,{SHOES},VN,2025-06-10,1e9",
        f'{TWO},4,{SHOES},VN,2025-06-10,"1.234,56"',
        f"{ONE},2,{SHOES},VN,2025-06-11,2500",
        f"{TWO},5,{SHOES},VN,2025-06-10,=1+1",
        f"{TWO},6,{SHOES},VN,2025-06-10,2500,too,many",
        "Total,,,,,10000",
        f"{THREE},1,{SHOES},VN,2025-06-10,2500",
    ]
    found = report(tariff, sent(tmp_path, *rows), code=2)
    assert [one["rows"] for one in found["problems"]] == [[number] for number in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12)]
    codes = [one["code"] for one in found["problems"]]
    assert codes[:2] == ["entry_number_check_digit", "entry_number_form"]
    assert codes[6:9] == ["contradictory_facts", "formula_cell", "row_too_wide"]
    assert found["totals"]["lines"] == 12
    assert found["totals"]["refused"] == 10
    assert found["totals"]["refund"]["low"] == "500.00"
    assert found["claim_file"]["entries"] == [ONE, THREE]
    assert all(one["message"] and one["fix"] for one in found["problems"])
    assert {one["reasons"][0]["reason"] for one in found["claim_file"]["apart"]} <= {"not_read"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a,b\n1,2\n", "header_missing"),
        (f"{HEADER},Value\n", "column_twice"),
        ("Entry Number,HTS,Entry Date,Entered Value\n", "column_missing"),
        (f'{HEADER}\n"a,b\n', "malformed_csv"),
        ("", "file_empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(tariff: Tariff, tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(text, encoding="utf-8")
    assert problem(tariff, str(path))["code"] == code


def test_hostile_workbooks_are_problems(tariff: Tariff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    assert problem(tariff, str(broken))["code"] == "not_excel"
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("hello.txt", "hello")
    assert problem(tariff, str(other))["code"] == "not_excel"
    old = tmp_path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0")
    assert problem(tariff, str(old))["code"] == "not_excel"
    formula = workbook(tmp_path / "formula.xlsx", ("A", [HEAD, [ONE, 1, SHOES, "VN", date(2025, 6, 10), "=1000*2.5"]]))
    assert [one["code"] for one in report(tariff, formula, code=2)["problems"]] == ["formula_cell"]
    monkeypatch.setattr(refund_files, "_MAX_UNPACKED", 100)
    assert problem(tariff, formula)["code"] == "file_too_large"


def test_too_many_rows_are_refused_as_a_whole(tariff: Tariff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refund_files, "MAX_ROWS", 2)
    file = sent(tmp_path, *[f"{ONE},{line},{SHOES},VN,2025-06-10,2500" for line in range(3)])
    assert problem(tariff, file)["code"] == "too_many_rows"


def test_jsonl_rows_of_every_kind_of_wrong(tariff: Tariff) -> None:
    good = {"hts": SHOES, "origin": "VN", "entry_date": "2025-06-10", "value": 2500}
    rows = [
        good,
        b"[1]",
        b"{",
        {**good, "orgin": "VN"},
        {**good, "paid": {"x": 1}},
        {**good, "liquidation_date": "soon"},
        {**good, "entry_type": "1"},
    ]
    more: list[Data] = [good | {"paid": {"9903.01.25": "1"}, "paid_total": 1}, good | {"value": 1.5}, good | {"id": {"a": 1}, "line": []}]
    rows += more
    found = report(tariff, "-", code=2, stdin=b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows))
    assert [one["code"] for one in found["problems"]] == [
        "wrong_type",
        "malformed_json",
        "unknown_fact",
        "wrong_type",
        "wrong_type",
        "wrong_type",
        "fact_stated_twice",
    ]
    assert found["totals"]["answered"] == 3


# ---------------------------------------------------------------- what is written
FILE = ClaimFile("cape", "Entry Number", 9_999, "dashed", ("here",))


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (9_999, [9_999]), (10_000, [9_999, 1]), (20_000, [9_999, 9_999, 2])])
def test_claim_files_hold_one_column_and_at_most_9999_numbers(tmp_path: Path, count: int, sizes: list[int]) -> None:
    numbers = [number(sequence) for sequence in range(count)]
    written = write_claim_files(tmp_path / "claim", FILE, {"entries": numbers, "apart": []})
    texts = [Path(path).read_bytes().decode("ascii").splitlines() for path in written]
    assert [len(lines) - 1 for lines in texts] == sizes
    assert all(lines[0] == "Entry Number" and "," not in "".join(lines) for lines in texts)
    assert [line for lines in texts for line in lines[1:]] == numbers


def test_claim_files_hold_each_entry_once_and_what_stays_out_stands_beside(tariff: Tariff, tmp_path: Path) -> None:
    header = f"{HEADER},Entry Type,Liquidation Date"
    rows = [
        f"{TWO},1,{SHOES},VN,2025-06-10,2500,01,",
        f"{ONE},1,{SHOES},VN,2025-06-10,2500,01,",
        f"{TWO.replace('-', '')},2,{SHOES},VN,2025-06-10,2500,01,",
        f"{THREE},1,{SHOES},VN,2025-06-10,2500,8,",
        f"{number(4)},1,{SHOES},VN,2025-06-10,2500,01,2026-01-02",
        f"{number(5)},1,{SHOES},VN,2025-01-10,2500,01,",
        f"{number(6)},1,7208.39.00.20,DE,2025-06-10,2500,01,",
        f",9,{SHOES},VN,2025-06-10,2500,01,",
    ]
    folder, out = tmp_path / "claim", tmp_path / "out.csv"
    file = sent(tmp_path, *rows, header=header)
    found = report(tariff, file, "--cape", str(folder), "--csv", str(out))
    assert (folder / "cape-001.csv").read_bytes() == f"Entry Number\r\n{TWO}\r\n{ONE}\r\n".encode()
    apart = {one["entry_number"]: [why["reason"] for why in one["reasons"]] for one in found["claim_file"]["apart"]}
    assert apart == {THREE: ["type-08"], number(4): ["liquidated-80-days"], number(5): ["no_number"], number(6): ["nothing_paid"]}
    assert found["claim_file"]["lines_without_entry_number"] == ["9"]
    assert len(found["claim_file"]["written"]) == 2
    table = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    sums = sum(int(row["difference"].replace(".", "")) for row in table)
    assert f"{sums / 100:.2f}" == found["totals"]["refund"]["low"]
    again = problem(tariff, file, "--cape", str(folder))
    assert again["code"] == "file_exists"
    assert problem(tariff, file, "--csv", str(out))["code"] == "file_exists"


def test_no_cell_that_is_written_is_a_formula(tariff: Tariff, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    header = f"{HEADER},Line ID"
    rows = [
        f"{ONE},1,{SHOES},VN,2025-06-10,2500,@SUM(A1)",
        f"=cmd|' /C calc'!A0,1,{SHOES},VN,2025-06-10,2500,+1",
        f"{TWO},1,{SHOES},VN,2025-06-10,1,-2+3",
    ]
    report(tariff, sent(tmp_path, *rows, header=header), "--csv", str(out), code=2)
    cells = [cell for row in csv.reader(io.StringIO(out.read_text(encoding="utf-8"))) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@", "-", "\t"))] == []
    assert "'@SUM(A1)" in cells
    assert safe_cell("-1") == "'-1"
    assert safe_cell(None) == ""


def test_control_characters_never_reach_the_terminal(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, f"{ONE},\x1b[31m1,{SHOES},VN,2025-06-10,2500", f"{ONE},2,{SHOES},V\x07N,2025-06-10,2500")
    result = tariff("refund", file, *ON, "--no-json")
    assert result.code == 2
    assert "\x1b" not in result.out
    assert "\x07" not in result.out


# ---------------------------------------------------------------- actions are data
ANOTHER = """
- action: lists-back
  title: Refund of section 301 on China, as an example
  says: An invented action over another program.
  from: 2025-01-01
  until: 2025-12-31
  cite: TEST 1
  programs: [s301-china]
  interest: {says: Interest is not computed here., cite: TEST 2}
  revives: {says: Another duty may come back., cite: TEST 3}
  process: {name: LISTS, title: Lists, where: at the port of entry, known_until: 2026-01-01, history: [{from: 2025-12-01, says: It was invented., cite: TEST 4}]}
  windows:
    - {window: ask, title: Asking, kind: deadline, says: Ask within a year of entry., ends: [{years: 1, after: entry_date}], cite: TEST 5}
"""


def test_a_second_action_is_made_of_yaml_alone(tariff: Tariff, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    with (rules / "refunds.yaml").open("a", encoding="utf-8") as file:
        file.write(ANOTHER)
    lines = sent(tmp_path, f"{ONE},1,{SHOES},CN,2025-06-10,1000")
    assert problem(tariff, lines, "--rules", str(rules))["code"] == "which_action"
    assert problem(tariff, lines, "--rules", str(rules), "--action", "none")["code"] == "unknown_action"
    found = report(tariff, lines, "--rules", str(rules), "--action", "lists-back")
    assert found["totals"]["refund"] == {"low": "75.00", "high": "75.00"}
    assert found["claim_file"] is None
    assert [window["state"] for window in found["entries"][0]["windows"]] == ["open"]
    assert problem(tariff, lines, "--rules", str(rules), "--action", "lists-back", "--cape", str(tmp_path / "x"))["code"] == "no_claim_file"
    assert tariff("refund", lines, *ON, "--rules", str(rules), "--action", "lists-back", "--no-json").code == 0


def test_a_rulebook_without_refunds_says_so(tariff: Tariff, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    (rules / "refunds.yaml").unlink()
    assert problem(tariff, sent(tmp_path, f"{ONE},1,{SHOES},CN,2025-06-10,1000"), "--rules", str(rules))["code"] == "no_refund_action"
