"""What a file of lines is cut into: pieces that are read, assessed and written one by one, and rows that stayed out, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from tariff_engine.problems import Problem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

PIECE: Final = 8_000_000  # bytes of text
PIECE_ROWS: Final = 50_000  # rows of anything else


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the input that can be read by itself, in this process or another.

    `begin` and `end` are bytes of a file of text, else rows; `first` is the number of its first row. Where pieces are cut depends on the input
    alone, so that a run which goes on later makes the same ones.
    """

    index: int
    first: int
    begin: int
    end: int
    data: Any
    digest: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not answered: its number, why, and its cells as they were sent."""

    row: int
    problem: Problem
    cells: Sequence[Any]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A word on a row that is answered: what was mended in it, or what it was taken for."""

    row: int
    id: str | None
    problem: Problem


@dataclass(slots=True)
class Table:
    """Rows as read, column by column: text arrays of the file's own cells, or typed arrays where the file has types.

    `original` gives the cells of a row as they were sent, by its place.
    """

    columns: dict[int, pa.Array]
    numbers: np.ndarray[Any, Any]
    original: Any
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class Source(Protocol):
    """A file that was opened: its name, the headers of its rejected rows, its pieces and how to read one."""

    name: str
    headers: list[str]
    unit: str  # of `Piece.begin` and `Piece.end`: bytes or rows
    size: int | None  # in that unit, for the time left

    def pieces(self, begin: int = 0, first: int = 0, index: int = 0) -> Iterator[Piece]:
        """Yield the pieces from a place on, the first of which is to have these numbers."""
        ...

    def described(self) -> dict[str, Any]:
        """Return what was understood of the file, as it stands in the report of a run."""
        ...


def positions(count: int) -> Any:
    """Return the places of so many rows."""
    import numpy as np  # noqa: PLC0415  an extra

    return np.arange(count, dtype=np.int64)
