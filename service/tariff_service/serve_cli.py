"""The command `tariff serve`: options and environment variables into settings, and plain words where the server cannot start."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariff_service.guard import BAD_INPUT, FAILED, OK, ClickError, examples, guarded

if TYPE_CHECKING:
    from tariff_service.api.settings import Settings
    from tariff_service.api.state import Service


class LogFormat(StrEnum):
    """The form of lines of log."""

    json = "json"
    text = "text"


class LogLevel(StrEnum):
    """From which level lines are logged."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


_SIZES = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def read_size(text: str) -> int:
    """Read a number of bytes. Raises BadParameter.

    >>> read_size("8M"), read_size("4096")
    (8000000, 4096)
    """
    found = re.fullmatch(r"([0-9]{1,12})([kmg]?)b?", text.strip().lower(), re.ASCII)
    if found is None or not int(found[1]):
        message = f"{text[:40]} is no size; write bytes, or such as 512k, 8M"
        raise typer.BadParameter(message)
    return int(found[1]) * _SIZES[found[2]]


def register(app: typer.Typer) -> None:
    """Put the command into an application."""
    app.command(
        "serve",
        epilog=examples(
            "tariff serve",
            "tariff serve --port 8080 --store audit.db --log-format text",
            "tariff serve --host 0.0.0.0 --workers 4 --store postgresql://tariff@db/tariff",
            "tariff serve --uds /run/tariff/api.sock --auth --allow-host tariffs.example.com",
            "TARIFF_PORT=8080 TARIFF_ALLOW_HOST='a.example b.example' tariff serve",
            "kill -HUP PID    take the rules into use as they stand now",
        ),
    )(serve)


@guarded
def serve(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", envvar="TARIFF_HOST", help="Listen on this address.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", envvar="TARIFF_PORT", min=0, max=65535, help="Listen on this port; 0 takes a free one.")
    ] = 8000,
    uds: Annotated[
        str | None, typer.Option("--uds", metavar="PATH", envvar="TARIFF_UDS", help="Listen on a Unix socket instead of host and port.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", envvar="TARIFF_WORKERS", min=1, max=64, help="Serve with so many processes.")] = 1,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", envvar="TARIFF_STORE", help="The audit store: a file, or postgresql://USER@HOST/NAME."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="DIR", envvar="TARIFF_RULES", help="Another folder of rules than the installed one.")
    ] = None,
    auth: Annotated[
        bool | None, typer.Option("--auth/--no-auth", envvar="TARIFF_AUTH", help="Ask for keys; without it beyond loopback only.")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", envvar="TARIFF_ALLOW_HOST", help="A name of this server; repeatable."),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", metavar="ORIGIN", envvar="TARIFF_CORS_ORIGIN", help="Web pages that may ask; repeatable."),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="ADDRESS",
            envvar="TARIFF_TRUSTED_PROXY",
            help="A proxy whose X-Forwarded-* headers count; repeatable.",
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option("--rate", envvar="TARIFF_RATE", min=1, max=10_000_000, help="Requests a minute of a key that names no rate."),
    ] = None,
    max_body: Annotated[
        int | None, typer.Option("--max-body", metavar="SIZE", envvar="TARIFF_MAX_BODY", parser=read_size, help="The largest entry.")
    ] = None,
    max_row: Annotated[
        int | None, typer.Option("--max-row", metavar="SIZE", envvar="TARIFF_MAX_ROW", parser=read_size, help="The largest row of a batch.")
    ] = None,
    max_concurrency: Annotated[
        int | None, typer.Option("--max-concurrency", envvar="TARIFF_MAX_CONCURRENCY", min=1, help="Requests in work at once, per process.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="SECONDS", envvar="TARIFF_TIME_LIMIT", min=0.1, max=3600, help="For one answer.")
    ] = None,
    drain: Annotated[
        float | None,
        typer.Option(
            "--drain", metavar="SECONDS", envvar="TARIFF_DRAIN", min=1, max=3600, help="For what is in work when the server stops."
        ),
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", envvar="TARIFF_LOG_FORMAT", help="The form of log lines.")
    ] = LogFormat.json,
    log_level: Annotated[LogLevel, typer.Option("--log-level", envvar="TARIFF_LOG_LEVEL", help="What is logged.")] = LogLevel.info,
) -> int:
    """Serve the HTTP API, with its audit store, until SIGTERM or Ctrl-C; then finish what has begun.

    Every option can be set by an environment variable too (lists are separated by spaces). One line on standard output says where the
    server listens and from which rulebook it answers; the log goes to standard error.
    """
    from tariff_service.api.settings import Settings  # noqa: PLC0415  `--help` needs no web framework

    limits = {
        "rate_per_minute": rate,
        "max_body": max_body,
        "max_row": max_row,
        "max_concurrency": max_concurrency,
        "time_limit": time_limit,
        "drain": drain,
    }
    chosen: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    return start(
        Settings(
            store=store,
            rules=rules,
            host=host,
            port=port,
            workers=workers,
            auth=auth,
            allowed_hosts=tuple(allow_host or ()),
            cors_origins=tuple(cors_origin or ()),
            trusted_proxies=tuple(trusted_proxy or ()),
            log_level=log_level.value,
            log_format=log_format.value,
            **chosen,
        ),
        uds,
    )


