"""The folder beside the output in which a run keeps its finished parts, so that it can go on after whatever ended it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from tariff_engine.problems import refuse

_PLAN, _FINISHING = "run.json", "finishing"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STEP: Final = 1 << 20


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Tell a full disk as a problem of its own. Raises ProblemError `disk_full`, `file_unwritable`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            message = f"the disk is full: {error.strerror}"
            fix = f"make room and run again with --resume; finished parts are kept in {folder}"
            raise refuse("disk_full", "file", message, fix) from None
        if isinstance(error, BrokenPipeError | InterruptedError):
            raise
        message = f"{error.filename or folder} cannot be written: {error.strerror or error}"
        raise refuse("file_unwritable", "file", message, "name a file in a folder that you may write to") from None


@dataclass(frozen=True, slots=True)
class Workspace:
    """The parts of one output."""

    folder: Path

    @classmethod
    def of(cls, out: Path) -> Workspace:
        """Return the folder of an output."""
        return cls(out.with_name(f"{out.name}.parts"))

    # ------------------------------------------------------------ begin and go on
    def begin(self, *, resume: bool) -> None:
        """Make the folder, or find it. Raises ProblemError: parts of another run are there, or none to go on from."""
        there = self.folder.is_dir()
        if there and not resume and any(self.folder.iterdir()):
            message = f"{self.folder} holds the parts of a run that was not finished"
            raise refuse("unfinished_run", "--resume", message, "go on with --resume, or remove the folder")
        with room(self.folder):
            self.folder.mkdir(parents=False, exist_ok=True)

    def agree(self, plan: Mapping[str, Any]) -> bool:
        """Take down what the run is, or compare it with what was taken down. Return whether the input may be another by now.

        Raises ProblemError `resume_mismatch`: the parts were made by other rules, options or from another file.
        """
        path = self.folder / _PLAN
        if not path.exists():
            self._write(path, plan)
            return False
        try:
            old = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            old = {}
        differs = [key for key in plan if key != "input" and old.get(key) != plan[key]]
        if differs:
            message = f"the parts in {self.folder} were made with another {', '.join(differs)}"
            raise refuse("resume_mismatch", "--resume", message, "run it as before, or remove the folder and begin anew")
        if old.get("input") == plan["input"]:
            return False
        self._write(path, plan)
        return True

    # ------------------------------------------------------------ parts
    def part(self, index: int, kind: str) -> Path:
        """Return the file of a part."""
        return self.folder / f"{index:06}.{kind}"

    def commit(self, index: int, told: Mapping[str, Any], writers: Mapping[str, Callable[[BinaryIO], None]]) -> dict[str, Any]:
        """Write the files of a part, and last the record that says that they are whole. Raises ProblemError."""
        with room(self.folder):
            files = {kind: self._file(index, kind, write) for kind, write in writers.items()}
            record = {**told, "files": files}
            self._write(self.part(index, "json"), record)
        return record

    def _file(self, index: int, kind: str, write: Callable[[BinaryIO], None]) -> list[int]:
        path = self.part(index, kind)
        partial = path.with_name(f"{path.name}.part")
        try:
            with partial.open("wb") as file:
                write(file)
            found = [partial.stat().st_size, checksum(partial)]
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        return found

    def _write(self, path: Path, data: Mapping[str, Any]) -> None:
        partial = path.with_name(f"{path.name}.part")
        with room(self.folder):
            with partial.open("w", encoding="utf-8") as file:
                json.dump(data, file, indent=1, default=str)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)

    def record(self, index: int) -> dict[str, Any] | None:
        """Return the record of a part if it is whole: its files are there, with the bytes that it had."""
        try:
            found: dict[str, Any] = json.loads(self.part(index, "json").read_text(encoding="utf-8"))
            for kind, (size, mark) in found["files"].items():
                path = self.part(index, kind)
                if path.stat().st_size != size or checksum(path) != mark:
                    return None
        except (OSError, ValueError, KeyError):
            return None
        return found

    def forget_after(self, index: int) -> None:
        """Remove the parts from a number on: the file goes on otherwise there."""
        for path in self.folder.glob("[0-9]*.*"):
            number = path.name.partition(".")[0]
            if number.isdigit() and int(number) >= index:
                path.unlink(missing_ok=True)

    # ------------------------------------------------------------ the end
    def finishing(self) -> bool:
        """Whether the parts are complete, and outputs of this run may stand there already."""
        return (self.folder / _FINISHING).exists()

    def finish(self) -> None:
        """Take down that all parts are there."""
        self._write(self.folder / _FINISHING, {})

    def remove(self) -> None:
        """Remove the folder: everything in it stands in the outputs."""
        shutil.rmtree(self.folder, ignore_errors=True)


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file."""
    mark = 0
    with path.open("rb") as file:
        while step := file.read(_STEP):
            mark = zlib.crc32(step, mark)
    return mark


def refuse_old(paths: Mapping[str, Path]) -> None:
    """Refuse to write over a file. Raises ProblemError `file_exists`, `file_unwritable`."""
    for option, path in paths.items():
        if os.path.lexists(path):
            raise refuse("file_exists", option, f"there is already a file {path}", "name another, or move it away")
        if not path.parent.is_dir():
            raise refuse("file_unwritable", option, f"there is no folder {path.parent}", "make it first")
