"""Several processes on one store, and processes that are killed: no number twice, no gap, and nothing lost that was acknowledged."""

from __future__ import annotations

import random
import subprocess
import time

import pytest
from tests.store.conftest import Opener
from tests.store.drafts import child, ended

from tariff_service.store.log import LOCK_HEAD
from tariff_service.store.records import Filter
from tariff_service.store.verify import verify

_APPEND = """
import sys
from tests.store.drafts import draft, keep_small_book
from tariff_service.store.store import AuditStore
store = AuditStore.open(sys.argv[1])
keep_small_book(store)
for number in range(int(sys.argv[2])):
    for receipt in store.append([draft(number), draft(number, idempotency_key=f"shared-{number}")]):
        print(receipt.record_id, receipt.seq, receipt.replayed)
store.close()
"""
_GROUP = """
import asyncio, sys
from tests.store.drafts import draft, keep_small_book
from tariff_service.store.store import AuditStore
from tariff_service.store.writer import GroupCommit
store = AuditStore.open(sys.argv[1])
keep_small_book(store)
writer = GroupCommit(store)
async def one(number):
    for turn in range(10_000):
        receipt = await writer.put(draft(number))
        print(receipt.record_id, receipt.seq, flush=True)
async def main():
    await asyncio.gather(*[one(number) for number in range(20)])
asyncio.run(main())
"""


def test_processes_that_make_and_fill_a_store_at_once_do_not_collide(url: str, opener: Opener) -> None:
    processes = [child(_APPEND, url, "30") for _ in range(2)]
    lines = [line.split() for process in processes for line in ended(process).splitlines()]
    store = opener(url)
    fresh = [int(seq) for _, seq, replayed in lines if replayed == "False"]
    assert sorted(fresh) == list(range(1, 91))
    assert len({seq for _, seq, replayed in lines if replayed == "True"}) == 30
    assert store.head().seq == 90
    report = verify(store)
    assert report.ok, report.findings


@pytest.mark.parametrize("seed", range(4))
def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(url: str, opener: Opener, seed: int) -> None:
    process = child(_GROUP, url)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.3))
    process.kill()
    # On through the same stream: `communicate` reads the pipe itself, and so loses what `readline` has read ahead, in the middle of a line.
    rest = process.stdout.read()
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    acknowledged = [line.split() for line in [first, *rest.splitlines(keepends=True)] if line.endswith("\n")]
    assert acknowledged
    begin = time.monotonic()
    store = opener(url)
    report = verify(store)
    assert time.monotonic() - begin < 5
    assert report.ok, report.findings
    assert [report.notes, report.errors] == [0, 0]
    for record_id, seq in acknowledged:
        found = store.get(record_id)
        assert found is not None
        assert found.seq == int(seq)
    assert store.find(Filter(), limit=1)[0].seq == store.head().seq


def test_a_process_that_is_killed_while_it_makes_the_tables_leaves_nothing_half_made(url: str, opener: Opener) -> None:
    code = "import sys\nfrom tariff_service.store.store import AuditStore\nprint('begin', flush=True)\nAuditStore.open(sys.argv[1]).close()"
    for wait in (0.01, 0.03, 0.06):
        process = child(code, url)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait)
        process.kill()
        process.communicate(timeout=60)
    assert opener(url).head().seq == 0


def test_readers_do_not_wait_for_the_writer(url: str, opener: Opener) -> None:
    store = opener(url)
    other = opener(url)
    with store.writing() as connection:
        connection.execute(LOCK_HEAD)
        begin = time.monotonic()
        assert other.head().seq == 0
        assert other.find(Filter()) == []
        assert time.monotonic() - begin < 2


def test_a_killed_process_holds_no_lock(url: str, opener: Opener) -> None:
    store = opener(url)
    code = """
import sys
from tariff_service.store.store import AuditStore
store = AuditStore.open(sys.argv[1])
with store.log.transaction() as transaction:
    transaction.lock()
    print("locked", flush=True)
    sys.stdin.read()
"""
    process: subprocess.Popen[str] = child(code, url)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    process.kill()
    process.communicate(timeout=60)
    store.ping()
