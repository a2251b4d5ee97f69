"""A real PostgreSQL server for tests: started once, on a socket of its own, in a folder of its own, gone at the end.

Other folders of tests use it with `from tests.store.postgres import postgres_server` in their conftest.py, and `database` for a fresh one.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

REQUIRED = os.environ.get("TARIFF_REQUIRE_POSTGRES") == "1"
_HOMES = "/usr/lib/postgresql/*/bin"


@dataclass(frozen=True)
class Server:
    """A server: the folder of its socket, its data and its programs."""

    programs: Path
    folder: Path
    user: str

    @property
    def url(self) -> str:
        """The address of its first database, for SQLAlchemy."""
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://tariff@/{name}?host={self.folder}"

    def command(self, *arguments: str, check: bool = True) -> str:
        """Run a program of the server's, as the user who owns it."""
        done = subprocess.run(
            [str(self.programs / arguments[0]), *arguments[1:]],
            user=self.user or None,
            extra_groups=[] if self.user else None,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, f"{arguments[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Start, and return when it takes connections."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=60 -c shared_buffers=32MB"
        log = str(self.folder / "server.log")
        self.command("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", "-t", "60", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop: `fast` breaks connections, `immediate` is a crash."""
        self.command("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "-t", "60", "stop")

    def execute(self, statement: str, name: str = "postgres") -> None:
        """Run a statement as the owner of everything."""
        with psycopg.connect(host=str(self.folder), user="tariff", dbname=name, autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """Give the address of a fresh database, dropped at the end."""
        name = f"t_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url_of(name)
        finally:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def programs() -> Path | None:
    """Return the folder of the newest installed server's programs."""
    homes = sorted(Path("/").glob(_HOMES.lstrip("/")), key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], reverse=True)
    asked = shutil.which("pg_config")
    if asked:
        answer = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False)
        homes.append(Path(answer.stdout.strip()))
    found = shutil.which("initdb")
    if found:
        homes.append(Path(found).parent)
    return next((home for home in homes if (home / "initdb").is_file() and (home / "pg_ctl").is_file()), None)


def _owner() -> str:
    """Return the user to run the server as: it refuses to run as root."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Run a server; skip where none is installed, but in CI (TARIFF_REQUIRE_POSTGRES=1) fail."""
    home = programs()
    if home is None:
        message = "PostgreSQL is not installed here (initdb was not found), so nothing was tested against it."
        if REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="tariff-pg-"))  # short: the name of a socket may have 107 bytes
    server = Server(home, folder, _owner())
    try:
        if server.user:
            shutil.chown(folder, server.user)
        folder.chmod(0o755)  # others connect to the socket in it
        server.command("initdb", "-D", str(folder / "data"), "-U", "tariff", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.command("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-w", "stop", check=False)
    finally:
        for _ in range(20):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(0.1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Return a server that runs until the end of the session."""
    with running() as server:
        yield server
