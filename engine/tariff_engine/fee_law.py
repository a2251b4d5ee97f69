"""The law on fees as the engine applies it: what fee_rules.py read and found good, as plain objects that start and pickle fast.

What the fields mean stands in docs/fees-and-de-minimis.md. The types take whatever they are given: the strict reading, with its refusals,
is that of the types of the same names in fee_rules.py. The row of law (`LawRow`), its test of knowledge time (`Visible`) and the notes on
what was taken for granted are shared with the law on de minimis shipments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from tariff_engine.law import Act

Mode = Literal["ocean", "air", "truck", "rail", "postal", "express", "other"]
Treatment = Literal["entry", "exempt", "postal_duty"]
Confidence = Literal["high", "medium", "low"]
FeeKind = Literal["ad_valorem", "fixed", "none"]
AmountColumn = Literal["informal_automated", "informal_manual", "informal_by_cbp", "manual_surcharge", "dutiable_mail", "express_bill"]
Method = Literal["automated", "manual", "prepared_by_cbp"]
Mail = Literal["ems", "other"]
Visible = Callable[[str | None, str | None], bool]
_Row = TypeVar("_Row", bound="Dated")


def all_known(by: str | None, withdrawn_by: str | None) -> bool:  # noqa: ARG001  the shape of Visible
    """Knowledge time without limit: every act is known, and whatever was called off is gone."""
    return withdrawn_by is None


@dataclass(frozen=True, slots=True)
class Assumption:
    """What was taken for a fact that nobody stated, and why."""

    fact: str
    taken: str
    because: str


@dataclass(frozen=True, slots=True)
class Question:
    """A fact that would settle the answer; `matters` says what depends on it."""

    fact: str
    matters: str


@dataclass(frozen=True, slots=True)
class Assume:
    """What a row takes for granted."""

    fact: str
    taken: str
    because: str


@dataclass(frozen=True, slots=True)
class NotModes:
    """Every mode but these, and a mode that is not stated."""

    not_: tuple[Mode, ...]


@dataclass(frozen=True, slots=True)
class NotPrefixes:
    """Every number of chapter 98 but these."""

    not_: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """What an act did, with its sources: in effect on [from_, until), known while `by` is published and `withdrawn_by` is not."""

    from_: date
    until: date | None
    by: str | None
    withdrawn_by: str | None
    cite: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class LawRow(Dated):
    """A dated sentence of law."""

    id: str
    says: str


def live(row: Dated, day: date, visible: Visible) -> bool:
    """Whether a row is known, and in effect on a day."""
    return row.from_ <= day and (row.until is None or day < row.until) and visible(row.by, row.withdrawn_by)


def last(rows: Iterable[_Row], day: date, visible: Visible) -> _Row | None:
    """Return the live row that began last; of two that began on one day, the later in the file. None if no row is live."""
    found: _Row | None = None
    for row in rows:
        if live(row, day, visible) and (found is None or row.from_ >= found.from_):
            found = row
    return found


@dataclass(frozen=True, slots=True)
class Manner:
    """How an entry is made: filed electronically, on paper, or prepared by an officer; how many waybills; which kind of mail. None: not stated."""

    method: Method | None = None
    bills: int | None = None
    mail: Mail | None = None


NO_MANNER = Manner()
"""Nothing is stated of how the entry is made."""


def fits(mode: Mode | None, wanted: tuple[Mode, ...] | NotModes | None) -> bool:
    """Whether a mode meets a row's test; a mode that nobody stated is none of the modes named."""
    if wanted is None:
        return True
    return mode not in wanted.not_ if isinstance(wanted, NotModes) else mode in wanted


def unique(cites: Iterable[str]) -> tuple[str, ...]:
    """Return citations once each, in order."""
    return tuple(dict.fromkeys(cites))


@dataclass(frozen=True, slots=True)
class DatedRate(Dated):
    """A rate of a fee; 1/100 is 1%."""

    rate: Fraction


