"""Rulebooks kept whole: one archive a rulebook, the same bytes for the same files, and the way back into a folder."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from tariff_engine.problems import ProblemError, RulebookError

_SKIPPED = ("_", ".")  # folders and files of tools, such as caches
_CODE = (".py", ".pyc", ".typed")
_MAX_FILES = 10_000
_MAX_BYTES = 200_000_000  # of an unpacked rulebook


@dataclass(frozen=True, slots=True)
class KeptRulebook:
    """A rulebook that a store keeps: its id, edition and horizon, since when, and the SHA-256 of its archive."""

    id: str
    edition: str
    horizon: str
    first_kept_at: str
    sha256: str


class WrongArchiveError(ValueError):
    """An archive is none of a rulebook: damaged, too large, or with names that lead out of its folder."""


def archive(root: Traversable) -> bytes:
    """Return every file under a folder of rules as one compressed archive (a tar in a zlib stream), without times and owners."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, file in sorted(_files(root, "")):
            content = file.read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return zlib.compress(target.getvalue(), 9)


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.name.startswith(_SKIPPED) or entry.name.endswith(_CODE):
            continue
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield prefix + entry.name, entry


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of an archive into a folder. Raises WrongArchiveError, then perhaps with some of the files written."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(content, _MAX_BYTES + 1)
    except zlib.error as error:
        raise WrongArchiveError(f"the archive is damaged: {error}") from None
    if len(raw) > _MAX_BYTES or not stream.eof or stream.unused_data:
        raise WrongArchiveError("the archive is too large, or does not end where it should")
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
            for number, member in enumerate(tar):
                if number >= _MAX_FILES:
                    raise WrongArchiveError("the archive holds too many files")
                _write(tar, member, folder)
    except tarfile.TarError as error:
        raise WrongArchiveError(f"the archive is damaged: {error}") from None


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    odd = name.is_absolute() or not name.parts or ".." in name.parts or "\\" in member.name or ":" in member.name or "\0" in member.name
    if odd or not member.isreg():
        raise WrongArchiveError(f"the archive holds {member.name[:100]!r}, which is no file of a rulebook")
    source = tar.extractfile(member)
    path = folder.joinpath(*name.parts)
    if source is None or path.exists():
        raise WrongArchiveError(f"the archive holds {member.name[:100]!r} twice")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.read())


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
