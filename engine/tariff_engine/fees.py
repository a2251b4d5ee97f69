"""What an entry pays besides duty: the merchandise processing fee (MPF) and the harbor maintenance fee (HMF).

Both are assessed once for the entry, never line by line. Which kind of entry it is (formal, informal) decides the MPF, so that stands here
too. Nothing here names a rate, a date or a country: fees.yaml and mpf.csv do, each row with its citation and the act that made it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from tariff_engine.entry_type import EntryKind, FeeLine, doubts_of_type, entry_kind
from tariff_engine.fee_law import (
    NO_MANNER,
    Assumption,
    Base,
    Confidence,
    Exemption,
    Fees,
    Manner,
    Mode,
    MpfYear,
    NotPrefixes,
    Question,
    Schedule,
    Treatment,
    Visible,
    all_known,
    fits,
    last,
    live,
    unique,
)
from tariff_engine.money import cents, cents_of, percent_text
from tariff_engine.problems import Problem, refuse

_SYMBOL = re.compile(r"[A-Z]{1,2}[+*]?")


@dataclass(frozen=True, slots=True)
class LineNote:
    """What a row says about one line of the entry: free of the MPF, or a claim that frees nothing."""

    line: int
    row: str
    says: str
    cites: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Extra:
    """What is due beside the MPF for the manner of the entry, in dollars."""

    amount: Decimal
    row: str
    class_code: str
    says: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee of the entry. `amount` is exact to the cent; `low` is what is due if the assumption behind it is wrong; `base` is in dollars.

    `amount` holds the `surcharge` too. `open_end` says that the amounts of the fiscal year are not known, so that more may be due.
    """

    name: Literal["mpf", "hmf"]
    amount: Decimal
    low: Decimal
    rate: str
    base: int
    row: str
    says: str
    cites: tuple[str, ...]
    confidence: Confidence
    class_code: str = ""
    exempt: tuple[LineNote, ...] = ()
    claims_without_effect: tuple[LineNote, ...] = ()
    surcharge: Extra | None = None
    open_end: bool = False


@dataclass(frozen=True, slots=True)
class FeeAnswer:
    """The fees of an entry with everything that was taken for granted on the way."""

    mpf: Fee
    hmf: Fee
    entry: EntryKind
    warnings: tuple[Problem, ...]
    assumptions: tuple[Assumption, ...]
    questions: tuple[Question, ...]


def assess_fees(
    fees: Fees,
    *,
    entry_date: date,
    mode: Mode | None,
    entry_type: str | None,
    lines: Sequence[FeeLine],
    visible: Visible = all_known,
    treatment: Treatment = "entry",
    manner: Manner = NO_MANNER,
) -> FeeAnswer:
    """Return the MPF and the HMF of one entry, in dollars exact to the cent.

    `entry_type` is the code stated, or None to have it found; `treatment` is "exempt" or "postal_duty" where the de minimis gate released the
    goods; `manner` says how the entry is made. Raises ProblemError: no line, a negative value, an entry type that the
    rules do not know, a date before the fee tables. Sources: 19 USC 58c(a)(9)-(10), (b)(8)-(10); 19 CFR 24.23; 26 USC 4461; 19 CFR 24.24.
    """
    if not lines:
        raise refuse("no_lines", "lines", "an entry without lines has no fees", "send at least one line")
    for line in lines:
        if min(line.value, line.dutiable_value or 0) < 0:
            raise refuse("value_negative", "value", f"line {line.number} has a negative value", "send values of zero or more")
    return scaled_fees(
        fees, entry_date=entry_date, mode=mode, entry_type=entry_type, lines=lines, visible=visible, treatment=treatment, manner=manner
    )[0]


