"""The order among provisions: on no day, and for no day of knowledge, may it run in a circle; and nothing refers to what never lives with it.

What a provision asks of others: its own exceptions, the relations that relieve it, what it is subject to, and the members of its groups.
An evaluator asks in that order and remembers, so a circle would never come to an end; it is refused here, before any line is assessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tariff_engine.book import Book, Node
from tariff_engine.notation.check_places import Places, Trail
from tariff_engine.notation.conditions import When
from tariff_engine.notation.program import Step
from tariff_engine.notation.terms import Dated

Point = tuple[str, bool]  # a provision, before (False) or after (True) the choice inside its groups


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which something holds, and the acts by which it is known: each made by one act and perhaps called off by another."""

    start: date = date.min
    end: date = date.max
    acts: tuple[tuple[str | None, str | None], ...] = ()

    def of(self, what: Dated) -> Span:
        """Return the days shared with a dated thing, known by its acts too."""
        acts = self.acts if what.by is None and what.withdrawn_by is None else (*self.acts, (what.by, what.withdrawn_by))
        return Span(max(self.start, what.from_ or date.min), min(self.end, what.until or date.max), acts)


@dataclass(frozen=True, slots=True)
class Edge:
    """One provision asks another, in a span of days."""

    source: Point
    target: Point
    span: Span


def check_graph(places: Places) -> Iterator[str]:
    """Yield circles, and references between things that never live together."""
    book = places.book
    yield from _dead_references(places)
    edges = list(_edges(book))
    told: set[frozenset[str]] = set()
    for day, known_on, circle in _circles(book, edges):
        if len(circle) > 1 and frozenset(circle) not in told:  # a reference to itself was told
            told.add(frozenset(circle))
            known = "" if known_on == date.max else f", as known on {known_on}"
            words = f"on {day}{known} these ask one another in a circle: {' -> '.join([*circle, circle[0]])}; take one of them out of the other's unless, subject_to or relation"
            yield places.node(circle[0], (), words)


# ---------------------------------------------------------------- who asks whom
def _edges(book: Book) -> Iterator[Edge]:
    relations = [(Span().of(one), frozenset(book.expand(one.excludes)), book.expand(one.over)) for one in book.relations.relations]
    for name, node in book.nodes.items():
        yield Edge((name, True), (name, False), Span())
        asked = list(_asked(book, node))
        if any(step.rate is not None or step.prohibited or step.table for step in node.provision.steps):
            asked += [(span, other) for span, excludes, over in relations if name in excludes for other in over if other != name]
        for span, other in asked:
            if span.start < span.end:
                yield Edge((name, False), (other, True), span)
        for group in node.program.groups:
            members = [other for rank in group.order for other in book.expand(rank)]
            span = Span().of(group)
            for other in dict.fromkeys(members) if name in members else ():
                if other != name:
                    yield Edge((name, True), (other, False), span)


def _asked(book: Book, node: Node) -> Iterator[tuple[Span, str]]:
    for unless in node.provision.unless:
        span = Span().of(unless)
        for other in book.expand(unless.any):
            yield span, other
    yield from _subjects(book, node.provision.when, Span())


def _subjects(book: Book, when: When, span: Span) -> Iterator[tuple[Span, str]]:
    """Yield the provisions that a condition is subject to, in the days that its clauses leave."""
    if when.entered is not None:
        span = span.of(when.entered)
    if when.in_transit is not None:
        span = Span(span.start, min(span.end, when.in_transit.entered_before), span.acts)
    if when.subject_to is not None:
        for other in book.expand(when.subject_to.any):
            yield span, other
    for inner in when.any or ():
        yield from _subjects(book, inner, span)
    if when.not_ is not None:
        yield from _subjects(book, when.not_, span)


# ---------------------------------------------------------------- circles
def _circles(book: Book, edges: list[Edge]) -> Iterator[tuple[date, date, list[str]]]:
    """Yield a day, a day of knowledge and the circle found.

    First all days and everything that was ever known are put together: what is in no circle there is in none on any day. The rest is looked
    at day by day, and where a circle is left, by every day of knowledge on which something inside it changes.
    """
    days = sorted({book.horizon.from_, *_boundaries(book, edges)})
    edges = _knot(edges)
    alive = _Alive(book)
    done: set[frozenset[int]] = set()
    numbers = {id(edge): number for number, edge in enumerate(edges)}
    members = {name for edge in edges for name, _ in (edge.source, edge.target)}
    for day in days:
        asked = {name for name in members if alive.ever(name, day)}
        knot = _knot([e for e in edges if e.span.start <= day < e.span.end and e.source[0] in asked and e.target[0] in asked])
        names = {edge.source[0] for edge in knot}
        spans = {edge.span.acts for edge in knot}
        acts = {act for pairs in spans for pair in pairs for act in pair if act} | {act for name in names for act in alive.acts(name)}
        for known_on in sorted({book.published(act) for act in acts} | ({date.max} if knot else set()), reverse=True):
            seen = {pairs for pairs in spans if all(book.visible(by, withdrawn_by, known_on) for by, withdrawn_by in pairs)}
            living = {name for name in names if alive.at(name, day, known_on)}
            known = [edge for edge in knot if edge.span.acts in seen and edge.source[0] in living and edge.target[0] in living]
            key = frozenset(numbers[id(edge)] for edge in known)
            if key not in done:
                done.add(key)
                circle = _knot(known)
                if circle:
                    yield day, known_on, _walk(circle)


