"""Many lines: one flat shipment line a row in, one answer a row out, in order, with constant memory; a bad row does not stop the others."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tariff_engine.entry import assess_row, problem_of
from tariff_engine.problems import LawConflictError, ProblemError, refuse
from tariff_service.output import encode, say
from tariff_service.reading import decode, parse_json
from tariff_service.same_day import SameDay, told

if TYPE_CHECKING:
    from tariff_engine.engine import Explain, Knowledge

MAX_ROW = 1_000_000  # bytes
_CHUNK = 1 << 16
_ID = re.compile(r'"id"\s*:\s*(?:"((?:[^"\\]|\\.){0,200})"|(-?\d{1,40})(?=\s*[,}]))')
_EVERY = 0.5  # seconds between two words on progress


@dataclass(slots=True)
class Tally:
    """How many rows were answered, how many have problems, and how many failed by our own fault."""

    rows: int = 0
    problems: int = 0
    failures: int = 0


def assess_rows(
    knowledge: Knowledge,
    source: BinaryIO,
    target: BinaryIO,
    explain: Explain,
    *,
    progress: bool = False,
    same_day: SameDay | None = None,
) -> Tally:
    """Answer every row of `source` on `target`, each before the next is read. `progress` counts on standard error.

    `same_day` holds the sums of all rows by person and day (`add_up`), where the test of de minimis shall know them.
    """
    tally, spoken = Tally(), time.monotonic()
    for number, row in json_rows(source):
        target.write(encode(_answer(knowledge, number, row, explain, tally, same_day)))
        target.flush()
        tally.rows += 1
        if progress and time.monotonic() - spoken > _EVERY:
            spoken = time.monotonic()
            sys.stderr.write(f"\r{tally.rows:,} rows, {tally.problems:,} with problems ")
            sys.stderr.flush()
    if progress:
        say(f"\r{tally.rows:,} rows, {tally.problems:,} with problems ")
    return tally


@contextmanager
def added_up(source: BinaryIO) -> Iterator[tuple[BinaryIO, SameDay]]:
    """Read all rows once and give them to be read again, with what they are worth by person and day.

    A source that cannot go back to its beginning is kept in a temporary file meanwhile, not in memory. Raises ProblemError: more persons and
    days than are kept apart.
    """
    with nullcontext(source) if source.seekable() else _spooled(source) as again:
        yield again, _sums(again)


def _spooled(source: BinaryIO) -> BinaryIO:
    spool = tempfile.TemporaryFile()  # noqa: SIM115  whoever takes it closes it
    while part := source.read(_CHUNK):
        spool.write(part)
    spool.seek(0)
    return cast("BinaryIO", spool)


def _sums(source: BinaryIO) -> SameDay:
    """Add up all rows, and go back to where the source stood."""
    found, start = SameDay(), source.tell()
    for number, row in json_rows(source):
        if row is not None:
            try:
                raw = parse_json(decode(row, "row"), "row", "row")
            except ProblemError:
                continue  # told in the place of its answer
            found.add(raw, number)
    source.seek(start)
    return found


def json_rows(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and the bytes of each row that is not blank; None stands for a row that is too large."""
    number = 0
    while row := source.readline(MAX_ROW + 2):  # with its line end
        number += 1
        if len(row.rstrip(b"\r\n")) > MAX_ROW:
            while row and not row.endswith(b"\n"):
                row = source.readline(_CHUNK)
            yield number, None
        elif row.strip().removeprefix(b"\xef\xbb\xbf" if number == 1 else b""):
            yield number, row


def _answer(
    knowledge: Knowledge, number: int, row: bytes | None, explain: Explain, tally: Tally, same_day: SameDay | None = None
) -> dict[str, Any]:
    raw: Any = None
    try:
        if row is None:
            raise refuse("row_too_large", "row", f"the row is larger than {MAX_ROW:,} bytes", "send one shipment line a row")  # noqa: TRY301
        raw = parse_json(decode(row, f"row {number}"), f"row {number}", "row")
        if isinstance(raw, dict):
            raw.setdefault("id", str(number))
            others = same_day.others(raw, counted=True) if same_day is not None else None
            if others is not None:
                raw = told(raw, others)
        return assess_row(knowledge, raw, explain)
    except (ProblemError, LawConflictError) as error:
        tally.problems += 1
        problem = problem_of(error).as_dict()
    except Exception as error:  # noqa: BLE001  a fault of ours in one row must not cost the others their answers
        tally.failures += 1
        problem = internal_problem(error)
    return {"id": identity(raw, row), "problem": {**problem, "row": number}}


def internal_problem(error: Exception) -> dict[str, Any]:
    """Return a fault of ours as a problem, so that a reader of rows can tell it from a fault of the input."""
    message = f"the program failed on this row: {type(error).__name__}: {str(error)[:200]}"
    return {"code": "internal_error", "field": "row", "message": message, "fix": "please report it with the row"}


def identity(raw: Any, row: bytes | None) -> str | None:
    """Return the id of a bad row, as far as it can be read."""
    if isinstance(raw, dict):
        name = raw.get("id")
        return str(name) if isinstance(name, str | int) and not isinstance(name, bool) and len(str(name)) <= 200 else None  # noqa: PLR2004
    found = _ID.findall((row or b"").decode("utf-8", "replace"))
    return found[0][0] or found[0][1] if len(found) == 1 else None
