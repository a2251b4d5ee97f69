"""What is done with one piece: read, assess, write its part. The same in one process and in several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tariff_engine.problems import Problem, refuse
from tariff_service.bulk import seen
from tariff_service.bulk.formats import cells_csv, write_part
from tariff_service.bulk.lines import LineReader, Lines
from tariff_service.bulk.pieces import Note, Piece, Rejected
from tariff_service.bulk.row_tables import JsonReader
from tariff_service.bulk.tallying import tally
from tariff_service.bulk.workspace import Workspace
from tariff_service.collector import settle
from tariff_service.refund_columns import Dictionary
from tariff_service.rulebook import open_engine

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    from tariff_engine.engine import Knowledge
    from tariff_service.bulk.csv_reader import CsvReader
    from tariff_service.bulk.mapping import Mapped
    from tariff_service.bulk.row_tables import ArrowReader, RowReader

REJECTED = ("rejected_row", "rejected_id", "rejected_code", "rejected_field", "rejected_message", "rejected_fix")
NOTES = ("row", "id", "code", "field", "message")


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a worker needs to know of a run; it crosses process borders."""

    rules: Path | None
    rulebook: str
    known_on: date | None
    reader: CsvReader | JsonReader | RowReader | ArrowReader
    mapped: Mapped
    folder: Path
    summary: str
    long: str | None
    report: bool
    ranges: bool = True


class Worker:
    """Assesses pieces one after the other."""

    def __init__(self, job: Job, knowledge: Knowledge | None = None) -> None:
        """Open the law."""
        from tariff_engine.bulk import BulkAssessor  # noqa: PLC0415  an extra

        self._job = job
        knowledge = knowledge or open_engine(job.rules).at(job.known_on)
        _give_back_memory()
        self._law = knowledge.law.id
        self._assessor = BulkAssessor(knowledge, ranges=job.ranges)
        self._assessed = 0
        dictionary = Dictionary(knowledge.law, None, job.mapped.columns)
        if isinstance(job.reader, JsonReader):
            job.reader.dictionary = dictionary
        self._lines = LineReader(knowledge.law, dictionary, job.mapped.dates)
        self._space = Workspace(job.folder)

    def work(self, piece: Piece) -> dict[str, Any]:
        """Read, assess and write a piece; return its record. Raises ProblemError, `rules_changed` where others than those of the run were met."""
        if self._law != self._job.rulebook:
            message = f"the run was begun by {self._job.rulebook}, the rules now say {self._law}"
            raise refuse("rules_changed", "--rules", message, "run again, by a copy of the rules that nobody edits")
        table = self._job.reader.table(piece)
        lines = self._lines.lines(table, self._job.reader.layout, last=piece.last)
        summary, long, refused = self._assess(lines)
        rejected = [*lines.rejected]
        for row in refused.to_pylist():
            place = row["place"]
            problem = Problem(row["code"], row["field"], row["message"], row["fix"])
            rejected.append(Rejected(int(lines.numbers[place]), problem, table.original[int(lines.places[place])], row["id"]))
        rejected.sort(key=lambda one: one.row)
        summary, doubted = _without_fees(summary, lines.incomplete)
        notes = sorted([*lines.notes, *doubted], key=lambda one: one.row)
        told = {
            "index": piece.index,
            "begin": piece.begin,
            "end": piece.end,
            "first": piece.first,
            "digest": piece.digest,
            "last": piece.last,
            "next": piece.first + (piece.data.count(b"\n") if isinstance(piece.data, bytes) else len(piece.data)),
            "lines": lines.batch.num_rows,
            "answered": summary.num_rows,
            "rejected": len(rejected),
            "rejected_by": Counter(one.problem.code for one in rejected),
            "notes": len(notes),
            "notes_by": Counter(one.problem.code for one in notes),
            "tally": tally(summary, long if self._job.report else None),
        }
        return self._space.commit(piece.index, told, self._writers(summary, long, rejected, notes, lines))

    def _writers(self, summary: Any, long: Any, rejected: list[Rejected], notes: list[Note], lines: Lines) -> Mapping[str, Any]:
        def told(file: BinaryIO, rows: list[list[Any]]) -> None:
            file.write(cells_csv(rows))

        found = {
            "summary": partial(write_part, self._job.summary, summary),
            "rejected": partial(told, rows=[rejected_row(one) for one in rejected]),
            "notes": partial(told, rows=[note_row(one) for one in notes]),
            "ids": partial(_seen, lines=lines),
        }
        if "entry_number" in lines.batch.schema.names:
            found["entries"] = partial(_begun, lines=lines)
        if self._job.long is not None:
            found["long"] = partial(write_part, self._job.long, long)
        return found

    def _assess(self, lines: Lines) -> tuple[pa.RecordBatch, pa.RecordBatch, pa.RecordBatch]:
        """Return what the lines came to. The assessor counts lines of its whole life, the outputs rows of the file."""
        import pyarrow as pa  # noqa: PLC0415  an extra

        before, self._assessed = self._assessed, self._assessed + lines.batch.num_rows
        done = [self._assessor.assess(lines.batch), self._assessor.finish()]
        summary = _joined([one.summary for one in done])
        rejected = _joined([one.rejected for one in done])
        long = _joined([one.long for one in done]) if self._job.long is not None or self._job.report else None
        numbers = pa.array(lines.numbers)

        def placed(batch: Any) -> pa.Array:
            import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

            return pc.subtract(batch.column("row"), before + 1)

        summary = summary.set_column(0, summary.schema.field("row"), numbers.take(placed(summary)))
        if long is not None:
            long = long.set_column(0, long.schema.field("row"), numbers.take(placed(long)))
        return summary, long, rejected.append_column("place", placed(rejected))


