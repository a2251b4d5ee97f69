"""The command `tariff timeline`: the duty of one line over the days of entry, each step with its cause."""

from __future__ import annotations

from typing import Annotated

import typer

from tariff_service.guard import OK, Json, KnownOn, Picture, Rules, examples, guarded, read_day

_VALUE = "10000"  # dollars: rates in percent are the same on any value

Day = Annotated[str | None, typer.Option(metavar="DATE", parser=read_day)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "tariff timeline HTS --origin XX",
            "tariff timeline HTS --origin XX --value 25000 --from YYYY-MM-DD --fact mode=truck",
            "tariff timeline --file line.yaml --known-on YYYY-MM-DD --json",
            "tariff timeline HTS --origin XX --picture duty.svg",
        )
    )(timeline)


@guarded
def timeline(
    hts: Annotated[str | None, typer.Argument(metavar="HTS", help="The number of the goods, 8 or 10 digits.", show_default=False)] = None,
    origin: Annotated[str | None, typer.Option("--origin", metavar="XX", help="Country of origin, two letters.")] = None,
    value: Annotated[str | None, typer.Option("--value", metavar="DOLLARS", help=f"Entered value; {_VALUE} if nobody says.")] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", metavar="NAME=VALUE", help="Any other fact; may be repeated.")] = None,
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help="A line as JSON or YAML; - is standard input.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", parser=read_day, help="First day of entry.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", parser=read_day, help="Day of entry to stop before.")] = None,
    known_on: KnownOn = None,
    picture: Picture = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Follow the duty of a line over the days of entry: every step with its cause, what was announced and called off, what lies ahead."""
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.pictures.keeping import check_picture, keep_picture, names  # noqa: PLC0415
    from tariff_service.rulebook import open_book, open_engine  # noqa: PLC0415
    from tariff_service.stated import line_of  # noqa: PLC0415
    from tariff_service.timeline import timeline as timeline_of  # noqa: PLC0415

    check_picture(picture)
    engine = open_engine(rules)
    facts = line_of(hts, file, fact or (), {"origin": origin, "value": value})
    facts.setdefault("value", _VALUE)
    if file:
        facts.pop("entry_date", None)  # the day of a line from a file is what the timeline runs over
    found = timeline_of(engine, open_book(rules), facts, first=first, until=until, known_on=known_on)  # type: ignore[arg-type]  # the parser of the options makes days of them
    if picture is not None:
        from tariff_service.pictures.timeline_picture import timeline_picture  # noqa: PLC0415

        keep_picture(picture, timeline_picture(found, *names(engine)))
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_timeline import show_timeline  # noqa: PLC0415

        show_timeline(Paper(console()), found)
    return OK
