"""What a file of lines is cut into: pieces that are read, assessed and written one by one, and rows that stayed out, each with its reason."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tariff_engine.problems import Problem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

_PIECE: Final = 4_000_000  # bytes of text
_ROW: Final = 100  # bytes of text that stand for a row of anything else


def piece_bytes() -> int:
    """Return how many bytes of text make a piece: `TARIFF_BULK_PIECE`, or four million."""
    stated = os.environ.get("TARIFF_BULK_PIECE", "")
    return max(_ROW, int(stated)) if stated.isdigit() else _PIECE


def piece_rows() -> int:
    """Return how many rows of other files make a piece."""
    return piece_bytes() // _ROW


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
