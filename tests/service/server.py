"""Start a real server for a test: a process of its own, on a free loopback port, with a store of its own.

    with running(tmp_path, "--workers", "2") as served:
        served.get("/healthz")

A test imports it as `from tests.service.server import running`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

ROOT = Path(__file__).parents[2]
READY = 120.0  # seconds; the first start of a checkout compiles the law
_ADDRESS = re.compile(r"https?://[^\s,]+")


@dataclass(eq=False)
class Running:
    """A server process. `url` is where it listens, `first_line` what it said when it began, `log` what it wrote to standard error."""

    process: subprocess.Popen[str]
    log_file: Path
    url: str = ""
    first_line: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    @property
    def pid(self) -> int:
        """The process that signals go to."""
        return self.process.pid

    @property
    def log(self) -> str:
        """Everything that was logged so far."""
        return self.log_file.read_text(encoding="utf-8")

    def get(self, path: str, **options: object) -> httpx.Response:
        """Send a GET."""
        return self.client.get(self.url + path, **options)  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> httpx.Response:
        """Send a POST."""
        return self.client.post(self.url + path, **options)  # type: ignore[arg-type]

    def signal(self, number: int) -> None:
        """Send a signal to the main process."""
        self.process.send_signal(number)

    def wait_ready(self, limit: float = READY) -> None:
        """Wait until /readyz says yes. Raises AssertionError with the log where it does not."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            try:
                if self.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server is not ready; it said:\n{self.log}")

    def stop(self, limit: float = 60.0) -> int:
        """Ask the server to stop, and return its exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(limit)

    def wait(self, limit: float = 60.0) -> int:
        """Wait for the end of the process, and return its exit code. Raises AssertionError with the log where it does not end."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError(f"the server did not end within {limit:g} s; it said:\n{self.log}") from None

    def kill(self) -> int:
        """End the main process as a power cut would."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait(10)

    def close(self) -> None:
        """End whatever still runs, and let go."""
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a server: the packages of this checkout, none of the user's own settings, a store below the folder."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TARIFF_") or name.startswith("TARIFF_CACHE")}
    paths = os.pathsep.join([*(str(ROOT / name) for name in ("rules", "engine", "service")), os.environ.get("PYTHONPATH", "")]).rstrip(
        os.pathsep
    )
    return {**own, "PYTHONPATH": paths, "TARIFF_STORE": str(folder / "audit.db"), **(more or {})}


def start(folder: Path, options: Sequence[str] = (), *, env: Mapping[str, str] | None = None) -> Running:
    """Start `tariff serve` on a free port (unless the options name one) and return at once; the log goes to a file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    port = () if {"--port", "--uds"} & set(options) else ("--port", "0")
    command = [sys.executable, "-P", "-m", "tariff_service.cli", "serve", *port, *options]
    log = folder / f"server-{time.monotonic_ns()}.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment(folder, env), text=True
        )
    return Running(process, log)


def hear(served: Running, limit: float = READY) -> None:
    """Wait for the line that a server writes when it listens, and take the address from it."""
    timer = threading.Timer(limit, served.process.kill)
    timer.start()
    try:
        assert served.process.stdout is not None
        served.first_line = served.process.stdout.readline().strip()
    finally:
        timer.cancel()
    address = _ADDRESS.search(served.first_line)
    if address is None:
        served.process.wait(10)
        raise AssertionError(f"the server said {served.first_line!r} and:\n{served.log}")
    served.url = address.group().rstrip("/")


@contextmanager
def running(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start a server, wait until it is ready, and end it with the block."""
    served = start(folder, options, env=env)
    try:
        hear(served)
        served.wait_ready()
        yield served
    finally:
        served.close()


def until(true: Callable[[], Any], limit: float = 90.0) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {limit:g} s")


def children(pid: int) -> list[int]:
    """Return the workers of a main process (and not the process of multiprocessing that tracks resources)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_text(encoding="utf-8")
            except (OSError, ValueError):
                continue
            if parent == pid and "spawn_main" in command:
                found.append(int(entry.name))
    return found
