"""Rulebooks kept whole: what a store says of one, its archive written back into a folder, and read."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tariff_engine.packed import WrongArchiveError, archive, archived
from tariff_engine.problems import ProblemError, RulebookError

__all__ = ["KeptRulebook", "WrongArchiveError", "archive", "book_in", "unpack"]


@dataclass(frozen=True, slots=True)
class KeptRulebook:
    """A rulebook that a store keeps: its id, edition and horizon, since when, and the SHA-256 of its archive."""

    id: str
    edition: str
    horizon: str
    first_kept_at: str
    sha256: str


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of an archive into a folder. Raises WrongArchiveError, then perhaps with some of the files written."""
    for name, held in archived(content):
        path = folder.joinpath(*name.parts)
        if path.exists():
            raise WrongArchiveError(f"the archive holds {str(name)[:100]!r} twice")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(held)


@lru_cache(maxsize=8)
def book_in(content: bytes) -> tuple[str, str, str]:
    """Return id, edition and horizon of the rulebook in an archive, as the engine reads them. Raises WrongArchiveError."""
    from tariff_service.rulebook import open_book  # noqa: PLC0415  only a proof needs the reader of rules

    with tempfile.TemporaryDirectory(prefix="tariff-rulebook-") as name:
        folder = Path(name)
        unpack(content, folder)
        try:
            book = open_book(folder)
        except (ProblemError, RulebookError) as error:
            raise WrongArchiveError(f"the archive holds no rulebook that this release can read: {error}") from error
        return book.id, book.edition, book.horizon.until.isoformat()
