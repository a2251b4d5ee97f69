"""How bodies stand in the database: plain behind a zero byte, or as a zlib stream, which never begins with one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

_PLAIN = b"\0"
_LEVEL = 1  # takes a third of the time of the default and leaves an answer a third of its size
MAX_BODY = 512_000_000  # bytes; far above any answer, so that a damaged body cannot fill the memory
SMALL = 65_536  # bytes; zlib lets go of the interpreter, and taking it back from a busy server costs more than shorter bodies gain
_LENGTH = struct.Struct(">I")


class DamagedBodyError(ValueError):
    """A body is not as it was written."""


def pack(body: bytes) -> bytes:
    """Return a body as it is stored."""
    if len(body) > SMALL:
        packed = zlib.compress(body, _LEVEL)
        if len(packed) < len(body):
            return packed
    return _PLAIN + body


def unpack(stored: bytes) -> bytes:
    """Return a body from what is stored. Raises DamagedBodyError."""
    if stored[:1] == _PLAIN:
        return stored[1:]
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(stored, MAX_BODY)
    except zlib.error as error:
        raise DamagedBodyError(str(error)) from None
    if not stream.eof or stream.unused_data:
        raise DamagedBodyError("the compressed body does not end where it should")
    return found


def join(parts: Sequence[bytes]) -> bytes:
    """Return parts as one column: each behind its length."""
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def split(stored: bytes) -> tuple[bytes, ...]:
    """Return the parts of a column. Raises DamagedBodyError."""
    found, place = [], 0
    while place < len(stored):
        if place + _LENGTH.size > len(stored):
            raise DamagedBodyError("the personal parts end early")
        (length,) = _LENGTH.unpack_from(stored, place)
        place += _LENGTH.size
        if place + length > len(stored):
            raise DamagedBodyError("the personal parts end early")
        found.append(stored[place : place + length])
        place += length
    return tuple(found)
