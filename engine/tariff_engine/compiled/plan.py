"""A plan: how to charge every line of one situation and one pattern of facts.

A plan depends on bits only: which tests hold, which parts of the value are known and which are worth nothing, which floors the base rate
reaches. Where law picks the lowest duty, amounts decide; the plan then carries a guard, and holds only for lines that pass it.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from tariff_engine.compiled.situation import Live, Situation
from tariff_engine.evaluate.derivation import Assumed, Verdict

Term = tuple[str, Fraction, int, int | None]
"""What a provision would charge: kind, rate, parts of the value, and what chapter 98 leaves of them."""

Charge = tuple[int, bool, tuple[tuple[int, int, int], ...]]
"""A split line as its cents need it: its parts, whether a total takes over its base duty, the rates of its rows as integers."""
Filed = tuple[str, str, str, str, Fraction, frozenset[str], tuple[str, ...], str, date]
"""What every line of a plan files as a row: heading, provision, program, kind, rate, parts, citations, act and first day."""


@dataclass(slots=True)
class Pattern:
    """What a plan may know of a line: fact bits, column, the parts of the value, what is worth nothing, floors reached, chapter 98."""

    true: int
    false: int
    column: int
    present: int
    zero: int
    worthless: bool
    floors: tuple[bool, ...]
    loaded: int  # ordinal of the loading day; 0 where it is not known
    differs: bool
    day: int
    chapter98: str
    dutiable: int | None
    freed: bool
    bond: bool
    amounts: list[int]
    ave: Fraction


@dataclass(slots=True, eq=False)
class State:
    """What became of one live provision. Masks are of parts of the value."""

    live: Live
    verdict: Verdict
    heading: str
    kind: str
    rate: Fraction
    at_floor: str
    cites: tuple[str, ...]
    by: str
    since: int
    parts: int = 0
    covers: int = 0
    reach: int = 0
    frame: int | None = None
    taken: tuple[tuple[int, str, str, tuple[str, ...]], ...] = ()
    assumed: tuple[str, ...] = ()
    assumed_bits: int = 0
    transit: bool = False
    outside: int = -1
    no_row: bool = False
    would: int = 0

    @property
    def is_duty(self) -> bool:
        """Whether the provision charges or forbids."""
        return self.kind in {"add", "up_to", "in_lieu", "prohibited"}

    @property
    def applies(self) -> bool:
        """Whether the provision stands."""
        return self.verdict is Verdict.APPLIES


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row to file, before its money: the parts it charges and at what rate, as integers."""

    heading: str
    place: int
    kind: str
    top: int
    bottom: int
    parts: int
    framed: bool


class Laid(NamedTuple):
    """How rows lie on a line: in filing order, how they split it, and what they charge, for integer arithmetic."""

    rows: tuple[PlanRow, ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...]
    total_groups: tuple[bool, ...]
    framed: bool
    replaced: bool  # rates in lieu of the base rate reach all of it: the base duty need not be known
    prohibited: bool
    money: tuple[tuple[int, int, int], ...]
    any_framed: bool
    charges: tuple[Charge, ...]
    totals: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Plan:
    """How to charge every line of one pattern: rows in filing order, the split, and the states for the explanation."""

    laid: InitVar[Laid]
    offsets: tuple[tuple[str, int, str, frozenset[int]], ...]
    assumed: tuple[Assumed, ...]
    states: dict[int, State]
    guards: tuple[tuple[tuple[Term, ...], int], ...]
    doubts: tuple[tuple[str, str, str], ...]  # provisions that gave way by a relation of which the book is not sure, with the doubt
    pattern: Pattern
    situation: Situation
    filed: tuple[Filed, ...] | None = None
    names: tuple[frozenset[str], ...] = ()
    page: Any = None  # the verdicts of the plan, once asked for
    headings: tuple[dict[str, Any], ...] | None = None  # its rows as they stand in an answer, once asked for
    # of `laid`, at hand: a known line needs nothing else
    rows: tuple[PlanRow, ...] = field(init=False)
    groups: tuple[tuple[int, tuple[int, ...]], ...] = field(init=False)
    total_groups: tuple[bool, ...] = field(init=False)
    framed: bool = field(init=False)
    replaced: bool = field(init=False)
    prohibited: bool = field(init=False)
    money: tuple[tuple[int, int, int], ...] = field(init=False)
    any_framed: bool = field(init=False)
    charges: tuple[Charge, ...] = field(init=False)
    totals: tuple[int, ...] = field(init=False)

    def __post_init__(self, laid: Laid) -> None:
        """Take how the rows lie."""
        self.rows, self.groups, self.total_groups, self.framed, self.replaced = laid[:5]
        self.prohibited, self.money, self.any_framed, self.charges, self.totals = laid[5:]


def rate_that_counts(kind: str, rate: Fraction, ave: Fraction) -> Fraction:
    """Return what a duty adds to the base duty: of a total what is more than it, in lieu of it what it changes."""
    if kind == "up_to":
        return max(Fraction(0), rate - ave)
    return rate if kind == "add" else rate - ave if kind == "in_lieu" else Fraction(0)


def lowest(terms: tuple[Term, ...], amounts: list[int], ave: Fraction) -> int:
    """Return the number of the term with the lowest duty on a line, the first on a tie."""
    best, least = 0, None
    for number, (kind, rate, parts, frame) in enumerate(terms):
        base = sum(amounts[bit] for bit in numbers_of(parts))
        base = base if frame is None else min(base, frame)
        duty = rate_that_counts(kind, rate, ave) * base
        if least is None or duty < least:
            best, least = number, duty
    return best


@lru_cache(maxsize=65536)
def numbers_of(mask: int) -> tuple[int, ...]:
    """Return the numbers of the bits that are set, the lowest first."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return tuple(found)