def scaled_fees(
    fees: Fees,
    *,
    entry_date: date,
    mode: Mode | None,
    entry_type: str | None,
    lines: Sequence[FeeLine],
    visible: Visible,
    treatment: Treatment,
    manner: Manner,
) -> tuple[FeeAnswer, Scale | None, Scale | None]:
    """Return the fees, and how the MPF and the HMF follow from the value; None where an amount does not depend on it."""
    notes = _Notes()
    if treatment == "entry":
        entry = entry_kind(fees, entry_date=entry_date, mode=mode, stated=entry_type, lines=lines, visible=visible)
        notes.warnings += doubts_of_type(fees, entry, entry_type, entry_date, visible)
    else:
        entry = EntryKind("", formal=False, says="The goods are released without an entry.", cites=())
    mpf = _mpf(fees, entry, entry_date, mode, lines, visible, treatment, manner, notes)
    hmf = _hmf(fees, entry_date, mode, lines, visible, treatment, notes)
    answer = FeeAnswer(mpf, hmf, entry, tuple(notes.warnings), tuple(notes.assumptions), tuple(notes.questions))
    return answer, notes.scales.get("mpf"), notes.scales.get("hmf")


@dataclass(frozen=True, slots=True)
class Scale:
    """How a fee follows from its base: a rate, between two amounts in cents; `sure` says that it is due whatever was taken for granted."""

    rate: Fraction
    least: int
    most: int | None
    sure: bool

    def of(self, fee: Fee, base: int) -> Fee:
        """Return a fee of this scale on another base in dollars."""
        owed = max(cents_of(self.rate, base), self.least)
        amount = _money(owed if self.most is None else min(owed, self.most))
        low = amount if self.sure else Decimal("0.00")
        return Fee(
            fee.name,
            amount,
            low,
            fee.rate,
            base,
            fee.row,
            fee.says,
            fee.cites,
            fee.confidence,
            fee.class_code,
            fee.exempt,
            fee.claims_without_effect,
            fee.surcharge,
            fee.open_end,
        )


@dataclass(slots=True)
class _Notes:
    warnings: list[Problem] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    scales: dict[str, Scale] = field(default_factory=dict)


def _mpf(
    fees: Fees,
    entry: EntryKind,
    day: date,
    mode: Mode | None,
    lines: Sequence[FeeLine],
    visible: Visible,
    treatment: Treatment,
    manner: Manner,
    notes: _Notes,
) -> Fee:
    rules = fees.rules.mpf
    row = last(
        (
            row
            for row in rules.schedules
            if treatment in row.treatment
            and fits(mode, row.mode)
            and (row.entry_types is None or entry.code in row.entry_types)
            and (row.method is None or manner.method in row.method)
            and (row.mail is None or manner.mail in row.mail)
        ),
        day,
        visible,
    )
    if row is None:
        raise refuse("fee_not_known", "entry_date", f"no processing fee is known for type {entry.code} on {day}", "send a later entry date")
    if row.kind == "none":
        return _none("mpf", row.id, row.says, row.cite, row.confidence)
    exempt, idle = _exempt(rules.exemptions, day, lines, visible, notes)
    free = {note.line for note in exempt}
    liable = [line for line in lines if line.number not in free]
    base = sum(_mpf_base(rules.bases, day, line, visible, notes) for line in liable)
    if not liable:
        first = exempt[0]
        fee = _none("mpf", first.row, first.says, first.cites, first.confidence)
        return replace(fee, class_code=row.class_code, exempt=tuple(exempt), claims_without_effect=tuple(idle))
    year, known = _year(fees, day, visible, notes)
    cites = (*row.cite, *year.cite)
    extra = _surcharge(fees, entry, day, mode, visible, manner, year)
    if row.kind == "ad_valorem":
        rate = last(rules.rates, day, visible)
        if rate is None:
            raise refuse("fee_not_known", "entry_date", f"no rate of the processing fee is known on {day}", "send a later entry date")
        least, most = cents(Fraction(year.min)), cents(Fraction(year.max))
        amount = _money(min(max(cents(rate.rate * base), least), most))
        notes.scales["mpf"] = Scale(rate.rate, least, most, sure=row.assume is None)
        text = f"{percent_text(rate.rate)}, at least ${year.min}, at most ${year.max}"
        cites = (*cites, *rate.cite)
    else:
        amount, text = _fixed(row, year, manner.bills, notes)
        fixed = cents(Fraction(amount))
        notes.scales["mpf"] = Scale(Fraction(0), fixed, fixed, sure=row.assume is None)
    if row.assume is not None:
        notes.assumptions.append(Assumption(row.assume.fact, row.assume.taken, row.assume.because))
    if extra is not None:
        amount += extra.amount
        text, cites = f"{text}, and ${extra.amount} for an entry on paper", (*cites, *extra.cites)
        notes.scales.pop("mpf", None)
    low = Decimal("0.00") if row.assume is not None else amount
    fee = Fee("mpf", amount, low, text, base, row.id, row.says, unique(cites), row.confidence, row.class_code, tuple(exempt), tuple(idle))
    return fee if known and extra is None else replace(fee, surcharge=extra, open_end=not known)


