"""`tariff audit-filed`: what is found on single lines, the files written, and what is said of bad input."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tariff_engine.entry_number import check_digit

Tariff = Callable[..., Any]
Data = dict[str, Any]
ON = ("--on", "2026-08-10")
HEADER = "Entry Number,Line,HTS,COO,Entry Date,Entered Value,Duty Paid"
SHOES, CABLE, SCREWS, CHAIR = "6403.99.60.15", "8544.42.90.90", "7318.15.20.61", "9403.20.00.50"


def number(sequence: int) -> str:
    base = f"ABC{sequence:07}"
    return f"ABC-{sequence:07}-{check_digit(base)}"


ONE = number(1)
EXCLUDED: Data = {"hts": "8414.30.80.30", "origin": "CN", "entry_date": "2025-09-10", "value": "10000", "exclusion_claims": ["9903.88.69"]}


def rows(*numbers: tuple[str, str], origin: str, day: str, value: str = "10000", entry: str = ONE, more: str = "") -> list[str]:
    """Write a line: the numbers with their duties, the value beside the last."""
    *others, (goods, duty) = numbers
    found = [f"{entry},1,{hts},{origin},{day},,{paid}" for hts, paid in others]
    return [*found, f"{entry},1,{goods},{origin},{day},{value},{duty}{more}"]


def sent(tmp_path: Path, *lines: str, header: str = HEADER, name: str = "es003.csv") -> str:
    path = tmp_path / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def report(tariff: Tariff, *arguments: str, code: int = 0, stdin: bytes = b"") -> Data:
    result = tariff("audit-filed", *arguments, *ON, "--json", stdin=stdin)
    assert (result.code, result.err) == (code, "")
    found: Data = json.loads(result.out)
    return found


def found(tariff: Tariff, tmp_path: Path, *lines: str, header: str = HEADER) -> list[Data]:
    """Audit one line; return its findings but for those of refund actions."""
    (line,) = report(tariff, sent(tmp_path, *lines, header=header))["lines"]
    return [one for one in line["findings"] if one["cause"] != "refund_action"]


def told(findings: list[Data]) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(one["type"], one["filed_number"], one["owed_number"], one["difference"]) for one in findings]


# ---------------------------------------------------------------- findings
def test_a_line_filed_as_owed_matches(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, *rows(("9903.05.39", "1000"), (CHAIR, "0"), origin="DE", day="2026-08-03"))
    answer = report(tariff, file)
    assert answer["lines"][0]["status"] == "match"
    assert answer["totals"]["matched"] == 1
    assert [kind["type"] for kind in answer["kinds"]] == ["match"]
    assert answer["entries"][0]["windows"] == []


def test_the_heading_of_an_earlier_rate_is_of_another_era_and_names_the_one_that_is_owed(tariff: Tariff, tmp_path: Path) -> None:
    (one,) = found(tariff, tmp_path, *rows(("9903.88.03", "2500"), ("9903.01.20", "1000"), (CABLE, "260"), origin="CN", day="2025-03-20"))
    assert told([one]) == [("wrong_era", "9903.01.20", "9903.01.24", "-1000.00")]
    assert one["era"] == {"from": "2025-02-04", "until": "2025-03-04"}
    assert "EO 14228 s.2" in one["cites"]
    assert one["action"] == "ieepa"


def test_an_old_rate_under_the_right_heading_is_of_another_era(tariff: Tariff, tmp_path: Path) -> None:
    """Steel paid 25% under 9903.81.87 until 4 June 2025 and 50% from then on."""
    file = rows(("9903.01.33", "0"), ("9903.81.87", "2500"), ("7208.39.00.20", "0"), origin="DE", day="2025-07-01")
    (one,) = found(tariff, tmp_path, *file)
    assert told([one]) == [("wrong_era", "9903.81.87", "9903.81.87", "-2500.00")]
    assert one["era"]["until"] == "2025-06-04"


def test_a_heading_filed_after_its_program_ended_is_of_another_era_and_nothing_is_owed(tariff: Tariff, tmp_path: Path) -> None:
    file = rows(("9903.02.19", "0"), ("9903.05.39", "1000"), (CHAIR, "0"), origin="DE", day="2026-08-03")
    assert {one[0] for one in told(found(tariff, tmp_path, *file))} <= {"wrong_era", "extra_heading"}


def test_the_value_stated_beside_a_number_tells_a_wrong_base(tariff: Tariff, tmp_path: Path) -> None:
    day = "2026-08-03"
    lines = [f"{ONE},1,9903.05.90,DE,{day},,0", f"{ONE},1,9903.82.02,DE,{day},8000,4000", f"{ONE},1,{SCREWS},DE,{day},10000,0"]
    (one,) = found(tariff, tmp_path, *lines)
    assert told([one]) == [("wrong_base", "9903.82.02", "9903.82.02", "-1000.00")]
    assert (one["filed_base"], one["owed_base"], one["owed_rate"]) == ("8000", "10000", "50%")


def test_another_rate_is_named(tariff: Tariff, tmp_path: Path) -> None:
    (one,) = found(tariff, tmp_path, *rows(("9903.05.39", "1330"), (CHAIR, "0"), origin="DE", day="2026-08-03"))
    assert told([one]) == [("wrong_rate", "9903.05.39", "9903.05.39", "330.00")]
    assert (one["filed_rate"], one["owed_rate"]) == ("13.3%", "10%")


def test_a_number_without_duty_that_is_missing_is_found_too(tariff: Tariff, tmp_path: Path) -> None:
    (one,) = found(tariff, tmp_path, *rows(("9903.82.02", "5000"), (SCREWS, "0"), origin="DE", day="2026-08-03"))
    assert told([one]) == [("missing_heading", None, "9903.05.90", "0.00")]


def test_numbers_out_of_sequence_are_told_with_the_right_order(tariff: Tariff, tmp_path: Path) -> None:
    (one,) = found(tariff, tmp_path, *rows(("9903.01.24", "2000"), ("9903.88.03", "2500"), (CABLE, "260"), origin="CN", day="2025-03-20"))
    assert (one["type"], one["order"], one["difference"]) == ("out_of_sequence", ["9903.88.03", "9903.01.24"], "0.00")
    assert one["cites"]


def test_ordinals_tell_the_order_whatever_the_order_of_the_rows(tariff: Tariff, tmp_path: Path) -> None:
    lines = rows(("9903.01.24", "2000"), ("9903.88.03", "2500"), (CABLE, "260"), origin="CN", day="2025-03-20")
    ordered = [f"{line},{ordinal}" for line, ordinal in zip(lines, (2, 1, 3), strict=True)]
    assert found(tariff, tmp_path, *ordered, header=f"{HEADER},Tariff Ordinal Number") == []


def test_law_that_reaches_back_makes_a_refund_candidate_and_no_error(tariff: Tariff, tmp_path: Path) -> None:
    lines = rows(("9903.02.30", "1500"), (SHOES, "850"), origin="JP", day="2025-09-10")
    (one,) = found(tariff, tmp_path, *lines)
    assert (one["type"], one["cause"], one["difference"]) == ("refund_candidate", "later_law", "850.00")
    assert one["numbers"] == ["9903.02.30", SHOES, "9903.02.73"]
    assert one["cites"]


def test_what_was_filed_by_the_later_law_is_right_too(tariff: Tariff, tmp_path: Path) -> None:
    assert found(tariff, tmp_path, *rows(("9903.02.73", "1500"), (SHOES, "0"), origin="JP", day="2025-09-10")) == []


def test_the_day_of_the_summary_decides_what_was_known(tariff: Tariff, tmp_path: Path) -> None:
    lines = rows(("9903.02.30", "1500"), (SHOES, "850"), origin="JP", day="2025-09-10")
    late = [f"{line},2025-09-20" for line in lines]
    kinds = {one["type"] for one in found(tariff, tmp_path, *late, header=f"{HEADER},Entry Summary Date")}
    assert "refund_candidate" not in kinds
    assert kinds


def test_a_fact_that_the_file_does_not_state_is_asked_for(tariff: Tariff, tmp_path: Path) -> None:
    lines = rows(("9903.01.14", "0"), ("9903.01.26", "0"), (SHOES, "0"), origin="CA", day="2025-08-20")
    (one,) = found(tariff, tmp_path, *lines)
    assert (one["type"], one["difference"], one["at_stake"]) == ("needs_facts", None, "-4350.00")
    assert [(fact["fact"], fact["answer"]) for fact in one["facts"]] == [("usmca_qualifying", True)]
    assert one["range"] == {"low": "0.00", "high": "4350.00"}
    claimed = [f"{line},S" for line in lines]
    assert found(tariff, tmp_path, *claimed, header=f"{HEADER},SPI") == []


def test_a_content_is_read_off_the_amount_that_was_filed(tariff: Tariff, tmp_path: Path) -> None:
    """A copper derivative of Chile, 40% of it copper: 50% on 4,000, the rest reported under 9903.78.02."""
    day, file = "2025-09-10", tmp_path / "line.json"
    line = {"hts": "8544.42.90.90", "origin": "CL", "entry_date": day, "value": "10000", "copper_content_value": "4000"}
    file.write_text(json.dumps(line), encoding="utf-8")
    (answer,) = json.loads(tariff("assess", str(file), "--json").out)["lines"]
    filed = [(row["heading"], row["duty"]) for row in answer["headings"]]
    assert any(row["base_value"] == "4000" for row in answer["headings"])
    (one,) = found(tariff, tmp_path, *rows(*filed, origin="CL", day=day))
    assert one["type"] == "needs_facts"
    assert {"fact": "copper_content_value", "answer": "4000"}.items() <= one["facts"][0].items()


def test_a_rate_that_needs_a_quantity_is_not_called_wrong(tariff: Tariff, tmp_path: Path) -> None:
    line = rows(("0402.10.50.00", "86.50"), origin="NZ", day="2024-05-10", value="1000")
    (one,) = found(tariff, tmp_path, *line)
    assert (one["type"], one["facts"][0]["fact"]) == ("needs_facts", "quantity")
    stated = [f"{line[0]},100,KG"]
    assert "needs_facts" not in {
        more["type"] for more in found(tariff, tmp_path, *stated, header=f"{HEADER},Line Tariff Quantity (1),Line Tariff UOM (1) Code")
    }


def test_an_exclusion_that_was_filed_is_claimed(tariff: Tariff, tmp_path: Path) -> None:
    result = tariff("assess", "-", "--json", stdin=json.dumps(EXCLUDED).encode())
    (answer,) = json.loads(result.out)["lines"]
    assert EXCLUDED["exclusion_claims"][0] in [row["heading"] for row in answer["headings"]]
    filed = [(row["heading"], row["duty"]) for row in answer["headings"]]
    line = report(tariff, sent(tmp_path, *rows(*filed, origin="CN", day=EXCLUDED["entry_date"])))["lines"][0]
    assert [one for one in line["findings"] if one["cause"] != "refund_action"] == []
    assert "claim_taken" in [warning["code"] for warning in line["warnings"]]


def test_a_refund_action_gives_what_tariff_refund_gives(tariff: Tariff, tmp_path: Path) -> None:
    lines = rows(("9903.01.25", "250"), (SHOES, "212.50"), origin="VN", day="2025-06-10", value="2500")
    answer = report(tariff, sent(tmp_path, *lines))
    (one,) = answer["lines"][0]["findings"]
    refund = json.loads(tariff("refund", sent(tmp_path, *lines, name="again.csv"), *ON, "--json").out)
    assert (one["type"], one["cause"], one["refund"]) == ("refund_candidate", "refund_action", refund["lines"][0]["by_action"])
    assert answer["totals"]["refund_by_action"] == refund["totals"]["by_action"]
    assert (answer["totals"]["overpaid"], answer["totals"]["underpaid"]) == ("0.00", "0.00")


def test_a_tolerance_takes_cents_for_the_same(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, *rows(("9903.05.39", "1000.01"), (CHAIR, "0"), origin="DE", day="2026-08-03"))
    assert report(tariff, file)["lines"][0]["overpaid"] == "0.01"
    assert report(tariff, file, "--tolerance", "0.01")["lines"][0]["status"] == "match"


def test_what_the_command_itself_files_is_right(tariff: Tariff) -> None:
    """`tariff assess --format es003` and back, with the facts in columns of their own."""
    line = {"hts": SCREWS, "origin": "DE", "entry_date": "2026-08-03", "value": "10000", "mode": "ocean"}
    text = tariff("assess", "-", "--format", "es003", "--entry-number", ONE, stdin=json.dumps(line).encode()).out
    answer = report(tariff, "-", stdin=text.encode())
    assert [one["status"] for one in answer["lines"]] == ["match"]


def test_a_row_a_line_with_columns_of_what_was_paid_is_read_too(tariff: Tariff, tmp_path: Path) -> None:
    header = "Entry Number,Line,HTS,COO,Entry Date,Entered Value,Duty Paid,Paid 9903.05.39,Paid 9903.05.90"
    line = report(tariff, sent(tmp_path, f"{ONE},1,{CHAIR},DE,2026-08-03,10000,0,900,", header=header))["lines"][0]
    assert told(line["findings"]) == [("wrong_rate", "9903.05.39", "9903.05.39", "-100.00")]
    rowed = json.dumps({"hts": CHAIR, "origin": "DE", "entry_date": "2026-08-03", "value": 10000, "paid": {"9903.05.39": "900"}})
    (again,) = report(tariff, "-", stdin=rowed.encode())["lines"]
    assert told(again["findings"]) == told(line["findings"])


# ---------------------------------------------------------------- entries
def test_an_entry_has_the_days_of_what_it_needs(tariff: Tariff, tmp_path: Path) -> None:
    over = rows(("9903.05.39", "1330"), (CHAIR, "0"), origin="DE", day="2026-08-03")
    (entry,) = report(tariff, sent(tmp_path, *over))["entries"]
    windows = {window["window"]: window for window in entry["windows"]}
    assert windows["psc"]["last_day"] == "2027-05-30"
    assert (windows["psc"]["state"], windows["psc"]["days_left"]) == ("open", 293)
    assert "protest" in windows
    assert "prior-disclosure" not in windows
    under = rows(("9903.05.39", "900"), (CHAIR, "0"), origin="DE", day="2026-08-03")
    (entry,) = report(tariff, sent(tmp_path, *under, name="under.csv"))["entries"]
    assert {"psc", "prior-disclosure"} <= {window["window"] for window in entry["windows"]}
    assert "protest" not in {window["window"] for window in entry["windows"]}


@pytest.mark.parametrize(
    ("column", "day", "window", "state", "last"),
    [
        ("Liquidation Date", "2026-07-24", "protest", "open", "2027-01-20"),
        ("Liquidation Date", "2026-07-24", "psc", "over", "2026-07-24"),
        ("Scheduled Liquidation Date", "2026-08-20", "psc", "over", "2026-08-05"),
        ("Scheduled Liquidation Date", "2026-12-20", "psc", "open", "2026-12-05"),
    ],
)
def test_liquidation_bounds_the_days(tariff: Tariff, tmp_path: Path, column: str, day: str, window: str, state: str, last: str) -> None:
    lines = [f"{line},{day}" for line in rows(("9903.05.39", "1330"), (CHAIR, "0"), origin="DE", day="2026-08-03")]
    (entry,) = report(tariff, sent(tmp_path, *lines, header=f"{HEADER},{column}"))["entries"]
    found_ = next(one for one in entry["windows"] if one["window"] == window)
    assert (found_["state"], found_["last_day"]) == (state, last)


# ---------------------------------------------------------------- files
def mixed(tmp_path: Path) -> str:
    """A match, an error, and a row that cannot be read; its value holds a tag."""
    two, three = number(2), number(3)
    lines = [
        *rows(("9903.05.39", "1000"), (CHAIR, "0"), origin="DE", day="2026-08-03"),
        *rows(("9903.05.39", "1330"), (CHAIR, "0"), origin="DE", day="2026-08-03", entry=two),
        *rows((CHAIR, "0"), origin="DE", day="2026-08-03", value="1<b>0", entry=three),
    ]
    return sent(tmp_path, *lines)


def test_every_form_of_report_is_written_once(tariff: Tariff, tmp_path: Path) -> None:
    file = mixed(tmp_path)
    outs = [tmp_path / f"audit.{form}" for form in ("json", "csv", "html", "xlsx")]
    options = [option for out in outs for option in ("--out", str(out))]
    answer = report(tariff, file, *options, code=2)
    assert json.loads(outs[0].read_text(encoding="utf-8")) == answer
    listed = list(csv.DictReader(io.StringIO(outs[1].read_text(encoding="utf-8"))))
    assert [row["Finding"] for row in listed] == ["match", "wrong rate", "not read"]
    assert [row["Difference"] for row in listed] == ["0.00", "330.00", ""]
    page = outs[2].read_text(encoding="utf-8")
    assert "<b>" not in page.partition("Rows that could not be read")[2]
    assert "&lt;b&gt;" in page
    assert not re.search(r"(src|href)=", page)
    book = openpyxl.load_workbook(outs[3])
    assert book.sheetnames == ["Summary", "Findings", "Lines", "Windows"]
    findings = list(book["Findings"].values)
    assert findings[1][findings[0].index("Difference")] == 330
    assert str(findings[1][findings[0].index("Entry Date")])[:10] == "2026-08-03"
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    again = tariff("audit-filed", file, "--out", str(outs[0]))
    assert again.code == 2
    assert "file_exists" in again.out


def test_the_terminal_fits_eighty_columns(tariff: Tariff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = tariff("audit-filed", mixed(tmp_path), "--no-json", *ON)
    assert result.code == 2
    assert max(len(line.rstrip()) for line in result.out.splitlines()) <= 80
    assert "wrong rate: 9903.05.39: $1,330.00 was paid (13.3% of $10,000)" in " ".join(result.out.split())
    assert "Rows that could not be read" in result.out


# ---------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--out", "audit.pdf"), "unknown_value"),
        (("--tolerance", "-1"), "out_of_range"),
        (("--tolerance", "nan"), "out_of_range"),
        (("--tolerance", "0.001"), "out_of_range"),
    ],
)
def test_a_wrong_option_is_refused_before_the_work(tariff: Tariff, tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    result = tariff("audit-filed", mixed(tmp_path), "--json", *arguments)
    assert (result.code, json.loads(result.out)["problem"]["code"]) == (2, code)


def test_a_file_that_says_nothing_of_what_was_paid_is_refused(tariff: Tariff, tmp_path: Path) -> None:
    file = sent(tmp_path, f"{ONE},1,{CHAIR},DE,2026-08-03,10000", header=HEADER.rpartition(",")[0])
    assert report(tariff, file, code=2)["problem"]["code"] == "column_missing"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([f"{ONE},1,9903.05.39,DE,2026-08-03,,1000"], "line_numbers"),
        (rows(("9903.05.39", "1000"), ("9903.05.39", "1000"), (CHAIR, "0"), origin="DE", day="2026-08-03"), "fact_stated_twice"),
        (rows(("9903.05.39", "ten"), (CHAIR, "0"), origin="DE", day="2026-08-03"), "wrong_type"),
        (rows(("9903.05.39", "1000"), (CHAIR, "=1+1"), origin="DE", day="2026-08-03"), "formula_cell"),
        (rows(("9903.05.39", "1000"), ("6403.99.99.99", "0"), origin="DE", day="2026-08-03"), "unknown_hts"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_its_reason(tariff: Tariff, tmp_path: Path, lines: list[str], code: str) -> None:
    answer = report(tariff, sent(tmp_path, *lines), code=2)
    (one,) = answer["problems"]
    assert one["problem"]["code"] == code
    assert one["problem"]["message"]
    assert answer["totals"]["refused"] == 1


def test_a_file_without_any_number_of_chapter_99_gets_a_warning(tariff: Tariff, tmp_path: Path) -> None:
    answer = report(tariff, sent(tmp_path, f"{ONE},1,{CHAIR},DE,2026-08-03,10000,1000"))
    assert [warning["code"] for warning in answer["warnings"]] == ["no_additional_numbers"]
