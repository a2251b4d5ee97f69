"""Prove the log: every hash, every link, every number, every body that is there, and that what is not there was removed on the record."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, LargeBinary, func, select

from tariff_service.store.bodies import DamagedBodyError, split, unpack
from tariff_service.store.faults import faults
from tariff_service.store.log import Row
from tariff_service.store.records import GENESIS, Head, header_hash, parts_hash, places_of
from tariff_service.store.rulebooks import KeptRulebook, WrongArchiveError, book_in
from tariff_service.store.tables import head as head_table
from tariff_service.store.tables import records, rulebooks

if TYPE_CHECKING:
    from tariff_service.store.store import AuditStore

PAGE = 500  # records read at once
_SHOWN = 100  # findings kept in a report; all are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a record (`seq` 0: with the store). A note is worth knowing, and no error."""

    seq: int
    code: str
    message: str
    error: bool = True


@dataclass(slots=True)
class Report:
    """What a verification saw. `noted` says whether the head that somebody noted earlier is still in the chain; None: none was named."""

    head: Head
    first: int = 1
    records: int = 0
    errors: int = 0
    notes: int = 0
    findings: list[Finding] = field(default_factory=list)
    noted: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors

    def add(self, found: Iterable[Finding]) -> None:
        """Count findings, and keep the first of them."""
        for one in found:
            self.errors += one.error
            self.notes += not one.error
            if len(self.findings) < _SHOWN:
                self.findings.append(one)


# ---------------------------------------------------------------- one record
def check_row(row: Mapping[str, Any]) -> Iterator[Finding]:
    """Check a record by itself: its hash, and the hashes of the bodies that are there."""
    seq = row["seq"]
    if not _shaped(row):
        yield Finding(seq, "malformed", "a column holds what never stands there")
        return
    if header_hash(row) != row["hash"]:
        yield Finding(seq, "header_changed", "the record does not have the hash that it was given")
    try:
        if row["request"] is not None and hashlib.sha256(unpack(row["request"])).hexdigest() != row["request_sha256"]:
            yield Finding(seq, "request_changed", "the request is not the one that was stored")
    except DamagedBodyError as error:
        yield Finding(seq, "request_changed", f"the request is damaged: {error}")
    try:
        if row["answer"] is not None and hashlib.sha256(unpack(row["answer"])).hexdigest() != row["answer_sha256"]:
            yield Finding(seq, "answer_changed", "the answer is not the one that was stored")
    except DamagedBodyError as error:
        yield Finding(seq, "answer_changed", f"the answer is damaged: {error}")
    yield from _check_parts(row)


_KINDS: dict[str, type] = {column.name: bytes if isinstance(column.type, LargeBinary) else str for column in records.columns}
_KINDS |= {column.name: int for column in records.columns if isinstance(column.type, (Integer, BigInteger))}
_NULLABLE = frozenset(column.name for column in records.columns if column.nullable)


def _shaped(row: Mapping[str, Any]) -> bool:
    """Whether every column holds a value of its type: SQLite would hold any."""
    return all(isinstance(row[name], kind) or (row[name] is None and name in _NULLABLE) for name, kind in _KINDS.items())


def _check_parts(row: Mapping[str, Any]) -> Iterator[Finding]:
    parts, salt = row["parts"], row["salt"]
    wrong = Finding(row["seq"], "personal_changed", "the personal parts are not those that were stored")
    if parts is None and salt is None:
        return
    try:
        fits = parts is not None and salt is not None and parts_hash(salt, parts) == row["parts_sha256"]
        if not fits or len(split(parts)) != len(places_of(row)):
            yield wrong
    except DamagedBodyError:
        yield wrong


