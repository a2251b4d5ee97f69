"""What the commands `tariff audit ...` share: their options, the store they open, how they speak."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariff_engine.problems import refuse

if TYPE_CHECKING:
    from tariff_service.store.store import AuditStore

_HASH = re.compile(r"[0-9a-f]{64}")


def read_moment(text: str) -> datetime:
    """Read a day (its beginning, UTC) or a moment of an option. Raises BadParameter."""
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        if re.match(r"\d{4}-\d{2}-\d{2}[Tt]\d", text, re.ASCII):
            found = datetime.fromisoformat(text)
            return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    message = f"{text[:40]} is no moment; write YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"
    raise typer.BadParameter(message)


def read_hash(text: str) -> str:
    """Read the hash of a head, alone or as `head` prints it behind its number. Raises BadParameter."""
    found = text.strip().lower().rpartition(":")[2]
    if not _HASH.fullmatch(found):
        message = f"{text[:80]} is no hash of 64 hexadecimal digits"
        raise typer.BadParameter(message)
    return found


Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="A file, or postgresql://...; without it TARIFF_STORE, else the user's own.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the log for good, so name nobody in it.")]
Actor = Annotated[str | None, typer.Option("--actor", metavar="NAME", help="Who does it; without it the user of this system.")]
Caller = Annotated[str | None, typer.Option("--caller", metavar="NAME", help="Only the records of this caller.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[RECORD]...", help="Ids of records.", show_default=False)]
Since = Annotated[
    datetime | None, typer.Option("--from", metavar="TIME", parser=read_moment, help="Only what was stored from then on (UTC).")
]
Until = Annotated[
    datetime | None, typer.Option("--until", metavar="TIME", parser=read_moment, help="Only what was stored before then (UTC).")
]
Noted = Annotated[
    str | None,
    typer.Option("--head", metavar="HASH", parser=read_hash, help="Also prove that this head, noted earlier, is still in the chain."),
]


@contextmanager
def opened_store(url: str | None, *, create: bool = False) -> Iterator[AuditStore]:
    """Open a store that is there, or make one, and tell its faults as problems."""
    from tariff_service.store.faults import StoreError  # noqa: PLC0415  `--help` needs no database
    from tariff_service.store.store import AuditStore  # noqa: PLC0415

    try:
        store = AuditStore.open(url, create=create)
        try:
            yield store
        finally:
            store.close()
    except StoreError as error:
        raise refuse(error.code, "--store", error.message, error.fix) from error


@contextmanager
def watched(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a way to tell how far the work is, where a person watches."""
    if not sys.stderr.isatty():
        yield None
        return

    def show(done: int, of: int) -> None:
        sys.stderr.write(f"\r{what} {done:,} of {of:,} records")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def tell(value: dict[str, Any], lines: list[str], as_json: bool | None) -> None:
    """Write what a command found: as JSON, or in lines."""
    from tariff_service.output import clean, wants_json, write_json  # noqa: PLC0415

    if wants_json(as_json):
        write_json(value)
    else:
        for line in lines:
            typer.echo(clean(line))
