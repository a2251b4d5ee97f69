"""Write answers: JSON for programs, words for people. Text that came from outside never reaches a terminal with control characters in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from tariff_engine.problems import Problem

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST = 120  # sentences longer than this are hard to read
_PIPED = 100  # columns where there is no terminal to ask


def wants_json(asked: bool | None) -> bool:
    """Whether to write JSON: as asked, else wherever a program and no person reads the output."""
    return not sys.stdout.isatty() if asked is None else asked


def encode(value: Any, *, indent: int | None = None) -> bytes:
    """Return JSON in UTF-8 with a line end: the same bytes for the same value."""
    if indent is None:
        try:
            return orjson.dumps(value, default=as_text, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # an integer beyond 64 bits, a key that is no text: slower, the same form
            pass
    separators = (",", ":") if indent is None else (",", ": ")
    return (json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, default=as_text) + "\n").encode()


def as_text(value: object) -> str:
    """Return a value that JSON does not know as its text. Raises TypeError for one that has none."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    message = f"no JSON for {type(value).__name__}"
    raise TypeError(message)


def write_json(value: Any) -> None:
    """Write a value to standard output as indented JSON."""
    sys.stdout.flush()
    sys.stdout.buffer.write(encode(value, indent=2))
    sys.stdout.buffer.flush()


def write_problem(problem: Problem, *, as_json: bool, details: tuple[str, ...] = ()) -> None:
    """Write a problem of the whole input: as JSON to standard output, else in words to standard error (there too, if a person reads it)."""
    if as_json:
        found: dict[str, Any] = problem.as_dict()
        if details:
            found["details"] = list(details)
        write_json({"problem": found})
    if not as_json or (sys.stderr.isatty() and not sys.stdout.isatty()):
        for line in problem_lines(problem.as_dict(), details):
            say(line)


def problem_lines(problem: Mapping[str, Any], details: tuple[str, ...] = ()) -> list[str]:
    """Return a problem in words: the field and what is wrong, what to do, then details line by line."""
    lines = [f"{problem['field']}: {problem['message']}", *(f"  {detail}" for detail in details)]
    if problem["fix"]:
        lines.append(f"  -> {problem['fix']}")
    for other in problem.get("also", ()):
        lines += problem_lines(other)
    return [clean(line) for line in lines]


def say(text: str) -> None:
    """Write a line to standard error, whatever its encoding can hold."""
    sys.stderr.write(text.encode(sys.stderr.encoding or "utf-8", "backslashreplace").decode(sys.stderr.encoding or "utf-8") + "\n")
    sys.stderr.flush()


def clean(text: object) -> str:
    """Return text without control characters, which could drive a terminal; line ends become spaces."""
    found = str(text).replace("\n", " ")
    return found if found.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in found)


def console() -> Console:
    """Return a console on standard output: no colour where NO_COLOR is set or no terminal listens."""
    from rich.console import Console  # noqa: PLC0415  programs that ask for JSON need no Rich

    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # an old terminal shows \\xe9 rather than nothing at all
    terminal = sys.stdout.isatty()

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the command, which ends quietly, where Rich would end with an error."""
            raise BrokenPipeError

    found = _Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
    if not terminal and "COLUMNS" not in os.environ:
        found.width = _PIPED
    found.width = min(found.width, _WIDEST)
    return found
