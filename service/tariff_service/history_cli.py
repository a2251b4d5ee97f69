"""The command `tariff history`: what every act did to a provision or a program, in the order in which it became known."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from tariff_service.guard import OK, Json, KnownOn, Rules, examples, guarded


class By(StrEnum):
    """Which of its two days an event stands under."""

    known = "known"
    effect = "effect"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "tariff history ieepa-canada",
            "tariff history HEADING",
            "tariff history HEADING --by effect",
            "tariff history HEADING --known-on YYYY-MM-DD --json",
        )
    )(history)


@guarded
def history(
    name: Annotated[
        str,
        typer.Argument(
            metavar="HEADING|PROGRAM", help="A heading of chapter 99, with or without dots, family:NAME, or a program.", show_default=False
        ),
    ],
    by: Annotated[By, typer.Option("--by", help="Order the events by the day they became known, or by the first day of entry.")] = By.known,
    every: Annotated[bool, typer.Option("--all", help="Tell the rows of tables and the numbers of lists one by one.")] = False,
    known_on: KnownOn = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Tell the history of a provision or a program: announced, in effect, changed, called off, made to reach back, ended; each with its act."""
    from tariff_service.history import history as history_of  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.rulebook import open_book  # noqa: PLC0415

    known: date | None = known_on
    found = history_of(open_book(rules), name, known_on=known, order=by.value, every=every)
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_history import show_history  # noqa: PLC0415

        show_history(Paper(console()), found, every=every)
    return OK
