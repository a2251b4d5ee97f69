"""The course of a provision over the days of entry, as known on a day, and what every act changed in it.

A lane is one thing that law says of a provision: its rate, what goods in transit keep, its order towards another duty. As known on a day it
has a course: what holds from which day of entry. An act that becomes known turns one course into the next; the difference, taken apart,
is the history. Painted one over the other in the order of the days on which they became known, the changes give the course again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from tariff_engine.book import Book

Kind = Literal["announced", "took_effect", "amended", "ended", "paused", "withdrawn", "replaced", "extended", "retroactive"]
Outcome = Literal["came", "called_off", "ahead"]
About = Literal["rate", "in_transit", "exception", "order", "offset", "list"]


class State(NamedTuple):
    """What holds: in words, its rate, the heading it is filed under (empty: that of the provision) and those that go with it."""

    effect: str
    rate: str | None = None
    heading: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """Something an act said: a state for entries on [start, until), known while `by` is published and `withdrawn_by` is not."""

    start: date
    until: date
    by: str | None
    withdrawn_by: str | None
    state: State | None
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """One thing that is followed. `gate`: holds only while one of these does; `end`: ends it whatever else is said.

    `first`: of several that hold the uppermost is taken (rows of a table); else the one begun last, on a tie that of the latest act.
    """

    about: About
    provision: str
    things: tuple[Thing, ...]
    gate: tuple[Thing, ...] = ()
    end: Thing | None = None
    first: bool = False
    origin: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """What holds from a day on, and what was read for it."""

    start: date
    state: State | None
    source: Thing | None


Course = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What entries of [start, until) filed before an act that reaches back was known."""

    start: date
    until: date
    state: State | None


@dataclass(frozen=True, slots=True)
class Change:
    """What an act that became known on a day changed for entries on [effect, until): from `was` to `now`.

    `was` is what held, or was to hold, before; of what was called off it is what does not come, `now` what holds in its place, and
    `instead_from` the day on which the same act lets the next thing begin. No end is the last day of all, and so is no act the first.
    """

    lane: Lane
    known: date
    effect: date
    until: date
    kind: Kind
    outcome: Outcome
    was: State | None
    now: State | None
    by: str | None
    cites: tuple[str, ...]
    filed_before: tuple[Past, ...] = ()
    instead_from: date | None = None


# ---------------------------------------------------------------- courses
def course(book: Book, lane: Lane, known: date) -> Course:
    """Return what a lane says of every day of entry, as known on a day: segments in order, the first from the first day of all."""
    things = [one for one in lane.things if _visible(book, one, known)]
    gate = [one for one in lane.gate if _visible(book, one, known)]
    end = lane.end if lane.end is not None and _visible(book, lane.end, known) else None
    seen = [*things, *gate, *([end] if end else [])]
    days = sorted({date.min, *(day for one in seen for day in (one.start, one.until) if day < date.max)})
    found: list[Segment] = []
    for day in days:
        source = _governs(book, lane, things, gate, end, day)
        state = source.state if source else None
        if not found or state != found[-1].state:
            found.append(Segment(day, state, source))
    return tuple(found)


def _visible(book: Book, what: Thing, known: date) -> bool:
    return book.visible(what.by, what.withdrawn_by, known)


def _holds(what: Thing, day: date) -> bool:
    return what.start <= day < what.until


def _latest(book: Book, things: Sequence[Thing], day: date) -> Thing | None:
    return max((one for one in things if _holds(one, day)), key=lambda one: (one.start, book.published(one.by)), default=None)


def _governs(book: Book, lane: Lane, things: Sequence[Thing], gate: Sequence[Thing], end: Thing | None, day: date) -> Thing | None:
    if end is not None and _holds(end, day):
        return end
    opened = _latest(book, gate, day)
    if lane.gate and (opened is None or opened.state is None):
        return opened
    found = next((one for one in things if _holds(one, day)), None) if lane.first else _latest(book, things, day)
    if found is None or found.by is not None or opened is None:
        return found
    return replace(found, by=opened.by, cites=found.cites or opened.cites)  # a row without an act is as old as its rule


def at(found: Course, day: date) -> Segment:
    """Return the segment of a day of entry."""
    return found[bisect_right(found, day, key=lambda one: one.start) - 1]


def known_days(book: Book, lane: Lane, known_on: date, since: date = date.min) -> list[date]:
    """Return the days up to one on which an act that speaks of a lane became known, in order; those before `since` count as that day."""
    days = {max(book.published(name), since) for one in _all(lane) for name in (one.by, one.withdrawn_by or one.by)}
    return sorted(day for day in days if day <= known_on)


def _all(lane: Lane) -> tuple[Thing, ...]:
    return (*lane.things, *lane.gate, *([lane.end] if lane.end else []))


