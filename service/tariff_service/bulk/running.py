"""A run over a whole file: pieces in, parts out, in one process or several, and the outputs when the last part is there."""

from __future__ import annotations

import multiprocessing
import shutil
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tariff_engine.entry import ENGINE
from tariff_engine.problems import Problem, refuse
from tariff_service.bulk import seen
from tariff_service.bulk.assembling import Whole, open_whole
from tariff_service.bulk.formats import cells_csv, format_of
from tariff_service.bulk.mapping import read_mapping
from tariff_service.bulk.opening import AnySource, Input, open_input, open_source
from tariff_service.bulk.pieces import Note, Piece
from tariff_service.bulk.tallying import total
from tariff_service.bulk.working import NOTES, REJECTED, Job, Worker, note_row, start, work
from tariff_service.bulk.workspace import Workspace, refuse_old, room
from tariff_service.collector import settled
from tariff_service.refund_columns import Dictionary
from tariff_service.rulebook import open_engine

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge

_VERSION: Final = 3  # of the form of parts
_TOLD: Final = 10_000  # repeated ids and entries that are noted one by one
Data = dict[str, Any]
Progress = Callable[[AnySource, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    source: str
    out: Path
    long: Path | None = None
    report: Path | None = None
    mapping: Path | None = None
    sheet: str | None = None
    rules: Path | None = None
    known_on: date | None = None
    jobs: int = 1
    resume: bool = False
    ranges: bool = True

    @property
    def rejected(self) -> Path:
        """The file of rejected rows."""
        return self.out.with_name(f"{self.out.stem}.rejected.csv")

    @property
    def notes(self) -> Path:
        """The file of notes on rows."""
        return self.out.with_name(f"{self.out.stem}.notes.csv")

    def outputs(self) -> dict[str, Path]:
        """Return the files that are written, by the option that names them."""
        named = {"OUT": self.out, "--long": self.long, "--report": self.report, "rejected": self.rejected, "notes": self.notes}
        return {option: path for option, path in named.items() if path is not None}


def run(options: Options, progress: Progress | None = None) -> Data:
    """Assess a file and return what it came to. Raises ProblemError; whatever it raises after the first part, `--resume` goes on from there."""
    form = format_of(options.out, "OUT")
    long = None if options.long is None else format_of(options.long, "--long")
    if options.report is not None and options.report.suffix.lower() not in {".html", ".xlsx"}:
        raise refuse("unknown_format", "--report", f"{options.report.name[:100]} names no report", "end it in .html or .xlsx")
    space = Workspace.of(options.out)
    if not (options.resume and space.finishing()):
        refuse_old(options.outputs())
    space.begin(resume=options.resume)
    knowledge = open_engine(options.rules).at(options.known_on)
    mapped = read_mapping(options.mapping, knowledge.law, options.sheet)
    with room(space.folder):
        given = open_input(options.source, space.folder)
    source = open_source(given, Dictionary(knowledge.law, None, mapped.columns), mapped)
    plan = {
        "version": _VERSION,
        "engine": ENGINE,
        "rulebook": knowledge.law.id,
        "known_on": None if options.known_on is None else options.known_on.isoformat(),
        "outputs": [form, long, options.report is not None, options.ranges],
        "piece": source.piece,
        "mapping": mapped.data(),
        "reading": source.described(),
        "input": given.data(),
    }
    verify = space.agree(plan)
    job = Job(
        options.rules,
        knowledge.law.id,
        options.known_on,
        source.reader,
        mapped,
        space.folder,
        form,
        long,
        report=options.report is not None,
        ranges=options.ranges,
    )
    wholes = Wholes(space, form, long)
    try:
        records = []
        with closing(_records(source, space, job, knowledge, options.jobs, verify=verify)) as made:
            for record in made:
                records.append(record)
                wholes.add(record)
                if progress is not None:
                    progress(source, record)
        given.refuse_change()
        space.finish()
        wholes.close()
    except BaseException:
        wholes.drop()
        raise
    return _finish(options, source, given, space, records, knowledge, wholes)


# ---------------------------------------------------------------- parts
def _records(
    source: AnySource, space: Workspace, job: Job, knowledge: Knowledge, jobs: int, *, verify: bool
) -> Generator[Data, None, None]:
    """Yield the records of all parts in their order, those of an earlier run first."""
    kept: list[Data] = []
    while not (kept and kept[-1]["last"]) and (record := space.record(len(kept))) is not None:
        kept.append(record)
    if verify:
        kept = _same(source, kept)
    whole = bool(kept and kept[-1]["last"]) and not verify
    if not whole:
        space.forget_after(len(kept))
    yield from kept
    if not whole:
        begin = {"begin": kept[-1]["end"], "first": kept[-1]["next"], "index": len(kept)} if kept else {}
        with closing(source.pieces(**begin)) as pieces:
            yield from _one_process(pieces, job, knowledge) if jobs == 1 else _processes(pieces, job, jobs)


class Wholes:
    """The outputs of a run, put together in its folder while parts are made, so that other processes need not wait for it at the end."""

    def __init__(self, space: Workspace, form: str, long: str | None) -> None:
        """Begin the files."""
        from tariff_engine.bulk import LONG_SCHEMA, SUMMARY_SCHEMA  # noqa: PLC0415  an extra

        self._space = space
        self._files: dict[str, Whole] = {}
        with room(space.folder):
            for kind, wanted, schema in (("summary", form, SUMMARY_SCHEMA), ("long", long, LONG_SCHEMA)):
                if wanted is not None:
                    self._files[kind] = open_whole(wanted, schema, self.path(kind))

    def path(self, kind: str) -> Path:
        """Return where a file stands until it gets its name."""
        return self._space.folder / f"whole.{kind}"

    def add(self, record: Mapping[str, Any]) -> None:
        """Take the parts of a record. Raises ProblemError."""
        with room(self._space.folder):
            for kind, whole in self._files.items():
                whole.add(self._space.part(record["index"], kind))

    def close(self) -> None:
        """Write what is left. Raises ProblemError."""
        with room(self._space.folder):
            for whole in self._files.values():
                whole.close()

    def drop(self) -> None:
        """Remove what was written: the parts are kept, and it is made anew of them."""
        for kind, whole in self._files.items():
            with suppress(Exception):
                whole.close()
            with suppress(OSError):
                self.path(kind).unlink()


def _same(source: AnySource, kept: list[Data]) -> list[Data]:
    """Return the first parts whose bytes the input still has: it was written to since they were made."""
    found = []
    with closing(source.pieces()) as pieces:
        for record, piece in zip(kept, pieces, strict=False):
            if (piece.begin, piece.end, piece.digest, piece.last) != tuple(record[name] for name in ("begin", "end", "digest", "last")):
                break
            found.append(record)
    return found


def _one_process(pieces: Iterator[Piece], job: Job, knowledge: Knowledge) -> Iterator[Data]:
    worker = Worker(job, knowledge)
    with settled():
        for piece in pieces:
            yield worker.work(piece)


def _processes(pieces: Iterator[Piece], job: Job, jobs: int) -> Iterator[Data]:
    """Yield the records in the order of the pieces; few pieces wait, so that memory does not grow."""
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[Data]] = deque()
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=start, initargs=(job,))
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > jobs + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        message = "a worker process ended before its work did"
        raise refuse("worker_died", "--jobs", message, "run again with --resume, with fewer --jobs if memory was short") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# ---------------------------------------------------------------- outputs
