"""The commands `tariff keys ...`: make, list, rotate and revoke the keys that callers of the service show."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariff_service.audit_options import opened_store
from tariff_service.guard import OK, Json, examples, guarded

if TYPE_CHECKING:
    from tariff_service.keys import Issued

keys_app = typer.Typer(
    help="Keys of the service: make, list, rotate, revoke. A running server takes a change over within five seconds.",
    epilog=examples(
        "tariff keys create --caller acme --scope assess --scope read",
        "tariff keys list",
        "tariff keys rotate KEY --grace 48",
        "tariff keys revoke KEY",
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class Scope(StrEnum):
    """What a key opens."""

    assess = "assess"
    read = "read"
    admin = "admin"


Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="A file, or postgresql://...; without it TARIFF_STORE, else the user's own.")
]
Id = Annotated[str, typer.Argument(metavar="KEY", help="The id of a key: what stands between tk_ and the next _.", show_default=False)]


@keys_app.command(
    epilog=examples(
        "tariff keys create --caller acme --scope assess --scope read",
        "tariff keys create --caller acme --scope assess --rate 600 --expires 90 --name 'order desk'",
        "tariff keys create --caller operator --scope admin --json",
    )
)
@guarded
def create(
    caller: Annotated[str, typer.Option("--caller", metavar="NAME", help="Whose key it is; the audit store notes this name.")],
    scope: Annotated[
        list[Scope], typer.Option("--scope", help="What it opens: assess, read (the caller's own records), admin (everything). Repeat it.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What the key is for; shown in the list.")] = "",
    rate: Annotated[int | None, typer.Option("--rate", metavar="N", help="Requests a minute; without it the server's default.")] = None,
    expires: Annotated[int | None, typer.Option("--expires", metavar="DAYS", help="Days until it ends; without it never.")] = None,
    store: Store = None,
    as_json: Json = None,
) -> int:
    """Make a key and print it, this once: the store keeps only its hash."""
    from tariff_service import keys  # noqa: PLC0415  `--help` needs no database

    with opened_store(store, create=True) as opened:
        issued = keys.create(opened, caller, {one.value for one in scope}, name=name, rate=rate, days=expires)
    _show_issued(issued, as_json)
    return OK


@keys_app.command("list", epilog=examples("tariff keys list", "tariff keys list --json"))
@guarded
def list_(store: Store = None, as_json: Json = None) -> int:
    """List the keys: ids, callers, scopes and states; a key itself is nowhere."""
    from tariff_service import keys  # noqa: PLC0415  `--help` needs no database
    from tariff_service.output import wants_json, write_json  # noqa: PLC0415
    from tariff_service.store.records import now, stamp  # noqa: PLC0415

    with opened_store(store) as opened:
        found = [key.shown(stamp(now())) for key in keys.list_keys(opened)]
    if wants_json(as_json):
        write_json(found)
    elif found:
        _show_list(found)
    else:
        typer.echo("There is no key. Make one with `tariff keys create`.")
    return OK


@keys_app.command(epilog=examples("tariff keys rotate KEY", "tariff keys rotate KEY --grace 0"))
@guarded
def rotate(
    key: Id,
    grace: Annotated[int, typer.Option("--grace", metavar="HOURS", help="How long the old key stays valid beside the new one.")] = 24,
    store: Store = None,
    as_json: Json = None,
) -> int:
    """Make a successor of a key and print it, this once; the old one ends after the grace."""
    from tariff_service import keys  # noqa: PLC0415  `--help` needs no database

    with opened_store(store) as opened:
        issued = keys.rotate(opened, key, grace=grace)
    _show_issued(issued, as_json)
    return OK


@keys_app.command(epilog=examples("tariff keys revoke KEY"))
@guarded
def revoke(key: Id, store: Store = None, as_json: Json = None) -> int:
    """End a key now."""
    from tariff_service import keys  # noqa: PLC0415  `--help` needs no database
    from tariff_service.output import wants_json, write_json  # noqa: PLC0415

    with opened_store(store) as opened:
        found = keys.revoke(opened, key)
    if wants_json(as_json):
        write_json(found.shown(found.revoked_at or ""))
    else:
        typer.echo(f"The key {found.id} of {found.caller} ended at {found.revoked_at}. Servers refuse it within five seconds.")
    return OK


def _show_issued(issued: Issued, as_json: bool | None) -> None:
    """Show a new key: alone on standard output for a person, so that it can be piped into a safe place."""
    from tariff_service.output import say, wants_json, write_json  # noqa: PLC0415

    if wants_json(as_json):
        write_json({**issued.key.shown(issued.key.created_at), "key": issued.text})
        return
    typer.echo(issued.text)
    until = f" It ends at {issued.key.expires_at}." if issued.key.expires_at else ""
    say(f"This is the key {issued.key.id} of {issued.key.caller} ({', '.join(sorted(issued.key.scopes))}).{until} It is not shown again.")


def _show_list(found: list[dict[str, Any]]) -> None:
    from rich.table import Table  # noqa: PLC0415

    from tariff_service.output import clean, console  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "caller", "name", "scopes", "rate/min", "state", "made", "ends"):
        table.add_column(title, overflow="fold", no_wrap=title == "id")  # an id is copied: never in two pieces
    for key in found:
        rate = str(key["rate_per_minute"] or "default")
        ends = (key["revoked_at"] or key["expires_at"] or "never")[:16]
        cells = (key["id"], key["caller"], key["name"], " ".join(key["scopes"]), rate, key["state"], key["created_at"][:16], ends)
        table.add_row(*(clean(cell) for cell in cells))
    console().print(table)
