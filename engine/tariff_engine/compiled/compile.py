"""From the rulebook to masks: resolve references, lists and dates for the law as known on a day. The only place where the two forms meet."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tariff_engine.compiled.conditions import ConditionCompiler
from tariff_engine.compiled.form import (
    FOREVER,
    Chapter98Rule,
    Choice,
    CompiledBook,
    CompiledOffset,
    CompiledProgram,
    CompiledProvision,
    CompiledSlice,
    Edge,
    Effect,
    FactBits,
    FamilyRow,
    Keep,
    Override,
    Reach,
)
from tariff_engine.evaluate.conditions import passes
from tariff_engine.evaluate.parts import NOTHING, Parts
from tariff_engine.notation.conditions import Test
from tariff_engine.notation.model import Relation
from tariff_engine.notation.program import EFFECTS, Piece, Program, Step
from tariff_engine.notation.terms import Dated

if TYPE_CHECKING:
    from tariff_engine.book import Book, Node


def compile_book(book: Book, known_on: date = date.max) -> CompiledBook:
    """Compile the law as known on a day. Costs some tenths of a second; the result is immutable but for its memory of situations."""
    return _Compiler(book, known_on).run()


def ordinal(day: date | None, default: int) -> int:
    """Return the ordinal of a day, or the default for an open end."""
    return default if day is None or day == date.max else day.toordinal()


class _Compiler:
    def __init__(self, book: Book, known_on: date) -> None:
        self.book, self.known_on = book, known_on
        self.number = {name: place for place, name in enumerate(book.nodes)}
        self.parts = Parts(book)
        self.part_bit = {name: 1 << place for place, name in enumerate(self.parts.names)}
        self.slice_number = {name: place for place, name in enumerate(book.slices)}
        self.columns = {"general": 1, "special": 2, "column2": 4}
        self.bounds: set[int] = set()
        self.conditions = ConditionCompiler(book, known_on, self.number, self._bound)

    def run(self) -> CompiledBook:
        book = self.book
        programs = tuple(self._program(place, program) for place, program in enumerate(book.programs))
        place_of = {program.program: place for place, program in enumerate(book.programs)}
        provisions = tuple(self._provision(place, node, place_of) for place, node in enumerate(book.nodes.values()))
        families = {self.number[name]: self._family(node) for name, node in book.nodes.items() if node.provision.table}
        groups = {name: self._members(name) for name in book.groups}
        filing = tuple((self._bound(era.from_), {name: place for place, name in enumerate(era.order)}) for era in book.filing)
        bits = self.conditions.finish()
        takes = {name: (fact.take, fact.because) for name, fact in book.facts.items()}
        fact_bits, assume_true = self._fact_bits()
        derived: dict[str, list[str]] = {}
        for name, fact in book.facts.items():
            if fact.ratio:
                derived.setdefault(fact.ratio[0], []).append(name)
            if fact.years_before_entry:
                derived.setdefault(fact.years_before_entry, []).append(name)
        return CompiledBook(
            id=book.id,
            edition=book.edition,
            known_on=ordinal(self.known_on, FOREVER),
            horizon=(book.horizon.from_.toordinal(), book.horizon.until.toordinal()),
            bounds=sorted(self.bounds),
            provisions=provisions,
            programs=programs,
            slices=self._slices(),
            part_names=self.parts.names,
            columns=self.columns,
            origin_bits=bits.origins,
            date_bits=bits.dates,
            product_rows=bits.products,
            fact_bits=fact_bits,
            derived={name: tuple(found) for name, found in derived.items()},
            ratios={name: (fact.ratio[0], fact.ratio[1]) for name, fact in book.facts.items() if fact.ratio},
            ages={name: fact.years_before_entry for name, fact in book.facts.items() if fact.years_before_entry},
            column_bits=bits.columns,
            rate_bits=bits.rates,
            claim_bits=bits.claims,
            all_claims=sum(bits.claims.values()),
            bit_facts=tuple(fact for fact, _ in self.conditions.tests),
            assume_true=assume_true,
            takes=takes,
            families=families,
            group_members=groups,
            filing=filing,
        )

    def _bound(self, day: date | None) -> int:
        if day is None or day in {date.min, date.max}:
            return 0 if day != date.max else FOREVER
        self.bounds.add(day.toordinal())
        return day.toordinal()

    def _dates(self, what: Dated) -> tuple[int, int]:
        return (self._bound(what.from_) if what.from_ else 0), (self._bound(what.until) if what.until else FOREVER)

    def _members(self, name: str) -> tuple[tuple[str, int, int], ...]:
        found = []
        for member in self.book.groups[name]:
            if isinstance(member, str):
                found.append((member, 0, FOREVER))
            else:
                found.append(
                    (
                        member.origin,
                        self._bound(member.from_) if member.from_ else 0,
                        self._bound(member.until) if member.until else FOREVER,
                    )
                )
        return tuple(found)

    # ------------------------------------------------------------ programs and provisions
    def _refs(self, refs: list[str]) -> tuple[int, ...]:
        return tuple(self.number[name] for name in self.book.expand(refs))

    def _program(self, place: int, program: Program) -> CompiledProgram:
        groups = []
        for group in program.groups:
            if self.book.known(group, self.known_on):
                ranks = tuple(self._refs(rank) for rank in group.order)
                groups.append(Choice(*self._dates(group), ranks, frozenset(n for rank in ranks for n in rank), tuple(group.cite)))
        offsets = []
        for offset in program.offsets:
            if self.book.known(offset, self.known_on):
                node = self.conditions.node(offset.when, offset.offset)
                against = frozenset(self._refs(offset.against))
                offsets.append(
                    CompiledOffset(offset.offset, *self._dates(offset), node, offset.credit, against, offset.says, tuple(offset.cite))
                )
        for rule in program.drawback:  # the answer tells it from day to day
            self._dates(rule)
        ended = program.ended
        return CompiledProgram(
            index=place,
            name=program.program,
            title=program.title,
            files_as=program.files_as,
            columns=sum(self.columns[name] for name in program.columns),
            one_of=bool(program.one_of),
            by_admission=bool(program.ftz and program.ftz.rate_of == "admission"),
            chapter98=tuple(
                Chapter98Rule(
                    rule.from_.toordinal() if rule.from_ else 0,
                    rule.exempt,
                    rule.terms or "",
                    tuple(Keep(prefix, how) for prefix, how in rule.keeps.items()),
                    tuple(rule.cite),
                )
                for rule in reversed(program.rules98)
            ),
            outside=tuple((self.conditions.node(o.when, ""), o.says, tuple(o.cite)) for o in program.outside),
            groups=tuple(groups),
            offsets=tuple(offsets),
            provisions=tuple(self.number[provision.id] for provision in program.provisions),
            ended=self._effect(ended, program, "") if ended and self.book.known(ended, self.known_on) else None,
        )

    def _provision(self, place: int, node: Node, place_of: dict[str, int]) -> CompiledProvision:
        provision, program, known_on = node.provision, node.program, self.known_on
        for step in provision.steps:  # steps called off bound intervals too: the explanation speaks of them
            self._dates(step)
        effects = [self._effect(step, program, node.id) for step in provision.steps if self.book.known(step, known_on)]
        unless = [
            Edge(*self._dates(u), self._refs(u.any), tuple(u.cite), u.by or "") for u in provision.unless if self.book.known(u, known_on)
        ]
        relations = [
            self._relation(r)
            for r in self.book.relations.relations
            if self.book.known(r, known_on) and node.id in self.book.expand(r.excludes)
        ]
        confidence = provision.confidence
        claim = self.conditions.fact_bit(provision.claim_partial, test=True) if provision.claim_partial else -1
        return CompiledProvision(
            index=place,
            id=node.id,
            heading=node.heading,
            program=place_of[program.program],
            is_family=provision.family is not None,
            filed=provision.filed is not None,
            says=provision.says,
            condition=self.conditions.node(provision.when, node.id),
            effects=tuple(effects),
            unless=tuple(unless),
            relations=tuple(relations),
            overrides=tuple(self._override(fact, rule.take, rule.because) for fact, rule in provision.if_unknown.items()),
            by_hts="hts" in (provision.look_up or []),
            by_origin="origin" in (provision.look_up or []),
            table_words=", ".join(provision.table or []),
            claim_bit=claim,
            confidence=(confidence.level, confidence.because) if confidence else ("high", ""),
        )

    def _effect(self, step: Step, program: Program, owner: str) -> Effect:
        kind = next(name for name in EFFECTS if getattr(step, name) is not None)
        start, end = self._dates(step)
        companion = None
        if step.companion:
            base = step.companion.base
            companion = (step.companion.heading, self._reach(base), base.part or base.less or "")
        return Effect(
            start=start,
            end=end,
            published=ordinal(self.book.published(step.by), FOREVER) if step.by else 0,
            kind=kind,
            rate=step.rate or Fraction(0),
            at_floor=step.at_floor or "",
            base=self._reach(step.base),
            base_if=tuple((self.conditions.products_node(b.hts, owner), self._reach(b.base)) for b in step.base_if),
            covers=None if step.covers is None else self._reach(step.covers),
            columns=sum(self.columns[name] for name in (step.columns or program.columns)),
            companion=companion,
            cites=tuple(step.cite),
            by=step.by or "",
        )

    def _mask(self, names: frozenset[str]) -> int:
        return sum(self.part_bit[name] for name in names)

    def _reach(self, base: str | Piece) -> Reach:
        if isinstance(base, Piece):
            mask = self._mask(self.parts.of_slice(base.part or base.less or "", base.cap))
            return Reach("part" if base.part else "less", mask=mask)
        if base in {"value", "whole"}:
            return Reach("whole")
        return Reach("slice", self.slice_number[base], self._mask(self.parts.of_slice(base)))

    def _relation(self, relation: Relation) -> Edge:
        sure = relation.confidence
        return Edge(
            *self._dates(relation),
            self._refs(relation.over),
            tuple(relation.cite),
            relation.by or "",
            owed=relation.test == "owed",
            on_part=relation.on == "part",
            doubt=(sure.level, sure.because) if sure and sure.level != "high" else None,
        )

    def _override(self, fact: str, take: Any, because: str) -> Override:
        bits = true = 0
        for place, (name, test) in enumerate(self.conditions.tests):
            if name == fact and test is not None:
                bits |= 1 << place
                if take is not None and passes(take, test):
                    true |= 1 << place
        return Override(fact, take, because, bits, true)

    def _slices(self) -> tuple[CompiledSlice, ...]:
        first = {piece.facts[0]: place for place, piece in enumerate(self.book.slices.values())}
        found = []
        for name, piece in self.book.slices.items():
            tiers = tuple((self.part_bit[part].bit_length() - 1, cap) for part, cap in self.parts.tiers[name])
            mask = self._mask(self.parts.of_slice(name))
            silent = tuple(first[fact] for fact in piece.silent_if)
            nothing = self._override(piece.facts[0], NOTHING, piece.because)
            found.append(CompiledSlice(name, piece.facts[0], mask, tiers, piece.unknown == "whole", silent, piece.because, nothing))
        return tuple(found)

    # ------------------------------------------------------------ facts
    def _fact_bits(self) -> tuple[dict[str, FactBits], int]:
        by_fact: dict[str, list[tuple[int, Any]]] = {}
        assume_true = 0
        for place, (name, test) in enumerate(self.conditions.tests):
            if test is None:
                continue
            by_fact.setdefault(name, []).append((1 << place, test))
            take = self.book.facts[name].take
            if take is not None and passes(take, test):
                assume_true |= 1 << place
        found = {}
        for name, tests in by_fact.items():
            specs = tuple((bit, test if isinstance(test, bool) else _spec(test)) for bit, test in tests)
            found[name] = FactBits(name, specs, sum(bit for bit, _ in tests))
        return found, assume_true

    # ------------------------------------------------------------ tables
    def _family(self, node: Node) -> dict[str, tuple[FamilyRow, ...]]:
        """Rows of a family by product code, or by origin where the table is looked up by origin alone."""
        by_hts, found = "hts" in (node.provision.look_up or []), dict[str, list[FamilyRow]]()
        for order, ref in enumerate(node.provision.table or []):
            for row in self.book.tables[ref].rows:
                if not self.book.row_known(row, self.known_on):
                    continue
                effect, rate = row["effect"] or "add", Fraction(row["rate"].rstrip("%") or "0") / 100
                start = self._bound(row.from_) if row.from_ != date.min else 0
                end = self._bound(row.until) if row.until != date.max else FOREVER
                loaded, entered = row["loaded_before"], row["entered_before"]
                made = FamilyRow(
                    start=start,
                    end=end,
                    order=(-len(row.hts), row["origin"] == "*", order, row.number),
                    excepted=row.excepted,
                    origin=row["origin"],
                    heading=row["heading"],
                    effect=effect,
                    rate=rate,
                    at_floor=row["at_floor"],
                    partial=bool(row["partial_ex"]),
                    loaded_before=date.fromisoformat(loaded).toordinal() if loaded else 0,
                    entered_before=self._bound(date.fromisoformat(entered)) if entered else 0,
                    transit_mode=self._mode(row["transit_mode"]),
                    transit_heading=row["transit_heading"],
                    transit_rate=Fraction(row["transit_rate"].rstrip("%") or "0") / 100,
                    cite=row["cite"],
                    by=row.by,
                )
                found.setdefault(row.hts if by_hts else row["origin"], []).append(made)
        return {key: tuple(rows) for key, rows in found.items()}

    def _mode(self, modes: str) -> int:
        return self.conditions.fact_bit("mode", Test.model_validate({"in": modes.split("|")})) if modes else -1


def _spec(test: Any) -> tuple[tuple[str, Any], ...]:
    """A test as comparisons on exact values."""
    found: list[tuple[str, Any]] = []
    if test.is_ is not None:
        found.append(("in", frozenset({test.is_})))
    if test.in_ is not None:
        found.append(("in", frozenset(test.in_)))
    found.extend((name, Fraction(getattr(test, name))) for name in ("above", "at_least", "below") if getattr(test, name) is not None)
    if test.before is not None:
        found.append(("before", test.before))
    if test.from_ is not None:
        found.append(("from", test.from_))
    return tuple(found)
