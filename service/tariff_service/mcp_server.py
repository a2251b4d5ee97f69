"""The MCP server: the protocol around the tools, over standard input and output. Needs the extra `mcp`."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as Described

from tariff_engine import __version__
from tariff_engine.entry import problem_of
from tariff_engine.problems import LawConflictError, ProblemError, refuse
from tariff_service.mcp_tools import TOOLS, Tool
from tariff_service.rulebook import open_book, open_engine

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from tariff_engine.book import Book
    from tariff_engine.engine import Engine

_KEPT_DAYS = 12
_INSTRUCTIONS = (
    "Exact US customs duties by entry date and by what was known when. Start with `assess`. State only facts that are known: what is left "
    "out is assumed against the importer, named in `assumptions`, asked for in `questions`, and bounded by `range`. Cite the headings and "
    "acts of the answer; do not compute duties yourself. A result with a `problem` names the field at fault and the fix."
)


class Tools:
    """The tools over one rulebook. The law is read once, when first asked for; one question is answered at a time."""

    def __init__(self, rules: Path | None) -> None:
        """Take the folder of rules; none is the installed one."""
        self._rules = rules
        self._tools = {tool.name: tool for tool in TOOLS}
        self._one = CapacityLimiter(1)  # an engine remembers as it answers, and is not for two threads at once

    @cached_property
    def engine(self) -> Engine:
        """The engine of the rulebook."""
        return open_engine(self._rules, keep=_KEPT_DAYS)

    @cached_property
    def book(self) -> Book:
        """The rulebook as written."""
        return open_book(self._rules)

    async def list(self, _: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        """Describe every tool. All of them only read."""
        reads = ToolAnnotations(read_only_hint=True, idempotent_hint=True, destructive_hint=False, open_world_hint=False)
        return ListToolsResult(
            tools=[
                Described(name=tool.name, title=tool.title, description=tool.says, input_schema=tool.schema, annotations=reads)
                for tool in TOOLS
            ]
        )

    async def call(self, _: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        """Answer a call in a thread, so that the connection stays alive; a problem of the input is a result that says so."""
        try:
            tool = self._tools.get(params.name)
            if tool is None:
                raise refuse("unknown_tool", "name", f"there is no tool {params.name[:60]}", f"call {', '.join(self._tools)}")
            answer = await to_thread.run_sync(self._answer, tool, params.arguments or {}, limiter=self._one)
        except (ProblemError, LawConflictError) as error:
            return _result({"problem": problem_of(error).as_dict()}, wrong=True)
        return _result(answer)

    def _answer(self, tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
        return tool.call(self.engine, self.book, arguments)


def _result(data: dict[str, Any], *, wrong: bool = False) -> CallToolResult:
    text = json.dumps(data, ensure_ascii=False, default=str)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=json.loads(text), is_error=wrong)


def server(rules: Path | None) -> Server[Any]:
    """Return the server over a folder of rules."""
    tools = Tools(rules)
    return Server(
        "tariff",
        version=__version__,
        title="US customs duties",
        instructions=_INSTRUCTIONS,
        on_list_tools=tools.list,
        on_call_tool=tools.call,
    )


def serve(rules: Path | None) -> None:
    """Serve one client over standard input and output until it goes away."""

    async def run() -> None:
        made = server(rules)
        async with stdio_server() as (incoming, outgoing):
            await made.run(incoming, outgoing, made.create_initialization_options())

    anyio.run(run)
