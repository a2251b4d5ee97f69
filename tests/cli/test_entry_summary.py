"""`tariff assess --format`: the views of an entry summary, as docs/entry-summary.md shows them, and back through `tariff refund`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tariff = Callable[..., Any]
Facts = dict[str, Any]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "entry-summary.md"
NUMBER = "ABC-1234567-6"


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """The entry that the page shows."""
    file = tmp_path / "entry.yaml"
    file.write_text(block("yaml"), encoding="utf-8")
    return file


def test_the_form_is_what_the_page_shows(tariff: Tariff, entry: Path) -> None:
    result = tariff("assess", str(entry), "--format", "7501")
    assert (result.code, result.err) == (0, "")
    assert result.out == block("text")


def test_the_report_is_what_the_page_shows(tariff: Tariff, entry: Path) -> None:
    result = tariff("assess", str(entry), "--format", "es003", "--entry-number", NUMBER)
    assert (result.code, result.err) == (0, "")
    assert result.out.replace("\r\n", "\n") == block("csv")


def test_the_report_is_read_back_by_the_refund(tariff: Tariff, entry: Path, tmp_path: Path) -> None:
    """What the refund takes for paid under each number of a line is what the answer charges under it."""
    answer = json.loads(tariff("assess", str(entry), "--json", "--explain", "none").out)
    report = tmp_path / "es003.csv"
    report.write_bytes(tariff("assess", str(entry), "--format", "es003", "--entry-number", NUMBER).out.encode())
    result = tariff("refund", str(report), "--json", "--on", "2026-06-01")
    assert result.code == 0, result.out
    found = json.loads(result.out)
    filed = [part["numbers"] for line in answer["lines"] for part in line["filing"]["lines"]]
    assert not found["problems"]
    assert [line["id"] for line in found["lines"]] == [f"{NUMBER}/{place}" for place in range(1, len(filed) + 1)]
    for numbers, line in zip(filed, found["lines"], strict=True):
        read = {row["heading"]: row["paid"] for row in line["headings"]}
        assert {number["heading"]: number["duty"] for number in numbers} == {
            number["heading"]: read[number["heading"]] for number in numbers
        }


def test_the_id_of_an_entry_may_be_its_number(tariff: Tariff, screws: Facts) -> None:
    sent = json.dumps({"id": NUMBER, "entry_date": screws.pop("entry_date"), "lines": [screws]}).encode()
    result = tariff("assess", "--format", "es003", stdin=sent)
    assert result.code == 0
    assert {row["Entry Summary Number"] for row in csv.DictReader(io.StringIO(result.out))} == {NUMBER.replace("-", "")}
    assert f"1 Entry no.: {NUMBER}" in tariff("assess", "--format", "7501", stdin=sent).out


def test_a_flat_line_tells_its_mode_too(tariff: Tariff, screws: Facts) -> None:
    out = tariff("assess", "--format", "7501", stdin=json.dumps({**screws, "export_date": "2025-08-01", "spi": "NONE"}).encode()).out
    assert "unknown_spi" in out or "9 Mode of transport: ocean" in out
    out = tariff("assess", "--format", "7501", stdin=json.dumps({**screws, "export_date": "2025-08-01"}).encode()).out
    assert "9 Mode of transport: ocean" in out
    assert "10 Country of origin: CN" in out
    assert "15 Export date: 08/01/2025" in out


def test_the_value_under_chapter_98_is_divided(tariff: Tariff) -> None:
    line = {"hts": "6109.10.00.12", "origin": "HN", "value": 10000, "entry_date": "2024-09-10", "mode": "ocean"}
    more = {"chapter98": "9802.00.80", "us_content_value": 6000}
    result = tariff("assess", "--format", "es003", "--entry-number", NUMBER, stdin=json.dumps({**line, **more}).encode())
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [(row["HTS Number - Full"], row["Line Tariff Goods Value Amount"], row["Line Tariff Duty Amount"]) for row in rows] == [
        ("98020080", "$6,000.00", "$0.00"),
        ("6109100012", "$4,000.00", "$660.00"),
    ]


def test_an_unknown_duty_is_never_a_zero(tariff: Tariff) -> None:
    sent = json.dumps({"hts": "0409.00.00.10", "origin": "UY", "value": 10000, "entry_date": "2024-09-10", "mode": "ocean"}).encode()
    form = tariff("assess", "--format", "7501", stdin=sent)
    assert re.search(r"0409\.00\.00\.10 .* not known$", form.out, re.MULTILINE)
    assert re.search(r"40 Total, without tax +not known$", form.out, re.MULTILINE)
    report = tariff("assess", "--format", "es003", "--entry-number", NUMBER, stdin=sent)
    assert (report.code, json.loads(report.out)["problem"]["code"]) == (2, "fact_needed")


PARCEL: Facts = {
    "hts": "6109.10.00.12",
    "origin": "DE",
    "value": 100,
    "entry_date": "2024-06-03",
    "mode": "air",
    "de_minimis_claimed": True,
}


@pytest.mark.parametrize(
    ("code", "facts", "arguments"),
    [
        ("nothing_to_file", PARCEL, ("--format", "7501")),
        ("entry_number_missing", {**PARCEL, "de_minimis_claimed": False}, ("--format", "es003")),
        ("entry_number_check_digit", {**PARCEL, "de_minimis_claimed": False}, ("--format", "es003", "--entry-number", "ABC-1234567-5")),
        ("unknown_country", {**PARCEL, "origin": "XX"}, ("--format", "7501")),
    ],
)
def test_what_has_no_entry_summary_is_told_by_name(tariff: Tariff, code: str, facts: Facts, arguments: tuple[str, ...]) -> None:
    result = tariff("assess", *arguments, stdin=json.dumps(facts).encode())
    assert (result.code, json.loads(result.out)["problem"]["code"]) == (2, code)


@pytest.mark.parametrize("arguments", [("--jsonl", "--format", "7501"), ("--format", "pdf"), ("--aggregate",)])
def test_options_that_do_not_go_together_are_refused(tariff: Tariff, arguments: tuple[str, ...], screws: Facts) -> None:
    result = tariff("assess", *arguments, stdin=json.dumps(screws).encode())
    assert result.code == 2
    assert result.err


def test_text_of_strangers_never_drives_the_terminal_of_the_form(tariff: Tariff, screws: Facts) -> None:
    wild = {"id": "\x1b[31mred\r\n=1+1", "adcvd": [{"case": "A-\x1b[1m", "amount": "1", "unit": "k\x1bg"}], "quantity": {"k\x1bg": 1}}
    sent = {"entry_date": screws.pop("entry_date"), "lines": [{**screws, **wild}]}
    out = tariff("assess", "--format", "7501", stdin=json.dumps(sent).encode()).out
    assert "\x1b" not in out
    assert "\r" not in out
