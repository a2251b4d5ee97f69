"""Mistakes that somebody could make in a rule file, each as a book that differs in one place.

The kinds are those of the hand that edits: another rate, another day, a step, exception, row or member forgotten, a code too wide, a relation
turned round, a test on the wrong side.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.mutation.books import Trail, changed, parts, with_program, with_row

from tariff_engine.boundaries.lists import used_by
from tariff_engine.notation.conditions import InTransit, NotOrigin, SubjectTo, Test, When
from tariff_engine.notation.program import Piece, Program, Provision, Step, Unless
from tariff_engine.notation.terms import Dated

if TYPE_CHECKING:
    from tariff_engine.book import Book
    from tariff_engine.notation.tables import Row

DAY = timedelta(days=1)
MORE = Fraction(5, 100)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: its kind, where it is and what it does, the programs that it can touch (none: all), a heading, and the book with it."""

    kind: str
    where: str
    programs: tuple[str, ...]
    make: Callable[[Book], Book]
    heading: str = ""
    part: object = None
    """The part of the law that is changed, as it was."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What of it is changed, as it becomes."""


def mutants(book: Book) -> Iterator[Mutant]:
    """Yield every mistake of these kinds that can be made in a book, in the order of its files."""
    for place, program in enumerate(book.programs):
        for kind, where, trail, part, fields in _program(program):
            heading = where.partition(" ")[0].partition("/")[0].rstrip(":")
            make = _set_program(place, _copy(program, trail, fields))
            yield Mutant(kind, f"{program.program} {where}", (program.program,), make, heading, part, fields)
    yield from _relations(book)
    yield from _groups(book)
    yield from _acts(book)
    users = used_by(book)
    for name, table in book.tables.items():
        if not name.startswith("list:"):
            for row in table.rows:
                yield from _row(name, row, users.get(name, ()))


def sample(book: Book, count: int, seed: int, skip: Callable[[Mutant], object] = lambda _: False) -> list[Mutant]:
    """Return so many mutants, the kinds in turn, but none to skip: lists have thousands of rows, relations a few dozen."""
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in mutants(book):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    rng, found = random.Random(seed), list[Mutant]()
    for kind in sorted(by_kind):
        rng.shuffle(by_kind[kind])
    while len(found) < count and any(by_kind.values()):
        found += [one for one in (by_kind[kind].pop() for kind in sorted(by_kind) if by_kind[kind]) if not skip(one)]
    return found[:count]


def _replacing(**fields: Any) -> Callable[[Book], Book]:
    return lambda book: replace(book, **fields)


def _set_program(place: int, make: Callable[[], Program]) -> Callable[[Book], Book]:
    return lambda book: with_program(book, place, make())


# ---------------------------------------------------------------- programs
def _program(program: Program) -> Iterator[tuple[str, str, Trail, object, dict[str, Any]]]:
    for trail, part in parts(program):
        if trail[:1] in {("examples",), ("drawback",)}:
            continue  # examples are proofs; drawback says nothing of what is owed
        for kind, what, fields in _part(part):
            yield kind, f"{_place(program, trail)}: {what}", trail, part, fields


def _copy(program: Program, trail: Trail, fields: dict[str, Any]) -> Callable[[], Program]:
    return lambda: changed(program, trail, **fields)


def _place(program: Program, trail: Trail) -> str:
    if trail[:1] == ("provisions",) and len(trail) > 1:
        rest = ".".join(str(step) for step in trail[2:])
        return f"{program.provisions[int(trail[1])].id} {rest}".strip()
    return ".".join(str(step) for step in trail) or "program"


Changes = Iterator[tuple[str, str, dict[str, Any]]]
"""What can be changed in a part of a rule file: the kind, the words, the fields in their new form."""


