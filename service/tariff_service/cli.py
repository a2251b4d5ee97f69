"""The command `tariff`: assess an entry or rows of lines, explain why and why not, read the law book, serve, audit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tariff_engine import __version__
from tariff_service import (
    audit_filed_cli,
    bulk_cli,
    compare_cli,
    history_cli,
    impact_cli,
    mcp_cli,
    prove_cli,
    refund_cli,
    serve_cli,
    timeline_cli,
    what_if_cli,
)
from tariff_service.audit_cli import audit_app
from tariff_service.filing_views import View, write_view
from tariff_service.guard import BAD_INPUT, FAILED, INTERRUPTED, OK, ClickError, Json, KnownOn, Rules, examples, guarded
from tariff_service.keys_cli import keys_app
from tariff_service.rules_cli import rules_app
from tariff_service.schedule_cli import schedule_app

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge


class Explain(StrEnum):
    """How much of the why goes into an answer."""

    none = "none"
    summary = "summary"
    full = "full"


class EngineName(StrEnum):
    """Which engine decides."""

    compiled = "compiled"
    durable = "durable"


app = typer.Typer(
    name="tariff",
    help="Which US customs duties apply to a shipment line, how much each is, in which order to report them, and why.",
    epilog=examples(
        "tariff assess entry.yaml",
        "tariff explain entry.yaml",
        "tariff history ieepa-canada",
        "tariff rules list",
        "tariff serve",
        "tariff COMMAND --help",
    ),
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(rules_app, name="rules")
app.add_typer(schedule_app, name="schedule")
app.add_typer(audit_app, name="audit")
app.add_typer(keys_app, name="keys")

File = Annotated[str, typer.Argument(metavar="FILE", help="One entry as JSON or YAML; - is standard input.", show_default=False)]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"tariff {__version__}")
        raise typer.Exit(OK)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(BAD_INPUT)


@app.command(
    epilog=examples(
        "tariff assess entry.yaml",
        "tariff assess entry.json --known-on YYYY-MM-DD",
        "tariff assess - --json < entry.json",
        "tariff assess --jsonl < lines.jsonl > answers.jsonl",
        "tariff assess --jsonl --aggregate parcels.jsonl > answers.jsonl",
        "tariff assess entry.yaml --format 7501",
        "tariff assess entry.yaml --format es003 --entry-number ABC-1234567-6 > es003.csv",
    )
)
@guarded
def assess(
    file: File = "-",
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Rows: one flat shipment line a row in, one answer a row out.")] = False,
    aggregate: Annotated[
        bool, typer.Option("--aggregate", help="With --jsonl: the de minimis test adds up the rows of one consignee and day of entry.")
    ] = False,
    known_on: KnownOn = None,
    explain: Annotated[Explain, typer.Option(help="How much of the why goes into the answer.")] = Explain.full,
    view: Annotated[
        View | None,
        typer.Option("--format", help="The entry summary in the blocks of form 7501, or as CSV in the columns of ACE report ES-003."),
    ] = None,
    entry_number: Annotated[
        str | None, typer.Option("--entry-number", metavar="NUMBER", help="The entry number, for --format; else the id of the entry.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="durable: a second engine decides, slower; an answer on which the two differ is refused.")
    ] = EngineName.compiled,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say which duties an entry owes, line by line, with its fees and totals.

    With --jsonl a row that has a problem is answered by the problem, in its place, and the others go on; the exit code is then 2.
    """
    if jsonl and view is not None:
        message = "--format writes the view of one entry, --jsonl answers rows; ask for one of them"
        raise typer.BadParameter(message)
    if aggregate and not jsonl:
        message = "--aggregate adds up the rows of --jsonl; the lines of one entry are added up in any case"
        raise typer.BadParameter(message)

    def answered(knowledge: Knowledge) -> int:
        _greet(file)
        if jsonl:
            return _assess_rows(file, knowledge, explain, aggregate=aggregate)
        return _assess_one(file, knowledge, known_on, explain, view=view, entry_number=entry_number, as_json=as_json)

    if engine is EngineName.durable:
        from tariff_service.second_opinion import open_durable  # noqa: PLC0415  durable-rules is an extra

        with open_durable(rules, known_on) as knowledge:
            return answered(knowledge)
    from tariff_service.rulebook import open_engine  # noqa: PLC0415  `--help` needs no engine

    return answered(open_engine(rules).at(known_on))


