"""The command `tariff`: what it can be asked, and what its exit codes say."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from tariff_engine import __version__
from tariff_engine.problems import Problem, ProblemError, RulebookError, TariffError

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_P = ParamSpec("_P")
_ClickError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")  # Typer brings its own Click, or uses Click

_EXITS = "Exit codes: 0 done; 1 the law book is wrong, or the program failed; 2 the input has problems; 130 interrupted."


class Explain(StrEnum):
    """How much of the why goes into an answer."""

    none = "none"
    summary = "summary"
    full = "full"


app = typer.Typer(
    name="tariff",
    help="Which US customs duties apply to a shipment line, how much each is, in which order to report them, and why.",
    epilog=_EXITS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
rules_app = typer.Typer(help="Read the law book.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")


# ---------------------------------------------------------------- what every command shares
def guarded(command: Callable[_P, int]) -> Callable[_P, None]:
    """Turn what a command returns or raises into an exit code. No traceback reaches a user, unless TARIFF_TRACEBACK=1 asks for it."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        asked = kwargs.get("as_json")
        code = _outcome(lambda: command(*args, **kwargs), None if asked is None else bool(asked))
        raise typer.Exit(code)

    return run


def _outcome(work: Callable[[], int], json_asked: bool | None) -> int:
    from tariff_service.output import say, wants_json, write_problem  # noqa: PLC0415  `--version` and `--help` need none of it

    try:
        try:
            code = work()
            sys.stdout.flush()
        except ProblemError as error:
            write_problem(error.problem, as_json=wants_json(json_asked))
            return BAD_INPUT
        except RulebookError as error:
            lines = str(error).splitlines()
            problem = Problem("rulebook_wrong", "rules", "the law book cannot be used", "mend the files named; `tariff rules check` tells more")
            write_problem(problem, as_json=wants_json(json_asked), details=tuple(lines))
            return FAILED
        except TariffError as error:
            write_problem(Problem("failed", "law", str(error)), as_json=wants_json(json_asked))
            return FAILED
        else:
            return code
    except (typer.Exit, typer.Abort, _ClickError):
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
        say("  -> this is a fault of the program; please report it with the input, after TARIFF_TRACEBACK=1 has shown where")
        return FAILED


def _let_go_of_output() -> None:
    """Whoever read the output has had enough: nothing more is written, not even while Python ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _day(text: str) -> date:
    """Read a day of an option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text} is no day; write a day such as 2025-03-04"
        raise typer.BadParameter(message) from None


Day = Annotated[date | None, typer.Option("--known-on", metavar="DATE", parser=_day, help="Answer by the law as it was known on this day.")]
Json = Annotated[bool | None, typer.Option("--json/--no-json", help="JSON, or tables and sentences; by default JSON where the output is piped.")]
Rules = Annotated[Path | None, typer.Option("--rules", metavar="DIR", help="Another folder of rules than the installed one.")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"tariff {__version__}")
        raise typer.Exit(OK)


# ---------------------------------------------------------------- assess
@app.command(epilog=_EXITS)
@guarded
def assess(
    file: Annotated[str, typer.Argument(help="One entry as JSON or YAML; - reads standard input.")] = "-",
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One flat shipment line a row in, one answer a row out.")] = False,
    known_on: Day = None,
    explain: Annotated[Explain, typer.Option(help="How much of the why to put into the answer.")] = Explain.full,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say which duties an entry owes, line by line, with fees and totals."""
    from tariff_service.rulebook import open_engine  # noqa: PLC0415

    if file == "-" and sys.stdin.isatty():
        from tariff_service.output import say  # noqa: PLC0415

        say("reading standard input; end with Ctrl-D")
    if jsonl:
        return _assess_rows(file, open_engine(rules).at(known_on), explain)
    from tariff_engine.entry import assess_entry  # noqa: PLC0415
    from tariff_service.output import wants_json, write_json  # noqa: PLC0415
    from tariff_service.reading import read_entry  # noqa: PLC0415

    raw = read_entry(file)
    knowledge = open_engine(rules).at(known_on)
    answer = assess_entry(knowledge, raw, explain.value, asked_on=known_on)
    if wants_json(as_json):
        write_json(answer)
    else:
        from tariff_service.output import console  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_assessment import show_assessment  # noqa: PLC0415

        show_assessment(Paper(console()), answer, file)
    return BAD_INPUT if answer["problems"] else OK


def _assess_rows(file: str, knowledge: Any, explain: Explain) -> int:
    from tariff_service.reading import open_failed  # noqa: PLC0415
    from tariff_service.rows import assess_rows  # noqa: PLC0415

    progress = sys.stderr.isatty() and not sys.stdout.isatty()
    if file == "-":
        tally = assess_rows(knowledge, sys.stdin.buffer, sys.stdout.buffer, explain.value, progress=progress)
    else:
        try:
            source = Path(file).open("rb")  # noqa: SIM115  closed below; only its opening is a problem of the input
        except OSError as error:
            raise open_failed(file, error) from None
        with source:
            tally = assess_rows(knowledge, source, sys.stdout.buffer, explain.value, progress=progress)
    return FAILED if tally.failures else BAD_INPUT if tally.problems else OK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=None if arguments is None else list(arguments), prog_name="tariff", standalone_mode=False)
    except _ClickError as error:
        error.show()  # type: ignore[attr-defined]
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as error:  # a closed pipe under --help
        return error.code if isinstance(error.code, int) else FAILED
    return code if isinstance(code, int) else OK


if __name__ == "__main__":
    sys.exit(main())
