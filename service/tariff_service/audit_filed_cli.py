"""The command `tariff audit-filed`: entry summaries as they were filed, held against what the law asks for, line by line."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from tariff_engine.problems import refuse
from tariff_service.guard import BAD_INPUT, OK, Json, Rules, examples, guarded, read_day

Lines = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="Entry summary lines (ACE report ES-003, or rows of 7501s) as CSV, Excel or JSONL; - is standard input.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        "audit-filed",
        epilog=examples(
            "tariff audit-filed es003.csv",
            "tariff audit-filed es003.xlsx --out audit.xlsx --out audit.html",
            "tariff audit-filed es003.csv --json --on YYYY-MM-DD",
            "tariff audit-filed - < es003.csv",
        ),
    )(audit_filed)


@guarded
def audit_filed(
    lines: Lines,
    on: Annotated[
        date | None, typer.Option("--on", metavar="DATE", parser=read_day, help="The day from which windows count; without it today.")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", metavar="FILE", help="Write the audit into a new .xlsx, .html, .csv or .json. May be repeated."),
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of an Excel workbook.")] = None,
    tolerance: Annotated[
        str, typer.Option("--tolerance", metavar="DOLLARS", help="Amounts that differ by no more than this are the same.")
    ] = "0.00",
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say of each filed line whether it was right: missing and extra numbers, wrong rates, values and eras, refunds, and the days left.

    Rows that cannot be read are listed with their reasons; the exit code is then 2. Fees and antidumping deposits are not audited.
    """
    from tariff_service.filed_audit import AuditDesk  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.filed_out import refuse_out, write_out  # noqa: PLC0415
    from tariff_service.filed_reading import read_filed  # noqa: PLC0415
    from tariff_service.filed_report import audit_report  # noqa: PLC0415
    from tariff_service.output import console, say, wants_json, write_json  # noqa: PLC0415
    from tariff_service.refund_columns import Dictionary  # noqa: PLC0415
    from tariff_service.refund_files import read_lines  # noqa: PLC0415

    if lines == "-" and sys.stdin.isatty():
        say("reading from the terminal; end with Ctrl-D")
    refuse_out(out or ())
    desk = AuditDesk(rules, _cents(tolerance))
    found = read_lines(lines, Dictionary(desk.today.law), sheet)
    filed = read_filed(found, desk.today)
    report = audit_report(desk, found, filed, on or datetime.now(UTC).astimezone().date())
    for path in out or ():
        write_out(path, report)
    if wants_json(as_json):
        write_json(report)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_filed import show_filed  # noqa: PLC0415

        show_filed(Paper(console()), report, [str(path) for path in out or ()])
    return BAD_INPUT if report["problems"] else OK


def _cents(text: str) -> int:
    """Return the tolerance in cents. Raises ProblemError: no dollars and cents from 0 to 100."""
    try:
        amount = Decimal(text)
    except ArithmeticError:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 100 or amount * 100 != int(amount * 100):  # noqa: PLR2004
        raise refuse(
            "out_of_range", "--tolerance", f"--tolerance is {text[:40]}", "send dollars and cents from 0.00 to 100.00, such as 0.01"
        )
    return int(amount * 100)
