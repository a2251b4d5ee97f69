"""The command `tariff compare`: an entry beside itself under other origins, days, claims, knowledge days or rulebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tariff_engine.problems import refuse
from tariff_service.guard import BAD_INPUT, OK, Json, KnownOn, Picture, Rules, examples, guarded

_NOW = "now"
_KNOWN_ON = "known_on"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "tariff compare line.yaml --vary origin=CN,DE,MX",
            "tariff compare line.yaml --vary entry_date=YYYY-MM-DD,YYYY-MM-DD --vary known_on=YYYY-MM-DD,now",
            "tariff compare line.yaml --claim usmca_qualifying=true --json",
            "tariff compare line.yaml --rulebook old-rules --rulebook new-rules",
            "tariff compare line.yaml --vary origin=CN,DE --picture origins.svg",
        )
    )(compare)


@guarded
def compare(
    file: Annotated[str, typer.Argument(metavar="FILE", help="One entry as JSON or YAML; - is standard input.", show_default=False)] = "-",
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="NAME=V1,V2", help="Values of a fact, or of known_on (`now`: everything known). May be repeated."),
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="NAME=VALUE,...", help="Facts claimed together, beside the entry without them. May be repeated."),
    ] = None,
    rulebook: Annotated[
        list[Path] | None, typer.Option("--rulebook", metavar="DIR", help="Answer by these folders of rules too. May be repeated.")
    ] = None,
    known_on: KnownOn = None,
    picture: Picture = None,
    as_json: Json = None,
    rules: Rules = None,
) -> int:
    """Compare an entry with itself: every combination of what varies, with the dollars and the reason of each difference."""
    from tariff_service.comparing import compare as compare_  # noqa: PLC0415  `--help` needs no engine
    from tariff_service.output import console, wants_json, write_json  # noqa: PLC0415
    from tariff_service.pictures.keeping import check_picture, keep_picture, names  # noqa: PLC0415
    from tariff_service.reading import read_entry  # noqa: PLC0415
    from tariff_service.rulebook import open_engine  # noqa: PLC0415

    check_picture(picture)
    base = read_entry(file)
    dimensions = _dimensions(vary or (), claim or ())
    books = {}
    for folder in rulebook or ():
        engine = open_engine(folder)
        books[engine.at().law.id] = engine
    if books:
        dimensions["rulebook"] = list(books)
    if not dimensions:
        raise refuse("nothing_varies", "--vary", "nothing varies", "say what: --vary origin=CN,DE, --claim NAME=VALUE or --rulebook DIR")
    asked = open_engine(rules)
    found = compare_(asked, base, dimensions, known_on=known_on, rulebooks=books or None)
    if picture is not None:
        from tariff_service.pictures.compare_picture import compare_picture  # noqa: PLC0415

        keep_picture(picture, compare_picture(found, *names(asked)))
    if wants_json(as_json):
        write_json(found)
    else:
        from tariff_service.paper import Paper  # noqa: PLC0415  programs that ask for JSON need no Rich
        from tariff_service.show_compare import show_compare  # noqa: PLC0415

        show_compare(Paper(console()), found)
    return BAD_INPUT if any("problem" in cell or cell["problems"] for cell in found["cells"]) else OK


def _dimensions(vary: list[str] | tuple[()], claims: list[str] | tuple[()]) -> dict[str, list[Any]]:
    from tariff_service.stated import pairs, value_of  # noqa: PLC0415

    found: dict[str, list[Any]] = {}
    for option in vary:
        name, equals, values = option.partition("=")
        if not equals or not name.strip() or not values:
            raise refuse("malformed_fact", "--vary", f"{option[:60]} varies nothing", "write --vary NAME=VALUE,VALUE")
        if name.strip() in found:
            raise refuse("fact_stated_twice", "--vary", f"{name.strip()[:60]} varies twice", "name all of its values once")
        found[name.strip()] = [
            None if name.strip() == _KNOWN_ON and value == _NOW else value_of(value, "--vary")
            for value in map(str.strip, values.split(","))
        ]
    if claims:
        found["claims"] = [{}, *(pairs(option.split(",")) for option in claims)]
    return found