def _give_back_memory() -> None:
    """Let Arrow take memory from jemalloc, where it was built with it: what a batch leaves in Arrow's own choice is never all given back."""
    import pyarrow as pa  # noqa: PLC0415  an extra

    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
        pa.jemalloc_set_decay_ms(0)  # at once: a part is put together where a piece was assessed just before


def _without_fees(summary: Any, incomplete: frozenset[str]) -> tuple[Any, list[Note]]:
    """Leave the fees of entries open of which a row was rejected before they were assessed: with it they may be others."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    import pyarrow.compute as pc  # noqa: PLC0415  an extra

    if not incomplete:
        return summary, []
    hit = pc.fill_null(pc.is_in(summary.column("entry_number"), pa.array(sorted(incomplete), pa.string())), fill_value=False)
    for name in ("mpf", "hmf", "total"):
        place = summary.schema.get_field_index(name)
        summary = summary.set_column(place, summary.schema.field(place), pc.if_else(hit, None, summary.column(place)))
    first = {row["entry_number"]: row for row in reversed(summary.select(["row", "id", "entry_number"]).filter(hit).to_pylist())}
    message = "a row of this entry was rejected, so its fees are not known"
    return summary, [Note(row["row"], row["id"], Problem("entry_incomplete", "entry_number", message)) for row in first.values()]


def _joined(batches: list[Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415  an extra

    kept = [batch for batch in batches if batch.num_rows]
    if len(kept) == 1:
        return kept[0]
    return pa.concat_batches(kept) if kept else batches[0]


def rejected_row(one: Rejected) -> list[Any]:
    """Return a rejected row as it is written: why, then its cells as they were sent."""
    problem = one.problem
    message = "; ".join([problem.message, *(f"{other.field}: {other.message}" for other in problem.also)])
    return [one.row, one.id, problem.code, problem.field, message, problem.fix, *one.cells]


def note_row(one: Note) -> list[Any]:
    """Return a note as it is written."""
    return [one.row, one.id, one.problem.code, one.problem.field, one.problem.message]


def _seen(file: BinaryIO, lines: Lines) -> None:
    seen.write(file, seen.hashes(lines.batch.column("id")), lines.numbers)


def _begun(file: BinaryIO, lines: Lines) -> None:
    """Write at which rows an entry begins."""
    import numpy as np  # noqa: PLC0415  an extra

    entries = seen.hashes(lines.batch.column("entry_number"))
    starts = np.flatnonzero(np.concatenate([[True], entries[1:] != entries[:-1]])) if len(entries) else np.empty(0, np.int64)
    starts = starts[entries[starts] != seen.NOTHING]
    seen.write(file, entries[starts], lines.numbers[starts])


_WORKER: list[Worker] = []


def start(job: Job) -> None:
    """Begin a worker process."""
    _WORKER.append(Worker(job))
    settle()


def work(piece: Piece) -> dict[str, Any]:
    """Work on a piece in a worker process."""
    return _WORKER[0].work(piece)
