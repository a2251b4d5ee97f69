"""Time the service under load: how many stored assessments a second, how late the slowest are, and how much the assessment adds.

A server process of its own (one worker, SQLite with synchronous=FULL) is asked over loopback by this process, with plain sockets. Every
request is another line: the pattern of product, origin, day and facts comes from a pool, the values are new each time.

    python3 run.py python benchmarks/service/load.py             # throughput, pace, overhead
    python3 run.py python benchmarks/service/load.py --requests 1000000   # memory over a million requests
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from scalar import realistic  # noqa: E402  the lines of the other benchmark

from tariff_engine.entry import assess_entry  # noqa: E402
from tariff_engine.problems import LawConflictError, ProblemError  # noqa: E402
from tariff_engine.testing import space  # noqa: E402
from tariff_service.rulebook import open_engine  # noqa: E402


def pool(count: int, seed: int) -> list[dict[str, Any]]:
    """Lines as brokers send them, each of which can be assessed."""
    known = open_engine(None).at()
    where, rng, found = space(known), random.Random(seed), list[dict[str, Any]]()
    first = known.law.horizon - timedelta(days=600)
    while len(found) < count:
        raw = realistic(where, rng, first)
        raw["entry_date"] = raw["entry_date"].isoformat()
        try:
            if not assess_entry(known, raw)["problems"]:
                found.append(raw)
        except (ProblemError, LawConflictError):
            continue
    return found


class Requests:
    """An endless row of requests; no two ask the same."""

    def __init__(self, lines: Sequence[dict[str, Any]], path: str) -> None:
        self._lines, self._path, self._number = lines, path, 0

    def next(self) -> bytes:
        self._number += 1
        line = self._lines[self._number % len(self._lines)]
        more = self._number // len(self._lines)
        changed = {**line, "value": line["value"] + more}
        if "steel_content_value" in line:
            changed["steel_content_value"] = line["steel_content_value"] + more // 3
        body = json.dumps(changed)
        return (
            f"POST {self._path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, int]] | None = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        place = head.find(b"content-length:")
        size = int(head[place + 15 : head.find(b"\r\n", place) if b"\r\n" in head[place:] else None])
        if len(self._buffer) >= end + 4 + size and self._answer is not None:
            answer, self._answer, self._buffer = self._answer, None, b""
            answer.set_result((int(head[9:12]), size))

    def connection_lost(self, _error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, int]]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer


async def connect(port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(count)]


async def flat_out(
    port: int, requests: Requests, connections: int, seconds: float, limit: int | None = None
) -> tuple[float, list[float], int]:
    """Ask as fast as answers come. Return requests a second, latencies in seconds, mean size of an answer."""
    taken: list[float] = []
    sizes: list[int] = []
    end = time.perf_counter() + seconds
    left = limit

    async def one(connection: Connection) -> None:
        nonlocal left
        while time.perf_counter() < end and (left is None or left > 0):
            if left is not None:
                left -= 1
            began = time.perf_counter()
            status, size = await connection.ask(requests.next())
            taken.append(time.perf_counter() - began)
            if status >= 300:
                raise RuntimeError(f"status {status}")
            if len(sizes) < 10_000:
                sizes.append(size)

    began = time.perf_counter()
    await asyncio.gather(*(one(connection) for connection in await connect(port, connections)))
    return len(taken) / (time.perf_counter() - began), taken, round(statistics.mean(sizes))


async def paced(port: int, requests: Requests, rate: float, seconds: float) -> list[float]:
    """Ask at a fixed pace, whether answers came or not. A latency counts from the moment at which the request was due."""
    free = await connect(port, 64)
    waiting: set[asyncio.Task[None]] = set()
    taken: list[float] = []

    async def one(connection: Connection, due: float) -> None:
        await connection.ask(requests.next())
        taken.append(time.perf_counter() - due)
        free.append(connection)

    start = time.perf_counter()
    for number in range(int(rate * seconds)):
        due = start + number / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        connection = free.pop() if free else (await connect(port, 1))[0]
        task = asyncio.create_task(one(connection, due))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    return taken


def share(taken: Sequence[float], part: float) -> float:
    """Return the latency in milliseconds that a share of the requests keeps to."""
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * part))] * 1e3


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def server(folder: str) -> Iterator[tuple[int, int]]:
    """Start a server; give its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(HERE / "server.py"), str(port), f"{folder}/audit.db"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


async def measure(port: int, pid: int, options: argparse.Namespace) -> None:
    lines = pool(options.patterns, seed=1)
    stored, canned, kept = (Requests(lines, path) for path in ("/v1/assessments", "/benchmark/canned", "/benchmark/kept"))
    await flat_out(port, stored, 8, 60, limit=2 * len(lines))  # every pattern was met
    if options.requests:
        for part in range(10):
            rate, _, _ = await flat_out(port, stored, options.connections, 1e6, limit=options.requests // 10)
            print(f"{(part + 1) * options.requests // 10:>9,} requests  {rate:6.0f}/s  {resident(pid):7.1f} MiB", flush=True)
        return
    rates, to_kept, to_canned = [], [], []
    for _ in range(options.rounds):
        bare, _, _ = await flat_out(port, canned, options.connections, options.seconds)
        keeping, _, _ = await flat_out(port, kept, options.connections, options.seconds)
        rate, taken, size = await flat_out(port, stored, options.connections, options.seconds)
        rates.append(rate)
        to_kept.append(keeping / rate)
        to_canned.append(bare / rate)
        print(
            f"stored {rate:6.0f}/s  p50 {share(taken, 0.5):5.1f} ms  p99 {share(taken, 0.99):5.1f} ms  "
            f"canned and kept {keeping:6.0f}/s, {keeping / rate:4.2f}x  canned {bare:6.0f}/s, {bare / rate:4.2f}x",
            flush=True,
        )
    print(
        f"medians: stored {statistics.median(rates):.0f}/s, {statistics.median(to_kept):.2f}x of canned and kept, "
        f"{statistics.median(to_canned):.2f}x of canned; answer {size:,} bytes, {options.patterns} patterns"
    )
    taken = await paced(port, stored, options.pace, options.seconds)
    print(f"at {options.pace}/s: p50 {share(taken, 0.5):.1f} ms, p99 {share(taken, 0.99):.1f} ms, p99.9 {share(taken, 0.999):.1f} ms")
    print(f"resident {resident(pid):.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--patterns", type=int, default=400)
    parser.add_argument("--pace", type=int, default=500)
    parser.add_argument("--requests", type=int, default=0, help="so many requests, with the memory after each tenth")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server(folder) as (port, pid):
        asyncio.run(measure(port, pid, options))


if __name__ == "__main__":
    main()
