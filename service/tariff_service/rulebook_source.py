"""A rulebook by whatever name a person has for it: the installed one, a folder, an archive, or the id under which the audit store keeps it."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from tariff_engine.problems import ProblemError, refuse
from tariff_service.reading import open_file

INSTALLED: Final = "installed"
_FRAME: Final = "book.yaml"
_MAX_ARCHIVE: Final = 100_000_000
_MAX_BYTES: Final = 200_000_000  # of an unpacked rulebook
_MAX_FILES: Final = 20_000  # of an archive, which may hold more than the rulebook
_RULES: Final = (".yaml", ".csv")
_SHORTEST: Final = 6  # letters of an id that are taken for its beginning


@contextmanager
def rulebook_folder(name: str, option: str, store: str | None = None) -> Iterator[Path | None]:
    """Give the folder of a rulebook; None stands for the installed one. What was unpacked is removed at the end.

    `name` is `installed`, a folder, a tar archive (plain or gzip, as `git archive` writes it, the rules anywhere in it), or an id of the
    audit store, whole or its first letters. Raises ProblemError: none of these, or an archive that holds no rulebook.
    """
    path = Path(name)
    if name == INSTALLED:
        yield None
    elif _is_folder(path):
        if not (path / _FRAME).is_file():
            raise refuse("rules_missing", option, f"{name} holds no {_FRAME}", "name a folder of rules")
        yield path
    else:
        with tempfile.TemporaryDirectory(prefix="tariff-rulebook-") as made:
            folder = Path(made)
            if _is_file(path):
                _unpack_tar(path, folder, option)
            else:
                _unpack_kept(name, folder, option, store)
            yield folder


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _unpack_kept(name: str, folder: Path, option: str, store: str | None) -> None:
    from tariff_service.audit_options import opened_store  # noqa: PLC0415  a folder needs no database
    from tariff_service.store.rulebooks import WrongArchiveError, unpack  # noqa: PLC0415

    try:
        with opened_store(store) as opened:
            ids = [one.id for one in opened.rulebooks()]
            content = opened.rulebook(_chosen(name, ids, option))
    except ProblemError as error:
        if error.problem.code.startswith("store_"):
            message = f"{name[:100]} is no folder, no file, and no audit store is there to ask for it: {error.problem.message}"
            raise refuse("unknown_rulebook", option, message, f"name a folder, an archive or {INSTALLED}") from None
        raise
    try:
        unpack(content or b"", folder)
    except WrongArchiveError as error:
        raise refuse("archive_unreadable", option, f"the kept rulebook {name[:100]} cannot be read: {error}", "name a folder") from None


def _chosen(name: str, ids: list[str], option: str) -> str:
    bare = name.removeprefix("sha256:")
    found = [one for one in ids if name == one or (len(bare) >= _SHORTEST and one.removeprefix("sha256:").startswith(bare))]
    if len(found) != 1:
        message = f"{name[:100]} is no folder, no file, and {len(found) or 'no'} rulebook of the audit store begins so"
        raise refuse("unknown_rulebook", option, message, f"name a folder, an archive, {INSTALLED}, or the id that an answer names")
    return found[0]


def _unpack_tar(path: Path, folder: Path, option: str) -> None:
    """Write the rule files of an archive into a folder: those beside and below the book.yaml that stands nearest to its root."""

    def wrong(why: str) -> ProblemError:
        return refuse("archive_unreadable", option, f"{str(path)[:200]} {why}", "name a tar archive that holds a folder of rules")

    with open_file(str(path)) as file:
        packed = file.read(_MAX_ARCHIVE + 1)
    if len(packed) > _MAX_ARCHIVE:
        raise wrong(f"is larger than {_MAX_ARCHIVE:,} bytes")
    try:
        raw = _plain(packed)
        if len(raw) > _MAX_BYTES:
            raise wrong(f"unpacks to more than {_MAX_BYTES:,} bytes")
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
            files = dict(_members(tar))
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise wrong(f"is no archive that can be read: {str(error)[:100] or type(error).__name__}") from None
    frames = sorted((name for name in files if name.name == _FRAME), key=lambda name: (len(name.parts), str(name)))
    if not frames:
        raise wrong(f"holds no {_FRAME}")
    root = frames[0].parent
    for name, content in files.items():
        if name.is_relative_to(root):
            target = folder.joinpath(*name.relative_to(root).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def _plain(packed: bytes) -> bytes:
    """Return the tar in whatever it is wrapped in, reading no more of it than a rulebook can have."""
    if packed.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            return stream.read(_MAX_BYTES + 1)
    if packed[:1] == b"\x78":
        return zlib.decompressobj().decompress(packed, _MAX_BYTES + 1)
    return packed


def _members(tar: tarfile.TarFile) -> Iterator[tuple[PurePosixPath, bytes]]:
    total = 0
    for number, member in enumerate(tar):
        if number >= _MAX_FILES:
            message = "it holds too many files"
            raise ValueError(message)
        name = PurePosixPath(member.name)
        odd = name.is_absolute() or ".." in name.parts or any(mark in member.name for mark in ("\\", ":", "\0"))
        if not member.isreg() or not member.name.endswith(_RULES) or odd:
            continue
        source = tar.extractfile(member)
        content = b"" if source is None else source.read()
        total += len(content)
        if total > _MAX_BYTES:
            message = "it holds too many bytes"
            raise ValueError(message)
        yield name, content