def _surcharge(fees: Fees, entry: EntryKind, day: date, mode: Mode | None, visible: Visible, manner: Manner, year: MpfYear) -> Extra | None:
    """Return what an entry made in such a manner pays beside the fee; None where it pays nothing more."""
    rows = fees.rules.mpf.surcharges
    row = last(
        (row for row in rows if fits(mode, row.mode) and entry.code in row.entry_types and manner.method in row.method), day, visible
    )
    if row is None:
        return None
    return Extra(getattr(year, row.amount), row.id, row.class_code, row.says, row.cite)


def _fixed(row: Schedule, year: MpfYear, bills: int | None, notes: _Notes) -> tuple[Decimal, str]:
    column = str(row.amount)
    each: Decimal = getattr(year, column)
    if column in year.derived:
        because = "no notice with the amount was read; it is the amount of the statute raised as the published maximum was"
        notes.assumptions.append(Assumption("mpf_amount", f"${each}", because))
    if row.per is None:
        return each, f"${each} an entry"
    if bills is None:
        notes.assumptions.append(Assumption("bills", "1", "the fee is due for each waybill and their number is not stated"))
        notes.questions.append(Question("bills", "the fee is due for each waybill"))
    elif bills < 1:
        raise refuse("bills_not_positive", "bills", f"{bills} waybills", "send a whole number of one or more")
    return each * (bills or 1), f"${each} a waybill"


def _exempt(
    rows: Sequence[Exemption], day: date, lines: Sequence[FeeLine], visible: Visible, notes: _Notes
) -> tuple[list[LineNote], list[LineNote]]:
    """Return what frees lines of the MPF (one note a line, the first row that fits), and the claims that free nothing."""
    freed: list[LineNote] = []
    idle: list[LineNote] = []
    for line in lines:
        symbols = set(_SYMBOL.findall((line.spi or "").upper()))
        fitting = [row for row in rows if live(row, day, visible) and _fits_line(row, line, symbols)]
        sure = [row for row in fitting if row.free and not (row.spi and line.originating is False)]
        if sure:
            row = next((row for row in sure if row.spi is None), sure[0])
            freed.append(LineNote(line.number, row.id, row.says, row.cite, row.confidence))
            if row.spi is not None and line.originating is None:
                because = f"line {line.number} claims {line.spi}, and only goods that meet the rule of origin are free of the fee"
                notes.assumptions.append(Assumption("originating", "true", because))
            continue
        for row in fitting:
            says = f"The goods do not meet the rule of origin. {row.says}" if row.free else row.says
            idle.append(LineNote(line.number, row.id, says, row.cite, row.confidence))
    return freed, idle


def frees(fees: Fees, day: date, line: FeeLine, visible: Visible) -> bool:
    """Whether a row frees a line of the MPF on a day, whatever its value."""
    return bool(_exempt(fees.rules.mpf.exemptions, day, [line], visible, _Notes())[0])