# ---------------------------------------------------------------- what every act changed
def changes(book: Book, lane: Lane, known_on: date, as_of: date, since: date = date.min) -> list[Change]:
    """Return what changed in a lane, in the order in which it became known; `as_of` parts what came from what lies ahead.

    What was known before `since` counts as known on that day.
    """
    courses = [(day, course(book, lane, day)) for day in known_days(book, lane, known_on, since)]
    found: list[Change] = []
    before: Course = (Segment(date.min, None, None),)
    for known, after in courses:
        work = _Work(book, lane, known, before, after, courses, as_of)
        found += [*work.reaching_back(), *work.called_off(), *work.set()]
        before = after
    return found


@dataclass(frozen=True, slots=True)
class _Work:
    """The comparison of a course with the one of the act before it."""

    book: Book
    lane: Lane
    known: date
    before: Course
    after: Course
    courses: list[tuple[date, Course]]
    as_of: date

    def reaching_back(self) -> Iterator[Change]:
        """Yield what the act changed for entries before the day on which it became known."""
        days = sorted({one.start for one in (*self.before, *self.after)})
        start: date | None = None
        for day, end in pairwise([*days, date.max]):
            old, new = at(self.before, day), at(self.after, day)
            if old.state == new.state or (start is not None and new.start == day):
                if start is not None:
                    yield self._back(start, day)
                start = None
            if start is None and old.state != new.state and day < self.known:
                start = day
            if start is not None and end == date.max:
                yield self._back(start, date.max)

    def _back(self, start: date, end: date) -> Change:
        new, told = at(self.after, start), min(end, self.known)
        inside = [one.start for one in self.before if start < one.start < told]
        past = tuple(Past(one, other, at(self.before, one).state) for one, other in pairwise([start, *inside, told]))
        by, cites = self._act(new.source)
        return self._change(start, end, "retroactive", "came", at(self.before, start).state, new.state, by, cites, past)

    def called_off(self) -> Iterator[Change]:
        """Yield what was to begin, to change or to end, and by this act does not on its day."""
        fresh = [one for one in self.after if not self._in(self.before, one)]
        for one in self.before:
            new = at(self.after, one.start)
            if one.start < self.known or self._in(self.after, one) or new.state == one.state or one.start == date.min:
                continue
            end = self._next(one.start)
            later = next((other for other in fresh if other.start == end), None)
            kind: Kind = "withdrawn"
            if new.start == one.start:
                kind = "replaced"
            elif one.state is None:
                kind = "extended"
            elif later is not None and later.state == one.state:
                kind = "paused"
            elif later is not None:
                kind = "replaced"
            by, cites = self._act(new.source, one.source)
            shown = self._change(one.start, end, kind, "called_off", one.state, new.state, by, cites)
            yield replace(shown, instead_from=later.start if later is not None else None)

    def set(self) -> Iterator[Change]:
        """Yield what the act lets begin, change or end on the day it became known or later."""
        for place, one in enumerate(self.after):
            if place == 0 or one.start < self.known or self._in(self.before, one):
                continue
            was, outcome = self.after[place - 1], self._outcome(one)
            if one.state is None and outcome != "came" and at(self.before, one.start).state is None:
                continue  # the announced end of what is announced with it: told as its `until`
            kind: Kind = "took_effect" if was.state is None else "ended" if one.state is None else "amended"
            by, cites = self._act(one.source or was.source)
            kind = kind if outcome == "came" else "announced"
            yield self._change(one.start, self._next(one.start), kind, outcome, was.state, one.state, by, cites)

    def _change(
        self,
        start: date,
        end: date,
        kind: Kind,
        outcome: Outcome,
        was: State | None,
        now: State | None,
        by: str | None,
        cites: tuple[str, ...],
        past: tuple[Past, ...] = (),
    ) -> Change:
        return Change(self.lane, self.known, start, end, kind, outcome, was, now, by, cites, past)

    def _next(self, day: date) -> date:
        """Return the day on which the course changes next."""
        return next((one.start for one in self.after if one.start > day), date.max)

    @staticmethod
    def _in(found: Course, wanted: Segment) -> bool:
        return any(one.start == wanted.start and one.state == wanted.state for one in found)

    def _outcome(self, one: Segment) -> Outcome:
        """Return whether a change came: whether by what was known on its day it held then, even where another act had brought it forward."""
        known = [found for day, found in self.courses if day <= max(one.start, self.known)]
        if at(known[-1], one.start).state != one.state:
            return "called_off"
        return "came" if one.start <= self.as_of else "ahead"

    def _act(self, new: Thing | None, old: Thing | None = None) -> tuple[str | None, tuple[str, ...]]:
        """Return the act of the day that made a change, with the places where it stands."""
        if old is not None and old.withdrawn_by and self._today(old.withdrawn_by):
            cited = new.cites if new is not None and new.by == old.withdrawn_by else ()
            return old.withdrawn_by, cited
        if new is not None and self._today(new.by):
            return new.by, new.cites
        for one in _all(self.lane):
            for name in (one.by, one.withdrawn_by):
                if name and self._today(name):
                    return name, one.cites if name == one.by else ()
        return (new.by, new.cites) if new is not None else (None, ())

    def _today(self, name: str | None) -> bool:
        return name is not None and self.book.published(name) == self.known
