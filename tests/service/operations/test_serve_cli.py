"""`tariff serve`: what it says when it starts, and what it says when it cannot."""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import typer
from tests.service.operations.conftest import BROKEN, WIDGET, Change
from tests.service.server import environment, running, start
from typer.testing import CliRunner

from tariff_service import serve_cli
from tariff_service.api.settings import Settings
from tariff_service.serving import config_of


def serve(folder: Path, *options: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a server that cannot start; return its exit code and what it said."""
    served = start(folder, options, env=env)
    try:
        code = served.wait(60)
        assert served.process.stdout is not None
        assert served.process.stdout.read() == ""
        assert "Traceback" not in served.log
        return code, served.log
    finally:
        served.close()


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the settings that options and environment make, without serving."""
    taken: list[tuple[Settings, str | None]] = []

    def take(settings: Settings, uds: str | None = None) -> int:
        taken.append((settings, uds))
        return 0

    monkeypatch.setattr(serve_cli, "start", take)
    for name in [name for name in os.environ if name.startswith("TARIFF_")]:
        monkeypatch.delenv(name)
    app = typer.Typer()
    serve_cli.register(app)

    def run(*options: str, env: dict[str, str] | None = None) -> tuple[Settings, str | None]:
        found = CliRunner().invoke(app, list(options), env=env)
        assert found.exit_code == 0, found.output
        return taken[-1]

    return run


def test_options_become_settings(settings_of: Any) -> None:
    found, uds = settings_of(
        *("--host", "::", "--port", "81", "--workers", "3", "--store", "x.db", "--auth", "--allow-host", "a", "--allow-host", "b"),
        *("--cors-origin", "https://desk.example", "--rate", "7", "--log-format", "text", "--log-level", "warning", "--max-body", "2M"),
        *("--time-limit", "2.5", "--drain", "9", "--uds", "/run/x", "--trusted-proxy", "10.0.0.1", "--max-row", "9k", "--rules", "/r"),
    )
    assert uds == "/run/x"
    assert found == Settings(
        host="::",
        port=81,
        workers=3,
        store="x.db",
        auth=True,
        allowed_hosts=("a", "b"),
        cors_origins=("https://desk.example",),
        trusted_proxies=("10.0.0.1",),
        rate_per_minute=7,
        log_format="text",
        log_level="warning",
        max_body=2_000_000,
        max_row=9_000,
        time_limit=2.5,
        drain=9.0,
        rules=Path("/r"),
    )


def test_without_options_the_settings_are_the_defaults(settings_of: Any) -> None:
    assert settings_of() == (Settings(), None)


def test_every_option_can_stand_in_the_environment(settings_of: Any) -> None:
    env = {
        "TARIFF_HOST": "::1",
        "TARIFF_PORT": "82",
        "TARIFF_WORKERS": "2",
        "TARIFF_AUTH": "false",
        "TARIFF_ALLOW_HOST": "a.example b.example",
        "TARIFF_RATE": "9",
        "TARIFF_LOG_LEVEL": "error",
        "TARIFF_MAX_BODY": "512k",
        "TARIFF_UDS": "/run/y",
    }
    found, uds = settings_of(env=env)
    assert (found.host, found.port, found.workers, found.auth, found.allowed_hosts) == ("::1", 82, 2, False, ("a.example", "b.example"))
    assert (found.rate_per_minute, found.log_level, found.max_body, uds) == (9, "error", 512_000, "/run/y")


def test_every_option_names_its_environment_variable() -> None:
    app = typer.Typer()
    serve_cli.register(app)
    command = typer.main.get_command(app)
    missing = [one.name for one in command.params if one.name not in {"help", "install_completion", "show_completion"} and not one.envvar]
    assert missing == []


def test_help_shows_examples_and_loads_no_web_framework() -> None:
    code = (
        "import sys, typer; from tariff_service import serve_cli; app = typer.Typer(); serve_cli.register(app);\n"
        "try: typer.main.get_command(app).main(['--help'], standalone_mode=False)\n"
        "finally: print(sorted({'fastapi', 'uvicorn', 'starlette', 'sqlalchemy', 'yaml'} & set(sys.modules)))"
    )
    env = environment(Path()) | {"COLUMNS": "200"}
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False, timeout=60, env=env)
    assert "tariff serve --host 0.0.0.0 --workers 4" in found.stdout
    assert "--cors-origin" in found.stdout
    assert found.stdout.rstrip().endswith("[]"), found.stdout[-300:] + found.stderr


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--port", "99999"), "Invalid value for '--port'"),
        (("--workers", "0"), "Invalid value for '--workers'"),
        (("--max-body", "many"), "many is no size"),
        (("--log-level", "loud"), "loud"),
        (("--cors-origin", "everybody"), "is no origin"),
        (("--host", "no such host"), "no such host is no address"),
        (("--store", "mysql://x/y"), "store_wrong_url"),
        (("--rules", "/no/such/folder"), "is no folder"),
    ],
)
def test_wrong_option_is_told_in_words_with_exit_code_2(tmp_path: Path, options: tuple[str, ...], word: str) -> None:
    code, said = serve(tmp_path, *options)
    assert (code, word in " ".join(said.split())) == (2, True), said