def _finish(
    options: Options, source: AnySource, given: Input, space: Workspace, records: list[Data], knowledge: Knowledge, wholes: Wholes
) -> Data:
    repeated = list(_repeated(space, records))
    report = _report(options, source, given, records, knowledge, repeated)

    def parts(kind: str) -> list[Path]:
        return [space.part(record["index"], kind) for record in records]

    made: list[tuple[Path, Callable[[Path], None]]] = [(options.out, lambda path: _moved(wholes.path("summary"), path))]
    if options.long is not None:
        made.append((options.long, lambda path: _moved(wholes.path("long"), path)))
    if report["rejected"]:
        header = [*REJECTED, *source.headers]
        made.append((options.rejected, lambda path: _joined(path, header, parts("rejected"), [])))
    if report["notes"]:
        extra = [note_row(note) for note in repeated]
        made.append((options.notes, lambda path: _joined(path, list(NOTES), parts("notes"), extra)))
    if options.report is not None:
        from tariff_service.bulk.reporting import Names, write_report  # noqa: PLC0415

        made.append((options.report, lambda path: write_report(path, report, Names.of(knowledge.law))))
    for path, write in made:
        _place(space, path, write)
    space.remove()
    return report


def _place(space: Workspace, path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside its place, then give it its name."""
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    with room(space.folder):
        try:
            write(partial)
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise


def _moved(source: Path, target: Path) -> None:
    """Give a file another place, on another disk too."""
    shutil.move(source, target)


def _joined(path: Path, header: list[Any], parts: list[Path], extra: list[list[Any]]) -> None:
    with path.open("wb") as file:
        file.write(cells_csv([header]))
        for part in parts:
            file.write(part.read_bytes())
        file.write(cells_csv(extra))


def _repeated(space: Workspace, records: list[Data]) -> Iterator[Note]:
    """Yield a note for each id that stands twice, and for each entry whose lines do not stand together."""
    for kind, problem in (("ids", _twice), ("entries", _apart)):
        paths = [space.part(record["index"], kind) for record in records if kind in record["files"]]
        found = seen.repeated(paths, _TOLD + 1)
        for row, first in found.first[:_TOLD]:
            yield Note(row, None, problem(f"row {first:,}"))
        if found.rows > _TOLD:
            yield Note(found.first[_TOLD][0], None, problem(f"others, and so do {found.rows - _TOLD:,} further rows"))


def _twice(where: str) -> Problem:
    return Problem("duplicate_id", "id", f"the line has the id of {where}; both were answered")


def _apart(where: str) -> Problem:
    message = f"the entry of this line stands at {where} too; fees were computed for each group of lines by itself"
    return Problem("entry_apart", "entry_number", message)


def _report(options: Options, source: AnySource, given: Input, records: list[Data], knowledge: Knowledge, repeated: list[Note]) -> Data:
    law = knowledge.law
    rejected_by: Counter[str] = Counter()
    notes_by = Counter(note.problem.code for note in repeated)
    for record in records:
        rejected_by.update(record["rejected_by"])
        notes_by.update(record["notes_by"])
    figures = {name: sum(record[name] for record in records) for name in ("answered", "rejected", "notes")}
    figures["notes"] += len(repeated)
    files = {"summary": options.out, "long": options.long, "report": options.report}
    files |= {"rejected": options.rejected if figures["rejected"] else None, "notes": options.notes if figures["notes"] else None}
    return {
        "rulebook": {"id": law.id, "edition": law.edition, "horizon": law.horizon.isoformat()},
        "engine": ENGINE,
        "known_on": None if options.known_on is None else options.known_on.isoformat(),
        "input": {"name": given.name, **source.described()},
        **figures,
        "rejected_by": dict(sorted(rejected_by.items())),
        "notes_by": dict(sorted(notes_by.items())),
        "totals": total(record["tally"] for record in records),
        "files": {name: str(path) for name, path in files.items() if path is not None},
    }


def problems_of(report: Mapping[str, Any]) -> bool:
    """Whether something of the input was not answered, or not as one would think: the exit code says so."""
    return bool(report["rejected"] or report["notes_by"].get("duplicate_id") or report["notes_by"].get("entry_apart"))
