"""`tariff assess` on one entry: what it answers, in which form, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tariff_service.cli
from tariff_engine import __version__

Tariff = Callable[..., Any]
Facts = dict[str, Any]


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_pipe_gets_json_in_the_shape_of_the_answer(tariff: Tariff, screws: Facts) -> None:
    result = tariff("assess", "-", stdin=as_bytes(screws))
    answer = json.loads(result.out)
    assert result.code == 0
    assert result.err == ""
    assert set(answer) >= {"id", "rulebook", "engine", "known_on", "entry", "lines", "fees", "de_minimis", "totals", "problems"}
    (line,) = answer["lines"]
    assert [row["heading"] for row in line["headings"]] == ["9903.88.03", "9903.01.24", "9903.01.33", "9903.81.90", "7318.15.20.61"]
    assert line["duty"] == "9500.00"


def test_the_same_input_gives_the_same_bytes(tariff: Tariff, screws: Facts) -> None:
    assert tariff("assess", stdin=as_bytes(screws)).out == tariff("assess", stdin=as_bytes(screws)).out


def test_knowledge_time_changes_the_answer_of_the_canadian_entry_of_february_2025(tariff: Tariff, canadian: Facts) -> None:
    def headings(known_on: str) -> list[str]:
        answer = json.loads(tariff("assess", "--known-on", known_on, stdin=as_bytes(canadian)).out)
        assert answer["known_on"] == known_on
        return [row["heading"] for row in answer["lines"][0]["headings"] if row["kind"] == "additional"]

    assert headings("2025-02-02") == ["9903.01.10"]
    assert headings("2025-02-04") == []


def test_a_value_is_read_exactly_as_it_is_written(tariff: Tariff, screws: Facts) -> None:
    """A value of less than half a dollar above the whole dollar is rounded down, however near it comes."""
    text = as_bytes(screws).replace(b"10000", b"2000.499999999999")
    assert json.loads(tariff("assess", stdin=text).out)["lines"][0]["value"] == "2000"


def test_yaml_is_read_from_a_file_with_a_byte_order_mark(tariff: Tariff, tmp_path: Path) -> None:
    file = tmp_path / "entry.yaml"
    file.write_text("entry_date: 2025-09-10\nlines:\n- {hts: '7318.15.20.61', origin: CN, value: 10000}\n", encoding="utf-8-sig")
    answer = json.loads(tariff("assess", str(file)).out)
    assert answer["lines"][0]["origin"] == "CN"


def test_flow_yaml_that_begins_like_json_is_read_as_yaml(tariff: Tariff) -> None:
    result = tariff("assess", stdin=b"{hts: '7318.15.20.61', origin: CN, value: 10000, entry_date: 2025-09-10}")
    assert json.loads(result.out)["lines"][0]["duty"] == "9500.00"


def test_explain_none_leaves_the_verdicts_out(tariff: Tariff, screws: Facts) -> None:
    assert "programs" not in json.loads(tariff("assess", "--explain", "none", stdin=as_bytes(screws)).out)["lines"][0]


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_table_reads_well_at_both_widths_and_has_no_colour_in_a_pipe(
    tariff: Tariff, screws: Facts, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    result = tariff("assess", "--no-json", stdin=as_bytes(screws))
    assert result.code == 0
    assert max(len(line) for line in result.out.splitlines()) <= int(width)
    assert "\x1b" not in result.out
    rows = [line for line in result.out.splitlines() if line.startswith((" 9903", " 7318"))]
    assert [line.split()[0] for line in rows] == ["9903.88.03", "9903.01.24", "9903.01.33", "9903.81.90", "7318.15.20.61"]
    for words in (
        "25%",
        "$2,500.00",
        "$9,500.00",
        "melt_pour_country",
        "It would cost less, if true",
        "tariff explain -",
        "Processing fee $34.64",
    ):
        assert words in result.out
    assert "Duty $9,500.00 + fees $47.14 = $9,547.14" in result.out


def test_a_line_with_a_problem_stands_in_its_place_and_the_exit_code_says_so(tariff: Tariff, screws: Facts) -> None:
    entry_date = screws.pop("entry_date")
    screws.pop("mode")
    entry = {"entry_date": entry_date, "lines": [{"id": "good", **screws}, {"id": "bad", **screws, "origin": "XX"}]}
    result = tariff("assess", stdin=as_bytes(entry))
    answer = json.loads(result.out)
    assert result.code == 2
    assert answer["lines"][0]["duty"] == "9500.00"
    assert answer["lines"][1]["problem"]["field"] == "origin"
    table = tariff("assess", "--no-json", stdin=as_bytes(entry))
    assert table.code == 2
    assert "Line bad cannot be assessed" in table.out


def test_text_of_strangers_never_drives_the_terminal(tariff: Tariff, screws: Facts) -> None:
    shown = tariff("assess", "--no-json", stdin=as_bytes({"id": "a\x1b[2Jb\r", **screws}))
    assert "\x1b" not in shown.out
    assert "a\N{REPLACEMENT CHARACTER}[2Jb" in shown.out
    refused = tariff("assess", "--no-json", stdin=as_bytes({**screws, "\x1b]0;owned\x07": 1}))
    assert refused.code == 2
    assert "\x1b" not in refused.err


def test_markup_in_an_id_is_shown_as_it_is(tariff: Tariff, screws: Facts) -> None:
    assert "[bold]x[/bold]" in tariff("assess", "--no-json", stdin=as_bytes({"id": "[bold]x[/bold]", **screws})).out


def test_the_version_and_the_help_with_examples_and_exit_codes(tariff: Tariff) -> None:
    assert tariff("--version").out == f"tariff {__version__}\n"
    for command in ([], ["assess"], ["explain"], ["rules"], ["rules", "list"], ["rules", "show"], ["rules", "facts"], ["rules", "check"]):
        result = tariff(*command, "--help")
        assert result.code == 0
        assert "Examples:" in result.out
        assert "Exit codes" in result.out
    nothing = tariff()
    assert nothing.code == 2
    assert "assess" in nothing.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["asses"], "assess"),
        (["assess", "--known-on", "2025-02-30"], "YYYY-MM-DD"),
        (["assess", "--known-on", "2025-W06-1"], "YYYY-MM-DD"),
        (["assess", "--explain", "all"], "summary"),
        (["assess", "--nonsense"], "--nonsense"),
        (["rules", "show"], "HEADING"),
    ],
)
def test_a_wrong_command_line_is_bad_input_and_says_what_is_right(tariff: Tariff, arguments: list[str], said: str) -> None:
    result = tariff(*arguments)
    assert result.code == 2
    assert said in result.err


def test_a_failure_of_the_program_is_one_line_and_exit_code_one(tariff: Tariff, screws: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        message = "the abacus\nbroke"
        raise RuntimeError(message)

    monkeypatch.setattr("tariff_engine.entry.assess_entry", fail)
    result = tariff("assess", stdin=as_bytes(screws))
    assert result.code == 1
    assert result.out == ""
    assert "RuntimeError: the abacus broke" in result.err
    assert "report" in result.err
    monkeypatch.setenv("TARIFF_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        tariff("assess", stdin=as_bytes(screws))


def test_a_full_disk_is_a_failure_not_a_success(screws: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        encoding = "utf-8"

        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            pass

        def isatty(self) -> bool:
            return False

        def fileno(self) -> int:
            raise OSError

        @property
        def buffer(self) -> Full:
            return self

    file = tmp_path / "entry.json"
    file.write_bytes(as_bytes(screws))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Full())
        assert tariff_service.cli.main(["assess", str(file)]) == 1


def test_a_terminal_gets_a_table_and_a_pipe_gets_json(
    process: Callable[..., subprocess.Popen[bytes]], screws: Facts, tmp_path: Path
) -> None:
    file = tmp_path / "entry.json"
    file.write_bytes(as_bytes(screws))
    master, slave = os.openpty()
    with process("assess", str(file), stdin=slave, stdout=slave, stderr=slave) as command:
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(master)
    assert command.returncode == 0
    assert b"What it says" in shown
    assert "\N{BOX DRAWINGS LIGHT HORIZONTAL}".encode() in shown
    piped = process("assess", str(file), stdout=subprocess.PIPE).communicate(timeout=120)[0]
    assert json.loads(piped)["lines"][0]["duty"] == "9500.00"


def test_an_old_terminal_without_unicode_still_shows_the_answer(
    process: Callable[..., subprocess.Popen[bytes]], screws: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    command = process("assess", "--no-json", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = command.communicate(as_bytes({"id": "caf\u00e9", **screws}), timeout=120)
    assert command.returncode == 0, err
    assert b"Line caf\\xe9" in out


def test_programs_that_ask_for_json_do_not_wait_for_rich(screws: Facts) -> None:
    code = "import sys; from tariff_service.cli import main; code = main(sys.argv[1:]); sys.exit(9 if 'rich' in sys.modules else code)"
    for arguments in (["assess", "-"], ["assess", "--jsonl"]):
        command = subprocess.run(
            [sys.executable, "-c", code, *arguments], input=as_bytes(screws), stdout=subprocess.PIPE, timeout=120, check=False
        )
        assert command.returncode == 0
