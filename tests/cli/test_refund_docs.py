"""The example of docs/refunds.md is run, and what it prints is what stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "refunds.md"


def test_the_example_prints_what_the_page_shows(tariff: Callable[..., Any], tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (lines,) = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    shown = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    (arguments,) = re.findall(r"^    tariff refund entries\.csv (--on .*)$", text, re.MULTILINE)
    file = tmp_path / "entries.csv"
    file.write_text(lines, encoding="utf-8")
    result = tariff("refund", str(file), *arguments.split())
    assert result.code == 0
    printed = "\n".join(line.rstrip() for line in result.out.splitlines()) + "\n"
    assert len(shown) == 2
    for block in shown:
        assert block in printed, printed
