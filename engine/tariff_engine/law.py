"""The law in force for an engine: the compiled rulebook with its dictionary, schedule, preferences, fees and de minimis rules.

Everything here is plain and picklable, so that a process can start from a cached copy without reading the rules again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tariff_engine.adcvd_orders import NO_ORDERS, Orders
from tariff_engine.refund_law import NO_REFUNDS, Refunds

if TYPE_CHECKING:
    from tariff_engine.chapter98 import Chapter98
    from tariff_engine.compiled.form import CompiledBook
    from tariff_engine.deminimis_law import DeMinimis
    from tariff_engine.fee_law import Fees
    from tariff_engine.schedule import Schedule
    from tariff_engine.special_programs import Preferences


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One fact of the dictionary, as readers of lines and askers of questions need it."""

    name: str
    type: str
    what: str
    question: str
    level: str
    aliases: tuple[str, ...]
    ratio: tuple[str, str] | None
    years_before_entry: str | None
    take: Any
    because: str
    answers: tuple[str, ...]
    values: tuple[str, ...]
    starts: str | None
    min: int | None
    max: int | None
    ask: bool
    personal: bool


@dataclass(frozen=True, slots=True)
class SliceSpec:
    """A part of the value that law treats apart, and the facts that state it."""

    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """A legal act: when it was signed, when the public knew it, where it stands."""

    title: str
    signed: date
    published: date
    cite: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class CalledOff:
    """A step that was announced and called off before, or while, it was to run."""

    provision: str
    start: date
    until: date | None
    effect: str
    by: str
    withdrawn_by: str


@dataclass(frozen=True, slots=True)
class DrawbackRule:
    """Whether the duty of a provision comes back as drawback, for goods entered from a day until another."""

    start: date
    until: date
    allowed: str
    says: str
    cites: tuple[str, ...]
    confidence: str
    because: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Facts that cannot hold together."""

    field: str
    says: str
    fix: str
    facts: dict[str, Any]
    after: tuple[str, str] | None
    origin_not: frozenset[str]


@dataclass(frozen=True, slots=True)
class NotInBook:
    """Law that the book does not hold yet: from when until when, for which origins (`but`: all but these), for which products."""

    name: str
    title: str
    start: date
    until: date
    origins: frozenset[str] | None
    but: frozenset[str]
    codes: tuple[str, ...]
    cites: tuple[str, ...]

    def may_reach(self, hts: str, origin: str, day: date) -> bool:
        """Whether a line may owe it."""
        fits = (self.origins is None or origin in self.origins) and origin not in self.but
        return fits and self.start <= day < self.until and (not self.codes or hts.startswith(self.codes))


@dataclass(eq=False, repr=False)
class Law:
    """The law as known on a day, ready to answer; `without` names programs of the rulebook that were left out of it."""

    id: str
    edition: str
    start: date
    horizon: date
    compiled: CompiledBook
    facts: dict[str, FactSpec]
    slices: dict[str, SliceSpec]
    countries: dict[str, str]
    instruments: dict[str, Act]
    column2: tuple[tuple[str, date, date], ...]
    called_off: dict[str, tuple[CalledOff, ...]]
    drawback: dict[str, tuple[DrawbackRule, ...]]
    contradictions: tuple[Contradiction, ...]
    chapter98: Chapter98
    limits: tuple[tuple[date, int], ...]
    splits: tuple[str, ...]
    absent: tuple[NotInBook, ...]
    schedule: Schedule
    preferences: Preferences
    fees: Fees
    de_minimis: DeMinimis
    known_on: date = date.max
    refunds: Refunds = NO_REFUNDS
    orders: Orders = NO_ORDERS
    without: frozenset[str] = frozenset()
    memory: dict[str, Any] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the law, never what was remembered of lines."""
        return {**self.__dict__, "memory": {}}

    def visible(self, by: str | None, withdrawn_by: str | None) -> bool:
        """Whether a thing done by one act, and perhaps called off by another, was the law as known."""
        if by is not None and self.instruments[by].published > self.known_on:
            return False
        return withdrawn_by is None or self.instruments[withdrawn_by].published > self.known_on

    @cached_property
    def special_origins(self) -> frozenset[str]:
        """Origins of column 2 goods on any day, and those for which a fact of the line alone can claim a preference."""
        symbols = [symbol for found in self.preferences.by_fact.values() for symbol in found]
        granted = {origin for symbol in symbols for origin in self.preferences.by_symbol[symbol].grants}
        return frozenset(granted | {who for who, _, _ in self.column2})

    def in_column2(self, origin: str, day: date) -> bool:
        """Whether goods of an origin bear column 2 rates on a day (general note 3(b))."""
        return any(who == origin and start <= day < until for who, start, until in self.column2)


def knowledge_day(law: Law, asked: date) -> date:
    """Return the last day on which an act or an edition of the schedule became known, on or before the day asked: equal days mean equal law."""
    days = sorted({act.published for act in law.instruments.values()} | {edition.published for edition in law.schedule.editions})
    if not days or asked >= days[-1]:
        return date.max
    return max((day for day in days if day <= asked), default=date.min)
