"""A server that is asked to stop finishes what it has begun, loses nothing that it acknowledged, and ends with exit code 0."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.service.operations.conftest import WIDGET
from tests.service.operations.load import under_load
from tests.service.server import Running, children, running, until

from tariff_service.store.store import AuditStore


def half_sent(served: Running, body: bytes) -> socket.socket:
    """Begin a request and send all but the last byte of its body."""
    where = urlsplit(served.url)
    sock = socket.create_connection((where.hostname or "", where.port or 0), timeout=20)
    head = f"POST /v1/assessments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sock.sendall(head.encode() + body[:-1])
    return sock


def heard(served: Running) -> None:
    """Give the server time for what was sent, also on a busy machine: until it answered another request, and a moment more."""
    assert served.get("/healthz").status_code == 200
    time.sleep(0.2)


def whole_answer(sock: socket.socket) -> tuple[int, bytes]:
    """Read until the server closes the connection."""
    found = b""
    while part := sock.recv(65536):
        found += part
    head, _, body = found.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    assert len(body) == length
    return int(head.split()[1]), body


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_under_load_cuts_no_answer_and_loses_nothing_that_was_acknowledged(tmp_path: Path, rules: Path, workers: int) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", str(workers)) as served, under_load(served.url, WIDGET) as load:
        until(lambda: len(load.records) > 50)
        assert served.stop() == 0
    assert not load.cut
    assert set(load.statuses) <= {201, 503}
    store = AuditStore.open(str(tmp_path / "audit.db"), create=False)
    try:
        assert load.records
        assert all(store.get(record) is not None for record in load.records)
    finally:
        store.close()


def test_request_that_has_begun_is_answered_and_stored_after_the_signal(tmp_path: Path, rules: Path) -> None:
    body = json.dumps(WIDGET).encode()
    with running(tmp_path, "--rules", str(rules)) as served:
        with half_sent(served, body) as sock:
            heard(served)
            served.signal(signal.SIGTERM)
            time.sleep(1.0)
            assert served.process.poll() is None
            sock.sendall(body[-1:])
            status, answer = whole_answer(sock)
        assert served.wait() == 0
        assert '"status":201' in served.log  # the last line of the log is not lost
    assert status == 201
    assert json.loads(answer)["lines"][0]["duty"]


def test_server_that_stops_says_so_to_new_requests_before_it_closes_the_door(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules)) as served:
        served.signal(signal.SIGTERM)
        ready = served.get("/readyz")
        refused = served.post("/v1/assessments", json=WIDGET)
        assert served.wait() == 0
    assert (ready.status_code, [one["code"] for one in ready.json()["reasons"]]) == (503, ["stopping"])
    assert (refused.status_code, refused.json()["code"]) == (503, "stopping")
    assert refused.headers["connection"] == "close"


def test_what_takes_longer_than_the_drain_is_given_up(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules), "--drain", "1") as served, half_sent(served, json.dumps(WIDGET).encode()):
        heard(served)
        began = time.monotonic()
        assert served.stop() == 0
        assert 0.9 < time.monotonic() - began < 15


def test_second_signal_ends_the_server_at_once(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules)) as served, half_sent(served, json.dumps(WIDGET).encode()):
        heard(served)
        served.signal(signal.SIGTERM)
        time.sleep(0.6)
        assert served.process.poll() is None
        began = time.monotonic()
        assert served.stop() == 128 + signal.SIGTERM
        assert time.monotonic() - began < 15


def test_second_signal_ends_the_workers_at_once(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", "2") as served, half_sent(served, json.dumps(WIDGET).encode()):
        workers = children(served.pid)
        heard(served)
        served.signal(signal.SIGINT)
        time.sleep(1.0)
        assert served.process.poll() is None
        served.signal(signal.SIGINT)
        assert served.wait(15) == 1
        assert len(workers) == 2
        until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 15)


def test_interrupt_from_the_terminal_reaches_all_and_is_one_request_to_stop(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", "2") as served, under_load(served.url, WIDGET) as load:
        until(lambda: len(load.records) > 20)
        for process in (*children(served.pid), served.pid):
            os.kill(process, signal.SIGINT)
        assert served.wait() == 0
    assert not load.cut


def test_workers_end_when_the_main_process_is_killed(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules), "--workers", "2") as served:
        workers = children(served.pid)
        served.kill()
        until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 15)
    assert len(workers) == 2


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path, rules: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    for options in ((), ("--workers", "2")):
        with running(tmp_path, "--rules", str(rules), *options, env={"TMPDIR": str(place)}) as served:
            assert any(place.iterdir())
            assert served.stop() == 0
        assert not any(place.iterdir())
