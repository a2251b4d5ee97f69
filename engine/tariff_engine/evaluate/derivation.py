"""What an evaluation produces: one outcome per provision, with its reason. Answer and explanation are made of these same objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from tariff_engine.notation.program import Step


class Verdict(StrEnum):
    """What became of a provision on a line."""

    APPLIES = "applies"
    DISPLACED = "displaced"
    NOTHING = "nothing_to_charge"
    COLUMN = "no_change_in_column"
    OUTSIDE = "outside"
    CONDITION = "condition"
    NEVER = "never_imposed"
    NOT_IN_FORCE = "not_in_force"


class Kind(StrEnum):
    """What decided against a provision, or that nothing did."""

    MET = "met"
    ORIGIN = "origin"
    PRODUCT = "product"
    ENTERED = "entered"
    COLUMN = "column"
    BASE_RATE = "base_rate"
    FACT = "fact"
    CLAIM = "claim"
    SUBJECT = "subject"
    TABLE = "table"
    NONE_OF = "none_of"
    BARRED = "barred"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Reason:
    """The deciding condition. `seen` is the value it met; `facts` are the facts it looked at; `unknown` those that nobody stated.

    A condition that is barred because another one holds has that one's reason as `of`.
    """

    kind: Kind
    wanted: str = ""
    seen: str = ""
    facts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    of: Reason | None = None


MET = Reason(Kind.MET)


@dataclass(frozen=True, slots=True)
class Taken:
    """A part of the value that another provision took from this one."""

    by: str
    heading: str
    how: str  # exception | relation | group
    cites: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """One provision on one line. `parts` are the parts of the value it still reaches, `covers` those it takes from others."""

    id: str
    program: str
    verdict: Verdict
    reason: Reason
    step: Step | None = None
    heading: str = ""
    forbids: bool = False
    by: str = ""
    since: date | None = None
    add: Fraction | None = None
    up_to: Fraction | None = None
    in_lieu: Fraction | None = None
    at_floor: str = ""
    cites: tuple[str, ...] = ()
    parts: frozenset[str] = frozenset()
    covers: frozenset[str] = frozenset()
    reach: frozenset[str] = frozenset()
    base: int = 0
    would_base: int = 0
    framed: bool = False
    taken: list[Taken] = field(default_factory=list)
    transit: bool = False
    assumed: tuple[str, ...] = ()
    reach_mask: int = 0
    frame: int | None = None

    @property
    def applies(self) -> bool:
        """Whether the provision stands on the line."""
        return self.verdict is Verdict.APPLIES

    @property
    def rate(self) -> Fraction | None:
        """The rate it charges: added, in all, or in lieu of the base rate; None where it charges none."""
        return next((rate for rate in (self.add, self.up_to, self.in_lieu) if rate is not None), None)

    @property
    def is_duty(self) -> bool:
        """Whether the provision charges or forbids, rather than relieves."""
        return self.rate is not None or self.forbids

    def extra(self, ave: Fraction) -> Fraction:
        """Return the additional rate on its base; a total counts only what it adds to the base duty, one in lieu of it what it changes."""
        if self.add is not None:
            return self.add
        if self.in_lieu is not None:
            return self.in_lieu - ave
        return max(Fraction(0), self.up_to - ave) if self.up_to is not None else Fraction(0)


@dataclass(frozen=True, slots=True)
class Assumed:
    """A fact that nobody stated, what one provision took it to be, and why."""

    fact: str
    rule: str
    take: Any
    because: str


@dataclass(frozen=True, slots=True)
class Row:
    """One HTS number of Chapter 99 on the line. Money in cents; `base` in whole dollars."""

    heading: str
    provision: str
    program: str
    kind: str  # additional | total | exemption | prohibited | credit
    rate: Fraction
    base: int
    duty: int
    parts: frozenset[str]
    cites: tuple[str, ...] = ()
    by: str = ""
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A filing line that law asks for: parts of the value that file the same numbers. Duty in cents by row, and of the base."""

    parts: frozenset[str]
    value: int
    rows: tuple[int, ...]
    duties: tuple[int, ...]
    base_duty: int | None


@dataclass(slots=True)
class Derivation:
    """The whole evaluation of one line. `base_duty` and `full_base_duty` in cents, None where a quantity is not known."""

    day: date
    rows: tuple[Row, ...]
    base_duty: int | None
    full_base_duty: int | None
    segments: tuple[Segment, ...]
    assumed: tuple[Assumed, ...]
    prohibited: bool

    @property
    def additional(self) -> int:
        """Duties under Chapter 99, less what a total takes over from the base duty, in cents."""
        taken = (self.full_base_duty or 0) - (self.base_duty or 0)
        return sum(row.duty for row in self.rows) - taken

    @property
    def duty(self) -> int | None:
        """All duties of the line in cents; None where the base duty is not known."""
        return None if self.base_duty is None else self.base_duty + sum(row.duty for row in self.rows)
