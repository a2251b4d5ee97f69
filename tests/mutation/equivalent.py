"""Mistakes after which no line owes or files anything else: they are not drawn, and docs/mutation.md says by which rules.

The rules read the book and the schedule only, never what an evaluator says of a line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from tests.mutation.books import parts
from tests.mutation.relief import Relief

from tariff_engine.base import line_base
from tariff_engine.notation.conditions import SubjectTo, When
from tariff_engine.notation.model import Relation
from tariff_engine.notation.program import Provision, Step, Unless
from tariff_engine.notation.tables import Row
from tariff_engine.notation.terms import Dated
from tariff_engine.problems import ProblemError

if TYPE_CHECKING:
    from tests.mutation.mutants import Mutant

    from tariff_engine.book import Node
    from tariff_engine.testing import Rulebook

RULES = {
    "no other number": "a code widened to one under which no edition of the schedule, and no list, has a number that the code does not hold",
    "before the book": "a day moved that lies before the first day of the book, where the day of entry decides and nothing else begins between",
    "nothing to order": "a relation or an exception changed between provisions that no line can meet both, or moved over days on which none meets both",
    "all or nothing": "part for article in an order between provisions that each take or leave the whole value",
    "never at the floor": "the heading at the floor, of a provision of which no number has a base rate that reaches the total",
    "nothing to relieve": "an exemption that is filed only where it relieves, changed where nothing that it can relieve stands",
    "relieves anyway": "`filed: always` of an exemption beside which, wherever it holds, stands a duty that it relieves, or an order before it takes it",
    "another stands first": "a test forgotten of an exemption, where another of the same heading and group holds and stands first if the test does not",
    "overtaken": "a day of a step moved where on every day, whatever is known, the same step as before is the one in force",
    "no duty": "a day of a provision that is authorized only, or the publication of an act that began or ended nothing that is owed",
}
_EVER = date.max
Span = tuple[date, date]
"""The first of some days, and the one after the last."""
_ALL = ("value", "whole")


class Equivalents:
    """Tells mistakes that no line can notice."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Take the rulebook that is right."""
        self.rulebook, self.book = rulebook, rulebook.book
        listed = {row.hts for name, table in self.book.tables.items() if not name.startswith("list:") for row in table.rows}
        self.codes = sorted({*rulebook.knowledge.law.schedule.numbers(), *rulebook.space.codes, *listed})
        self.reaches_floor, self.numbers = cache(self._reaches_floor), cache(self._numbers)
        self.moving, self.relief = frozenset(self._moving()), Relief(rulebook)

    def rule(self, mutant: Mutant) -> str:
        """Return the rule by which a mistake changes nothing; empty where none says so."""
        if mutant.kind == "code" and isinstance(mutant.part, Row) and "hts" in mutant.fields:
            return "" if self.holds_more(mutant.part, str(mutant.fields["hts"])) else "no other number"
        if isinstance(mutant.part, Relation) and self.nothing_to_order(mutant.part, mutant):
            return "nothing to order"
        if "on" in mutant.fields and isinstance(mutant.part, Relation | SubjectTo):
            return "all or nothing" if self.all_or_nothing(mutant.part) else ""
        if isinstance(mutant.part, Dated) and mutant.fields.keys() <= {"from_", "until"}:
            return self._of_day(mutant)
        if mutant.kind == "exception" and self.never_excepts(mutant):
            return "nothing to order"
        if mutant.kind == "fact" and isinstance(mutant.part, When) and self.another_first(mutant, mutant.part):
            return "another stands first"
        if mutant.kind == "publication":
            return "" if mutant.where.partition(" ")[0] in self.moving else "no duty"
        if mutant.kind == "filing":
            return "relieves anyway" if self.relief.always(mutant.where.split(" ")[1].rstrip(":")) else ""
        if mutant.kind == "origin":
            return "nothing to relieve" if self.relief.no_origin(mutant) else ""
        if mutant.kind == "floor" and isinstance(mutant.part, Step):
            place = mutant.where.split(" ")[1]
            return "" if self.reaches_floor(place, self.book.nodes[place].provision.steps.index(mutant.part)) else "never at the floor"
        return ""

    def _of_day(self, mutant: Mutant) -> str:
        if self.too_early(mutant):
            return "before the book"
        if not isinstance(mutant.part, Step):
            return ""
        if self.authorized_only(mutant):
            return "no duty"
        if self.overtaken(mutant):
            return "overtaken"
        return "nothing to relieve" if self.relief.no_day(mutant) else ""

    def holds_more(self, row: Row, wider: str) -> bool:
        """Whether a wider code holds a number, or a part of one that a list names, which the code of a row does not."""
        for place in range(bisect_left(self.codes, wider), len(self.codes)):
            code = self.codes[place]
            if not code.startswith(wider):
                return False
            if not code.startswith(row.hts) and not row.hts.startswith(code):
                return True
        return False

    def too_early(self, mutant: Mutant) -> bool:
        """Whether a day is moved from before the first day of the book to before it or to it, and lines are told apart by the day of entry."""
        first, part = self.book.horizon.from_, mutant.part
        days = [day for name, new in mutant.fields.items() for day in (getattr(part, name), new)]
        if not days or any(not isinstance(day, date) or day > first for day in days):
            return False
        if not isinstance(part, Step):
            return True
        node = self.book.nodes.get(mutant.where.split(" ")[1])
        if node is None or (node.program.ftz and node.program.ftz.rate_of == "admission"):
            return False
        return not any(step is not part and min(days) <= step.from_ <= max(days) for step in node.provision.steps)

    def authorized_only(self, mutant: Mutant) -> bool:
        """Whether a step belongs to a provision that is authorized and never in force: it charges nothing and relieves of nothing."""
        node = self.book.nodes.get(mutant.where.split(" ")[1])
        return isinstance(mutant.part, Step) and node is not None and all(step.authorized for step in node.provision.steps)

    def overtaken(self, mutant: Mutant) -> bool:
        """Whether the step in force, the latest to begin of those that are known, is the same as before on each day and in all knowledge."""
        node = self.book.nodes.get(mutant.where.split(" ")[1])
        if node is None or not isinstance(mutant.part, Step):
            return False
        steps = node.provision.steps
        moved = [step.model_copy(update=mutant.fields) if step is mutant.part else step for step in steps]
        days = {day for step in (*steps, *moved) for day in (step.from_, step.until) if day}
        acts = {act for step in steps for act in (step.by, step.withdrawn_by) if act}
        knowing = {date.min, *(self.book.published(act) for act in acts)}
        return all(self._in_force(steps, day, known_on) == self._in_force(moved, day, known_on) for day in days for known_on in knowing)

    def _in_force(self, steps: list[Step], day: date, known_on: date) -> int | None:
        """The place of the step that is in force; what lies before the first day and the first act is in no step's span."""
        live = [place for place, step in enumerate(steps) if self.book.live(step, day, known_on)]
        return max(live, key=lambda place: (steps[place].from_, self.book.published(steps[place].by)), default=None)

    def _moving(self) -> Iterator[str]:
        """The acts by which something begins or ends that a line may owe, or be relieved by."""
        for program in self.book.programs:
            authorized = {id(one) for one in program.provisions if all(step.authorized for step in one.steps)}
            dated = [part for one in program.provisions if id(one) not in authorized for _, part in parts(one)]
            dated += [part for around in (program.ended, program.groups, program.outside, program.offsets) for _, part in parts(around)]
            yield from (act for part in dated if isinstance(part, Dated) for act in (part.by, part.withdrawn_by) if act)
        shared: list[Dated | Row] = [*self.book.relations.relations]
        shared += [one for found in self.book.groups.values() for one in found if not isinstance(one, str)]
        shared += [row for table in self.book.tables.values() for row in table.rows]
        yield from (act for one in shared for act in (one.by, one.withdrawn_by) if act)

    def another_first(self, mutant: Mutant, part: When) -> bool:
        """Whether, where a test is forgotten of an exemption and fails, one of the same heading holds that stands before it in a group."""
        node = self.book.nodes.get(mutant.where.split(" ")[1])
        rest = mutant.fields.get("facts") or {}
        gone = {name: test for name, test in (part.facts or {}).items() if name not in rest}
        if node is None or node.provision.when is not part or len(gone) != 1 or not isinstance(next(iter(gone.values())), bool):
            return False
        fact, wanted = next(iter(gone.items()))
        mine = node.provision
        if fact in mine.if_unknown or not isinstance(self.book.facts[fact].take, bool) or not _exempts(mine):
            return False
        first = When(hts=part.hts, facts={fact: not wanted})
        for group in node.program.groups:
            ranks = [self.book.expand(rank) for rank in group.order] if group.from_ is None and group.until is None and not group.by else []
            for rank in (rank for rank in ranks if mine.id in rank):
                for other in (self.book.nodes[name].provision for name in rank[: rank.index(mine.id)]):
                    alike = _bare(other) == _bare(mine) and other.when == first and not other.if_unknown and not other.unless
                    if alike and other.filed and mine.filed and _exempts(other) and self._spans(other, mine):
                        return True
        return False

    def _spans(self, one: Provision, two: Provision) -> bool:
        """Whether the only step of a provision is in force and known wherever a step of another is."""
        [first, *more] = one.steps
        if more or first.until or first.withdrawn_by:
            return False
        seen = self.book.published(first.by)
        return all(
            step.from_ >= first.from_ and self.book.published(step.by) >= seen and step.columns == first.columns for step in two.steps
        )

    # ------------------------------------------------------------ orders between provisions
    def nothing_to_order(self, relation: Relation, mutant: Mutant) -> bool:
        """Whether no line meets provisions on both sides of a relation on the days that the mistake concerns."""
        first, last = max(relation.from_, self.book.horizon.from_), relation.until or _EVER
        moved = [name for name in ("from_", "until") if name in mutant.fields]
        if moved:
            days = sorted((getattr(relation, moved[0]), mutant.fields[moved[0]]))
            first, last = max(days[0], self.book.horizon.from_), days[1]
        return not any(self.meet(one, two, (first, last)) for one, two in self._pairs(relation))

    def never_excepts(self, mutant: Mutant) -> bool:
        """Whether an exception is forgotten that no line can meet together with what it is an exception from."""
        name, part = mutant.where.split(" ")[1], mutant.part
        if name not in self.book.nodes or not isinstance(part, Provision | Unless):
            return False
        before, after = ([one] if isinstance(one, Unless) else one.unless for one in (part, part.model_copy(update=mutant.fields)))
        forgotten = [one.any for one in before if one not in after]
        kept = {other for one in after for other in one.any} if isinstance(part, Unless) else set()
        span = self.book.horizon.from_, _EVER
        return not any(self.meet(name, other, span) for refs in forgotten for other in self.book.expand(set(refs) - kept))

    def _pairs(self, relation: Relation) -> list[tuple[str, str]]:
        return [(one, two) for one in self.book.expand(relation.over) for two in self.book.expand(relation.excludes) if one != two]

    def all_or_nothing(self, part: Relation | SubjectTo) -> bool:
        """Whether each provision that takes something, from any that a line can meet with it, takes the whole value."""
        if isinstance(part, SubjectTo):
            return all(self.whole(name, (date.min, _EVER), frozenset()) for name in self.book.expand(part.any))
        span = max(part.from_, self.book.horizon.from_), part.until or _EVER
        return all(self.whole(one, span, frozenset()) for one, two in self._pairs(part) if self.meet(one, two, span))

    def meet(self, one: str, two: str, span: Span) -> bool:
        """Whether some line of these days can meet two provisions: in force, of one origin, of one number."""
        first, last = span
        nodes = [self.book.nodes[name] for name in (one, two)]
        days = sorted({max(first, step.from_) for node in nodes for step in node.provision.steps} | {first})
        days = [day for day in days if day < last and all(_stands(node, day) for node in nodes)]
        if not days:
            return False
        left, right = (node.provision.when.origin for node in nodes)
        if isinstance(left, list) and isinstance(right, list) and not self._countries(left) & self._countries(right):
            return False
        return bool(self.numbers(one, span) & self.numbers(two, span))

    def _countries(self, names: list[str]) -> set[str]:
        members = [member for name in names for member in (self.book.groups[name[6:]] if name.startswith("group:") else [name])]
        return {member if isinstance(member, str) else member.origin for member in members}

    def _numbers(self, name: str, span: Span) -> frozenset[str]:
        """The numbers that the product condition of a provision may let through on one of these days, or of an earlier day of admission."""
        wanted, codes = self.book.nodes[name].provision.when.hts, self.rulebook.space.codes
        if wanted is None:
            return frozenset(codes)
        found = [code for code in codes if not wanted.chapter or code[:2] in wanted.chapter]
        if wanted.in_ is not None or wanted.starts is not None:
            tables, starts = [self.book.tables[ref] for ref in wanted.in_ or ()], tuple(wanted.starts or ())
            found = [
                code
                for code in found
                if code.startswith(starts) or any(row.from_ < span[1] for table in tables for row in table.match(code))
            ]
        return frozenset(found)

    def whole(self, name: str, span: Span, seen: frozenset[str]) -> bool:
        """Whether a provision, where it stands, always stands on the whole value: nothing that charges or takes a part is in its way."""
        if name in seen:
            return True
        provision, seen = self.book.nodes[name].provision, seen | {name}
        steps = [step for step in provision.steps if step.covers not in _ALL]  # one that covers all of it takes it, whatever it charges
        if not steps:
            return True
        if any(step.base not in _ALL or step.base_if or step.covers is not None for step in steps):
            return False
        takers = [unless.any for unless in provision.unless]
        takers += [test.any for _, test in parts(provision.when) if isinstance(test, SubjectTo) and test.on == "part"]
        takers += [
            one.over
            for one in self.book.relations.relations
            if one.on == "part" and max(one.from_, span[0]) < min(one.until or _EVER, span[1]) and name in self.book.expand(one.excludes)
        ]
        return all(self.whole(other, span, seen) for refs in takers for other in self.book.expand(refs))

    # ------------------------------------------------------------ floors
    def _reaches_floor(self, name: str, place: int) -> bool:
        node = self.book.nodes[name]
        step = node.provision.steps[place]
        return any(base is None or base >= (step.up_to or 0) for base in self._bases(node, step))

    def _bases(self, node: Node, step: Step) -> Iterator[Fraction | None]:
        """The base rates of the numbers of a provision, in the columns that a step charges; None: in dollars by a quantity, so of any height."""
        columns = step.columns or node.program.columns
        knowledge, maker = self.rulebook.knowledge, self.rulebook.maker
        starts = [max(step.from_, self.book.horizon.from_)]
        starts += [edition.starts for edition in knowledge.law.schedule.editions if step.from_ < edition.starts < (step.until or _EVER)]
        for day in starts:
            for need in maker.needs(node, 0):
                origins = maker.origins_of(need, day, _EVER)[:2]
                for number in maker.numbers_of(need, self.rulebook.space.codes, day, _EVER):
                    for origin in origins:
                        try:
                            found = line_base(
                                knowledge.law, knowledge.read({"hts": number, "origin": origin, "entry_date": day, "value": 10000})
                            )
                        except ProblemError:
                            continue
                        if found.column in columns:
                            yield found.base.rate


def _exempts(provision: Provision) -> bool:
    return all(step.exempt and step.base in _ALL and not step.base_if for step in provision.steps)


def _bare(provision: Provision) -> str:
    return provision.id.partition("/")[0]


def _stands(node: Node, day: date) -> bool:
    """Whether a step of a provision may be in force on goods entered on a day; a day of admission lies before that of entry."""
    admitted = node.program.ftz is not None and node.program.ftz.rate_of == "admission"
    ended = node.program.ended
    if ended and ended.from_ <= day and not ended.withdrawn_by:
        return False  # a program ends by the day of entry
    return any(step.from_ <= day and (admitted or step.until is None or day < step.until) for step in node.provision.steps)