def test_port_that_is_taken_is_told_with_exit_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = serve(tmp_path, "--port", str(port))
    assert code == 1
    assert f"127.0.0.1 port {port} cannot be listened on" in said
    assert "--port" in said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_store_that_cannot_be_opened_is_told_with_exit_code_1(tmp_path: Path, workers: str) -> None:
    (tmp_path / "store").write_bytes(b"this is no database" * 100)
    code, said = serve(tmp_path, "--store", str(tmp_path / "store"), "--workers", workers)
    assert (code, "store_damaged" in said) == (1, True), said


def test_rulebook_with_defects_is_told_with_exit_code_1(tmp_path: Path, rules: Path, change: Change) -> None:
    change(BROKEN)
    code, said = serve(tmp_path, "--rules", str(rules))
    assert (code, "programs/widgets.yaml:" in said) == (1, True), said


def test_one_line_says_where_and_from_what_the_server_answers(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules), "--log-format", "text") as served:
        found = re.fullmatch(
            r"tariff serves http://127\.0\.0\.1:\d+ from law book test \((sha256:[0-9a-f]{64})\), store (.*audit\.db), no keys asked for",
            served.first_line,
        )
        assert found is not None, served.first_line
        assert found[2] == str(tmp_path / "audit.db")
        assert served.get("/readyz").json()["rulebook"] == found[1]
        assert "server" not in served.get("/healthz").headers
        assert served.post("/v1/assessments", json=WIDGET).status_code == 201
        assert served.stop() == 0
        assert re.search(r"Z info +request request_id=\S+ method=POST endpoint=/v1/assessments status=201 ", served.log), served.log


def test_server_that_asks_for_keys_and_has_none_says_so_loudly_and_refuses_everybody(tmp_path: Path, rules: Path) -> None:
    with running(tmp_path, "--rules", str(rules), "--auth") as served:
        assert served.first_line.endswith(", keys asked for")
        assert "NO KEY EXISTS" in served.log
        assert "tariff keys create" in served.log
        assert served.post("/v1/assessments", json=WIDGET).status_code == 401
        assert served.get("/metrics").status_code == 401
        assert served.get("/healthz").status_code == 200


def test_unix_socket_is_served_taken_over_from_the_dead_and_never_from_the_living(rules: Path, tmp_path: Path) -> None:
    short = Path(tempfile.mkdtemp(prefix="tariff-"))  # the path of a socket has at most a hundred characters
    path = short / "api.sock"
    try:
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(path))
        left.close()  # nobody listens there any more
        served = start(tmp_path, ("--rules", str(rules), "--uds", str(path)))
        try:
            assert served.process.stdout is not None
            assert f"unix:{path}" in served.process.stdout.readline()
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost") as client:
                assert client.get("/readyz").status_code == 200
                assert client.post("/v1/assessments", json=WIDGET).status_code == 201
            code, said = serve(tmp_path / "other", "--uds", str(path))
            assert (code, "another server listens" in said) == (1, True), said
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert served.stop() == 0
            assert not path.exists()
        finally:
            served.close()
        path.write_text("precious")
        code, said = serve(tmp_path / "third", "--uds", str(path))
        assert (code, "is no socket" in said) == (1, True), said
        assert path.read_text() == "precious"
    finally:
        shutil.rmtree(short)


def test_forwarded_headers_count_from_trusted_proxies_only() -> None:
    before = logging.getLogger().handlers[:]
    try:
        plain = config_of(Settings(), "x:y")
        behind = config_of(Settings(trusted_proxies=("10.0.0.1",), drain=7.0), "x:y")
    finally:
        logging.getLogger().handlers = before
    assert plain.proxy_headers is False
    assert (behind.proxy_headers, behind.forwarded_allow_ips) == (True, ["10.0.0.1"])
    assert (behind.server_header, behind.access_log, behind.timeout_graceful_shutdown) == (False, False, 7)
