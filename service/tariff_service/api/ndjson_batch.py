"""A batch as rows of JSON: what `batch.py` reads and writes where no Arrow is asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from tariff_service.api.row_stream import Row, Splitter
from tariff_service.api.row_window import RowAnswer
from tariff_service.output import encode

NDJSON = "application/x-ndjson"
JSONL = "application/jsonl"
_GROUP = 64  # rows whose keys are looked up at once

Part = Callable[[], Awaitable[bytes | None]]


async def ndjson_rows(part: Part, most: int) -> AsyncGenerator[Sequence[Row], None]:
    """Yield the rows of a body."""
    splitter = Splitter(most)
    group: list[Row] = []
    while (found := await part()) is not None:
        for row in splitter.feed(found):
            group.append(row)
            if len(group) == _GROUP:
                yield group
                group = []
        if group:
            yield group
            group = []
    if group := list(splitter.end()):
        yield group


class NdjsonOutput:
    """Answers as rows of JSON: the bytes of the answer as a single request gets them, between the number and the end of the row."""

    def __init__(self, media: str = NDJSON) -> None:
        """Take the media type to state."""
        self.media = media

    def begin(self) -> bytes:
        """Return nothing: rows need no head."""
        return b""

    def add(self, answers: Sequence[RowAnswer]) -> bytes:
        """Return the rows."""
        return b"".join(map(_ndjson, answers))

    def flush(self, *, idle: bool) -> bytes:  # noqa: ARG002  nothing is ever kept back
        """Return nothing."""
        return b""

    def end(self) -> bytes:
        """Return nothing."""
        return b""


def _ndjson(answer: RowAnswer) -> bytes:
    number = b"null" if answer.number is None else b"%d" % answer.number
    head = b'{"row":%s,"id":%s,"status":%d' % (number, encode(answer.id)[:-1], answer.status)
    if answer.refusal is not None:
        return b'%s,"problem":%s}\n' % (head, encode(answer.refusal.body())[:-1])
    record = b"" if answer.record is None else b',"assessment":%s' % encode(answer.record)[:-1]
    return b'%s%s,"answer":%s}\n' % (head, record, answer.content.rstrip(b"\n"))
