"""The command `tariff refund`: what was paid under duties that ended, what is owed without them, and the files of a claim."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from tariff_service.guard import BAD_INPUT, OK, Json, Rules, examples, guarded, read_day

Lines = Annotated[
    str, typer.Argument(metavar="LINES", help="Lines of entries as CSV, JSONL or Excel (.xlsx); - is standard input.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog=examples(
            "tariff refund entries.csv",
            "tariff refund entries.xlsx --cape claim/ --csv refund.csv",
            "tariff refund entries.jsonl --json --on YYYY-MM-DD",
            "tariff refund - --as-owed < entries.jsonl",
        )
    )(refund)


@guarded
def refund(
    lines: Lines,
    action: Annotated[
        str | None, typer.Option("--action", metavar="NAME", help="The refund action; without it the only one of the law book.")
    ] = None,
    on: Annotated[
        date | None, typer.Option("--on", metavar="DATE", parser=read_day, help="The day of the claim, for the windows; without it today.")
    ] = None,
    as_filed: Annotated[
        bool, typer.Option("--as-filed/--as-owed", help="Take for paid what the law known at filing demanded, or what today's law does.")
    ] = True,
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of an Excel workbook.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="OUT", help="Write every heading of every line into a new CSV file.")] = None,
    cape: Annotated[
        Path | None, typer.Option("--cape", metavar="FOLDER", help="Write the claim files, entry numbers only, into a folder.")
    ] = None,
    include_revived: Annotated[
        bool, typer.Option("--include-revived", help="Claim entries too of which a displaced duty may leave nothing.")
    ] = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Find out which facts move the duty of each line; takes up to a second a line.")
    ] = False,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say what each line paid, owes today, and owes without the duties of a refund action; entries, windows, totals, claim files.

    Rows that cannot be read are listed with their reasons; the exit code is then 2. Interest is not computed.
    """
    from tariff_service.output import console, say, wants_json, write_json  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.refund_columns import Dictionary  # noqa: PLC0415
    from tariff_service.refund_files import read_lines  # noqa: PLC0415
    from tariff_service.refund_out import refuse_old_files, rows_csv, write_claim_files, write_text  # noqa: PLC0415
    from tariff_service.refund_rows import read_claims  # noqa: PLC0415
    from tariff_service.refunding import RefundDesk, refund_report  # noqa: PLC0415

    if lines == "-" and sys.stdin.isatty():
        say("reading from the terminal; end with Ctrl-D")
    desk = RefundDesk(rules, action)
    refuse_old_files(csv, cape, desk.action.file)
    found = read_lines(lines, Dictionary(desk.today.law, desk.action.action), sheet)
    claims = read_claims(found, desk.today, desk.action.action)
    day = on or datetime.now(UTC).astimezone().date()
    report = refund_report(desk, found, claims, day, as_filed=as_filed, revived=include_revived, ask=ask)
    if csv is not None:
        write_text(csv, rows_csv(report))
    if cape is not None and desk.action.file is not None:
        report["claim_file"]["written"] = write_claim_files(cape, desk.action.file, report["claim_file"])
    if wants_json(as_json):
        write_json(report)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_refund import show_refund  # noqa: PLC0415

        show_refund(Paper(console()), report)
    return BAD_INPUT if report["problems"] else OK
