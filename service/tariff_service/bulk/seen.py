"""Ids that stand twice and entries that stand apart, over any number of rows in bounded memory: by 64-bit hashes kept beside the parts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_POSITIONS: Final = 256  # letters of a text that are told apart by their place
_SEED: Final = 19 * 159  # any number: the same texts must have the same hashes in every process
_AT_ONCE: Final = 1_000_000  # hashes that are sorted at a time
_WORD: Final = 8  # bytes of a hash, and of the number of a row
NOTHING: Final = 0  # the hash of an empty text
_TABLE: list[Any] = []


def hashes(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Return a 64-bit hash of each text (tabulation hashing, Zobrist 1970); equal texts have equal hashes in every process."""
    import numpy as np  # noqa: PLC0415  an extra
    import pyarrow as pa  # noqa: PLC0415  an extra

    texts = texts.cast(pa.string()).fill_null("")
    if not len(texts):
        return np.empty(0, np.uint64)
    if not _TABLE:
        _TABLE.append(np.random.default_rng(_SEED).integers(1, 2**64 - 1, (_POSITIONS, 256), np.uint64, endpoint=True))
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    letters = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data is not None else np.empty(0, np.uint8)
    lengths, starts = np.diff(ends), ends[:-1] - ends[0]
    places = (np.arange(len(letters)) - np.repeat(starts, lengths)) % _POSITIONS
    marks = np.append(_TABLE[0][places, letters], np.uint64(0))
    found: np.ndarray[Any, Any] = np.add.reduceat(marks, np.minimum(starts, len(letters)))
    found[lengths == 0] = NOTHING
    found += lengths.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # texts of another length are others
    return found


def write(file: BinaryIO, marks: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> None:
    """Write the hashes of the texts of a part with their rows, which rise: in the order of the hashes, so that each bucket is one piece."""
    import numpy as np  # noqa: PLC0415  an extra

    order = np.argsort(marks, kind="stable")
    file.write(marks[order].tobytes())
    file.write(rows[order].astype(np.uint64).tobytes())


def _read(path: Path, begin: int, end: int) -> np.ndarray[Any, Any]:
    """Return some hashes of a part in their order, and their rows: a piece of the file, which is not held in memory."""
    import numpy as np  # noqa: PLC0415  an extra

    count = _count(path)
    return np.stack([np.fromfile(path, np.uint64, end - begin, offset=_WORD * (begin + first)) for first in (0, count)])


def _count(path: Path) -> int:
    return path.stat().st_size // (2 * _WORD)


class Repeated(NamedTuple):
    """How many rows have a text that stood before, and the first of them, each with the row where it stood first."""

    rows: int
    first: list[tuple[int, int]]


def repeated(paths: Sequence[Path], most: int) -> Repeated:
    """Return the rows of all parts, in their order, whose text stood before; no more than so many of them one by one."""
    import numpy as np  # noqa: PLC0415  an extra

    counts = [_count(path) for path in paths]
    buckets = 1 + sum(counts) // _AT_ONCE
    borders = np.array([(number << 64) // buckets for number in range(1, buckets)], np.uint64)
    cuts = [np.searchsorted(np.fromfile(path, np.uint64, count), borders).tolist() for path, count in zip(paths, counts, strict=True)]
    pieces = [itertools.pairwise([0, *cut, count]) for cut, count in zip(cuts, counts, strict=True)]
    count, first = 0, np.empty((2, 0), np.uint64)
    for spans in zip(*pieces, strict=True):
        marks, rows = np.concatenate([_read(path, *span) for path, span in zip(paths, spans, strict=True)], axis=1)
        order = np.argsort(marks, kind="stable")  # rows rise from part to part and in each, so they do among equal hashes
        marks, rows = marks[order], rows[order]
        same = np.zeros(len(marks), bool)
        same[1:] = marks[1:] == marks[:-1]
        starts = np.flatnonzero(~same)
        found = np.stack([rows[same], rows[starts[np.cumsum(~same)[same] - 1]]])
        count += found.shape[1]
        first = np.concatenate([first, found], axis=1)
        first = first[:, np.argsort(first[0])[:most]]
    return Repeated(count, list(zip(*first.tolist(), strict=True)))
