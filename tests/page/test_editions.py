"""What changed from one law book to another is told by name, and nothing else is."""

from __future__ import annotations

import shutil
from pathlib import Path

from starlette.testclient import TestClient
from tests.page.reading import read

from tariff_rules import ROOT
from tariff_service.store.rulebooks import archive
from tariff_service.store.store import AuditStore


def test_a_changed_sentence_another_rate_and_a_shorter_list_are_what_is_told(client: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(Path(str(ROOT)), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (program,) = folder.glob("programs/**/copper.yaml")
    program.write_text(
        program.read_text(encoding="utf-8").replace("Semi-finished copper", "Half-finished copper").replace("add: 50%", "add: 40%"),
        encoding="utf-8",
    )
    rows = folder / "lists" / "s232_copper_2025.csv"
    rows.write_text("".join(rows.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    store: AuditStore = client.app.state.service.store  # type: ignore[attr-defined]
    current = client.app.state.service.rulebooks.current.id  # type: ignore[attr-defined]
    store.keep_rulebook("sha256:candidate", "2026.12", "2026-12-31", archive(folder))
    page = read(client.get("/browse/rulebooks", params={"from": current, "to": "sha256:candidate"}).text)
    told = [[cell.text for cell in row.inside if not isinstance(cell, str)] for row in page.all("tbody")[0].all("tr")]
    assert [row[:3] for row in told] == [["changed", "provision", "9903.78.01"], ["changed", "list", "s232_copper_2025"]]
    assert told[0][3].startswith("Half-finished copper")
    assert "sentence: was “Semi-finished copper" in told[0][3]
    assert "was “from 2025-08-01: adds 50%" in told[0][3]
    assert "is “from 2025-08-01: adds 40%" in told[0][3]
    assert "85444910" in told[1][3]
    same = read(client.get("/browse/rulebooks", params={"from": current, "to": current}).text)
    assert "the same in law" in same.text
    assert client.get("/browse/rulebooks", params={"from": current, "to": "sha256:none"}).status_code == 404
