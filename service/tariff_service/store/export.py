"""Write the log into one file that proves itself, without the database: a line for the file, for each rulebook, for each record (NDJSON).

A record's `request` and `answer` read as they were sent and answered. `personal` says where personal values stand in the request (start and
length in bytes): without them, and joined, it has the hash that the record names.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from sqlalchemy import func, select

from tariff_service.store.bodies import join, pack, split, unpack
from tariff_service.store.records import GENESIS, HEADER, Head, full_request, places_of, stamp
from tariff_service.store.rulebooks import KeptRulebook
from tariff_service.store.spans import REDACTED
from tariff_service.store.tables import records
from tariff_service.store.verify import Chain, Finding, Removals, Report, check_row, check_rulebook, notices, rows

if TYPE_CHECKING:
    from tariff_service.store.store import AuditStore

FORMAT = "tariff-audit-export-1"
_MAX_LINE = 1_000_000_000  # bytes; above any record, below what would fill the memory


class NoExportError(ValueError):
    """A file is no export, or not as one was written."""


# ---------------------------------------------------------------- writing
def export(
    store: AuditStore,
    target: BinaryIO,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the records stored from a moment to before another, and all that tells of removals; return how many. Raises StoreError.

    Records between the first and the last one of that time are all written, so that the chain can be followed.
    """
    head = store.head()
    first, last = _range(store, head, since, until)
    removals = [row for row in notices(store) if row["seq"] <= head.seq]
    _write(target, {"export": FORMAT, "first": first, "last": last, "head": {"seq": head.seq, "hash": head.hash}, "genesis": GENESIS})
    for kept in store.rulebooks():
        content = base64.b64encode(store.rulebook(kept.id) or b"").decode()
        about = {
            "id": kept.id,
            "edition": kept.edition,
            "horizon": kept.horizon,
            "first_kept_at": kept.first_kept_at,
            "sha256": kept.sha256,
        }
        _write(target, {"rulebook": about, "content": content})
    for row in removals:
        _write(target, _line("notice", row))
    count = 0
    for row in rows(store, first, last):
        _write(target, _line("record", row))
        count += 1
        if progress is not None and count % 500 == 0:
            progress(count, last - first + 1)
    return count


