"""Rows of a batch as an Arrow IPC stream: columns named as facts in, columns of figures and the whole answer out.

pyarrow is the optional extra `arrow` and is loaded when the first Arrow batch comes. Frames are judged before pyarrow sees them, decoded
in a thread, validated in full, and read value by value against a bound, since a few bytes may stand for many (a dictionary, a list).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import orjson

from tariff_engine.arrow_columns import Column, columns_of, row_of
from tariff_engine.problems import ProblemError
from tariff_service.api.arrow_frames import DICTIONARY, END, RECORDS, SCHEMA, Frame, Frames, malformed
from tariff_service.api.problems import Refusal, errors_of, refusal_of
from tariff_service.api.row_stream import Row, too_large
from tariff_service.api.row_window import RowAnswer
from tariff_service.api.settings import Settings
from tariff_service.api.state import Served
from tariff_service.output import encode

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

MEDIA = "application/vnd.apache.arrow.stream"
BATCH_ROWS = 1_024  # rows of a record batch that is answered
BATCH_BYTES = 1_048_576  # bytes of answers in it, about
_LATE = 0.5  # seconds after which a smaller one is sent
_GROUP = 32  # rows that are read from a batch at once
_REQUIRED = frozenset({"fact_missing", "unknown_fact", "too_many_facts"})

Part = Callable[[], Awaitable[bytes | None]]


def needed(code: str) -> None:
    """Refuse where pyarrow is not installed. Raises Refusal."""
    if find_spec("pyarrow") is None:
        fix = 'install it beside the service: pip install "tariff-engine[arrow]"; or send and accept application/x-ndjson'
        raise Refusal(code, "this server has no Arrow support: pyarrow is not installed", fix=fix)


def load() -> None:
    """Load pyarrow, which takes a moment: for a thread."""
    _schema()


# ---------------------------------------------------------------- in
async def read(part: Part, served: Served, settings: Settings) -> AsyncGenerator[Sequence[Row], None]:
    """Read the schema of a stream, and return its rows. Raises Refusal: no stream, columns that are no facts or of the wrong type."""
    frames = Frames(part, settings.max_body)
    first = await frames.next()
    if first is None or first.kind != SCHEMA:
        raise malformed("the stream does not begin with its schema")
    columns = await asyncio.to_thread(_columns, first.content, served)
    return _rows(frames, first.content, columns, settings)


def _columns(schema: bytes, served: Served) -> list[Column]:
    import pyarrow as pa  # noqa: PLC0415  an optional extra

    try:
        fields = pa.ipc.read_schema(pa.py_buffer(schema))
        names, columns = fields.names, columns_of(fields)
    except Exception as error:  # noqa: BLE001  whatever a decoder says of bytes that anybody may send
        raise malformed(f"the schema cannot be read: {_words(error)}") from None
    errors = _name_errors(names, served)
    errors += [{"pointer": _pointer(one.name), "code": one.code, "detail": one.detail, "fix": one.fix} for one in columns if one.code]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise Refusal(errors[0]["code"], f"{errors[0]['detail']}{more}", errors=errors)
    return columns


def _name_errors(names: Sequence[str], served: Served) -> list[dict[str, Any]]:
    """Return what is wrong with the names of the columns: strange ones, names that stand twice, and required ones that are not there."""
    errors = [
        {"pointer": _pointer(name), "code": "duplicate_key", "detail": f"two columns are named {name[:60]}", "fix": "name each column once"}
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    stated = {name for name, aliases in served.aliases.items() if not {name, *aliases}.isdisjoint(names)}
    try:
        served.latest.reader.read(dict.fromkeys(name for name in names if name != "id"))
    except ProblemError as error:
        errors += [one for one in errors_of(error.problem) if one["code"] in _REQUIRED and one["pointer"][1:] not in stated]
    return errors


def _pointer(name: str) -> str:
    return "/" + name[:60].replace("~", "~0").replace("/", "~1")


async def _rows(frames: Frames, schema: bytes, columns: Sequence[Column], settings: Settings) -> AsyncGenerator[Sequence[Row], None]:
    dictionaries: dict[int, list[Frame]] = {}
    number = 0
    while (frame := await frames.next()) is not None:
        if frame.kind == DICTIONARY:
            _keep(dictionaries, frame, settings.max_body)
            continue
        if frame.kind != RECORDS:
            raise malformed("the schema changes in the middle of the stream")
        parts = [schema, *(one.content for kept in dictionaries.values() for one in kept), frame.content, END]
        batch = await asyncio.to_thread(_decode, b"".join(parts), frame.rows)
        del frame, parts
        arrays = batch.columns
        for start in range(0, batch.num_rows, _GROUP):
            places = range(start, min(start + _GROUP, batch.num_rows))
            yield [_row(number + place + 1, place, columns, arrays, settings.max_row) for place in places]
        number += batch.num_rows


def _keep(dictionaries: dict[int, list[Frame]], frame: Frame, most: int) -> None:
    """Keep a dictionary for the batches that follow. Raises Refusal where all of them together are too large."""
    if frame.adds:
        dictionaries.setdefault(frame.dictionary, []).append(frame)
    else:
        dictionaries[frame.dictionary] = [frame]
    if sum(len(one.content) for kept in dictionaries.values() for one in kept) > most:
        raise Refusal("row_too_large", f"the dictionaries of the stream are larger than {most:,} bytes", fix="write plain columns")


def _decode(content: bytes, rows: int) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415  an optional extra

    try:
        with pa.ipc.open_stream(pa.py_buffer(content), options=pa.ipc.IpcReadOptions(use_threads=False)) as reader:
            batch = reader.read_next_batch()
        batch.validate(full=True)
    except Exception as error:  # noqa: BLE001  whatever a decoder says of bytes that anybody may send
        raise malformed(f"a record batch cannot be read: {_words(error)}") from None
    if rows != batch.num_rows or batch.num_rows > batch.nbytes:
        raise malformed(f"a record batch says that it has {batch.num_rows:,} rows, in {batch.nbytes:,} bytes")
    return batch


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _row(number: int, place: int, columns: Sequence[Column], arrays: Sequence[pa.Array], most: int) -> Row:
    """Return a row as the JSON of a single request, which is also what the audit store keeps."""
    try:
        raw = row_of(place, columns, arrays, most)
    except ProblemError as error:
        return Row(number, refusal=refusal_of(error.problem), id=_id(place, columns, arrays))
    if raw is None or len(content := encode(raw)[:-1]) > most:
        return Row(number, refusal=too_large(most), id=_id(place, columns, arrays))
    return Row(number, content)


def _id(place: int, columns: Sequence[Column], arrays: Sequence[pa.Array]) -> str | None:
    """Return the id of a row whose facts cannot be read."""
    try:
        chosen = [(column, array) for column, array in zip(columns, arrays, strict=True) if column.name == "id"]
        found = (row_of(place, [one for one, _ in chosen], [one for _, one in chosen], 1_000) or {}).get("id")
    except ProblemError:
        return None
    return None if found is None else str(found)


# ---------------------------------------------------------------- out
@cache
def _schema() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415  an optional extra

    money = pa.decimal128(38, 2)
    return pa.schema(
        [
            ("row", pa.int64()),
            ("id", pa.string()),
            ("status", pa.int16()),
            ("assessment", pa.string()),
            ("duty", money),
            ("fees", money),
            ("total", money),
            ("headings", pa.list_(pa.string())),
            ("problem_code", pa.string()),
            ("problem_pointer", pa.string()),
            ("problem_detail", pa.string()),
            ("answer", pa.large_string()),
        ]
    )


class ArrowOutput:
    """Answers as record batches of up to 1,024 rows."""

    media = MEDIA

    def __init__(self) -> None:
        """Begin with nothing."""
        self._held: list[RowAnswer] = []
        self._size = 0
        self._since = 0.0

    def begin(self) -> bytes:
        """Return the schema."""
        return bytes(_schema().serialize())

    def add(self, answers: Sequence[RowAnswer]) -> bytes:
        """Take answers; return the record batches that are full."""
        found: list[bytes] = []
        for answer in answers:
            if not self._held:
                self._since = time.monotonic()
            self._held.append(answer)
            self._size += len(answer.content)
            if len(self._held) >= BATCH_ROWS or self._size >= BATCH_BYTES:
                found.append(self.flush(idle=False))
        return b"".join(found)

    def flush(self, *, idle: bool) -> bytes:
        """Return a record batch of what is held, when `idle` only if that was long enough."""
        if not self._held or (idle and time.monotonic() - self._since < _LATE):
            return b""
        import pyarrow as pa  # noqa: PLC0415  an optional extra

        rows = [_figures(answer) for answer in self._held]
        arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in _schema()]
        self._held, self._size = [], 0
        return bytes(pa.record_batch(arrays, schema=_schema()).serialize())

    def end(self) -> bytes:
        """Return the end of the stream."""
        return END


def _figures(answer: RowAnswer) -> dict[str, Any]:
    """Return a row's columns. Those of a problem tell the first: of a refused row, or of a line in it that could not be assessed."""
    row: dict[str, Any] = {"row": answer.number, "id": answer.id, "status": answer.status, "assessment": answer.record}
    if answer.refusal is not None:
        first: Mapping[str, Any] = next(iter(answer.refusal.errors), {})
        return {
            **row,
            "problem_code": answer.refusal.code,
            "problem_pointer": first.get("pointer"),
            "problem_detail": answer.refusal.detail,
        }
    found = orjson.loads(answer.content)
    for name, amount in (found["totals"] or {}).items():
        row[name] = None if amount is None else Decimal(amount)
    row["headings"] = [heading["heading"] for line in found["lines"] for heading in line.get("headings", ())]
    row["answer"] = answer.content.decode().rstrip("\n")
    if found["problems"]:
        problem = found["problems"][0]
        place = next((place for place, line in enumerate(found["lines"]) if line["id"] == problem["line"]), None)
        row["problem_code"], row["problem_detail"] = problem["code"], problem["message"]
        row["problem_pointer"] = "/lines" if place is None else f"/lines/{place}"
    return row
