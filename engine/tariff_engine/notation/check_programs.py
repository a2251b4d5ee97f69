"""Programs, groups and the frame: what the law book answers for, in which order it files, and what would be ambiguous on a line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise

from tariff_engine.book import Book
from tariff_engine.notation.check_places import Places
from tariff_engine.notation.program import Program, Provision, Step
from tariff_engine.notation.terms import Dated

_REST = "rest"  # what no slice takes of a value


def check_frame(places: Places) -> Iterator[str]:
    """Yield what is wrong with the horizon, the filing order, its limits and the origin groups."""
    book = places.book
    start, until = book.horizon.from_, book.horizon.until
    if until <= start:
        yield places.at(
            "book.yaml", ("horizon",), f"the book begins on {start}, and the law in it was read up to {until}; exchange or mend the days"
        )
    yield from _eras(places)
    if "column2" not in book.groups:
        yield places.at(
            "origins.yaml", ("groups",), "name the group column2: the origins whose goods bear column 2 rates (general note 3(b))"
        )
    for name, members in book.groups.items():
        seen: list[tuple[str, date, date]] = []
        for place, member in enumerate(members):
            origin = member if isinstance(member, str) else member.origin
            begins, ends = (date.min, date.max) if isinstance(member, str) else (member.from_ or date.min, member.until or date.max)
            if origin not in book.countries:
                yield places.at("origins.yaml", ("groups", name, place), f"{origin} is no country of countries.csv")
            if ends <= begins:
                yield places.at("origins.yaml", ("groups", name, place), f"until {ends} must be after from {begins}")
            if any(other == origin and begins < last and first < ends for other, first, last in seen):
                yield places.at("origins.yaml", ("groups", name, place), f"{origin} is in the group twice on a day; keep one of them")
            seen.append((origin, begins, ends))


def _eras(places: Places) -> Iterator[str]:
    book = places.book
    for key, days in (("filing", [era.from_ for era in book.filing]), ("limits", [limit.from_ for limit in book.limits])):
        if days and days[0] > book.horizon.from_:
            words = f"it begins on {days[0]}, after the book, which begins on {book.horizon.from_}; let it begin with the book"
            yield places.at("filing.yaml", (key, 0, "from"), words)
        for place, (before, after) in enumerate(pairwise(days), start=1):
            if after <= before:
                words = f"{after} does not follow {before}; let the days rise from top to bottom"
                yield places.at("filing.yaml", (key, place, "from"), words)
    for place, name in enumerate(book.splits):
        if name not in {*book.slices, _REST}:
            words = f"{name} is no part of a value; write a slice of facts.yaml, or {_REST}"
            yield places.at("filing.yaml", ("splits", "order", place), words)
    if not book.filing:
        yield places.at("filing.yaml", ("filing",), "say in which order headings are filed")
    for place, era in enumerate(book.filing):
        following = book.filing[place + 1].from_ if place + 1 < len(book.filing) else None
        if era.until != following:
            wanted = (
                f"until: {following}, the day on which the next begins"
                if following
                else "no until: the last order holds until law changes it"
            )
            yield places.at("filing.yaml", ("filing", place), f"write {wanted}, so that no day is without an order")
        twice = sorted({name for name in era.order if era.order.count(name) > 1})
        for name in twice:
            yield places.at("filing.yaml", ("filing", place, "order"), f"{name} stands in the order twice; keep one place")


def check_programs(places: Places) -> Iterator[str]:
    """Yield what is wrong inside each program."""
    for program in places.book.programs:
        path = places.programs[program.program]
        yield from _class(places, path, program)
        yield from _groups(places, path, program)
        yield from _unordered(places, path, program)
        yield from _drawback(places, path, program)
        if program.ended and not program.ended.ended:
            yield places.at(path, ("ended",), "this ends the program: write ended: true here; effects stand in the steps of provisions")
        for place, provision in enumerate(program.provisions):
            for step_place, words in _steps(places.book, program, provision):
                yield places.at(path, ("provisions", place, "steps", step_place), words)


def _steps(book: Book, program: Program, provision: Provision) -> Iterator[tuple[int, str]]:
    steps = provision.steps
    for (_, one), (place, two) in combinations(enumerate(steps), 2):
        if one.from_ == two.from_ and book.published(one.by) == book.published(two.by) and _known_together(book, one, two):
            yield (
                place,
                f"two steps begin on {two.from_} by acts of one day: nothing says which holds; keep one, or say which act called the other off",
            )
    for place, step in enumerate(steps):
        beyond = [column for column in step.columns or () if column not in program.columns]
        if beyond:
            yield place, f"the program does not reach the column {', '.join(beyond)}; a step may only narrow the columns of its program"
        if step.authorized and not all(one.authorized for one in steps):
            yield place, "authorized stands alone: a duty that was imposed is a provision of its own"
        if step.at_floor and step.up_to is None:
            yield place, "at_floor names the twin heading of a total; write it beside up_to only"


def _known_together(book: Book, one: Dated, two: Dated) -> bool:
    gone = min((book.published(thing.withdrawn_by) for thing in (one, two) if thing.withdrawn_by), default=date.max)
    return max(book.published(one.by), book.published(two.by)) < gone


def _life(program: Program, provision: Provision) -> tuple[date, date]:
    steps = [step for step in provision.steps if not step.ended]
    stops = [step.from_ for step in (*provision.steps, *([program.ended] if program.ended else [])) if step.ended]
    ends = max((step.until or date.max for step in steps), default=date.min)
    return min((step.from_ for step in steps), default=date.max), min([ends, *stops])


def _class(places: Places, path: str, program: Program) -> Iterator[str]:
    """Yield the days on which a provision can be filed and the class of the program has no place in the order."""
    filed = [provision for provision in program.provisions if not all(step.authorized for step in provision.steps)]
    if not filed:
        return
    lives = [_life(program, provision) for provision in filed]
    start, end = min(first for first, _ in lives), max(last for _, last in lives)
    for era in places.book.filing:
        if max(start, era.from_) < min(end, era.until or date.max) and program.files_as not in era.order:
            last = f" to {era.until}" if era.until else " on"
            yield places.at(
                path, ("files_as",), f"{program.files_as} has no place in the order of filing.yaml from {era.from_}{last}; add it there"
            )


def _groups(places: Places, path: str, program: Program) -> Iterator[str]:
    book = places.book
    mine = {provision.id: _life(program, provision) for provision in program.provisions}
    members: list[set[str]] = []
    for place, group in enumerate(program.groups):
        seen: dict[str, str] = {}
        for rank_place, rank in enumerate(group.order):
            for number, ref in enumerate(rank):
                trail = ("groups", place, "order", rank_place, number)
                for name in book.refs[ref]:
                    if name not in mine:
                        node = book.nodes[name]
                        start, end = _life(node.program, node.provision)
                        if not any(max(start, first) < min(end, last) for first, last in mine.values()):
                            continue  # a bare heading names its variants in a program of another time too
                        words = f"{name} is of {node.program.program}; a group orders the headings of its own program, use a relation"
                        yield places.at(path, trail, words)
                    elif name in seen:
                        yield places.at(path, trail, f"{name} is in the order twice, by {seen[name]} and by {ref}; keep one place")
                    seen.setdefault(name, ref)
        members.append(set(seen))
    for (one, first), (two, second) in combinations(enumerate(program.groups), 2):
        shared = sorted(members[one] & members[two])
        if shared and _overlap(first, second) and _known_together(book, first, second):
            words = (
                f"{shared[0]} is also in {first.name} on the same days; let one group end where the other begins, or put them in one order"
            )
            yield places.at(path, ("groups", two), words)


def _drawback(places: Places, path: str, program: Program) -> Iterator[str]:
    """Two words on the drawback of one provision for one day contradict one another."""
    book = places.book
    everything = {provision.id for provision in program.provisions}
    said = [frozenset(book.expand(rule.of)) if rule.of else frozenset(everything) for rule in program.drawback]
    for place, names in enumerate(said):
        foreign = sorted(names - everything)
        if foreign:
            yield places.at(
                path, ("drawback", place, "of"), f"{foreign[0]} is no provision of {program.program}; say it in its own program"
            )
    for (one, first), (two, second) in combinations(enumerate(program.drawback), 2):
        shared = sorted(said[one] & said[two])
        if shared and _overlap(first, second) and _known_together(book, first, second):
            words = f"the drawback of {shared[0]} is told twice for the same days; let one end where the other begins, or part them by `of`"
            yield places.at(path, ("drawback", two), words)


def _overlap(one: Dated, two: Dated) -> bool:
    return max(one.from_ or date.min, two.from_ or date.min) < min(one.until or date.max, two.until or date.max)


def _unordered(places: Places, path: str, program: Program) -> Iterator[str]:
    """Two duties of a one-of program under the very same condition would always meet, and nothing orders them."""
    if not program.one_of:
        return
    book = places.book
    duties = [(place, provision) for place, provision in enumerate(program.provisions) if any(_charges(step) for step in provision.steps)]
    for (_, one), (place, two) in combinations(duties, 2):
        if one.when != two.when or one.table or two.table or not _meet(book, one, two):
            continue
        ordered = any(mine.id in book.expand(unless.any) for this, mine in ((one, two), (two, one)) for unless in this.unless)
        grouped = any({one.id, two.id} <= {name for rank in group.order for name in book.expand(rank)} for group in program.groups)
        related = any(
            (a.id in book.expand(relation.over) and b.id in book.expand(relation.excludes))
            for relation in book.relations.relations
            for a, b in ((one, two), (two, one))
        )
        if not (ordered or grouped or related):
            words = f"{one.id} and {two.id} hold under the same condition, and one_of lets only one stand; name one in the other's unless, or order them in a group"
            yield places.at(path, ("provisions", place, "when"), words)


def _charges(step: Step) -> bool:
    return step.rate is not None or bool(step.prohibited)


def _meet(book: Book, one: Provision, two: Provision) -> bool:
    """Whether duties of both are in force on one day, as known on one day."""
    return any(
        _charges(a) and _charges(b) and _overlap(_closed(one, n), _closed(two, m)) and _known_together(book, a, b)
        for n, a in enumerate(one.steps)
        for m, b in enumerate(two.steps)
    )


def _closed(provision: Provision, place: int) -> Dated:
    """Return a step up to the next that takes its place for certain: one that no act called off."""
    step = provision.steps[place]
    later = [other.from_ for other in provision.steps[place + 1 :] if other.from_ > step.from_ and other.withdrawn_by is None]
    ends = [day for day in (step.until, *later[:1]) if day is not None]
    return Dated.model_construct(from_=step.from_, until=min(ends, default=None), by=step.by, withdrawn_by=step.withdrawn_by)