# ---------------------------------------------------------------- removals
class Removals:
    """Which bodies were removed on the record: ranges of numbers for each column, from the notices of the chain."""

    def __init__(self, notices: Iterable[Mapping[str, Any]]) -> None:
        """Read the notices; what is wrong with one of them shows in its own hash."""
        found: dict[str, list[tuple[int, int]]] = {"parts": [], "request": [], "answer": []}
        for row in notices:
            try:
                detail = json.loads(row["detail"])
                allowed = ("parts", "request", "answer") if row["kind"] == "retention" else ("parts",)
                for column in allowed:
                    if column in detail["removed"]:
                        found[column] += [(int(first), min(int(last), row["seq"] - 1)) for first, last in detail["records"]]
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        self._ranges = {column: _merged(ranges) for column, ranges in found.items()}

    def __contains__(self, what: tuple[str, int]) -> bool:
        """Whether a column of a record was removed."""
        column, seq = what
        ranges = self._ranges[column]
        place = bisect_right(ranges, seq, key=lambda one: one[0]) - 1
        return place >= 0 and seq <= ranges[place][1]

    def check(self, row: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that what is missing of a record was removed, and what was removed is missing."""
        seq, assessment = row["seq"], row["kind"] == "assessment"
        for column, expected in (("request", assessment), ("answer", assessment), ("parts", bool(row["places"]))):
            there, removed = row[column] is not None, (column, seq) in self
            if expected and not there and not removed:
                yield Finding(seq, "body_missing", f"the {column} is missing, and no record of the chain says that it was removed")
            elif there and (removed or not expected):
                yield Finding(seq, "body_unexpected", f"the {column} is there, where the chain says that there is none")


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


# ---------------------------------------------------------------- the chain
class Chain:
    """Follows records in their order."""

    def __init__(self, seq: int, prev: str) -> None:
        """Begin behind a record with this number and hash."""
        self.seq = seq
        self.hash = prev
        self._at = ""

    def follow(self, row: Mapping[str, Any]) -> Iterator[Finding]:
        """Check that a record comes next."""
        seq = row["seq"]
        if seq != self.seq + 1:
            yield Finding(seq, "gap", f"after record {self.seq} comes record {seq}")
        elif row["prev"] != self.hash:
            yield Finding(seq, "link_broken", f"the record does not continue record {seq - 1}")
        at = str(row["at"])
        if at < self._at:
            yield Finding(seq, "clock_back", f"the clock went back, from {self._at} to {at}; numbers tell the order", error=False)
        self.seq, self.hash, self._at = seq, str(row["hash"]), at


# ---------------------------------------------------------------- a store
def rows(store: AuditStore, first: int, last: int) -> Iterator[Row]:
    """Yield the records of a store from one number to another, a page at a time."""
    after = first - 1
    while after < last:
        with faults():
            page = store.log.page(after, last, PAGE)
        if not page:
            return
        yield from page
        after = page[-1]["seq"]


def notices(store: AuditStore) -> list[Row]:
    """Return the records of removals."""
    with faults():
        return store.log.notices()


def verify(store: AuditStore, *, first: int = 1, noted: str | None = None, progress: Callable[[int, int], None] | None = None) -> Report:
    """Verify a store, from a record on. Memory does not grow with the number of records. Raises StoreError where it cannot be read.

    `noted` is a hash that somebody noted as head earlier; `progress` is called with the records seen and those in all.
    """
    head = store.head()
    report = Report(head, first)
    removals = Removals(notices(store))
    chain = Chain(first - 1, _before(store, first, report))
    seen = {chain.hash}
    named: dict[str, int] = {}
    for row in rows(store, first, head.seq):
        report.add(check_row(row))
        report.add(chain.follow(row))
        report.add(removals.check(row))
        report.records += 1
        if row["hash"] == noted:
            seen.add(row["hash"])
        if row["kind"] == "assessment":
            named.setdefault(row["rulebook"], row["seq"])
        if progress is not None and report.records % PAGE == 0:
            progress(report.records, head.seq - first + 1)
    if (chain.seq, chain.hash) != (head.seq, head.hash):
        report.add([Finding(0, "head_wrong", f"the chain ends with record {chain.seq}, and not as the head says with record {head.seq}")])
    report.add(_ends(store, head))
    report.add(_rulebooks(store, named))
    if noted is not None:
        report.noted = noted in seen
        if not report.noted:
            report.add([Finding(0, "noted_head_missing", "the head that was noted is not in the chain: records were replaced or cut off")])
    return report


def _before(store: AuditStore, first: int, report: Report) -> str:
    """Return the hash of the record before the first one to be verified, which is taken on trust."""
    if first <= 1:
        return GENESIS
    with store.reading() as connection:
        found = connection.execute(select(records.c.hash).where(records.c.seq == first - 1)).scalar()
    if found is None:
        report.add([Finding(first - 1, "gap", f"there is no record {first - 1} to go on from")])
    return str(found)


def _ends(store: AuditStore, seen: Head) -> Iterator[Finding]:
    """Check that no record stands outside of the chain, and that the head did not go back meanwhile."""
    last, first = select(func.max(records.c.seq)).scalar_subquery(), select(func.min(records.c.seq)).scalar_subquery()
    with store.reading() as connection:  # one statement sees one state, on every database
        found = connection.execute(select(head_table.c.seq, last, first)).all()
    if len(found) != 1:
        yield Finding(0, "head_wrong", f"the head has {len(found)} rows")
        return
    now, highest, lowest = found[0]
    if now < seen.seq:
        yield Finding(0, "head_wrong", f"the head went back from {seen.seq} to {now}")
    if (highest or 0) > now:
        yield Finding(highest, "outside_chain", f"there is a record {highest} beyond the head, {now}")
    if lowest is not None and lowest < 1:
        yield Finding(lowest, "outside_chain", f"there is a record {lowest}")


def _rulebooks(store: AuditStore, named: Mapping[str, int]) -> Iterator[Finding]:
    kept = {rulebook.id: rulebook for rulebook in store.rulebooks()}
    for name, seq in named.items():
        if name not in kept:
            yield Finding(seq, "rulebook_missing", f"the rulebook {name} of this record is not kept: its answers cannot be replayed")
    for rulebook in kept.values():
        with store.reading() as connection:
            content = connection.execute(select(rulebooks.c.content).where(rulebooks.c.id == rulebook.id)).scalar_one()
        yield from check_rulebook(rulebook, bytes(content))


def check_rulebook(kept: KeptRulebook, content: bytes) -> Iterator[Finding]:
    """Check that an archive is the rulebook that it is kept as."""
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        yield Finding(0, "rulebook_changed", f"the archive of the rulebook {kept.id} is not the one that was kept")
        return
    try:
        found = book_in(content)
    except WrongArchiveError as error:
        yield Finding(0, "rulebook_changed", f"the rulebook {kept.id}: {error}")
        return
    if found != (kept.id, kept.edition, kept.horizon):
        yield Finding(0, "rulebook_changed", f"the archive kept as {kept.id} holds {found[0]}, edition {found[1]}, horizon {found[2]}")
