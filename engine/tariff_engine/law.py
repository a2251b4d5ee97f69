"""The law in force for an engine: the compiled rulebook with its dictionary, schedule, preferences, fees and de minimis rules.

Everything here is plain and picklable, so that a process can start from a cached copy without reading the rules again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.compile import compile_book
from tariff_engine.deminimis_rules import DeMinimis, parse_de_minimis
from tariff_engine.fee_rules import Fees, parse_fees
from tariff_engine.notation.yaml_reader import Document
from tariff_engine.preferences import Preferences, load_preferences
from tariff_engine.schedule import Schedule, load_schedule

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from tariff_engine.book import Book
    from tariff_engine.compiled.parts import CompiledBook


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
    min: int | None
    max: int | None
    ask: bool


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
class Contradiction:
    """Facts that cannot hold together."""

    field: str
    says: str
    fix: str
    facts: dict[str, Any]
    after: tuple[str, str] | None
    origin_not: frozenset[str]


@dataclass(frozen=True, slots=True)
class Dutiable:
    """What a chapter 98 number leaves dutiable at the rate of the chapter 1-97 number."""

    prefix: str
    how: str
    says: str
    cite: str


@dataclass(eq=False, repr=False)
class Law:
    """The law as known on a day, ready to answer."""

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
    contradictions: tuple[Contradiction, ...]
    chapter98: tuple[Dutiable, ...]
    limits: tuple[tuple[date, int], ...]
    schedule: Schedule
    preferences: Preferences
    fees: Fees
    de_minimis: DeMinimis
    known_on: date = date.max
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


def knowledge_day(acts: dict[str, Act], asked: date) -> date:
    """Return the last day on which an act became known, on or before the day asked: equal days mean equal law."""
    days = sorted({act.published for act in acts.values()})
    if not days or asked >= days[-1]:
        return date.max
    return max((day for day in days if day <= asked), default=date.min)


def build_law(book: Book, root: Traversable, known_on: date = date.max) -> Law:
    """Build the law as known on a day from a loaded rulebook. Raises RulebookError where a file of the frame is wrong."""
    import csv  # noqa: PLC0415  only when building
    import io  # noqa: PLC0415

    fees = parse_fees(Document(book.files["fees.yaml"]).value, list(csv.DictReader(io.StringIO(book.files["mpf.csv"]))))
    de_minimis = parse_de_minimis(Document(book.files["de_minimis.yaml"]).value)
    acts = {name: Act(a.title, a.signed, a.published, a.cite, a.url) for name, a in book.instruments.items()}
    for extra in (fees.rules.instruments, de_minimis.instruments):
        acts |= {name: Act(a.title, a.signed, a.published, a.cite, a.url) for name, a in extra.items()}
    frame = Document(book.files["chapter98.yaml"]).value
    return Law(
        id=book.id,
        edition=book.edition,
        start=book.horizon.from_,
        horizon=book.horizon.until,
        compiled=compile_book(book, known_on),
        facts={name: _fact(name, fact) for name, fact in book.facts.items()},
        slices={name: SliceSpec(tuple(piece.facts)) for name, piece in book.slices.items()},
        countries=book.countries,
        instruments=acts,
        column2=_column2(book),
        called_off=_called_off(book, known_on),
        contradictions=tuple(
            Contradiction(
                c.field, c.says, c.fix, dict(c.facts), (c.after[0], c.after[1]) if c.after else None, frozenset(c.origin_not or ())
            )
            for c in book.contradictions
        ),
        chapter98=tuple(Dutiable(str(row["prefix"]), row["dutiable"], row["says"], row["cite"]) for row in frame["dutiable"]),
        limits=tuple((limit.from_, limit.numbers) for limit in book.limits),
        schedule=load_schedule(root / "schedule"),
        preferences=load_preferences(root / "schedule"),
        fees=fees,
        de_minimis=de_minimis,
        known_on=known_on,
    )


def _fact(name: str, fact: Any) -> FactSpec:
    ratio = (fact.ratio[0], fact.ratio[1]) if fact.ratio else None
    values, answers, aliases = tuple(fact.values), tuple(fact.answers), tuple(fact.aliases)
    return FactSpec(
        name,
        fact.type,
        fact.what,
        fact.question,
        fact.level,
        aliases,
        ratio,
        fact.years_before_entry,
        fact.take,
        fact.because,
        answers,
        values,
        fact.min,
        fact.max,
        fact.ask,
    )


def _column2(book: Book) -> tuple[tuple[str, date, date], ...]:
    return tuple(
        (member, date.min, date.max) if isinstance(member, str) else (member.origin, member.from_ or date.min, member.until or date.max)
        for member in book.groups["column2"]
    )


def _called_off(book: Book, known_on: date) -> dict[str, tuple[CalledOff, ...]]:
    """Steps of each program that were announced and called off, as far as both were known."""
    found: dict[str, list[CalledOff]] = {}
    for node in book.nodes.values():
        for step in node.provision.steps:
            if step.withdrawn_by and book.published(step.withdrawn_by) <= known_on and step.by:
                effect = next(name for name in ("add", "up_to", "exempt", "prohibited", "table") if getattr(step, name) is not None)
                made = CalledOff(node.id, step.from_, step.until, effect, step.by, step.withdrawn_by)
                found.setdefault(node.program.program, []).append(made)
    return {name: tuple(steps) for name, steps in found.items()}
