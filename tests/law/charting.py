"""Draws the chart: for every piece of law that can decide something a line on which it does, and both sides of every boundary.

`python -m tests.law.charting` takes some minutes and writes chart.csv. Lines are found, not written: the maker of lines reads what conditions
ask for, and the definition of the notation says what they fire.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from tests.law.case_files import read_cases
from tests.law.chart import AIMED, CHART, EVER, Charted, Point, read_points, write_points
from tests.law.fired import Element, Ledger, elements
from tests.law.lines import NUMBERS, ORIGINS
from tests.law.probe import Prober

from tariff_engine.answer import plain
from tariff_engine.testing import Rulebook
from tariff_engine.testing.needs import VALUE, Need

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node
    from tariff_engine.boundaries import Boundary
    from tariff_engine.notation.program import Step

DAY = timedelta(days=1)
_TRIES = 60  # lines made in search of one that fires a piece of law
_WAYS = 8  # ways to meet one provision
_SIDES = 4  # origins and answers of one boundary
_KINDS = frozenset({"transit", "admission", "fact_day", "threshold", "answer", "content", "origin", "base_rate", "claim", "mode"})


class Charting:
    """Collects the points of a chart, each line once."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Take a rulebook."""
        self.rulebook, self.book = rulebook, rulebook.book
        self.prober = Prober(self.book, rulebook.knowledge)
        self.ledger = Ledger(self.book, rulebook.knowledge)
        self.charted = Charted(self.book, rulebook.knowledge)
        self.points: dict[tuple[str, str], Point] = {}

    def add(self, program: str, line: Mapping[str, Any], known_on: date = EVER) -> Point:
        """Take a line into the chart; `first` marks one that fires a piece of law which none before it fired."""
        facts = json.dumps({name: plain(value) for name, value in line.items()}, separators=(",", ":"), ensure_ascii=False)
        known = "" if known_on == EVER else known_on.isoformat()
        if (facts, known) not in self.points:
            point = self.charted.point(Point(program, facts, known))
            before = len(self.ledger.fired)
            self.ledger.run([(point.line, point.known)])
            point = replace(point, first="1" if len(self.ledger.fired) > before else "")
            self.points[facts, known] = point
        return self.points[facts, known]

    # ------------------------------------------------------------ steps
    def steps(self, node: Node) -> None:
        """Take the days around both ends of each step, as known before and after each of its acts."""
        last: Mapping[str, Any] | None = None
        for step in (*node.provision.steps, *([node.program.ended] if node.program.ended else [])):
            for day, known_on in _moments(self.book, step):
                if day < self.book.horizon.from_:
                    continue
                if last is not None and not self.prober.maker.stands(last["hts"], day):
                    last = None  # its number had not begun, or has ended
                fits = known_on == EVER or (last is None and _alive(self.book, node, day, known_on))
                if fits and _alive(self.book, node, day, known_on):
                    last = self.prober.line_for(node, day, known_on, most=4000) or last
                if last:
                    self.add(node.program.program, {**last, "entry_date": day}, known_on)

    # ------------------------------------------------------------ exceptions, relations, groups, cases outside
    def search(self, element: Element) -> None:
        """Look for a line that fires a piece of law, and take it."""
        for node, need, day, known_on in islice(self._ways(element), 1200):
            for line in islice(self.prober.maker.meeting(need, day, known_on), 3):
                if element in set(self.ledger.of(line, known_on)):
                    self.add(node.program.program, line, known_on)
                    return

    def _ways(self, element: Element) -> Iterator[tuple[Node, Need, date, date]]:
        book, maker = self.book, self.prober.maker
        pairs: list[tuple[Node, Node]] = []
        first: list[tuple[date, date]] = []
        if element[0] == "exception":
            pairs = [(book.nodes[element[1]], book.nodes[element[3]])]
            clause = pairs[0][0].provision.unless[int(element[2])]
            first = [(clause.from_, EVER)] if clause.from_ else []
        elif element[0] == "relation":
            relation = book.relations.relations[int(element[1])]
            pairs = [(book.nodes[one], book.nodes[two]) for two in book.expand(relation.over) for one in book.expand(relation.excludes)]
            later = max(book.published(relation.by), relation.from_)
            first = [(later, book.published(relation.by)) if relation.withdrawn_by else (relation.from_, EVER)]
            first += [(relation.until - DAY, EVER)] if relation.until else []
        elif element[0] == "group":
            program = next(program for program in book.programs if program.program == element[1])
            names = [name for rank in program.groups[int(element[2])].order for name in book.expand(rank)]
            pairs = [(book.nodes[one], book.nodes[two]) for one, two in product(names, names) if one != two]
        elif element[0] == "outside":
            program = next(program for program in book.programs if program.program == element[1])
            for node in (node for node in book.nodes.values() if node.program is program):
                for day, known_on in _days(book, node, node):
                    for one, two in product(islice(maker.needs(node), 3), maker.of_condition(program.outside[int(element[2])].when)):
                        yield node, one.both(two), day, known_on
        for node, other in pairs:
            days = [*first, *_days(book, node, other)]
            for day, known_on in dict.fromkeys(days):
                for one, two in product(islice(maker.needs(node), 4), islice(maker.needs(other), 4)):
                    yield node, one.both(two), day, known_on

    def search_shared(self, element: Element) -> None:
        """Look for a line that fires an exception among all numbers that meet both provisions."""
        node, other = self.book.nodes[element[1]], self.book.nodes[element[3]]
        for day, known_on in dict.fromkeys(_days(self.book, node, other)):
            for one, two in product(self.prober.maker.needs(node), self.prober.maker.needs(other)):
                need = one.both(two)
                facts, origins = self.prober.maker.facts(need, day), self.prober.maker.origins_of(need, day, known_on)
                numbers = self.prober.maker.numbers_of(need, self.rulebook.space.codes, day, known_on)
                for number, origin in islice(product(numbers, origins), 3 if facts is not None else 0):
                    line = {"hts": number, "origin": origin, "entry_date": day, "value": VALUE, **(facts or {})}
                    if element in set(self.ledger.of(line, known_on)):
                        self.add(node.program.program, line, known_on)
                        return

    # ------------------------------------------------------------ every way to meet a condition, and other bases
    def ways(self, node: Node) -> None:
        """Take a line for each way to meet a provision, with each number in it just above and below, and for each product with another base."""
        starts = [step.from_ for step in node.provision.steps if not step.ended and not step.authorized and not step.withdrawn_by]
        if not starts:
            return
        day = max(starts[-1], self.book.horizon.from_)
        for need in islice(self.prober.maker.needs(node, 1), _WAYS):
            for line in islice(self.prober.maker.meeting(need, day, EVER), 1):
                self.add(node.program.program, line)
                for name, test in need.facts:
                    if not isinstance(test, bool) and isinstance(line.get(name), Decimal):
                        for shift in (-1, 1):
                            self.add(node.program.program, {**line, name: max(Decimal(0), line[name] + shift)})
        for step in node.provision.steps:
            for choice in step.base_if:
                other = Need(products=(choice.hts,))
                contents = {piece.facts[0]: VALUE // 4 for name, piece in self.book.slices.items() if name in {step.base, choice.base}}
                for need in islice(self.prober.maker.needs(node, 0), 2):
                    for line in islice(self.prober.maker.meeting(other.both(need), max(step.from_, self.book.horizon.from_), EVER), 2):
                        self.add(node.program.program, {**line, **contents})

    # ------------------------------------------------------------ boundaries
    def boundary(self, edge: Boundary) -> None:
        """Take both sides of a boundary where the answer differs between them; one of them where it does not."""
        node = self.book.nodes.get(edge.owner)
        if node is None or edge.kind not in _KINDS:
            return
        starts = [step.from_ for step in node.provision.steps if not step.ended and not step.authorized]
        stated = edge.given.get("entry_date")
        day = date.fromisoformat(stated) if isinstance(stated, str) else max(starts[-1], self.book.horizon.from_)
        if not _alive(self.book, node, day, EVER):
            return
        known_on, template = EVER, self.prober.line_for(node, day, most=100)
        if template is None:
            return
        seen: set[str] = set()
        for side in edge.sides[: _SIDES + 1]:
            line = {**{name: plain(value) for name, value in template.items()}, **edge.given}
            when = date.fromisoformat(str(side)) if edge.fact == "known_on" else known_on
            if edge.fact != "known_on":
                line[edge.fact] = side
            line = {name: value for name, value in line.items() if value is not None}
            says = self.charted.says(line, when)
            if says not in seen and not says.startswith("refused"):
                seen.add(says)
                self.add(node.program.program, line, when)


def _moments(book: Book, step: Step) -> Iterator[tuple[date, date]]:
    for edge in (step.from_, step.until):
        if edge:
            yield from ((day, EVER) for day in (edge, edge - DAY))
    for act in (step.by, step.withdrawn_by):
        if act:
            known = book.instruments[act].published
            yield from ((step.from_, day) for day in (known, known - DAY))


def _alive(book: Book, node: Node, day: date, known_on: date) -> bool:
    if node.program.ended and book.live(node.program.ended, day, known_on):
        return False
    return any(book.live(step, day, known_on) and not step.ended and not step.authorized for step in node.provision.steps)


def _days(book: Book, node: Node, other: Node) -> Iterator[tuple[date, date]]:
    """Days on which two provisions may both be in force, with the knowledge that goes with them."""
    for step in (*node.provision.steps, *other.provision.steps):
        for known_on in (EVER, *([book.published(step.by)] if step.withdrawn_by else [])):
            for day in (step.from_, *([step.until - DAY] if step.until else [])):
                if day >= book.horizon.from_ and all(_alive(book, one, day, known_on) for one in (node, other)):
                    yield day, known_on


def draw(rulebook: Rulebook) -> Charting:
    """Draw the chart of a rulebook."""
    charting = Charting(rulebook)
    for node in rulebook.book.nodes.values():
        charting.steps(node)
    _say(charting, "steps")
    for element in elements(rulebook.book):
        if element not in charting.ledger.fired and element[0] in {"exception", "relation", "group", "outside"}:
            charting.search(element)
    for element in elements(rulebook.book):
        if element not in charting.ledger.fired and element[0] == "exception":
            charting.search_shared(element)
    _say(charting, "exceptions, relations, groups")
    _by_hand(charting)
    for node in rulebook.book.nodes.values():
        charting.ways(node)
    for edge in rulebook.boundaries:
        charting.boundary(edge)
    _say(charting, "boundaries")
    return charting


def _by_hand(charting: Charting) -> None:
    """Take the collected cases and the examples that fire something still silent, each contradiction, and an offset of each program."""
    book = charting.book
    asked = [(case.facts, case.known_on or EVER, "") for case in read_cases()]
    asked += [(one.line, one.known_on or EVER, program.program) for program in book.programs for one in program.examples]
    for facts, known_on, program in asked:
        if any(element not in charting.ledger.fired for element in charting.ledger.of(facts, known_on)):
            charting.add(program or next((one.program for one in charting.points.values()), ""), facts, known_on)
    for rule in book.contradictions:
        line: dict[str, Any] = {"hts": NUMBERS[0], "origin": ORIGINS[0], "entry_date": book.horizon.until, "value": VALUE, **rule.facts}
        if rule.after:
            line[rule.after[0]] = line.get(rule.after[1], book.horizon.until) + DAY
        charting.add(book.programs[0].program, line)
    for program_ in book.programs:
        for offset in program_.offsets:
            for name in book.expand(offset.against):
                day = max(offset.from_, book.nodes[name].provision.steps[0].from_)
                found = charting.prober.line_for(book.nodes[name], day, most=400)
                if found:
                    charting.add(program_.program, {**found, "knock_down_kit": False, offset.credit: 100})


def _say(charting: Charting, what: str) -> None:
    """Write what there is so far: the whole takes minutes."""
    write_points(CHART, charting.points.values())
    sys.stdout.write(f"{what}: {len(charting.points)} points\n")
    sys.stdout.flush()


def main() -> None:
    """Write the chart, and say what fires nothing."""
    charting = draw(Rulebook.installed())
    write_points(AIMED, [charting.charted.point(point) for point in read_points(AIMED)])
    silent = [element for element in elements(charting.book) if element not in charting.ledger.fired]
    sys.stdout.write("".join(f"{' '.join(element)} fires on no line of the chart\n" for element in silent))
    sys.stdout.write(f"{len(charting.points)} points, {len(silent)} pieces of law on none\n")


if __name__ == "__main__":
    main()