def _assess_one(
    file: str,
    knowledge: Knowledge,
    known_on: date | None,
    explain: Explain,
    *,
    view: View | None,
    entry_number: str | None,
    as_json: bool | None,
) -> int:
    from tariff_engine.entry import assess_entry  # noqa: PLC0415
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.reading import read_entry  # noqa: PLC0415

    raw = read_entry(file)
    answer = assess_entry(knowledge, raw, explain.value, asked_on=known_on)
    if view is not None:
        write_view(view, answer, raw, entry_number)
    elif wants_json(as_json):
        write_json(answer)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_assessment import show_assessment  # noqa: PLC0415

        show_assessment(Paper(console()), answer, file)
    return BAD_INPUT if answer["problems"] else OK


def _greet(file: str) -> None:
    if file == "-" and sys.stdin.isatty():
        from tariff_service.output import say  # noqa: PLC0415

        say("reading from the terminal; end with Ctrl-D")


def _assess_rows(file: str, knowledge: Knowledge, explain: Explain, *, aggregate: bool) -> int:
    from contextlib import nullcontext  # noqa: PLC0415

    from tariff_service.reading import open_file  # noqa: PLC0415
    from tariff_service.rows import added_up, assess_rows  # noqa: PLC0415

    progress = sys.stderr.isatty() and not sys.stdout.isatty()
    with (
        nullcontext(sys.stdin.buffer) if file == "-" else open_file(file) as opened,
        added_up(opened) if aggregate else nullcontext((opened, None)) as (source, same_day),
    ):
        tally = assess_rows(knowledge, source, sys.stdout.buffer, explain.value, progress=progress, same_day=same_day)
    return FAILED if tally.failures else BAD_INPUT if tally.problems else OK


@app.command(
    epilog=examples(
        "tariff explain entry.yaml", "tariff explain entry.yaml --line 2 --program ieepa-reciprocal", "tariff explain - --json < entry.json"
    )
)
@guarded
def explain(
    file: File = "-",
    program: Annotated[str | None, typer.Option("--program", metavar="NAME", help="Only this program.")] = None,
    line: Annotated[str | None, typer.Option("--line", metavar="LINE", help="Only the line with this id.")] = None,
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say why each program applies to a line, and why the others do not: the deciding condition, the value seen, the act and its dates."""
    from tariff_service.explaining import explain_entry  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.reading import read_entry  # noqa: PLC0415
    from tariff_service.rulebook import open_engine  # noqa: PLC0415

    _greet(file)
    raw = read_entry(file)
    found = explain_entry(open_engine(rules), raw, known_on=known_on, program=program, line=line)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_explanation import show_explanation  # noqa: PLC0415

        show_explanation(Paper(console()), found)
    return BAD_INPUT if found["problems"] else OK


timeline_cli.register(app)
compare_cli.register(app)
what_if_cli.register(app)
history_cli.register(app)
refund_cli.register(app)
audit_filed_cli.register(app)
bulk_cli.register(app)
prove_cli.register(app)
serve_cli.register(app)
mcp_cli.register(app)
impact_cli.register(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with the arguments of the process, or with others; return its exit code."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=None if arguments is None else list(arguments), prog_name="tariff", standalone_mode=False)
    except ClickError as error:
        error.show()
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as error:  # somebody closed the pipe under --help
        return error.code if isinstance(error.code, int) else FAILED
    return code if isinstance(code, int) else OK


if __name__ == "__main__":
    sys.exit(main())
