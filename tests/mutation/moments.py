"""When a mistake shows: the days of entry and of knowledge on which a dated part of the law is another, and lines of these days.

A step, exception, relation or row is the law on days of entry (from, until) as known on days between two acts: the one that made it and the one
that called it off. Another day moves one side of that span; an act published a day later moves the other. Lines are made for the very corner that
moved, by reading conditions, as `tariff_engine.testing.making` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.law.chart import EVER
from tests.mutation.books import parts

from tariff_engine.notation.conditions import InTransit, Test, When
from tariff_engine.notation.model import Relation
from tariff_engine.notation.program import Step, Unless
from tariff_engine.notation.terms import Dated

if TYPE_CHECKING:
    from tests.mutation.mutants import Mutant

    from tariff_engine.book import Node
    from tariff_engine.notation.tables import Row
    from tariff_engine.testing import Rulebook

DAY = timedelta(days=1)
Facts = dict[str, Any]
Moment = tuple[date, date]
"""A day of entry, and a day of knowledge."""


class Moments:
    """Finds the moments at which a mistake shows, and makes lines of them."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Take the rulebook that is right."""
        self.rulebook, self.book = rulebook, rulebook.book
        self.users: dict[str, list[Node]] = {}
        for node in self.book.nodes.values():
            named = {name for _, part in parts(node.provision.when) if isinstance(part, When) and part.hts for name in (part.hts.in_ or ())}
            for name in sorted(named | set(node.provision.table or ())):
                self.users.setdefault(name, []).append(node)

    def lines(self, mutant: Mutant, names: list[str]) -> Iterator[tuple[Facts, date]]:
        """Yield lines with days of knowledge, the likeliest first."""
        if mutant.kind == "publication":
            yield from self._of_act(mutant.where.partition(" ")[0])
            return
        nodes = [self.book.nodes[name] for name in names[:6]]
        for node in nodes:
            moments = list(dict.fromkeys(self._moved(mutant, node) if isinstance(mutant.part, Dated) else self._of_node(node)))
            for day, known_on in moments[:24]:
                for line in self._made(node, day, known_on, 12 if mutant.kind == "unknown" else 2):
                    yield line, known_on
                    yield from ((other, known_on) for other in self._other(node, line, mutant))

    # ------------------------------------------------------------ moments
    def _span(self, part: Dated) -> tuple[date, date]:
        """The days between which a dated part is known to be the law: the first, and the last."""
        last = self.book.published(part.withdrawn_by) - DAY if part.withdrawn_by else EVER
        return self.book.published(part.by), last

    def _known(self, part: Dated, node: Node) -> list[date]:
        """Days of knowledge at which a dated part may decide: its first and last, and those around which the same provision learns of others.

        The end of a program is one of these: what outlives it was the law until the act that ended it was published.
        """
        first, last = self._span(part)
        steps = (*node.provision.steps, *([node.program.ended] if node.program.ended else []))
        acts = {act for step in steps for act in (step.by, step.withdrawn_by) if act}
        between = {day + shift for act in acts for day in [self.book.published(act)] for shift in (-DAY, timedelta(0))}
        return [last, first, *sorted((day for day in between if first < day < last), reverse=True)][:6]

    def _moved(self, mutant: Mutant, node: Node) -> Iterator[Moment]:
        """The days by which a part is moved, and its ends, as known while it is the law."""
        part, start = mutant.part, self.book.horizon.from_
        if not isinstance(part, Dated):
            return
        moved = [min(getattr(part, name) or new, new) for name, new in mutant.fields.items() if isinstance(new, date)]
        ends = [day for day in (part.from_, part.until and part.until - DAY) if day]
        knowing = self._known(part, node)
        if "withdrawn_by" in mutant.fields and part.withdrawn_by:
            knowing = [EVER, self.book.published(part.withdrawn_by), *knowing]
        for day in dict.fromkeys((*moved, *ends)):
            yield from ((max(day, start), known_on) for known_on in knowing)
        if not ends and not moved:
            yield from self._of_node(node)

    def _of_node(self, node: Node) -> Iterator[Moment]:
        """The first day and the last of each step, as known while it is the law; the steps of today first."""
        start = self.book.horizon.from_
        for step in sorted(node.provision.steps, key=lambda step: (step.withdrawn_by is not None, -step.from_.toordinal())):
            yield max(step.from_, start), self._span(step)[1]
            if step.until and step.until > start:
                yield step.until - DAY, self._span(step)[1]

    # ------------------------------------------------------------ acts
    def _of_act(self, act: str) -> Iterator[tuple[Facts, date]]:
        """Lines of what an act made or called off, asked as of the day on which it was published."""
        known_on = self.book.published(act)
        for node, days in self._done_by(act):
            for day in dict.fromkeys(max(day, self.book.horizon.from_) for day in days):
                for line in (*self._made(node, day, known_on, 3), *self._made(node, day, known_on - DAY, 3)):
                    yield line, known_on
                    yield from ((other, known_on) for other in islice(self._other(node, line, None), 6))
        for node, row in self._rows_by(act):
            day = max(row.from_, self.book.horizon.from_)
            codes = [code for code in (row.hts, *row.excepted) if code]
            last = min(max(day, row.until - DAY), self.book.horizon.until)
            found = [(one, at) for code in codes for at in (day, last, known_on) for one in self.rulebook.maker.numbers_under(code, at, 1)]
            origin = {"origin": row["origin"]} if row["origin"] in self.book.countries else {}
            for number, at in found or [("", day)]:
                for line in self._made(node, at, known_on, 2):
                    yield {**line, **({"hts": number} if number else {}), **origin}, known_on

    def _done_by(self, act: str) -> Iterator[tuple[Node, list[date]]]:
        """The provisions that an act changes, with days on which that shows."""
        published = self.book.published(act)
        for node in self.book.nodes.values():
            program = node.program
            dated = [part for _, part in parts(node.provision) if isinstance(part, Dated)]
            dated += [one for around in (program.groups, program.outside) for _, one in parts(around) if isinstance(one, Dated)]
            done = [part for part in dated if act in {part.by, part.withdrawn_by}]
            if done:
                edges = [
                    day
                    for part in (*done, *node.provision.steps)
                    for day in (part.from_, part.until, part.until and part.until - DAY)
                    if day
                ]
                yield node, [max(max(edges[:1], default=published), published), *edges]
            if program.ended and program.ended.by == act:
                yield node, [program.ended.from_]
            for offset in program.offsets:
                if act in {offset.by, offset.withdrawn_by} and node.id in self.book.expand(offset.against):
                    yield node, [max(offset.from_, published)]
        for relation in self.book.relations.relations:
            if act in {relation.by, relation.withdrawn_by}:
                last = [relation.until - DAY] if relation.until else []
                for name in self.book.expand([*relation.excludes, *relation.over])[:12]:
                    yield self.book.nodes[name], [max(relation.from_, published), relation.from_, *last]

    def _rows_by(self, act: str) -> Iterator[tuple[Node, Row]]:
        """Rows of lists that an act made or called off, with a provision that reads each."""
        for name, nodes in self.users.items():
            rows = [row for row in self.book.tables[name].rows if act in {row.by, row.withdrawn_by}]
            for node in nodes[:3]:
                yield from ((node, row) for row in rows[:: max(1, len(rows) // 6)][:6])

    # ------------------------------------------------------------ lines
    def _made(self, node: Node, day: date, known_on: date, most: int) -> Iterator[Facts]:
        for need in islice(self.rulebook.maker.needs(node, 1), 4):
            yield from islice(self.rulebook.maker.meeting(need, day, known_on), most)
            if known_on < day:  # nobody knew yet what the numbers of the day would be: those of the day of knowledge
                yield from ({**line, "entry_date": day} for line in islice(self.rulebook.maker.meeting(need, known_on, known_on), most))

    def _other(self, node: Node, line: Facts, mutant: Mutant | None) -> Iterator[Facts]:
        """A line with other answers: to what the provision asks, of goods in transit and in zones, with what its exceptions ask, and of nothing."""
        for _, part in parts(node.provision.when):
            if isinstance(part, When):
                for name, test in (part.facts or {}).items():
                    yield from ({**line, name: value} for value in _answers(test) if line.get(name) != value)
                    if name in line:
                        yield {key: value for key, value in line.items() if key != name}
            if isinstance(part, InTransit) and part.loaded_before:
                yield from ({**line, "loaded_date": part.loaded_before + shift} for shift in (-DAY, timedelta(0)))
        day = line["entry_date"]
        if node.program.ftz:
            yield {**line, "entry_date": day + 30 * DAY, "ftz_pf_admission_date": day}
        yield from self._set_off(node, line)
        if mutant is not None and isinstance(mutant.part, Unless | Relation | Step):
            others = [name for unless in node.provision.unless for name in self.book.expand(unless.any)]
            needs = [need for name in others[:6] for need in islice(self.rulebook.maker.needs(self.book.nodes[name], 1), 2)]
            yield from ({**line, **facts} for need in needs if (facts := self.rulebook.maker.facts(need, day)))
        yield {**line, "value": 0}

    def _set_off(self, node: Node, line: Facts) -> Iterator[Facts]:
        """A line with an amount that is set off against the duty of a provision."""
        for offset in node.program.offsets:
            if node.id in self.book.expand(offset.against):
                for need in islice(self.rulebook.maker.of_condition(offset.when), 2):
                    yield {**line, **(self.rulebook.maker.facts(need, line["entry_date"]) or {}), offset.credit: 100}


def _answers(test: bool | Test) -> list[Any]:
    """Answers on both sides of a test: its words, the number that it names and those beside it, its day and the one before."""
    if isinstance(test, bool):
        return [True, False]
    bounds = [Decimal(bound) for bound in (test.above, test.at_least, test.below) if bound is not None]
    found: list[Any] = [*(test.in_ or ()), *([test.is_] if test.is_ is not None else [])]
    found += [bound + shift for bound in bounds for shift in (0, 1, -1) if bound + shift >= 0]
    return found + [day + shift for day in (test.before, test.from_) if day for shift in (timedelta(0), -DAY, DAY)]
