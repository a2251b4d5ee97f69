"""The command `tariff impact`: what a change of law does to lines of a file, or to the assessments that the audit store keeps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariff_engine.problems import refuse
from tariff_service.guard import BAD_INPUT, FAILED, OK, Json, KnownOn, examples, guarded

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_service.impact import Impact
    from tariff_service.impact_out import Sink
    from tariff_service.line_stream import Sent

CHANGED = 3  # lines change, where --exit-code asks to be told
_UNCHANGED = "same"
_BOOK = "A folder of rules, a tar archive of one, an id in the audit store, or `installed`."

Lines = Annotated[
    str | None, typer.Argument(metavar="LINES", help="Lines as CSV, JSONL or Excel (.xlsx); - is standard input.", show_default=False)
]
Out = Annotated[
    list[Path] | None,
    typer.Option("--out", metavar="FILE", help="Write the lines that change into a new .csv, .jsonl, .json or .xlsx, a page as .html."),
]
Every = Annotated[bool, typer.Option("--all", help="Write the lines that do not change too.")]
Largest = Annotated[
    int, typer.Option("--largest", metavar="N", min=0, max=10_000, help="So many of the largest differences in the report.")
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with 3 where a line changes.")]
Sheet = Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of an Excel workbook.")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog=examples(
            "tariff impact --to my-rules lines.csv",
            "tariff impact --from old-rules.tar.gz --to installed lines.jsonl --out impact.xlsx --out impact.html",
            "tariff impact --from sha256:4f0c21 --to installed --stored --store audit.db --json",
            "tariff impact --to my-rules - --exit-code < lines.jsonl",
        )
    )(impact)


@guarded
def impact(
    lines: Lines = None,
    before: Annotated[str, typer.Option("--from", metavar="RULEBOOK", help=_BOOK)] = "installed",
    after: Annotated[str, typer.Option("--to", metavar="RULEBOOK", help=_BOOK)] = "installed",
    stored: Annotated[bool, typer.Option("--stored", help="Take the lines of the assessments that the audit store keeps.")] = False,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="The audit store, for --stored and for ids; without it the user's own.")
    ] = None,
    out: Out = None,
    every: Every = False,
    largest: Largest = 20,
    sheet: Sheet = None,
    exit_code: ExitCode = False,
    known_on: KnownOn = None,
    as_json: Json = None,
) -> int:
    """Say which lines owe otherwise by another law book, by how much and because of which provisions, with totals by program and origin.

    Lines that state one entry number and follow each other are one entry. Lines that one of the laws cannot assess are counted apart; the exit code is then 2.
    """
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.rulebook import open_engine  # noqa: PLC0415
    from tariff_service.rulebook_source import rulebook_folder  # noqa: PLC0415

    if (lines is None) != stored:
        raise refuse("which_lines", "LINES", "name either a file of lines, or --stored", "tariff impact --to RULEBOOK LINES")
    if before == after:
        raise refuse("same_rulebook", "--to", f"both laws are {after[:100]}", "name the other law book with --to, or with --from")
    with rulebook_folder(before, "--from", store) as one, rulebook_folder(after, "--to", store) as two:
        laws = open_engine(one).at(known_on), open_engine(two).at(known_on)
        with lines_of(lines, laws[0], laws[1], store=store, sheet=sheet) as sent:
            found, failed = run_impact(laws, (before, after), sent, out or (), every=every, largest=largest, known_on=known_on)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_impact import show_impact  # noqa: PLC0415

        show_impact(Paper(console()), found)
    if failed:
        return FAILED
    if {"refused", "refused_by_one", "not_told"} & found["statuses"].keys():
        return BAD_INPUT
    return CHANGED if exit_code and found["changed"] else OK


def run_impact(
    laws: tuple[Knowledge, Knowledge],
    names: tuple[str, str],
    sent: Iterator[Sent],
    out: list[Path] | tuple[()],
    *,
    every: bool,
    largest: int,
    known_on: date | None,
) -> tuple[dict[str, Any], bool]:
    """Run the lines through both laws and write the files; return the report, and whether the program failed on a line."""
    from tariff_service.impact import Impact, report  # noqa: PLC0415
    from tariff_service.impact_out import sinks  # noqa: PLC0415

    work = Impact(*laws, largest=largest)
    with sinks(out) as opened:
        _run(work, sent, opened, every=every)
        found = report(work, names, known_on.isoformat() if known_on else None)
        for sink in opened:
            sink.end(found)
    return found, bool(work.totals.failures)


def _run(work: Impact, sent: Iterator[Sent], opened: list[Sink], *, every: bool) -> None:
    watched = sys.stderr.isatty() and not sys.stdout.isatty()

    def tell(rows: int) -> None:
        if watched:
            sys.stderr.write(f"\r{rows:,} lines ")
            sys.stderr.flush()

    for line in work.run(sent, tell, reasons=bool(opened)):
        if every or line["status"] != _UNCHANGED:
            for sink in opened:
                sink.line(line)


@contextmanager
def lines_of(
    name: str | None, before: Knowledge, after: Knowledge, *, store: str | None = None, sheet: str | None = None
) -> Iterator[Iterator[Sent]]:
    """Give the lines of a file, or those of the stored assessments where no file is named. The law that knows more facts reads the columns."""
    reader = max((before, after), key=lambda knowledge: len(knowledge.law.facts))
    if name is None:
        from tariff_service.stored_lines import stored_lines  # noqa: PLC0415  a file needs no database

        with stored_lines(store, reader) as sent:
            yield sent
        return
    from tariff_service.line_stream import opened_lines, stream_lines  # noqa: PLC0415

    with ExitStack() as stack:
        source: Any = opened_lines(name)
        if name != "-":
            stack.enter_context(source)
        yield stream_lines(name, source, reader, sheet)
