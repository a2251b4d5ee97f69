"""The commands `tariff schedule ...`: what the schedule says of a number on a day, and how a new edition is added to a folder of rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tariff_service.guard import OK, Json, KnownOn, Rules, examples, guarded, read_day

schedule_app = typer.Typer(
    help="The tables of base rates: look a number up on a day, add an edition that the official site exports.",
    epilog=examples(
        "tariff schedule show NUMBER --on YYYY-MM-DD",
        "tariff schedule import export.json --rules DIR --copy --name 'HTS 2026 revision 15' --from YYYY-MM-DD",
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@schedule_app.command(
    epilog=examples(
        "tariff schedule show NUMBER --on YYYY-MM-DD", "tariff schedule show NUMBER --on YYYY-MM-DD --known-on YYYY-MM-DD --json"
    )
)
@guarded
def show(
    hts: Annotated[str, typer.Argument(metavar="HTS", help="A number of chapters 1-97, 8 or 10 digits, with or without dots.")],
    on: Annotated[date, typer.Option("--on", metavar="DATE", parser=read_day, help="The entry date.")],
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say what the schedule prints for a number on an entry date, what stood before and after it, and its rates over time."""
    from tariff_engine.schedule_files import load_schedule  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import rules_root  # noqa: PLC0415
    from tariff_service.schedule_showing import tariff_entry  # noqa: PLC0415

    found = tariff_entry(load_schedule(rules_root(rules) / "schedule"), hts, on, known_on)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_schedule import show_entry  # noqa: PLC0415

        show_entry(Paper(console()), found)
    return OK


@schedule_app.command(
    "import",
    epilog=examples("tariff schedule import export.json --rules my-rules --copy --name 'HTS 2026 revision 15' --from YYYY-MM-DD"),
)
@guarded
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The whole schedule as the official site exports it, JSON or CSV.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The name of the edition, as answers will state it.")],
    starts: Annotated[date, typer.Option("--from", metavar="DATE", parser=read_day, help="The first entry date that it governs.")],
    published: Annotated[
        date | None,
        typer.Option("--published", metavar="DATE", parser=read_day, help="The day the public had it; without it the first entry date."),
    ] = None,
    cite: Annotated[str, typer.Option("--cite", metavar="TEXT", help="Its citation.")] = "",
    copy: Annotated[bool, typer.Option("--copy", help="Make the folder from the installed rules if it is not there.")] = False,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Add an edition of the schedule to a folder of rules of your own."""
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.schedule_import import NewEdition, import_edition  # noqa: PLC0415

    said = cite.strip() or f"19 USC 3005, 3007; USITC, Harmonized Tariff Schedule of the United States, {name}"
    done = import_edition(file, rules, NewEdition(name.strip(), starts, published or starts, said), copy=copy)
    if wants_json(as_json):
        write_json(done)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415
        from tariff_service.show_schedule import show_import  # noqa: PLC0415

        show_import(Paper(console()), done)
    return OK
