"""Exit codes, and the promise that no traceback reaches a user.

0: done. 1: the law book is wrong, or the program failed. 2: the input has problems. 130: interrupted.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from tariff_engine.problems import LawConflictError, Problem, ProblemError, RulebookError

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
EXITS = "Exit codes: 0 done, 1 the law book is wrong or the program failed, 2 the input has problems, 130 interrupted."
ClickError: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)  # of Click, or of the one inside Typer
_P = ParamSpec("_P")


def guarded(command: Callable[_P, int]) -> Callable[_P, None]:
    """Turn what a command returns or raises into an exit code, and what it raises into words or JSON."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        asked = True if kwargs.get("jsonl") else kwargs.get("as_json")
        raise typer.Exit(_outcome(lambda: command(*args, **kwargs), None if asked is None else bool(asked)))

    return run


def _outcome(work: Callable[[], int], json_asked: bool | None) -> int:
    from tariff_service.output import say  # noqa: PLC0415  `--version` and `--help` need none of it

    try:
        try:
            code = work()
        except (ProblemError, RulebookError, LawConflictError) as error:
            code = _tell(error, json_asked)
        sys.stdout.flush()
    except (typer.Exit, typer.Abort, ClickError):
        raise
    except BrokenPipeError:
        _let_go_of_output()
        return OK
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("TARIFF_TRACEBACK") == "1":
            raise
        say(f"tariff failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
        say("  -> please report it with the input; TARIFF_TRACEBACK=1 shows where it happened")
        with suppress(OSError):
            sys.stdout.flush()
        _let_go_of_output()  # a full disk must not speak again while Python ends
        return FAILED
    return code


def _tell(error: Exception, json_asked: bool | None) -> int:
    from tariff_service.output import wants_json, write_problem  # noqa: PLC0415

    as_json = wants_json(json_asked)
    if isinstance(error, ProblemError):
        write_problem(error.problem, as_json=as_json)
        return BAD_INPUT
    if isinstance(error, RulebookError):
        lines = tuple(str(error).splitlines())
        write_problem(
            Problem("rulebook_wrong", "rules", "the law book cannot be used", "mend the places named"), as_json=as_json, details=lines
        )
        return FAILED
    write_problem(Problem("law_conflict", "rules", str(error), "the law book must order these provisions"), as_json=as_json)
    return FAILED


def _let_go_of_output() -> None:
    """Nothing more is written to standard output, not even what Python flushes as it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def read_day(text: str) -> date:
    """Read a day of an option. Raises BadParameter."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):  # Python reads weeks too, which are no days of a filing
        with suppress(ValueError):
            return date.fromisoformat(text)
    message = f"{text[:40]} is no day; write YYYY-MM-DD"
    raise typer.BadParameter(message)


KnownOn = Annotated[
    date | None, typer.Option("--known-on", metavar="DATE", parser=read_day, help="Answer by the law as it was known on this day.")
]
Json = Annotated[
    bool | None, typer.Option("--json/--no-json", help="JSON, or tables and sentences; without it JSON where the output is piped.")
]
Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE.svg", help="Draw it too, into a new SVG file that prints well.", show_default=False),
]
Rules = Annotated[Path | None, typer.Option("--rules", metavar="DIR", help="Another folder of rules than the installed one.")]


def examples(*lines: str) -> str:
    """Return the end of a help page: examples as they are typed, and the exit codes."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines) + f"\n\n{EXITS}"
