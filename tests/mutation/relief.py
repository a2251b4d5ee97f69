"""What exemptions relieve, read from the book: an exemption of nothing is not filed (docs/notation.md, step 8), so some mistakes in one change no answer.

Nothing here evaluates a line: origins, days, acts and products are compared as sets, and conditions on facts as a table of truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from tests.mutation.books import parts

from tariff_engine.notation.conditions import NotOrigin, SubjectTo, When
from tariff_engine.notation.model import Member
from tariff_engine.notation.program import Step

if TYPE_CHECKING:
    from tests.mutation.mutants import Mutant

    from tariff_engine.book import Node
    from tariff_engine.testing import Rulebook

_EVER = date.max
_ATOMS = 14  # facts and other tests of which every combination is looked at
_DATING = frozenset({"from_", "until", "by", "withdrawn_by", "cite"})


class Relief:
    """Tells where a mistake in an exemption reaches nothing that the exemption relieves."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Take the rulebook that is right."""
        self.rulebook, self.book = rulebook, rulebook.book
        self.relieved = cache(self._relieved)

    # ------------------------------------------------------------ an exemption of nothing
    def no_day(self, mutant: Mutant) -> bool:
        """Whether a step of an exemption is moved over days on which, as long as the step is known, no duty stands that it can relieve."""
        step, node = mutant.part, self._node(mutant)
        if node is None or not isinstance(step, Step) or len(mutant.fields) != 1 or not self._plain(node):
            return False
        relieved = self.relieved(node.id)
        ((name, new),) = mutant.fields.items()
        old = getattr(step, name)
        if relieved is None or not isinstance(old, date) or not isinstance(new, date):
            return False
        known = self._known(step)
        return not any(
            max(min(old, new), other.from_) < min(max(old, new), other.until or _EVER) and self._overlap(known, self._known(other))
            for one in relieved
            for other in one.provision.steps
        )

    def no_origin(self, mutant: Mutant) -> bool:
        """Whether an exemption gains or loses only origins from which no duty is owed that it can relieve."""
        node = self._node(mutant)
        if node is None or mutant.part is not node.provision.when or not self._plain(node):
            return False
        relieved = self.relieved(node.id)
        if relieved is None:
            return False
        for day in self._days_of_origins:
            changed = self._origins(node.provision.when.origin, day) ^ self._origins(mutant.fields["origin"], day)
            if any(changed & self._origins(one.provision.when.origin, day) for one in relieved):
                return False
        return True

    def _relieved(self, name: str) -> list[Node] | None:
        """Return the duties that an exemption can relieve; None where it does something else too, or goes by another day than they do."""
        book, mine = self.book, self.book.nodes[name]
        found = [node for node in book.nodes.values() if any(name in book.expand(unless.any) for unless in node.provision.unless)]
        if any(node.provision.family and not self._duty(node) for node in found):
            return None  # a family gives way to exemptions even where it is no duty
        found = [node for node in found if self._duty(node)]
        found += [
            book.nodes[one] for rule in book.relations.relations if name in book.expand(rule.over) for one in book.expand(rule.excludes)
        ]
        for group in mine.program.groups:
            members = [one for rank in group.order for one in book.expand(rank)]
            if name in members:
                found += [book.nodes[one] for one in members if one != name]
        subject = any(
            name in book.expand(part.any)
            for node in book.nodes.values()
            for _, part in parts(node.provision.when)
            if isinstance(part, SubjectTo)
        )
        if subject or any(not self._duty(node) or self._admitted(node) != self._admitted(mine) for node in found):
            return None
        return found

    def _node(self, mutant: Mutant) -> Node | None:
        return self.book.nodes.get(mutant.where.split(" ")[1].rstrip(":"))

    def _plain(self, node: Node) -> bool:
        """Whether a provision does nothing but relieve, in the same way on all its days, and is not filed otherwise."""
        steps = node.provision.steps
        ways = [step.model_dump(exclude=set(_DATING)) for step in steps]
        return (
            node.provision.filed is None
            and all(step.exempt and not step.companion for step in steps)
            and all(way == ways[0] for way in ways)
        )

    def _duty(self, node: Node) -> bool:
        return all(step.exempt is None for step in node.provision.steps)

    def _admitted(self, node: Node) -> bool:
        return node.program.ftz is not None and node.program.ftz.rate_of == "admission"

    def _known(self, step: Step) -> tuple[date, date]:
        return self.book.published(step.by), self.book.published(step.withdrawn_by) if step.withdrawn_by else _EVER

    def _overlap(self, one: tuple[date, date], two: tuple[date, date]) -> bool:
        return max(one[0], two[0]) < min(one[1], two[1])

    # ------------------------------------------------------------ origins
    @cached_property
    def _days_of_origins(self) -> list[date]:
        members = [one for found in self.book.groups.values() for one in found if isinstance(one, Member)]
        return sorted({self.book.horizon.from_, *(day for one in members for day in (one.from_, one.until) if day)})

    def _origins(self, wanted: Any, day: date) -> frozenset[str]:
        every = frozenset(self.book.countries)
        if wanted is None:
            return every
        names = wanted.not_ if isinstance(wanted, NotOrigin) else wanted
        found = {
            one for one in every for name in names if (name.startswith("group:") and self.book.in_group(name[6:], one, day)) or name == one
        }
        return every - found if isinstance(wanted, NotOrigin) else frozenset(found)

    # ------------------------------------------------------------ filed always, and relieving always
    def always(self, name: str) -> bool:
        """Whether in the orders of its program an exemption always has before it one that takes it, or after it a duty that nothing else takes."""
        node = self.book.nodes[name]
        for group in node.program.groups:
            ranks = [self.book.expand(rank) for rank in group.order]
            mine = next((place for place, rank in enumerate(ranks) if name in rank), None)
            if mine is None or group.from_ or group.until or group.by or group.withdrawn_by:
                continue
            above = [self.book.nodes[one] for rank in ranks[:mine] for one in rank]
            below = [self.book.nodes[one] for rank in ranks[mine + 1 :] for one in rank]
            beside = [one for one in above if self._always_stands(one, node)] + [
                one for one in below if self._duty(one) and self._always_stands(one, node)
            ]
            if beside and self._covered(node, beside):
                return True
        return False

    def _always_stands(self, one: Node, beside: Node) -> bool:
        """Whether one provision stands on the whole value wherever its condition holds, on all days and in all knowledge of another."""
        if one.provision.unless or one.provision.if_unknown or one.provision.table:
            return False
        if self._duty(one) and any(one.id in self.book.expand(rule.excludes) for rule in self.book.relations.relations):
            return False
        spans = [(step.from_, step.until, step.by, step.withdrawn_by, step.columns) for step in one.provision.steps]
        whole = all(step.base == "value" and not step.base_if and step.covers is None for step in one.provision.steps)
        return whole and spans == [(step.from_, step.until, step.by, step.withdrawn_by, step.columns) for step in beside.provision.steps]

    def _covered(self, node: Node, others: list[Node]) -> bool:
        """Whether wherever the condition of a provision holds, that of one of the others does: every number, every combination of facts."""
        conditions = [one.provision.when for one in (node, *others)]
        atoms = sorted({atom for when in conditions for atom in self._atoms(when)})
        if len(atoms) > _ATOMS or node.provision.if_unknown:
            return False
        facts = [(atom, self._values(atom)) for atom in atoms]
        days = [step.from_ for step in node.provision.steps]
        asked = [part for when in conditions for _, part in parts(when) if isinstance(part, When) and part.hts]
        kinds = {}  # numbers of which every condition on products says the same need not be looked at twice
        for day in days:
            mine = [code for code in self.rulebook.space.codes if self._on(conditions[0], code, day)]
            kinds.update({tuple(self._on(part, code, day) for part in asked): (code, day) for code in mine})
        for code, day in kinds.values():
            for combination in product(*(values for _, values in facts)):
                given = dict(zip(atoms, combination, strict=True))
                if self._holds(conditions[0], code, day, given) and not any(self._holds(one, code, day, given) for one in conditions[1:]):
                    return False
        return True

    def _atoms(self, when: When) -> Iterator[str]:
        """What a condition asks of a line besides its number: a fact that is true or false by its name, any other test by its words."""
        for _, part in parts(when):
            if isinstance(part, When):
                for fact, test in (part.facts or {}).items():
                    yield fact if isinstance(test, bool) else f"{fact} {test.model_dump_json()}"
                for name in ("origin", "column", "base_rate", "in_transit", "claimed", "subject_to", "entered"):
                    wanted = getattr(part, name)
                    if wanted is not None:
                        yield f"{name} {wanted!r}"

    def _values(self, atom: str) -> tuple[bool | None, ...]:
        """The answers of an atom; None for a fact that the law takes as not shown where nobody stated it: it passes neither test."""
        fact = self.book.facts.get(atom)
        return (True, False, None) if fact is not None and fact.take is None else (True, False)

    def _on(self, when: When, code: str, day: date) -> bool:
        return when.hts is None or self.rulebook.maker.on(code, when.hts, day, _EVER)

    def _holds(self, when: When, code: str, day: date, given: dict[str, Any]) -> bool:
        if not self._on(when, code, day):
            return False
        for fact, test in (when.facts or {}).items():
            if (given[fact] is not test) if isinstance(test, bool) else not given[f"{fact} {test.model_dump_json()}"]:
                return False
        for name in ("origin", "column", "base_rate", "in_transit", "claimed", "subject_to", "entered"):
            wanted = getattr(when, name)
            if wanted is not None and not given[f"{name} {wanted!r}"]:
                return False
        if when.any is not None and not any(self._holds(one, code, day, given) for one in when.any):
            return False
        return when.not_ is None or not self._holds(when.not_, code, day, given)
