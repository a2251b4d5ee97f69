"""Append, look up, list: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from tests.store.conftest import Opener
from tests.store.drafts import draft, keep_small_book, small_book

from tariff_service.store.ids import new_id
from tariff_service.store.records import DraftError, Filter, IdempotencyConflict, Receipt
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify


def receipts(outcomes: list[Any]) -> list[Receipt]:
    """Return outcomes that are all receipts."""
    assert all(isinstance(outcome, Receipt) for outcome in outcomes), outcomes
    return outcomes


def test_a_record_comes_back_byte_for_byte(store: AuditStore) -> None:
    large = b'{"text": "' + "é\\u00e9".encode() * 3000 + b'", "consignee" : {"name": "Jane"} , "lines":[{"consignee":"J"}]}'
    sent = [draft(1), draft(2, request=large, answer=large), draft(3, request=b"", answer=b"\x00x"), draft(4, known_on="2025-06-01")]
    for one, receipt in zip(sent, receipts(store.append(sent)), strict=True):
        found = store.get(one.id)
        assert found is not None
        assert (found.request, found.answer, found.known_on, found.hash) == (one.request, one.answer, one.known_on, receipt.hash)
        assert (found.seq, found.at, found.redacted, found.removed) == (receipt.seq, receipt.at, False, False)
    assert [receipt.seq for receipt in receipts(store.append([draft(5)]))] == [5]
    assert store.head().seq == 5
    assert verify(store).ok


def test_a_record_of_another_caller_is_as_none(store: AuditStore) -> None:
    receipt = receipts(store.append([draft(1, caller="one")]))[0]
    assert store.get(receipt.record_id, "one") is not None
    assert store.get(receipt.record_id, "two") is None
    assert store.get("asm_none") is None


def test_the_same_key_returns_the_earlier_record_also_in_one_batch_and_after_a_restart(url: str, opener: Opener) -> None:
    store = opener(url)
    first, again, other = receipts(
        store.append([draft(1, idempotency_key="k"), draft(1, idempotency_key="k"), draft(1, caller="other", idempotency_key="k")])
    )
    assert (first.replayed, again.replayed, other.replayed) == (False, True, False)
    assert (again.record_id, again.seq, again.answer) == (first.record_id, first.seq, draft(1).answer)
    store.close()
    reopened = opener(url)
    late = receipts(reopened.append([draft(1, idempotency_key="k")]))[0]
    assert (late.replayed, late.record_id) == (True, first.record_id)
    assert reopened.head().seq == 2
    assert isinstance(reopened.append([draft(2, idempotency_key="k")])[0], IdempotencyConflict)
    assert isinstance(reopened.append([draft(1, explain="none", idempotency_key="k")])[0], IdempotencyConflict)


def test_a_key_is_recalled_before_the_answer_is_made(store: AuditStore) -> None:
    assert store.recall(draft(1)) is None
    assert store.recall(draft(1, idempotency_key="k")) is None
    store.append([draft(1, idempotency_key="k")])
    found = store.recall(draft(1, idempotency_key="k", answer=b""))
    assert isinstance(found, Receipt)
    assert found.answer == draft(1).answer
    assert isinstance(store.recall(draft(2, idempotency_key="k")), IdempotencyConflict)
    by_key = store.by_key("broker", "k")
    assert by_key is not None
    assert by_key[0] == hashlib.sha256(draft(1).request).hexdigest()
    assert store.by_key("broker", "other") is None


def test_a_key_still_knows_its_request_when_the_consignee_was_redacted_and_its_answer_was_pruned(store: AuditStore) -> None:
    store.append([draft(1, idempotency_key="k")])
    store.redact("me", "asked", entry_id="entry-1")
    assert isinstance(store.recall(draft(1, idempotency_key="k")), Receipt)
    assert isinstance(store.recall(draft(1, request=b'{"consignee": "J", "hts": 2}', idempotency_key="k")), IdempotencyConflict)
    store.prune(datetime.now(UTC) + timedelta(days=1), "me", "old")
    found = store.recall(draft(1, idempotency_key="k"))
    assert isinstance(found, Receipt)
    assert found.answer is None


def test_a_draft_that_cannot_be_stored_leaves_the_others_alone(store: AuditStore) -> None:
    outcomes = store.append(
        [draft(1), draft(2, request=b'{"consignee": '), draft(3, entry_id="\ud800", idempotency_key="\ud800"), draft(4)]
    )
    assert [type(outcome) for outcome in outcomes] == [Receipt, DraftError, DraftError, Receipt]
    assert store.head().seq == 2


def test_records_are_listed_newest_first_by_every_filter(store: AuditStore) -> None:
    store.append(
        [
            draft(1, caller="one", entry_date="2025-01-01", problems=2),
            draft(2, caller="two", entry_date="2025-02-01", rulebook="other"),
            draft(3, caller="one", entry_date=None),
        ]
    )

    def seqs(before: int | None = None, limit: int = 50, **wanted: Any) -> list[int]:
        return [record.seq for record in store.find(Filter(**wanted), before, limit)]

    assert seqs() == [3, 2, 1]
    assert seqs(limit=2) == [3, 2]
    assert seqs(before=3, limit=1) == [2]
    assert seqs(caller="one") == [3, 1]
    assert seqs(rulebook="other") == [2]
    assert seqs(entry_id="entry-3") == [3]
    assert seqs(entry_from="2025-01-02") == [2]
    assert seqs(entry_until="2025-01-01") == [1]
    assert seqs(problems=True) == [1]
    assert seqs(problems=False) == [3, 2]
    at = store.find(Filter())[0].at
    assert seqs(stored_from=at) == [3, 2, 1]
    assert seqs(stored_until=at) == []
    listed = store.find(Filter(), limit=1)[0]
    assert (listed.request, listed.answer, listed.redacted, listed.removed) == (None, None, False, False)
    store.redact("me", "asked", entry_id="entry-3")
    assert store.find(Filter(entry_id="entry-3"))[0].redacted
    assert [record.kind for record in store.find(Filter(kind=None), limit=2)] == ["redaction", "assessment"]


def test_redaction_empties_the_consignee_for_good_and_the_chain_says_so(store: AuditStore) -> None:
    store.append([draft(number, caller=f"caller-{number % 2}") for number in range(6)])
    ids = [record.id for record in store.find(Filter())]
    assert store.redact("me", "asked", ids=ids, caller="caller-1").records == 3
    assert store.redact("me", "asked", ids=ids, caller="caller-1").records == 0
    found = store.get(ids[0])
    assert found is not None
    assert found.request == b'{"consignee": "[redacted]", "lines": [{"hts": "1"}]}'
    assert (found.redacted, found.removed, found.answer) == (True, False, draft(5).answer)
    notice = store.find(Filter(kind="redaction"))[0]
    assert notice.detail == '{"reason":"asked","removed":["parts","salt"],"records":[[2,2],[4,4],[6,6]]}'
    assert (notice.caller, notice.seq) == ("me", 7)
    assert store.redact("me", "old", before=datetime.now(UTC) + timedelta(days=1)).records == 3
    assert verify(store).ok
    with pytest.raises(ValueError, match="say which records"):
        store.redact("me", "everything")


def test_retention_empties_bodies_and_keeps_the_chain(store: AuditStore) -> None:
    store.append([draft(number) for number in range(3)])
    end = datetime.now(UTC) + timedelta(days=1)
    assert store.prune(datetime.now(UTC) - timedelta(days=1), "me", "old").records == 0
    assert store.prune(end, "me", "old").records == 3
    found = store.find(Filter(), limit=1)[0]
    whole = store.get(found.id)
    assert whole is not None
    assert (whole.request, whole.answer, whole.removed, found.removed) == (None, None, True, True)
    assert verify(store).ok


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM records WHERE seq = 1",
        "DELETE FROM records",
        "UPDATE records SET caller = 'x' WHERE seq = 1",
        "UPDATE records SET hash = 'x' WHERE seq = 1",
        "UPDATE records SET entry_date = NULL WHERE seq = 1",
        "UPDATE records SET seq = 9 WHERE seq = 1",
        "UPDATE records SET answer = request WHERE seq = 1",
        "UPDATE head SET seq = 0",
        "DELETE FROM head",
        "UPDATE rulebooks SET edition = 'x'",
        "DELETE FROM rulebooks",
    ],
)
def test_the_database_itself_refuses_to_change_the_log(store: AuditStore, statement: str) -> None:
    store.append([draft(1)])
    with pytest.raises(DatabaseError, match=r"append-only|head|rulebooks"), store.engine.begin() as connection:
        connection.execute(text(statement))
    assert verify(store).ok


@pytest.mark.parametrize("table", ["records", "head", "rulebooks"])
def test_neither_replacing_nor_truncating_gets_around_that(store: AuditStore, table: str) -> None:
    store.append([draft(1)])
    if store.engine.dialect.name == "postgresql":
        statement = f"TRUNCATE {table}"
    elif table == "head":
        statement = "REPLACE INTO head (one, seq, hash) VALUES (1, 0, 'x')"
    else:
        statement = f"REPLACE INTO {table} SELECT * FROM {table}"  # noqa: S608  the names above
    with pytest.raises(DatabaseError), store.engine.begin() as connection:
        connection.execute(text(statement))
    assert verify(store).ok


def test_what_can_be_emptied_can_be_emptied(store: AuditStore) -> None:
    store.append([draft(1)])
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE records SET request = NULL, answer = NULL, parts = NULL, salt = NULL WHERE seq = 1"))
    assert {finding.code for finding in verify(store).findings} == {"body_missing"}


def test_a_rulebook_is_kept_once_and_whole(store: AuditStore) -> None:
    rulebook, edition, horizon, content = small_book()
    keep_small_book(store)
    kept = store.rulebooks()
    assert [(one.id, one.edition, one.horizon) for one in kept] == [(rulebook, edition, horizon)]
    assert store.rulebook(rulebook) == content
    assert store.rulebook("other") is None
    store.append([draft(1, rulebook="other")])
    assert [finding.code for finding in verify(store).findings] == ["rulebook_missing"]


def test_ids_sort_by_time_and_are_never_the_same() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert [one[:14] for one in ids] == sorted(one[:14] for one in ids)
    assert all(re.fullmatch(r"asm_[0-9A-HJKMNP-TV-Z]{26}", one) for one in ids)


def test_processes_of_a_fork_never_give_the_same_ids() -> None:
    """Chance is drawn for many ids at once: what the parent has drawn, the child must not use too."""
    new_id()
    code = "import os; from tariff_service.store.ids import new_id; new_id(); os.fork(); os.write(1, f'{new_id()[14:]} '.encode())"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout.split()
    assert (len(found), len(set(found))) == (2, 2)


@pytest.mark.parametrize("later", [False, True], ids=["in use", "asked for later"])
def test_a_closed_store_leaves_no_connection_open(store: AuditStore, later: bool) -> None:
    if later:
        store.close()
    with store.reading() as connection:
        used: Any = connection.connection.driver_connection
        if not later:
            store.close()
        assert connection.execute(text("SELECT 1")).scalar_one() == 1, "whoever reads may finish"
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        used.execute("SELECT 1")
    assert store.head().seq == 0