def _range(store: AuditStore, head: Head, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    first, last = 1, head.seq
    if since is None and until is None:
        return first, last
    query = select(func.min(records.c.seq), func.max(records.c.seq)).where(records.c.seq <= head.seq)
    if since is not None:
        query = query.where(records.c.at >= stamp(since))
    if until is not None:
        query = query.where(records.c.at < stamp(until))
    with store.reading() as connection:
        lowest, highest = connection.execute(query).one()
    return (1, 0) if lowest is None else (lowest, highest)


def _write(target: BinaryIO, value: Mapping[str, Any]) -> None:
    target.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n")


def _line(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {kind: {**{name: row[name] for name in HEADER}, "hash": row["hash"]}}
    request = full_request(row)
    if request is not None:
        found["request"] = _text(request)
    if row["answer"] is not None:
        found["answer"] = _text(unpack(row["answer"]))
    if row["places"]:
        found["personal"] = _spans(row)
    if row["salt"] is not None:
        found["salt"] = row["salt"].hex()
        if request is None:
            found["parts"] = [_text(part) for part in split(row["parts"])]
    return found


def _spans(row: Mapping[str, Any]) -> list[list[int]]:
    """Return start and length of each personal value, or of the mark in its place, in the request as it is written."""
    places = places_of(row)
    lengths = [len(REDACTED)] * len(places) if row["parts"] is None else [len(part) for part in split(row["parts"])]
    found, added = [], 0
    for place, length in zip(places, lengths, strict=True):
        found.append([place + added, length])
        added += length
    return found


def _text(body: bytes) -> str | dict[str, str]:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


# ---------------------------------------------------------------- reading
def verify_export(source: BinaryIO, *, noted: str | None = None, progress: Callable[[int, int], None] | None = None) -> Report:
    """Verify an export by itself. Raises NoExportError where the file is none.

    It proves that its records are what was stored, in that order and without gap; that none is missing at the end is proven by a head that
    was noted elsewhere.
    """
    lines = _lines(source)
    try:
        manifest = next(lines)
        if manifest["export"] != FORMAT:
            raise NoExportError(f"this release reads {FORMAT}")
        first, last = int(manifest["first"]), int(manifest["last"])
        report = Report(Head(int(manifest["head"]["seq"]), str(manifest["head"]["hash"])), first)
    except (StopIteration, KeyError, TypeError, ValueError) as error:
        raise NoExportError("the file does not begin as an export does") from error
    try:
        _follow(lines, report, last, noted, progress)
    except (KeyError, TypeError, AttributeError) as error:
        raise NoExportError(f"record {report.first + report.records}, or the line after it, is none of an export: {error!r}") from error
    return report


def _follow(
    lines: Iterator[dict[str, Any]], report: Report, last: int, noted: str | None, progress: Callable[[int, int], None] | None
) -> None:
    chain: Chain | None = Chain(0, GENESIS) if report.first == 1 else None
    kept: set[str] = set()
    announced: dict[str, dict[str, Any]] = {}
    removals = Removals(())
    named: dict[str, int] = {}
    seen = {GENESIS}
    for line in lines:
        if "rulebook" in line:
            about = KeptRulebook(**line["rulebook"])
            report.add(check_rulebook(about, base64.b64decode(line["content"])))
            kept.add(about.id)
            continue
        row, in_place = _row(line)
        report.add(check_row(row))
        if not in_place:
            report.add([Finding(row["seq"], "personal_changed", "the personal values do not stand where the record says")])
        if "notice" in line:
            announced[row["hash"]] = row
            removals = Removals(announced.values())
            continue
        if row["hash"] == noted:
            seen.add(row["hash"])
        chain = chain or Chain(row["seq"] - 1, row["prev"])
        report.add(chain.follow(row))
        report.add(removals.check(row))
        announced.pop(row["hash"], None)
        report.records += 1
        if row["kind"] == "assessment":
            named.setdefault(row["rulebook"], row["seq"])
        if progress is not None and report.records % 500 == 0:
            progress(report.records, last - report.first + 1)
    report.add(_unlinked(row["seq"], report.first, last) for row in announced.values())
    end = chain.seq if chain else report.first - 1
    if end != last:
        report.add([Finding(end, "head_wrong", f"the export ends with record {end}, not {last}")])
    elif chain and end == report.head.seq and chain.hash != report.head.hash:
        report.add([Finding(end, "head_wrong", "the last record is not the head that the export names")])
    report.add(
        Finding(seq, "rulebook_missing", f"the rulebook {name} is not in the export") for name, seq in named.items() if name not in kept
    )
    if noted is not None:
        report.noted = noted in seen
        if not report.noted:
            report.add([Finding(0, "noted_head_missing", "the head that was noted is not among the records of the export")])


def _unlinked(seq: int, first: int, last: int) -> Finding:
    if first <= seq <= last:
        return Finding(seq, "link_broken", "the record of a removal is not in the chain")
    return Finding(
        seq, "notice_apart", "this record of a removal lies outside of the time exported: that it is in the chain is not shown", error=False
    )


def _lines(source: BinaryIO) -> Iterator[dict[str, Any]]:
    while line := source.readline(_MAX_LINE):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise NoExportError("a line is no JSON") from error
        if not isinstance(value, dict):
            raise NoExportError("a line is no object")
        yield value


def _row(line: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the columns of a record from its line, and whether its personal values stand where the record says."""
    about = line.get("record") or line["notice"]
    row: dict[str, Any] = {name: about[name] for name in HEADER}
    row |= {"hash": about["hash"], "parts": None, "salt": None, "request": None, "answer": None}
    in_place = True
    if "answer" in line:
        row["answer"] = pack(_bytes(line["answer"]))
    if "request" in line:
        spans = [(int(start), int(length)) for start, length in line.get("personal", ())]
        rest, places, parts = _taken_apart(_bytes(line["request"]), spans)
        row["request"] = pack(rest)
        in_place = ",".join(map(str, places)) == row["places"] and ("salt" in line or all(part == REDACTED for part in parts))
        if "salt" in line:
            row["parts"] = join(parts)
    elif "salt" in line:
        row["parts"] = join([_bytes(part) for part in line["parts"]])
    if "salt" in line:
        row["salt"] = bytes.fromhex(line["salt"])
    return row, in_place


def _taken_apart(request: bytes, spans: list[tuple[int, int]]) -> tuple[bytes, list[int], list[bytes]]:
    rest, places, parts, done, removed = [], [], [], 0, 0
    for start, length in spans:
        rest.append(request[done:start])
        places.append(start - removed)
        parts.append(request[start : start + length])
        removed += length
        done = start + length
    return b"".join([*rest, request[done:]]), places, parts


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
