"""The commands `tariff audit ...`: prove the log of assessments, make them again, export, redact, prune."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tariff_engine.problems import refuse
from tariff_service.audit_options import Actor, Caller, Ids, Noted, Reason, Since, Store, Until, opened_store, read_moment, tell, watched
from tariff_service.guard import FAILED, OK, Json, examples, guarded

if TYPE_CHECKING:
    from tariff_service.store.records import Record
    from tariff_service.store.store import AuditStore
    from tariff_service.store.verify import Report

_LISTED = 500  # records of a page when all are replayed

audit_app = typer.Typer(
    help="The log of assessments: prove it, replay it, export it, redact it.",
    epilog=examples(
        "tariff audit verify",
        "tariff audit replay asm_ID",
        "tariff audit export audit.ndjson",
        "tariff audit redact --entry ENTRY --reason 'asked by the person'",
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
)


class Format(StrEnum):
    """The form of an export."""

    ndjson = "ndjson"


# ---------------------------------------------------------------- proof
@audit_app.command(epilog=examples("tariff audit head", "tariff audit head --store postgresql://audit@db/tariff"))
@guarded
def head(store: Store = None, as_json: Json = None) -> int:
    """Print the end of the chain: the number and the hash of the last record. Note it where nobody who can write the store can change it."""
    with opened_store(store) as opened:
        found = opened.head()
    tell({"seq": found.seq, "hash": found.hash}, [f"{found.seq}:{found.hash}"], as_json)
    return OK


@audit_app.command(
    epilog=examples(
        "tariff audit verify", "tariff audit verify --head HASH", "tariff audit verify audit.ndjson", "tariff audit verify --json"
    )
)
@guarded
def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="An export to be verified; without it the store.", show_default=False)
    ] = None,
    store: Store = None,
    noted: Noted = None,
    first: Annotated[
        int, typer.Option("--from", metavar="SEQ", min=1, help="Begin with this record; those before are taken on trust.")
    ] = 1,
    as_json: Json = None,
) -> int:
    """Prove that the log is whole: every hash, link and number, every body that is there, every rulebook. 1 if anything is wrong."""
    if file is None:
        from tariff_service.store.verify import verify as prove  # noqa: PLC0415  `--help` needs no database

        with opened_store(store) as opened, watched("verified") as progress:
            report = prove(opened, first=first, noted=noted, progress=progress)
    elif store is not None or first != 1:
        raise refuse("contradictory_options", "FILE", "an export is verified by itself", "leave out --store and --from")
    else:
        report = _verify_file(file, noted)
    tell(_report(report), _report_lines(report), as_json)
    return OK if report.ok else FAILED


def _verify_file(file: Path, noted: str | None) -> Report:
    from tariff_service.reading import open_file  # noqa: PLC0415  `--help` needs none of it
    from tariff_service.store.export import NoExportError, verify_export  # noqa: PLC0415

    with open_file(str(file)) as source, watched("verified") as progress:
        try:
            return verify_export(source, noted=noted, progress=progress)
        except NoExportError as error:
            raise refuse(
                "no_export", "FILE", f"{file} cannot be verified: {error}", "name a file that `tariff audit export` wrote"
            ) from error


def _report(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "head": {"seq": report.head.seq, "hash": report.head.hash},
        "from": report.first,
        "records": report.records,
        "errors": report.errors,
        "notes": report.notes,
        "noted_head": report.noted,
        "findings": [{"seq": one.seq, "code": one.code, "message": one.message, "error": one.error} for one in report.findings],
    }


def _report_lines(report: Report) -> list[str]:
    found = [
        f"{'error' if one.error else 'note'}: {f'record {one.seq}: ' if one.seq else ''}{one.message} ({one.code})"
        for one in report.findings
    ]
    if report.errors + report.notes > len(report.findings):
        found.append(f"... and {report.errors + report.notes - len(report.findings):,} more")
    found.append(f"{report.records:,} records, {report.errors:,} errors, {report.notes:,} notes.")
    if report.noted:
        found.append("The head that was noted is in the chain.")
    return [*found, f"head {report.head.seq}:{report.head.hash}"]


# ---------------------------------------------------------------- replay
@audit_app.command(
    epilog=examples("tariff audit replay asm_ID", "tariff audit replay --all", "tariff audit replay --all --sample 1000 --json")
)
@guarded
def replay(
    ids: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="Every assessment that is still whole.")] = False,
    sample: Annotated[int | None, typer.Option("--sample", metavar="N", min=1, help="With --all: so many of them, spread evenly.")] = None,
    store: Store = None,
    as_json: Json = None,
) -> int:
    """Make stored assessments again, with the rulebook of then, and compare byte by byte. 1 if any answer differs."""
    if bool(ids) == every or (sample is not None and not every):
        raise refuse("nothing_chosen", "RECORD", "name records, or say --all", "with --all, --sample N takes some of them")
    from tariff_service.store.replay import ReplayEngines  # noqa: PLC0415  `--help` needs no engine

    differing: list[dict[str, Any]] = []
    count = left_out = other_engine = 0
    with opened_store(store) as opened, ReplayEngines(opened) as engines, watched("replayed") as progress:
        total = len(ids) if ids else min(sample or opened.head().seq, opened.head().seq)
        for record in _chosen(opened, ids, sample):
            if record.removed:
                left_out += 1
                continue
            found = engines.replay(record)
            count += 1
            other_engine += found.engine_then != found.engine_now
            if not found.equal:
                places = [{"pointer": one.pointer, "kind": one.kind, "then": one.then, "now": one.now} for one in found.differences]
                about = {"id": record.id, "engine_then": found.engine_then, "engine_now": found.engine_now}
                differing.append({**about, "differences": places})
            if progress is not None:
                progress(count, total)
    summary = {"ok": not differing, "replayed": count, "equal": count - len(differing), "removed": left_out, "other_engine": other_engine}
    tell({**summary, "differing": differing}, _replay_lines(summary, differing), as_json)
    return FAILED if differing else OK


def _chosen(store: AuditStore, ids: list[str] | None, sample: int | None) -> Iterator[Record]:
    """Yield the records to be replayed. Raises ProblemError for an id that is none."""
    if ids:
        for identity in ids:
            record = store.get(identity)
            if record is None:
                raise refuse("unknown_record", "RECORD", f"there is no record {identity[:80]}", "an id begins with asm_")
            yield record
        return
    from tariff_service.store.records import Filter  # noqa: PLC0415

    last = store.head().seq
    step = max(1, last / sample) if sample else 1
    before: int | None = last + 1
    due = float(last)
    while page := store.find(Filter(), before=before, limit=_LISTED):
        for listed in page:
            if listed.seq <= due:
                due -= step
                record = store.get(listed.id)
                if record is not None:
                    yield record
        before = page[-1].seq


def _replay_lines(summary: dict[str, Any], differing: list[dict[str, Any]]) -> list[str]:
    lines = []
    for one in differing:
        lines.append(f"{one['id']} differs (engine {one['engine_then']} then, {one['engine_now']} now):")
        lines += [f"  {place['pointer'] or '/'}: {place['then']!r} then, {place['now']!r} now" for place in one["differences"]]
    lines.append(f"{summary['replayed']:,} replayed, {summary['equal']:,} equal byte for byte.")
    if summary["removed"]:
        lines.append(f"{summary['removed']:,} left out: retention removed their request or answer.")
    if summary["other_engine"]:
        lines.append(f"{summary['other_engine']:,} were made by another version of the engine.")
    return lines


# ---------------------------------------------------------------- export
@audit_app.command(
    epilog=examples(
        "tariff audit export audit.ndjson", "tariff audit export --from YYYY-MM-DD --until YYYY-MM-DD - | gzip > audit.ndjson.gz"
    )
)
@guarded
def export(
    out: Annotated[str, typer.Argument(metavar="OUT", help="The file to write, which must not be there; - is standard output.")],
    since: Since = None,
    until: Until = None,
    form: Annotated[Format, typer.Option("--format", help="The form of the file.")] = Format.ndjson,
    store: Store = None,
) -> int:
    """Write records, rulebooks and proof into one file, which `tariff audit verify FILE` verifies without the database."""
    from tariff_service.output import say  # noqa: PLC0415  `--help` needs no database
    from tariff_service.store.export import export as write  # noqa: PLC0415

    del form  # there is one so far
    with opened_store(store) as opened, watched("exported") as progress:
        if out == "-":
            count = write(opened, sys.stdout.buffer, since=since, until=until, progress=progress)
            sys.stdout.buffer.flush()
        else:
            try:
                descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds what callers sent
            except OSError as error:
                raise refuse(
                    "file_unwritable", "OUT", f"{out} cannot be written: {error.strerror}", "name a file that is not there"
                ) from error
            with os.fdopen(descriptor, "wb") as target:
                count = write(opened, target, since=since, until=until, progress=progress)
    say(f"{count:,} records written")
    return OK


# ---------------------------------------------------------------- removal
def _who(actor: str | None) -> str:
    with suppress(OSError, KeyError, ImportError):
        return actor or getpass.getuser()
    raise refuse("actor_unknown", "--actor", "the user of this system has no name", "say who does it with --actor")


@audit_app.command(
    epilog=examples(
        "tariff audit redact asm_ID --reason 'asked by the person'", "tariff audit redact --before YYYY-MM-DD --reason 'kept long enough'"
    )
)
@guarded
def redact(
    reason: Reason,
    ids: Ids = None,
    entry: Annotated[str | None, typer.Option("--entry", metavar="ENTRY", help="The records of the entry with this id.")] = None,
    before: Annotated[
        datetime | None, typer.Option("--before", metavar="TIME", parser=read_moment, help="Stored before then (UTC).")
    ] = None,
    caller: Caller = None,
    actor: Actor = None,
    store: Store = None,
    as_json: Json = None,
) -> int:
    """Remove the personal values (the consignee) from requests, for good. The chain stays whole and says what was done."""
    if not (ids or entry or before):
        raise refuse("nothing_chosen", "RECORD", "say which records: ids, --entry or --before", "what is removed cannot be brought back")
    with opened_store(store) as opened:
        missing = [identity for identity in ids or () if opened.get(identity, caller) is None]
        if missing:
            raise refuse("unknown_record", "RECORD", f"there is no record {missing[0][:80]}", "nothing was removed")
        found = opened.redact(_who(actor), reason, ids=ids or (), entry_id=entry, before=before, caller=caller)
    return _removed(found.records, [receipt.record_id for receipt in found.receipts], "redacted", as_json)


@audit_app.command(epilog=examples("tariff audit prune --before YYYY-MM-DD --reason 'kept five years'"))
@guarded
def prune(
    before: Annotated[datetime, typer.Option("--before", metavar="TIME", parser=read_moment, help="Stored before then (UTC).")],
    reason: Reason,
    caller: Caller = None,
    actor: Actor = None,
    store: Store = None,
    as_json: Json = None,
) -> int:
    """Remove the requests and answers stored before a moment, for good. Their records stay in the chain, which says what was done."""
    with opened_store(store) as opened:
        found = opened.prune(before, _who(actor), reason, caller=caller)
    return _removed(found.records, [receipt.record_id for receipt in found.receipts], "pruned", as_json)


def _removed(count: int, receipts: list[str], word: str, as_json: bool | None) -> int:
    tell({word: count, "recorded_as": receipts}, [f"{count:,} records {word}."], as_json)
    return OK
