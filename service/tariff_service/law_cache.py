"""Keep the compiled law between runs, so that a start need not read the rules again.

A cache may be lost, full, read-only, foreign or damaged: then the law is built from the rules, and nobody notices but the clock. What is
read was written by the same user, stands in a folder that only this user can enter, and matches its digest; only the engine's own classes
are ever made from it. A law is kept under the name of the very code and rules that made it: where either was changed on disk meanwhile, as
when an engine is installed anew below a server that runs, nothing is kept, and nothing is read that another engine made.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import os
import pickle
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from tariff_engine import LOADED, __version__
from tariff_engine.law import Law

_MAGIC = b"tariff-law-1\n"
_DIGEST = 32
_MAX_BYTES = 256_000_000
_KEEP = 12  # compiled laws: a few knowledge days of a few rulebooks
_STALE = 3600  # seconds after which the unfinished file of a writer that died is removed
_RULES, _CODE = (".yaml", ".csv"), (".py",)
_PLAIN = {
    "builtins": {"set", "frozenset", "bytearray", "complex", "slice", "range"},
    "collections": {"OrderedDict", "defaultdict", "deque"},
    "datetime": {"date", "timedelta"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
}


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder for compiled laws, or None where caching is off (`TARIFF_CACHE=0`) or there is no place for it."""
    if environ.get("TARIFF_CACHE", "1").lower() in {"0", "no", "off", "false"}:
        return None
    own = environ.get("TARIFF_CACHE_DIR")
    if own:
        return Path(own) / "laws"
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        place = Path(environ.get(name, ""))
        if place.is_absolute():
            return place / "tariff-engine" / "laws"
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "")
    return home / ".cache" / "tariff-engine" / "laws" if home.is_absolute() else None


def fingerprint(root: Traversable) -> str:
    """Hash everything that a compiled law depends on: the rule files, the engine's code, and the Python that pickles it."""
    digest = hashlib.sha256(f"{__version__}\0{sys.version}\0{sys.implementation.cache_tag}\0".encode())
    for name, folder, suffixes in (("rules", root, _RULES), ("engine", files("tariff_engine"), _CODE)):
        for path, file in _walk(folder, "", suffixes):
            content = file.read_bytes()
            digest.update(f"{name}\0{path}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def rule_files(root: Traversable) -> Iterator[tuple[str, Traversable]]:
    """Yield the files of a rulebook, by their names relative to its folder, in order."""
    return _walk(root, "", _RULES)


def engine_as_loaded() -> bool:
    """Whether no file of the engine was written since this process began to load it, so that what they say is what runs."""
    stamps = _stamps(files("tariff_engine"), _CODE)
    return stamps is not None and max(max(changed, written) for _, changed, written, *_ in stamps) <= LOADED * 1e9


def _stamps(root: Traversable, suffixes: tuple[str, ...]) -> list[tuple[str, int, int, int, int]] | None:
    """Return what tells that a file was written: its name, times, size and number; None where there are no such files on a disk."""
    found = []
    try:
        for name, file in _walk(root, "", suffixes):
            told = Path(str(file)).stat()
            found.append((name, told.st_ctime_ns, told.st_mtime_ns, told.st_size, told.st_ino))
    except OSError:
        return None
    return found or None


def _walk(folder: Traversable, prefix: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(suffixes):
            yield prefix + entry.name, entry
        elif not entry.name.startswith(("_", ".")) and entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/", suffixes)


class LawCache:
    """Compiled laws of one rulebook in a folder. No method raises for what is wrong with the cache."""

    def __init__(self, folder: Path, key: str, unchanged: Callable[[], bool] = lambda: True) -> None:
        """Take the folder, which is made when first needed, the fingerprint of the rulebook, and what tells whether it still has that."""
        self._folder = folder
        self._key = key
        self._unchanged = unchanged

    @classmethod
    def of(cls, folder: Path, root: Traversable) -> LawCache:
        """Return the cache in a folder for the rules in another, as they are now."""
        before = _stamps(root, _RULES)
        return cls(folder, fingerprint(root), lambda: before is not None and _stamps(root, _RULES) == before)

    def path(self, known_on: date) -> Path:
        """Return where the law as known on a day is kept."""
        name = hashlib.sha256(f"{self._key}\0{known_on}".encode()).hexdigest()
        return self._folder / f"{name}.law"

    def load(self, known_on: date) -> Law | None:
        """Return the law as known on a day, or None if it is not there or not to be trusted."""
        if not _private(self._folder) or not engine_as_loaded():
            return None
        path = self.path(known_on)
        try:
            payload = _verified(_read(path))
            law = None if payload is None else _unpickle(payload)
        except Exception:  # noqa: BLE001  whatever a damaged file does, the law is built anew
            return None
        if not isinstance(law, Law) or law.known_on != known_on:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # it is in use: prune others first
        return law

    def store(self, law: Law) -> None:
        """Keep a law, in one step, so that no other process ever sees half of it; not where the files are no longer what it was made of."""
        if not (self._unchanged() and engine_as_loaded()):
            return
        payload = pickle.dumps(law, protocol=5)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _private(self._folder):
                return
            _write(self._folder, self.path(law.known_on), _MAGIC + hashlib.sha256(payload).digest() + payload)
            _prune(self._folder)
        except OSError:
            return  # read-only, full, or gone: the law was built, and will be again


# ---------------------------------------------------------------- files
def _private(folder: Path) -> bool:
    """Whether the folder is a real one of this user, which nobody else can enter; its mode is put right where it is ours."""
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return False
        if hasattr(os, "geteuid"):
            if found.st_uid != os.geteuid():
                return False
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError:
        return False
    return True


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        mine = not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o022)
        if not mine or not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
            return b""
        return file.read(_MAX_BYTES)


def _verified(content: bytes) -> memoryview | None:
    """Return the payload of a whole, undamaged file."""
    start = len(_MAGIC) + _DIGEST
    if not content.startswith(_MAGIC) or len(content) <= start:
        return None
    payload = memoryview(content)[start:]
    return payload if hashlib.sha256(payload).digest() == content[len(_MAGIC) : start] else None


def _write(folder: Path, path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _prune(folder: Path) -> None:
    kept: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            age = path.lstat().st_mtime
            if path.suffix == ".law":
                kept.append((age, path))
            elif path.suffix == ".tmp" and age < time.time() - _STALE:
                path.unlink()
    for _, path in sorted(kept, reverse=True)[_KEEP:]:
        with contextlib.suppress(OSError):
            path.unlink()


# ---------------------------------------------------------------- pickles
class _Unpickler(pickle.Unpickler):
    """Makes the engine's own classes and plain values, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("tariff_engine.") or name in _PLAIN.get(module, ()):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        message = f"{module}.{name} has no place in a compiled law"
        raise pickle.UnpicklingError(message)


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """Pause the garbage collector: nothing of a law that is being made is garbage, and looking for it takes a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _unpickle(payload: memoryview) -> Any:
    with without_collecting():
        return _Unpickler(io.BytesIO(payload)).load()
