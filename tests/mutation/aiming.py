"""Draws tests/law/aimed.csv: for mistakes that the other proofs let through, a line that tells the mistaken book from the right one.

python -m tests.mutation.aiming [KIND,KIND...] [SECONDS] [PROCESSES]

A mistake is looked at beside lines on which what it touches decides something: with other days, other knowledge, the sides of the boundaries
that it owns, other shares of content, other columns, facts left out. The first line that owes something else goes into the file, with what it
owes by the book that is right. Evaluated is the law that such a line meets, and what is found there is held against the whole book.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fcntl import LOCK_EX, flock
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.law.chart import AIMED, EVER, Charted, Point, read_points, write_points
from tests.mutation.equivalent import Equivalents
from tests.mutation.moments import Moments
from tests.mutation.mutants import Mutant, sample
from tests.mutation.proofs import Asked, Proofs, said

from tariff_engine.answer import plain
from tariff_engine.evaluate.derivation import Verdict
from tariff_engine.evaluate.naive import NaiveEvaluation
from tariff_engine.evaluate.parts import Parts
from tariff_engine.notation.model import Relation
from tariff_engine.problems import TariffError
from tariff_engine.testing import Rulebook
from tariff_engine.testing.needs import VALUE

if TYPE_CHECKING:
    from tariff_engine.book import Book

DAY = timedelta(days=1)
REACHED = (Verdict.APPLIES, Verdict.DISPLACED, Verdict.NOTHING)
_TRIES = 260  # lines tried for one mistake
_MADE = 160  # lines made for it, on the days and in the knowledge where it shows
_MANY = 5000  # mistakes looked at
_SHOES = "6403996015"
_SOME = 4  # of the points that fire nothing first, one in so many is looked beside
_NEAR = 9  # lines beside which is looked
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_COLUMNS = ("CU", "RU", "CN", "GB", "CA", "JP")
_CLAIMS = (("KR", "KR"), ("MX", "S"), ("CA", "S"), ("AU", "AU"), ("IL", "IL"))
Facts = dict[str, Any]


class Aim:
    """Looks for lines that tell mistaken books from the right one."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Read the proofs, and on which of their lines each provision decides something."""
        self.rulebook, self.book = rulebook, rulebook.book
        self.proofs, self.right = Proofs(rulebook), Parts(rulebook.book)
        self.every = frozenset(program.program for program in self.book.programs)
        self.names = tuple(program.program for program in self.book.programs)
        self.maker = Moments(rulebook)
        self.by_node: dict[str, list[tuple[Point, frozenset[str]]]] = {}
        self.by_program: dict[str, list[tuple[Point, Asked, frozenset[str]]]] = {}
        self._edges: dict[str, list[Any]] = {}
        self._said: dict[tuple[str, str, frozenset[str]], str] = {}
        self._cut: dict[frozenset[str], Book] = {self.every: self.book}
        self._high: dict[str, list[str]] = {}
        for edge in rulebook.boundaries:
            self._edges.setdefault(edge.owner, []).append(edge)
        points = read_points()
        points += [
            Point(program.program, _text(one.line), "" if one.known_on is None else one.known_on.isoformat())
            for program in self.book.programs
            for one in program.examples
        ]
        for place, point in enumerate(points):
            if point.first or not point.says or place % _SOME == 0:
                self.learn(point)

    def learn(self, point: Point) -> None:
        """Note on which provisions a line decides something."""
        asked = self.proofs.read(point.line, point.known, point.says, brief=False)
        if asked is None:
            return
        evaluation = NaiveEvaluation(self.book, asked.line, asked.base.base, asked.base.column, point.known, self.right)
        try:
            outcomes = [outcome for outcome in evaluation.outcomes() if outcome.verdict in REACHED]
        except TariffError:
            return
        reached = frozenset(outcome.program for outcome in outcomes)
        self.by_program.setdefault(point.program, []).append((point, asked, reached))
        for outcome in outcomes:
            self.by_node.setdefault(outcome.id, []).append((point, reached))

    # ------------------------------------------------------------ two books
    def differs(self, mutant: Mutant, books: dict[frozenset[str], Book], asked: Asked, key: tuple[str, str], near: frozenset[str]) -> bool:
        """Whether a line owes something else by the book with a mistake: looked at in the law that it meets, then in the whole book."""
        near = near.union(mutant.programs)
        if near not in books:
            if near not in self._cut:
                self._cut[near] = self.book.lacking(self.every - near)
            books[near] = books[self.every].lacking(self.every - near)
        where = (*key, near)
        if where not in self._said:
            self._said[where] = _says(self._cut[near], self.right, asked)
        if _says(books[near], self.right, asked) == self._said[where]:
            return False
        return _says(books[self.every], Parts(books[self.every]), asked) != _says(self.book, self.right, asked)

    def missed(self, mutant: Mutant, books: dict[frozenset[str], Book]) -> bool:
        """Whether no line that is there, of the programs that a mistake touches, tells it."""
        found = [one for program in (mutant.programs or self.names) for one in self.by_program.get(program, ())]
        found.sort(key=lambda one: mutant.heading not in one[0].says)
        return not any(self.differs(mutant, books, asked, (point.facts, point.known_on), near) for point, asked, near in found)

    def aim(self, mutant: Mutant, rng: random.Random) -> Point | str | None:
        """Return a line that tells a mistake; "" where one is there, None where none is found."""
        try:
            books = {self.every: mutant.make(self.book)}
            Parts(books[self.every])
        except (TariffError, ValueError, KeyError):
            return ""
        if not self.missed(mutant, books):
            return ""
        program = mutant.programs[0] if mutant.programs else self.names[0]
        seen = set()
        names = self.touched(mutant)
        made = self.maker.lines(mutant, names)
        lines = [
            *((facts, known_on, self.every) for facts, known_on in islice(made, _MADE)),
            *islice(self.beside(mutant, rng, names), _TRIES),
        ]
        for facts, known_on, near in lines:
            key = _text(facts), "" if known_on == EVER else known_on.isoformat()
            if key in seen:
                continue
            seen.add(key)
            asked = self.proofs.read(json.loads(key[0]), known_on, "", brief=False)
            if asked is not None and self.differs(mutant, books, asked, key, near):
                return Point(program, *key, said(self.book, self.right, asked), "")
        return None

    # ------------------------------------------------------------ lines beside those that are there
    def beside(self, mutant: Mutant, rng: random.Random, names: list[str]) -> Iterator[tuple[Facts, date, frozenset[str]]]:
        """Yield lines beside those on which what a mistake touches decides something, the likeliest first."""
        near = [one for name in names for one in self.by_node.get(name, ())]
        if not near:
            near = [(point, reached) for name in mutant.programs for point, _, reached in self.by_program.get(name, ())]
        lines = [*self.pairs(mutant), *_apart(near, rng)]
        days = self.days(mutant, names)
        ways = [self.ways(line, known_on, reached, names, days, rng) for line, known_on, reached in lines[:_NEAR]]
        while ways:
            for way in list(ways):
                one = next(way, None)
                if one is None:
                    ways.remove(way)
                else:
                    yield one

    def pairs(self, mutant: Mutant) -> list[tuple[Facts, date, frozenset[str]]]:
        """Lines that meet a provision on either side of a relation: those that are there, and those that can be made on its days."""
        if not isinstance(mutant.part, Relation):
            return []
        relation = mutant.part
        sides = [set(self.book.expand(refs)) for refs in (relation.over, relation.excludes)]
        points: list[dict[tuple[str, str], tuple[Point, frozenset[str]]]] = [{}, {}]
        for found, names in zip(points, sides, strict=True):
            for name in names:
                found.update({(point.facts, point.known_on): (point, reached) for point, reached in self.by_node.get(name, ())})
        both = [points[0][key] for key in sorted(points[0].keys() & points[1].keys())]
        inside = [one for one in both if relation.from_ <= date.fromisoformat(one[0].line["entry_date"]) < (relation.until or EVER)]
        lines = _apart(inside or both, random.Random(1))[:5]
        maker, first = self.rulebook.maker, max(relation.from_, self.book.horizon.from_)
        known_on = self.book.published(relation.by) if relation.withdrawn_by else EVER
        first = max(first, known_on) if relation.withdrawn_by else first
        couples = [(one, two) for one in sorted(sides[0]) for two in sorted(sides[1])]
        random.Random(2).shuffle(couples)
        for one, two in couples[:60]:
            for day in (first, (relation.until or EVER) - DAY, max(first, self.book.horizon.until)):
                if day > first + 5 * 365 * DAY or (relation.withdrawn_by and day != first):
                    continue
                for need in (
                    a.both(b) for a in islice(maker.needs(self.book.nodes[one]), 2) for b in islice(maker.needs(self.book.nodes[two]), 2)
                ):
                    for line in islice(maker.meeting(need, day, known_on), 1):
                        programs = {self.book.nodes[name].program.program for name in (one, two)}
                        lines.append(({name: plain(value) for name, value in line.items()}, known_on, frozenset(programs)))
            if len(lines) > _NEAR + 5:
                break
        return lines

    def touched(self, mutant: Mutant) -> list[str]:
        """The provisions that a mistake stands in, or orders."""
        if mutant.kind == "relation" and not mutant.heading:
            words = mutant.where.rpartition(" (")[0].replace(" over ", ", ").split(", ")
            return [name for word in words if word in self.book.refs for name in self.book.refs[word]]
        place = mutant.where.split(" ")[1].rstrip(":") if " " in mutant.where else ""
        if place in self.book.nodes:
            node = self.book.nodes[place]
            return [
                place,
                *(other.id for other in node.program.provisions if other.heading == node.provision.heading and other.id != place),
            ]
        return [name for name, node in self.book.nodes.items() if node.program.program in mutant.programs]

    def days(self, mutant: Mutant, names: list[str]) -> list[tuple[date, date]]:
        """Days of entry and of knowledge at which what a mistake touches may decide something else."""
        stated = [date.fromisoformat(word) for word in _ISO.findall(mutant.where)]
        found = [(day, EVER) for one in stated for day in (one, one - DAY, one + DAY)]
        if isinstance(mutant.part, Relation):
            known_days = [self.book.published(act) for act in (mutant.part.by, mutant.part.withdrawn_by) if act]
            found += [(max(mutant.part.from_, moment), moment) for known in known_days for moment in (known, known - DAY)]
            found += [(day, moment) for day in stated for known in known_days for moment in (known, known - DAY)]
        for name in names[:12]:
            for step in self.book.nodes[name].provision.steps:
                edges = [step.from_, *([step.until - DAY] if step.until else [])]
                acts = [self.book.published(act) for act in (step.by, step.withdrawn_by) if act]
                for known in acts:
                    found += [(day, moment) for day in dict.fromkeys((*stated, *edges)) for moment in (known, known - DAY)]
                found += [(day, EVER) for day in edges]
        first = self.book.horizon.from_
        return [one for one in dict.fromkeys(found) if one[0] >= first]

    def ways(
        self, line: Facts, known_on: date, reached: frozenset[str], names: list[str], days: list[tuple[date, date]], rng: random.Random
    ) -> Iterator[tuple[Facts, date, frozenset[str]]]:
        """Yield a line in other ways: of other days, with other facts, and both."""
        plain_days, others = list(days), [{**line, "value": 0}, *self.facts(line, names)]
        first, rest = others[:1], others[1:]
        rng.shuffle(rest)
        others = [*first, *rest]
        for day, known in plain_days[:24]:
            yield {**line, "entry_date": day.isoformat()}, known, reached
        for other in others:
            yield other, known_on, reached
        mixed = [(other, one) for other in others for one in plain_days]
        rng.shuffle(mixed)
        for other, (day, known) in mixed:
            yield {**other, "entry_date": day.isoformat()}, known, reached

    def facts(self, line: Facts, names: list[str]) -> Iterator[Facts]:
        """Yield a line with facts on other sides of the boundaries that provisions own, without facts, with other contents, of other columns."""
        program = self.book.nodes[names[0]].program.program if names else ""
        others = [point.line for point, _, _ in self.by_program.get(program, ())]
        for other in random.Random(3).sample(others, min(len(others), 12)):
            yield {**{name: value for name, value in other.items() if name not in {"hts", "origin", "entry_date", "value"}}, **line}
        for edge in (edge for name in names[:6] for edge in self._edges.get(name, ())):
            if edge.fact in {"known_on", "entry_date"}:
                continue
            for side in edge.sides:
                given = {name: value for name, value in edge.given.items() if name not in {"entry_date", "hts"}}
                yield _stated({**line, **given, edge.fact: side})
        for name in line:
            if name not in {"hts", "origin", "entry_date", "value"}:
                yield {key: value for key, value in line.items() if key != name}
        contents = [piece.facts[0] for piece in self.book.slices.values()]
        for name in contents:
            for amount in (VALUE // 4, VALUE * 9 // 10, VALUE, 0):
                yield {**line, name: amount}
        for one in contents:
            for two in contents:
                if one < two:
                    yield {**line, one: VALUE // 4, two: VALUE // 4}
        yield from ({**line, "origin": origin} for origin in _COLUMNS)
        yield from ({**line, "origin": origin, "spi": symbol} for origin, symbol in _CLAIMS)
        yield from ({**line, "hts": number} for number in self.high(line, names))

    def high(self, line: Facts, names: list[str]) -> list[str]:
        """Numbers of the same provisions whose base rate is high, or in dollars by the piece."""
        if not names:
            return []
        name = names[0]
        if name not in self._high:
            found: list[tuple[float, str]] = []
            day = date.fromisoformat(line["entry_date"])
            needs = list(self.rulebook.maker.needs(self.book.nodes[name], 0))[:3]
            for number in (
                code for need in needs for code in islice(self.rulebook.maker.numbers_of(need, self.rulebook.space.codes, day, EVER), 400)
            ):
                asked = self.proofs.read({**line, "hts": number}, EVER, "", brief=False)
                if asked is not None:
                    found.append((9.0 if asked.base.base.exact is None else float(asked.base.base.ave), number))
            found = sorted(set(found), reverse=True)
            self._high[name] = [number for _, number in found[:: max(1, len(found) // 6)]][:8]
        return self._high[name]


def _apart(near: list[tuple[Point, frozenset[str]]], rng: random.Random) -> list[tuple[Facts, date, frozenset[str]]]:
    """Lines that are unlike one another first: of other goods, other origins, other programs."""
    rng.shuffle(near)
    first: dict[Any, tuple[Facts, date, frozenset[str]]] = {}
    rest = []
    for point, reached in near:
        line = point.line
        key = line["hts"][:4], line["origin"], reached
        if key in first:
            rest.append((line, point.known, reached))
        else:
            first[key] = line, point.known, reached
    return [*first.values(), *rest]


def _stated(line: Facts) -> Facts:
    return {name: value for name, value in line.items() if value is not None}


def _text(line: Facts) -> str:
    return json.dumps({name: plain(value) for name, value in line.items()}, separators=(",", ":"), ensure_ascii=False)


def _says(book: Book, parts: Parts, asked: Asked) -> str:
    try:
        return said(book, parts, asked)
    except (TariffError, ValueError, KeyError) as error:
        return f"error: {type(error).__name__}"


def windows(rulebook: Rulebook) -> Iterator[Point]:
    """Lines loaded on the day before which goods in transit had to be loaded, by every row of a table that has such a day: they are too late."""
    charted = Charted(rulebook.book, rulebook.knowledge)
    for program in rulebook.book.programs:
        for name in dict.fromkeys(ref for provision in program.provisions for ref in provision.table or ()):
            for row in rulebook.book.tables[name].rows:
                if row["loaded_before"] and row["origin"] in rulebook.book.countries:
                    day = max(row.from_, date.fromisoformat(row["loaded_before"])).isoformat()
                    known_on = rulebook.book.published(row.withdrawn_by) - DAY if row.withdrawn_by else EVER
                    line = {"hts": _SHOES, "origin": row["origin"], "entry_date": day, "value": VALUE, "loaded_date": row["loaded_before"]}
                    line |= {"final_mode_differs": False, **({"mode": row["transit_mode"].split("|")[0]} if row["transit_mode"] else {})}
                    if charted.says(line, known_on) != charted.says({**line, "loaded_date": _before(row["loaded_before"])}, known_on):
                        yield charted.point(Point(program.program, _text(line), "" if known_on == EVER else known_on.isoformat()))


def _before(day: str) -> str:
    return (date.fromisoformat(day) - DAY).isoformat()


def _shoot(aim: Aim, drawn: list[Mutant], share: int, shares: int, until: float) -> None:
    rng = random.Random(share)
    for mutant in drawn[share::shares]:
        if time.monotonic() > until:
            return
        found = aim.aim(mutant, rng)
        if isinstance(found, Point):
            aim.learn(found)
            _keep(found)
        if found != "":
            sys.stdout.write(f"{'+' if found else '-'} {mutant.kind}: {mutant.where}\n")
            sys.stdout.flush()


def main() -> None:
    """Look for lines, for mistakes of some kinds, for so many seconds, and add what is found to the file."""
    kinds = sys.argv[1].split(",") if len(sys.argv) > 1 else []
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3600.0
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    rulebook = Rulebook.installed()
    equal = Equivalents(rulebook)
    skip: Callable[[Mutant], bool] = lambda mutant: (bool(kinds) and mutant.kind not in kinds) or bool(equal.rule(mutant))  # noqa: E731
    for point in windows(rulebook):
        _keep(point)
    drawn = sample(rulebook.book, _MANY, 0, skip)
    aim, until = Aim(rulebook), time.monotonic() + seconds
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=_shoot, args=(aim, drawn, share, jobs, until)) for share in range(jobs)]
    for process in started:
        process.start()
    for process in started:
        process.join()


def _keep(point: Point) -> None:
    """Add a point to the file, sorted, each line once; others may be adding too."""
    with AIMED.open(encoding="utf-8") as file:
        flock(file, LOCK_EX)
        _add(point)


def _add(point: Point) -> None:
    write_points(AIMED, sorted({*read_points(AIMED), point}, key=lambda one: (one.program, one.facts, one.known_on)))


if __name__ == "__main__":
    main()
