"""The log tells what happened in lines that programs read, and never what somebody sent."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
from datetime import UTC, datetime

import pytest

from tariff_service.api.logs import AccessLog, Handler, Lines, event, stamp, trace, uvicorn_logging, written

NAME = "a-name-that-nobody-may-read"


def fail() -> None:
    try:
        dict[str, str]()[NAME]
    except KeyError as error:
        message = f"cannot read {NAME}"
        raise ValueError(message) from error


def caught() -> ValueError:
    try:
        fail()
    except ValueError as error:
        return error
    raise AssertionError


def test_moments_are_utc_to_the_millisecond() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC).timestamp()
    assert stamp(moment) == "2026-01-02T03:04:05.678Z"


def test_trace_names_places_and_kinds_and_no_message() -> None:
    found = trace(caught())
    assert NAME not in str(found)
    assert found[0] == "builtins.ValueError"
    assert "builtins.KeyError" in found
    assert any("test_logs.py" in row and "in fail" in row for row in found)


@pytest.mark.parametrize("form", ["json", "text"])
def test_events_and_lines_of_libraries_become_lines_without_values(form: str) -> None:
    wrote: list[str] = []
    handler = Handler(form, Lines(wrote.append))
    logger = logging.getLogger("tariff")
    logger.addHandler(handler)
    library = logging.getLogger("some.library")
    library.addHandler(handler)
    library.propagate = False
    try:
        logger.setLevel("INFO")
        event("reload", result="loaded", problems=["a b"])
        event("fault", "error", error=caught(), request_id="r1")
        library.error("went\nwrong", exc_info=caught())
    finally:
        logger.removeHandler(handler)
        library.removeHandler(handler)
    assert NAME not in "".join(wrote)
    assert all(line.endswith("\n") for line in wrote)
    if form == "json":
        reload, fault, other = map(json.loads, wrote)
        assert (reload["event"], reload["level"], reload["result"]) == ("reload", "info", "loaded")
        assert (fault["event"], fault["error"], fault["request_id"]) == ("fault", "ValueError", "r1")
        assert (other["event"], other["logger"], other["message"]) == ("library", "some.library", "went\nwrong")
    else:
        assert "result=loaded problems=\"['a b']\"" in wrote[0]
        assert "    builtins.ValueError\n" in wrote[1]


def test_text_fields_cannot_break_a_line() -> None:
    assert (
        written("text", "info", "request", {"caller": 'a "b"\n c'}, 0.0)
        == '1970-01-01T00:00:00.000Z info    request caller="a \\"b\\"\\n c"\n'
    )


def test_lines_of_requests_are_gathered_into_one_write_and_urgent_ones_come_after_them() -> None:
    wrote: list[str] = []
    lines = Lines(wrote.append)

    async def work() -> None:
        for number in range(3):
            lines.add(f"{number}\n")
        assert wrote == []
        await asyncio.sleep(0.05)
        assert wrote == ["0\n1\n2\n"]
        lines.add("3\n")
        lines.urgent("4\n")
        assert wrote[1:] == ["3\n4\n"]
        await asyncio.sleep(0.05)

    asyncio.run(work())
    assert len(wrote) == 2


def test_lines_of_a_loop_that_ended_early_are_written_with_the_next() -> None:
    wrote: list[str] = []
    lines = Lines(wrote.append)

    async def add(line: str, wait: float) -> None:
        lines.add(line)
        await asyncio.sleep(wait)

    asyncio.run(add("1\n", 0))
    asyncio.run(add("2\n", 0.05))
    assert wrote == ["1\n2\n"]
    lines.flush()
    asyncio.run(add("3\n", 0))
    lines.flush()
    assert wrote[1:] == ["3\n"]


def test_reader_of_the_log_that_is_gone_stops_nobody() -> None:
    def broken(_text: str) -> None:
        raise BrokenPipeError

    Lines(broken).urgent("text\n")


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_level_of_a_request_is_that_of_its_status(level: str, shown: int) -> None:
    wrote: list[str] = []
    log = AccessLog(level, "json", Lines(wrote.append))

    async def work() -> None:
        for status, quiet in ((200, True), (404, False), (503, False), (500, False)):
            log.write(
                request_id="r",
                method="GET",
                endpoint="/v1/x",
                status=status,
                seconds=0.0123,
                size=4,
                caller='a"b',
                rulebook="abc",
                quiet=quiet,
            )
        await asyncio.sleep(0.05)

    asyncio.run(work())
    found = [json.loads(line) for line in "".join(wrote).splitlines()]
    assert [one["level"] for one in found] == ["debug", "info", "warning", "error"][-shown:]
    assert {key: found[-1][key] for key in ("caller", "ms", "bytes", "endpoint")} == {
        "caller": 'a"b',
        "ms": 12.3,
        "bytes": 4,
        "endpoint": "/v1/x",
    }


def test_configuration_is_one_that_logging_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logging.config.dictConfig(uvicorn_logging("info", "json"))
        handler = logging.getLogger("uvicorn").handlers[0]
        assert isinstance(handler, Handler)
        monkeypatch.setattr(handler, "lines", Lines(taken.append))
        logging.getLogger("uvicorn.error").info("hello")
        logging.getLogger("uvicorn.error").warning("careful")
    finally:
        root.handlers, root.level = before, level
        for name in ("tariff", "uvicorn", "uvicorn.access"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
            logging.getLogger(name).setLevel(logging.NOTSET)
    assert [json.loads(line)["message"] for line in taken] == ["careful"]