def start(settings: Settings, uds: str | None = None) -> int:
    """Serve by settings until a signal ends it. Return the exit code. Why it cannot start is said on standard error, in words."""
    from tariff_engine.problems import Problem, ProblemError, RulebookError  # noqa: PLC0415
    from tariff_service.api.headers import Cors  # noqa: PLC0415
    from tariff_service.output import say, write_problem  # noqa: PLC0415
    from tariff_service.serving import CannotListenError, Place, address_of, listen, serve_one  # noqa: PLC0415
    from tariff_service.store.records import StoreError  # noqa: PLC0415

    try:
        Cors(settings.cors_origins)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    place = Place(settings.host, settings.port, uds)
    try:
        with listen(place) as sock:
            address = address_of(place, sock)
            if settings.workers > 1:
                from tariff_service.supervisor import serve_many  # noqa: PLC0415

                ended = serve_many(settings, sock, lambda service: _greeting(settings, service, address), uds)
            else:
                ended = serve_one(settings, sock, lambda service: _greeting(settings, service, address), uds)
    except ProblemError as error:
        write_problem(error.problem, as_json=False)
        return BAD_INPUT
    except RulebookError as error:
        wrong = Problem("rulebook_wrong", "--rules", "the law book cannot be used", "mend the places named; `tariff rules check` finds all")
        write_problem(wrong, as_json=False, details=tuple(str(error).splitlines()))
        return FAILED
    except CannotListenError as error:
        say(str(error))
        return FAILED
    except StoreError as error:
        say(f"{error.code}: {error.message}")
        say(f"  -> {error.fix}")
        return BAD_INPUT if error.code == "store_wrong_url" else FAILED
    return OK if ended else FAILED


def _greeting(settings: Settings, service: Service, address: str) -> Callable[[], None]:
    """Return what says that the server listens: one line for whoever started it, louder where nobody can use it."""
    from tariff_service.output import say  # noqa: PLC0415

    law = service.rulebooks.current.latest.law
    asked = "keys asked for" if settings.authenticated else "no keys asked for"
    many = f", {settings.workers} workers" if settings.workers > 1 else ""
    line = f"tariff serves {address} from law book {law.edition} ({law.id}), store {service.store.name}, {asked}{many}"
    warning = ""
    if settings.authenticated:
        from tariff_service.keys import list_keys  # noqa: PLC0415

        if not list_keys(service.store, valid=True):
            warning = "NO KEY EXISTS: every request will be answered with 401. Make one: tariff keys create CALLER --scope assess"

    def greet() -> None:
        typer.echo(line)
        sys.stdout.flush()
        if warning:
            say(warning)

    return greet


if __name__ == "__main__":
    _alone = typer.Typer(pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]})
    register(_alone)
    try:
        sys.exit(typer.main.get_command(_alone).main(prog_name="tariff serve", standalone_mode=False))
    except ClickError as wrong:
        wrong.show()
        sys.exit(BAD_INPUT)