def _fits_line(row: Exemption, line: FeeLine, symbols: set[str]) -> bool:
    if row.chapter98 is not None:
        number = (line.chapter98 or "").replace(".", "")
        listed = row.chapter98.not_ if isinstance(row.chapter98, NotPrefixes) else row.chapter98
        if not number or number.startswith(listed) == isinstance(row.chapter98, NotPrefixes):
            return False
    return (
        (row.spi is None or not symbols.isdisjoint(row.spi))
        and (row.origin is None or line.origin in row.origin)
        and (row.usmca_qualifying is None or line.usmca_qualifying is row.usmca_qualifying)
    )


def _mpf_base(rows: Sequence[Base], day: date, line: FeeLine, visible: Visible, notes: _Notes) -> int:
    number = (line.chapter98 or "").replace(".", "")
    row = last((row for row in rows if number.startswith(row.chapter98)), day, visible) if number else None
    if row is None:
        return line.value
    if line.dutiable_value is None:
        notes.assumptions.append(Assumption("dutiable_value", f"${line.value}", f"it is not stated for line {line.number}. {row.says}"))
        return line.value
    return min(line.dutiable_value, line.value)


def _year(fees: Fees, day: date, visible: Visible, notes: _Notes) -> tuple[MpfYear, bool]:
    """Return the amounts of the fiscal year and whether they are known; else those of the last year known, with a warning."""
    known = [year for year in fees.years if visible(year.by, year.withdrawn_by) and year.from_ <= day]
    if not known:
        raise refuse("fee_not_known", "entry_date", f"the processing fee is not known for {day}", f"send a date from {fees.years[0].from_}")
    year = known[-1]
    if day >= year.until:
        message = (
            f"the amounts of the processing fee for {day} are not known; those of fiscal year {year.fiscal_year} are taken. "
            "Amounts follow consumer prices and have risen in every fiscal year so far: more may be due"
        )
        fix = "check the notice of customs user fees for the fiscal year of the entry date"
        notes.warnings.append(Problem("mpf_unknown_fiscal_year", "entry_date", message, fix))
        notes.assumptions.append(Assumption("mpf_amounts", f"fiscal year {year.fiscal_year}", "no later notice is known"))
    return year, day < year.until


def _hmf(fees: Fees, day: date, mode: Mode | None, lines: Sequence[FeeLine], visible: Visible, treatment: Treatment, notes: _Notes) -> Fee:
    rules = fees.rules.hmf
    taken = mode or (rules.unknown_mode.taken if treatment == "entry" else None)
    row = last(
        (row for row in rules.rules if treatment in row.treatment and (row.mode is None or taken in row.mode)),
        day,
        visible,
    )
    rate = last(rules.rates, day, visible)
    if row is None or rate is None:
        raise refuse("fee_not_known", "entry_date", f"the harbor fee is not known for {day}", "send a later entry date")
    if not row.due:
        return _none("hmf", row.id, row.says, row.cite, row.confidence)
    base = sum(line.value for line in lines)
    amount = _money(cents(rate.rate * base))
    notes.scales["hmf"] = Scale(rate.rate, 0, None, sure=mode is not None)
    if mode is None:
        notes.assumptions.append(Assumption("mode", rules.unknown_mode.taken, rules.unknown_mode.because))
        notes.questions.append(Question("mode", "the harbor fee is due on cargo from a vessel, and on no other"))
    low = amount if mode is not None else Decimal("0.00")
    cites = (*row.cite, *rate.cite)
    return Fee("hmf", amount, low, percent_text(rate.rate), base, row.id, row.says, unique(cites), row.confidence, row.class_code)


def _none(name: Literal["mpf", "hmf"], row: str, says: str, cites: tuple[str, ...], confidence: Confidence) -> Fee:
    return Fee(name, Decimal("0.00"), Decimal("0.00"), "none", 0, row, says, cites, confidence)


def _money(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
