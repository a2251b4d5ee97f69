"""`tariff mcp` as a stock client of the protocol sees it: a process of its own, over standard input and output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from tests.law.rulebook import the_book
from tests.service.law import the_engine

from tariff_engine.entry import assess_entry
from tariff_engine.problems import ProblemError
from tariff_service.comparing import compare
from tariff_service.explaining import explain_entry
from tariff_service.law_reading import provision
from tariff_service.mcp_tools import TOOLS, exact
from tariff_service.timeline import timeline
from tariff_service.what_if import what_if

ROOT = Path(__file__).resolve().parents[2]
CANADIAN: dict[str, Any] = {"hts": "6403.99.60.15", "origin": "CA", "entry_date": "2025-02-05", "value": "10000", "mode": "truck"}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own cache out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TARIFF_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def ask(question: Callable[[Client], Awaitable[Any]], *arguments: str) -> Any:
    """Start the server as a client does, ask, and stop it."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))
    program = StdioServerParameters(
        command=sys.executable, args=["-m", "tariff_service.cli", "mcp", *arguments], env={**os.environ, "PYTHONPATH": paths}
    )

    async def run() -> Any:
        async with Client(stdio_client(program), read_timeout_seconds=120) as client:
            return await question(client)

    return anyio.run(run)


def test_the_tools_are_described_as_read_only_with_schemas_that_refuse_what_they_do_not_know() -> None:
    async def question(client: Client) -> Any:
        return await client.list_tools()

    tools = {tool.name: tool for tool in ask(question).tools}
    assert set(tools) == {"assess", "explain", "timeline", "compare", "what_if", "provision", "facts"}
    for tool in tools.values():
        assert tool.description
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False
        assert set(tool.input_schema["required"]) <= set(tool.input_schema["properties"])


def test_every_tool_answers_what_the_engine_answers_in_process() -> None:
    line = {key: value for key, value in CANADIAN.items() if key != "entry_date"}
    calls: dict[str, dict[str, Any]] = {
        "assess": {"entry": CANADIAN, "known_on": "2025-02-02", "explain": "full"},
        "explain": {"entry": CANADIAN, "program": "ieepa-canada"},
        "timeline": {"facts": line, "from": "2025-01-01", "until": "2025-06-01"},
        "compare": {"entry": CANADIAN, "vary": {"origin": ["CA", "MX"]}},
        "what_if": {"entry": CANADIAN, "days": 60},
        "provision": {"heading": "9903.01.10", "on": "2025-03-05"},
        "facts": {},
    }

    async def question(client: Client) -> Any:
        return {name: await client.call_tool(name, arguments) for name, arguments in calls.items()}

    found = ask(question)
    engine, book, day = the_engine(), the_book(), date.fromisoformat
    known = day("2025-02-02")
    expected: dict[str, Any] = {
        "assess": assess_entry(engine.at(known), CANADIAN, "full", asked_on=known),
        "explain": explain_entry(engine, CANADIAN, program="ieepa-canada"),
        "timeline": timeline(engine, book, line, first=day("2025-01-01"), until=day("2025-06-01")),
        "compare": compare(engine, CANADIAN, {"origin": ["CA", "MX"]}),
        "what_if": what_if(engine, CANADIAN, days=60),
        "provision": provision(book, "9903.01.10", day("2025-03-05")),
    }
    for name, answer in expected.items():
        assert not found[name].is_error, found[name]
        assert found[name].structured_content == json.loads(json.dumps(answer, default=str)), name
        assert json.loads(found[name].content[0].text) == found[name].structured_content
    assert expected["assess"]["totals"]["duty"] == "3350.00"
    assert any(fact["fact"] == "hts" for fact in found["facts"].structured_content["facts"])


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "field"),
    [
        ("assess", {}, "argument_missing", "entry"),
        ("assess", {"entry": CANADIAN, "when": 1}, "unknown_argument", "when"),
        ("assess", {"entry": [1]}, "wrong_type", "entry"),
        ("assess", {"entry": CANADIAN, "explain": "all"}, "unknown_value", "explain"),
        ("assess", {"entry": CANADIAN, "known_on": "soon"}, "wrong_type", "known_on"),
        ("timeline", {"facts": "6403"}, "wrong_type", "facts"),
        ("timeline", {"facts": CANADIAN}, "contradictory_facts", "entry_date"),
        ("explain", {"entry": CANADIAN, "program": "ieepa-atlantis"}, "unknown_program", "--program"),
        ("provision", {"heading": 99030110}, "wrong_type", "heading"),
        ("provision", {"heading": "9903.01"}, "unknown_heading", "heading"),
        ("what_if", {"entry": CANADIAN, "days": "soon"}, "wrong_type", "days"),
        ("compare", {"entry": CANADIAN, "vary": {"colour": ["red"]}}, "unknown_fact", "vary.colour"),
    ],
)
def test_bad_arguments_are_the_problems_that_every_other_door_tells(tool: str, arguments: dict[str, Any], code: str, field: str) -> None:
    (made,) = [one for one in TOOLS if one.name == tool]
    with pytest.raises(ProblemError) as caught:
        made.call(the_engine(), the_book(), arguments)
    assert (caught.value.problem.code, caught.value.problem.field) == (code, field)
    assert caught.value.problem.fix


def test_a_problem_is_a_result_that_names_field_and_fix_and_the_connection_goes_on() -> None:
    deep: Any = "x"
    for _ in range(80):
        deep = {"lines": deep}

    async def question(client: Client) -> Any:
        wrong = [
            await client.call_tool("asses", {}),
            await client.call_tool("assess", {"entry": {**CANADIAN, "origin": "XX"}}),
            await client.call_tool("assess", {"entry": deep}),
            await client.call_tool("assess", {"entry": {**CANADIAN, "value": 1234.56}}),
        ]
        return wrong, await client.call_tool("assess", {"entry": CANADIAN})

    wrong, right = ask(question)
    assert wrong[0].is_error
    assert wrong[0].structured_content["problem"]["code"] == "unknown_tool"
    (told,) = wrong[1].structured_content["problems"]  # of the line: the entry is answered, its line is not
    assert (told["code"], told["field"]) == ("unknown_country", "origin")
    assert told["fix"]
    assert wrong[2].structured_content["problem"]["code"] == "too_deep"
    assert wrong[3].structured_content["lines"][0]["value"] == "1235", "a short decimal number is what it was before it became a float"
    assert not right.is_error


def test_a_folder_without_rules_is_told_before_anything_is_served(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415

    paths = os.pathsep.join(str(ROOT / name) for name in ("rules", "engine", "service"))
    ended = subprocess.run(
        [sys.executable, "-m", "tariff_service.cli", "mcp", "--rules", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "book.yaml" in ended.stderr


@pytest.mark.parametrize("text", ["0.1", "1234.56", "99999999999.99", "1e3", "0.000001"])
def test_a_short_decimal_number_survives_the_float_that_a_client_made_of_it(text: str) -> None:
    assert exact(json.loads(text), "value") == Decimal(text)


@pytest.mark.parametrize("number", [0.1 + 0.2, float("nan"), float("inf"), 12345678901234.567])
def test_a_number_that_a_float_cannot_hold_is_refused(number: float) -> None:
    with pytest.raises(ProblemError) as caught:
        exact({"value": number}, "entry")
    assert (caught.value.problem.code, caught.value.problem.field) == ("inexact_number", "entry.value")
