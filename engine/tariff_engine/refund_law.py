"""The law on refunds as the engine applies it: what refund_rules.py read and found good, as plain objects; and its days.

What the fields mean stands in docs/notation.md; the strict reading is that of the types of the same names in refund_rules.py. No day of
today enters here: whoever asks states the day on which the claim would be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

EntryFactType = Literal["date", "bool", "code"]
WindowKind = Literal["deadline", "expected"]
Served = Literal["overpaid", "underpaid"]
State = Literal["open", "over", "closed", "not_begun", "unknown", "expected", "past", "done"]
ENTRY_DATE = "entry_date"  # the one fact of the dictionary that windows may count from
_FEBRUARY, _LEAP_DAY = 2, 29


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure the book is, and what the doubt is."""

    level: str
    because: str


@dataclass(frozen=True, slots=True)
class EntryFact:
    """A fact of an entry that only refunds ask for; `headers` are names under which files of brokers hold it.

    A code has a `form`, as a regular expression. A day that is stated `implies` another fact; a day after that of the claim is none yet, and is taken for the fact `if_later`.
    """

    type: EntryFactType
    question: str
    headers: tuple[str, ...]
    form: str | None
    implies: str | None
    if_later: str | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its sources."""

    says: str
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in the process on a day."""

    from_: date
    until: date | None
    by: str | None
    withdrawn_by: str | None
    says: str
    cite: tuple[str, ...]
    confidence: Confidence | None


@dataclass(frozen=True, slots=True)
class Process:
    """Where refunds are claimed, and what is known of it up to a day; `open` are the questions that no source answers."""

    name: str
    title: str
    where: str
    known_until: date
    history: tuple[Event, ...]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """A test on a fact of an entry: a text among others or not, or a day more than so many days before the claim."""

    in_: tuple[str, ...] | None
    not_in: tuple[str, ...] | None
    days_past: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """A known reason for which the process does not take an entry, for claims made on [from_, until)."""

    from_: date | None
    until: date | None
    by: str | None
    withdrawn_by: str | None
    check: str
    says: str
    when: dict[str, bool | Test]
    cite: tuple[str, ...]

    def met(self, facts: Mapping[str, Any], on: date) -> bool | None:
        """Whether the reason holds for an entry on the day of the claim; None where a fact that decides it is not stated."""
        if not (self.from_ or date.min) <= on < (self.until or date.max):
            return False
        found = [_passes(test, facts.get(name), on) for name, test in self.when.items()]
        return False if False in found else None if None in found else True

    def asks(self, facts: Mapping[str, Any]) -> list[str]:
        """Return the facts of the check that are not stated."""
        return [name for name in self.when if facts.get(name) is None]


def _passes(test: bool | Test, value: Any, on: date) -> bool | None:
    if value is None:
        return None
    if isinstance(test, bool):
        return bool(value) is test
    if test.days_past is not None:
        return bool((on - value).days > test.days_past)
    return bool(value in test.in_ if test.in_ is not None else value not in (test.not_in or ()))


@dataclass(frozen=True, slots=True)
class Term:
    """So many days or years after, or before, a day that the user states."""

    days: int | None
    years: int | None
    after: str | None
    before: str | None

    @property
    def fact(self) -> str:
        """The fact that holds the day."""
        return self.after or self.before or ""

    def day(self, start: date) -> date:
        """Return the last day of the term; the end of time where it lies beyond."""
        try:
            if self.years is not None:
                return _years(start, self.years if self.after else -self.years)
            return start + timedelta(days=(self.days or 0) if self.after else -(self.days or 0))
        except (OverflowError, ValueError):
            return date.max if self.after else date.min


def _years(start: date, years: int) -> date:
    if (start.month, start.day) == (_FEBRUARY, _LEAP_DAY):
        try:
            return start.replace(year=start.year + years)
        except ValueError:
            return date(start.year + years, _FEBRUARY, _LEAP_DAY - 1)
    return start.replace(year=start.year + years)


@dataclass(frozen=True, slots=True)
class Closed:
    """From when on the way is closed for this action, whatever the days say."""

    from_: date
    says: str
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """What a window is for one entry: its state, its last day, the sentence behind it, and the facts that would tell more."""

    state: State
    last_day: date | None
    because: str
    cite: tuple[str, ...]
    asks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which something can be done or is expected: it ends with the first of its terms.

    `begun` names the fact without which it has not begun, `over_by` the day that ends it at once.
    """

    window: str
    title: str
    kind: WindowKind
    says: str
    begun: str | None
    ends: tuple[Term, ...]
    over_by: str | None
    closed: Closed | None
    cite: tuple[str, ...]
    confidence: Confidence | None

    def span(self, facts: Mapping[str, Any], on: date) -> Span:
        """Return what the window is for an entry on the day of the claim."""
        asks = tuple(dict.fromkeys(term.fact for term in self.ends if facts.get(term.fact) is None))
        days = [term.day(facts[term.fact]) for term in self.ends if facts.get(term.fact) is not None]
        last = min(days, default=None)
        if self.closed is not None and on >= self.closed.from_:
            return Span("closed", last, self.closed.says, self.closed.cite, ())
        over = facts.get(self.over_by) if self.over_by else None
        if over is not None and (last is None or over <= max(last, on)) and over <= on:
            return Span("done" if self.kind == "expected" else "over", over, self.says, self.cite, ())
        if self.begun is not None and facts.get(self.begun) is False:
            return Span("not_begun", None, self.says, self.cite, ())
        if last is None:
            return Span("unknown", None, self.says, self.cite, asks)
        if self.kind == "expected":
            if on > last and self.over_by:  # it should have happened, and nobody said so
                return Span("past", last, self.says, self.cite, (self.over_by,))
            return Span("expected", last, self.says, self.cite, asks)
        return Span("open" if on <= last else "over", last, self.says, self.cite, asks if on <= last else ())


@dataclass(frozen=True, slots=True)
class Correction(Window):
    """A window for what an audit of filed entries finds, and what it serves: duties overpaid, underpaid, or both."""

    serves: tuple[Served, ...]


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """The file that the process takes: one column of entry numbers, at most so many in a file."""

    name: str
    column: str
    most: int
    number: Literal["dashed", "plain"]
    cite: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """What can be claimed back for entries of [from_, until): everything that the `programs` charged."""

    from_: date
    until: date
    by: str | None
    withdrawn_by: str | None
    action: str
    title: str
    says: str
    cite: tuple[str, ...]
    programs: tuple[str, ...]
    interest: Sentence
    revives: Sentence
    process: Process
    needs: tuple[Sentence, ...]
    checks: tuple[Check, ...]
    windows: tuple[Window, ...]
    file: ClaimFile | None

    def covers(self, day: date) -> bool:
        """Whether the action reaches entries of a day."""
        return self.from_ <= day < self.until


@dataclass(frozen=True, slots=True)
class Refunds:
    """refunds.yaml."""

    facts: dict[str, EntryFact]
    actions: tuple[Action, ...]
    corrections: tuple[Correction, ...]


NO_REFUNDS = Refunds({}, (), ())
"""Of a rulebook without refunds.yaml."""