@dataclass(frozen=True, slots=True)
class Schedule(LawRow):
    """How an entry of some kind pays the MPF. `per: bill` multiplies the amount by the number of waybills."""

    treatment: tuple[Treatment, ...]
    entry_types: tuple[str, ...] | None
    mode: tuple[Mode, ...] | NotModes | None
    method: tuple[Method, ...] | None
    mail: tuple[Mail, ...] | None
    kind: FeeKind
    amount: AmountColumn | None
    per: Literal["bill"] | None
    class_code: str
    assume: Assume | None


@dataclass(frozen=True, slots=True)
class Surcharge(LawRow):
    """A fixed amount that an entry made in some manner pays beside its MPF, outside the bounds of the year."""

    entry_types: tuple[str, ...]
    mode: tuple[Mode, ...] | NotModes | None
    method: tuple[Method, ...]
    amount: AmountColumn
    class_code: str


@dataclass(frozen=True, slots=True)
class Exemption(LawRow):
    """What frees a line of the MPF; all that is given must hold. `free` False: the claim is known and frees nothing."""

    spi: tuple[str, ...] | None
    origin: tuple[str, ...] | None
    usmca_qualifying: bool | None
    chapter98: tuple[str, ...] | NotPrefixes | None
    free: bool


@dataclass(frozen=True, slots=True)
class Base(LawRow):
    """Goods of chapter 98 whose MPF is taken on the dutiable part."""

    chapter98: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HmfRule(LawRow):
    """By which modes the HMF is due."""

    treatment: tuple[Treatment, ...]
    mode: tuple[Mode, ...] | None
    due: bool
    class_code: str


@dataclass(frozen=True, slots=True)
class Required(LawRow):
    """Why an entry must be formal; all that is given must hold, for one line or (`over`, in dollars) for the sum of the lines."""

    type: str
    over: Decimal | None
    line_over: Decimal | None
    adcvd: bool
    quota: bool
    over_quota: bool
    chapter98: bool
    chapter99: bool
    preference: bool
    other_agency: bool
    hts: tuple[str, ...] | None
    mode: tuple[Mode, ...] | None


@dataclass(frozen=True, slots=True)
class LowValue(LawRow):
    """Entry types that are for goods released under the de minimis exemption only."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuotaState:
    """What the facts say of goods of a quota class: which values of `quota_status` stand for goods that the quota takes."""

    within: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The entry type of whatever needs no formal entry."""

    type: str
    says: str
    cite: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Mpf:
    """The law on the MPF."""

    rates: tuple[DatedRate, ...]
    schedules: tuple[Schedule, ...]
    surcharges: tuple[Surcharge, ...]
    exemptions: tuple[Exemption, ...]
    bases: tuple[Base, ...]


@dataclass(frozen=True, slots=True)
class UnknownMode:
    """What is taken when nobody says how the goods arrive."""

    taken: Mode
    because: str


@dataclass(frozen=True, slots=True)
class Hmf:
    """The law on the HMF."""

    rates: tuple[DatedRate, ...]
    rules: tuple[HmfRule, ...]
    unknown_mode: UnknownMode


@dataclass(frozen=True, slots=True)
class EntryTypes:
    """The law on entry types."""

    formal: tuple[str, ...]
    informal: tuple[str, ...]
    low_value: tuple[LowValue, ...]
    quota_status: QuotaState
    required: tuple[Required, ...]
    otherwise: Otherwise


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a fee is rounded, for the explanation; the arithmetic is `money.cents`."""

    says: str
    cite: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class FeeRules:
    """What fees.yaml says; `instruments` are the acts that it names, by their names."""

    instruments: dict[str, Act]
    rounding: Rounding
    mpf: Mpf
    hmf: Hmf
    entry_types: EntryTypes


@dataclass(frozen=True, slots=True)
class MpfYear(Dated):
    """The amounts of one fiscal year, in dollars; `derived` names those that were computed, not read."""

    until: date
    fiscal_year: str
    min: Decimal
    max: Decimal
    informal_automated: Decimal
    informal_manual: Decimal
    informal_by_cbp: Decimal
    manual_surcharge: Decimal
    dutiable_mail: Decimal
    express_bill: Decimal
    derived: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fees:
    """The law on fees: the rules and the yearly amounts, oldest first."""

    rules: FeeRules
    years: tuple[MpfYear, ...]
