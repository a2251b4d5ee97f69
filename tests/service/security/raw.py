"""A real server in a process of its own, spoken to byte by byte: what an HTTP client would tidy up arrives as an attacker wrote it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
LINE = {"hts": "6109.10.0012", "origin": "VN", "value": "1000", "entry_date": "2026-03-02"}


@dataclass(frozen=True, slots=True)
class Raw:
    """A server that runs: its port and its process."""

    port: int
    pid: int

    def talk(self, *parts: bytes, pause: float = 0.0, limit: float = 20.0, close: bool = True) -> bytes:
        """Send parts and return all that came back until the server closed, or the answers stopped where `close` is not asked for."""
        found = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=limit) as connection, suppress(ConnectionError):
            with suppress(ConnectionError):  # the server may have answered and closed before all was sent
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)
            while True:
                try:
                    part = connection.recv(65536)
                except TimeoutError:
                    if close:
                        raise
                    return found
                if not part:
                    return found
                found += part
        return found

    def send(self, method: str, target: bytes, headers: Iterable[bytes] = (), body: bytes | None = None, limit: float = 20.0) -> bytes:
        """Send one request and return its answer."""
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers]
        if body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        return self.talk(b"\r\n".join((*lines, b"", body or b"")), limit=limit)

    def post(self, content: bytes, *headers: bytes, target: bytes = b"/v1/assessments") -> bytes:
        """Send a body that is said to be JSON."""
        return self.send("POST", target, (b"Content-Type: application/json", *headers), content)

    @property
    def worked(self) -> float:
        """Processor time of the server so far, in seconds, or 0 where the system does not tell: other work on the machine is not in it."""
        with suppress(OSError):
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    @property
    def memory(self) -> int:
        """Megabytes that the server holds, or 0 where the system does not tell."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) // 1024
        return 0


def status(answer: bytes) -> int:
    """Return the status of an answer."""
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer[9:12])


def body(answer: bytes) -> Any:
    """Return the JSON of an answer."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@contextmanager
def serving(folder: Path, wire: dict[str, float] | None = None, **settings: Any) -> Iterator[Raw]:
    """Start the application with these settings and with limits of the wire, and end it with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"store": str(folder / "audit.db"), **settings}
    paths = os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, json.dumps(given), json.dumps(wire or {})],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline() or 0)
            assert port, (folder / "server.log").read_text()
            raw = Raw(port, process.pid)
            _wait(raw)
            yield raw
        finally:
            process.kill()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()


def _wait(raw: Raw) -> None:
    for _ in range(600):
        with suppress(OSError, AssertionError):
            if status(raw.send("GET", b"/problems/not_found")) == 200:
                return
        time.sleep(0.1)
    message = "the server does not answer"
    raise AssertionError(message)


def main() -> None:
    """Serve, and say on which port."""
    import uvicorn  # noqa: PLC0415  only the server's process needs these

    from tariff_service.api import wire  # noqa: PLC0415
    from tariff_service.api.app import create_app  # noqa: PLC0415
    from tariff_service.api.settings import Settings  # noqa: PLC0415

    for name, value in json.loads(sys.argv[2]).items():
        setattr(wire, name, value)
    listening = socket.create_server(("127.0.0.1", 0))
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(sys.argv[1]).items()}
    app = create_app(Settings(**given))
    config = uvicorn.Config(app, http=wire.BoundedProtocol, ws="none", log_level="warning", access_log=False, server_header=False)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
