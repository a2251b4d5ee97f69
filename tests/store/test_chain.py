"""The chain: whatever is changed in it is found, and what is removed on the record leaves it whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.store.drafts import draft, keep_small_book

from tariff_service.store.records import HEADER, TAG, header_hash
from tariff_service.store.store import AuditStore
from tariff_service.store.tables import records
from tariff_service.store.verify import Report, verify

COLUMNS = [column.name for column in records.columns]
LAST = 8


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of six assessments, one redacted and one pruned, with no triggers in the way of a forger."""
    path = tmp_path_factory.mktemp("template") / "audit.db"
    store = AuditStore.open(str(path))
    keep_small_book(store)
    large = b'{"consignee": "Jane", "text": "' + b"x" * 3000 + b'"}'
    store.append([draft(1), draft(2, request=large, answer=large), draft(3, idempotency_key="k", known_on="2025-01-01")])
    store.redact("me", "asked", entry_id="entry-1")
    store.append([draft(4), draft(5, entry_date=None, request=b"{}", caller="other")])
    store.prune(datetime.now(UTC) + timedelta(days=1), "me", "old", caller="other")
    store.append([draft(6)])
    with store.writing() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))
    assert verify(store).ok
    store.close()
    return path


def forged(template: Path, forge: Callable[[sqlite3.Connection], object]) -> Report:
    """Verify a copy of the store that somebody forged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.db"
        shutil.copy(template, path)
        with closing(sqlite3.connect(path)) as connection:
            forge(connection)
            connection.commit()
        store = AuditStore.open(str(path))
        try:
            return verify(store)
        finally:
            store.close()


def value_of(connection: sqlite3.Connection, seq: int, column: str) -> Any:
    """Return a value as it stands."""
    return connection.execute(f"SELECT {column} FROM records WHERE seq = ?", (seq,)).fetchone()[0]  # noqa: S608


changes = st.one_of(st.none(), st.integers(-5, 20), st.text("ab1,[]-", max_size=6), st.binary(max_size=6), st.just("flip"))


@given(seq=st.integers(1, LAST), column=st.sampled_from(COLUMNS), change=changes, place=st.integers(0, 10_000))
def test_any_change_of_any_column_of_any_record_is_found(template: Path, seq: int, column: str, change: Any, place: int) -> None:
    same = False

    def forge(connection: sqlite3.Connection) -> None:
        nonlocal same
        before, after = value_of(connection, seq, column), change
        if change == "flip" and isinstance(before, bytes | str) and before:
            raw = bytearray(before if isinstance(before, bytes) else before.encode())
            raw[place % len(raw)] ^= 1 + place % 2
            after = bytes(raw) if isinstance(before, bytes) else raw.decode("latin-1")
        try:
            connection.execute(f"UPDATE records SET {column} = ? WHERE seq = ?", (after, seq))  # noqa: S608
        except sqlite3.IntegrityError:  # the tables refuse it: null, or a number twice
            same = True
            return
        found = value_of(connection, seq, column) if column != "seq" else after
        same = found == before or (column == "seq" and after == seq)

    report = forged(template, forge)
    assert report.ok == same, report.findings


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM records WHERE seq = 3", "gap"),
        ("DELETE FROM records WHERE seq = 8", "head_wrong"),
        ("DELETE FROM records", "head_wrong"),
        ("DELETE FROM records WHERE seq = 1", "gap"),
        ("UPDATE head SET seq = 7", "head_wrong"),
        ("UPDATE head SET hash = 'x'", "head_wrong"),
        ("UPDATE records SET seq = 99 WHERE seq = 8", "outside_chain"),
        ("UPDATE records SET seq = 0 WHERE seq = 8", "outside_chain"),
        ("UPDATE records SET request = NULL WHERE seq = 2", "body_missing"),
        ("UPDATE records SET parts = NULL, salt = NULL WHERE seq = 2", "body_missing"),
        ("UPDATE records SET parts = x'00', salt = x'00' WHERE seq = 1", "body_unexpected"),
        ("UPDATE rulebooks SET content = x'00'", "rulebook_changed"),
        ("UPDATE rulebooks SET edition = 'x'", "rulebook_changed"),
        ("UPDATE rulebooks SET id = 'x'", "rulebook_missing"),
        ("DELETE FROM rulebooks", "rulebook_missing"),
        ("UPDATE records SET answer = (SELECT answer FROM records WHERE seq = 2) WHERE seq = 1", "answer_changed"),
    ],
)
def test_a_forgery_is_named(template: Path, statement: str, code: str) -> None:
    report = forged(template, lambda connection: connection.execute(statement))
    assert code in {finding.code for finding in report.findings if finding.error}


def test_a_chain_made_anew_from_its_middle_is_found_by_a_head_that_was_noted(template: Path, tmp_path: Path) -> None:
    """Whoever can write everything can hash everything again; only what is noted elsewhere shows that."""
    store = AuditStore.open(str(shutil.copy(template, tmp_path / "a.db")))
    noted = store.head().hash
    assert verify(store, noted=noted).noted is True
    store.append([draft(7)])
    assert verify(store, noted=noted).noted is True
    assert verify(store, first=5, noted=noted).ok
    store.close()
    other = AuditStore.open(str(tmp_path / "b.db"))
    keep_small_book(other)
    other.append([draft(number) for number in range(9)])
    report = verify(other, noted=noted)
    assert (report.noted, report.ok) == (False, False)
    assert verify(other).ok
    other.close()


def test_verification_may_begin_anywhere(template: Path, tmp_path: Path) -> None:
    store = AuditStore.open(str(shutil.copy(template, tmp_path / "a.db")))
    for first in range(1, LAST + 2):
        report = verify(store, first=first)
        assert (report.ok, report.records) == (True, LAST + 1 - first)
    assert not verify(store, first=LAST + 3).ok
    store.close()


@settings(max_examples=max(10, settings().max_examples // 4))
@given(st.lists(st.tuples(st.sampled_from(["append", "redact", "prune", "redact_ids"]), st.integers(0, 5)), max_size=8))
def test_no_order_of_appending_redacting_and_pruning_breaks_the_chain(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = AuditStore.open(str(Path(folder) / "audit.db"))
        keep_small_book(store)
        stored: list[str] = []
        for step, number in steps:
            if step == "append":
                drafts = [draft(number, caller=f"caller-{place % 2}") for place in range(number + 1)]
                store.append(drafts)
                stored += [one.id for one in drafts]
            elif step == "redact":
                store.redact("me", "asked", entry_id=f"entry-{number}")
            elif step == "redact_ids":
                store.redact("me", "asked", ids=stored[number:] or ["asm_none"])
            else:
                store.prune(datetime.now(UTC) + timedelta(days=1), "me", "old", caller=f"caller-{number % 2}")
        report = verify(store)
        store.close()
        assert report.ok, report.findings


def test_a_clock_that_went_back_is_a_note_and_no_error(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    store = AuditStore.open(str(tmp_path / "audit.db"), clock=lambda: moment)
    keep_small_book(store)
    store.append([draft(1)])
    moment -= timedelta(hours=1)
    store.append([draft(2)])
    moment += timedelta(days=900)
    store.append([draft(3)])
    report = verify(store)
    store.close()
    assert (report.ok, report.notes, [(one.seq, one.code) for one in report.findings]) == (True, 1, [(2, "clock_back")])


_ODD = st.sampled_from(["\x7f", "\x00", "\x1f", "\b\f\n\r\t", '"\\/', "\u2028", "\ud800", "\U0001f600", "é", "<&>"])
_CELLS = st.one_of(
    st.none(), st.integers(-(2**70), 2**70), st.text(), st.lists(st.one_of(_ODD, st.text(max_size=3)), max_size=4).map("".join)
)


@given(st.lists(_CELLS, min_size=len(HEADER), max_size=len(HEADER)))
def test_the_header_that_is_hashed_is_the_compact_ascii_list_of_the_documentation(cells: list[Any]) -> None:
    written = json.dumps([TAG, *cells], ensure_ascii=True, separators=(",", ":")).encode()
    assert header_hash(dict(zip(HEADER, cells, strict=True))) == hashlib.sha256(written).hexdigest()
