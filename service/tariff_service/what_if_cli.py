"""The command `tariff what-if`: what would lower the duty of each line, and what would raise it, if true."""

from __future__ import annotations

from typing import Annotated

import typer

from tariff_service.guard import OK, Json, KnownOn, Rules, examples, guarded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "what-if",
        epilog=examples(
            "tariff what-if line.yaml",
            "tariff what-if entry.json --days 60",
            "tariff what-if - --json < entry.json",
        ),
    )(what_if)


@guarded
def what_if(
    file: Annotated[str, typer.Argument(metavar="FILE", help="One entry as JSON or YAML; - is standard input.", show_default=False)] = "-",
    days: Annotated[
        int, typer.Option("--days", metavar="N", help="How many days the day of entry may move, for an entry that is not made yet.")
    ] = 30,
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Say which changes of facts would lower or raise the duty of each line, if true, with the dollars, the proof, and the law.

    Each amount is that of the entry assessed again with the change. Another number, origin or value is never suggested.
    """
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.reading import read_entry  # noqa: PLC0415
    from tariff_service.rulebook import open_engine  # noqa: PLC0415
    from tariff_service.what_if import what_if as what_if_  # noqa: PLC0415

    found = what_if_(open_engine(rules), read_entry(file), known_on=known_on, days=days)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_what_if import show_what_if  # noqa: PLC0415

        show_what_if(Paper(console()), found)
    return OK
