"""The process is killed at random moments under load: whatever was acknowledged is there, and the chain is whole.

How long the next start takes is told, not judged: it depends on the machine.

TARIFF_CRASHES says how often; the checks that run before a release do it a hundred times.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import sys
import time
from pathlib import Path

import pytest
from tests.service.faults.load import Acknowledged, Load
from tests.service.server import hear, start

from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify

CRASHES = int(os.environ.get("TARIFF_CRASHES", "6"))


def lost(store: AuditStore, acknowledged: list[Acknowledged]) -> list[str]:
    """Return the acknowledged assessments that the store does not hold as they were answered."""
    found = []
    for one in acknowledged:
        record = store.get(one.record)
        if record is None or record.answer is None or hashlib.sha256(record.answer).hexdigest() != one.answer:
            found.append(one.record)
    return found


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(20251122)
    starts: list[float] = []
    total = 0
    for crash in range(CRASHES):
        began = time.monotonic()
        served = start(tmp_path, ["--workers", "1", "--log-level", "warning"])
        try:
            hear(served)
            served.wait_ready()
            starts.append(time.monotonic() - began)
            with Load(served.url, seed=crash) as load:
                load.wait(1)
                time.sleep(rng.uniform(0, 0.4))
                served.kill()
        finally:
            served.close()
        store = AuditStore.open(str(tmp_path / "audit.db"))
        assert lost(store, load.acknowledged) == []
        store.close()
        total += len(load.acknowledged)
        assert load.refused == []
    store = AuditStore.open(str(tmp_path / "audit.db"))
    report = verify(store)
    assert report.ok, report.findings
    kept = store.head().seq
    store.close()
    with capsys.disabled():
        sys.stdout.write(
            f" {CRASHES} kills, {total} acknowledged, {kept} kept; start {statistics.median(starts):.2f} s, at most {max(starts):.2f} s "
        )
    assert kept >= total > CRASHES  # what was kept without an acknowledgement could not be acknowledged any more


def test_a_request_without_an_answer_is_safely_sent_again(tmp_path: Path) -> None:
    """The answer got lost with the process; the same key gives it from the store, or does it now: there is one record either way."""
    served = start(tmp_path)
    try:
        hear(served)
        served.wait_ready()
        with Load(served.url, seed=1) as load:
            load.wait(5)
            served.kill()
    finally:
        served.close()
    store = AuditStore.open(str(tmp_path / "audit.db"))
    before = store.head().seq
    held = {key for key in load.unanswered if store.by_key("local", key) is not None}
    assert before == len(load.acknowledged) + len(held)
    store.close()