def _boundaries(book: Book, edges: list[Edge]) -> Iterator[date]:
    for edge in edges:
        yield edge.span.start
        yield edge.span.end
    for node in book.nodes.values():
        for step in _steps(node):
            yield step.from_
            yield step.until or date.max


def _steps(node: Node) -> list[Step]:
    return [*node.provision.steps, *([node.program.ended] if node.program.ended else [])]


class _Alive:
    """When provisions can be asked: while a step is in force. Goods from a zone take the step of their admission, so there a step lives on."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def acts(self, name: str) -> set[str]:
        """Return the acts that made or called off its steps."""
        return {act for step in _steps(self.book.nodes[name]) for act in (step.by, step.withdrawn_by) if act}

    def ever(self, name: str, day: date) -> bool:
        """Whether a step is in force on the day, for some day of knowledge."""
        node = self.book.nodes[name]
        lingers = node.program.ftz is not None and node.program.ftz.rate_of == "admission"
        return any(step.from_ <= day and (lingers or day < (step.until or date.max)) and not step.ended for step in _steps(node))

    def at(self, name: str, day: date, known_on: date) -> bool:
        """Whether a step is in force as known, on the day or, for goods from a zone, on an earlier day of admission."""
        node, book = self.book.nodes[name], self.book
        known = [step for step in _steps(node) if book.known(step, known_on) and step.from_ <= day]
        if node.program.ftz is not None and node.program.ftz.rate_of == "admission":
            return any(not step.ended for step in known)
        live = [step for step in known if day < (step.until or date.max)]
        chosen = max(live, key=lambda step: (step.from_, book.published(step.by)), default=None)
        return chosen is not None and not chosen.ended


def _knot(edges: list[Edge]) -> list[Edge]:
    """Return the edges that can be part of a circle: those left when whatever nobody asks, or asks nobody, is taken away again and again."""
    while True:
        sources, targets = {edge.source for edge in edges}, {edge.target for edge in edges}
        kept = [edge for edge in edges if edge.source in targets and edge.target in sources]
        if len(kept) == len(edges):
            return kept
        edges = kept


def _walk(knot: list[Edge]) -> list[str]:
    """Return one circle of a knot, as the provisions in their order."""
    follow = {edge.source: edge.target for edge in knot}
    path: list[Point] = []
    point = next(iter(follow))
    while point not in path:
        path.append(point)
        point = follow[point]
    circle = path[path.index(point) :]
    names = list(dict.fromkeys(name for name, _ in circle))
    first = names.index(min(names))
    return names[first:] + names[:first]


# ---------------------------------------------------------------- references to the dead
def _dead_references(places: Places) -> Iterator[str]:
    book = places.book
    lives = {name: _life(node) for name, node in book.nodes.items()}
    dead = _Dead(book, lives)
    for name, node in book.nodes.items():
        mine = lives[name]
        for place, unless in enumerate(node.provision.unless):
            for words in dead.words(unless.any, _shared(mine, Span().of(unless)), name):
                yield places.node(name, ("unless", place, "any"), words)
        for trail, refs, span in _subject_places(node.provision.when, ("when",), Span()):
            for words in dead.words(refs, _shared(mine, span), name):
                yield places.node(name, trail, words)
        if mine.end <= book.horizon.from_:
            words = f"{name} ended before {book.horizon.from_}, where the book begins; remove it, or move the horizon in book.yaml"
            yield places.node(name, ("steps",), words)
    for place, relation in enumerate(book.relations.relations):
        for key, refs in (("over", relation.over), ("excludes", relation.excludes)):
            for words in dead.words(refs, Span().of(relation), "the relation"):
                yield places.at("relations.yaml", ("relations", place, key), words)


@dataclass(frozen=True, slots=True)
class _Dead:
    book: Book
    lives: dict[str, Span]

    def words(self, refs: list[str], span: Span, name: str) -> Iterator[str]:
        """Say which references name nothing that is in force in a span, and which name the provision itself."""
        if name in refs:
            yield f"{name} refers to itself; take it out"
        dead = [ref for ref in refs if self.book.refs[ref] and not any(_meet(self.lives[other], span) for other in self.book.refs[ref])]
        if dead:
            days = f"{span.start} to {'no end' if span.end == date.max else span.end}"
            yield f"{', '.join(dead)}: never in force while {name} is, from {days}; take out what never meets, or mend the dates"


def _subject_places(when: When, trail: Trail, span: Span) -> Iterator[tuple[Trail, list[str], Span]]:
    if when.entered is not None:
        span = span.of(when.entered)
    if when.subject_to is not None:
        yield (*trail, "subject_to", "any"), when.subject_to.any, span
    for place, inner in enumerate(when.any or ()):
        yield from _subject_places(inner, (*trail, "any", place), span)
    if when.not_ is not None:
        yield from _subject_places(when.not_, (*trail, "not"), span)


def _life(node: Node) -> Span:
    """From the first step to the end of the last, or of the program, whatever was known of it."""
    steps = [step for step in node.provision.steps if not step.ended]
    ends = [step.until or date.max for step in steps]
    last = max(ends, default=date.min)
    stops = [step.from_ for step in _steps(node) if step.ended]
    return Span(min((step.from_ for step in steps), default=date.max), min([last, *stops]))


def _shared(one: Span, two: Span) -> Span:
    return Span(max(one.start, two.start), min(one.end, two.end))


def _meet(one: Span, two: Span) -> bool:
    return max(one.start, two.start) < min(one.end, two.end)
