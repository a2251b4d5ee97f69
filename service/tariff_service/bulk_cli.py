"""The command `tariff bulk`: a file of entry lines in, a row a line out, with what was rejected, what was mended, and a report of the book."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariff_service.guard import BAD_INPUT, OK, Json, KnownOn, Rules, examples, guarded

if TYPE_CHECKING:
    from tariff_service.bulk.running import Options

Source = Annotated[
    str, typer.Argument(metavar="LINES", help="CSV, Excel (.xlsx), JSONL, Parquet or Arrow; - is standard input.", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Argument(metavar="OUT", help="A row a line, in the format of its suffix: .csv .xlsx .jsonl .parquet .arrow", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog=examples(
            "tariff bulk entries.csv duties.csv",
            "tariff bulk entries.parquet duties.parquet --long headings.parquet --jobs 2",
            "tariff bulk entries.xlsx duties.xlsx --report book.html",
            "tariff bulk entries.csv duties.csv --resume",
            "tariff bulk entries.csv --explain ABC-0000001-0/2",
            "tariff bulk odd.csv duties.csv --map odd.yaml",
        )
    )(bulk)


@guarded
def bulk(
    source: Source,
    out: Out = None,
    long: Annotated[Path | None, typer.Option("--long", metavar="FILE", help="Also a row for each line and heading.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Also a report of the whole book, as .html or .xlsx.")
    ] = None,
    explain: Annotated[str | None, typer.Option("--explain", metavar="LINE", help="Write nothing; explain the line with this id.")] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="A mapping file (YAML): what the columns stand for, facts of all rows.")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of an Excel workbook.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run that ended early left off.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Processes; the output is the same, byte for byte.")] = 1,
    ranges: Annotated[
        bool, typer.Option("--ranges/--no-ranges", help="Try the facts that nobody stated: lowest and highest duty, savings. Much slower.")
    ] = True,
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Assess a file of entry lines of any size: a row a line, rejected rows with their reasons beside it, nothing lost.

    The exit code is 2 where rows were rejected, ids stand twice or lines of an entry stand apart; all the other lines are answered.
    """
    _needs_arrow()
    if explain is not None:
        return _explain(source, explain, mapping, sheet, known_on, rules, as_json=as_json)
    if out is None:
        message = "name the file to write, or --explain ID"
        raise typer.BadParameter(message, param_hint="OUT")
    from tariff_service.bulk.running import Options  # noqa: PLC0415  `--help` needs no Arrow

    return _run(
        Options(
            source=source,
            out=out,
            long=long,
            report=report,
            mapping=mapping,
            sheet=sheet,
            rules=rules,
            known_on=known_on,
            jobs=jobs,
            resume=resume,
            ranges=ranges,
        ),
        as_json=as_json,
    )


def _needs_arrow() -> None:
    try:
        import numpy as np  # noqa: F401, PLC0415  an extra
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: F401, PLC0415  an extra
    except ImportError as error:
        from tariff_engine.problems import refuse  # noqa: PLC0415

        message = f"bulk work needs the package {error.name}"
        raise refuse("bulk_missing", "file", message, "install the extra `bulk`") from None


def _run(options: Options, *, as_json: bool | None) -> int:
    from tariff_service.bulk.progress import Progress  # noqa: PLC0415  `--help` needs no Arrow
    from tariff_service.bulk.running import problems_of, run  # noqa: PLC0415
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415

    with Progress() as progress:
        found = run(options, progress.told)
    if wants_json(as_json):
        write_json(_shown(found))
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_bulk import show_bulk  # noqa: PLC0415

        show_bulk(Paper(console()), found)
    return BAD_INPUT if problems_of(found) else OK


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out of JSON what only a report shows."""
    totals = {name: value for name, value in found["totals"].items() if name not in {"by", "open_lines", "saving_lines"}}
    return {**found, "totals": totals}


def _explain(
    source: str, line: str, mapping: Path | None, sheet: str | None, known_on: Any, rules: Path | None, *, as_json: bool | None
) -> int:
    from tariff_service.bulk.finding import find_line  # noqa: PLC0415
    from tariff_service.explaining import explain_entry  # noqa: PLC0415
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_engine  # noqa: PLC0415

    engine = open_engine(rules)
    raw = find_line(source, line, mapping, sheet, engine.at(known_on))
    found = explain_entry(engine, raw, known_on=known_on)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_explanation import show_explanation  # noqa: PLC0415

        show_explanation(Paper(console()), found)
    return BAD_INPUT if found["problems"] else OK
