"""The example of docs/audit-filed.md is run, and what it prints is what stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tariff_service.filed_report import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit-filed.md"


def test_the_example_prints_what_the_page_shows(tariff: Callable[..., Any], tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (lines,) = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    shown = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    (arguments,) = re.findall(r"^    tariff audit-filed es003\.csv (--on .*)$", text, re.MULTILINE)
    file = tmp_path / "es003.csv"
    file.write_text(lines, encoding="utf-8")
    result = tariff("audit-filed", str(file), *arguments.split())
    assert result.code == 0
    printed = "\n".join(line.rstrip() for line in result.out.splitlines()) + "\n"
    assert len(shown) == 2
    for block in shown:
        assert block in printed, printed


def test_the_page_names_every_kind_of_finding() -> None:
    named = re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == list(KINDS)
