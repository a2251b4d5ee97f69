"""A rulebook as one archive: the same bytes for the same files, and its files again, in memory, wherever the bytes are sent."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import PurePosixPath
from typing import IO, Any

_SKIPPED = ("_", ".")  # folders and files of tools, such as caches
_CODE = (".py", ".pyc", ".typed")
_MAX_FILES = 10_000
_MAX_BYTES = 200_000_000  # of an unpacked rulebook


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


def archived(content: bytes) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield the files of an archive: a relative name that stays inside, and what the file holds. Raises WrongArchiveError."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(content, _MAX_BYTES + 1)
    except zlib.error as error:
        raise WrongArchiveError(f"the archive is damaged: {error}") from None
    if len(raw) > _MAX_BYTES or not stream.eof or stream.unused_data:
        raise WrongArchiveError("the archive is too large, or does not end where it should")
    seen = set[PurePosixPath]()
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
            for number, member in enumerate(tar):
                if number >= _MAX_FILES:
                    raise WrongArchiveError("the archive holds too many files")
                name = _name(member)
                source = tar.extractfile(member)
                if source is None or name in seen:
                    raise WrongArchiveError(f"the archive holds {member.name[:100]!r} twice")
                seen.add(name)
                yield name, source.read()
    except tarfile.TarError as error:
        raise WrongArchiveError(f"the archive is damaged: {error}") from None


def _name(member: tarfile.TarInfo) -> PurePosixPath:
    name = PurePosixPath(member.name)
    odd = name.is_absolute() or not name.parts or ".." in name.parts or "\\" in member.name or ":" in member.name or "\0" in member.name
    if odd or not member.isreg():
        raise WrongArchiveError(f"the archive holds {member.name[:100]!r}, which is no file of a rulebook")
    return name


class PackedRules(Traversable):
    """The folder of rules in an archive, read from memory: what loads rules from a folder loads them from this.

    >>> import tariff_rules
    >>> rules = PackedRules.unpack(archive(tariff_rules.ROOT))
    >>> (rules / "book.yaml").read_bytes() == (tariff_rules.ROOT / "book.yaml").read_bytes()
    True
    """

    def __init__(self, name: str, inside: dict[str, PackedRules], content: bytes | None) -> None:
        """Take the last part of the name, and what is inside: entries of a folder (`content` is None) or the bytes of a file."""
        self._name, self._inside, self._content = name, inside, content

    @classmethod
    def unpack(cls, content: bytes) -> PackedRules:
        """Return the folder that was archived. Raises WrongArchiveError."""
        root = cls("", {}, None)
        for path, held in archived(content):
            folder = root
            for part in path.parts[:-1]:
                folder = folder._inside.setdefault(part, cls(part, {}, None))  # noqa: SLF001  its own class
            if folder._content is not None or path.name in folder._inside:  # noqa: SLF001
                raise WrongArchiveError(f"the archive holds {str(path)[:100]!r} as a file and as a folder")
            folder._inside[path.name] = cls(path.name, {}, held)  # noqa: SLF001
        return root

    @property
    def name(self) -> str:
        """The last part of the name."""
        return self._name

    def iterdir(self) -> Iterator[PackedRules]:
        """Yield what is in the folder."""
        return iter(self._inside.values())

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._content is None

    def is_file(self) -> bool:
        """Whether it is a file."""
        return self._content is not None

    def joinpath(self, *descendants: str | PathLike[str]) -> PackedRules:
        """Return what is under the folder; a file that is not there is told when it is read."""
        found = self
        for part in (part for text in descendants for part in PurePosixPath(text).parts):
            found = found._inside.get(part) or PackedRules(part, {}, None)
        return found

    def __truediv__(self, child: str | PathLike[str]) -> PackedRules:
        """Return what is under the folder, as `joinpath` does."""
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        """Return what the file holds. Raises FileNotFoundError."""
        if self._content is None:
            raise FileNotFoundError(f"{self._name}: no such file in the archive")
        return self._content

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the text of the file. Raises FileNotFoundError."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        """Open the file to read it. Raises FileNotFoundError."""
        return io.BytesIO(self.read_bytes()) if "b" in mode else io.TextIOWrapper(io.BytesIO(self.read_bytes()), *args, **kwargs)