def _part(part: object) -> Changes:
    if isinstance(part, Step):
        yield from _step(part)
    if isinstance(part, Dated):
        yield from _days(part, ("from_", "until"), "day")
        if part.withdrawn_by:
            yield "day", "never called off", {"withdrawn_by": None}
    if isinstance(part, InTransit):
        yield from _days(part, ("loaded_before", "exported_before", "entered_before"), "transit")
        if part.mode:
            yield "transit", "by any mode", {"mode": None}
    if isinstance(part, Provision):
        yield from _provision(part)
    if isinstance(part, Unless) and len(part.any) > 1:
        yield from (("exception", f"without {ref}", {"any": [one for one in part.any if one != ref]}) for ref in part.any)
    if isinstance(part, Piece) and part.cap is not None:
        yield "base", "another cap", {"cap": part.cap + MORE}
    if isinstance(part, When):
        yield from _condition(part)
    if isinstance(part, Test):
        yield from _test(part)
    if isinstance(part, SubjectTo):
        yield "relation", "applies for owed, or owed for applies", {"test": "applies" if part.test == "owed" else "owed"}
        yield "relation", "part for article, or article for part", {"on": "article" if part.on == "part" else "part"}


def _step(part: Step) -> Changes:
    for name in ("add", "up_to", "in_lieu"):
        rate = getattr(part, name)
        if rate is not None:
            yield "rate", f"{name} {float(rate):.1%} becomes {float(rate + MORE):.1%}", {name: rate + MORE}
    if part.base != "value":
        yield "base", "charged on the whole value", {"base": "value"}
    if part.base_if:
        yield "base", "no other base for some products", {"base_if": []}
    if part.at_floor:
        yield "floor", "no heading at the floor", {"at_floor": None}


def _days(part: Any, names: tuple[str, ...], kind: str) -> Changes:
    for name in names:
        day = getattr(part, name)
        if isinstance(day, date) and date.min < day < date.max:
            for shift in (-1, 1):
                yield kind, f"{name.rstrip('_')} {day} becomes {day + shift * DAY}", {name: day + shift * DAY}


def _provision(part: Provision) -> Changes:
    if len(part.steps) > 1:
        for place, step in enumerate(part.steps):
            yield "step", f"without the step of {step.from_}", {"steps": [*part.steps[:place], *part.steps[place + 1 :]]}
    for place, unless in enumerate(part.unless):
        words = ", ".join(unless.any)
        yield "exception", f"without the exception of {words}", {"unless": [*part.unless[:place], *part.unless[place + 1 :]]}
    if part.if_unknown:
        yield "unknown", "what is taken for unknown facts is that of the dictionary", {"if_unknown": {}}
    if part.filed:
        yield "filing", "filed only where it relieves", {"filed": None}


def _condition(part: When) -> Changes:
    if isinstance(part.origin, list):
        yield "origin", f"every origin but {', '.join(part.origin)}", {"origin": NotOrigin.model_validate({"not": part.origin})}
        if len(part.origin) > 1:
            yield "origin", f"without {part.origin[-1]}", {"origin": part.origin[:-1]}
    elif isinstance(part.origin, NotOrigin):
        yield "origin", "every origin", {"origin": None}
    for name, test in (part.facts or {}).items():
        rest = {key: value for key, value in (part.facts or {}).items() if key != name}
        yield "fact", f"without the test on {name}", {"facts": rest or None}
        if isinstance(test, bool):
            yield "fact", f"{name} the other way", {"facts": {**rest, name: not test}}
    if part.column:
        yield "column", "in every column", {"column": None}
    if part.any and len(part.any) > 1:
        yield "fact", "without the last of several conditions", {"any": part.any[:-1]}


def _test(part: Test) -> Changes:
    for name in ("above", "at_least", "below"):
        bound = getattr(part, name)
        if bound is not None:
            yield "threshold", f"{name} {bound} becomes {Decimal(bound) + 1}", {name: str(Decimal(bound) + 1)}
    yield from _days(part, ("before", "from_"), "threshold")
    if part.in_ is not None and len(part.in_) > 1:
        yield "fact", f"without {part.in_[-1]}", {"in_": part.in_[:-1]}


