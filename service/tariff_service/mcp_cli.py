"""The command `tariff mcp`: the engine as tools for a program that speaks the Model Context Protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from tariff_engine.problems import ProblemError, refuse
from tariff_service.guard import BAD_INPUT, OK, Rules, examples, guarded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=examples("tariff mcp", "tariff mcp --rules DIR"))(mcp)


@guarded
def mcp(rules: Rules = None) -> int:
    """Serve the tools assess, explain, timeline, compare, provision and facts to one MCP client, over standard input and output.

    A client starts this command itself: name `tariff` with the argument `mcp` in its list of servers. Needs the extra `mcp`.
    """
    from tariff_service.output import write_problem  # noqa: PLC0415  `--help` needs none of it
    from tariff_service.rulebook import rules_root  # noqa: PLC0415

    try:
        serve = _protocol()
        rules_root(rules)
    except ProblemError as error:
        write_problem(error.problem, as_json=False)  # standard output belongs to the protocol
        return BAD_INPUT
    serve(rules)
    return OK


def _protocol() -> Callable[[Path | None], None]:
    try:
        from tariff_service.mcp_server import serve  # noqa: PLC0415  `--help` needs no protocol
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in {"mcp", "mcp_types"}:
            raise
        message = "the protocol library is not installed"
        raise refuse("mcp_missing", "mcp", message, "install the extra `mcp`: pip install 'tariff-engine[mcp]'") from None
    return serve
