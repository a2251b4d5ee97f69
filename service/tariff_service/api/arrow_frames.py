"""The messages of an Arrow IPC stream, cut out of a body before anything decodes them.

A message states its own length, and its buffers may state what they unpack to. Both are judged here, from the few fields of the header
that say so, so that no stream makes the process take memory that was not sent to it: what is too large or compressed is refused unread.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tariff_service.api.problems import Refusal

SCHEMA, DICTIONARY, RECORDS = 1, 2, 3  # kinds of messages that a stream of rows has
END = b"\xff\xff\xff\xff\0\0\0\0"
_MARK = b"\xff\xff\xff\xff"
_MOST_HEAD = 1_048_576  # bytes of a message's header: some thousand columns
_I32, _U32, _I64, _U16 = (struct.Struct(form) for form in ("<i", "<I", "<q", "<H"))

Part = Callable[[], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole message. `rows` is what it says to hold; `dictionary` numbers the dictionary that it brings, and `adds` to it or replaces it."""

    kind: int
    content: bytes
    rows: int = 0
    dictionary: int = 0
    adds: bool = False


class Frames:
    """Reads the messages of a stream, one at a time."""

    def __init__(self, part: Part, most: int) -> None:
        """Take where the body comes from, and how many bytes a message may have."""
        self._part = part
        self._most = most
        self._begun = bytearray()
        self._ended = False

    async def next(self) -> Frame | None:
        """Return the next message, or None at the end of the stream. Raises Refusal."""
        prefix = await self._take(8, at_start=True)
        if not prefix:
            return None
        if prefix[:4] != _MARK:
            raise malformed(
                "a message does not begin as messages of an Arrow IPC stream do; files and streams of Arrow before 0.15 are not read"
            )
        (length,) = _I32.unpack_from(prefix, 4)
        if length == 0:
            if await self._take(1, at_start=True):
                raise malformed("there are bytes behind the end of the stream")
            return None
        if not 0 < length <= _MOST_HEAD:
            raise malformed(f"the header of a message says that it has {length:,} bytes")
        head = await self._take(length)
        try:
            frame, size = _frame(head)
        except (struct.error, IndexError):
            raise malformed("the header of a message cannot be read") from None
        if not 0 <= size <= self._most:
            raise Refusal(
                "malformed_arrow" if size < 0 else "row_too_large",
                f"a message says that it has {size:,} bytes; {self._most:,} are read at once",
                fix="write record batches of fewer rows, such as 10,000",
            )
        return Frame(frame.kind, prefix + head + await self._take(size), frame.rows, frame.dictionary, frame.adds)

    async def _take(self, count: int, *, at_start: bool = False) -> bytes:
        """Return so many bytes; fewer, and none, only at the end of the body and where a message may start. Raises Refusal."""
        while len(self._begun) < count and not self._ended:
            part = await self._part()
            if part is None:
                self._ended = True
            else:
                self._begun += part
        if len(self._begun) < count:
            if at_start and not self._begun:
                return b""
            raise malformed("the stream ends in the middle of a message")
        found = bytes(self._begun[:count])
        del self._begun[:count]
        return found


def malformed(detail: str) -> Refusal:
    """Return the refusal of a stream."""
    return Refusal("malformed_arrow", detail, fix="write the rows with an Arrow library as an IPC stream")


def _frame(head: bytes) -> tuple[Frame, int]:
    """Read the fields of a header that bound its message. Raises struct.error and IndexError where they lie outside it."""
    message = _Table(head, _offset(head, 0))
    kind = message.byte(1)
    size = message.number(3)
    if kind == SCHEMA:
        return Frame(kind, b""), size
    if kind not in {DICTIONARY, RECORDS}:
        raise malformed(f"a message of kind {kind} among the rows")
    records, dictionary, adds = message.table(2), 0, False
    if kind == DICTIONARY:
        dictionary, adds, records = records.number(0), bool(records.byte(2)), records.table(1)
    if records.has(3):
        raise malformed("the buffers are compressed, and compressed bodies are not read; write the stream without compression")
    return Frame(kind, b"", records.number(0), dictionary, adds), size


def _offset(data: bytes, place: int) -> int:
    """Return where the offset at a place points to. It points forward."""
    (step,) = _U32.unpack_from(data, place)
    return place + int(step)


class _Table:
    """A table of a FlatBuffers message: its fields by number, absent ones are zero."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self._place = place
        (step,) = _I32.unpack_from(data, place)
        self._fields = place - step
        if not 0 <= self._fields < len(data):
            raise IndexError
        (self._size,) = _U16.unpack_from(data, self._fields)

    def _at(self, field: int) -> int:
        entry = 4 + 2 * field
        if entry + 2 > self._size:
            return 0
        (step,) = _U16.unpack_from(self._data, self._fields + entry)
        return self._place + step if step else 0

    def has(self, field: int) -> bool:
        """Whether the field is there."""
        return self._at(field) != 0

    def byte(self, field: int) -> int:
        """Return an 8-bit field."""
        place = self._at(field)
        return self._data[place] if place else 0

    def number(self, field: int) -> int:
        """Return a 64-bit field."""
        place = self._at(field)
        return int(_I64.unpack_from(self._data, place)[0]) if place else 0

    def table(self, field: int) -> _Table:
        """Return a table inside this one."""
        place = self._at(field)
        if not place:
            raise IndexError
        return _Table(self._data, _offset(self._data, place))
