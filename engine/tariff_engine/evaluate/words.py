"""What a reason says in words, and how near a condition came to holding. Shared by both evaluators, so that they explain alike."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from tariff_engine.evaluate.derivation import Kind, Reason
from tariff_engine.money import approximate_percent

_NEARNESS = {
    Kind.FACT: 0,
    Kind.CLAIM: 0,
    Kind.SUBJECT: 1,
    Kind.BASE_RATE: 2,
    Kind.COLUMN: 2,
    Kind.BARRED: 3,
    Kind.TABLE: 4,
    Kind.PRODUCT: 5,
    Kind.ORIGIN: 6,
}
_FARTHEST = 7


def nearness(reason: Reason) -> int:
    """Return how near a condition came to holding: a missing claim is nearer than a product that is not listed."""
    return _NEARNESS.get(reason.kind, _FARTHEST)


def value_words(value: Any) -> str:
    """Return a fact's value as the explanation shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return approximate_percent(value / 100)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def reason_words(reason: Reason, seen: str | None = None) -> str:  # noqa: C901  one sentence a kind
    """Return one plain sentence for a reason, without a full stop; `seen` replaces the value that the reason met."""
    kind, wanted = reason.kind, _plain(reason.wanted)
    seen = reason.seen if seen is None else seen
    if kind is Kind.FACT:
        name = reason.facts[0]
        if reason.unknown:
            return f"{name} is not stated, and the rule wants {wanted}"
        return f"{name} is {seen}, and the rule wants {wanted}"
    if kind is Kind.ORIGIN:
        return f"origin {seen} is not covered (the rule covers {wanted})"
    if kind is Kind.PRODUCT:
        return f"{dotted(seen)} is {wanted[4:]}" if wanted.startswith("not ") else f"{dotted(seen)} is not {wanted}"
    if kind is Kind.TABLE:
        return f"no row of {wanted} fits the line"
    if kind is Kind.CLAIM:
        return f"{wanted} is not among the headings claimed" + (f" ({seen})" if seen else "")
    if kind is Kind.ENTERED:
        return f"entered {seen}, and the clause is for goods {wanted}"
    if kind is Kind.COLUMN:
        return f"it adds only in column {wanted}; this line is in column {seen}"
    if kind is Kind.BASE_RATE:
        return f"the base rate is {seen or 'not known'}, and the rule wants it {wanted}"
    if kind is Kind.SUBJECT:
        return "it needs another duty, and none of those named applies" if seen.startswith("none") else f"{seen} applies"
    if kind is Kind.BARRED:
        return f"it is barred: {met_words(reason.of)}" if reason.of else wanted
    if kind is Kind.DATES:
        return f"no step of it is in force on {seen}"
    return "its conditions are met"


def met_words(reason: Reason) -> str:
    """Return in words that a condition holds."""
    wanted, name = _plain(reason.wanted), reason.facts[0] if reason.facts else ""
    if reason.kind is Kind.ORIGIN:
        return f"the origin is among {wanted}"
    if reason.kind is Kind.PRODUCT:
        return f"the number is {wanted}"
    if reason.kind is Kind.FACT:
        return f"{name} is {wanted}"
    return "another clause holds"


def _plain(wanted: str) -> str:
    """Shorten list references to the names that readers know."""
    names = wanted.replace("group:", "the group ").replace("list:", "list ")
    return names if len(names) <= 160 else f"{names[:157]}..."  # noqa: PLR2004


def dotted(hts: str) -> str:
    """Return an HTS number as the schedule prints it: 8703230190 is 8703.23.01.90."""
    return ".".join(part for part in (hts[:4], hts[4:6], hts[6:8], hts[8:10]) if part)
