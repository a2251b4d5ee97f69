"""Whether durable-rules and another engine say the same of a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tariff_engine.durable.fates import fate

if TYPE_CHECKING:
    from tariff_engine.durable.fates import Decided
    from tariff_engine.evaluate.derivation import Derivation, Outcome


def shape(found: Derivation) -> tuple[tuple[str, Any], ...]:
    """Return everything filed and owed, by what it is called."""
    rows = [(r.heading, r.provision, r.kind, r.rate, r.base, r.duty, r.parts, r.cites, r.by, r.since) for r in found.rows]
    split = [(s.parts, s.value, s.rows, s.duties, s.base_duty) for s in found.segments]
    return (
        ("headings", rows),
        ("split lines", split),
        ("base duty", (found.base_duty, found.full_base_duty)),
        ("duty", found.duty),
        ("prohibition", found.prohibited),
    )


def disagreement(found: Derivation, outcomes: Iterable[Outcome], decided: Decided) -> str:
    """Return in words the first thing on which durable-rules differs from another engine; nothing where they agree on all."""
    for (name, one), (_, two) in zip(shape(found), shape(decided.derivation), strict=True):
        if one != two:
            return f"{name}: {one} is, by durable-rules, {two}"
    for outcome in outcomes:
        mine, theirs = fate(outcome), decided.fates[outcome.id]
        if mine != theirs:
            return f"{mine} is, by durable-rules, {theirs}"
    return ""
