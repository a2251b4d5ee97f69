"""Ids that stand twice and entries that stand apart, over any number of rows in bounded memory: by 64-bit hashes kept beside the parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_POSITIONS: Final = 256  # letters of a text that are told apart by their place
_SEED: Final = 19 * 159  # any number: the same texts must have the same hashes in every process
_AT_ONCE: Final = 1_000_000  # hashes that are sorted at a time
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


def repeated(paths: Sequence[Path], name: str) -> Iterator[tuple[int, int]]:
    """Yield each row whose text stood before, with the row where it stood first; in no certain order."""
    import numpy as np  # noqa: PLC0415  an extra

    count = sum(len(_load(path, name)) for path in paths)
    buckets = 1 + count // _AT_ONCE
    for bucket in range(buckets):
        marks, rows = [], []
        for path in paths:
            found, numbers = _load(path, name), _load(path, f"{name}_rows")
            mine = (found >> np.uint64(32)) % np.uint64(buckets) == np.uint64(bucket)
            marks.append(found[mine])
            rows.append(numbers[mine])
        mark, row = np.concatenate(marks), np.concatenate(rows)
        order = np.lexsort((row, mark))
        mark, row = mark[order], row[order]
        same = np.flatnonzero(mark[1:] == mark[:-1]) + 1
        starts = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(mark[1:] != mark[:-1]) + 1])
        for place in same.tolist():
            yield int(row[place]), int(row[starts[int(np.searchsorted(starts, place, "right")) - 1]])


def _load(path: Path, name: str) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415  an extra

    with np.load(path) as kept:
        found: np.ndarray[Any, Any] = kept[name]
    return found
