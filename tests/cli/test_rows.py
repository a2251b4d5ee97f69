"""`tariff assess --jsonl`: a row in, a row out, in order; a bad row costs nobody else an answer."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tariff_engine.entry import assess_row
from tariff_service import rows

Tariff = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[bytes]"]
Facts = dict[str, Any]


def jsonl(*values: Any) -> bytes:
    return b"".join((value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n" for value in values)


def answers(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_row_is_answered_in_the_shape_of_a_line_with_fees_and_de_minimis(tariff: Tariff, screws: Facts) -> None:
    result = tariff("assess", "--jsonl", stdin=jsonl({"id": "r1", **screws}))
    (answer,) = answers(result.out)
    assert result.code == 0
    assert result.err == ""
    assert answer["id"] == "r1"
    assert answer["duty"] == "9500.00"
    assert answer["fees"]["mpf"] == "34.64"
    assert answer["de_minimis"]["result"] == "entry_required"
    assert {"headings", "base", "programs", "questions", "range", "filing", "savings"} <= set(answer)


def test_bad_rows_are_answered_in_their_place_and_the_others_go_on(tariff: Tariff, screws: Facts) -> None:
    sent = jsonl(
        {"id": "good-1", **screws},
        b"no json at all",
        b"",
        b'{"id": "broken", "hts": ',
        {"id": "bad", **screws, "origin": "XX"},
        {"id": 7, **screws, "value": None},
        b"   ",
        b"[1]",
        b'{"id": "nan", "value": NaN}',
        b'{"id": "latin", "hts": "\xe9"}',
        b'{"id": "big", "hts": "' + b"x" * rows.MAX_ROW + b'"}',
        {"id": {"no": "id"}, **screws},
        {"id": "good-2", **screws},
        screws,
    )
    result = tariff("assess", "--jsonl", "--explain", "none", stdin=b"\xef\xbb\xbf" + sent.removesuffix(b"\n"))
    found = answers(result.out)
    assert result.code == 2
    told = [(one["id"], one.get("problem", {}).get("code"), one.get("problem", {}).get("row")) for one in found]
    assert told == [
        ("good-1", None, None),
        (None, "malformed_json", 2),
        ("broken", "malformed_json", 4),
        ("bad", "unknown_country", 5),
        ("7", "fact_missing", 6),
        (None, "wrong_type", 8),
        ("nan", "not_a_number", 9),
        ("latin", "not_utf8", 10),
        (None, "row_too_large", 11),
        (None, "wrong_type", 12),
        ("good-2", None, None),
        ("14", None, None),
    ]
    assert all(one["problem"]["field"] and one["problem"]["fix"] for one in found if "problem" in one)


def test_rows_come_from_a_file_with_any_line_end(tariff: Tariff, screws: Facts, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_bytes(jsonl({"id": "a", **screws}, {"id": "b", **screws}).replace(b"\n", b"\r\n"))
    result = tariff("assess", "--jsonl", str(file))
    assert [one["id"] for one in answers(result.out)] == ["a", "b"]


def test_no_rows_are_no_problem(tariff: Tariff) -> None:
    result = tariff("assess", "--jsonl", stdin=b"\n\n")
    assert (result.code, result.out) == (0, "")


def test_knowledge_time_holds_for_rows(tariff: Tariff, canadian: Facts) -> None:
    def duty(day: str) -> str:
        found: str = answers(tariff("assess", "--jsonl", "--known-on", day, stdin=jsonl(canadian)).out)[0]["additional_duty"]
        return found

    assert duty("2025-02-02") == "2500.00"
    assert duty("2025-02-04") == "0.00"


def test_a_fault_of_the_program_in_one_row_is_told_there_and_in_the_exit_code(
    tariff: Tariff, screws: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = assess_row

    def fail(knowledge: Any, raw: Any, explain: Any) -> dict[str, Any]:
        if raw["id"] == "b":
            raise ZeroDivisionError
        return honest(knowledge, raw, explain)

    monkeypatch.setattr("tariff_service.rows.assess_row", fail)
    result = tariff("assess", "--jsonl", stdin=jsonl({"id": "a", **screws}, {"id": "b", **screws}, {"id": "c", **screws}))
    found = answers(result.out)
    assert result.code == 1
    assert [one["id"] for one in found] == ["a", "b", "c"]
    assert found[1]["problem"]["code"] == "internal_error"
    assert found[2]["duty"] == "9500.00"


def test_each_answer_is_written_before_the_next_row_is_read_and_an_interrupt_is_no_traceback(process: Start, screws: Facts) -> None:
    with process("assess", "--jsonl", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdin
        assert command.stdout
        assert command.stderr
        for name in ("a", "b"):
            command.stdin.write(jsonl({"id": name, **screws}))
            command.stdin.flush()
            assert json.loads(command.stdout.readline())["id"] == name
        command.send_signal(signal.SIGINT)
        assert command.wait(30) == 130
        assert command.stderr.read() == b"interrupted\n"


def test_a_reader_that_has_had_enough_is_no_error(process: Start, screws: Facts, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_bytes(jsonl({"id": "a", **screws}) * 200)
    for arguments in (["assess", "--jsonl", "--explain", "full", str(file)], ["rules", "list", "--no-json"]):
        with process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
            assert command.stdout
            assert command.stderr
            command.stdout.readline()
            command.stdout.close()
            assert command.stderr.read() == b""
            assert command.wait(30) == 0


def test_memory_does_not_grow_with_the_number_of_rows(screws: Facts) -> None:
    """The reader hands over one row at a time: it never holds the rows that it has passed on."""
    read: list[int] = []

    class Endless:
        def readline(self, limit: int) -> bytes:
            assert limit <= rows.MAX_ROW + 2
            read.append(limit)
            return jsonl(screws)

    stream = rows.json_rows(Endless())  # type: ignore[arg-type]
    for expected in range(1, 4):
        number, row = next(stream)
        assert (number, len(read)) == (expected, expected)
        assert row == jsonl(screws)
