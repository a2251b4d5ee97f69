"""Several servers with several processes each write one log in one PostgreSQL: one chain, one record a key, whoever of them is killed."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.service.faults.load import LINES, Load
from tests.service.faults.test_crashes import lost
from tests.service.server import Running, hear, start
from tests.store.postgres import Server

from tariff_service.store.records import Filter
from tariff_service.store.store import AuditStore
from tariff_service.store.verify import verify


def machine(folder: Path, url: str) -> Running:
    """Start a server with two processes, as another machine would: it shares nothing with others but the database."""
    return start(folder, ["--workers", "2", "--store", url, "--log-level", "warning"])


def test_two_machines_of_two_workers_write_one_chain_while_one_is_killed(tmp_path: Path, postgres_server: Server) -> None:
    with postgres_server.database() as url:
        first, second = machine(tmp_path / "first", url), machine(tmp_path / "second", url)
        try:
            for one in (first, second):
                hear(one)
                one.wait_ready()
            with Load(first.url, clients=4, seed=1) as dying, Load(second.url, clients=4, seed=2) as living:
                dying.wait(20)
                living.wait(20)
                kill_all(first)
                seen = len(living.acknowledged)
                living.wait(seen + 20)
            line = {**LINES[0], "value": 77}
            with ThreadPoolExecutor(16) as pool:
                asked = [pool.submit(second.post, "/v1/assessments", json=line, headers={"idempotency-key": "k"}) for _ in range(16)]
                answers = [one.result() for one in asked]
            assert len({answer.headers["location"] for answer in answers}) == 1
            assert len({answer.content for answer in answers}) == 1
            assert second.stop() == 0
        finally:
            first.close()
            second.close()
        store = AuditStore.open(url)
        report = verify(store)
        assert report.ok, report.findings
        assert lost(store, dying.acknowledged + living.acknowledged) == []
        assert dying.refused == living.refused == []
        keys = store.find(Filter(), limit=100_000)
        assert len({record.key_sha256 for record in keys}) == len(keys)
        store.close()


def kill_all(served: Running) -> None:
    """Kill a server and its workers, as a power cut would."""
    children = [int(text) for text in Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()]
    for process in (served.pid, *children):
        os.kill(process, 9)
    served.process.wait(10)


def test_a_server_outlives_its_database_and_says_so_meanwhile(tmp_path: Path, postgres_server: Server) -> None:
    with postgres_server.database() as url:
        served = start(tmp_path, ["--store", url, "--log-level", "error"])
        try:
            hear(served)
            served.wait_ready()
            line = {**LINES[0], "value": 1}
            kept = [served.post("/v1/assessments", json=line).headers["location"]]
            postgres_server.stop("immediate")
            try:
                refused = served.post("/v1/assessments", json=line)
                assert (refused.status_code, refused.json()["code"]) == (503, "store_unreachable")
                time.sleep(1.1)  # what the store said is taken for granted for a second
                assert served.get("/readyz").status_code == 503
                assert served.post("/v1/assessments?store=false", json=line).status_code == 200
            finally:
                postgres_server.start()
            end = time.monotonic() + 60
            while (answer := served.post("/v1/assessments", json=line)).status_code != 201:
                assert time.monotonic() < end, answer.text
                time.sleep(0.1)
            kept.append(answer.headers["location"])
            assert [served.get(place).status_code for place in kept] == [200, 200]
        finally:
            served.close()
        store = AuditStore.open(url)
        assert verify(store).ok
        store.close()