# ---------------------------------------------------------------- what all programs share
def _relations(book: Book) -> Iterator[Mutant]:
    found = book.relations.relations
    for place, relation in enumerate(found):
        touched = tuple(dict.fromkeys(book.nodes[name].program.program for name in book.expand([*relation.excludes, *relation.over])))
        changes: list[tuple[str, dict[str, Any]]] = [
            ("turned round", {"over": relation.excludes, "excludes": relation.over}),
            ("applies for owed, or owed for applies", {"test": "applies" if relation.test == "owed" else "owed"}),
            ("part for article, or article for part", {"on": "article" if relation.on == "part" else "part"}),
            ("forgotten", {"over": ["program:none"]}),
            *((what, fields) for _, what, fields in _days(relation, ("from_", "until"), "day")),
        ]
        for what, fields in changes:
            new = relation.model_copy(update=fields)
            kept = [*found[:place], *([] if what == "forgotten" else [new]), *found[place + 1 :]]
            relations = book.relations.model_copy(update={"relations": kept})
            where = f"{', '.join(relation.over)} over {', '.join(relation.excludes)} ({relation.from_}): {what}"
            yield Mutant("relation", where, touched, _replacing(relations=relations), part=relation, fields=fields)


_TEXTS: dict[str, dict[str, str]] = {}


def _texts(book: Book) -> dict[str, str]:
    """The rules of each program as text, made once for a book."""
    if book.id not in _TEXTS:
        _TEXTS[book.id] = {one.program: one.model_dump_json(exclude={"examples"}) for one in book.programs}
    return _TEXTS[book.id]


def _mention(book: Book, word: str) -> tuple[str, ...]:
    """The programs in whose rules a word stands."""
    texts = _texts(book)
    pattern = re.compile(rf"{re.escape(word)}(?![a-z0-9_-])")
    return tuple(one.program for one in book.programs if pattern.search(texts[one.program]))


def _groups(book: Book) -> Iterator[Mutant]:
    for name, members in book.groups.items():
        touched = _mention(book, f"group:{name}")
        for member in members:
            kept = {**book.groups, name: [one for one in members if one is not member]}
            code = member if isinstance(member, str) else member.origin
            yield Mutant("member", f"group:{name} without {code}", touched, _replacing(groups=kept))


def _acts(book: Book) -> Iterator[Mutant]:
    for name, act in book.instruments.items():
        later = {**book.instruments, name: act.model_copy(update={"published": act.published + DAY})}
        yield Mutant("publication", f"{name} published a day later", _mention(book, name), _replacing(instruments=later))


def _row(name: str, row: Row, users: tuple[str, ...]) -> Iterator[Mutant]:
    def made(kind: str, what: str, new: Row | None) -> Mutant:
        where = f"list:{name} row {row.number} ({row.hts or row['origin']}): {what}"
        fields = {"hts": new.hts} if new is not None and new.hts != row.hts else {}
        return Mutant(kind, where, users, lambda book: with_row(book, name, row, new), part=row, fields=fields)

    yield made("row", "forgotten", None)
    if len(row.hts) > 4:
        yield made("code", f"widened to {row.hts[:-2]}", replace(row, hts=row.hts[:-2]))
    if row.excepted:
        yield made("code", f"without its exception {row.excepted[-1]}", replace(row, excepted=row.excepted[:-1]))
    if row.from_ > date.min:
        yield made("row_day", "a day later", replace(row, from_=row.from_ + DAY))
    if row.until < date.max:
        yield made("row_day", "ends a day later", replace(row, until=row.until + DAY))
    if row["rate"]:
        yield made("row_rate", "another rate", replace(row, cells={**row.cells, "rate": f"{Decimal(row['rate'].rstrip('%')) + 5}%"}))
    if row["loaded_before"]:
        later = (date.fromisoformat(row["loaded_before"]) + DAY).isoformat()
        yield made("transit", "loaded a day later", replace(row, cells={**row.cells, "loaded_before": later}))
