"""The commands `tariff audit ...`, as a compliance officer uses them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.store.drafts import draft
from tests.store.test_replay import assessed, keep_the_book
from typer.testing import CliRunner

from tariff_service.audit_cli import audit_app
from tariff_service.store.records import Filter
from tariff_service.store.store import AuditStore

Audit = Callable[..., tuple[int, str]]


@pytest.fixture
def audit(lite: AuditStore, monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Return the command on a store of three assessments, two of them real ones."""
    keep_the_book(lite)
    lite.append([assessed(None, "none", "Jane"), replace(assessed(None, "full", "Joe"), entry_id="entry-2"), draft(3, caller="other")])
    monkeypatch.setenv("TARIFF_STORE", lite.name)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(audit_app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout

    return run


def as_json(answer: tuple[int, str]) -> dict[str, Any]:
    """Return what a command wrote."""
    found: dict[str, Any] = json.loads(answer[1])
    return found


def test_the_head_that_was_noted_is_proven_later(audit: Audit, lite: AuditStore) -> None:
    code, noted = audit("head", "--no-json")
    assert (code, noted.startswith("3:")) == (0, True)
    lite.append([draft(4)])
    code, out = audit("verify", "--head", noted.strip(), "--no-json")
    assert code == 0
    assert "4 records, 0 errors, 0 notes." in out
    assert "The head that was noted is in the chain." in out
    code, out = audit("verify", "--head", "0" * 64)
    assert (code, json.loads(out)["noted_head"]) == (1, False)
    assert audit("verify", "--head", "nonsense")[0] == 2


def test_a_changed_store_fails_the_command(audit: Audit, lite: AuditStore) -> None:
    with lite.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER records_no_update")
        connection.exec_driver_sql("UPDATE records SET caller = 'x' WHERE seq = 2")
    code, out = audit("verify", "--no-json")
    assert code == 1
    assert "error: record 2: the record does not have the hash that it was given (header_changed)" in out


def test_replay_tells_what_is_equal_and_what_is_not(audit: Audit, lite: AuditStore) -> None:
    ids = [record.id for record in reversed(lite.find(Filter()))]
    answer = audit("replay", *ids[:2])
    assert (answer[0], as_json(answer)["equal"]) == (0, 2)
    code, out = audit("replay", "--all", "--no-json")
    assert code == 1
    assert f"{ids[2]} differs" in out
    assert "3 replayed, 2 equal byte for byte." in out
    assert as_json(audit("replay", "--all", "--sample", "1"))["replayed"] == 1
    assert audit("replay")[0] == 2
    assert audit("replay", "asm_none")[0] == 2
    assert audit("replay", "--all", ids[0])[0] == 2


def test_an_export_is_written_once_and_verified_without_the_store(audit: Audit, tmp_path: Path) -> None:
    out = tmp_path / "audit.ndjson"
    assert audit("export", str(out))[0] == 0
    assert out.stat().st_mode & 0o077 == 0
    assert audit("export", str(out))[0] == 2
    assert as_json(audit("verify", str(out)))["records"] == 3
    code, text = audit("export", "-", "--from", "2000-01-01", "--until", "2000-01-02T00:00:00Z")
    assert (code, len(text.splitlines())) == (0, 3)
    out.write_bytes(out.read_bytes().replace(b"Jane", b"Jill"))
    assert audit("verify", str(out))[0] == 1
    assert audit("verify", str(out), "--from", "2")[0] == 2
    assert audit("verify", str(tmp_path / "none"))[0] == 2
    out.write_text("no export", encoding="utf-8")
    assert audit("verify", str(out))[0] == 2
    assert audit("export", "-", "--from", "yesterday")[0] == 2


def test_redaction_and_retention_are_recorded_and_a_redacted_request_is_still_replayed(audit: Audit, lite: AuditStore) -> None:
    ids = [record.id for record in reversed(lite.find(Filter()))]
    assert audit("redact", "--reason", "x")[0] == 2
    assert audit("redact", "asm_none", "--reason", "x")[0] == 2
    assert as_json(audit("redact", ids[0], "--reason", "asked", "--actor", "dpo"))["redacted"] == 1
    assert as_json(audit("redact", "--entry", "entry-2", "--reason", "asked"))["redacted"] == 1
    assert lite.find(Filter(kind="redaction"))[-1].caller == "dpo"
    record = lite.get(ids[0])
    assert record is not None
    assert b"Jane" not in (record.request or b"")
    assert as_json(audit("prune", "--before", "2999-01-01", "--caller", "other", "--reason", "old"))["pruned"] == 1
    assert as_json(audit("verify"))["ok"]
    found = as_json(audit("replay", "--all"))
    assert (found["replayed"], found["removed"]) == (2, 1)


def test_a_store_that_is_not_there_is_a_problem_and_no_traceback(audit: Audit, tmp_path: Path) -> None:
    code, out = audit("verify", "--store", str(tmp_path / "none.db"))
    assert (code, json.loads(out)["problem"]["code"]) == (2, "store_unreachable")
    assert not (tmp_path / "none.db").exists()


def test_help_needs_no_database() -> None:
    """The start of the command must stay fast."""
    code = "import sys, tariff_service.audit_cli; print([name for name in ('sqlalchemy', 'alembic', 'psycopg') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
