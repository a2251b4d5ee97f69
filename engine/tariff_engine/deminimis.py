"""The de minimis gate: whether a shipment of low value passes free, must be entered, or does it pay the postal duty.

The decision table is de_minimis.yaml; this module only finds the row. Precedence: goods that no exemption takes; gifts and travellers'
articles; the value limit; goods outside the suspension orders; the rows on the shipment itself, for every origin in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from tariff_engine.deminimis_law import DeMinimis, Entry, Method, Row, Subject
from tariff_engine.fee_law import Assumption, Confidence, Mode, Question, Visible, fits, last, live
from tariff_engine.problems import Problem, refuse

Result = Literal["exempt", "entry_required", "postal_duty", "available_unclaimed"]
_STRICTNESS = {"exempt": 0, "postal_duty": 1, "entry_required": 2}


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer of the gate, with the row that decides it.

    `result`: `exempt`; `postal_duty` (in place of every other duty, see `duties`); `entry_required`: the ordinary duties and fees;
    `available_unclaimed`: the same, but the exempting row shows what a claim would save. `by` is the act that made the row, `from_` the day
    it began. `duties` holds two rows while the carrier's method is not stated. `not_applied` says why other exemptions do not hold.
    """

    result: Result
    row: str
    says: str
    cites: tuple[str, ...]
    by: str | None
    from_: date
    confidence: Confidence
    entry: Entry
    origin: str
    duties: tuple[Row, ...] = ()
    advice: tuple[str, ...] = ()
    not_applied: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    questions: tuple[Question, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """The shipment as the rows see it."""

    rules: DeMinimis
    day: date
    visible: Visible
    mode: Mode | None
    method: Method | None
    export: str | None
    value: Decimal
    hts: Sequence[str]
    adcvd: bool
    quota: bool
    other_goods: Decimal

    def takes(self, row: Row) -> bool:
        """Whether the value tested lies within the limits of a row: that of all goods of the day, or of the shipment alone."""
        return row.within(self.value - self.other_goods if row.alone else self.value)

    def rows(self, subject: Subject, origin: str) -> list[Row]:
        """Return the rows on a subject that fit everything but the value, oldest law included."""
        return [
            row
            for row in self.rules.rows
            if row.subject == subject
            and row.takes(origin)
            and (row.export is None or (self.export or origin) in row.export)
            and fits(self.mode, row.mode)
            and (row.postal_method is None or row.postal_method == self.method)
            and (self.adcvd or not row.adcvd)
            and (self.quota or not row.quota)
            and (row.hts is None or any(number.replace(".", "").startswith(row.hts) for number in self.hts))
        ]

    def last(self, subject: Subject, origin: str, *, within: Decimal | None = None) -> Row | None:
        """Return the row on a subject that decides, whatever its limits or (`within`) among those whose limits hold for a value."""
        rows = self.rows(subject, origin)
        return last((row for row in rows if within is None or row.within(within)), self.day, self.visible)


@dataclass(slots=True)
class _Notes:
    advice: list[str] = field(default_factory=list)
    not_applied: list[str] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def gate(
    rules: DeMinimis,
    *,
    entry_date: date,
    visible: Visible,
    mode: Mode | None,
    origins: Sequence[str],
    value_total: Decimal,
    claimed: bool | None,
    value_is_retail: bool = False,
    postal_method: Method | None = None,
    export_country: str | None = None,
    gift: bool | None = None,
    traveller: bool | None = None,
    adcvd: bool = False,
    quota: bool = False,
    exempt_articles: bool = False,
    formal_entry: bool = False,
    hts: Sequence[str] = (),
    other_goods: Decimal = Decimal(0),
) -> Gate:
    """Return what 19 USC 1321(a)(2) and its suspensions make of the goods that one person imports on one day.

    `value_total` is the fair retail value abroad in dollars, or else (`value_is_retail` False) the sum of the line values, which is then
    assumed to be it; `other_goods` is the part of it that lies in other shipments of that person and day. `exempt_articles`: all goods are donations, informational materials or accompanied baggage (50 USC 1702(b)).
    `formal_entry`: a formal entry is made for mail. Every origin must qualify: the strictest row decides. Raises ProblemError: no origin, a
    negative value, a date before the table.
    """
    if not origins:
        raise refuse("origin_missing", "origin", "no country of origin is stated", "send the origin of every line")
    if value_total < 0:
        raise refuse("value_negative", "value", f"the shipment is worth ${value_total}", "send a value of zero or more")
    case = _Case(rules, entry_date, visible, mode, postal_method, export_country, value_total, tuple(hts), adcvd, quota, other_goods)
    notes = _Notes()
    if not value_is_retail:
        because = f"it is not stated; the values of the lines are taken. {rules.value_basis.says}"
        notes.assumptions.append(Assumption("fair_retail_value", f"${value_total}", because))
    for row in rules.rows:
        if row.subject == "over_limit" and row.advice and live(row, entry_date, visible) and case.takes(row):
            notes.advice.append(row.advice)

    def decide(one: _Case) -> tuple[Row, str]:
        return _decide(one, origins, exempt_articles=exempt_articles, gift=gift, traveller=traveller)

    row, origin = decide(case)
    if row.entry not in {"gift", "traveller"}:
        notes.not_applied += _over_personal_limits(case, origins[0], gift=gift, traveller=traveller)
    if row.result == "postal_duty" and formal_entry:
        row = next((found for one in origins if (found := case.last("formal_entry", one)) is not None), row)
    result: Result = row.result
    if row.entry == "de_minimis" and claimed is not True:
        result = "available_unclaimed"
        if claimed is None:
            notes.questions.append(Question("de_minimis_claimed", "the shipment would pass free if the exemption were claimed"))
    duties = _duties(case, row, origin, notes)
    _doubts(case, row, origins, decide, notes)
    return Gate(
        result,
        row.id,
        row.says,
        row.cite,
        row.by,
        row.from_,
        row.confidence,
        row.entry,
        origin,
        duties,
        tuple(notes.advice),
        tuple(notes.not_applied),
        tuple(notes.assumptions),
        tuple(notes.questions),
        tuple(notes.warnings),
    )


def rows_reaching(rules: DeMinimis, *, origin: str, hts: str) -> tuple[tuple[bool, bool, bool], ...]:
    """Return all that the rows see of a line's origin and number: of each row whether it speaks of the origin, also as that of export, and of the number."""
    number = hts.replace(".", "")
    return tuple(
        (row.takes(origin), row.export is not None and origin in row.export, row.hts is not None and number.startswith(row.hts))
        for row in rules.rows
    )


def order_matters(rules: DeMinimis) -> bool:
    """Whether the order of the lines of a shipment can decide its result, beyond which line is the first.

    Where several lines meet rows of one subject, the first line may decide which row is named; the result differs only if those rows differ.
    """
    return any(
        (row.subject in {"excluded", "formal_entry"} and row.result != "entry_required")
        or (row.subject in {"shipment", "exempt_articles"} and row.result == "exempt" and row.entry != "de_minimis")
        for row in rules.rows
    )


def _decide(case: _Case, origins: Sequence[str], *, exempt_articles: bool, gift: bool | None, traveller: bool | None) -> tuple[Row, str]:
    """Return the row that decides, and the origin it was found for."""
    for origin in origins:
        barred = case.last("excluded", origin, within=case.value)
        if barred is not None:
            return barred, origin
    for row in _personal(case, origins[0], gift=gift, traveller=traveller):
        if row.within(case.value):
            return row, origins[0]
    above = [row for row in case.rows("over_limit", origins[0]) if case.takes(row) and live(row, case.day, case.visible)]
    if above:
        return max(above, key=lambda row: row.over or Decimal(0)), origins[0]
    return _strictest(case, origins, exempt_articles=exempt_articles)


def _personal(case: _Case, origin: str, *, gift: bool | None, traveller: bool | None) -> list[Row]:
    """Return the rows of the personal exemptions that are claimed."""
    rows = (case.last("gift", origin) if gift else None, case.last("traveller", origin) if traveller else None)
    return [row for row in rows if row is not None]


def _over_personal_limits(case: _Case, origin: str, *, gift: bool | None, traveller: bool | None) -> list[str]:
    rows = _personal(case, origin, gift=gift, traveller=traveller)
    return [f"worth ${case.value}: {row.says} [{'; '.join(row.cite)}]" for row in rows if not row.within(case.value)]


def _strictest(case: _Case, origins: Sequence[str], *, exempt_articles: bool) -> tuple[Row, str]:
    found: list[tuple[Row, str]] = []
    for origin in origins:
        for one in _methods(case):
            row = one.last("exempt_articles", origin, within=case.value) if exempt_articles else None
            row = row or one.last("shipment", origin, within=case.value)
            if row is None:
                raise refuse(
                    "before_de_minimis_table", "entry_date", f"the exemption on {case.day} is not known", "send a later entry date"
                )
            found.append((row, origin))
    return max(found, key=lambda pair: _STRICTNESS[pair[0].result])


def _methods(case: _Case) -> list[_Case]:
    """Return the case once for each method that the carrier may have chosen."""
    return [case] if case.method is not None else [replace(case, method=method) for method in get_args(Method)]


def _duties(case: _Case, row: Row, origin: str, notes: _Notes) -> tuple[Row, ...]:
    if row.result != "postal_duty":
        return ()
    rows = {found.id: found for one in _methods(case) if (found := one.last("shipment", origin)) is not None and found.duty is not None}
    if len(rows) > 1:
        because = "the carrier may have chosen either method"
        notes.assumptions.append(Assumption("postal_method", "the one that costs more", because))
        notes.questions.append(Question("postal_method", "mail pays on its value or by the item, as the carrier chose for all its mail"))
    if case.method is not None and row.duty is not None and row.duty.method != case.method:
        message = f"the method {case.method} is not open on {case.day}; {row.duty.method} is taken [{'; '.join(row.cite)}]"
        notes.warnings.append(Problem("postal_method_not_open", "postal_method", message, f"send {row.duty.method}"))
    return tuple(rows.values())


def _doubts(case: _Case, row: Row, origins: Sequence[str], decide: Callable[[_Case], tuple[Row, str]], notes: _Notes) -> None:
    """Note what the row takes for granted, and what another answer to an open question would change."""
    if row.assume is not None:
        notes.assumptions.append(Assumption(row.assume.fact, row.assume.taken, row.assume.because))
    if row.export is not None and case.export is None:
        because = "the country from which the goods were sent is not stated"
        notes.assumptions.append(Assumption("export_country", ", ".join(origins), because))
        notes.questions.append(Question("export_country", "the row speaks only about goods sent from certain countries"))
    if row.confidence == "low":
        message = f"no text settles this: {row.says} [{'; '.join(row.cite)}]"
        notes.warnings.append(Problem("law_unsettled", "entry_date", message, "ask CBP, or take the answer as an estimate"))
    if case.mode is None:
        others = {mode: decide(replace(case, mode=mode))[0] for mode in get_args(Mode)}
        changed = [mode for mode, other in others.items() if other.result != row.result]
        if changed:
            notes.assumptions.append(Assumption("mode", f"not {', '.join(changed)}", "the mode of transport is not stated"))
            notes.questions.append(Question("mode", f"by {', '.join(changed)}: {others[changed[0]].says}"))
