"""What a boundary is: one fact of a line, and the values of it between which an answer can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

Side = str | bool | list[str] | None
"""A value to state, as JSON holds it; None: leave the fact out."""

DAY: Final = timedelta(days=1)
KINDS: Final = {
    "entry_day": "a day of entry on which something begins or ends",
    "known_day": "a day on which an act became known, or called another off",
    "transit": "the last day of loading or export, and of entry, of goods in transit",
    "admission": "a day of admission to a foreign trade zone from which another rate is kept",
    "fact_day": "a day that a fact of the line is compared with",
    "threshold": "a number that a fact of the line is compared with",
    "answer": "a fact whose answer decides",
    "content": "what a part of the value is worth: unknown, nothing, a cap, all of it",
    "origin": "the members of a group of origins, or the origins that a rule names, and one that is none of them",
    "code": "the first and last number under a code of a list, and the numbers beside them",
    "cut": "a code that is cut out of a code of a list",
    "base_rate": "numbers whose base rate lies below, at and above a rate that law compares it with",
    "claim": "a heading, a preference or a chapter 98 number that is claimed",
    "value": "an entered value at which a fee, a formal entry or a de minimis rule changes",
    "mode": "the modes of transport that a rule names",
}
"""Every kind of boundary, and what it means."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place where an answer can change.

    `fact` is the fact of a line, or `known_on`; `sides` its values in order. `given` are other facts that must be so for the crossing to be
    seen. `owner` is what draws the boundary: a provision, a list, a group of origins, or a sheet of the frame. `programs` are those that it
    can reach; none: the frame around the programs, for every line. `by` is the act.
    """

    kind: str
    fact: str
    sides: tuple[Side, ...]
    programs: tuple[str, ...]
    owner: str
    says: str
    by: str = ""
    given: Mapping[str, Side] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the boundary as JSON holds it."""
        found: dict[str, Any] = {
            "kind": self.kind,
            "fact": self.fact,
            "sides": list(self.sides),
            "programs": list(self.programs),
            "owner": self.owner,
            "says": self.says,
        }
        if self.by:
            found["by"] = self.by
        if self.given:
            found["given"] = dict(self.given)
        return found


def two_days(day: date) -> tuple[str, str]:
    """Return the day before and the day, as an answer can differ between them."""
    return (day - DAY).isoformat(), day.isoformat()


def around(amount: Decimal, finest: str) -> tuple[str, str, str]:
    """Return an amount with what lies just below and just above it."""
    step = Decimal(finest)
    return tuple(f"{max(Decimal(0), amount + shift):f}" for shift in (-step, Decimal(0), step))  # type: ignore[return-value]


def unique(boundaries: Iterable[Boundary]) -> list[Boundary]:
    """Return boundaries once each; what several programs share is one boundary that names them all."""
    found: dict[tuple[Any, ...], Boundary] = {}
    for one in boundaries:
        key = (one.kind, one.fact, repr(one.sides), one.owner, one.says, repr(sorted(one.given.items())))
        known = found.get(key)
        if known is None:
            found[key] = one
        elif set(one.programs) - set(known.programs):
            more = tuple(sorted({*known.programs, *one.programs}))
            found[key] = Boundary(one.kind, one.fact, one.sides, more, one.owner, one.says, one.by or known.by, one.given)
    return list(found.values())
