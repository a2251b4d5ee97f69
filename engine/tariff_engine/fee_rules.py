"""The readers of fees.yaml and mpf.csv: strict types that refuse what is wrong, and give what is right as the plain law of fee_law.py.

What the keys mean stands in docs/fees-and-de-minimis.md. The dated row of law (`LawRow`) is shared with de_minimis.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tariff_engine import fee_law
from tariff_engine.fee_law import AmountColumn, Confidence, FeeKind, Mail, Method, Mode, Treatment
from tariff_engine.law import Act
from tariff_engine.notation.model import Instrument
from tariff_engine.notation.terms import Cites, Dated, Dollars, Name, Rate, Strict
from tariff_engine.problems import RulebookError
from tariff_engine.strict_form import parse_model, plain

EntryCode = Annotated[str, StringConstraints(pattern=r"^\d{2}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^\d{4,10}$")]
FORMS = {**vars(fee_law), "Instrument": Act}
"""The plain forms of the types of this module, by the names that both bear; of an instrument, the act."""


class Assume(Strict):
    """What a row takes for granted."""

    fact: str
    taken: str
    because: str


class NotModes(Strict):
    """Every mode but these, and a mode that is not stated."""

    not_: Sequence[Mode] = Field(alias="not")


class NotPrefixes(Strict):
    """Every number of chapter 98 but these."""

    not_: Sequence[Prefix] = Field(alias="not")


class LawRow(Dated):
    """A dated sentence of law: from the day it begins, as the act `by` made it."""

    id: str
    from_: date = Field(alias="from")
    says: str = Field(min_length=8)
    cite: Cites
    confidence: Confidence


class DatedRate(Dated):
    """A rate of a fee."""

    from_: date = Field(alias="from")
    rate: Rate
    cite: Cites
    confidence: Confidence


class Schedule(LawRow):
    """How an entry of some kind pays the MPF. `per: bill` multiplies the amount by the number of waybills."""

    treatment: Sequence[Treatment] = ("entry",)
    entry_types: Sequence[EntryCode] | None = None
    mode: Sequence[Mode] | NotModes | None = None
    method: Sequence[Method] | None = None
    mail: Sequence[Mail] | None = None
    kind: FeeKind
    amount: AmountColumn | None = None
    per: Literal["bill"] | None = None
    class_code: str = ""
    assume: Assume | None = None

    @model_validator(mode="after")
    def _fixed_names_its_amount(self) -> Self:
        if (self.kind == "fixed") != (self.amount is not None):
            raise ValueError("a fixed fee, and no other, names its column of mpf.csv as `amount`")
        return self


class Surcharge(LawRow):
    """A fixed amount, a column of mpf.csv, that an entry made in some manner pays beside its MPF."""

    entry_types: Sequence[EntryCode]
    mode: Sequence[Mode] | NotModes | None = None
    method: Sequence[Method]
    amount: AmountColumn
    class_code: str


class Exemption(LawRow):
    """What frees a line of the MPF; all that is given must hold. `free: false`: the claim is known and frees nothing."""

    spi: Sequence[str] | None = None
    origin: Sequence[Country] | None = None
    usmca_qualifying: bool | None = None
    chapter98: Sequence[Prefix] | NotPrefixes | None = None
    free: bool


class Base(LawRow):
    """Goods of chapter 98 whose MPF is taken on the dutiable part."""

    chapter98: Sequence[Prefix]


class HmfRule(LawRow):
    """By which modes the HMF is due."""

    treatment: Sequence[Treatment] = ("entry",)
    mode: Sequence[Mode] | None = None
    due: bool
    class_code: str = ""


class Required(LawRow):
    """Why an entry must be formal; all that is given must hold, for one line or (`over`, in dollars) for the sum of the lines."""

    type: EntryCode
    over: Dollars | None = None
    line_over: Dollars | None = None
    adcvd: bool = False
    quota: bool = False
    over_quota: bool = False
    chapter98: bool = False
    chapter99: bool = False
    preference: bool = False
    other_agency: bool = False
    hts: Sequence[Prefix] | None = None
    mode: Sequence[Mode] | None = None


class LowValue(LawRow):
    """Entry types that are for goods released under the de minimis exemption only."""

    types: Sequence[EntryCode]


class QuotaState(Strict):
    """Which values of the fact `quota_status` stand for goods that the quota takes; every other is over it."""

    within: Sequence[str]


class Otherwise(Strict):
    """The entry type of whatever needs no formal entry."""

    type: EntryCode
    says: str
    cite: Cites
    confidence: Confidence


class Mpf(Strict):
    """The MPF part of the file."""

    rates: list[DatedRate]
    schedules: list[Schedule]
    surcharges: list[Surcharge] = Field(default_factory=list)
    exemptions: list[Exemption]
    bases: list[Base]


class UnknownMode(Strict):
    """What is taken when nobody says how the goods arrive."""

    taken: Mode
    because: str


class Hmf(Strict):
    """The HMF part of the file."""

    rates: list[DatedRate]
    rules: list[HmfRule]
    unknown_mode: UnknownMode


class EntryTypes(Strict):
    """The entry type part of the file."""

    formal: list[EntryCode]
    informal: list[EntryCode]
    low_value: list[LowValue] = Field(default_factory=list)
    quota_status: QuotaState = Field(default_factory=lambda: QuotaState(within=[]))
    required: list[Required]
    otherwise: Otherwise


class Rounding(Strict):
    """How a fee is rounded, for the explanation; the arithmetic is `money.cents`."""

    says: str
    cite: Cites
    confidence: Confidence


class FeeRules(Strict):
    """fees.yaml."""

    instruments: dict[Name, Instrument] = Field(default_factory=dict)
    rounding: Rounding
    mpf: Mpf
    hmf: Hmf
    entry_types: EntryTypes


class MpfYear(Dated):
    """The amounts of one fiscal year, in dollars; `derived` names those that were computed, not read."""

    fiscal_year: str
    from_: date = Field(alias="from")
    until: date
    min: Dollars
    max: Dollars
    informal_automated: Dollars
    informal_manual: Dollars
    informal_by_cbp: Dollars
    manual_surcharge: Dollars
    dutiable_mail: Dollars
    express_bill: Dollars
    derived: list[str]
    cite: Cites
    confidence: Confidence


def parse_fees(tree: object, mpf_rows: Iterable[Mapping[str, str]]) -> fee_law.Fees:
    """Return the law on fees from fees.yaml as plain data and the rows of mpf.csv. Raises RulebookError on any defect of either."""
    years = read_years(mpf_rows)
    return fee_law.Fees(plain(parse_model(FeeRules, tree, "fees.yaml"), FORMS), plain(years, FORMS))


def read_years(mpf_rows: Iterable[Mapping[str, str]]) -> tuple[MpfYear, ...]:
    """Return the rows of mpf.csv, oldest first. Raises RulebookError: a defect of a row, a hole between two fiscal years, no row at all."""
    years = tuple(sorted((_year_row(row) for row in mpf_rows), key=lambda year: year.from_))
    for before, after in pairwise(years):
        if before.until != after.from_:
            raise RulebookError(f"mpf.csv: {after.fiscal_year}: begins on {after.from_}, but the year before ends on {before.until}")
    if not years:
        raise RulebookError("mpf.csv: file: there is no fiscal year")
    return years


def _year_row(row: Mapping[str, str]) -> MpfYear:
    texts = {"fiscal_year", "cite", "confidence", "by", "withdrawn_by"}
    cells: dict[str, object] = {}
    for name, text in row.items():
        if name in {"from", "until"}:
            cells[name] = date.fromisoformat(text)
        elif name == "derived":
            cells[name] = text.split()
        elif name in texts:
            cells[name] = text or None
        else:
            cells[name] = f"${text}"
    return parse_model(MpfYear, cells, f"mpf.csv: {row.get('fiscal_year', '?')}")
