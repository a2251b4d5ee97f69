"""Events of a history: the changes of courses and lists, alike ones told together, as plain data and in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tariff_service.condition_words import join, list_words, refs_words
from tariff_service.courses import Change, Past, State
from tariff_service.law_reading import act

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_service.list_changes import ListChange

Data = dict[str, Any]
_NAMED = 8  # origins, states or references that a sentence names
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Numbers:
    """How many numbers of a list changed, and which."""

    joins: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    recut: set[str] = field(default_factory=set)
    called_off: set[str] = field(default_factory=set)

    def take(self, other: Numbers) -> None:
        """Add those of another selection of the list."""
        for name in ("joins", "leaves", "recut", "called_off"):
            getattr(self, name).update(getattr(other, name))


@dataclass(slots=True)
class Event:
    """Something an act did. `states` are what holds now, `before` what held: several where many origins are told together."""

    about: str
    kind: str
    outcome: str
    known: date
    effect: date
    until: date
    by: str | None
    cites: dict[str, None]
    before: list[State | None]
    states: list[State | None]
    instead: list[State]
    past: tuple[Past, ...] = ()
    instead_from: date | None = None
    provisions: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)
    stand_ins: list[tuple[str, State]] = field(default_factory=list)

    def place(self, order: str) -> tuple[Any, ...]:
        """Return where the event stands: by the day it became known, or by the day of entry. Without an act both are the day of entry."""
        known = self.effect if self.known == date.min else self.known
        rank = _RANKS.index(self.about), self.outcome == "came", self.kind
        return (known, self.effect, rank) if order == "known" else (self.effect, known, rank)


_RANKS = ("rate", "in_transit", "exception", "order", "offset", "list")


# ---------------------------------------------------------------- from changes
def from_change(one: Change, heading: str = "") -> Event | None:
    """Return a change as an event. With a heading: as what is filed under it sees it, or None where it is not concerned."""
    was, now, kind = one.was, one.now, str(one.kind)
    instead: list[State] = []
    if heading and one.lane.about == "rate":
        was, now = _under(was, heading), _under(now, heading)
        if was is None and now is None and not any(_under(past.state, heading) for past in one.filed_before):
            return None
        instead = [one.now] if now is None and one.now is not None else []
        if kind in {"amended", "took_effect", "ended"}:
            kind = "took_effect" if was is None else "ended" if now is None else "amended"
        elif kind in {"paused", "withdrawn", "replaced"} and was is None:
            kind = "extended"  # what is called off is another heading's beginning, which was the end of this one
    elif heading and one.lane.about == "in_transit" and not any(_under(state, heading) for state in (was, now)):
        return None
    origins, refs = [one.lane.origin] if one.lane.origin else [], [one.lane.ref] if one.lane.ref else []
    return Event(
        one.lane.about,
        kind,
        one.outcome,
        one.known,
        one.effect,
        one.until,
        one.by,
        dict.fromkeys(one.cites),
        [was],
        [now],
        instead,
        one.filed_before,
        one.instead_from,
        [one.lane.provision],
        origins,
        refs,
    )


def _under(state: State | None, heading: str) -> State | None:
    return state if state is not None and heading in {state.heading, *state.also} else None


def from_list(one: ListChange) -> Event:
    """Return what an act did to a list as an event."""
    numbers = Numbers(one.joins, one.leaves, one.recut, one.called_off)
    kind = "retroactive" if one.known > one.effect else "took_effect" if one.outcome == "came" else "announced"
    kind = "withdrawn" if one.called_off else kind
    event = Event("list", kind, one.outcome, one.known, one.effect, date.max, one.by, dict(one.cites), [], [], [])
    return replace(event, provisions=list(one.provisions), refs=[one.ref], numbers=numbers)


# ---------------------------------------------------------------- alike ones together
def merged(events: Sequence[Event], *, by_program: bool) -> list[Event]:
    """Tell alike events together: of references, of origins, of provisions. `by_program`: also those that differ in their rates only."""
    found = _together(events, lambda one: (*_same(one), *_states(one), tuple(one.provisions), tuple(one.origins)), by_program=False)
    found = _together(found, lambda one: (*_same(one), *_states(one), tuple(one.provisions), tuple(one.refs)), by_program=False)
    if by_program:
        found = _together(found, lambda one: (*_same(one), *_wide(one)), by_program=True)
        return _together(found, lambda one: (*_same(one), *_states(one), tuple(one.origins), _lists(one)), by_program=True)
    return _together(found, lambda one: (*_same(one), *_states(one), tuple(one.origins), tuple(one.refs)), by_program=False)


def _same(one: Event) -> tuple[Any, ...]:
    return one.about, one.kind, one.outcome, one.known, one.effect, one.by, one.instead_from


def _states(one: Event) -> tuple[Any, ...]:
    """What an event says; headings that only go with another are left out, they stand in the words."""
    past = tuple((past.start, past.until, past.state) for past in one.past)
    before, states = (tuple(state and state[:3] for state in found) for found in (one.before, one.states))
    return before, states, one.until, past, id(one.numbers) if one.about == "list" else 0


def _wide(one: Event) -> tuple[Any, ...]:
    """What a program tells apart: the rows of a table by their days only, ends by their days only, everything else by what it says."""
    if one.origins:
        return "origins", one.provisions[0], tuple((past.start, past.until, past.state) for past in one.past)
    if one.about == "rate" and one.kind == "ended":
        return ("ended",)
    return tuple(one.provisions), *_states(one), tuple(one.refs)


def _lists(one: Event) -> tuple[str, ...]:
    return tuple(ref.partition(" ")[0] for ref in one.refs) if one.about == "list" else tuple(one.refs)


def _together(events: Iterable[Event], key: Any, *, by_program: bool) -> list[Event]:
    found: dict[Any, Event] = {}
    for one in events:
        mark = key(one)
        if by_program and one.about == "list":
            mark = (*_same(one), _lists(one))
        if mark not in found:
            found[mark] = replace(one, numbers=replace(one.numbers))
            continue
        first = found[mark]
        for name in ("provisions", "origins", "refs", "instead", "before", "states", "stand_ins"):
            mine = getattr(first, name)
            mine.extend(item for item in getattr(one, name) if item not in mine)
        first.cites |= one.cites
        first.until = max(first.until, one.until)
        first.past = first.past or one.past
        if one.about == "list":
            first.numbers.take(one.numbers)
    return list(found.values())


# ---------------------------------------------------------------- as plain data
def event_data(book: Book, one: Event, *, every: bool) -> Data:
    """Return an event as plain data: its two days, its act, what it changed, and a sentence."""
    found: Data = {
        "known": None if one.known == date.min else one.known.isoformat(),
        "effect": one.effect.isoformat(),
        "until": None if one.until == date.max else one.until.isoformat(),
        "about": one.about,
        "kind": one.kind,
        "outcome": one.outcome,
        "says": sentence(one),
        "provisions": one.provisions,
        "origins": one.origins,
        "refs": one.refs,
        "was": _alone(one.before, one.refs),
        "now": _alone(one.states, one.refs),
        "by": act(book, one.by),
        "cites": list(one.cites),
    }
    if one.about == "list":
        numbers = one.numbers
        names = ("joins", "leaves", "recut", "called_off")
        found |= {name: len(getattr(numbers, name)) for name in names}
        if every:
            found["numbers"] = {name: sorted(getattr(numbers, name)) for name in names}
    if one.kind == "retroactive" and one.about != "list":
        found["filed_before"] = [
            {"from": past.start.isoformat(), "until": past.until.isoformat(), "state": _state(past.state, one.refs)} for past in one.past
        ]
    if one.stand_ins:
        found["filed_in_place"] = [{"provision": name, "effect": state.effect} for name, state in one.stand_ins]
    if one.instead:
        found["instead"] = [_state(state, one.refs) for state in one.instead]
    if one.instead_from:
        found["instead_from"] = one.instead_from.isoformat()
    if len(one.states) > 1 or len(one.before) > 1:
        found["several"] = {
            "was": [_state(state, one.refs) for state in one.before],
            "now": [_state(state, one.refs) for state in one.states],
        }
    return found


def _alone(states: Sequence[State | None], refs: Sequence[str]) -> Data | None:
    return _state(states[0], refs) if len(states) == 1 else None


def _state(state: State | None, refs: Sequence[str]) -> Data | None:
    return (
        None
        if state is None
        else {"effect": state.effect.replace("{}", few(refs_words(refs))), "rate": state.rate, "heading": state.heading or None}
    )


# ---------------------------------------------------------------- in sentences
def sentence(one: Event) -> str:
    """Return what happened as a sentence without its days of knowledge and effect, its act and its subjects."""
    if one.about == "list":
        return " ".join(_list_words(one))
    now, was = _words(one.states, one.refs), _words(one.before, one.refs)
    other = f" ({_words(one.instead, ())} instead)" if one.instead else ""
    if one.kind == "retroactive":
        return f"reaches back: {now or 'nothing holds'}{other}{_until(one)}; {_past(one, was)}"
    if one.kind == "withdrawn":
        return f"called off before it came: {was or 'its end'}"
    if one.kind == "paused":
        return f"paused before it began: {was}; to begin on {one.instead_from} instead"
    if one.kind == "replaced":
        later = f", and another from {one.instead_from}" if one.instead_from and not now else ""
        return f"replaced before it began: {was or 'its end'}; instead {now or 'nothing'}{other if not now else ''}{later}"
    if one.kind == "extended":
        return f"goes on, its end on this day is called off: {now}{_until(one)}"
    if one.kind == "announced" and not now:
        return f"its end; until then {was}{other}"
    if now and was:
        return f"{now}; before, {was}"
    if now:
        return f"{now}{_until(one)}"
    return f"ends; before, {was}{other}"


def _until(one: Event) -> str:
    return f", until {one.until}" if one.until < date.max else ""


def _past(one: Event, was: str) -> str:
    """Return what was filed until the act was known."""
    if any(past.state for past in one.past):
        told = (f"{_words([past.state], one.refs) or 'nothing'} for entries of {past.start} to {past.until - _DAY}" for past in one.past)
        return f"until then was filed: {join(told, 'and')}"
    if one.stand_ins:
        names = [name if name[:1].isdigit() else name.partition(":")[2].replace("-", " ") for name, _ in one.stand_ins]
        return f"until then was filed in its place, where it applied: {few(names)}"
    return f"until then, {was}" if was else "until then it was not law"


def _words(states: Sequence[State | None], refs: Sequence[str]) -> str:
    """Return states in words; many of them by their number and the span of their rates."""
    told = list(dict.fromkeys(_one(state, refs) for state in states if state is not None))
    if len(told) <= 3:  # noqa: PLR2004  what a sentence can hold
        return join(told)
    rates = sorted(
        {state.rate for state in states if state is not None and state.rate}, key=lambda rate: (len(rate.partition(".")[0]), rate)
    )
    span = f", {rates[0]} to {rates[-1]}" if len(rates) > 1 else f", {rates[0]}" if rates else ""
    return f"{len(told)} rates or headings{span}"


def _one(state: State, refs: Sequence[str]) -> str:
    words = state.effect.replace("{}", few(refs_words(refs)))
    return f"{state.heading} {words}" if state.heading and state.heading not in words else words


def few(names: Sequence[str]) -> str:
    """Return names joined; of many the first and how many more there are."""
    if len(names) <= _NAMED:
        return join(names, "and")
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED:,} more"


def _list_words(one: Event) -> Iterator[str]:
    numbers = one.numbers
    told = [
        f"{len(codes):,} number{'' if len(codes) == 1 else 's'} {words if len(codes) != 1 else single}"
        for codes, words, single in (
            (numbers.joins, "join", "joins"),
            (numbers.leaves, "leave", "leaves"),
            (numbers.recut, "are cut anew on", "is cut anew on"),
            (numbers.called_off, "do not change after all on", "does not change after all on"),
        )
        if codes
    ]
    yield join(told, "and")
    names = [list_words(ref) for ref in one.refs]
    whole = [name.partition(" (")[0] for name in names]
    yield few(list(dict.fromkeys(name if whole.count(base) == 1 else base for name, base in zip(names, whole, strict=True))))
    if one.kind == "retroactive":
        yield "(reaches back)"
