"""Which kind of entry goods need: a formal entry where a row of fees.yaml demands it, an informal one otherwise, or the type stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tariff_engine.fee_law import Fees, Mode, Required, Visible, all_known, live
from tariff_engine.problems import Problem, refuse


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry must be formal: the row of law, the type that it asks for, and the numbers of the lines that it is true of."""

    row: str
    type: str
    says: str
    cites: tuple[str, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EntryKind:
    """The entry type code and whether such an entry is formal; `says` and `cites` give the reason. Empty code: no entry is made.

    `reasons` are all rows that demand a formal entry, the one that decides first; they stand there whatever type is stated.
    """

    code: str
    formal: bool
    says: str
    cites: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class FeeLine:
    """A line as the fees see it. `value` is the entered value in whole dollars; `dutiable_value` the part dutiable under chapter 98.

    `spi` is the preference claimed, `originating` whether the goods meet its rule of origin (None: not stated). `chapter99` says that an
    additional duty of chapter 99, subchapters III and IV, is filed on the line. `quota` says that a quota takes the goods, `over_quota` that
    they are of a quota class and beyond the quota.
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
    over_quota: bool = False
    other_agency: bool = False


def entry_kind(
    fees: Fees, *, entry_date: date, mode: Mode | None, stated: str | None, lines: Sequence[FeeLine], visible: Visible = all_known
) -> EntryKind:
    """Return the kind of entry: as stated, or formal if a row demands it, or else informal (19 CFR 143.21, 145.12(a)).

    Raises ProblemError if the code stated is none that the rules know.
    """
    types = fees.rules.entry_types
    reasons = _demands(fees, entry_date, mode, lines, visible)
    low_value = {code for row in types.low_value if live(row, entry_date, visible) for code in row.types}
    if stated is not None and stated not in low_value:
        if stated not in {*types.formal, *types.informal}:
            known = ", ".join([*types.formal, *types.informal])
            raise refuse("unknown_entry_type", "entry_type", f"{stated!r} is no entry type whose fees are known", f"send one of {known}")
        return EntryKind(stated, stated in types.formal, "The entry type is as stated.", (), reasons)
    if reasons:
        first = reasons[0]
        return EntryKind(first.type, first.type in types.formal, first.says, first.cites, reasons)
    return EntryKind(types.otherwise.type, types.otherwise.type in types.formal, types.otherwise.says, types.otherwise.cite)


def _demands(fees: Fees, day: date, mode: Mode | None, lines: Sequence[FeeLine], visible: Visible) -> tuple[Reason, ...]:
    """Return the rows that demand a formal entry. The first line that meets all of a row's tests meets it for the entry."""
    total = sum(line.value for line in lines)
    found = []
    for row in fees.rules.entry_types.required:
        if not live(row, day, visible) or (row.mode is not None and mode not in row.mode) or (row.over is not None and total <= row.over):
            continue
        numbers = tuple(line.number for line in lines if _demanded(row, line))
        if numbers:
            found.append(Reason(row.id, row.type, row.says, row.cite, numbers))
    return tuple(found)


def rows_demanding(fees: Fees, line: FeeLine) -> tuple[int, ...]:
    """Return the places of the rows that a line meets but for their day, their mode, and amounts: all that entry types see of it but its value."""
    return tuple(place for place, row in enumerate(fees.rules.entry_types.required) if _of_kind(row, line))


def _demanded(row: Required, line: FeeLine) -> bool:
    return (row.line_over is None or line.value > row.line_over) and _of_kind(row, line)


def _of_kind(row: Required, line: FeeLine) -> bool:
    return (
        (line.adcvd or not row.adcvd)
        and (line.quota or not row.quota)
        and (line.over_quota or not row.over_quota)
        and (line.chapter98 is not None or not row.chapter98)
        and (line.chapter99 or not row.chapter99)
        and (line.spi is not None or not row.preference)
        and (line.other_agency or not row.other_agency)
        and (row.hts is None or line.hts.replace(".", "").startswith(row.hts))
    )


def doubts_of_type(fees: Fees, entry: EntryKind, stated: str | None, day: date, visible: Visible) -> list[Problem]:
    """Return warnings on the type stated: an informal entry where a row demands a formal one; a type for de minimis goods only."""
    if stated is None:
        return []
    for row in fees.rules.entry_types.low_value:
        if stated in row.types and live(row, day, visible):
            message = f"type {stated} is stated, but the goods do not pass free: {row.says} Taken: {entry.code} [{'; '.join(row.cite)}]"
            return [Problem("low_value_entry_refused", "entry_type", message, f"send {entry.code}")]
    if entry.formal or not entry.reasons:
        return []
    first = entry.reasons[0]
    message = f"type {entry.code} is stated, but: {first.says} [{'; '.join(first.cites)}]"
    return [Problem("formal_entry_required", "entry_type", message, f"send {first.type}")]
