"""Which kind of entry goods need: a formal entry where a row of fees.yaml demands it, an informal one otherwise, or the type stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tariff_engine.fee_law import Fees, Mode, Required, Visible, all_known, live
from tariff_engine.problems import Problem, refuse


@dataclass(frozen=True, slots=True)
class EntryKind:
    """The entry type code and whether such an entry is formal; `says` and `cites` give the reason. Empty code: no entry is made."""

    code: str
    formal: bool
    says: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeeLine:
    """A line as the fees see it. `value` is the entered value in whole dollars; `dutiable_value` the part dutiable under chapter 98.

    `spi` is the preference claimed, `originating` whether the goods meet its rule of origin (None: not stated). `chapter99` says that an
    additional duty of chapter 99, subchapters III and IV, is filed on the line.
    """

    number: int
    value: int
    origin: str
    hts: str = ""
    spi: str | None = None
    originating: bool | None = None
    usmca_qualifying: bool | None = None
    chapter98: str | None = None
    dutiable_value: int | None = None
    chapter99: bool = False
    adcvd: bool = False
    quota: bool = False


def entry_kind(
    fees: Fees, *, entry_date: date, mode: Mode | None, stated: str | None, lines: Sequence[FeeLine], visible: Visible = all_known
) -> EntryKind:
    """Return the kind of entry: as stated, or formal if a row demands it, or else informal (19 CFR 143.21, 145.12(a)).

    Raises ProblemError if the code stated is none that the rules know.
    """
    types = fees.rules.entry_types
    if stated is not None:
        if stated not in {*types.formal, *types.informal}:
            known = ", ".join([*types.formal, *types.informal])
            raise refuse("unknown_entry_type", "entry_type", f"{stated!r} is no entry type whose fees are known", f"send one of {known}")
        return EntryKind(stated, stated in types.formal, "The entry type is as stated.", ())
    row = _demand(fees, entry_date, mode, lines, visible)
    if row is not None:
        return EntryKind(row.type, row.type in types.formal, row.says, row.cite)
    return EntryKind(types.otherwise.type, types.otherwise.type in types.formal, types.otherwise.says, types.otherwise.cite)


def _demand(fees: Fees, day: date, mode: Mode | None, lines: Sequence[FeeLine], visible: Visible) -> Required | None:
    """Return the first row that demands a formal entry. The first line that meets all of a row's tests meets it for the entry."""
    total = sum(line.value for line in lines)
    for row in fees.rules.entry_types.required:
        if not live(row, day, visible) or (row.mode is not None and mode not in row.mode) or (row.over is not None and total <= row.over):
            continue
        if any(_demands(row, line) for line in lines):
            return row
    return None


def _demands(row: Required, line: FeeLine) -> bool:
    return (
        (line.adcvd or not row.adcvd)
        and (line.quota or not row.quota)
        and (line.chapter98 is not None or not row.chapter98)
        and (line.chapter99 or not row.chapter99)
        and (line.spi is not None or not row.preference)
        and (row.line_over is None or line.value > row.line_over)
        and (row.hts is None or line.hts.replace(".", "").startswith(row.hts))
    )


def stated_too_low(fees: Fees, entry: EntryKind, day: date, mode: Mode | None, lines: Sequence[FeeLine], visible: Visible) -> list[Problem]:
    """Return a warning where an informal entry is stated and a row demands a formal one."""
    row = None if entry.formal else _demand(fees, day, mode, lines, visible)
    if row is None:
        return []
    message = f"type {entry.code} is stated, but: {row.says} [{'; '.join(row.cite)}]"
    return [Problem("formal_entry_required", "entry_type", message, f"send {row.type}")]
