"""The threat model of docs/security.md and the tests belong together."""

from __future__ import annotations

import re

from tests.service.security.raw import ROOT

HERE = "tests/service/security"


def _rows() -> list[list[str]]:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines() if re.match(r"\| \d+ \|", row)]


def test_every_threat_names_a_test_that_exists() -> None:
    rows = _rows()
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    for row in rows:
        proofs = re.findall(r"`([\w/]+\.py)::(\w+)`", row[3])
        assert proofs, row[1]
        for file, name in proofs:
            path = ROOT / (file if "/" in file else f"{HERE}/{file}")
            assert re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE), f"{file}::{name}"


def test_every_file_of_tests_here_proves_something_against_a_threat() -> None:
    named = {file for row in _rows() for file, _ in re.findall(r"`([\w/]+\.py)::(\w+)`", row[3])}
    held = {path.name for path in (ROOT / HERE).glob("test_*.py")} - {"test_threat_model.py"}
    assert held <= named
