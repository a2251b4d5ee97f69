"""Open a file of lines, whatever its format: told by its first bytes, and only then by its name."""

from __future__ import annotations

import codecs
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tariff_engine.problems import refuse
from tariff_service.bulk.csv_source import TextSource, open_csv
from tariff_service.bulk.headers import Layout
from tariff_service.bulk.row_sources import ArrowSource, SheetSource, open_arrow, open_sheet
from tariff_service.bulk.row_tables import JsonReader
from tariff_service.reading import open_file, parse_json
from tariff_service.refund_columns import Columns

if TYPE_CHECKING:
    from tariff_service.bulk.mapping import Mapped
    from tariff_service.refund_columns import Dictionary

AnySource = TextSource | SheetSource | ArrowSource
_STEP: Final = 1 << 20
_MAGIC: Final = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet", b"ARRO": "arrow", b"\xff\xff\xff\xff": "arrow"}
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_SAMPLE = 200  # rows of JSONL whose keys make the columns


@dataclass(frozen=True, slots=True)
class Input:
    """The file that is read: as it was sent, or a copy in UTF-8, or of what came through a pipe; and by what it is known again."""

    name: str
    path: Path
    size: int
    stamp: int | None
    head: str
    tail: str

    def data(self) -> dict[str, Any]:
        """Return it as it is kept beside the parts of a run."""
        return {"name": self.name, "size": self.size, "stamp": self.stamp, "head": self.head, "tail": self.tail}

    def refuse_change(self) -> None:
        """Refuse a file that was written while it was read. Raises ProblemError `input_changed`."""
        now = os.stat(self.path)  # noqa: PTH116  the same for a name with a NUL in it
        if now.st_size == self.size and self.stamp in {None, now.st_mtime_ns}:
            return
        grown = f"grew from {self.size:,} to {now.st_size:,} bytes" if now.st_size > self.size else "changed"
        fix = "wait until it is complete, then run again with --resume: parts whose bytes are still the same are kept"
        raise refuse("input_changed", "file", f"{self.name} {grown} while it was read", fix)


def open_input(name: str, folder: Path) -> Input:
    """Look at a file, or at a copy in `folder` of standard input or of text in UTF-16. Raises ProblemError."""
    path = Path(name)
    copied = name == "-"
    if copied:
        path = folder / "input"
        _copy(sys.stdin.buffer, path, None)
    with open_file(str(path)) as file:
        start = file.read(2)
    if start in _UTF16:
        copied, source = True, path
        path = folder / "input-as-utf-8"
        with open_file(str(source)) as file:
            file.read(2)
            _copy(file, path, _UTF16[start])
    with open_file(str(path)) as file:
        state = os.fstat(file.fileno())
        if state.st_size == 0:
            raise refuse("file_empty", "file", f"{_called(name)} is empty", "send a table with a header")
        head = hashlib.sha256(file.read(_STEP)).hexdigest()
        file.seek(max(0, state.st_size - _STEP))
        tail = hashlib.sha256(file.read(_STEP)).hexdigest()
    return Input(_called(name), path, state.st_size, None if copied else state.st_mtime_ns, head, tail)


def _called(name: str) -> str:
    return "standard input" if name == "-" else name


def _copy(source: BinaryIO, target: Path, encoding: str | None) -> None:
    """Copy a stream into a file that takes its name when it is whole; text in UTF-16 becomes UTF-8."""
    partial = target.with_suffix(".part")
    decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
    with partial.open("wb") as file:
        while step := source.read(_STEP):
            try:
                file.write(decoder.decode(step).encode("utf-8") if decoder else step)
            except UnicodeError:
                raise refuse("not_utf8", "file", "the file begins as UTF-16 and is none", "save it as UTF-8") from None
    partial.replace(target)


def open_source(given: Input, dictionary: Dictionary, mapped: Mapped) -> AnySource:
    """Open a file. Raises ProblemError: no format that is read, no header, a column missing."""
    with open_file(str(given.path)) as file:
        start = file.read(_STEP)
    form = _MAGIC.get(start[:4])
    suffix = Path(given.name).suffix.lower()
    if form == "xlsx":
        return open_sheet(given.name, given.path, dictionary, mapped)
    if form is not None:
        return open_arrow(given.name, given.path, form, dictionary, mapped)
    if suffix in {".xls", ".xlsx", ".xlsm"}:
        raise refuse("not_excel", "file", f"{given.name} is no Excel workbook of 2007 or later", "save it as .xlsx, or as CSV")
    if suffix in {".parquet", ".arrow", ".feather", ".ipc"}:
        known = "parquet" if suffix == ".parquet" else "arrow"
        raise refuse(f"malformed_{known}", "file", f"{given.name} is no {known} file: it does not begin as one", "write the file again")
    if suffix in {".jsonl", ".ndjson"} or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _open_json(given, start, dictionary, mapped)
    return open_csv(given.name, given.path, given.size, dictionary, mapped)


def _open_json(given: Input, start: bytes, dictionary: Dictionary, mapped: Mapped) -> TextSource:
    keys: dict[str, None] = {}
    for line in start.split(b"\n")[:_SAMPLE]:
        try:
            row = parse_json(line.decode("utf-8-sig"), "row", "row")
        except Exception:  # noqa: BLE001, S112  told when the row is read
            continue
        if isinstance(row, dict):
            keys |= dict.fromkeys(row)
    headers = list(keys)
    found = [dictionary.target(key) for key in headers]
    targets = [None if target in found[:place] else target for place, target in enumerate(found)]
    unknown = [key for key, target in zip(headers, targets, strict=True) if target is None]
    layout = Layout(Columns(headers, targets, unknown), 0, dict(mapped.constants))
    return TextSource(given.name, given.path, given.size, JsonReader(layout, dictionary), 0, 1)
