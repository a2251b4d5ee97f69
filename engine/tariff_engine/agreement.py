"""Whether two engines say the same of a line: what is filed and owed, and what became of every provision of the book."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tariff_engine.durable.fates import Decided, fate
from tariff_engine.evaluate.derivation import Derivation, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

COSTED = (Verdict.APPLIES, Verdict.DISPLACED, Verdict.NOTHING)


def shape(found: Derivation, *, assumed: bool = True) -> tuple[tuple[str, Any], ...]:
    """Return everything filed and owed, and what was assumed if that counts, each under its name."""
    rows = [(r.heading, r.provision, r.program, r.kind, r.rate, r.base, r.duty, r.parts, r.cites, r.by, r.since) for r in found.rows]
    split = [(s.value, s.rows, s.duties, s.base_duty) for s in found.segments]
    taken = {(a.fact, a.rule, str(a.take)) for a in found.assumed} if assumed else None
    return (
        ("headings", rows),
        ("split lines", split),
        ("assumptions", taken),
        ("base duty", (found.base_duty, found.full_base_duty)),
        ("duty", found.duty),
        ("prohibition", found.prohibited),
    )


_TELLS = attrgetter(
    "id", "verdict", "reason", "heading", "forbids", "by", "since", "cites", "taken", "assumed", "add", "up_to", "in_lieu", "transit", "base"
)  # fmt: skip


def told(outcome: Outcome) -> tuple[Any, ...]:
    """Return what an outcome tells, down to the reason; what it would have been charged on only where that can be said."""
    return *_TELLS(outcome), outcome.would_base if outcome.verdict in COSTED else 0


def compare(one: Derivation, two: Derivation, *, assumed: bool = True) -> str:
    """Return in words the first thing filed or owed on which two evaluations differ; nothing where they are the same."""
    pairs = zip(shape(one, assumed=assumed), shape(two, assumed=assumed), strict=True)
    return next((f"{name}: {left} against {right}" for (name, left), (_, right) in pairs if left != right), "")


def compare_outcomes(one: Iterable[Outcome], two: Iterable[Outcome]) -> str:
    """Return in words the first provision of which two engines say different things."""
    pairs = ((told(left), told(right)) for left, right in zip(one, two, strict=True))
    return next((f"{left} against {right}" for left, right in pairs if left != right), "")


def compare_decided(found: Derivation, outcomes: Iterable[Outcome], decided: Decided) -> str:
    """Return in words the first thing on which durable-rules differs from another engine; it tells no reasons and no assumptions."""
    fates = ((fate(outcome), decided.fates[outcome.id]) for outcome in outcomes)
    return compare(found, decided.derivation, assumed=False) or next(
        (f"{mine} against {theirs}" for mine, theirs in fates if mine != theirs), ""
    )
