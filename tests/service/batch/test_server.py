"""Batches against a real server: what only a process with sockets shows."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.service.batch.talking import BATCH, GOOD, NDJSON, answer_bytes, lines
from tests.service.server import Running, running

from tariff_service.store.store import AuditStore

CHEAP = {"hts": "7326.90.86.88", "origin": "CN"}  # refused at once
PART = 100  # rows


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that the tests of this file share."""
    with running(tmp_path_factory.mktemp("server")) as found:
        yield found


class Conversation:
    """A batch over one connection, whose rows are sent by a thread while answers are read. `stop` makes the sender end the body early."""

    def __init__(self, served: Running, rows: int, query: str = "") -> None:
        """Send the head of the request."""
        self.rows = rows
        self.stop = threading.Event()
        self.connection = HTTPConnection(served.url.removeprefix("http://"), timeout=60)
        self.connection.putrequest("POST", f"{BATCH}{query}")
        self.connection.putheader("Content-Type", NDJSON)
        self.connection.putheader("Transfer-Encoding", "chunked")
        self.connection.endheaders()
        self.sock = self.connection.sock
        self.sender = threading.Thread(target=self._send, daemon=True)
        self.sender.start()
        self.response: HTTPResponse = self.connection.getresponse()

    def _send(self) -> None:
        try:
            for start in range(0, self.rows, PART):
                if self.stop.is_set():
                    break
                rows = range(start, min(start + PART, self.rows))
                part = lines({**(CHEAP if n % 10 else GOOD), "id": str(n)} for n in rows)
                self.sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            self.sock.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # the server ended first, as some tests want it to

    def hang_up(self) -> None:
        """End both directions at once; whoever reads or sends hears so."""
        self.stop.set()
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break the connection off."""
        self.hang_up()
        self.response.close()
        self.connection.close()
        self.sender.join(10)


@contextmanager
def conversation(served: Running, rows: int, query: str = "") -> Iterator[Conversation]:
    """Begin a batch, and break it off with the block."""
    found = Conversation(served, rows, query)
    try:
        yield found
    finally:
        found.close()


def memory(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def stored(served: Running) -> int:
    """Return how many records the store has."""
    found = served.get("/v1/assessments?limit=1").json()
    items = next(value for value in found.values() if isinstance(value, list))
    return items[0]["sequence"] if items else 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_thirty_thousand_rows_take_no_more_memory_than_three_thousand(served: Running) -> None:
    with conversation(served, 30_000) as talk:
        assert talk.response.status == 200
        least = most = 0
        for number, row in enumerate(talk.response, 1):
            assert row.startswith(b'{"row":%d,' % number)
            if number == 3_000:
                least = most = memory(served.pid)
            elif number % 1_000 == 0:
                most = max(most, memory(served.pid))
        assert number == 30_000
        assert most - least < 48_000_000


def test_single_requests_are_answered_meanwhile(served: Running) -> None:
    with conversation(served, 30_000) as talk:
        read = 0

        def reading() -> None:
            nonlocal read
            with suppress(HTTPException, OSError):  # the line goes dead in the middle of an answer when we hang up
                while talk.response.readline():
                    read += 1

        reader = threading.Thread(target=reading, daemon=True)
        reader.start()
        for _ in range(5):
            assert served.post("/v1/assessments", json=GOOD).status_code == 201
        assert 0 < read < 30_000
        talk.hang_up()
        reader.join(10)


def test_a_client_may_send_all_before_it_reads_what_fits_into_the_read_ahead(served: Running) -> None:
    body = lines({**GOOD, "id": str(n)} for n in range(1_000))
    host, _, port = served.url.removeprefix("http://").rpartition(":")
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)  # answers soon fill it
        sock.settimeout(60)
        sock.connect((host, int(port)))
        head = f"POST {BATCH}?store=false HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n"
        sock.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        time.sleep(0.5)
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b'{"row":') == 1_000


def test_work_ends_soon_after_the_client_left(served: Running) -> None:
    before = stored(served)
    with conversation(served, 200_000) as talk:
        talk.response.readline()
    found, settled = -1, time.monotonic() + 60
    while (now := stored(served)) != found:
        assert time.monotonic() < settled
        found = now
        time.sleep(0.5)
    assert found - before < 5_000


def test_a_client_with_an_ordinary_library_gets_its_answers(served: Running) -> None:
    rows = [{**GOOD, "id": f"line {n}"} for n in range(200)]
    with httpx.Client(trust_env=False, timeout=60) as client:
        found = client.post(served.url + BATCH, content=lines(rows), headers={"content-type": NDJSON, "accept": NDJSON})
        assert found.status_code == 200
        answers = [json.loads(row) for row in found.content.splitlines()]
        assert [row["id"] for row in answers] == [row["id"] for row in rows]
        kept = client.get(served.url + f"/v1/assessments/{answers[-1]['assessment']}")
        assert kept.content.rstrip(b"\n") == answer_bytes(found.content.splitlines()[-1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_every_answered_row_is_in_the_store_however_the_server_ends(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as served, conversation(served, 200_000) as talk:
        rows = [talk.response.readline() for _ in range(300)]
        served.signal(number)
        talk.stop.set()
        breaks = (OSError, ValueError, HTTPException) if number == signal.SIGKILL else ()
        with suppress(*breaks):
            for row in talk.response:
                rows.append(row)  # noqa: PERF402  those before the break count too
        code = served.wait()
    if number == signal.SIGTERM:
        last = json.loads(rows.pop())
        assert (last["row"], last["status"], last["problem"]["code"]) == (None, 503, "stopping")
        assert code == 0
    answered = [json.loads(row) for row in rows if row.endswith(b"}\n")]
    assert [row["row"] for row in answered] == list(range(1, len(answered) + 1))
    store = AuditStore.open(str(tmp_path / "audit.db"))
    try:
        for row in answered:
            if row["status"] == 201:
                assert store.get(row["assessment"]) is not None
    finally:
        store.close()
