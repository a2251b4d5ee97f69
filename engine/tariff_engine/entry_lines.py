"""Entries of any number of lines, by what law sees of their lines: entries alike in that differ in dollars only, which terms turn into fees.

The gate, the fees and the entry type look at a line through few questions. Lines to which they give the same answers are of one class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from tariff_engine.deminimis import rows_reaching
from tariff_engine.entry_type import FeeLine, rows_demanding
from tariff_engine.fee_law import NO_MANNER
from tariff_engine.fees import Fee, Scale, frees
from tariff_engine.frame import GateLine, fee_line, gate_line, gate_of, manner_of
from tariff_engine.money import CENTS, cents

if TYPE_CHECKING:
    from tariff_engine.engine import Knowledge
    from tariff_engine.facts import Line

_AMOUNTS = frozenset({"fair_retail_value", "other_goods_same_day_value"})  # values besides those of the lines at which the gate looks
NO_LIMIT = 2**62
FeeTerms = tuple[int, int, int, int, int]
"""Cents of a fee: (first * dollars + second) // third, at least the fourth, at most the fifth."""


class LineClass(NamedTuple):
    """All that the gate, the fees and the entry type see of a line on a day but its value. `free`: it is free of the MPF."""

    demands: tuple[int, ...]
    free: bool
    reached: tuple[tuple[bool, bool, bool], ...]
    flags: tuple[bool, bool, bool, bool]


class EntryLine(NamedTuple):
    """A line of an entry: its class, what it states for the entry as a whole, and how the fees and the gate see it."""

    kind: LineClass
    stated: tuple[tuple[str, Any], ...]
    fees: FeeLine
    gate: GateLine


class EntryTerms(NamedTuple):
    """What entries alike come to: MPF on the value of the lines that are not free of it, HMF on the whole value, type, and result of the gate."""

    mpf: FeeTerms
    hmf: FeeTerms
    entry_type: str
    de_minimis: str


def entry_line(knowledge: Knowledge, line: Line, answer: Mapping[str, Any]) -> EntryLine | None:
    """Return a line as its entry sees it; None where entries with such a line owe by more than the values of their lines.

    Of `answer`, the answer on the line, `headings` (their `kind`) and `base` are looked at.
    """
    facts, law = line.facts, knowledge.law
    if "chapter98" in facts or manner_of(facts) != NO_MANNER or not _AMOUNTS.isdisjoint(facts):
        return None
    fees, gate = fee_line(knowledge, 0, line, answer), gate_line(line)
    kind = LineClass(
        rows_demanding(law.fees, fees),
        frees(law.fees, line.day, fees, law.visible),
        rows_reaching(law.de_minimis, origin=line.origin, hts=line.hts),
        (gate.adcvd, gate.quota, gate.relieved, gate.traveller),
    )
    stated = ((name, facts[name]) for name in sorted(facts) if name != "entry_date" and law.facts[name].level == "entry")
    return EntryLine(kind, tuple(stated), fees, gate)


def entry_terms(knowledge: Knowledge, day: date, lines: Sequence[tuple[EntryLine, int]]) -> EntryTerms | None:
    """Return the terms of an entry, given its lines with their values in whole dollars; None where it is released, or has no terms.

    All lines state the same for the entry. Raises ProblemError as `frame` does.
    """
    facts = dict(lines[0][0].stated)
    decision = gate_of(knowledge, day, [line.gate._replace(value=Decimal(value)) for line, value in lines], facts)
    if decision.result in {"exempt", "postal_duty"}:
        return None
    fees, mpf, hmf = knowledge.desk.scales(
        entry_date=day,
        mode=facts.get("mode"),
        entry_type=facts.get("entry_type"),
        lines=[replace(line.fees, number=number, value=value) for number, (line, value) in enumerate(lines, start=1)],
        treatment="entry",
    )
    liable = sum(value for line, value in lines if not line.kind.free)
    terms = _terms(fees.mpf, mpf, liable), _terms(fees.hmf, hmf, sum(value for _, value in lines))
    if terms[0] is None or terms[1] is None or fees.mpf.surcharge is not None:
        return None
    return EntryTerms(terms[0], terms[1], fees.entry.code, decision.result)


def _terms(fee: Fee, scale: Scale | None, base: int) -> FeeTerms | None:
    """Return the terms of a fee; None where on its base they do not come to the fee."""
    owed = cents(Fraction(fee.amount))
    if scale is None:
        return (0, owed, 1, 0, owed) if not owed else None
    top, bottom = scale.rate.as_integer_ratio()
    found = (2 * CENTS * top, bottom, 2 * bottom, scale.least, NO_LIMIT if scale.most is None else scale.most)
    again = min(max((found[0] * base + found[1]) // found[2], found[3]), found[4])
    return found if fee.base == base and again == owed else None
