"""The mapping file: what the columns of one kind of file stand for where their names do not say it, and what all of its rows state."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariff_engine.problems import refuse
from tariff_service.reading import decode, open_file, parse_yaml

if TYPE_CHECKING:
    from tariff_engine.law import Law
    from tariff_service.refund_columns import Target

_KEYS = ("columns", "constants", "delimiter", "sheet", "dates")
OWN = ("id", "entry_number", "line")
DATES = {
    "MM/DD/YYYY": "us",
    "DD/MM/YYYY": "day_first",
    "DD.MM.YYYY": "day_first",
    "DD-MM-YYYY": "day_first",
    "YYYY-MM-DD": "iso",
    "YYYYMMDD": "digits",
}
_LARGEST = 200_000  # bytes


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a mapping file says: headers for what they stand for (None: not read), facts of all rows, the form of the file."""

    columns: dict[str, Target | None] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    delimiter: str | None = None
    sheet: str | None = None
    dates: str | None = None

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for the fingerprint of a run."""
        return {
            "columns": {header: None if target is None else list(target) for header, target in self.columns.items()},
            "constants": {name: str(value) for name, value in self.constants.items()},
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "dates": self.dates,
        }


def read_mapping(path: Path | None, law: Law, sheet: str | None = None) -> Mapped:
    """Read a mapping file, or none. Raises ProblemError `mapping_wrong` with the key at fault."""
    if path is None:
        return Mapped(sheet=sheet)
    with open_file(str(path)) as file:
        raw = parse_yaml(decode(file.read(_LARGEST), str(path)), str(path))
    if not isinstance(raw, dict) or any(key not in _KEYS for key in raw):
        odd = next((str(key) for key in raw if key not in _KEYS), "") if isinstance(raw, dict) else ""
        raise _wrong(odd or "file", f"a mapping file has the keys {', '.join(_KEYS)}" + (f", not {odd[:60]}" if odd else ""))
    columns, constants = raw.get("columns") or {}, raw.get("constants") or {}
    if not isinstance(columns, dict) or not isinstance(constants, dict):
        raise _wrong("columns", "columns and constants are maps: {Header: fact}, {fact: value}")
    delimiter, dates = raw.get("delimiter"), raw.get("dates")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'):
        raise _wrong("delimiter", "the delimiter is one character, such as ; or |")
    if dates is not None and dates not in DATES:
        raise _wrong("dates", f"dates is one of {', '.join(DATES)}")
    named = {str(header): _target(str(header), wanted, law) for header, wanted in columns.items()}
    for name in constants:
        if name not in law.facts:
            raise _wrong(f"constants.{name}"[:80], f"no fact is called {name[:60]}; `tariff rules facts` names all")
    return Mapped(named, constants, delimiter, sheet or raw.get("sheet"), DATES[dates] if dates else None)


def _target(header: str, wanted: Any, law: Law) -> Target | None:
    if wanted is None:
        return None
    name = str(wanted)
    if name in OWN:
        return ("own", name)
    if name in law.facts:
        return ("fact", name)
    kind, _, unit = name.partition(" ")
    if kind == "quantity" and unit:
        return ("quantity", unit)
    message = f"{name[:60]} is no fact; a column stands for a fact, `quantity UNIT`, id, entry_number or line, or for null: it is not read"
    raise _wrong(f"columns.{header}"[:80], message)


def _wrong(field: str, message: str) -> Exception:
    return refuse("mapping_wrong", field, message, "see docs/bulk.md, mapping files")
